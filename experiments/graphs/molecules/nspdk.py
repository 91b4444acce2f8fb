r"""The neighbourhood subgraph pairwise distance kernel of molecules (Costa and De Grave, ICML 2010), without hashing.

A feature of radius r and distance d is the pair of neighbourhoods of radius r about two atoms that are d bonds apart,
and the second neighbourhood alone. A neighbourhood is known by its shells: the atoms (element, degree) at each distance
from its root, and the bonds (order) between shells and within one. Counts of each (r, d), both up to 4, are scaled to
unit norm, so the kernel `k(x, y) = <f(x), f(y)> / (|f(x)| |f(y)|)` weighs them alike.

The published evaluation computes this with EDeN, which hashes features to 16 bits. There some collide, and since Python
salts the hashes of strings, which ones do changes from run to run (unless PYTHONHASHSEED is set). Here each feature has
its own column.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

LARGEST = 4
"""Radius and distance."""
_CODES = 2**24  # more than the different neighbourhoods of a list: 25 groups of two codes fit an int64


class Molecule(NamedTuple):
    """A graph with labels: the atoms' elements, and bonds `(u, v, order)`; an aromatic bond counts as order 1."""

    atoms: tuple[str, ...]
    bonds: tuple[tuple[int, int, int], ...]


def nspdk_kernel(molecules: Sequence[Molecule], together: int = 1) -> Float[np.ndarray, "n n"]:
    """Return the kernel of every pair of molecules, each of at least one atom.

    Of every pair of batches, `together` molecules in a row: the mean kernel of their molecules. Raises ValueError where
    the last batch is not whole.
    """
    codes: dict[str, int] = {}
    rows = [_normalised(molecule, codes) for molecule in molecules]
    features, columns = np.unique(np.concatenate([keys for keys, _ in rows]), return_inverse=True)
    ends = np.cumsum([0, *(len(keys) for keys, _ in rows)])
    values = np.concatenate([values for _, values in rows])
    matrix = csr_array((values, columns, ends), shape=(len(rows), len(features)))
    batches, places = len(rows) // together, np.arange(len(rows))
    shares = (np.full(len(rows), 1 / together), (places // together, places))
    matrix = csr_array(shares, shape=(batches, len(rows))) @ matrix
    return (matrix @ matrix.T).toarray()


def _normalised(
    molecule: Molecule, codes: dict[str, int]
) -> tuple[Int[np.ndarray, " features"], Float[np.ndarray, " features"]]:
    """Return a molecule's features and their values: each (radius, distance) of one norm, all of norm 1 together."""
    keys, counts = np.unique(np.concatenate(list(_features(molecule, codes))), return_counts=True)
    _, group = np.unique(keys // _CODES**2, return_inverse=True)
    squares = np.bincount(group, counts**2)
    return keys, counts / np.sqrt(len(squares) * squares[group])


def _features(molecule: Molecule, codes: dict[str, int]) -> Iterator[Int[np.ndarray, " pairs"]]:
    """Yield the features of each ordered pair of atoms: both neighbourhoods, and the second alone.

    A feature is one number, of radius and distance, then the smaller and the larger code. `codes` numbers the
    neighbourhoods; one number more stands for none.
    """
    distances = _distances(molecule)
    first, second = np.nonzero(distances <= LARGEST)
    near = distances[first, second]
    for radius, neighbourhoods in enumerate(_neighbourhoods(molecule, distances)):
        code = np.array([-1 if text is None else codes.setdefault(text, len(codes)) for text in neighbourhoods])
        one, other = code[first], code[second]
        there = (one >= 0) & (other >= 0)
        group = (radius * (LARGEST + 1) + near[there]) * _CODES**2
        yield group + np.minimum(one, other)[there] * _CODES + np.maximum(one, other)[there]
        yield group + other[there] * _CODES + (_CODES - 1)


def _neighbourhoods(molecule: Molecule, distances: Int[np.ndarray, "n n"]) -> Iterator[list[str | None]]:
    """Yield, for radius 0, 1, ..., each atom's neighbourhood of that radius; None where no atom is so far away."""
    texts = [[repr(shell) for shell in _shells(molecule, row)] for row in distances.tolist()]
    for radius in range(LARGEST + 1):
        yield ["".join(own[: 2 * radius + 1]) if 2 * radius < len(own) else None for own in texts]


def _shells(molecule: Molecule, distances: Sequence[int]) -> list[tuple[Hashable, ...]]:
    """Return the shells about an atom, as far as there are any: atoms at 0, bonds from 0, atoms at 1, and so on."""
    degrees = Counter(end for u, v, _ in molecule.bonds for end in (u, v))
    shells: list[list[tuple[str, int]]] = [[] for _ in range(2 * LARGEST + 1)]
    for atom, (element, distance) in enumerate(zip(molecule.atoms, distances, strict=True)):
        if distance <= LARGEST:
            shells[2 * distance].append((element, degrees[atom]))
    for u, v, order in molecule.bonds:
        if (distance := min(distances[u], distances[v])) < LARGEST:
            shells[2 * distance + 1].append((str(order), 2))
    return [tuple(sorted(shell)) for shell in shells if shell]


def _distances(molecule: Molecule) -> Int[np.ndarray, "n n"]:
    """Return how many bonds apart atoms are; `LARGEST + 1` for farther ones."""
    u, v, _ = np.array(molecule.bonds, dtype=int).reshape(-1, 3).T
    bonds = csr_array((np.ones(len(u)), (u, v)), shape=(len(molecule.atoms),) * 2)
    distances = shortest_path(bonds, directed=False, unweighted=True)
    return np.minimum(distances, LARGEST + 1).astype(int)
