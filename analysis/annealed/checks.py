"""P2, B1 to B5: how many evaluations adaptive momentum needs, against whom, what explains its gain, what it loses."""

from collections.abc import Iterable
from itertools import pairwise, product

from ams.samplers.presets import RK45
from ams.statistics import Interval
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite.measures import named_extreme, of_interval
from analysis.annealed import mixture, study
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    KL,
    LINE_ELSEWHERE,
    LINE_KL,
    W2,
    Case,
    curve,
    default_line_run,
    edges,
    error_at,
    judged,
    sizes_of,
    speed_up,
    speed_ups,
    window,
)
from analysis.annealed.settings import ABLATIONS, BASELINE, EXACT_RIVALS, LARGER_DRIFT, PAPER, Settings
from verdicts import Measurement, check

_CEILING = 1e6
"""Stands for a ratio without end: annealed Langevin never gets there within its budgets."""


def _least(settings: Settings) -> tuple[int, float]:
    """Return the budget of adaptive momentum's least KL on the Gaussian at the defaults, and that KL."""
    return min(curve(KL, settings, PAPER), key=lambda point: point[1])


@check("B1.minimum")
def least_kl_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's least KL over all budgets, on the Gaussian at the defaults (nats)."""
    evaluations, error = _least(settings)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


@check("B1.where")
def budget_of_least_kl(settings: Settings) -> Measurement:
    """Measure the budget at which adaptive momentum's KL on the Gaussian is least, at the defaults."""
    return Measurement(value=_least(settings)[0], unit="NFE")


@check("B1.grows")
def kl_at_largest_budget(settings: Settings) -> Measurement:
    """Measure adaptive momentum's KL on the Gaussian at the largest budget, at the defaults (nats)."""
    *_, (evaluations, error) = curve(KL, settings, PAPER)
    return Measurement(value=error, unit="nats", detail={"evaluations": evaluations})


@check("B1.langevin")
def largest_kl_ratio_of_neighbouring_budgets(settings: Settings) -> Measurement:
    """Measure the largest ratio of annealed Langevin's KL at a budget to its KL at the budget before, Gaussian."""
    errors = [error for _, error in curve(KL, settings, BASELINE)]
    return Measurement(value=max(after / before for before, after in pairwise(errors)))


def _window(settings: Settings, end: int, tuned: bool = False) -> Measurement:
    """Return the first (0) or last (1) budget of the first stretch whose speed-up by KL on the Gaussian is 2 to 5."""
    points = speed_ups(KL, settings, tuned)
    detail = {f"NFE {budget}": min(ratio, _CEILING) for budget, ratio in points}
    return Measurement(value=window(points)[end], unit="NFE", detail=detail)


@check("P2.first")
def first_budget_of_the_window_at_defaults(settings: Settings) -> Measurement:
    """Measure the first budget at which the speed-up by KL on the Gaussian is 2 to 5, both samplers at the defaults."""
    return _window(settings, 0)


@check("P2.last")
def last_budget_of_the_window_at_defaults(settings: Settings) -> Measurement:
    """Measure the budget at which the speed-up by KL on the Gaussian, first 2 to 5, leaves this range, defaults."""
    return _window(settings, 1)


@check("P2.tuned_first")
def first_budget_of_the_window_when_tuned(settings: Settings) -> Measurement:
    """Measure the first budget at which the speed-up by KL on the Gaussian is 2 to 5, both tuned for each budget."""
    return _window(settings, 0, tuned=True)


@check("P2.tuned_last")
def last_budget_of_the_window_when_tuned(settings: Settings) -> Measurement:
    """Measure the budget at which the speed-up by KL on the Gaussian, first 2 to 5, leaves this range, both tuned."""
    return _window(settings, 1, tuned=True)


@check("P2.mixture")
def speed_up_on_the_mixture(settings: Settings) -> Measurement:
    """Measure the speed-up by KL at 40 evaluations on the mixture, both samplers at the defaults."""
    return _on_mixture(settings)


