"""Lists of graphs: what is there is read, from either form; what is hostile or damaged is refused and runs nothing."""

import gzip
import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ams.data import GRAPHS, Graph, graphs, load_graphs
from ams.errors import UserError
from tests.ams.data.hostile import BOMBS, EMPTY, PAYLOADS, named, text, whole

MIRROR = Path(os.environ.get("AMS_DATA") or "nowhere")
mirrored = pytest.mark.skipif(not (MIRROR / "gdss_graphs").is_dir(), reason="no gdss_graphs under AMS_DATA")


def zipped(described: Any) -> bytes:
    return gzip.compress(json.dumps(described).encode())


def value(item: Any) -> bytes:
    """Return the opcodes that push numbers, strings, dictionaries, sets and lists, bytes standing for themselves."""
    pushes = {
        bytes: lambda: item,
        int: lambda: pickle.BININT + struct.pack("<i", item),
        str: lambda: text(item),
        list: lambda: pickle.EMPTY_LIST + pickle.MARK + b"".join(map(value, item)) + pickle.APPENDS,
        set: lambda: pickle.EMPTY_SET + pickle.MARK + b"".join(map(value, sorted(item))) + pickle.ADDITEMS,
        dict: lambda: (
            pickle.EMPTY_DICT + pickle.MARK + b"".join(value(k) + value(v) for k, v in item.items()) + pickle.SETITEMS
        ),
    }
    return pushes[type(item)]()


def restored(name: str, **state: Any) -> bytes:
    """Return the opcodes of an object of a class, with a state."""
    return named(name) + pickle.EMPTY_TUPLE + pickle.NEWOBJ + value(state) + pickle.BUILD


def graph(neighbours: dict[Any, list[Any]], **more: Any) -> bytes:
    """Return the opcodes of a `networkx.Graph`."""
    adjacency = {node: {other: {} for other in others} for node, others in neighbours.items()}
    state = {"graph": {}, "_node": {node: {} for node in neighbours}, "_adj": adjacency, **more}
    return restored("networkx.classes.graph.Graph", **state)


def view(adjacency: dict[int, list[int]], shown: set[int]) -> bytes:
    """Return the opcodes of a frozen view of a graph."""
    nodes = restored("networkx.classes.filters.show_nodes", nodes=shown)
    atlas: dict[int, Any] = {node: {} for node in adjacency}
    outer = {node: {other: {} for other in others} for node, others in adjacency.items()}
    every = named("networkx.classes.filters.no_filter")
    return restored(
        "networkx.classes.graph.Graph",
        _node=restored("networkx.classes.coreviews.FilterAtlas", _atlas=atlas, NODE_OK=nodes),
        _adj=restored("networkx.classes.coreviews.FilterAdjacency", _atlas=outer, NODE_OK=nodes, EDGE_OK=every),
        clear=named("networkx.classes.function.frozen"),
    )


def scalar(number: int, kind: str = "i8", order: str = "<") -> bytes:
    """Return the opcodes of a NumPy number."""
    dtype = (
        named("numpy.dtype") + text(kind) + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
        + pickle.BININT1 + b"\x03" + text(order) + pickle.TUPLE2 + pickle.BUILD
    )  # fmt: skip
    raw = pickle.SHORT_BINBYTES + b"\x08" + number.to_bytes(8, "little", signed=True)
    return named("numpy.core.multiarray.scalar") + dtype + raw + pickle.TUPLE2 + pickle.REDUCE


PATH = {7: [3], 3: [7, 5], 5: [3]}


def test_a_pickled_graph_is_numbered_as_listed() -> None:
    listed = load_graphs(whole(value([graph(PATH), graph({}), graph({"a": ["b"], "b": ["a"]})])), "it")
    assert listed == [Graph(3, ((0, 1), (1, 2))), Graph(0, ()), Graph(2, ((0, 1),))]


def test_a_view_shows_its_nodes_only() -> None:
    ring = {node: [(node - 1) % 9, (node + 1) % 9] for node in range(9)}
    few, most = load_graphs(whole(value([view(ring, {3, 4, 6}), view(ring, set(range(1, 9)))])), "it")
    assert few == Graph(3, ((0, 1),))
    assert most == Graph(8, tuple((node, node + 1) for node in range(7)))


