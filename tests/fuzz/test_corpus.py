"""Every parser of files from outside takes what it should, and refuses all else in its documented
way.

The corpus is what fuzzing kept: small inputs that each reached new code of a parser. Bombs are
inputs of at most 16 MiB that ask for far more; each is refused or read within a GiB.
"""

import gzip
import io
import json
import pickle
import resource
import sys
import zipfile
from collections.abc import Callable
from multiprocessing import get_context

import psutil
import pytest

from tests.fuzz.targets import DOCUMENTED, TARGETS, read_corpus

CORPUS = read_corpus()


@pytest.mark.parametrize("name", TARGETS)
def test_neither_seeds_nor_the_kept_corpus_break_a_parser(name: str) -> None:
    assert CORPUS.get(name), f"no corpus of {name}"
    for content in [*TARGETS[name].seeds(), *CORPUS[name]]:
        _parsed(name, content)


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
    "huge header": (
        lambda: b"\x93NUMPY\x01\x00" + len(HEAD).to_bytes(2, "little") + HEAD,
        ("npy",),
    ),
    "huge tensor": (lambda: len(TENSOR).to_bytes(8, "little") + TENSOR, ("safetensors", "recipe")),
    "huge memo": (lambda: MEMO, ("graphs_pickle", "cifar_part")),
    "huge number": (lambda: NUMBER, ("torch", "graphs_pickle", "cifar_part")),
}
"""Small inputs that ask a parser for much: a stream, an archive, a nesting, a header, a pickle."""


@pytest.mark.parametrize(
    ("bomb", "name"), [(bomb, name) for bomb in BOMBS for name in BOMBS[bomb][1]]
)
def test_a_bomb_is_refused_within_a_gibibyte(bomb: str, name: str) -> None:
    content = BOMBS[bomb][0]()
    assert len(content) <= 2**24
    process = get_context("fork").Process(target=_refused_within_a_gibibyte, args=(name, content))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def _refused_within_a_gibibyte(name: str, content: bytes) -> None:
    """Exit with 0 where a parser refuses the bytes though this process may grow by no more."""
    limit = psutil.Process().memory_info().vms + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    sys.exit(_parsed(name, content))
