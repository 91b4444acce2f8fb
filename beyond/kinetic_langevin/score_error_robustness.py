"""What momentum and refreshment are worth where scores or starts are wrong.

K9: momentum saves evaluations where slow directions are wrong at low noise, but not where the scores there are.
K12: how much Langevin refreshment a run has had when it reaches the threshold, beside how many evaluations.
The *Langevin time* of a run is that of the reverse process' corrector, without unit: the sum over steps of `u = a /
sigma^2`, where overdamped Langevin of step `a` would relax a direction of variance `v >> sigma^2` by `u sigma^2 / v`.

- A kinetic step with momentum `e` relaxes it `(1 + e) / (1 - e)` times as fast as without momentum (K9a): the time is
  the sum of `u (1 + e) / (1 - e)`.
- A reverse SDE with retention `phi(v)` (module `exponential_multistep`) adds the noise `2 (kappa - 1) v^2 h` in a step
  h in log noise, as Langevin with `u = (kappa - 1) h` does: the time is `ln(phi(v_1) / phi(v_N)) - ln(v_1 / v_N)`,
  whatever the number of steps.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

import numpy as np
import sympy as sp
import torch
from pydantic import JsonValue

from ams.laws.symbolic import lam
from ams.samplers import presets, sample
from ams.samplers.annealed_baoab import KineticParameters
from ams.samplers.corrected_descent import condition, corrector, critically_damped
from ams.samplers.exponential_multistep import ER_SDE, Retention, noisy
from ams.samplers.presets import SigmaRange
from ams.schedules import Level
from ams.statistics import bootstrap_interval, proportion_interval
from ams.targets import GaussianMixture
from ams_suite.measures import geometric_mean_ratio, named_extreme, of_interval
from analysis.proofs import left_over
from beyond.kinetic_langevin import samplers
from beyond.kinetic_langevin.family import DEVELOPMENT, THIRD, Kind
from beyond.kinetic_langevin.nfe_comparison import (
    CONFIDENCE,
    FOURTH,
    KINDS,
    development,
    evaluations,
    mean_evaluations,
    nfe_ratio,
    targets_reached,
    third,
)
from beyond.kinetic_langevin.one_level import derivation, dt, e
from beyond.kinetic_langevin.samplers import (
    COMPARED,
    CRITICAL,
    MEMORYLESS,
    MOMENTUM,
    SAME_WITHOUT,
    SCHEDULES,
    WITH_MOMENTUM,
)
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement

Logarithms = Mapping[Kind, np.ndarray]
"""Mean logarithms of evaluations by kind of error, (resamples, samplers)."""


def nfe_ratio_of_best_without_momentum(settings: Settings, kind: Kind) -> Measurement:
    """Return the evaluations of the best sampler without momentum over the critically damped corrector's.

    The best one is chosen after the fact, by its geometric mean over the targets: in its favour.
    """
    best = best_of(settings, kind, [name for name in COMPARED if name not in WITH_MOMENTUM])
    ratio = nfe_ratio(settings, kind, best, CRITICAL)
    return ratio.model_copy(update={"detail": {**ratio.detail, "best without momentum": best}})


def best_of(settings: Settings, kind: Kind, names: Iterable[str]) -> str:
    """Return the sampler of the fewest evaluations, by its geometric mean over the targets."""
    return min(names, key=lambda name: mean_evaluations(settings, kind, name))


def share_reached(settings: Settings, names: tuple[str, ...]) -> Measurement:
    """Return the share of runs, one per sampler and target, that reach the threshold from a bad start."""
    reached = targets_reached(settings, Kind.START, names)
    return reached.model_copy(update={"value": reached.value / (settings.targets * len(names))})


def over_targets(settings: Settings, theta: Callable[[Logarithms], np.ndarray], **detail: JsonValue) -> Measurement:
    """Return a quantity of all kinds of error with its bootstrap interval over targets, the samplers' choice included.

    `theta` maps, by kind, the mean logarithms of the evaluations of `COMPARED`, (resamples, samplers), to values. The
    targets of `low` are drawn apart from those of the other kinds. The largest budget stands for a run that fails.
    """
    n = settings.targets
    counts = {kind: np.array([evaluations(settings, kind, name) for name in COMPARED]) for kind in KINDS}
    logarithms = {kind: np.log(np.minimum(each, settings.budget)).T for kind, each in counts.items()}

    def of_weights(weights: np.ndarray) -> np.ndarray:
        halves = {kind: weights[:, n:] if kind is Kind.LOW else weights[:, :n] for kind in KINDS}
        return theta({kind: halves[kind] @ logarithms[kind] / n for kind in KINDS})

    sources = [[[at] for at in range(n)], [[at] for at in range(n, 2 * n)]]
    return of_interval(bootstrap_interval(of_weights, sources, settings.seed), THIRD, 1, "", **detail)


def largest_excess(means: Logarithms, sampler: str) -> np.ndarray:
    """Return the logarithm of a sampler's evaluations over those of the kind's best one, at the kind where most."""
    own = COMPARED.index(sampler)
    most: np.ndarray = np.max([mean[:, own] - mean.min(axis=1) for mean in means.values()], axis=0)
    return most


def largest_nfe_ratio_to_best_sampler(settings: Settings) -> Measurement:
    """Measure the critically damped corrector's largest ratio to the best sampler's evaluations, over the kinds."""
    best = {kind: best_of(settings, kind, COMPARED) for kind in KINDS}
    ratios = {
        f"{kind}: best is {name}": mean_evaluations(settings, kind, CRITICAL) / mean_evaluations(settings, kind, name)
        for kind, name in best.items()
    }
    return over_targets(settings, lambda means: np.exp(largest_excess(means, CRITICAL)), **ratios)


def least_nfe_ratio_of_another_sampler(settings: Settings) -> Measurement:
    """Measure the least largest ratio of any other sampler, over the critically damped corrector's."""

    def least(means: Logarithms) -> np.ndarray:
        others = [largest_excess(means, name) for name in COMPARED if name != CRITICAL]
        ratio: np.ndarray = np.exp(np.min(others, axis=0) - largest_excess(means, CRITICAL))
        return ratio

    return over_targets(settings, least)


