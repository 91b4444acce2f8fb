"""Readers of untrusted bytes: containers, arrays, weights, lists of graphs.

What NumPy, PyTorch and networkx wrote is read; what is hostile, damaged or too large is refused in
one line. Nothing that a pickle says is done. Each payload is a pickle that would create the file
that it is given, the canary.
"""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ams.data import (
    GRAPHS,
    Graph,
    graphs,
    load_array,
    load_arrays,
    load_graphs,
    load_weights,
)
from ams.data.graphlists import unpickled_graphs
from ams.data.safe_read import content_of, entries, guarded, inflated
from ams.errors import UserError


def zipped(*named: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in named:
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_file_is_read_to_its_bound(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(b"a" * 2**20)
    assert content_of(whole, 2**20) == whole.read_bytes()
    assert content_of(whole, 2**33) == whole.read_bytes()
    with pytest.raises(UserError, match="more than the 0 MiB that such a file has"):
        content_of(whole, 2**20 - 1)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, why in {
        tmp_path / "pipe": "a pipe",
        Path("/dev/zero"): "a device",
        tmp_path: "Is a directory",
    }.items():
        with pytest.raises(UserError, match=f"cannot be read.*{why}"):
            content_of(path, 9)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.text("abc/.", min_size=1), st.binary(max_size=99), max_size=4))
def test_what_was_put_in_comes_out(held: dict[str, bytes]) -> None:
    assert entries(zipped(*held.items())) == held
    assert inflated(gzip.compress(repr(held).encode())) == repr(held).encode()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        entries(zipped(("a", b"x"), ("a", b"y")))


def test_bombs_are_refused_by_their_own_claim() -> None:
    with pytest.raises(ValueError, match="holds 64 MiB, more than the 1 allowed"):
        entries(zipped(*((f"{i}", bytes(2**22)) for i in range(16))), 2**20)
    with pytest.raises(ValueError, match="more than the 1048576 bytes allowed"):
        inflated(gzip.compress(bytes(2**26)), 2**20)
    assert inflated(gzip.compress(bytes(2**20)), 2**20) == bytes(2**20)


@pytest.mark.parametrize("claim", [100, 2**21 + 1])
def test_a_claim_that_is_false_is_refused(claim: int) -> None:
    """2 MiB that claim 100 bytes fail their checksum after 100; more claimed than held ends
    early.
    """
    content = zipped(("a", bytes(2**21)))
    start = content.rindex(b"PK\x01\x02")
    forged = content[: start + 24] + claim.to_bytes(4, "little") + content[start + 28 :]
    with pytest.raises((ValueError, zipfile.BadZipFile, EOFError)):
        entries(forged)


@pytest.mark.parametrize("end", [b"", b"more"], ids=["short", "long"])
def test_a_gzip_stream_is_one_whole_member(end: bytes) -> None:
    content = gzip.compress(b"x" * 1000)
    with pytest.raises(ValueError, match="cut short or other bytes follow"):
        inflated(content + end if end else content[:-9])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ValueError("two\nlines \x1b[2J"),
            "not a thing (two lines ?[2J); replace it by the original",
        ),
        (KeyError("a"), "not a thing (KeyError 'a'); replace"),
        (MemoryError(), "not a thing (MemoryError); replace"),
        (ValueError(), "not a thing (ValueError); replace"),
        (ValueError("x" * 10**6), "xxx); replace"),
    ],
)
def test_any_fault_is_one_bounded_line(error: Exception, reason: str) -> None:
    with pytest.raises(UserError) as caught, guarded("here", "a thing"):
        raise error
    line = str(caught.value)
    assert line.startswith("here: ") and reason in line and line.isprintable() and len(line) < 300


def refusal(load: Callable[..., Any], content: bytes, what: str) -> str:
    """Return the one line with which `load` refuses bytes that are not `what`."""
    with pytest.raises(UserError) as refused:
        load(content, "it")
    line = str(refused.value)
    assert (
        line.startswith(f"it: not a {what} (")
        and line.isprintable()
        and line.endswith("replace it by the original")
    )
    return line


def text(value: str) -> bytes:
    """Return the opcode that pushes a string."""
    return pickle.BINUNICODE + struct.pack("<I", len(value.encode())) + value.encode()


def named(name: str) -> bytes:
    """Return the opcode that pushes what `module.name` names."""
    module, _, attribute = name.rpartition(".")
    return pickle.GLOBAL + f"{module}\n{attribute}\n".encode()


