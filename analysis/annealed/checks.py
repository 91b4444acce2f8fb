"""B1, B3 to B5, P3a: adaptive momentum's best budget and settings, what explains its gain, rivals, what it loses."""

from collections.abc import Sequence
from itertools import pairwise, product

from ams.samplers.presets import RK45
from ams_suite.measures import named_extreme, of_interval
from analysis.annealed import mixture, study
from analysis.annealed.gain import CEILING, optima_on_edge
from analysis.annealed.nfe_to_threshold import KL, curve, default_line_run, error_at, needed, sizes_of
from analysis.annealed.settings import BASELINE, EXACT_RIVALS, PAPER, Settings
from verdicts import Measurement


def _least(settings: Settings) -> tuple[int, float]:
    """Return the budget of adaptive momentum's least KL on the Gaussian at the defaults, and that KL."""
    return min(curve(KL, settings, PAPER), key=lambda point: point[1])


def least_kl_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's least KL over all budgets, on the Gaussian at the defaults (nats)."""
    evaluations, error = _least(settings)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


def budget_of_least_kl(settings: Settings) -> Measurement:
    """Measure the budget at which adaptive momentum's KL on the Gaussian is least, at the defaults."""
    return Measurement(value=_least(settings)[0], unit="NFE")


def kl_at_largest_budget(settings: Settings) -> Measurement:
    """Measure adaptive momentum's KL on the Gaussian at the largest budget, at the defaults (nats)."""
    *_, (evaluations, error) = curve(KL, settings, PAPER)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


def largest_kl_ratio_of_neighbouring_budgets(settings: Settings) -> Measurement:
    """Measure the largest ratio of annealed Langevin's KL at a budget to its KL at the budget before, Gaussian."""
    errors = [error for _, error in curve(KL, settings, BASELINE)]
    return Measurement(value=max(after / before for before, after in pairwise(errors)))


def optima_of_rivals_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of the rivals and of all samplers in the tables are on an edge: KL, W2."""
    rivals = dict.fromkeys([*EXACT_RIVALS, *(name for name in study.tabulated(settings) if name != RK45.name)])
    return optima_on_edge(settings, ("KL", "W2"), samplers=tuple(rivals))


def nfe_ratio(settings: Settings, sampler: str, other: str, error: float) -> float:
    """Return the first budget at which a sampler has a KL on the Gaussian at the defaults, over that of `other`.

    All budgets that T = 5 allows are computed of the annealed samplers named in `PARTS` and of the two compared; of
    others only some, so that they may need fewer evaluations.
    """
    theirs, ours = (needed(curve(KL, settings, name), error)[1] for name in (other, sampler))
    return min(ours / theirs, CEILING)


def tuned_kl_ratio(settings: Settings, sampler: str, budget: int, other: str = BASELINE) -> float:
    """Return a sampler's KL over another's at one budget on the Gaussian, both tuned."""
    return error_at(KL, settings, budget, True, sampler) / error_at(KL, settings, budget, True, other)


def least_tuned_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return the least `tuned_kl_ratio` over the tuned budgets from 40 evaluations on."""
    budgets = [budget for budget in settings.tuned if budget >= 40]
    return named_extreme({f"{b} evaluations": tuned_kl_ratio(settings, sampler, b) for b in budgets}, min)


def largest_nfe_ratio_of_three_rivals(settings: Settings) -> Measurement:
    """Measure the largest ratio of three rivals' evaluations to adaptive momentum's, for KL = 0.3 and 0.1, Gaussian."""
    cases = product(EXACT_RIVALS, (0.3, 0.1))
    return named_extreme({f"{name}, KL {kl:g}": nfe_ratio(settings, name, PAPER, kl) for name, kl in cases})


def largest_kl_ratio_of_three_rivals_on_the_mixture(settings: Settings) -> Measurement:
    """Measure the largest KL of three rivals over adaptive momentum's at 20 evaluations on the mixture."""
    theirs = [default_line_run(settings, name, 20).errors.kl for name in EXACT_RIVALS]
    ours = default_line_run(settings, PAPER, 20).errors.kl
    worst = max(theirs, key=lambda kl: kl.high)
    value, low, high = worst.value / ours.value, worst.low / ours.high, worst.high / ours.low
    return Measurement(value=value, low=low, high=high, n=ours.n, seeds=(settings.seed,))


def largest_tuned_ratio(settings: Settings, samplers: Sequence[str]) -> Measurement:
    """Return the largest ratio of a sampler's KL on the Gaussian to adaptive momentum's, over all tuned budgets."""
    cases = product(samplers, settings.tuned)
    return named_extreme({f"{name}, NFE {b}": tuned_kl_ratio(settings, name, b, PAPER) for name, b in cases})


def _at_others_settings(settings: Settings, other: str, sampler: str, budget: int) -> tuple[float, float, float]:
    """Return KLs on the Gaussian: a sampler's at the settings best for another, its least, and the other's least."""
    theirs, ours = (KL.runs(settings, name, budget, tuned=True) for name in (other, sampler))
    best = min(theirs, key=KL.error)
    here = next(KL.error(run) for run in ours if run.hyperparameters == best.hyperparameters)
    return here, min(map(KL.error, ours)), KL.error(best)


def cost_of_others_settings(settings: Settings, other: str, sampler: str) -> Measurement:
    """Return the largest ratio of a sampler's KL on the Gaussian at the settings best for another to its least KL."""
    ends = {f"NFE {b}": _at_others_settings(settings, other, sampler, b) for b in settings.tuned}
    return named_extreme({name: here / own for name, (here, own, _) in ends.items()})


def kl_ratio_to_langevin_at_its_best_step(settings: Settings) -> Measurement:
    """Measure the largest ratio of adaptive momentum's KL to Langevin's, both at Langevin's best step and T, to 200."""
    ends = {f"NFE {b}": _at_others_settings(settings, BASELINE, PAPER, b) for b in settings.tuned if b <= 200}
    return named_extreme({name: here / theirs for name, (here, _, theirs) in ends.items()})


def minority_weight(settings: Settings, sampler: str) -> Measurement:
    """Return the probability left of 0 at the end of the longest run at the defaults; the target has 0.3 there."""
    weight = default_line_run(settings, sampler, settings.line_long).errors.minority
    return of_interval(weight, settings.seed) if weight.n > 1 else Measurement(value=weight.value)


def particle_error(settings: Settings, quantity: str) -> Measurement:
    """Return annealed Langevin's error at 100 evaluations by particles, less that of its density on a grid.

    The tolerance is the interval's half-width: it must not count twice.
    """
    estimate = getattr(mixture.langevin_particles(100, sizes_of(settings)).errors, quantity)
    exact = getattr(default_line_run(settings, BASELINE, 100).errors, quantity)
    half, error = (estimate.high - estimate.low) / 2, estimate.value - exact.value
    return Measurement(value=error, n=estimate.n, seeds=(settings.seed,), detail={"half-width": half})
