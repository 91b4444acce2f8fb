r"""The neighbourhood subgraph pairwise distance kernel of molecules (Costa and De Grave, ICML 2010), without hashing.

A feature of radius r and distance d is the pair of neighbourhoods of radius r about two atoms that are d bonds apart,
and the second neighbourhood alone. A neighbourhood is told by its shells: the atoms (element, degree) at each
distance from its root, and the bonds (order) between shells and within one. Counts of each (r, d), both up to 4, are
scaled to unit norm, so the kernel `k(x, y) = <f(x), f(y)> / (|f(x)| |f(y)|)` weighs them alike.

This is what the published evaluation computes with EDeN, which hashes features to 16 bits: there some collide, and as
Python salts the hashes of strings, which ones do changes from run to run (unless PYTHONHASHSEED is set). Here each
feature has its own column.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

LARGEST = 4
"""Radius and distance."""

Shells = list[tuple[Hashable, ...]]


class Molecule(NamedTuple):
    """A graph with labels: the atoms' elements, and bonds `(u, v, order)`; an aromatic bond counts as order 1."""

    atoms: tuple[str, ...]
    bonds: tuple[tuple[int, int, int], ...]


def nspdk_kernel(listed: Sequence[Molecule]) -> Float[np.ndarray, "n n"]:
    """Return the kernel of every pair of molecules, each of at least one atom."""
    columns: dict[Hashable, int] = {}
    rows = [_normalised(molecule) for molecule in listed]
    places = [[columns.setdefault(feature, len(columns)) for feature in row] for row in rows]
    ends = np.cumsum([0, *map(len, rows)])
    values = np.array([value for row in rows for value in row.values()])
    matrix = csr_array((values, np.concatenate(places), ends), shape=(len(rows), len(columns)))
    return (matrix @ matrix.T).toarray()


def _normalised(molecule: Molecule) -> dict[Hashable, float]:
    """Return the values of a molecule's features: each (radius, distance) of the same norm, all of norm 1 together."""
    groups: dict[tuple[int, int], Counter[Hashable]] = {}
    for radius, distance, feature in _features(molecule):
        groups.setdefault((radius, distance), Counter())[feature] += 1
    values: dict[Hashable, float] = {}
    for place, counts in groups.items():
        norm = math.sqrt(len(groups) * sum(count**2 for count in counts.values()))
        values.update({(*place, feature): count / norm for feature, count in counts.items()})
    return values


def _features(molecule: Molecule) -> Iterator[tuple[int, int, Hashable]]:
    """Yield radius, distance and feature of each ordered pair of atoms: both neighbourhoods, and the second alone."""
    distances = _distances(molecule)
    neighbourhoods = [_neighbourhoods(molecule, row) for row in distances]
    for first, row in zip(neighbourhoods, distances, strict=True):
        for second, distance in zip(neighbourhoods, row, strict=True):
            if distance <= LARGEST:
                for radius, (one, other) in enumerate(zip(first, second, strict=False)):
                    yield radius, distance, (min(one, other), max(one, other))
                    yield radius, distance, other


def _neighbourhoods(molecule: Molecule, distances: Sequence[int]) -> list[str]:
    """Return an atom's neighbourhoods of radius 0, 1, ..., as far as there are atoms."""
    shells = _shells(molecule, distances)
    told = [repr(shell) for shell in shells]
    return ["".join(told[: 2 * radius + 1]) for radius in range((len(shells) + 1) // 2)]


def _shells(molecule: Molecule, distances: Sequence[int]) -> Shells:
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


def _distances(molecule: Molecule) -> list[list[int]]:
    """Return how many bonds apart atoms are; `LARGEST + 1` for farther ones."""
    size = len(molecule.atoms)
    near = np.eye(size, dtype=bool)
    for u, v, _ in molecule.bonds:
        near[u, v] = near[v, u] = True
    reached = [np.eye(size, dtype=bool)]
    for _ in range(LARGEST):
        reached.append(reached[-1] @ near)
    new = [first & ~second for second, first in pairwise(reached)]
    distances = np.full((size, size), LARGEST + 1)
    np.fill_diagonal(distances, 0)
    for distance, pairs in enumerate(new, start=1):
        distances[pairs] = distance
    return distances.tolist()