def called(name: str, *arguments: str) -> bytes:
    """Return the opcodes that call `name` with strings."""
    return named(name) + pickle.MARK + b"".join(map(text, arguments)) + pickle.TUPLE + pickle.REDUCE


def whole(*opcodes: bytes) -> bytes:
    return pickle.PROTO + b"\x02" + b"".join(opcodes) + pickle.STOP


def touch(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w')"


class Acts:
    """An object whose restoring runs a command."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return eval, (touch(self.canary),)


PAYLOADS: dict[str, Callable[[Path], bytes]] = {
    "os.system": lambda canary: whole(called("os.system", f"touch '{canary}'")),
    "eval": lambda canary: whole(called("builtins.eval", touch(canary))),
    "python 2 name": lambda canary: whole(called("__builtin__.eval", touch(canary))),
    "open": lambda canary: whole(called("io.open", str(canary), "w")),
    "bound method": lambda canary: pickle.dumps(Path.touch.__get__(canary), protocol=4),
    "nested": lambda canary: pickle.dumps([{"a": [(1, {"b": Acts(canary)})]}], protocol=2),
    "protocol 0": lambda canary: pickle.dumps(Acts(canary), protocol=0),
    "protocol 5": lambda canary: pickle.dumps([Acts(canary)], protocol=5),
    "inst": lambda canary: (
        b"(S'" + touch(canary).replace("'", '"').encode() + b"'\nibuiltins\neval\n."
    ),
    "obj": lambda canary: whole(
        pickle.MARK, named("builtins.eval"), text(touch(canary)), pickle.OBJ
    ),
    "through functools": lambda canary: whole(called("functools.partial", touch(canary))),
    "extension": lambda canary: whole(pickle.EXT1, b"\x01"),
    "persistent": lambda canary: whole(text(touch(canary)), pickle.BINPERSID),
}


def saved_array(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


def forged(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """Return an `.npy` file with a header of one's own."""
    return (
        b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode("latin1") + data
    )


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
    for found in (
        load_array(saved_array(array, version), "it"),
        load_arrays(zipped(("a.npy", saved_array(array))), "it")["a"],
    ):
        assert found.dtype == array.dtype.newbyteorder("=") and found.shape == array.shape
        np.testing.assert_array_equal(found, array)


ARRAY_FAULTS: dict[str, tuple[bytes, str]] = {
    "10^12 elements": (claiming("(1000000000000,)"), "claims 8000000000000 bytes, 0 are there"),
    "more than 64 bits": (claiming("(10000000000000, 10000000000000)"), "are there"),
    "negative": (claiming("(-1, -1)", data=bytes(8)), "the header claims 8 bytes"),
    "no bytes an element": (claiming("(1000000000000,)", "<U0"), "elements of type"),
    "short": (claiming("(3,)", data=bytes(23)), "claims 24 bytes, 23 are there"),
    "objects": (claiming("(1,)", "|O", bytes(8)), "Object arrays cannot be loaded"),
    "records": (saved_array(np.zeros(2, dtype=[("a", "f8")])), "elements of type"),
    "a call": (forged("__import__('os').system('true')\n"), "malformed"),
    "a deep header": (forged("(" * 500 + "\n"), ""),
    "version 3": (forged("", version=b"\x03\x00"), "format version (3, 0)"),
    "no array": (b"text", "it is no array"),
    "cut header": (claiming("(3,)")[:20], "EOF"),
    "empty": (b"", "it is no array"),
}


@pytest.mark.parametrize("fault", ARRAY_FAULTS, ids=str)
def test_a_fault_of_an_array_is_said_in_one_line_and_costs_nothing(fault: str) -> None:
    content, reason = ARRAY_FAULTS[fault]
    archive = zipped(("a.npy", content))
    for load, what, given_bytes in ((load_array, "y", content), (load_arrays, "z", archive)):
        tracemalloc.start()
        line = refusal(load, given_bytes, f"readable .np{what} file")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert reason.replace("it is no array", "is no array") in line
        assert peak < 2**24


def test_sizes_are_bounded() -> None:
    content = saved_array(np.zeros(2**17))
    with pytest.raises(UserError, match="holds 1 MiB, more than the 1 allowed"):
        load_array(content, "it", 2**20)
    with pytest.raises(UserError, match="holds 1 MiB, more than the 1 allowed"):
        load_arrays(zipped(("a.npy", content)), "it", 2**20)


def saved_weights(value: Any, zipfile: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipfile)
    return stream.getvalue()


def network() -> dict[str, Any]:
    """Return a checkpoint: two sets of weights that share a storage, settings, averages."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    base = torch.arange(12.0)
    views = [base[2:8].view(2, 3), base[3:9].view(3, 2).T, torch.zeros(0, 5), torch.tensor(7)]
    kinds = [
        torch.ones(2, dtype=kind)
        for kind in (torch.float64, torch.bfloat16, torch.bool, torch.uint8)
    ]
    return {
        "net": net.state_dict(),
        "ema": {"decay": 0.999, "shadow": views},
        "kinds": kinds,
        "n": -7,
        "none": None,
    }


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
    assert same(load_weights(saved_weights(network(), zipfile), "it"), network())
    assert load_weights(saved_weights([], zipfile), "it") == []


def test_an_easydict_becomes_an_ordered_dictionary_and_stays_unknown_to_torch() -> None:
    entry = text("seed") + pickle.BININT1 + b"\x2a"
    build = named("easydict.EasyDict") + pickle.EMPTY_TUPLE + pickle.NEWOBJ + entry + pickle.SETITEM
    state = pickle.EMPTY_DICT + entry + pickle.SETITEM + pickle.BUILD
    content = zipped(
        ("a/data.pkl", whole(build, state)), ("a/version", b"3"), ("a/byteorder", b"little")
    )
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


WEIGHTS_FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "EOFError"),
    "no weights": (zipped(("a/other", b"")), ""),
    "a number": (saved_weights(3.0), "no dictionary and no list"),
    "a tensor": (saved_weights(torch.ones(2)), "no dictionary and no list"),
    "another class": (saved_weights({"w": Path("x")}), "more than tensors and plain values"),
    "cut archive": (saved_weights(network())[:-9], ""),
    "cut stream": (saved_weights(network(), False)[:-9], ""),
    "too large": (saved_weights({"w": torch.zeros(2**18)}), "has 1 MiB, more than the 1 allowed"),
    "too large, older": (
        saved_weights({"w": torch.zeros(2**18)}, False),
        "has 1 MiB, more than the 1 allowed",
    ),
    "a bomb": (zipped(("a/data.pkl", bytes(2**24))), "has 16 MiB, more than the 1 allowed"),
}


MIRROR = Path(os.environ.get("AMS_DATA") or "nowhere")
NAMES = "networkx.classes.graph.Graph"


def described_graphs(listed: Any) -> bytes:
    return gzip.compress(json.dumps(listed).encode())


def pickled(*listed: networkx.Graph) -> bytes:
    """Return a pickle as the authors' networkx wrote it, without cached views of the adjacency."""
    for graph in listed:
        for cached in ("adj", "nodes", "edges", "degree"):
            vars(graph).pop(cached, None)
    return pickle.dumps(list(listed), protocol=4)


def test_pickled_graphs_are_numbered_as_listed() -> None:
    letters = networkx.Graph([("b", "a"), ("a", "c")])
    listed = unpickled_graphs(pickled(letters, networkx.Graph(), networkx.path_graph(2)), "it")
    assert listed == [Graph(3, ((0, 1), (1, 2))), Graph(0, ()), Graph(2, ((0, 1),))]


def test_a_view_has_its_nodes_only() -> None:
    """The authors' views, restored by an object's state: the ring's adjacency, with the nodes that
    are shown.
    """
    ring = networkx.cycle_graph(9)
    view = networkx.Graph()
    shown = networkx.classes.filters.show_nodes([3, 4, 6])
    vars(view)["_node"] = networkx.classes.coreviews.FilterAtlas(dict(ring.nodes), shown)
    every = networkx.classes.filters.no_filter
    vars(view)["_adj"] = networkx.classes.coreviews.FilterAdjacency(
        dict(ring.adjacency()), shown, every
    )
    assert unpickled_graphs(pickled(view), "it") == [Graph(3, ((0, 1),))]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_both_forms_give_the_same(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 8))
    possible = [(u, v) for v in range(n) for u in range(v)]
    edges = data.draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    graph = networkx.empty_graph(n)
    graph.add_edges_from(edges)
    expected = [Graph(n, tuple(sorted(edges)))]
    assert unpickled_graphs(pickled(graph), "it") == expected
    assert load_graphs(described_graphs([[n, edges]]), "it") == expected


