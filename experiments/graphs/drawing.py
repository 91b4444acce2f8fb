"""The figures of the comparison: curves over steps and evaluations, and graphs themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.data import Graph
from ams.inference import Interval
from ams.palette import look

Curves: TypeAlias = Mapping[str, Mapping[int, Interval]]
"""A quantity with its interval, by contender and number of steps."""


def draw_curves(mmd: Curves, temperature: Curves, floor: Interval, evaluations: Callable[[str], int]) -> Drawing:
    """Draw the discrepancy against steps and against score evaluations, and the temperature, with bands."""
    drawing = Drawing(figsize=(7.2, 3.4), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    _curves(left, mmd, lambda name: 1)
    _curves(middle, mmd, evaluations)
    _curves(right, temperature, lambda name: 1)
    for axes in (left, middle):
        axes.axhspan(floor.low, floor.high, color="0.85", lw=0, label="real against real", zorder=0)
        axes.set(ylabel="squared MMD, mean of three")
    left.set(xlabel="steps")
    middle.set(xlabel="score evaluations")
    right.axhline(1.0, color="0.3", lw=0.8)
    right.set(xlabel="steps", ylabel="temperature $T$ at $t = 0.1$", yscale="log")
    right.set_yticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    right.minorticks_off()
    drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawing


def _curves(axes: Axes, curves: Curves, factor: Callable[[str], int]) -> None:
    places: set[int] = set()
    for name, values in curves.items():
        at = [factor(name) * steps for steps in values]
        mean, low, high = np.array([found[:3] for found in values.values()]).T
        drawn = look(name)
        axes.plot(at, mean, markersize=4, **drawn)
        axes.fill_between(at, low, high, color=drawn["color"], alpha=0.12, lw=0)
        if len(at) == 1:  # no band to see
            axes.vlines(at, low, high, color=drawn["color"], alpha=0.5)
        places |= set(at)
    axes.set(xscale="log")
    axes.set_xticks(sorted(places), [str(place) for place in sorted(places)])
    axes.minorticks_off()


def draw_graphs(rows: Mapping[str, Sequence[Graph]], edges: str = "0.45") -> Drawing:
    """Draw a row of graphs for each name, in a layout that is the same at every run."""
    columns = max(map(len, rows.values()))
    drawing = Drawing(figsize=(7.2, 1.12 * len(rows)), layout="constrained")
    grid = drawing.subplots(len(rows), columns, squeeze=False)
    for line, (name, graphs) in zip(grid, rows.items(), strict=True):
        for axes, graph in zip_longest(line, graphs):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if graph is not None:
                _draw_graph(axes, graph, edges)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    return drawing


def distances(graph: nx.Graph) -> dict[int, dict[int, int]]:
    """Return how many edges nodes are apart; those of different components, one more than any others, and another."""
    found = {node: dict(row) for node, row in nx.all_pairs_shortest_path_length(graph)}
    farthest = 2 + max(max(row.values()) for row in found.values())
    return {node: {other: row.get(other, farthest) for other in graph} for node, row in found.items()}


def _draw_graph(axes: Axes, graph: Graph, edges: str) -> None:
    drawn = nx.Graph(graph.edges)
    drawn.add_nodes_from(range(graph.nodes))
    place = nx.kamada_kawai_layout(drawn, dist=distances(drawn))
    nx.draw_networkx_edges(drawn, place, ax=axes, width=0.6 if graph.nodes < 60 else 0.3, edge_color=edges)
    size = min(9.0, 200 / graph.nodes)
    nx.draw_networkx_nodes(drawn, place, ax=axes, node_size=size, node_color="#0072B2", linewidths=0)
    axes.set_aspect("equal")
