"""Positions of the nodes of a drawn graph, in units of an edge, so that graphs drawn to one scale can be compared.

Each component has a layout of its own (Kamada and Kawai 1989: distances on the page approximate numbers of edges). It
is scaled until its edges are 1 long on average, and turned until it is longest upwards. Components lie side by side or
one above the other, a gap of an edge between them. So a graph in two pieces is as large as that graph with a bridge.
"""

from collections.abc import Sequence

import networkx as nx
import numpy as np
from jaxtyping import Float

from ams.data import Graph

GAP = 1.0
"""Between components, in edges."""
Positions = Float[np.ndarray, "nodes 2"]


def node_positions(graph: Graph) -> Positions:
    """Return the position of each node, centred on 0; deterministic."""
    whole = nx.Graph(graph.edges)
    whole.add_nodes_from(range(graph.nodes))
    parts = sorted(map(sorted, nx.connected_components(whole)), key=lambda part: (-len(part), part))
    positions = np.zeros((graph.nodes, 2))
    boxes = [upright(whole.subgraph(part), part) for part in parts]
    for part, at, corner in zip(parts, boxes, box_corners([box.max(0) for box in boxes]), strict=True):
        positions[part] = at + corner
    return positions - (positions.max(0) + positions.min(0)) / 2


def upright(component: nx.Graph, order: Sequence[int]) -> Positions:
    """Return the positions in a connected graph, its longest axis upwards, the lower left corner at 0."""
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


def box_corners(sizes: Sequence[Float[np.ndarray, "2"]]) -> list[Float[np.ndarray, "2"]]:
    """Return the lower left corners of boxes, each to the right of or above those before it: as near to a square."""
    corners, whole = [np.zeros(2)], np.array(sizes[0])
    for size in sizes[1:]:
        ways = []
        for axis in (0, 1):
            corner, extent = (whole - size) / 2, np.maximum(whole, size)
            corner[axis], extent[axis] = whole[axis] + GAP, whole[axis] + GAP + size[axis]
            ways.append((extent.max(), axis, corner, extent))
        _, _, corner, extent = min(ways, key=lambda way: way[:2])
        low = np.minimum(corner, 0)
        corners = [*(before - low for before in corners), corner - low]
        whole = extent
    return corners