def around(payload: bytes) -> list[tuple[Callable[[bytes, str], Any], bytes, str]]:
    """Return what reads a pickle, in each place that a file may have for one, and what it should
    be.
    """
    archive = zipped(("a/data.pkl", payload), ("a/version", b"3"), ("a/byteorder", b"little"))
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
    return [
        *(
            (load_weights, held, "file of weights")
            for held in (payload, archive, magic + payload, legacy_tar(payload))
        ),
        *((load, payload, "list of graphs") for load in (unpickled_graphs, load_graphs)),
        (load_arrays, zipped(("a.npy", claiming("(1,)", "|O", payload))), "readable .npz file"),
        (load_arrays, zipped(("a.npy", payload)), "readable .npz file"),
    ]


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_nothing_that_a_pickle_says_is_done(payload: str, tmp_path: Path) -> None:
    for load, content, what in around(PAYLOADS[payload](tmp_path / "canary")):
        refusal(load, content, what)
    assert not list(tmp_path.iterdir())


def test_the_payloads_would_act(tmp_path: Path) -> None:
    """Python's own unpickler runs these."""
    for index, payload in enumerate(["os.system", "eval", "open", "nested", "protocol 0", "inst"]):
        canary = tmp_path / f"canary{index}"
        pickle.loads(PAYLOADS[payload](canary))
        assert canary.exists(), payload


