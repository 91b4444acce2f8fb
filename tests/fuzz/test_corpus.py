"""Every parser of files from outside takes what it should, and refuses all else in its documented way.

The corpus is what fuzzing kept: small inputs that each reached new code of a parser. Bombs are inputs
of at most 16 MiB that ask for far more; each is refused or read within a GiB.
"""

import gzip
import io
import json
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.targets import DOCUMENTED, TARGETS

CORPUS = corpus.read()
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TARGETS)
def test_neither_seeds_nor_the_kept_corpus_break_a_parser(name: str) -> None:
    assert CORPUS.get(name), f"no corpus of {name}: python -m tests.fuzz {name}"
    for content in [*TARGETS[name].seeds(), *CORPUS[name]]:
        _parsed(name, content)


def test_an_archive_is_read_as_it_was_written_whatever_the_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    corpus.write({"b": [b"", b"x"], "a": [b"y" * 600]}, one)
    corpus.write({"a": [b"y" * 600], "b": [b"x", b""]}, two)
    assert one.read_bytes() == two.read_bytes()
    assert {name: set(some) for name, some in corpus.read(two).items()} == {"a": {b"y" * 600}, "b": {b"", b"x"}}
    assert corpus.read(tmp_path / "none") == {}


def _parsed(name: str, content: bytes) -> bool:
    """Return whether a parser takes the bytes. Raises what it does not document."""
    try:
        TARGETS[name].parse(content)
    except DOCUMENTED as refusal:
        assert str(refusal).isprintable()
        return False
    return True


def archive_of(size: int) -> bytes:
    """Return an archive with an array file of so many zeros."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.npy", bytes(size))
    return stream.getvalue()


HEAD = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1048576), }"
TENSOR = json.dumps({"a": {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}}).encode()
MEMO = pickle.EMPTY_LIST + pickle.LONG_BINPUT + (2**30).to_bytes(4, "little") + pickle.STOP
NUMBER = pickle.PROTO + b"\x02" + pickle.LONG4 + (2**31 - 1).to_bytes(4, "little") + pickle.STOP
BOMBS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "deflated graphs": (lambda: gzip.compress(b"[" * 2**26, 9), ("graphs_json",)),
    "deflated archive": (lambda: archive_of(2**30), ("npz", "torch")),
    "nested text": (lambda: b"[" * 2**20, ("own_json", "record", "cell", "config")),
    "huge header": (lambda: b"\x93NUMPY\x01\x00" + len(HEAD).to_bytes(2, "little") + HEAD, ("npy",)),
    "huge tensor": (lambda: len(TENSOR).to_bytes(8, "little") + TENSOR, ("safetensors", "recipe")),
    "huge memo": (lambda: MEMO, ("graphs_pickle", "cifar_part")),
    "huge number": (lambda: NUMBER, ("torch", "graphs_pickle", "cifar_part")),
}
"""Small inputs that ask a parser for much: a stream, an archive, a nesting, a header, a pickle."""


def test_a_bomb_is_refused_within_a_gibibyte(tmp_path: Path) -> None:
    for name, (make, _) in BOMBS.items():
        content = make()
        assert len(content) <= 2**24
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", "import sys; from tests.fuzz.test_corpus import measure; measure(sys.argv[1])"]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    outcomes = [line.split("\t") for line in done.stdout.splitlines()]
    assert [one[:3] for one in outcomes] == [
        [name, target, "False"] for name, (_, targets) in BOMBS.items() for target in targets
    ], done.stderr
    assert all(float(mebibytes) < 1024 for *_, mebibytes in outcomes), outcomes


def measure(folder: str) -> None:
    """Print of each bomb and parser whether it is taken, and by how many MiB a process of its own grows at most."""
    for name, (_, targets) in BOMBS.items():
        content = (Path(folder) / name).read_bytes()
        for target in targets:
            sys.stdout.flush()
            if os.fork():
                os.wait()
                continue
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            taken = _parsed(target, content)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            sys.stdout.write(f"{name}\t{target}\t{taken}\t{grown:.0f}\n")
            sys.stdout.flush()
            os._exit(0)
