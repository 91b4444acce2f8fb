"""Weights: what torch.save wrote is read; what would act, lie about its size or is damaged is refused in one line."""

import contextlib
import io
import os
import pickle
import struct
import tarfile
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ams.data import WEIGHTS, load_weights, weights
from ams.data.safe_read import entries
from ams.errors import DataUnavailable, UserError
from tests.ams.data.hostile import BOMBS, PAYLOADS, named, text, whole
from tests.ams.data.test_safe_read import zipped


def saved(value: Any, zipfile: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipfile)
    return stream.getvalue()


def network() -> dict[str, Any]:
    """Return what a checkpoint holds: two sets of weights that share a storage, settings, averages."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    base = torch.arange(12.0)
    views = [base[2:8].view(2, 3), base[3:9].view(3, 2).T, torch.zeros(0, 5), torch.tensor(7)]
    kinds = [
        torch.ones(2, dtype=kind) for kind in (torch.float64, torch.float16, torch.bfloat16, torch.bool, torch.uint8)
    ]
    return {
        "net": net.state_dict(),
        "ema": {"decay": 0.999, "shadow": views},
        "kinds": kinds,
        "n": -70000,
        "none": None,
    }


def same(a: Any, b: Any) -> bool:
    """Tell whether two nests of tensors are equal, their types included."""
    if type(a) is not type(b):
        return False
    if type(a) is torch.Tensor:
        return a.dtype == b.dtype and torch.equal(a, b)
    if type(a) in (dict, OrderedDict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return len(a) == len(b) and all(map(same, a, b)) if type(a) is list else a == b


@pytest.mark.parametrize("zipfile", [True, False], ids=["zip", "older"])
def test_what_torch_saved_is_read(zipfile: bool) -> None:
    found = load_weights(saved(network(), zipfile), "it")
    assert same(found, network())
    assert found["net"]._metadata == network()["net"]._metadata
    assert load_weights(saved([], zipfile), "it") == []


def test_settings_of_the_authors_become_a_dictionary() -> None:
    entries = pickle.EMPTY_DICT + text("seed") + pickle.BININT1 + b"\x2a" + pickle.SETITEM
    build = named("easydict.EasyDict") + pickle.EMPTY_TUPLE + pickle.NEWOBJ + text("seed") + pickle.BININT1 + b"\x2a"
    content = zipped(
        ("a/data.pkl", whole(build, pickle.SETITEM, entries, pickle.BUILD)),
        ("a/version", b"3"),
        ("a/byteorder", b"little"),
    )
    found = load_weights(content, "it")
    assert found == OrderedDict(seed=42) and type(found) is OrderedDict
    with pytest.raises(pickle.UnpicklingError, match="easydict"):  # what was allowed is allowed no longer
        torch.load(io.BytesIO(content), weights_only=True)


def test_nothing_of_ours_stays_registered() -> None:
    """Others may register while we load (torch does, as it imports), so the list is not the same before and after."""
    for content in (saved(network()), saved(network(), zipfile=False), older(tensor(held=PLACED), count=9)):
        with contextlib.suppress(UserError):
            load_weights(content, "it")
        assert not [one for one in torch.serialization.get_safe_globals() if OrderedDict in _parts(one)]


def _parts(registered: Any) -> tuple[Any, ...]:
    return registered if isinstance(registered, tuple) else (registered,)


ORDERED = named("collections.OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE


def number(n: int) -> bytes:
    return pickle.LONG1 + b"\x09" + n.to_bytes(9, "little", signed=True)


def numbers(*values: int) -> bytes:
    return pickle.MARK + b"".join(map(number, values)) + pickle.TUPLE


def storage(key: str = "0", count: int = 4, kind: str = "Float", name: str = "storage") -> bytes:
    claim = text(name) + named(f"torch.{kind}Storage") + text(key) + text("cuda:7") + number(count)
    return pickle.MARK + claim + pickle.TUPLE + pickle.BINPERSID


def tensor(
    offset: int = 0,
    shape: tuple[int, ...] = (4,),
    strides: tuple[int, ...] = (1,),
    held: bytes = storage(),
    hooks: bytes = ORDERED,
) -> bytes:
    parts = held + number(offset) + numbers(*shape) + numbers(*strides) + pickle.NEWFALSE + hooks
    return named("torch._utils._rebuild_tensor_v2") + pickle.MARK + parts + pickle.TUPLE + pickle.REDUCE


def archive(*opcodes: bytes, data: bytes = bytes(16), **more: bytes) -> bytes:
    """Return a zip of the dictionary that the opcodes make under the key w, and one storage."""
    pickled = whole(pickle.EMPTY_DICT, text("w"), *opcodes, pickle.SETITEM)
    return zipped(("a/data.pkl", pickled), ("a/data/0", data), *((f"a/{k}", v) for k, v in more.items()))


def older(
    *opcodes: bytes, keys: bytes = b"\x80\x02]q\x00X\x01\x00\x00\x000a.", data: bytes = bytes(16), count: int = 4
) -> bytes:
    """Return the same in the older format."""
    preamble = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    start = b"".join(pickle.dumps(part, protocol=2) for part in preamble)
    pickled = whole(pickle.EMPTY_DICT, text("w"), *opcodes, pickle.SETITEM)
    return start + pickled + keys + struct.pack("<q", count) + data


PLACED = storage()[:-2] + pickle.NONE + storage()[-2:]  # the older format names a view, or none


def test_tensors_from_another_device_come_to_the_cpu() -> None:
    for content in (archive(tensor()), older(tensor(held=PLACED))):
        (found,) = load_weights(content, "it").values()
        assert found.device.type == "cpu" and found.tolist() == [0.0] * 4


def legacy_tar(canary: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("storages", "tensors", "pickle"):
            content = PAYLOADS["eval"](canary)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_nothing_that_a_pickle_says_is_done(payload: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = PAYLOADS[payload](canary)
    magic, inner = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), content.removeprefix(b"\x80\x02")[:-1]
    for hostile in (
        content,
        zipped(("a/data.pkl", content), ("a/version", b"3")),
        archive(inner),
        archive(tensor(hooks=inner)),
        magic + content,
        older(inner),
        older(tensor(), keys=content),
        legacy_tar(canary),
    ):
        with pytest.raises(UserError) as refusal:
            load_weights(hostile, "it")
        assert str(refusal.value).startswith("it: not a file of weights (") and str(refusal.value).isprintable()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_bombs_cost_nothing(bomb: str) -> None:
    for content in (
        zipped(("a/data.pkl", BOMBS[bomb])),
        pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + BOMBS[bomb],
    ):
        with pytest.raises(UserError, match="not a file of weights"):
            load_weights(content, "it")


HUGE = 10**12
FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "neither a zip archive nor the older format"),
    "no weights": (zipped(("a/other", b"")), "it holds no weights"),
    "two sets": (zipped(("a/data.pkl", b""), ("b/data.pkl", b"")), "not one set"),
    "big-endian": (archive(tensor(), byteorder=b"big"), "the other byte order"),
    "long pickle": (zipped(("a/data.pkl", bytes(2**23 + 1))), "its pickle has more"),
    "long pickle, older": (older(text("x" * 2**23)), "EOFError"),
    "a number": (zipped(("a/data.pkl", whole(pickle.NEWTRUE))), "no dictionary and no list"),
    "huge storage": (archive(tensor(held=storage(count=HUGE))), f"claims {4 * HUGE} bytes, 16 are there"),
    "huge storage, older": (older(tensor(held=storage(count=HUGE))), f"claim {4 * HUGE + 8} bytes, 24 are there"),
    "missing storage": (archive(tensor(held=storage("9"))), "KeyError 'a/data/9'"),
    "storage outside": (archive(tensor(held=storage("../data.pkl"))), "KeyError 'a/data/../data.pkl'"),
    "negative storage": (archive(tensor(held=storage(count=-1))), "without a key or a count"),
    "no storage": (archive(tensor(held=storage(name="module"))), "no storage"),
    "two claims": (archive(tensor() + pickle.POP), "opcode or memo"),
    "storage in two ways": (
        archive(pickle.MARK + tensor() + tensor(held=storage(count=16, kind="Byte")) + pickle.TUPLE),
        "claimed in two ways",
    ),
    "huge tensor": (archive(tensor(shape=(HUGE,))), "reaches beyond the 4 numbers"),
    "huge tensor, older": (older(tensor(shape=(HUGE,))), "reaches beyond the 4 numbers"),
    "repeated numbers": (archive(tensor(shape=(HUGE,), strides=(0,))), "reaches beyond"),
    "offset": (archive(tensor(offset=1)), "reaches beyond"),
    "negative offset": (archive(tensor(offset=-1)), "extent is not in whole numbers"),
    "strides": (archive(tensor(strides=(1, 1))), "extent is not in whole numbers"),
    "hooks": (archive(tensor(hooks=ORDERED + text("a") + pickle.NONE + pickle.SETITEM)), "no hooks"),
    "unknown type": (archive(tensor(held=storage(kind="Quantized"))), "it names 'torch.QuantizedStorage"),
    "call of a type": (archive(named("torch.FloatStorage"), numbers(HUGE), pickle.REDUCE), "it calls torch.Float"),
    "arguments": (archive(named("collections.OrderedDict"), numbers(1), pickle.REDUCE), "TypeError"),
    "hidden method": (
        archive(ORDERED, pickle.EMPTY_DICT, text("items"), pickle.NONE, pickle.SETITEM, pickle.BUILD),
        "hides a method",
    ),
    "preamble": (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + whole(pickle.NONE) * 2, "its preamble"),
    "protocol": (older(tensor()).replace(b"M\xe9\x03", b"M\xea\x03"), "its preamble"),
    "keys": (older(tensor(), keys=b"\x80\x02]."), "its storages claim 24 bytes, 24 are there"),
    "cut storage": (older(tensor(), data=bytes(15)), "its storages claim 24 bytes, 23 are there"),
    "wrong count": (older(tensor(held=PLACED), count=9), "RuntimeError"),
    "view": (older(tensor(held=storage()[:-2] + pickle.NEWTRUE + storage()[-2:])), "no storage"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_said_in_one_line_and_costs_nothing(fault: str) -> None:
    content, told = FAULTS[fault]
    tracemalloc.start()
    with pytest.raises(UserError) as refusal:
        load_weights(content, "it")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    line = str(refusal.value)
    assert line.startswith("it: not a file of weights (") and told in line
    assert line.isprintable() and line.endswith("replace it by the original") and peak < 2**25


def test_sizes_are_bounded() -> None:
    for content in (saved({"w": torch.zeros(2**18)}), saved({"w": torch.zeros(2**18)}, False)):
        with pytest.raises(UserError, match=r"more than the 1 allowed|too large"):
            load_weights(content, "it", 2**20)


def test_what_was_checked_is_what_is_read(tmp_path: Path) -> None:
    """A second archive in front, with a directory of its own, reaches no reader: the copy holds what was checked."""
    canary = tmp_path / "canary"
    content = zipped(("a/data.pkl", PAYLOADS["eval"](canary))) + archive(tensor())
    assert load_weights(content, "it")["w"].tolist() == [0.0] * 4
    assert not canary.exists()


def inside(content: bytes) -> bytes:
    """Return an archive, whole, of the network's storages and of another pickle: no checksum shields the machine."""
    held = entries(WHOLE["zip"])
    return zipped(*{**held, "archive/data.pkl": content}.items())


