r"""Orbits of graphlets of up to four nodes, counted exactly for a batch of graphs by products of
matrices.

A graphlet is a connected induced subgraph; its orbits are the places a node can have in it (Przulj
2007, doi 10.1093/bioinformatics/btl301, whose numbers are used):

    0 edge    1, 2 path of 3 (end, middle)    3 triangle    4, 5 path of 4 (end, middle)    6, 7 star (leaf, centre)
    8 cycle of 4    9, 10, 11 paw (tail, base, where they meet)    12, 13 diamond (tip, hub)    14 complete

First copies as *subgraphs*, induced or not, are counted: closed expressions in the adjacency A, the
degrees d, the common neighbours C = A A (off the diagonal) and the triangles t. A copy on nodes
that induce a denser graphlet is then subtracted: `induced = subgraph counts @ INDUCED`, exact in
whole numbers below 2^53. The price is that of A A, and of one quadratic form for each edge that has
two common neighbours.
"""

import numpy as np
from jaxtyping import Float

ORBITS = 15

_CONTAINS = {
    (1, 3): 2, (2, 3): 1,
    (4, 8): 2, (5, 8): 2,
    (4, 9): 2, (4, 10): 1, (5, 10): 1, (5, 11): 2, (6, 9): 1, (6, 10): 1, (7, 11): 1,
    (4, 12): 4, (5, 12): 2, (6, 12): 2, (8, 12): 1, (9, 12): 2, (10, 12): 2,
    (4, 13): 2, (5, 13): 4, (6, 13): 1, (7, 13): 1, (8, 13): 1, (10, 13): 2, (11, 13): 2,
    (4, 14): 6, (5, 14): 6, (6, 14): 3, (7, 14): 1, (8, 14): 3, (9, 14): 3, (10, 14): 6, (11, 14): 3,
    (12, 14): 3, (13, 14): 3,
}  # fmt: skip
"""`(i, j): c`: a node at orbit j of a graphlet is at orbit i of c spanning subgraphs of it."""


def _induced() -> np.ndarray:
    contains = np.eye(ORBITS)
    for place, count in _CONTAINS.items():
        contains[place] = count
    return np.rint(np.linalg.inv(contains)).T


INDUCED = _induced()
"""From the subgraph counts of a node to its induced ones: whole numbers, since the inverted
matrix is unitriangular.
"""


def orbit_counts(adjacency: Float[np.ndarray, "b n n"]) -> Float[np.ndarray, "b n 15"]:
    """Return how often each node touches each orbit: whole numbers in float64.

    `adjacency` holds symmetric matrices of 0 and 1 with zero diagonals.
    """
    return subgraph_counts(adjacency) @ INDUCED


def subgraph_counts(a: Float[np.ndarray, "b n n"]) -> Float[np.ndarray, "b n 15"]:
    """Return how often each node is at each place of a graphlet's copy as a subgraph, induced or
    not.
    """
    common = a @ a
    d = np.einsum("bii->bi", common).copy()
    np.einsum("bii->bi", common)[:] = 0.0
    shared = a * common  # common neighbours of the two ends of an edge
    t = shared.sum(2) / 2
    further = d - 1  # ways to go on from a neighbour
    onward = _through(a, further)
    counts = [
        d,
        onward,
        d * further / 2,
        t,
        _through(a, onward) - d * further - 2 * t,
        onward * further - 2 * t,
        _through(a, further * (d - 2)) / 2,
        d * further * (d - 2) / 6,
        (common * (common - 1)).sum(2) / 2,
        _through(a, t) - 2 * t,
        _through(shared, d - 2),
        t * (d - 2),
        ((a @ (shared - (shared > 0))) * a).sum(2) / 2,
        (shared * (shared - 1)).sum(2) / 2,
        _complete(a, shared),
    ]
    return np.stack(counts, axis=2)


def _through(
    a: Float[np.ndarray, "b n n"], values: Float[np.ndarray, "b n"]
) -> Float[np.ndarray, "b n"]:
    """Return `sum_j a_ij v_j`."""
    return np.einsum("bij,bj->bi", a, values)


def _complete(
    a: Float[np.ndarray, "b n n"], shared: Float[np.ndarray, "b n n"]
) -> Float[np.ndarray, "b n"]:
    """Return complete graphs on four nodes at each node: edges among the common neighbours of each
    of its edges.

    Each is met at three edges of the node, and its far edge twice in the quadratic form.
    """
    counts = np.zeros(a.shape[:2])
    for one, pairs, sums in zip(a, shared > 1, counts, strict=True):
        i, j = np.nonzero(np.triu(pairs))
        both = one[i] * one[j]
        number = ((both @ one) * both).sum(1)
        np.add.at(sums, i, number)
        np.add.at(sums, j, number)
    return counts / 6
