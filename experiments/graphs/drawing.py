"""Rows of graphs, drawn to one scale each."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ams.data import Graph
from experiments.graphs.drawing_layout import node_positions

LARGE = 100
"""Nodes from which a graph is drawn as pixels, not as lines: lines would be most of the file."""
NODES, EDGES = "#0072B2", "0.45"


def draw_graphs(rows: Mapping[str, Sequence[Graph]]) -> Drawing:
    """Draw a row of graphs for each name, with positions from the edges alone; each row has one scale."""
    columns = max(map(len, rows.values()))
    side = min(5.7 / columns, 1.0)
    drawing = Drawing(figsize=(1.5 + side * columns, side * len(rows)), layout="constrained")
    drawing.set_layout_engine("constrained", w_pad=0.08)  # letters are wider in print than the layout assumes
    axes = drawing.subplots()
    axes.set(xlim=(0, columns), ylim=(len(rows), 0), aspect="equal", anchor="E", xticks=[])
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows), fontsize=7.5, color="black", linespacing=1.3)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    for line, graphs in enumerate(rows.values()):
        _draw_row(axes, graphs, line)
    return drawing


def _draw_row(axes: Axes, graphs: Sequence[Graph], line: int) -> None:
    """Draw graphs in the cells (0, line), (1, line), ...: all edges as one path, all nodes as one collection."""
    positions = [node_positions(graph) for graph in graphs]
    extent = max(1.0, *(float(np.ptp(at, axis=0).max()) for at in positions))
    cells = [at * 0.84 / extent + (column + 0.5, line + 0.5) for column, at in enumerate(positions)]
    nodes = max(graph.nodes for graph in graphs)
    ends = [at[np.array(graph.edges, dtype=int).reshape(-1, 2)] for graph, at in zip(graphs, cells, strict=True)]
    segments = np.concatenate(ends).reshape(-1, 2)
    path = Path(segments, np.tile([Path.MOVETO, Path.LINETO], len(segments) // 2))
    edges = axes.add_patch(PathPatch(path, fill=False, ec=EDGES, lw=0.6 if nodes < LARGE else 0.25))
    x, y = np.concatenate(cells).T
    dots = axes.scatter(x, y, s=min(8.0, 160 / nodes), c=NODES, linewidths=0, zorder=2)
    for artist in (edges, dots):
        artist.set_rasterized(nodes >= LARGE)