def share_missed_by_corrector(settings: Settings) -> Measurement:
    """Measure the share of targets, over all kinds of problem, that the critically damped corrector never reaches."""
    missed = {str(kind): int(np.isinf(evaluations(settings, kind, CRITICAL)).sum()) for kind in KINDS}
    n = settings.targets * len(missed)
    return Measurement(value=sum(missed.values()) / n, n=n, seeds=(THIRD, FOURTH), detail=dict(missed))


def gains_of_neighbours(settings: Settings, sampler: str) -> dict[str, float]:
    """Return the share of evaluations that each value next to a chosen one saves on the development family.

    Evaluations are the geometric mean over the targets of the kinds exact, high and start; the largest budget stands
    for those of a run that fails. Where no share is above 0, each value is the best of three: on no edge of its grid.
    """

    def mean(tried: dict[str, float]) -> float:
        counts = [samplers.tuned_evaluations(sampler, tried, each, settings.budget) for each in development()]
        return float(np.exp(np.log(np.minimum(counts, settings.budget)).mean()))

    tuning = samplers.TUNINGS[sampler]
    return {
        f"{sampler}: {name} = {tried[name]:g}": 1.0 - mean(tried) / mean(tuning.chosen)
        for name, tried in tuning.neighbours()
    }


def tuned_values_with_a_better_neighbour(settings: Settings) -> Measurement:
    """Measure how many neighbours of tuned values need fewer evaluations on the development family."""
    gains = [gains_of_neighbours(settings, name).items() for name in samplers.TUNINGS if name != MOMENTUM]
    better = {name: gain for name, gain in chain.from_iterable(gains) if gain > 0.0}
    return Measurement(value=len(better), n=sum(map(len, gains)), seeds=(DEVELOPMENT,), detail=dict(better))


def largest_share_saved_beside_tapered(settings: Settings) -> Measurement:
    """Measure the largest share of evaluations that a value next to one of the tapered schedule saves."""
    return named_extreme(gains_of_neighbours(settings, MOMENTUM))


def remainder_of_langevin_time_of_decaying_refreshment(settings: Settings) -> Measurement:
    """Measure the operations left in a slow direction's relaxation rate, and in its sum over noise below sigma_c.

    With `u = 10 h`, `h = -d ln sigma`, a direction of variance v relaxes by `u (1 + e)/(1 - e) sigma^2 / v` a step,
    from the derivative at `u = 0` of the root of K1's characteristic polynomial that is 1 there. The sum tends to
    `5 (1+e)/(1-e) sigma_c^2 / v`.
    """
    v, sigma, turn, small, root = sp.symbols("v sigma sigma_c u mu", positive=True)
    matrix = derivation("BAOAB").matrix
    polynomial = (root**2 - matrix.trace() * root + matrix.det()).subs(dt, sp.sqrt(2 * small / lam))
    rate = (sp.diff(polynomial, small) / sp.diff(polynomial, root)).subs({root: 1, small: 0})
    whole = sp.integrate(10 * rate * sigma**2 / v / sigma, (sigma, 0, turn))
    return left_over(rate - (1 + e) / (1 - e), whole - 5 * (1 + e) / (1 - e) * turn**2 / v)