def test_numpy_numbers_are_nodes() -> None:
    minus, plus = scalar(-5), scalar(2**40)
    node = pickle.EMPTY_DICT + minus + pickle.EMPTY_DICT + pickle.SETITEM + plus + pickle.EMPTY_DICT + pickle.SETITEM
    inner = [pickle.EMPTY_DICT + other + pickle.EMPTY_DICT + pickle.SETITEM for other in (plus, minus)]
    adjacency = pickle.EMPTY_DICT + minus + inner[0] + pickle.SETITEM + plus + inner[1] + pickle.SETITEM
    listed = load_graphs(whole(value([restored("networkx.classes.graph.Graph", _node=node, _adj=adjacency)])), "it")
    assert listed == [Graph(2, ((0, 1),))]


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_both_forms_give_the_same(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 8))
    possible = [(u, v) for v in range(n) for u in range(v)]
    edges = data.draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    neighbours = {node: [u + v - node for u, v in edges if node in (u, v)] for node in range(n)}
    expected = [Graph(n, tuple(sorted(edges)))]
    assert load_graphs(whole(value([graph(neighbours)])), "it") == expected
    assert load_graphs(zipped([[n, edges]]), "it") == expected


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in a graph"])
def test_nothing_that_a_pickle_says_is_done(payload: str, wrapped: bool, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = PAYLOADS[payload](canary)
    if wrapped:
        content = whole(value([graph(PATH, graph=content.removeprefix(b"\x80\x02").removesuffix(b"."))]))
    with pytest.raises(UserError) as refusal:
        load_graphs(content, "it")
    assert str(refusal.value).startswith("it: not a list of graphs (") and str(refusal.value).isprintable()
    assert not list(tmp_path.iterdir())


def test_the_payloads_would_act(tmp_path: Path) -> None:
    """The canary is no dead bird: Python's own unpickler runs these."""
    for index, payload in enumerate(["os.system", "eval", "open", "nested", "protocol 0", "inst"]):
        canary = tmp_path / f"canary{index}"
        pickle.loads(PAYLOADS[payload](canary))
        assert canary.exists(), payload


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_bombs_cost_nothing(bomb: str) -> None:
    with pytest.raises(UserError, match="not a list of graphs"):
        load_graphs(BOMBS[bomb], "it")


def odd(**state: Any) -> bytes:
    return whole(value([restored("networkx.classes.graph.Graph", **state)]))


FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "EOFError"),
    "too long": (bytes(2**23 + 1), "more than 8388608 bytes"),
    "no list": (whole(graph(PATH)), "no list"),
    "more": (whole(value([graph(PATH)])) + b"more", "other bytes follow"),
    "another object": (whole(value([restored("networkx.classes.filters.show_nodes", nodes={1})])), "the list holds"),
    "loop": (whole(value([graph({1: [1]})])), "a loop"),
    "one direction": (whole(value([graph({1: [2], 2: []})])), "one direction"),
    "no state": (whole(value([EMPTY])), "TypeError"),
    "no neighbours": (odd(_node={1: {}}, _adj={}), "KeyError 1"),
    "shown but absent": (whole(value([view({1: [], 2: [], 3: []}, {9})])), "a view shows a node"),
    "state twice": (whole(EMPTY, value({"a": 1}), pickle.BUILD, value({"a": 1}), pickle.BUILD), "a state twice"),
    "state of a list": (whole(pickle.EMPTY_LIST, value({"a": 1}), pickle.BUILD), "something that has none"),
    "state of a class": (whole(named("builtins.dict"), value({"a": 1}), pickle.BUILD), "something that has none"),
    "call of a value": (whole(text("eval"), pickle.EMPTY_TUPLE, pickle.REDUCE), "has no name"),
    "entries of a list": (whole(pickle.EMPTY_LIST, text("a"), pickle.NONE, pickle.SETITEM), "no dictionary"),
    "key of bytes": (whole(pickle.EMPTY_DICT, pickle.SHORT_BINBYTES, b"\x00", pickle.NONE, pickle.SETITEM), "under a"),
    "half an entry": (whole(pickle.EMPTY_DICT, pickle.MARK, text("a"), pickle.SETITEMS), "zip()"),
    "set of names": (whole(pickle.EMPTY_SET, pickle.MARK, text("a"), pickle.ADDITEMS), "no number"),
    "another number": (whole(scalar(1, kind="f8")), "no int64"),
    "another byte order": (whole(scalar(1, order=">")), "no int64"),
    "unknown opcode": (b"\x80\x02\xff.", "opcode or memo entry 255 does not exist"),
    "not json": (gzip.compress(b"{"), "Expecting"),
    "deep json": (gzip.compress(b"[" * 10**6), "RecursionError"),
    "json object": (zipped({"a": 1}), "not enough values"),
    "json edge backwards": (zipped([[2, [[1, 0]]]]), "0 <= u < v < n"),
    "json edge twice": (zipped([[2, [[0, 1], [0, 1]]]]), "given once"),
    "json node outside": (zipped([[2, [[0, 2]]]]), "0 <= u < v < n"),
    "json fraction": (zipped([[2.0, [[0, 1]]]]), "0 <= u < v < n"),
    "json bomb": (gzip.compress(bytes(2**25)), "inflates to more"),
    "json of many nodes": (zipped([[2**23, []]]), "more than 4194304 nodes and edges"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_said_in_one_line(fault: str) -> None:
    content, told = FAULTS[fault]
    with pytest.raises(UserError) as refusal:
        load_graphs(content, "it")
    line = str(refusal.value)
    assert line.startswith("it: not a list of graphs (") and told in line
    assert line.isprintable() and line.endswith("replace it by the original")


def test_graphs_that_share_their_nodes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ams.data.graphlists.MOST", 50)
    stored = graph(PATH) + pickle.BINPUT + b"\x00"
    content = whole(pickle.EMPTY_LIST, pickle.MARK, stored, (pickle.BINGET + b"\x00") * 10**4, pickle.APPENDS)
    with pytest.raises(UserError, match="more than 50 nodes and edges"):
        load_graphs(content, "it")


WHOLE = {"pickle": whole(value([graph(PATH), view(PATH, {3, 5})])), "json": zipped([[3, [[0, 1], [1, 2]]]])}


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=6),
    st.floats(0.5, 1),
)
def test_damage_gives_graphs_or_one_line(kind: str, flips: list[tuple[float, int]], kept: float) -> None:
    data = bytearray(WHOLE[kind])
    for place, mask in flips:
        data[int(place * len(data))] ^= mask
    try:
        listed = load_graphs(bytes(data[: int(kept * len(data))]), "it")
    except UserError as problem:
        assert str(problem).startswith("it: ") and str(problem).isprintable()
    else:
        assert all(0 <= u < v < graph.nodes for graph in listed for u, v in graph.edges)


@mirrored
@pytest.mark.parametrize("name", GRAPHS)
def test_the_authors_pickle_and_its_mirror_are_the_same_graphs(name: str) -> None:
    listed = graphs(name)
    assert len(listed) == GRAPHS[name].count
    pickled = MIRROR / GRAPHS[name].files[1].path
    assert load_graphs(pickled.read_bytes(), str(pickled)) == listed
