"""The pretrained networks' samples in the features of our own classifier: distances, coverage, classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from experiments.images.features.pooled import Entry, Pooled, judged, tables
from experiments.images.features.scores import Judge
from experiments.images.pretrained import runs
from experiments.images.pretrained.runs import FLOOR, Settings
from verdicts import Table


@cache
def judge(settings: Settings) -> Judge:
    """Return the judge: the first test images' features. Raises DataUnavailable without the file."""
    reference = runs.test_images()[: min(settings.compared, settings.reference)]
    return Judge(runs.extractor(), f"first {len(reference)} MNIST test images", reference)


@cache
def floors(settings: Settings, confidence: float) -> tuple[Pooled, ...]:
    """Return held-out images judged like samples, as many as the samplers have, and as the `few` batches have."""
    sets = [runs.extractor()(images) for images in runs.held_out(settings)]
    counts = dict.fromkeys((len(sets), min(settings.few, len(sets))))
    return tuple(judged(judge(settings), [Entry(FLOOR, "", 0, sets[:count]) for count in counts], confidence))


@cache
def found(settings: Settings, name: str, budget: int, confidence: float) -> Pooled | None:
    """Return a sampler's numbers at the defaults; None where its runs were lost."""
    run = runs.performed(settings, name, budget)
    entry = Entry(name, "defaults", run.evaluations, run.features)
    return next(iter(judged(judge(settings), [entry], confidence)), None)


def list_features(
    settings: Settings, confidence: float, name: str, wanted: Mapping[str, Sequence[int]], claims: tuple[str, ...]
) -> list[Table]:
    """Return the tables of distances and classes of every sampler and budget that is wanted, the floors first."""
    each = [found(settings, who, budget, confidence) for who, budgets in wanted.items() for budget in budgets]
    return tables([*floors(settings, confidence), *(one for one in each if one is not None)], name, confidence, claims)
