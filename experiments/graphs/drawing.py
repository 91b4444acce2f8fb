"""How the samplers of graphs are drawn, and rows of graphs: one scale each, with positions in units
of an edge.

Each component has a layout of its own (Kamada and Kawai 1989: distances on the page approximate
numbers of edges). It is scaled until its edges are 1 long on average, and turned until it is
longest upwards. Components lie side by side, a gap of an edge between them. So a graph in two
pieces is as large as that graph with a bridge.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill

import networkx as nx
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ams.data import Graph
from ams.samplers import looks
from ams.samplers.looks import BLACK, BLUE, ORANGE, PINK, RED, SKY

COLUMNS = 4
"""Graphs in a row: few, so that their edges are seen."""
GAP = 1.0
"""Between components, in edges."""
_OWN = {
    "predictor alone": (BLUE, "o", "-"),
    "PC, Langevin, full noise": (SKY, "v", "--"),
    "PC, Langevin, noise 0.6": (SKY, ">", "-."),
    "PC, adaptive, noise 0.6": (PINK, "X", "-."),
    "PC, adaptive in both": (RED, "s", "--"),
    "PC, constant in both": (ORANGE, "^", ":"),
    "PC, Leimkuhler-Matthews": (BLUE, "p", "--"),
    "PC, adaptive, each alone": (BLACK, "d", ":"),
    "S4": (SKY, "*", ":"),
}
LOOKS = looks.LOOKS | looks.looks({"Graphs": _OWN})
"""Of samplers of graphs; those that the library has too are drawn as there."""
Positions = Float[np.ndarray, "nodes 2"]
NODES, EDGES = "#0072B2", "0.45"


def draw_graphs(rows: Mapping[str, Sequence[Graph]]) -> Drawing:
    """Draw the first `COLUMNS` graphs of each name in a row, by their edges alone; each row has
    one scale.
    """
    rows = {name: graphs[:COLUMNS] for name, graphs in rows.items()}
    columns = max(map(len, rows.values()))
    drawing = Drawing(figsize=(3.4, 2.3 / columns * len(rows)), layout="constrained")
    axes = drawing.subplots()
    axes.set(xlim=(0, columns), ylim=(len(rows), 0), aspect="equal", anchor="E", xticks=[])
    names = [fill(name, 18, replace_whitespace=False) for name in rows]
    axes.set_yticks(np.arange(len(rows)) + 0.5, names, color="black")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    for line, graphs in enumerate(rows.values()):
        _draw_row(axes, graphs, line)
    return drawing


def _draw_row(axes: Axes, graphs: Sequence[Graph], line: int) -> None:
    """Draw graphs in the cells (0, line), (1, line), ...: all edges as one path, all nodes as
    one collection.
    """
    positions = [node_positions(graph) for graph in graphs]
    extent = max(1.0, *(float(np.ptp(at, axis=0).max()) for at in positions))
    cells = [at * 0.84 / extent + (column + 0.5, line + 0.5) for column, at in enumerate(positions)]
    nodes = max(graph.nodes for graph in graphs)
    ends = [
        at[np.array(graph.edges, dtype=int).reshape(-1, 2)]
        for graph, at in zip(graphs, cells, strict=True)
    ]
    segments = np.concatenate(ends).reshape(-1, 2)
    path = Path(segments, np.tile([Path.MOVETO, Path.LINETO], len(segments) // 2))
    axes.add_patch(PathPatch(path, fill=False, ec=EDGES, lw=0.5))
    x, y = np.concatenate(cells).T
    axes.scatter(x, y, s=min(4.0, 80 / nodes), c=NODES, linewidths=0, zorder=2)


def node_positions(graph: Graph) -> Positions:
    """Return the position of each node, centred on 0; deterministic."""
    whole = nx.Graph(graph.edges)
    whole.add_nodes_from(range(graph.nodes))
    parts = sorted(map(sorted, nx.connected_components(whole)), key=lambda part: (-len(part), part))
    positions, left = np.zeros((graph.nodes, 2)), 0.0
    for part in parts:
        at = upright(whole.subgraph(part), part)
        width, height = at.max(0)
        positions[part] = at + np.array([left, -height / 2])
        left += width + GAP
    return positions - (positions.max(0) + positions.min(0)) / 2


def upright(component: nx.Graph, order: Sequence[int]) -> Positions:
    """Return the positions in a connected graph, its longest axis upwards, the lower left corner
    at 0.
    """
    if len(order) == 1:
        return np.zeros((1, 2))
    layout = nx.kamada_kawai_layout(component)
    at = np.array([layout[node] for node in order])
    at = at - at.mean(0)
    at = at @ np.linalg.svd(at, full_matrices=False)[2][::-1].T
    number = {node: place for place, node in enumerate(order)}
    ends = np.array([[number[u], number[v]] for u, v in component.edges])
    at /= np.linalg.norm(at[ends[:, 0]] - at[ends[:, 1]], axis=1).mean()
    return at - at.min(0)
