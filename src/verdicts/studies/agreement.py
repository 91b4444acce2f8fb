"""How far a kept value lies from the one computed anew, in the tolerances that its function
declares.

One tolerance holds on every processor. Of what rounding alone changes, signs are as fair coins, and
few values use up a quarter of their tolerance: so values that are all moved a little show together,
though none does alone.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from verdicts.studies.cells import ENCODED, Cell, Kept, decoded, encoded, using
from verdicts.studies.store import Store

R = TypeVar("R")
NEAR = 0.25
"""Tolerances within which a difference says nothing about a bias."""


class Deviation(NamedTuple):
    """How far a number or array lies from the one computed anew, in tolerances: beyond 1 they
    differ.

    `signed` is in [-1, 1] where they agree, positive where what is kept is larger.
    """

    size: float
    signed: float


APART = Deviation(math.inf, 0.0)


def deviations(kept: Any, anew: Any, how: Kept, place: str = "") -> Iterator[tuple[str, Deviation]]:
    """Yield the deviation of each number and array of two values as JSON has them, with its place.

    Whatever else there is must be equal, types and shapes of arrays too.
    """
    room = how.floor.get(place, 0.0)
    if isinstance(kept, dict) and isinstance(anew, dict) and kept.keys() == anew.keys():
        if kept.keys() == ENCODED:
            yield place, _apart(decoded(kept), decoded(anew), how.tolerance, room)
            return
        for name in kept:
            yield from deviations(kept[name], anew[name], how, f"{place}.{name}")
    elif isinstance(kept, list) and isinstance(anew, list) and len(kept) == len(anew):
        for number, (one, other) in enumerate(zip(kept, anew, strict=True)):
            yield from deviations(one, other, how, f"{place}.{number}")
    elif _is_number(kept) and _is_number(anew):
        yield place, _apart(np.array([kept], float), np.array([anew], float), how.tolerance, room)
    elif kept != anew:
        yield place, APART


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _apart(kept: np.ndarray, anew: np.ndarray, tolerance: float, floor: float) -> Deviation:
    if kept.dtype != anew.dtype or kept.shape != anew.shape:
        return APART
    one, other = kept.astype(float), anew.astype(float)
    finite = np.isfinite(other)
    if (
        not np.array_equal(one[~finite], other[~finite], equal_nan=True)
        or not np.isfinite(one[finite]).all()
    ):
        return APART
    apart = one[finite] - other[finite]
    if not apart.any():
        return Deviation(0.0, 0.0)
    room = tolerance * float(np.linalg.norm(other[finite])) + floor
    if not room:
        return APART
    return Deviation(
        float(np.linalg.norm(apart)) / room, float(apart.sum()) / (room * math.sqrt(apart.size))
    )


def changed_entries(kept: Any, anew: Any) -> tuple[int, int]:
    """Return how many entries of two values' lists differ, and of how many; all, where they are not
    as many.
    """
    one, other = list(zip(*kept, strict=True)), list(zip(*anew, strict=True))
    if len(one) != len(other):
        return len(one), len(one)
    return sum(a != b for a, b in zip(one, other, strict=True)), len(one)


def chance(count: int, trials: int, share: float) -> float:
    """Return the probability that `count` of `trials` events of probability `share` happen, or
    more.
    """
    from scipy.special import bdtrc  # half a second that a job without an audit does not need

    return float(bdtrc(count - 1, trials, share)) if count else 1.0


def chance_of_signs(signed: Sequence[float]) -> float:
    """Return the probability that of fair signs so many are alike: of those differences beyond
    `NEAR` of a tolerance.

    1e-3 is undercut from 11 of one sign on.
    """
    above, below = (sum(sign * each > NEAR for each in signed) for sign in (1, -1))
    return min(1.0, 2 * chance(max(above, below), above + below, 0.5)) if above + below else 1.0


class NoBound(Exception):
    """A check reads a value of which no tolerance is known: rounding changes its discrete
    outcomes.
    """


class Moved:
    """A keeper that moves each kept value by its tolerance, and computes anew, in memory, what
    follows from them.

    Runs, whose calls differ in the last argument alone, are moved up and down in turn, in the order
    in which they are read: what compares two runs is moved as far as it can be. `moved` tells
    whether any value was.
    """

    def __init__(self, store: Store) -> None:
        self.moved = False
        self._store = store
        self._signs: dict[tuple[str, ...], int] = {}

    def value(self, cell: Cell[R]) -> R:
        """Return a cell's value. Raises `NoBound`, and as the store does."""
        if kept := self._store.kept(cell):
            how = cell.function.kept or Kept("")
            if how.changed is not None:
                raise NoBound(how.name)
            self.moved = True
            run = (cell.function.name, *map(repr, list(cell.labels.values())[:-1]))
            sign = self._signs.setdefault(run, (-1) ** len(self._signs))
            return cell.function.decode(moved(kept.value, sign, how))
        value = self._store.value(cell)
        if not self._store.rests_on(cell):
            return value
        with using(self):
            return cell.compute()


def moved(content: Any, sign: int, how: Kept, place: str = "") -> Any:
    """Return a value as JSON has it, its real numbers moved by their tolerance, up or down; whole
    numbers stay.
    """
    if isinstance(content, dict) and content.keys() == ENCODED:
        array = decoded(content)
        return (
            encoded((array * (1 + sign * how.tolerance)).astype(array.dtype))
            if array.dtype.kind == "f"
            else content
        )
    if isinstance(content, dict):
        return {name: moved(each, sign, how, f"{place}.{name}") for name, each in content.items()}
    if isinstance(content, list):
        return [moved(each, sign, how, f"{place}.{number}") for number, each in enumerate(content)]
    if not isinstance(content, float):
        return content
    return content + sign * (how.tolerance * abs(content) + how.floor.get(place, 0.0))
