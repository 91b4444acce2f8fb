"""J1 to J8: differences of errors, and what samples lose, from the outcomes of the study."""

import numpy as np
from jaxtyping import Float

from ams.statistics import CONFIDENCE
from ams_suite import measures
from beyond.data_like import study
from beyond.data_like.settings import ERRORS, Settings
from beyond.data_like.study import Outcome
from verdicts import Measurement


def error_of(outcome: Outcome) -> Float[np.ndarray, " groups"]:
    """Return each group's error: relative squared W2 of a structural direction plus that of a dead one.

    The latter is `(sqrt V - 1)^2` for a variance of V times the target's.
    """
    return np.array(outcome.sliced) + (np.sqrt(outcome.dead) - 1) ** 2


def difference(
    settings: Settings, target: str, sampler: str, other: str, budget: int, less: int | None = None, score: int = 0
) -> Measurement:
    """Measure a sampler's error at a budget less another's there, or at the budget `less`; group by group, paired."""
    ours = study.value(settings, target, ERRORS[score], sampler, budget)
    theirs = study.value(settings, target, ERRORS[score], other, less or budget)
    pair = error_of(ours).tolist(), error_of(theirs).tolist()
    return measures.mean_difference(*pair, CONFIDENCE, settings.seed, settings.samples_at(budget) // len(pair[0]))