JSON_FAULTS: dict[str, tuple[bytes, str]] = {
    "not json": (gzip.compress(b"{"), "Expecting"),
    "deep": (gzip.compress(b"[" * 10**6), "RecursionError"),
    "an object": (described_graphs({"a": 1}), "not enough values"),
    "edge backwards": (described_graphs([[2, [[1, 0]]]]), "0 <= u < v < n"),
    "edge twice": (described_graphs([[2, [[0, 1], [0, 1]]]]), "given once"),
    "fewer than no nodes": (described_graphs([[-3, []]]), "0 <= u < v < n"),
    "node outside": (described_graphs([[2, [[0, 2]]]]), "0 <= u < v < n"),
    "fraction": (described_graphs([[2.0, [[0, 1]]]]), "0 <= u < v < n"),
    "bomb": (gzip.compress(bytes(2**25)), "inflates to more"),
    "many nodes": (described_graphs([[2**23, []]]), "more than 4194304 nodes and edges"),
    "plain": (b"[]", ""),
}
PICKLE_FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "exhausted before seeing STOP"),
    "no list": (pickle.dumps(networkx.path_graph(3)), "no list"),
    "loop": (pickled(networkx.Graph([(1, 1)])), "a loop"),
    "a number": (
        whole(pickle.EMPTY_LIST, pickle.BININT1, b"\x07", pickle.APPEND),
        "AttributeError",
    ),
    "another class": (pickle.dumps([networkx.DiGraph()]), "it names"),
    "a call": (whole(called("builtins.getattr", "a", "b")), "it names 'builtins.getattr'"),
    "a state": (
        whole(named(NAMES) + pickle.EMPTY_TUPLE + pickle.NEWOBJ, text("a"), pickle.BUILD),
        "",
    ),
}


FAULTS = {
    "file of weights": (partial(load_weights, largest=2**20), WEIGHTS_FAULTS),
    "list of graphs": (load_graphs, JSON_FAULTS),
    "list of graphs, pickled": (unpickled_graphs, PICKLE_FAULTS),
}


@pytest.mark.parametrize(
    ("what", "fault"), [(what, fault) for what, (_, faults) in FAULTS.items() for fault in faults]
)
def test_a_fault_is_said_in_one_line(what: str, fault: str) -> None:
    load, faults = FAULTS[what]
    content, reason = faults[fault]
    assert reason in refusal(load, content, what.removesuffix(", pickled"))


@pytest.mark.skipif(not (MIRROR / "gdss_graphs").is_dir(), reason="no gdss_graphs under AMS_DATA")
@pytest.mark.parametrize("name", GRAPHS)
def test_the_authors_pickle_and_its_mirror_are_the_same_graphs(name: str) -> None:
    listed = graphs(name)
    pickled = MIRROR / GRAPHS[name].files[1].path
    assert len(listed) == GRAPHS[name].count
    assert unpickled_graphs(pickled.read_bytes(), str(pickled)) == listed
