"""All batches of a sampler as one set, in the features of a classifier, with intervals over the
batches.

The Frechet distance of thirty samples is mostly bias, and their coverage mostly chance; all batches
together are a set worth judging. Batches are the independent units, so a number's half-width is
Student's over the jackknife's pseudo-values. Its value is that of the whole set and keeps the bias
of its n: rows compare where n is equal, and real images of that n, cut into as many batches, are
the floor.
"""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.metrics.features import NEIGHBOURS, distances
from ams.statistics import Interval, jackknife_interval
from experiments.images.features.scores import Conditions, Judge

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
    of_whole, number = (
        judge.scores_of(whole, apart),
        torch.repeat_interleave(torch.tensor([*map(len, entry.sets)])),
    )
    without = [
        judge.scores_of(whole[number != k], apart[number != k]) for k in range(len(entry.sets))
    ]
    numbers = {}
    for name in QUANTITIES:
        value = float(getattr(of_whole, name))
        _, low, high, n = jackknife_interval(
            value, [getattr(one, name) for one in without], confidence
        )
        numbers[name] = Interval(value, value - (high - low) / 2, value + (high - low) / 2, n)
    return Pooled(entry, judge.conditions(len(whole)), numbers, judge.extractor.shares(whole))


def judged(judge: Judge, entries: Sequence[Entry], confidence: float) -> list[Pooled]:
    """Judge every entry with at least two batches and, without one of them, enough samples for
    neighbourhoods.
    """
    sizes = [[len(features) for features in entry.sets] for entry in entries]
    enough = [len(each) > 1 and sum(each) - max(each) > NEIGHBOURS for each in sizes]
    return [pooled(judge, entry, confidence) for entry in compress(entries, enough)]
