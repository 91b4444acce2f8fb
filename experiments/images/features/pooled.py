"""All batches of a sampler as one set, in the features of a classifier, with intervals over the batches.

The Frechet distance of thirty samples is mostly bias, and their coverage mostly chance; all batches together are a set
worth judging. Batches are the independent units, so a number's half-width is Student's over the jackknife's
pseudo-values. Its value is that of the whole set and keeps the bias of its n: rows compare where n is equal, and real
images of that n, cut into as many batches, are the floor.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.features import NEIGHBOURS, distances
from ams.statistics import Interval, jackknife_interval
from experiments.images.features.rows import Conditions
from experiments.images.features.scores import Judge, Scores
from verdicts import Table
from verdicts.records.figures import Cell

Sets = Sequence[Float[Tensor, "n d"]]
"""Features of each batch."""
QUANTITIES = ("frechet", "kernel", "density", "coverage", "classes")


class Entry(NamedTuple):
    """A sampler, its settings in words, its evaluations, the features of its batches."""

    sampler: str
    settings: str
    nfe: int
    sets: Sets


class Pooled(NamedTuple):
    """An entry, what its numbers depend on, the numbers by name, the shares of the classes."""

    entry: Entry
    conditions: Conditions
    numbers: dict[str, Interval]
    shares: Float[Tensor, " classes"]


def pooled(judge: Judge, entry: Entry, confidence: float) -> Pooled:
    """Judge an entry's batches as one set. Raises ValueError for fewer than two batches."""
    whole = torch.cat(list(entry.sets))
    apart = distances(whole, judge.reference)
    of_whole, number = judge.scores_of(whole, apart), torch.repeat_interleave(torch.tensor([*map(len, entry.sets)]))
    without = [judge.scores_of(whole[number != k], apart[number != k]) for k in range(len(entry.sets))]
    numbers = {name: _jackknife(name, of_whole, without, confidence) for name in QUANTITIES}
    return Pooled(entry, judge.conditions(len(whole)), numbers, judge.shares(whole))


def _jackknife(name: str, whole: Scores, without: list[Scores], confidence: float) -> Interval:
    """Return a number of the whole set with the jackknife's half-width."""
    value = float(getattr(whole, name))
    _, low, high, n = jackknife_interval(value, [getattr(one, name) for one in without], confidence)
    return Interval(value, value - (high - low) / 2, value + (high - low) / 2, n)


def judged(judge: Judge, entries: Sequence[Entry], confidence: float) -> list[Pooled]:
    """Judge every entry with at least two batches and, without one of them, enough samples for neighbourhoods."""
    return [pooled(judge, entry, confidence) for entry in entries if _suffices(entry.sets)]


def _suffices(sets: Sets) -> bool:
    return len(sets) > 1 and sum(map(len, sets)) - max(map(len, sets)) > NEIGHBOURS


_NAMED = ("sampler", "settings", "NFE", "sets", "n")


def tables(
    entries: Sequence[Pooled], name: str, confidence: float, claims: tuple[str, ...], note: str = ""
) -> list[Table]:
    """Return a table of distances, whose rows carry what they depend on, and one of the classes' shares."""
    conditions = ("reference", "reference n", "extractor", "sha256", "denoised")
    header = (*_NAMED, *conditions, *(part for quantity in QUANTITIES for part in (quantity, "+-")))
    caption = (
        "All batches as one set, in the features of a classifier: Fréchet and kernel distance, density and coverage, "
        "total variation of the classes; +-: half-width of the "
        f"{confidence:.1%} interval, jackknife over batches. Rows compare where n, reference, extractor and denoising "
        f"are equal.{note}"
    )
    rows = tuple((*_named(one), *_conditions(one.conditions), *_numbers(one)) for one in entries)
    distances = Table(id=f"{name}_features", caption=caption, header=header, rows=rows, claims=claims)
    return [distances, _classes(entries, name, claims)]


def _classes(entries: Sequence[Pooled], name: str, claims: tuple[str, ...]) -> Table:
    count = len(entries[0].shares) if entries else 0
    rows = tuple(
        (*_named(one), *(round(100 * float(share), 1) for share in one.shares), one.numbers["classes"].value)
        for one in entries
    )
    header = (*_NAMED, *map(str, range(count)), "total variation")
    caption = (
        "Shares of the classes that the extractor sees in each set, in percent; total variation from the reference's."
    )
    return Table(id=f"{name}_classes", caption=caption, header=header, rows=rows, claims=claims)


def _named(one: Pooled) -> tuple[Cell, ...]:
    sampler, settings, nfe, sets = one.entry
    return sampler, settings, nfe, len(sets), one.conditions.n


def _conditions(c: Conditions) -> tuple[Cell, ...]:
    return c.reference, c.reference_n, c.extractor, c.sha256[:12], "yes" if c.denoised else "no"


def _numbers(one: Pooled) -> tuple[Cell, ...]:
    intervals = [one.numbers[name] for name in QUANTITIES]
    return tuple(number for value, low, *_ in intervals for number in (value, value - low))