def _on_mixture(settings: Settings, tuned: bool = False, case: Case = LINE_KL) -> Measurement:
    """Return the speed-up by KL at 40 evaluations on the mixture.

    Adaptive momentum's KL is estimated from particles, when tuned of `judged` batches; annealed Langevin's curve is
    exact (a density on a grid), so the interval of the estimate is carried through the curve.
    """
    (run,) = case.runs(judged(settings) if tuned else settings, PAPER, 40, tuned)
    kl = run.errors.kl
    baseline = list(curve(case, settings, BASELINE, tuned))
    ends = (kl.value, kl.high, kl.low)
    value, low, high = (min(nfe_to_threshold(baseline, max(end, 1e-9)) / 40, _CEILING) for end in ends)
    return Measurement(value=value, low=low, high=high, n=kl.n, seeds=(settings.seed,))


@check("P2.elsewhere")
def least_speed_up_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the least speed-up by KL on the Gaussian, both tuned on Gaussians of other condition numbers."""
    return named_extreme(_named(speed_ups(ELSEWHERE, settings, tuned=True)), min)


@check("P2a.least")
def speed_up_on_the_mixture_when_tuned(settings: Settings) -> Measurement:
    """Measure the speed-up by KL at 40 evaluations on the mixture, both samplers tuned for each budget."""
    return _on_mixture(settings, tuned=True)


@check("P2b.least")
def speed_up_on_the_mixture_tuned_on_others(settings: Settings) -> Measurement:
    """Measure the speed-up by KL at 40 evaluations on the mixture, both samplers tuned on other mixtures."""
    return _on_mixture(settings, tuned=True, case=LINE_ELSEWHERE)


@check("P2b.edges")
def optima_on_other_mixtures_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many optima tuned on other mixtures are on an edge of what tuning tried: both samplers."""
    return _on_edge(settings, product((LINE_ELSEWHERE,), (BASELINE, PAPER)))


@check("P2a.edges")
def optima_on_the_mixture_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many optima tuned on the mixture are on an edge of what tuning tried: both samplers, all budgets."""
    return _on_edge(settings, product((LINE_KL,), (BASELINE, PAPER)))


def _named(points: Iterable[tuple[int, float]], name: str = "NFE", last: int = 2000) -> dict[str, float]:
    """Return the speed-ups at budgets up to `last` by name; 1e6 is one without end."""
    return {f"{name} {budget}": min(ratio, _CEILING) for budget, ratio in points if budget <= last}


def _on_edge(settings: Settings, cases: Iterable[tuple[Case, str]]) -> Measurement:
    """Return the number of tuned optima on an edge of what tuning tried, natural bounds aside."""
    ends = [edge for case, sampler in cases for edge in edges(case, settings, sampler)]
    return Measurement(value=len(ends), detail={"edges": [*ends]})


@check("P2.edges")
def optima_of_both_samplers_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of annealed Langevin and adaptive momentum are on an edge: all budgets, KL, W2."""
    return _on_edge(settings, product((KL, W2), (BASELINE, PAPER)))


@check("B3.edges")
def optima_of_parts_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of adaptive momentum's parts and of larger drifts are on an edge: KL, W2."""
    return _on_edge(settings, product((KL, W2), (*ABLATIONS, *LARGER_DRIFT)))


@check("B4.edges")
def optima_of_rivals_on_an_edge(settings: Settings) -> Measurement:
    """Measure how many tuned optima of the rivals and of all samplers in the tables are on an edge: KL, W2."""
    rivals = dict.fromkeys([*EXACT_RIVALS, *(name for name in study.tabulated(settings) if name != RK45.name)])
    return _on_edge(settings, product((KL, W2), rivals))


def _up_to_150(settings: Settings) -> dict[str, float]:
    """Return the speed-ups at 20 to 150 evaluations on the Gaussian at the defaults, by KL and by W2."""
    ratios = [_named(speed_ups(case, settings), f"{case.name}, NFE", 150) for case in (KL, W2)]
    return ratios[0] | ratios[1]


@check("B2.least")
def least_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement:
    """Measure the least speed-up at 20 to 150 evaluations on the Gaussian at the defaults, by KL and by W2."""
    return named_extreme(_up_to_150(settings), min)


@check("B2.most")
def largest_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement:
    """Measure the largest speed-up at 20 to 150 evaluations on the Gaussian at the defaults, by KL and by W2.

    1e6 stands for an error that annealed Langevin does not reach.
    """
    return named_extreme(_up_to_150(settings))


