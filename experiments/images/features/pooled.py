"""All batches of a sampler judged as one set, in the features of a classifier, with intervals over the batches.

In a batch of thirty a Frechet distance is all bias, and coverage all chance; the batches together are a set worth
judging. They are the independent units (the released rule couples the samples of one), so each number has Student's
half-width over the jackknife's pseudo-values, about the number of the whole set, which keeps the bias of its n: rows
are compared where n is equal, and real images of the same n, cut into as many batches, are the floor.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.features import NEIGHBOURS
from ams.statistics import Interval, jackknife_interval
from experiments.images.features.rows import Conditions
from experiments.images.features.scores import Judge, Scores
from verdicts import Table
from verdicts.records.figures import Cell

Sets = Sequence[Float[Tensor, "n d"]]
"""Features of each batch."""
QUANTITIES = ("frechet", "kernel", "density", "coverage", "classes")


class Entry(NamedTuple):
    """What is judged: a sampler, its settings in words, its evaluations, the features of its batches."""

    sampler: str
    settings: str
    nfe: int
    sets: Sets


class Pooled(NamedTuple):
    """An entry's numbers by name, what they depend on, and the shares of the classes."""

    entry: Entry
    conditions: Conditions
    numbers: dict[str, Interval]
    shares: Float[Tensor, " classes"]


def pooled(judge: Judge, entry: Entry, confidence: float) -> Pooled:
    """Judge an entry's batches as one set. Raises ValueError for fewer than two batches."""
    whole = torch.cat(list(entry.sets))
    of_whole = judge.scores_of(whole)
    without = [judge.scores_of(torch.cat([*entry.sets[:k], *entry.sets[k + 1 :]])) for k in range(len(entry.sets))]
    numbers = {name: _about(name, of_whole, without, confidence) for name in QUANTITIES}
    return Pooled(entry, judge.conditions(len(whole)), numbers, judge.shares(whole))


def _about(name: str, whole: Scores, without: list[Scores], confidence: float) -> Interval:
    """Return a number of the whole set with the jackknife's half-width."""
    value = float(getattr(whole, name))
    found = jackknife_interval(value, [getattr(one, name) for one in without], confidence)
    half = (found.high - found.low) / 2
    return Interval(value, value - half, value + half, found.n)


def judged(judge: Judge, entries: Sequence[Entry], confidence: float) -> list[Pooled]:
    """Judge every entry that has two batches, and neighbours enough without one; others were lost, or are too small."""
    return [pooled(judge, entry, confidence) for entry in entries if _suffices(entry.sets)]


def _suffices(sets: Sets) -> bool:
    return len(sets) > 1 and sum(map(len, sets)) - max(map(len, sets)) > NEIGHBOURS


_NAMED = ("sampler", "settings", "NFE", "sets", "n")


def tables(
    found: Sequence[Pooled], name: str, confidence: float, claims: tuple[str, ...], note: str = ""
) -> list[Table]:
    """Return the distances, each row with what it depends on, and beside them the classes that the extractor sees."""
    carried = ("reference", "its n", "extractor", "sha256", "denoised")
    header = (*_NAMED, *carried, *(part for quantity in QUANTITIES for part in (quantity, "+-")))
    caption = (
        "All batches as one set, in the features of a classifier: Fréchet and kernel distance, density and coverage, "
        "total variation of the classes; +-: half-width of the "
        f"{confidence:.1%} interval, jackknife over batches. Rows compare where n, reference, extractor and denoising "
        f"are equal.{note}"
    )
    rows = tuple((*_named(one), *_carried(one.conditions), *_numbers(one)) for one in found)
    distances = Table(id=f"{name}_features", caption=caption, header=header, rows=rows, claims=claims)
    return [distances, _classes(found, name, claims)]


def _classes(found: Sequence[Pooled], name: str, claims: tuple[str, ...]) -> Table:
    count = len(found[0].shares) if found else 0
    rows = tuple(
        (*_named(one), *(round(100 * float(share), 1) for share in one.shares), one.numbers["classes"].value)
        for one in found
    )
    header = (*_NAMED, *map(str, range(count)), "total variation")
    caption = (
        "Shares of the classes that the extractor sees in each set, in percent; total variation from the reference's."
    )
    return Table(id=f"{name}_classes", caption=caption, header=header, rows=rows, claims=claims)


def _named(one: Pooled) -> tuple[Cell, ...]:
    sampler, settings, nfe, sets = one.entry
    return sampler, settings, nfe, len(sets), one.conditions.n


def _carried(c: Conditions) -> tuple[Cell, ...]:
    return c.reference, c.reference_n, c.extractor, c.sha256[:12], "yes" if c.denoised else "no"


def _numbers(one: Pooled) -> tuple[Cell, ...]:
    intervals = [one.numbers[name] for name in QUANTITIES]
    return tuple(number for found in intervals for number in (found.value, found.value - found.low))
