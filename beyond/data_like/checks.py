"""J2 to J5: differences of errors, and what samples lose, from the outcomes of the study."""

import numpy as np
from jaxtyping import Float

from ams.statistics import CONFIDENCE
from ams_suite import measures
from beyond.data_like import study
from beyond.data_like.settings import GROUPS, Settings
from beyond.data_like.study import Outcome
from beyond.data_like.targets import target
from verdicts import Measurement

RARE = 0.05
"""A mode of less weight is rare."""


def error_of(outcome: Outcome) -> Float[np.ndarray, " groups"]:
    """Return each group's error: relative squared W2 of a structural direction plus that of a dead
    one.

    The latter is `(sqrt V - 1)^2` for a variance of V times the target's.
    """
    return np.array(outcome.sliced) + (np.sqrt(outcome.dead) - 1) ** 2


def error(settings: Settings, sampler: str, budget: int) -> Measurement:
    """Measure a sampler's error."""
    return _mean(settings, _errors(settings, sampler, budget), budget)


def difference(settings: Settings, sampler: str, other: str, budget: int) -> Measurement:
    """Measure a sampler's error less another's, on the same starts and noise."""
    differences = _errors(settings, sampler, budget) - _errors(settings, other, budget)
    return _mean(settings, differences, budget)


def rare_weight(settings: Settings, sampler: str, budget: int) -> Measurement:
    """Measure the weight of the rare modes in a sampler's samples, over that in the target."""
    weights = target().mixture.weights.numpy()
    rare = weights < RARE
    shares = np.array(study.value(settings, sampler, budget).shares)[rare].sum(0)
    return _mean(settings, shares / float(weights[rare].sum()), budget)


def dead_variance(settings: Settings, sampler: str, budget: int) -> Measurement:
    """Measure the variance in dead directions, over the target's."""
    return _mean(settings, np.array(study.value(settings, sampler, budget).dead), budget)


def _errors(settings: Settings, sampler: str, budget: int) -> Float[np.ndarray, " groups"]:
    return error_of(study.value(settings, sampler, budget))


def _mean(settings: Settings, values: Float[np.ndarray, " groups"], budget: int) -> Measurement:
    batch = settings.samples_at(budget) // GROUPS
    return measures.mean_of(values.tolist(), CONFIDENCE, settings.seed, batch)
