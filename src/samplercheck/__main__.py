"""`samplercheck SAMPLER`, or `python -m samplercheck SAMPLER`: does a sampler do what it says?

The options are those of `ams conform` too. What the test needs is imported when it runs: help is
quick.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, UseAppendAction, arg

from samplercheck import __version__
from samplercheck.errors import DataUnavailable, UserError

File = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")]
Name = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]
Whole = Annotated[int | None, arg(metavar="INT", help_behavior_hint="")]
Number = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Conform:
    """Test by exact laws whether a sampler does what it says.

    Exit code 0: holds, 1: refuted, 2: usage, 3: raised, or no report, 4: inconclusive; of several
    the worst.
    """

    sampler: Annotated[
        Positional[tuple[str, ...]], arg(metavar="LIBRARY:NAME|FILE.py:NAME|MODULE:NAME")
    ]
    """Which sampler, as diffusers:DDIMScheduler; several (azula: all of it, diffusers:*DPM*) have a
    line each.
    """
    policy: bool = False
    """Test a step that returns a sample and its log-density, as reinforcement learning uses it."""
    order: Whole = None
    """The order that is claimed (default: what the library's documentation states)."""
    kind: Annotated[
        Literal["ode", "sde", "churn"] | None, arg(metavar="{ode,sde,churn}", help_behavior_hint="")
    ] = None
    """It solves the flow, or the reverse SDE, or its noise varies along a run (default: what the
    adapter knows).
    """
    network: Name = None
    """Test a sampling function as it is, or a class or a method: its parameter that takes the
    network.
    """
    convention: Name = None
    """What that network returns and is told, as x0@sigma (default: by trying)."""
    dtype: Name = None
    """Types that it runs in, as float32 or state=bfloat16,network=float32 (default: float32, then
    bfloat16).
    """
    shape: Name = None
    """The shape of one state, as 3,32,32, where the code takes no other."""
    stub: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="MODULE")] = ()
    """An import that sampling does not use, replaced by an empty module; one a `--stub`."""
    set: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="KEY=VALUE")] = ()
    """Its settings, one a `--set`."""
    steps: Whole = None
    """The steps in which you use it: W2 to the data, and outliers; the other runs have their own
    numbers. With --policy each of them is judged.
    """
    guidance: Number = None
    """Also with classifier-free guidance of this weight."""
    clip: Number = None
    """Also with predictions of x0 clipped at this bound."""
    json: bool = False
    """Print all numbers as JSON."""
    html: File = None
    """Write a page with the curve of the error."""
    badge: File = None
    """Write the verdict as an SVG badge."""
    against: File = None
    """Say what changed since this JSON was written; exit code 1 if a verdict or an order is worse,
    or lost.
    """
    expected: File = None
    """Checks that are expected to be refuted, a TOML file: a table for each sampler, in it check =
    "reason".
    """
    compare: File = None
    """Write a page with the error of all samplers against their network calls."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 600.0
    """The time that one sampler may take."""

    def __call__(self) -> int:
        """Do it."""
        from samplercheck.command import judge

        return judge(self)


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the sampler that the arguments name, or print the version; return the exit code."""
    if list(sys.argv[1:] if arguments is None else arguments) == ["--version"]:
        print(f"samplercheck {__version__}")
        return 0
    command = tyro.cli(Conform, prog="samplercheck", args=arguments)
    try:
        code = command()
        sys.stdout.flush()
        return code
    except (
        BrokenPipeError
    ):  # a reader that has seen enough, as in `| head`: the shell's code for it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (UserError, DataUnavailable) as error:
        print(f"samplercheck: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("samplercheck: interrupted; nothing is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
