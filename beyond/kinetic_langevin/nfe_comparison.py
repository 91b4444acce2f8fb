r"""K8: evaluations on the third family with exact scores, to KL / d = 1e-4 where nothing else is said.

A ratio is the geometric mean over targets of a ratio of evaluations, with Student's interval of its logarithm's mean:
the targets are independent draws from the family. Where a sampler never reaches the threshold, the largest budget
stands for its evaluations, so a ratio in its disfavour is a lower bound.
"""

import numpy as np
from pydantic import JsonValue

from ams.statistics import CONFIDENCE
from ams_suite.measures import geometric_mean_ratio
from beyond.kinetic_langevin import optimal_momentum, samplers
from beyond.kinetic_langevin.family import THIRD, Kind
from beyond.kinetic_langevin.samplers import (
    DECAYING,
    THRESHOLD,
    THRESHOLDS,
)
from beyond.kinetic_langevin.settings import Settings
from beyond.kinetic_langevin.study import judged, third
from verdicts import Measurement


def evaluations(settings: Settings, kind: Kind, sampler: str, threshold: float = THRESHOLD) -> np.ndarray:
    """Return the evaluations that a sampler needs on each target; infinite where it never gets there."""
    return samplers.evaluations(sampler, judged(settings, kind), settings.budget, threshold)


def mean_evaluations(settings: Settings, kind: Kind, sampler: str, threshold: float = THRESHOLD) -> float:
    """Return the geometric mean over targets, where the largest budget stands for a run that fails."""
    counts = np.minimum(evaluations(settings, kind, sampler, threshold), settings.budget)
    return float(np.exp(np.log(counts).mean()))


def nfe_ratio(settings: Settings, kind: Kind, sampler: str, other: str, threshold: float = THRESHOLD) -> Measurement:
    """Return a sampler's evaluations over another's, the geometric mean over targets with its interval."""
    counts = {name: evaluations(settings, kind, name, threshold) for name in (sampler, other)}
    ours, theirs = (np.minimum(counts[name], settings.budget) for name in (sampler, other))
    never = {f"targets that {name} never reaches": int(np.isinf(count).sum()) for name, count in counts.items()}
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD, **never)


def targets_reached(settings: Settings, kind: Kind, names: tuple[str, ...]) -> Measurement:
    """Return how many runs, one per sampler and target, reach the threshold within the largest budget."""
    counts = {name: int(np.isfinite(evaluations(settings, kind, name)).sum()) for name in names}
    n = settings.targets * len(names)
    return Measurement(value=sum(counts.values()), n=n, seeds=(THIRD,), detail=dict(counts))


def nfe_ratio_of_noiseless_method_at_coarse_thresholds(settings: Settings) -> Measurement:
    """Measure DEIS-4's evaluations over SA-Solver's at tau 1 to 1e-3 or 1e-4, the larger ratio, with exact scores."""
    ratios = [nfe_ratio(settings, Kind.EXACT, "DEIS-4", "SA-Solver, tau 1", each) for each in THRESHOLDS[:2]]
    return max(ratios, key=lambda ratio: ratio.value)


def nfe_ratio_of_noiseless_method_at_finest_threshold(settings: Settings) -> Measurement:
    """Measure DEIS-4's evaluations over SA-Solver's at tau 1 to 1e-6, with exact scores; the detail has 1e-5."""
    finer, finest = (nfe_ratio(settings, Kind.EXACT, "DEIS-4", "SA-Solver, tau 1", each) for each in THRESHOLDS[2:])
    detail = {**finest.detail, "ratio to 1e-5": [finer.value, finer.low, finer.high]}
    return finest.model_copy(update={"detail": detail})


def targets_where_momentum_needs_fewer(settings: Settings) -> Measurement:
    """Measure on how many targets some `e` of 1/4, 1/2, 3/4, 0.9 needs fewer evaluations than `e = 0`."""
    counts = {e: evaluations(settings, Kind.EXACT, name) for e, name in ({0.0: DECAYING} | samplers.MOMENTA).items()}
    fewer = np.any([count < counts[0.0] for count in counts.values()], axis=0)
    means = {f"e = {e:g}": float(np.exp(np.log(count).mean())) for e, count in counts.items()}
    return Measurement(value=int(fewer.sum()), n=len(fewer), seeds=(THIRD,), detail=dict(means))


def least_nfe_ratio_over_refreshment_and_momentum(settings: Settings) -> Measurement:
    """Measure the evaluations of the best pair `(u0, e)` with momentum over those of the best without, exact scores.

    The least of the ratios to 1e-4, 1e-5 and 1e-6.
    """
    ratios = []
    for threshold in THRESHOLDS[1:]:
        groups = {"with": optimal_momentum.WITH, "without": optimal_momentum.WITHOUT}
        best = {name: optimal_momentum.best_pair(pairs, settings.budget, threshold) for name, pairs in groups.items()}
        problem, budget = third(settings, Kind.EXACT), settings.budget
        ours, theirs = (optimal_momentum.pair_evaluations(best[name], problem, budget, threshold) for name in groups)
        pairs: dict[str, JsonValue] = {f"(u0, e) {name} momentum": [*pair] for name, pair in best.items()}
        ratios.append(geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD, threshold=threshold, **pairs))
    return min(ratios, key=lambda ratio: ratio.value)


def nfe_ratio_of_oracle(settings: Settings, kind: Kind, other: str) -> Measurement:
    """Return the evaluations with the best `e` per noise level over another sampler's."""
    errors = optimal_momentum.oracle_curve(third(settings, kind), settings.budget)
    ours, theirs = samplers.nfe_of_targets(errors, THRESHOLD), evaluations(settings, kind, other)
    both = np.minimum(ours, settings.budget), np.minimum(theirs, settings.budget)
    return geometric_mean_ratio(*both, CONFIDENCE, THIRD)
