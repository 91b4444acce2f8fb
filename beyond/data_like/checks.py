"""J1 to J9: differences of errors, and what samples lose, from the outcomes of the study.

Where several runs decide a check, it is the one whose interval reaches farthest towards a refutation.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ams.samplers.presets import Hyperparameters
from ams.statistics import CONFIDENCE
from ams_suite import measures
from beyond.data_like import study
from beyond.data_like.settings import (
    BASELINE,
    CHOSEN,
    ERRORS,
    GROUPS,
    HEADLINE,
    PAPER,
    SAMPLERS,
    Settings,
    trials,
)
from beyond.data_like.study import EXACT, Outcome
from beyond.data_like.targets import target as of_name
from verdicts import Measurement

FIRST = ("DPM-Solver++", "UniPC-3", "Heun ODE")
SLOW = (BASELINE, PAPER, "PC, Langevin", "PC, adaptive", "reverse diffusion")
"""The paper's sampler and its baselines without constant momentum."""
RARE = 0.05
"""A mode of less weight is rare."""


def error_of(outcome: Outcome) -> Float[np.ndarray, " groups"]:
    """Return each group's error: relative squared W2 of a structural direction plus that of a dead one.

    The latter is `(sqrt V - 1)^2` for a variance of V times the target's.
    """
    return np.array(outcome.sliced) + (np.sqrt(outcome.dead) - 1) ** 2


def errors(settings: Settings, target: str, sampler: str, budget: int, score: int = 0) -> list[float]:
    """Return the error of each group of a run, with the score error of that number."""
    values: list[float] = error_of(study.value(settings, target, ERRORS[score], sampler, budget)).tolist()
    return values


def error(settings: Settings, target: str, sampler: str, budget: int, score: int = 0) -> Measurement:
    """Measure a sampler's error."""
    return _mean(settings, errors(settings, target, sampler, budget, score), budget)


def error_of_fresh_draws(settings: Settings, target: str) -> Measurement:
    """Measure the error of draws of the target itself."""
    return _mean(settings, error_of(study.value(settings, target, ERRORS[0], EXACT, 0)).tolist(), HEADLINE)


def difference(
    settings: Settings,
    target: str,
    sampler: str,
    other: str,
    budget: int,
    less: int | None = None,
    scores: Sequence[int] = (0, 0),
) -> Measurement:
    """Measure a sampler's error at a budget less another's there or at the budget `less`, each with its score error."""
    ours = errors(settings, target, sampler, budget, scores[0])
    theirs = errors(settings, target, other, less or budget, scores[1])
    return _mean(settings, [one - two for one, two in zip(ours, theirs, strict=True)], budget)


def least_lead(settings: Settings, target: str) -> Measurement:
    """Measure how much larger the error of a slow sampler is than DPM-Solver++'s at 50 evaluations: the least."""
    leads = {other: difference(settings, target, other, FIRST[0], HEADLINE) for other in SLOW}
    return _named(leads, min(leads, key=lambda name: leads[name].interval[0]))


def least_lead_with_errors(settings: Settings, target: str, other: str) -> Measurement:
    """Measure how much larger a sampler's error is than DPM-Solver++'s at 50, over the score errors: the least."""
    numbers = range(len(ERRORS))
    leads = {
        f"{ERRORS[n].kind} {ERRORS[n].size:g}": difference(settings, target, other, FIRST[0], HEADLINE, scores=(n, n))
        for n in numbers
    }
    return _named(leads, min(leads, key=lambda name: leads[name].interval[0]))


def rare_weight(settings: Settings, target: str, sampler: str, budget: int) -> Measurement:
    """Measure the weight of the rare modes in a sampler's samples, over that in the target."""
    weights = of_name(target).mixture.weights.tolist()
    return _weight(settings, target, sampler, budget, [k for k, weight in enumerate(weights) if weight < RARE])


def weight_of_least_residual(settings: Settings, target: str, sampler: str, budget: int) -> Measurement:
    """Measure the weight of the mode with the least residual variance, over that in the target."""
    return _weight(settings, target, sampler, budget, [int(of_name(target).mixture.residual.argmin())])


def _weight(settings: Settings, target: str, sampler: str, budget: int, modes: list[int]) -> Measurement:
    shares = np.array(study.value(settings, target, ERRORS[0], sampler, budget).shares)[modes].sum(0)
    return _mean(settings, (shares / float(of_name(target).mixture.weights[modes].sum())).tolist(), budget)


def dead_variance(settings: Settings, target: str, sampler: str, budget: int) -> Measurement:
    """Measure the variance in dead directions, over the target's."""
    return _mean(settings, list(study.value(settings, target, ERRORS[0], sampler, budget).dead), budget)


def error_within_modes(settings: Settings, target: str, sampler: str, budget: int) -> Measurement:
    """Measure the squared W2 of a frequent mode to its own samples, over its variance, by weight."""
    return _mean(settings, list(study.value(settings, target, ERRORS[0], sampler, budget).modes), budget)


def weight_of_a_forgotten_mode(settings: Settings, target: str) -> Measurement:
    """Measure the weight, over its own, of the mode that the score forgets, at 50 evaluations: the most of 12."""
    weights = of_name(target).mixture.weights
    mode, forgotten = int(weights.argmin()), next(error for error in ERRORS if error.kind == "forgotten")
    runs = {
        sampler: _mean(settings, (np.array(outcome.shares[mode]) / float(weights[mode])).tolist(), HEADLINE)
        for sampler in SAMPLERS
        for outcome in [study.value(settings, target, forgotten, sampler, HEADLINE)]
    }
    return _named(runs, max(runs, key=lambda name: runs[name].interval[1]))


def largest_loss_by_choice(settings: Settings) -> Measurement:
    """Measure the error of chosen hyperparameters less the least of the six trials: the largest over samplers."""
    losses = {}
    for sampler in SAMPLERS:
        tried = {h: float(values.mean()) for h, values in _tried(settings, sampler).items()}
        losses[sampler] = tried[CHOSEN[sampler]] - min(tried.values())
    return measures.named_extreme(losses)


def loss_by_schedule(settings: Settings, sampler: str) -> Measurement:
    """Measure a sampler's error with the worst noise schedule of its six trials less that with the best (paired)."""
    by_error = sorted(_tried(settings, sampler).values(), key=np.mean)
    return _mean(settings, (by_error[-1] - by_error[0]).tolist(), HEADLINE)


def _tried(settings: Settings, sampler: str) -> dict[Hyperparameters, Float[np.ndarray, " groups"]]:
    samples = settings.samples_at(HEADLINE)
    return {h: error_of(study.trial(sampler, h, samples, settings.seed)) for h in trials(sampler)}


def _mean(settings: Settings, values: list[float], budget: int) -> Measurement:
    batch = settings.samples_at(budget, compared=True) // GROUPS
    return measures.mean_of(values, CONFIDENCE, settings.seed, batch)


def _named(runs: dict[str, Measurement], decisive: str) -> Measurement:
    """Return the decisive measurement, with the value of each."""
    return runs[decisive].model_copy(update={"detail": {name: one.value for name, one in runs.items()}})
