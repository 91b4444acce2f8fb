r"""The neighbourhood subgraph pairwise distance kernel of molecules (Costa and De Grave, ICML
2010), without hashing.

A feature of radius r and distance d is the pair of neighbourhoods of radius r about two atoms that
are d bonds apart, and the second neighbourhood alone. A neighbourhood is known by its shells: the
atoms (element, degree) at each distance from its root, and the bonds (order) between shells and
within one. Counts of each (r, d), both up to 4, are scaled to unit norm, so the kernel `k(x, y) =
<f(x), f(y)> / (|f(x)| |f(y)|)` weighs them alike.

The published evaluation computes this with EDeN, which hashes features to 16 bits. There some
collide, and since Python salts the hashes of strings, which ones do changes from run to run (unless
PYTHONHASHSEED is set). Here each feature has its own column.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array, vstack

LARGEST = 4
"""Radius and distance."""
AT_ONCE = 4096
"""Molecules whose pairs of atoms are in memory together."""
OFTEN = 0.1
"""The share of rows with an entry above which a column is multiplied as a dense one."""
# more than the different neighbourhoods of a list: 25 groups of two codes fit an int64
_CODES = 2**24


class Molecule(NamedTuple):
    """A graph with labels: the atoms' elements, and bonds `(u, v, order)`; an aromatic bond counts
    as order 1.
    """

    atoms: tuple[str, ...]
    bonds: tuple[tuple[int, int, int], ...]


def nspdk_kernel(molecules: Sequence[Molecule], together: int = 1) -> Float[np.ndarray, "n n"]:
    """Return the kernel of every pair of molecules, each of at least one atom.

    Of every pair of batches, `together` molecules in a row: the mean kernel of their molecules.
    Raises ValueError where the last batch is not whole.
    """
    numbers: dict[Molecule, int] = {}
    places = np.array([numbers.setdefault(molecule, len(numbers)) for molecule in molecules])
    shares = np.full(len(places), 1 / together), (np.arange(len(places)) // together, places)
    batches = csr_array(shares, shape=(len(places) // together, len(numbers)))
    return _products(batches @ _features(list(numbers)))


def _products(matrix: csr_array) -> Float[np.ndarray, "n n"]:
    """Return the inner product of every pair of rows, by a dense and a sparse product; the matrix
    is lost.

    Columns with entries in more than a share `OFTEN` of the rows are multiplied as a dense matrix.
    """
    common = np.bincount(matrix.indices, minlength=matrix.shape[1]) > OFTEN * matrix.shape[0]
    dense = matrix[:, common].toarray()
    matrix.data[common[matrix.indices]] = 0
    matrix.eliminate_zeros()
    products: np.ndarray = dense @ dense.T + (matrix @ matrix.T).toarray()
    return products


def _features(molecules: Sequence[Molecule]) -> csr_array:
    """Return a row a molecule, a column a feature: each (radius, distance) of one norm, all of norm
    1 together.

    A feature is one number, of radius and distance, then the smaller and the larger code of the two
    neighbourhoods; of the second alone, its code and one that stands for none.
    """
    distances = _distances(molecules)
    codes = _neighbourhoods(molecules, distances)
    parts = [
        _counted(distances[start : start + AT_ONCE], codes[:, start : start + AT_ONCE])
        for start in range(0, len(molecules), AT_ONCE)
    ]
    columns = _merged([keys for keys, _ in parts])
    return vstack([_among(columns, *parts.pop(0)) for _ in range(len(parts))], "csr")


def _merged(parts: Sequence[Int[np.ndarray, " columns"]]) -> Int[np.ndarray, " all"]:
    """Return the different numbers of some parts, each ascending, in ascending order."""
    every = np.concatenate(parts)
    every.sort(kind="stable")  # merges what is sorted
    return every[np.concatenate(([True], every[1:] != every[:-1]))]


def _among(
    columns: Int[np.ndarray, " all"], keys: Int[np.ndarray, " columns"], part: csr_array
) -> csr_array:
    """Return a matrix whose columns have the `keys` as one with a column for each of `columns`."""
    places = np.searchsorted(columns, keys).astype(np.int32)
    return csr_array((part.data, places[part.indices], part.indptr), (part.shape[0], len(columns)))


def _distances(molecules: Sequence[Molecule]) -> Int[np.ndarray, "n atoms atoms"]:
    """Return how many bonds apart atoms are; `LARGEST + 1` for farther ones, and for those that a
    molecule lacks.
    """
    sizes = np.array([len(molecule.atoms) for molecule in molecules])
    row, u, v, _ = _bonds(molecules)
    bonded = np.zeros((len(molecules), sizes.max(), sizes.max()), np.float32)
    bonded[row, u, v] = bonded[row, v, u] = 1
    distances = np.full(bonded.shape, LARGEST + 1, np.int8)
    reached = (
        np.eye(sizes.max(), dtype=np.float32)
        * (np.arange(sizes.max()) < sizes[:, None])[:, :, None]
    )
    for distance in range(LARGEST + 1):
        distances[(reached > 0) & (distances > distance)] = distance
        reached = reached @ bonded
    return distances


def _bonds(molecules: Sequence[Molecule]) -> Int[np.ndarray, "4 bonds"]:
    """Return the molecule, the two atoms and the order of each bond of all molecules."""
    listed = [(row, *bond) for row, molecule in enumerate(molecules) for bond in molecule.bonds]
    table: np.ndarray = np.array(listed, int).reshape(-1, 4).T
    return table


def _neighbourhoods(
    molecules: Sequence[Molecule], distances: Int[np.ndarray, "n atoms atoms"]
) -> Int[np.ndarray, "radii n atoms"]:
    """Return the code of each atom's neighbourhood of each radius; -1 where no atom is so far away.

    Neighbourhoods have one code where the counts of all their shells agree: of the atoms at each
    distance, by element and degree, and of the bonds from there outwards or within, by order.
    """
    row, u, v, order = _bonds(molecules)
    degrees = np.zeros(distances.shape[:2], int)
    np.add.at(degrees, (np.concatenate([row, row]), np.concatenate([u, v])), 1)
    names = [
        (name, degrees[i, j])
        for i, molecule in enumerate(molecules)
        for j, name in enumerate(molecule.atoms)
    ]
    kinds = {name: kind for kind, name in enumerate(sorted(set(names)))}
    atoms = np.zeros(distances.shape[:2], int)
    atoms[distances.diagonal(axis1=1, axis2=2) == 0] = [kinds[name] for name in names]
    orders = np.unique(order, return_inverse=True)[1]
    first = np.minimum(distances[row, :, u], distances[row, :, v])  # of each bond, from each root
    code, codes = np.zeros(distances.shape[:2], int), []
    for radius in range(LARGEST + 1):
        at, root, other = np.nonzero(distances == radius)
        shells = [_histogram(at, root, atoms[at, other], degrees.shape, len(kinds))]
        if radius:
            bond, start = np.nonzero(first == radius - 1)
            shells.append(
                _histogram(row[bond], start, orders[bond], degrees.shape, orders.max(initial=0) + 1)
            )
        there = shells[0].any(axis=2) & (code >= 0)
        table = np.concatenate(
            [code[there][:, None], *(shell[there] for shell in shells)], axis=1, dtype=np.int32
        )
        whole = (
            np.ascontiguousarray(table)
            .view(np.dtype((np.void, table.itemsize * table.shape[1])))
            .ravel()
        )
        code = np.full_like(code, -1)
        code[there] = np.unique(whole, return_inverse=True)[1]
        codes.append(code)
    return np.array(codes)


def _histogram(
    row: Int[np.ndarray, " k"],
    root: Int[np.ndarray, " k"],
    kind: Int[np.ndarray, " k"],
    of: tuple[int, ...],
    count: int,
) -> Int[np.ndarray, "n atoms kinds"]:
    """Count what lies about each root of each molecule, by its kind."""
    place = (row * of[1] + root) * count + kind
    return np.bincount(place, minlength=of[0] * of[1] * count).reshape(*of, count).astype(np.int32)


def _counted(
    distances: Int[np.ndarray, "n atoms atoms"], codes: Int[np.ndarray, "radii n atoms"]
) -> tuple[Int[np.ndarray, " columns"], csr_array]:
    """Return the features of some molecules, ascending, and their values, a row a molecule."""
    row, first, second = np.nonzero(distances <= LARGEST)
    near = distances[row, first, second].astype(int)
    rows, keys = [], []
    for radius, code in enumerate(codes):
        one, other = code[row, first], code[row, second]
        there = (one >= 0) & (other >= 0)
        group = (radius * (LARGEST + 1) + near[there]) * _CODES**2
        keys.append(group + np.minimum(one, other)[there] * _CODES + np.maximum(one, other)[there])
        keys.append(group + other[there] * _CODES + (_CODES - 1))
        rows += [row[there], row[there]]
    columns, places = np.unique(np.concatenate(keys), return_inverse=True)
    counts = csr_array(
        (np.ones(len(places)), (np.concatenate(rows), places)), (len(distances), len(columns))
    )
    counts.sum_duplicates()
    owner = np.repeat(np.arange(len(distances)), np.diff(counts.indptr))
    cell = owner * (LARGEST + 1) ** 2 + columns[counts.indices] // _CODES**2
    squares = np.bincount(cell, counts.data**2, len(distances) * (LARGEST + 1) ** 2)
    groups = (squares.reshape(len(distances), -1) > 0).sum(axis=1)
    values = counts.data / np.sqrt(groups[owner] * squares[cell])
    own = values, *(part.astype(np.int32) for part in (counts.indices, counts.indptr))
    return columns, csr_array(own, shape=counts.shape)  # as large as its entries: `counts` is not
