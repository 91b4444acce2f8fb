"""The command line: `ams`, or `python -m ams_suite`.

Bad usage and bad input end in one line on stderr and exit code 2; whatever else goes wrong, in a
traceback and 3. Groups add commands of their own: `commands` in a claims file names them.
"""

import contextlib
import errno
import io
import os
import pkgutil
import re
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from tyro.conf import FlagCreatePairsOff
from tyro.extras import subcommand_cli_from_dict

from ams.errors import DataUnavailable, UserError, unknown
from ams.lacking import advice, is_base
from ams_suite.commands import COMMANDS, Command
from ams_suite.maintenance import TOOLS

ABOUT = "Which claims of arXiv 2405.13726 hold, how firmly and why; and what samplers do."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk that is full, a quota that is reached, a file that may not grow (ulimit -f)."""
LEAST_MEMORY = 1 << 30
"""Of less, in bytes, OpenBLAS may not start: it then ends Python with 1, which is the code of a
verdict.
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What asks a command to end."""
# what tyro draws around a complaint, whose first line is a title; it offers no other form of it
FRAME = "╭╮╰╯│─ "


def parse(arguments: Sequence[str]) -> Command:
    """Return the command that the arguments ask for. Raises UserError; `--help` raises
    SystemExit(0).
    """
    # as a Path, it would be the current folder
    if "--out=" in arguments or ("--out", "") in pairwise(arguments):
        raise UserError("--out '': expected a folder")
    commands: dict[str, Callable[..., Command]] = {**COMMANDS, **TOOLS}
    if arguments[0] in ("-h", "--help"):
        sys.stdout.write(_overview(_of_groups(arguments[0])))
        raise SystemExit(0)
    if arguments[0] not in commands:
        commands |= _of_groups(arguments[0])
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            command: Command = subcommand_cli_from_dict(
                commands,
                args=arguments,
                prog="ams",
                description=ABOUT,
                config=(FlagCreatePairsOff,),
            )
    except SystemExit as ending:
        if ending.code != 2:
            raise
        words = "" if arguments[0].startswith("-") else f" {arguments[0]}"
        raise UserError(_condensed(complaint.getvalue(), f"ams{words} --help")) from None
    return command


def _overview(of_groups: Mapping[str, type[Command]]) -> str:
    """Return the help: what users need first, then maintainers' programs, with the first sentence
    on each.
    """
    lines = [
        "usage: ams COMMAND [OPTIONS]",
        "",
        ABOUT,
        "`ams COMMAND --help` shows the options of a command.",
    ]
    for title, commands in (("Commands", COMMANDS), ("For maintainers", {**TOOLS, **of_groups})):
        lines += [
            "",
            f"{title}:",
            *(f"  {name:<16} {_about(made)}" for name, made in commands.items()),
        ]
    return "\n".join([*lines, ""])


def _about(command: type[Command]) -> str:
    return (command.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()


def _of_groups(name: str) -> dict[str, type[Command]]:
    """Return the command `name` of the repository's groups, all of them where `name` is an option
    (`--help`).

    Raises UserError for the name of no command.
    """
    places = _places()
    if not name.startswith("-"):
        if name not in places:
            raise unknown("command", name, [*COMMANDS, *TOOLS, *places])
        places = {name: places[name]}
    return {word: _loaded(place) for word, place in places.items()}


def _places() -> dict[str, str]:
    """Return the commands that groups add, as `module:class`, and put their repository on Python's
    path.

    There are none outside of a repository, and where the library alone is installed. Raises
    UserError for claims that cannot be read.
    """
    if not _suite_is_installed():
        return {}
    from verdicts.claims.loading import load_claims
    from verdicts.errors import UserError as NoRepository
    from verdicts.records.workspace import find_root

    try:
        root = find_root(Path.cwd())
    except NoRepository:
        return {}
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return {
        word: place for group in load_claims(root).group for word, place in group.commands.items()
    }


def _loaded(place: str) -> type[Command]:
    """Return the class at `module:class`. Raises UserError where there is none."""
    try:
        command: type[Command] = pkgutil.resolve_name(place)
    except (ImportError, AttributeError) as absence:
        raise UserError(f"commands: {place}: {absence}") from absence
    return command


def _condensed(framed: str, help_words: str) -> str:
    """Return the first statement of tyro's framed complaint as one line, with what was meant, or
    where help is.
    """
    lines = [line.strip(FRAME) for line in framed.strip().splitlines()[1:]]
    text = "\n".join("" if set(line) == {"-"} else line for line in lines).strip()
    meant = re.search(r"Perhaps you meant:\s+(--\S+)", text)
    first = " ".join(text.split("\n\n")[0].split()).rstrip(".")
    return (
        f"{first}; "
        f"{f'did you mean {meant[1]}?' if meant else f'`{help_words}` shows what is expected'}"
    )


class Interrupt:
    """What a signal calls: it raises KeyboardInterrupt, and notes it: a library may raise another
    error instead.
    """

    asked = False
    ended = False
    """Whether the exit code is known: what is asked for is being done."""

    def __call__(self, number: int, frame: object) -> None:
        """Raise KeyboardInterrupt, unless the command has ended."""
        self.asked = True
        if not self.ended:
            raise KeyboardInterrupt


def _show_dropped(dropped: "sys.UnraisableHookArgs") -> None:
    """Show an error that Python drops, unless it is an interrupt, which is noted."""
    if not isinstance(dropped.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, show the help."""
    given = sys.argv[1:] if arguments is None else arguments
    _open_streams()
    os.environ.pop("MPLBACKEND", None)  # the user's own: an unknown one would fail every figure
    interrupt = Interrupt()
    try:
        # Asked to end by a scheduler, or by a terminal that closes, is as good as by a key: jobs
        # are stopped
        for sent in SIGNALS:
            if signal.getsignal(sent) is not signal.SIG_IGN:  # as under nohup
                signal.signal(sent, interrupt)
        if sys.unraisablehook is sys.__unraisablehook__:
            sys.unraisablehook = _show_dropped
        # -1 stands for no limit
        if 0 <= (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) < LEAST_MEMORY:
            limited = (
                f"ams: memory is limited to {limit / 2**20:.0f} MiB (ulimit -v): lift it to 1 "
                "GiB or more\n"
            )
            return _ended(2, limited)
        code = parse(given or ["--help"])()
        sys.stdout.flush()
        interrupt.ended = True
        if interrupt.asked:
            return _interrupted(interrupt, given)
    except (
        BrokenPipeError
    ):  # a reader that has seen enough, as in `| head`: the shell's code for it
        return _ended(128 + signal.SIGPIPE)
    except KeyboardInterrupt:
        return _interrupted(interrupt, given)
    except Exception as error:  # Python's own code for it, 1, is a verdict here
        if interrupt.asked:  # what was interrupted has raised an error of its own
            return _interrupted(interrupt, given)
        if message := _for_the_user(error, given[0]):
            return _ended(2, f"ams: {message}\n")
        if isinstance(error, MemoryError):
            said = "there is not enough memory: end something else, or lift a limit (ulimit -v)"
            return _ended(3, f"ams: {said}\n")
        full = isinstance(error, OSError) and error.errno in FULL
        return _ended(
            3,
            f"ams: {error}: make room or lift the limit, and run it again\n"
            if full
            else traceback.format_exc(),
        )
    except SystemExit:
        raise
    except BaseException:  # a panic in Rust: of Typst, or of what draws charts
        return _ended(3, traceback.format_exc())
    return code


