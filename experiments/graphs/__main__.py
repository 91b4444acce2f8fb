"""The command line: `python -m experiments.graphs`. Bad input ends in one line and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, subcommand

from ams.errors import UserError
from experiments.graphs.train_config import Recipe


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Replay golden traces of the released graph code; exit code 1 where ours strays too far."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE [FILE ...]")]
    """The traces: gdss_network_<set>.npz, gdss_sampler_<case>.npz."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.graphs.gdss_traces.replay import replay

        return replay(self.files)


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Compare generated graphs with a reference set: maximum mean discrepancies with intervals."""

    reference: Positional[Path]
    """The reference: graph6, edge-list JSON or the authors' list."""
    generated: Positional[Path]
    """The generated graphs, in the same formats."""
    json: bool = False
    """Print JSON."""

    def __call__(self) -> int:
        """Do it."""
        from experiments.graphs.evaluation import evaluate

        return evaluate(self.reference, self.generated, self.json)


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train both networks on graphs of our own generator: about 7 minutes on one core, by default."""

    out: Path
    """The file to write, NAME.safetensors; a record and a figure come beside it."""
    resume: bool = False
    """Go on with the run that was interrupted, from NAME.state."""
    recipe: OmitArgPrefixes[Recipe] = field(default_factory=Recipe)

    def __call__(self) -> int:
        """Do it."""
        from experiments.graphs.train import train

        return train(self.recipe, self.out, self.resume)


Command = (
    Annotated[Replay, subcommand(name="replay")]
    | Annotated[Evaluate, subcommand(name="evaluate")]
    | Annotated[Train, subcommand(name="train")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, show the help."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return tyro.cli(
            Command, args=given or ["--help"], prog="graphs", description=__doc__, config=(FlagCreatePairsOff,)
        )()
    except UserError as problem:
        sys.stderr.write(f"graphs: {problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
