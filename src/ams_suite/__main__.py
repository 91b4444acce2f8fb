"""The command line: `ams`, or `python -m ams_suite`.

Bad usage and bad input end in one line on stderr and exit code 2; whatever else goes wrong, in a traceback and 3.
Groups add commands of their own: `commands` in a claims file names them.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import signal
import sys
import tomllib
import traceback
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from tyro.conf import FlagCreatePairsOff
from tyro.extras import subcommand_cli_from_dict

from ams.errors import DataUnavailable
from ams.errors import UserError as LibraryError
from ams_suite.commands import COMMANDS
from verdicts.errors import UserError, unknown

ABOUT = "Which claims of arXiv 2405.13726 hold, how firmly, and why; and exact laws of samplers."
FRAME = "╭╮╰╯│─ "  # what tyro draws around a complaint, whose first line is a title; it offers no other form of it

Command = Callable[[], int]


def parse(arguments: Sequence[str]) -> Command:
    """Return the command that the arguments ask for. Raises UserError; `--help` raises SystemExit(0)."""
    if "--out=" in arguments or ("--out", "") in pairwise(arguments):  # as a Path, it would be the current folder
        raise UserError("--out '': expected a folder")
    commands: dict[str, Callable[..., Command]] = dict(COMMANDS)
    if arguments[0] not in commands:
        commands |= {name: _loaded(place) for name, place in _of_groups().items()}
        if not arguments[0].startswith("-") and arguments[0] not in commands:
            raise unknown("command", arguments[0], commands)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return subcommand_cli_from_dict(
                commands, args=arguments, prog="ams", description=ABOUT, config=(FlagCreatePairsOff,)
            )
    except SystemExit as ending:
        if ending.code != 2:
            raise
        raise UserError(_condensed(complaint.getvalue())) from None


def _of_groups() -> dict[str, str]:
    """Return the commands that the groups of the repository add, as `module:class`; none outside of one."""
    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "analysis").is_dir()), None)
    if root is None:
        return {}
    sys.path.insert(0, str(root))
    files = [path for room in ("analysis", "experiments") for path in sorted((root / room).rglob("claims.toml"))]
    groups = [tomllib.loads(path.read_text(encoding="utf-8")).get("group", {}) for path in files]
    return {name: place for group in groups for name, place in group.get("commands", {}).items()}


def _loaded(place: str) -> Callable[..., Command]:
    module, _, name = place.partition(":")
    command: Callable[..., Command] = getattr(importlib.import_module(module), name)
    return command


def _condensed(framed: str) -> str:
    """Return the first statement of tyro's framed complaint as one line, and what it thinks was meant."""
    lines = [line.strip(FRAME) for line in framed.strip().splitlines()[1:]]
    text = "\n".join("" if set(line) == {"-"} else line for line in lines).strip()
    meant = re.search(r"Perhaps you meant:\s+(--\S+)", text)
    first = " ".join(text.split("\n\n")[0].split()).rstrip(".")
    return f"{first}; {f'did you mean {meant[1]}?' if meant else '`ams --help` shows what is expected'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, show the help."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    # Asked to end by a scheduler is as good as by a key: jobs are stopped, what is finished is kept
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = parse(given or ["--help"])()
        sys.stdout.flush()
    except (UserError, LibraryError, DataUnavailable) as problem:
        return _ended(2, f"ams: {' '.join(str(problem).split())}\n")
    except BrokenPipeError:  # a reader that has seen enough, as in `| head`: the shell's code for it
        return _ended(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        return _ended(130, "ams: interrupted; what was finished is kept, the same command goes on from there\n")
    except Exception:  # Python's own code for it, 1, is a verdict here
        return _ended(3, traceback.format_exc())
    return code


def _open_streams() -> None:
    """Replace closed standard streams (`>&-`), at once, lest the next file that is opened be taken for one of them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (open to the end)


def _ended(code: int, words: str = "") -> int:
    """Write `words` to stderr and return the code; streams that take nothing more are not to change it at exit."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, words)):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


if __name__ == "__main__":
    sys.exit(main())