def _interrupted(interrupt: Interrupt, given: Sequence[str]) -> int:
    """Say in a line that the command was interrupted, and return its exit code."""
    interrupt.asked, interrupt.ended = False, True
    kept = "what was finished is kept, the same command goes on from there"
    return _ended(
        130, f"ams: interrupted; {'nothing is kept' if 'conform' in given[:1] else kept}\n"
    )


def _for_the_user(error: Exception, command: str) -> str:
    """Return in one line what the user can mend; empty for what broke."""
    engine = sys.modules.get("verdicts.errors")  # None where the library alone is installed
    if isinstance(error, (UserError, DataUnavailable)) or (
        engine and isinstance(error, engine.UserError)
    ):
        return " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError) and is_base(error):
        return f"{command} {advice(error)}"
    if isinstance(error, ModuleNotFoundError) and not _suite_is_installed():
        return f"{command} needs {error.name}: pip install '.[suite]'"
    return ""


def _suite_is_installed() -> bool:
    try:
        import pydantic  # noqa: F401
    except ImportError:
        return False
    return True


def _open_streams() -> None:
    """Replace closed standard streams (`>&-`), at once, lest the next file that is opened be taken
    for one of them.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (open to the end)


def _ended(code: int, words: str = "") -> int:
    """Write `words` to stderr and return the code; streams that take nothing more are not to change
    it at exit.
    """
    for stream, text in ((sys.stdout, ""), (sys.stderr, words)):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def to_the_end() -> NoReturn:
    """Run one command and end this process at once with its exit code: no later signal changes it.

    What a signal raises while Python takes itself apart, in whatever a library still calls then,
    would abort it; so would a library's thread that still writes.
    """
    try:
        code = main()
    except KeyboardInterrupt:  # a second one, while the first was told
        code = 130
    for sent in SIGNALS:
        signal.signal(sent, signal.SIG_IGN)
    os._exit(_ended(code))


if __name__ == "__main__":
    to_the_end()
