"""Arrays: what NumPy wrote is read; headers that lie, objects and damage are refused before anything is allocated."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ams.data import load_array, load_arrays
from ams.errors import UserError
from tests.ams.data.hostile import PAYLOADS, refusal
from tests.ams.data.test_safe_read import zipped


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


def forged(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return an `.npy` file with a header of one's own."""
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode("latin1") + data


def claiming(shape: str, descr: str = "<f8", data: bytes = b"") -> bytes:
    return forged(f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n", data)


ARRAYS = {
    "doubles": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">i4"),
    "truth": np.array([True, False]),
    "complex": np.array(1 + 2j),
    "words": np.array(["a", "ä"]),
    "none": np.zeros((0, 3)),
}


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("name", ARRAYS)
def test_what_numpy_wrote_is_read(name: str, version: tuple[int, int]) -> None:
    array = ARRAYS[name]
    for found in (load_array(saved(array, version), "it"), load_arrays(zipped(("a.npy", saved(array))), "it")["a"]):
        assert found.dtype == array.dtype.newbyteorder("=") and found.shape == array.shape
        np.testing.assert_array_equal(found, array)


def test_names_are_those_of_numpy() -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, x=np.ones(2), y=np.zeros(1))
    assert sorted(load_arrays(stream.getvalue(), "it")) == ["x", "y"]
    assert load_arrays(zipped(), "it") == {}
    with pytest.raises(UserError, match="File is not a zip file"):
        load_arrays(saved(np.ones(1)), "it")


FAULTS: dict[str, tuple[bytes, str]] = {
    "10^12 elements": (claiming("(1000000000000,)"), "claims 8000000000000 bytes, 0 are there"),
    "more than 64 bits": (claiming("(10000000000000, 10000000000000)"), "are there"),
    "negative": (claiming("(-1, -1)", data=bytes(8)), "the header claims 8 bytes"),
    "no bytes an element": (claiming("(1000000000000,)", "<U0"), "elements of type"),
    "short": (claiming("(3,)", data=bytes(23)), "claims 24 bytes, 23 are there"),
    "long": (claiming("(3,)", data=bytes(25)), "claims 24 bytes, 25 are there"),
    "objects": (claiming("(1,)", "|O", bytes(8)), "Object arrays cannot be loaded"),
    "times": (claiming("(1,)", "<m8", bytes(8)), "elements of type"),
    "records": (saved(np.zeros(2, dtype=[("a", "f8")])), "elements of type"),
    "records of objects": (saved(np.zeros(2, dtype=[("a", "f8")])).replace(b"'<f8'", b"'|O' "), "Object arrays"),
    "subarrays": (forged("{'descr': ('<f8', (1000,)), 'fortran_order': False, 'shape': (1,), }\n"), "elements"),
    "a call": (forged("__import__('os').system('true')\n"), "malformed"),
    "a deep header": (forged("(" * 500 + "\n"), ""),
    "version 3": (forged("", version=b"\x03\x00"), "format version (3, 0)"),
    "no array": (b"text", "it is no array"),
    "cut header": (claiming("(3,)")[:20], "EOF"),
    "empty": (b"", "it is no array"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_said_in_one_line_and_costs_nothing(fault: str) -> None:
    content, reason = FAULTS[fault]
    archive = zipped(("a.npy", content))
    for load, what, given_bytes in ((load_array, "y", content), (load_arrays, "z", archive)):
        tracemalloc.start()
        line = refusal(load, given_bytes, f"readable .np{what} file")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert reason.replace("it is no array", "is no array") in line
        assert peak < 2**24


def test_sizes_are_bounded() -> None:
    content = saved(np.zeros(2**17))
    with pytest.raises(UserError, match="holds 1 MiB, more than the 1 allowed"):
        load_array(content, "it", 2**20)
    with pytest.raises(UserError, match="holds 1 MiB, more than the 1 allowed"):
        load_arrays(zipped(("a.npy", content)), "it", 2**20)


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_a_pickle_in_an_array_is_not_run(payload: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = claiming("(1,)", "|O", PAYLOADS[payload](canary))
    with pytest.raises(UserError, match="Object arrays cannot be loaded"):
        load_arrays(zipped(("a.npy", content)), "it")
    with pytest.raises(UserError, match="is no array"):
        load_arrays(zipped(("a.npy", PAYLOADS[payload](canary))), "it")
    assert not list(tmp_path.iterdir())