@check("B2.large")
def speed_up_at_largest_budget(settings: Settings) -> Measurement:
    """Measure the speed-up by KL on the Gaussian at the largest budget: below 1, adaptive momentum is the slower."""
    return Measurement(value=min(speed_up(KL, settings, max(settings.long)), _CEILING))


def nfe_ratio(settings: Settings, sampler: str, other: str, error: float) -> float:
    """Return the evaluations that `sampler` needs for a KL on the Gaussian at the defaults, over those of `other`."""
    theirs, ours = (nfe_to_threshold(curve(KL, settings, name), error) for name in (other, sampler))
    return min(ours / theirs, _CEILING)


def tuned_kl_ratio(settings: Settings, sampler: str, budget: int, other: str = BASELINE) -> float:
    """Return a sampler's KL over another's at one budget on the Gaussian, both tuned."""
    return error_at(KL, settings, budget, True, sampler) / error_at(KL, settings, budget, True, other)


@check("B3.drift")
def nfe_ratio_of_drift_factor_alone(settings: Settings) -> Measurement:
    """Measure the evaluations for KL = 0.1 of the drift factor without averaging, over adaptive momentum's."""
    return Measurement(value=nfe_ratio(settings, "adaptive, drift only", PAPER, 0.1))


@check("B3.average")
def nfe_ratio_of_averaging_alone(settings: Settings) -> Measurement:
    """Measure the evaluations for KL = 0.3 of averaging without the drift factor, over annealed Langevin's."""
    return Measurement(value=nfe_ratio(settings, "adaptive, average only", BASELINE, 0.3))


@check("B3.average_tuned")
def least_tuned_kl_ratio_of_averaging_alone(settings: Settings) -> Measurement:
    """Measure the least KL of averaging without the drift factor over annealed Langevin's, both tuned, from 40 on."""
    return _least_tuned_ratio(settings, "adaptive, average only")


@check("B3.noise")
def least_tuned_kl_ratio_with_corrected_noise(settings: Settings) -> Measurement:
    """Measure the least KL with noise to match the drift over annealed Langevin's, both tuned, from 40 on."""
    return _least_tuned_ratio(settings, "adaptive, noise corrected")


def _least_tuned_ratio(settings: Settings, sampler: str) -> Measurement:
    """Return the least `tuned_kl_ratio` over the tuned budgets from 40 evaluations on."""
    budgets = [budget for budget in settings.tuned if budget >= 40]
    return named_extreme({f"{b} evaluations": tuned_kl_ratio(settings, sampler, b) for b in budgets}, min)


@check("B3.adaptive")
def tuned_kl_ratio_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's KL over annealed Langevin's at 100 evaluations, both tuned: what B3 explains."""
    return Measurement(value=tuned_kl_ratio(settings, PAPER, 100))


@check("B3.control")
def nfe_ratio_of_constant_drift_factor(settings: Settings) -> Measurement:
    """Measure the evaluations for KL = 0.1 of Langevin with its drift times 1.5, over adaptive momentum's."""
    return Measurement(value=nfe_ratio(settings, "Langevin, drift x1.5", PAPER, 0.1))


@check("B3.control_tuned")
def largest_tuned_kl_ratio_of_constant_drift_factor(settings: Settings) -> Measurement:
    """Measure the largest ratio of KL, Langevin with its drift times 1.5 over adaptive momentum, both tuned."""
    ratios = {f"NFE {b}": tuned_kl_ratio(settings, "Langevin, drift x1.5", b, PAPER) for b in settings.tuned}
    return named_extreme(ratios)


@check("B4.gaussian")
def largest_nfe_ratio_of_three_rivals(settings: Settings) -> Measurement:
    """Measure the largest ratio of three rivals' evaluations to adaptive momentum's, for KL = 0.3 and 0.1, Gaussian."""
    cases = product(EXACT_RIVALS, (0.3, 0.1))
    return named_extreme({f"{name}, KL {kl:g}": nfe_ratio(settings, name, PAPER, kl) for name, kl in cases})


