"""`python -m tests.fuzz [NAME ...] --seconds N`: search each parser's inputs for one that breaks
it, with atheris.

Each parser has a process, since a search ends its own. Of the inputs that reach new code the
smallest are kept in the archive tests/fuzz/corpus.tar.gz; one that breaks the parser is written to
tests/fuzz/found and named. At most 2 GiB of memory, 10 seconds and 64 KiB an input. Needs `pip
install atheris`.
"""

import argparse
import contextlib
import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INSTRUMENTED = [
    "ams.data",
    "ams.errors",
    "experiments",
    "verdicts",
    "zipfile",
    "pickle",
    "gzip",
    "tomllib",
    "json",
]
KEPT, LONGEST = 48, 4096
"""Inputs that are kept of a parser, and their most bytes."""
LIMITS = [
    "-rss_limit_mb=2048",
    "-timeout=10",
    "-max_len=65536",
    "-verbosity=0",
    "-print_final_stats=1",
]


def search(name: str, options: list[str], folders: list[Path]) -> None:
    """Search in this process, to its end."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import DOCUMENTED, TARGETS

    def one(content: bytes) -> None:
        with contextlib.suppress(*DOCUMENTED):
            TARGETS[name].parse(content)

    atheris.Setup([sys.argv[0], *options, *map(str, folders)], one)
    atheris.Fuzz()


def fuzz(name: str, seconds: int) -> int:
    """Search one parser's inputs in a process of its own, and keep the smallest of note; returns
    its exit code.
    """
    from tests.fuzz.targets import TARGETS, read_corpus, write_corpus

    kept, found, fresh = read_corpus(), HERE / "found", HERE / "found" / f"{name}-corpus"
    fresh.mkdir(parents=True, exist_ok=True)
    for content in [*TARGETS[name].seeds(), *kept.get(name, ())]:
        (fresh / hashlib.sha1(content).hexdigest()).write_bytes(content)
    command = [sys.executable, "-m", "tests.fuzz", "--inner", name]
    place = f"-artifact_prefix={found}/{name}-"
    code = subprocess.run(
        [*command, f"-max_total_time={seconds}", place, str(fresh)], check=False
    ).returncode
    smallest = sorted(fresh.iterdir(), key=lambda file: (file.stat().st_size, file.name))[:KEPT]
    kept[name] = [file.read_bytes() for file in smallest if file.stat().st_size <= LONGEST]
    write_corpus(kept)
    sys.stdout.write(f"{name}: exit code {code}, {len(kept[name])} inputs kept\n")
    return code


def main() -> int:
    """Read the command line, search, and return 1 where a parser broke."""
    if sys.argv[1:2] == ["--inner"]:
        name, *options = sys.argv[2:]
        folders = [Path(option) for option in options if not option.startswith("-")]
        search(name, [*LIMITS, *(option for option in options if option.startswith("-"))], folders)
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=int, default=240)
    given = parser.parse_args()
    from tests.fuzz.targets import TARGETS

    return int(any(fuzz(name, given.seconds) for name in given.names or TARGETS))


if __name__ == "__main__":
    raise SystemExit(main())