def kl_ratio(settings: Settings, other: str) -> Measurement:
    """Return tapered annealed BAOAB's KL over another sampler's at 160 evaluations, scores wrong at low noise."""
    problem = third(settings, Kind.LOW)
    ours, theirs = (samplers.divergences(name, problem, 160) for name in (MOMENTUM, other))
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD)


def weight_recovered(settings: Settings, sampler: str) -> Measurement:
    """Return how much of a mixture's weights a run of 80 evaluations recovers from wrong ones, 0 (nothing) to 1 (all).

    Modes at -1/+1, s.d. 0.1, weights .3/.7; at noise 0.3 the particles have the right modes and the weights .5/.5. The
    particles are independent, so the share's standard error is that of a proportion: 0.018 of 20,000. About 0.01 is
    recovered, so the interval's end exceeds 0.15 less than once in 5e6 times; 0.25 is refuted with probability 0.999.
    """
    sigmas, means = SigmaRange(0.3, 0.02), [[-1.0], [1.0]]
    generator, n = torch.Generator().manual_seed(settings.seed), settings.particles
    start = GaussianMixture([0.5, 0.5], means, 0.01).sample(n, Level(0, sigma=sigmas.first), generator)
    score = GaussianMixture([0.3, 0.7], means, 0.01).score
    state, _, _ = sample(samplers.SAMPLERS[sampler].build(sigmas, 80), start, score, generator)
    share, least, most, _ = proportion_interval(int((state.x < 0).sum()), n, CONFIDENCE)
    value, low, high = ((0.5 - each) / 0.2 for each in (share, most, least))
    return Measurement(value=value, low=low, high=high, n=n, seeds=(settings.seed,))


HELD = {CRITICAL: presets.CRITICAL, MEMORYLESS: presets.MEMORYLESS}
REVERSE = {"SDE-DPM-Solver++": noisy(1.0), "SDE-DPM-Solver++(3M)": noisy(1.0), "ER-SDE-Solver-3": ER_SDE}
"""Samplers that follow one reverse SDE throughout, with its retention."""


def relaxation(parameters: KineticParameters) -> float:
    """Return the Langevin time of a kinetic step, `u (1 + e) / (1 - e)`."""
    u, e = parameters
    return u * (1.0 + e) / (1.0 - e)


def langevin_time(sampler: str, sigmas: SigmaRange, nfe: float) -> float:
    """Return the Langevin time of a run of a kinetic sampler or a held corrector on `nfe` evaluations."""
    if sampler in SCHEDULES:
        return nfe * relaxation(SCHEDULES[sampler](math.log(sigmas.first / sigmas.last) / nfe))
    held = HELD[sampler]
    sigma = min(held.sigma * sigmas.last, sigmas.first)
    e = critically_damped(condition(sigma, 1.0)) if sampler == CRITICAL else 0.0
    _, level = corrector(sigma, 1.0, e)
    return held.share * nfe * relaxation(KineticParameters(level.step / sigma**2, e))


def time_of_reverse_sde(retention: Retention, sigmas: SigmaRange) -> float:
    """Return the Langevin time of a reverse SDE between two noise levels."""
    first, last = (retention.log_phi(sigma) - math.log(sigma) for sigma in sigmas)
    return first - last


def times(settings: Settings, kind: Kind, sampler: str) -> np.ndarray:
    """Return the Langevin time to the threshold on each target; that of the largest budget where it is not reached."""
    counts = np.minimum(evaluations(settings, kind, sampler), settings.budget)
    return np.array([langevin_time(sampler, third(settings, kind).sigmas, count) for count in counts])


def time_ratio(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's Langevin time to the threshold over another's from a bad start."""
    ours, theirs = (times(settings, Kind.START, name) for name in (sampler, other))
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD)


def largest_share_of_time_of_a_reverse_sde(settings: Settings) -> Measurement:
    """Measure the largest Langevin time of a reverse SDE over what refreshment without momentum needs, on average."""
    sigmas, needed = third(settings, Kind.START).sigmas, times(settings, Kind.START, SAME_WITHOUT)
    reverse = {name: time_of_reverse_sde(each, sigmas) for name, each in REVERSE.items()}
    return geometric_mean_ratio(np.full(len(needed), max(reverse.values())), needed, CONFIDENCE, THIRD, **reverse)
