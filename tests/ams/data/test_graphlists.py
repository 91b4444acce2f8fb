"""Lists of graphs: JSON and the authors' verified pickles are read; anything else is refused in one line."""

import gzip
import json
import os
import pickle
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given, settings, strategies as st

from ams.data import GRAPHS, Graph, graphs, load_graphs
from ams.data.graphlists import unpickled_graphs
from tests.ams.data.hostile import PAYLOADS, called, named, refusal, text, whole

MIRROR = Path(os.environ.get("AMS_DATA") or "nowhere")
NAMES = "networkx.classes.graph.Graph"


def zipped(described: Any) -> bytes:
    return gzip.compress(json.dumps(described).encode())


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
    """The authors' views, restored by an object's state: the ring's adjacency, with the nodes that are shown."""
    ring = networkx.cycle_graph(9)
    view = networkx.Graph()
    shown = networkx.classes.filters.show_nodes([3, 4, 6])
    vars(view)["_node"] = networkx.classes.coreviews.FilterAtlas(dict(ring.nodes), shown)
    every = networkx.classes.filters.no_filter
    vars(view)["_adj"] = networkx.classes.coreviews.FilterAdjacency(dict(ring.adjacency()), shown, every)
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
    assert load_graphs(zipped([[n, edges]]), "it") == expected


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_no_other_name_of_a_pickle_is_used(payload: str, tmp_path: Path) -> None:
    for load in (unpickled_graphs, load_graphs):
        refusal(load, PAYLOADS[payload](tmp_path / "canary"), "list of graphs")
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
    "an object": (zipped({"a": 1}), "not enough values"),
    "edge backwards": (zipped([[2, [[1, 0]]]]), "0 <= u < v < n"),
    "edge twice": (zipped([[2, [[0, 1], [0, 1]]]]), "given once"),
    "fewer than no nodes": (zipped([[-3, []]]), "0 <= u < v < n"),
    "node outside": (zipped([[2, [[0, 2]]]]), "0 <= u < v < n"),
    "fraction": (zipped([[2.0, [[0, 1]]]]), "0 <= u < v < n"),
    "bomb": (gzip.compress(bytes(2**25)), "inflates to more"),
    "many nodes": (zipped([[2**23, []]]), "more than 4194304 nodes and edges"),
    "plain": (b"[]", ""),
}
PICKLE_FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "exhausted before seeing STOP"),
    "no list": (pickle.dumps(networkx.path_graph(3)), "no list"),
    "loop": (pickled(networkx.Graph([(1, 1)])), "a loop"),
    "a number": (whole(pickle.EMPTY_LIST, pickle.BININT1, b"\x07", pickle.APPEND), "AttributeError"),
    "another class": (pickle.dumps([networkx.DiGraph()]), "it names"),
    "a call": (whole(called("builtins.getattr", "a", "b")), "it names 'builtins.getattr'"),
    "a state": (whole(named(NAMES) + pickle.EMPTY_TUPLE + pickle.NEWOBJ, text("a"), pickle.BUILD), ""),
}


@pytest.mark.parametrize(
    ("load", "content", "reason"),
    [(load_graphs, *case) for case in JSON_FAULTS.values()]
    + [(unpickled_graphs, *case) for case in PICKLE_FAULTS.values()],
    ids=[*JSON_FAULTS, *PICKLE_FAULTS],
)
def test_a_fault_is_said_in_one_line(load: Any, content: bytes, reason: str) -> None:
    assert reason in refusal(load, content, "list of graphs")


@pytest.mark.skipif(not (MIRROR / "gdss_graphs").is_dir(), reason="no gdss_graphs under AMS_DATA")
@pytest.mark.parametrize("name", GRAPHS)
def test_the_authors_pickle_and_its_mirror_are_the_same_graphs(name: str) -> None:
    listed = graphs(name)
    pickled = MIRROR / GRAPHS[name].files[1].path
    assert len(listed) == GRAPHS[name].count
    assert unpickled_graphs(pickled.read_bytes(), str(pickled)) == listed
