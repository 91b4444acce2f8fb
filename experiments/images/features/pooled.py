"""All batches of a sampler as one set, in the features of a classifier, with intervals over the batches.

The Frechet distance of thirty samples is mostly bias, and their coverage mostly chance; all batches together are a set
worth judging. Batches are the independent units, so a number's half-width is Student's over the jackknife's
pseudo-values. Its value is that of the whole set and keeps the bias of its n: rows compare where n is equal, and real
images of that n, cut into as many batches, are the floor.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.features import NEIGHBOURS, distances
from ams.statistics import Interval, jackknife_interval
from ams_suite.drawn import tabled
from experiments.images.comparison import half_widths_named, with_half_widths
from experiments.images.features.scores import CONDITIONS, Conditions, Judge, title
from verdicts import Table
from verdicts.records.figures import TableCell

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
    numbers = {}
    for name in QUANTITIES:
        value = float(getattr(of_whole, name))
        _, low, high, n = jackknife_interval(value, [getattr(one, name) for one in without], confidence)
        numbers[name] = Interval(value, value - (high - low) / 2, value + (high - low) / 2, n)
    return Pooled(entry, judge.conditions(len(whole)), numbers, judge.extractor.shares(whole))


def judged(judge: Judge, entries: Sequence[Entry], confidence: float) -> list[Pooled]:
    """Judge every entry with at least two batches and, without one of them, enough samples for neighbourhoods."""
    sizes = [[len(features) for features in entry.sets] for entry in entries]
    enough = [len(each) > 1 and sum(each) - max(each) > NEIGHBOURS for each in sizes]
    return [pooled(judge, entry, confidence) for entry in compress(entries, enough)]


def tables(
    entries: Sequence[Pooled], name: str, confidence: float, claims: tuple[str, ...], note: str = ""
) -> list[Table]:
    """Return a table of distances, whose rows carry what they depend on, and one of the classes' shares."""
    run, count = ("sampler", "settings", "NFE", "sets", "n"), len(entries[0].shares) if entries else 0
    header = (*run, *CONDITIONS, *half_widths_named(map(title, QUANTITIES)))
    said = {"confidence": f"{confidence:.1%}", "note": note}
    classes = (*run, *map(str, range(count)), "total variation")
    return [
        tabled(distances_of_all, header, claims, entries, name=f"{name}_features", **said),
        tabled(shares_of_classes, classes, claims, entries, name=f"{name}_classes"),
    ]


def distances_of_all(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """All batches as one set, in the features of a classifier: Fréchet and kernel distance, density and coverage, total
    variation of the classes; ±: half-width of the {confidence} interval, jackknife over batches. Rows compare where n,
    reference, extractor and denoising are equal.{note}
    """
    for one in entries:
        yield *of_run(one), *with_half_widths(one.numbers[quantity] for quantity in QUANTITIES)


def shares_of_classes(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """Shares of the classes that the extractor sees in each set, in percent; total variation from the reference's."""
    for one in entries:
        yield *of_run(one)[:5], *(round(100 * share, 1) for share in one.shares.tolist()), one.numbers["classes"].value


def of_run(one: Pooled) -> tuple[TableCell, ...]:
    """Return what a row begins with: sampler, settings, evaluations, sets, n, and the other conditions."""
    sampler, settings, nfe, sets = one.entry
    return sampler, settings, nfe, len(sets), one.conditions.n, *one.conditions.cells()
