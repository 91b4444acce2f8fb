"""Weights: what torch.save wrote is read; hostile, damaged and too large files are refused in one line."""

import io
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from ams.data import WEIGHTS, load_weights, weights
from tests.ams.data.hostile import PAYLOADS, named, refusal, text, whole
from tests.ams.data.test_safe_read import zipped
from tests.ams.tools import found_or_skipped


def saved(value: Any, zipfile: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipfile)
    return stream.getvalue()


def network() -> dict[str, Any]:
    """Return a checkpoint: two sets of weights that share a storage, settings, averages."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    base = torch.arange(12.0)
    views = [base[2:8].view(2, 3), base[3:9].view(3, 2).T, torch.zeros(0, 5), torch.tensor(7)]
    kinds = [torch.ones(2, dtype=kind) for kind in (torch.float64, torch.bfloat16, torch.bool, torch.uint8)]
    return {"net": net.state_dict(), "ema": {"decay": 0.999, "shadow": views}, "kinds": kinds, "n": -7, "none": None}


def same(a: Any, b: Any) -> bool:
    """Return whether two nests of tensors are equal, their types included."""
    if type(a) is not type(b):
        return False
    if type(a) is torch.Tensor:
        return a.dtype == b.dtype and torch.equal(a, b)
    if type(a) in (dict, OrderedDict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return len(a) == len(b) and all(map(same, a, b)) if type(a) is list else a == b


@pytest.mark.parametrize("zipfile", [True, False], ids=["zip", "older"])
def test_what_torch_saved_is_read(zipfile: bool) -> None:
    assert same(load_weights(saved(network(), zipfile), "it"), network())
    assert load_weights(saved([], zipfile), "it") == []


def test_an_easydict_becomes_an_ordered_dictionary_and_stays_unknown_to_torch() -> None:
    entry = text("seed") + pickle.BININT1 + b"\x2a"
    build = named("easydict.EasyDict") + pickle.EMPTY_TUPLE + pickle.NEWOBJ + entry + pickle.SETITEM
    state = pickle.EMPTY_DICT + entry + pickle.SETITEM + pickle.BUILD
    content = zipped(("a/data.pkl", whole(build, state)), ("a/version", b"3"), ("a/byteorder", b"little"))
    settings = load_weights(content, "it")
    assert settings == OrderedDict(seed=42) and type(settings) is OrderedDict
    with pytest.raises(pickle.UnpicklingError, match="easydict"):
        torch.load(io.BytesIO(content), weights_only=True)


def legacy_tar(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("storages", "tensors", "pickle"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_nothing_that_a_pickle_says_is_done(payload: str, tmp_path: Path) -> None:
    content = PAYLOADS[payload](tmp_path / "canary")
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
    archive = zipped(("a/data.pkl", content), ("a/version", b"3"), ("a/byteorder", b"little"))
    for hostile in (content, archive, magic + content, legacy_tar(content)):
        refusal(load_weights, hostile, "file of weights")
    assert not list(tmp_path.iterdir())


FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "EOFError"),
    "no weights": (zipped(("a/other", b"")), ""),
    "a number": (saved(3.0), "no dictionary and no list"),
    "a tensor": (saved(torch.ones(2)), "no dictionary and no list"),
    "another class": (saved({"w": Path("x")}), "more than tensors and plain values"),
    "cut archive": (saved(network())[:-9], ""),
    "cut stream": (saved(network(), False)[:-9], ""),
    "too large": (saved({"w": torch.zeros(2**18)}), "has 1 MiB, more than the 1 allowed"),
    "too large, older": (saved({"w": torch.zeros(2**18)}, False), "has 1 MiB, more than the 1 allowed"),
    "a bomb": (zipped(("a/data.pkl", bytes(2**24))), "has 16 MiB, more than the 1 allowed"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_said_in_one_line(fault: str) -> None:
    content, reason = FAULTS[fault]
    assert reason in refusal(load_weights, content, "file of weights", 2**20)


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_registered_files_are_read(name: str) -> None:
    value = found_or_skipped(weights, name)
    state = value["x_state_dict"] if name.startswith("gdss") else value
    assert all(tensor.device.type == "cpu" and bool(torch.isfinite(tensor).all()) for tensor in state.values())
    sizes = {"mnist-ve": 1_022_977, "mnist-ddpm": 606_852, "fashion-ddpm": 606_852, "gdss-enzymes": 182_066}
    count = sum(tensor.numel() for tensor in state.values())
    assert count == sizes.get(name, count) and count > 1000