@check("B4.tuned")
def largest_tuned_kl_ratio_of_three_rivals(settings: Settings) -> Measurement:
    """Measure the largest ratio of three rivals' KL to adaptive momentum's over all tuned budgets, each tuned."""
    cases = product(EXACT_RIVALS, settings.tuned)
    return named_extreme({f"{name}, NFE {b}": tuned_kl_ratio(settings, name, b, PAPER) for name, b in cases})


@check("B4.mixture")
def largest_kl_ratio_of_three_rivals_on_the_mixture(settings: Settings) -> Measurement:
    """Measure the largest KL of three rivals over adaptive momentum's at 20 evaluations on the mixture."""
    theirs = [default_line_run(settings, name, 20).errors.kl for name in EXACT_RIVALS]
    ours = default_line_run(settings, PAPER, 20).errors.kl
    worst = max(theirs, key=lambda kl: kl.high)
    value, low, high = worst.value / ours.value, worst.low / ours.high, worst.high / ours.low
    return Measurement(value=value, low=low, high=high, n=ours.n, seeds=(settings.seed,))


def _cost_of_others_settings(settings: Settings, other: str, sampler: str) -> Measurement:
    """Return the largest ratio of a sampler's KL on the Gaussian at the settings best for another to its least KL."""
    ratios = {}
    for budget in settings.tuned:
        theirs, ours = (KL.runs(settings, name, budget, tuned=True) for name in (other, sampler))
        best = min(theirs, key=KL.error).hyperparameters
        here = next(KL.error(run) for run in ours if run.hyperparameters == best)
        ratios[f"NFE {budget}, {best}"] = here / min(map(KL.error, ours))
    return named_extreme(ratios)


@check("P3a.step")
def kl_ratio_at_langevins_best_step(settings: Settings) -> Measurement:
    """Measure adaptive momentum's largest KL over its least one, at the step and T that are best for Langevin."""
    return _cost_of_others_settings(settings, BASELINE, PAPER)


@check("P3a.snr")
def kl_ratio_at_langevins_best_snr(settings: Settings) -> Measurement:
    """Measure the adaptive corrector's largest KL over its least one, at the snr best for Langevin's corrector."""
    return _cost_of_others_settings(settings, "PC, Langevin", "PC, adaptive")


def minority_weight(settings: Settings, sampler: str) -> Interval:
    """Return the probability left of 0 at the end of the longest run at the defaults; the target has 0.3 there."""
    return default_line_run(settings, sampler, settings.line_long).errors.minority


@check("B5.langevin")
def minority_weight_of_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's minority weight at the longest run, from its density on a grid: the control."""
    return Measurement(value=minority_weight(settings, BASELINE).value)


@check("B5.factor")
def minority_weight_of_doubled_drift(settings: Settings) -> Measurement:
    """Measure the minority weight of Langevin with its drift doubled and no momentum, at the longest run."""
    return Measurement(value=minority_weight(settings, "Langevin, drift x2").value)


@check("B5.adaptive")
def minority_weight_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's minority weight at the longest run, by particles."""
    return of_interval(minority_weight(settings, PAPER), settings.seed)


@check("B5.particles")
def particle_error_of_minority_weight(settings: Settings) -> Measurement:
    """Measure annealed Langevin's minority weight at 100 evaluations by particles, less the density on a grid's."""
    estimate = mixture.langevin_particles(100, sizes_of(settings)).errors.minority
    return _difference(settings, estimate, default_line_run(settings, BASELINE, 100).errors.minority)


@check("B5.particles_kl")
def particle_error_of_kl(settings: Settings) -> Measurement:
    """Measure the particles' KL of annealed Langevin at 100 evaluations, less that of the density on a grid (nats)."""
    estimate = mixture.langevin_particles(100, sizes_of(settings)).errors.kl
    return _difference(settings, estimate, default_line_run(settings, BASELINE, 100).errors.kl)


def _difference(settings: Settings, estimate: Interval, exact: Interval) -> Measurement:
    """Return the estimate less the exact value. The tolerance is the interval's half-width: it must not count twice."""
    half, error = (estimate.high - estimate.low) / 2, estimate.value - exact.value
    return Measurement(value=error, n=estimate.n, seeds=(settings.seed,), detail={"half-width": half})