WHOLE = {"zip": saved(network()), "older": saved(network(), False)}
WHOLE["inside"] = entries(WHOLE["zip"])["archive/data.pkl"]


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=4),
    st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_damage_gives_weights_or_one_line(kind: str, flips: list[tuple[float, int]], kept: float) -> None:
    data = bytearray(WHOLE[kind])
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    content = bytes(data[: int(kept * len(data))])
    try:
        found = load_weights(inside(content) if kind == "inside" else content, "it")
    except UserError as problem:
        assert str(problem).startswith("it: ") and str(problem).isprintable()
    else:
        assert isinstance(found, dict | list)


def test_a_whole_pickle_inside_is_read() -> None:
    assert same(load_weights(inside(WHOLE["inside"]), "it"), network())


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_real_thing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMS_OFFLINE", "1")
    try:
        found = weights(name)
    except DataUnavailable as absence:
        pytest.skip(str(absence))
    state = found["x_state_dict"] if name.startswith("gdss") else found
    assert all(tensor.device.type == "cpu" and bool(torch.isfinite(tensor).all()) for tensor in state.values())
    sizes = {"mnist-ve": 1_022_977, "mnist-ddpm": 606_852, "fashion-ddpm": 606_852, "gdss-enzymes": 182_066}
    count = sum(tensor.numel() for tensor in state.values())
    assert count == sizes.get(name, count) and count > 1000


def test_the_older_format_of_another_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """EfficientNet's file, where a mirror has it: the older format in the wild."""
    path = Path(os.environ.get("AMS_DATA") or "nowhere") / "efficientnet_lite0/efficientnet-lite0-57934424.pth"
    if not path.is_file():
        pytest.skip("no EfficientNet under AMS_DATA")
    assert load_weights(path.read_bytes(), str(path))["_fc.weight"].shape == (1000, 1280)
