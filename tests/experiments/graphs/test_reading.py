"""Files of graphs: every format gives the same graphs, and what is malformed is refused in one line that says where."""

import gzip
import json

import networkx as nx
import pytest
from hypothesis import given, settings

from ams.data import Graph
from ams.errors import UserError
from experiments.graphs import reading
from experiments.graphs.data import from_graph6, to_graph6, to_networkx, trimmed
from experiments.graphs.reading import parse_graphs, read_graphs
from tests.experiments.graphs.strategies import graphs, random_graph

LISTED = [random_graph(nodes, 0.5, nodes) for nodes in (4, 9, 13)]
PLAIN = json.dumps([[graph.nodes, graph.edges] for graph in LISTED]).encode()
GRAPH6 = b"".join(nx.to_graph6_bytes(to_networkx(graph), header=False) for graph in LISTED)


@pytest.mark.parametrize(
    "content",
    [PLAIN, b"\n " + PLAIN, gzip.compress(PLAIN), GRAPH6, b">>graph6<<" + GRAPH6, GRAPH6.replace(b"\n", b"\r\n")],
)
def test_every_format_gives_the_same_graphs(content, tmp_path):
    path = tmp_path / "graphs"
    path.write_bytes(content)
    assert read_graphs(path) == [trimmed(graph) for graph in LISTED]


@given(graph=graphs)
@settings(max_examples=60, deadline=None)
def test_graph6_is_that_of_networkx(graph):
    line = nx.to_graph6_bytes(to_networkx(graph), header=False).decode().strip()
    assert from_graph6(line) == graph and to_graph6(graph) == line


def test_graph6_of_many_nodes():
    cycle = Graph(100, tuple(sorted((min(u, v), max(u, v)) for u, v in nx.cycle_graph(100).edges)))
    line = nx.to_graph6_bytes(to_networkx(cycle), header=False).decode().strip()
    assert from_graph6(line) == cycle and to_graph6(cycle) == line


def test_an_edge_may_be_given_from_either_end():
    assert list(parse_graphs(b"[[3, [[2, 0], [1, 2]]]]")) == [Graph(3, ((0, 2), (1, 2)))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no graph in it"),
        (b"\n\n", "no graph in it"),
        (b"[[3, [[0, 1]]], [2, [[0, 2]]]]", "graph 2 is not"),
        (b"[[3, [[1, 1]]]]", "graph 1 is not"),
        (b"[[3, [[0, 1], [1, 0]]]]", "each pair of two nodes once"),
        (b"[[3, [[0, 1.0]]]]", "graph 1 is not"),
        (b"[[true, []]]", "graph 1 is not"),
        (b"[[3]]", r"not \[nodes"),
        (b'{"a": 1}', "a set of graphs is"),
        (b"[" * 100_000, "not a list of graphs"),
        (b"Cxx", "graph 1, graph6: Expected 6 bits but got 12"),
        (b"C!", "graph 1, graph6: not the line of a graph"),
        (b"~~?????~", "graph 1, graph6: Expected"),
        (b"[[4097, []]]", "4097 nodes; at most 4096"),
        (b"?\n" * 5_000_000, "more than 4096 graphs; give fewer"),
        (b"[" + b"[1,[]]," * 4096 + b"[1,[]]]", "more than 4096 graphs; give fewer"),
        (b"~?]o" + b"~" * 1_333_000, "7998.* edges; at most 2097152 are read"),
        (json.dumps([[4096, list(nx.cycle_graph(4096).edges)]] * 5).encode(), r"is 6.9e\+11, and may be 5.5e\+11"),
        (b"\x80\x04nonsense", "graph 1, graph6: .ascii. codec"),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(content, reason, tmp_path):
    path = tmp_path / "graphs"
    path.write_bytes(content)
    with pytest.raises(UserError, match=reason) as caught:
        read_graphs(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="cannot be read"):
        read_graphs(tmp_path / "missing")
    monkeypatch.setattr(reading, "LARGEST", 10)
    (tmp_path / "large").write_bytes(PLAIN)
    with pytest.raises(UserError, match="more than"):
        read_graphs(tmp_path / "large")
