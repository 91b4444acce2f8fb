"""Digits with a learned score, claims Q0 to Q6: how much of the digits held out samples cover, and their variance."""

from collections.abc import Sequence

import torch

from ams.metrics import expected_coverage
from ams.statistics import Interval
from ams_suite import measures
from experiments.images.comparison import CONFIDENCE, column, error_curve, farthest
from experiments.images.learned import losses, quality, study
from experiments.images.learned.quality import EXACT, LEARNED
from experiments.images.learned.settings import BAOAB, BASELINE, DOUBLED, PAPER, SOLVER, Settings
from experiments.images.tasks import split_digits
from verdicts import Measurement


def _column(settings: Settings, sampler: str, budget: int, quantity: str, score: str = LEARNED) -> list[float]:
    return column(study.batches(settings, score, sampler, budget), quantity)


def _mean(settings: Settings, values: Sequence[float]) -> Measurement:
    return measures.mean_of(values, CONFIDENCE, settings.seed, settings.batch)


def _difference(settings: Settings, ours: Sequence[float], theirs: Sequence[float]) -> Measurement:
    return measures.mean_difference(ours, theirs, CONFIDENCE, settings.seed, settings.batch)


def coverage_gain(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's coverage less another's at the smallest budget, paired by batch."""
    ours, theirs = (_column(settings, name, min(settings.budgets), "coverage") for name in (sampler, other))
    return _difference(settings, ours, theirs)


def relative_kernel_distance_of_real_digits(settings: Settings) -> Measurement:
    """Measure the kernel distance of real digits to those held out, over that of real zeros alone."""
    sets = [torch.from_numpy(batch.features) for batch in study.real_batches(settings)]
    (x, y), judge = split_digits().train, quality.judge()
    distance, of_zeros = judge.kernel_interval(sets, CONFIDENCE, settings.seed), judge.scores(x[y == 0]).kernel
    value, low, high = (end / of_zeros for end in distance[:3])
    return measures.of_interval(Interval(value, low, high, distance.n), settings.seed, settings.batch)


def excess_coverage_of_real_digits(settings: Settings) -> Measurement:
    """Measure the coverage by real digits less what is expected of two sets of one distribution."""
    expected = expected_coverage(len(quality.judge().reference), settings.batch)
    covered = column((batch.quality for batch in study.real_batches(settings)), "coverage")
    return _mean(settings, [value - expected for value in covered])


def variance_ratio_of_real_digits(settings: Settings) -> Measurement:
    """Measure the variance ratio of digits with the last noise level's noise, seen or held out: the farther from 1."""
    ratios = (study.real_variance_ratios(settings, held_out) for held_out in (False, True))
    return farthest((_mean(settings, values) for values in ratios), origin=1.0)


def worst_loss_ratio(other: str) -> Measurement:
    """Return the network's loss on digits held out over another score's, at the noise level where that is worst.

    The other one is the "exact" score of the digits seen, or that of a "gaussian" fitted to them.
    """
    ratio = losses.worst_ratio(losses.per_image("learned"), losses.per_image(other), CONFIDENCE)
    return measures.of_interval(ratio, losses.SEED)


def speed_up_over_annealed_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's evaluations over adaptive momentum's smallest budget, at equal coverage."""
    budget = min(settings.budgets)
    ours, curve = _column(settings, PAPER, budget, "missed"), study.baseline_curve(settings)
    theirs = error_curve(curve, "missed")
    return measures.speed_up(ours, theirs, budget, CONFIDENCE, settings.seed, settings.batch)


def variance_ratio_less_annealed_langevins(settings: Settings) -> Measurement:
    """Measure adaptive momentum's variance ratio less annealed Langevin's, at the largest budget (paired)."""
    ours, theirs = (_column(settings, name, max(settings.budgets), "variance_ratio") for name in (PAPER, BASELINE))
    return _difference(settings, ours, theirs)


def variance_ratio_of_a_doubled_drift(settings: Settings) -> Measurement:
    """Measure the variance ratio of Langevin with its drift doubled, at the largest budget."""
    return _mean(settings, _column(settings, DOUBLED, max(settings.budgets), "variance_ratio"))


def coverage_gain_of_annealed_baoab_over_a_solver(settings: Settings) -> Measurement:
    """Measure annealed BAOAB's coverage less that of SDE-DPM-Solver++, at the smallest budget on many batches."""
    pair = (study.batches(settings, LEARNED, name, min(settings.budgets), settings.many) for name in (BAOAB, SOLVER))
    return _difference(settings, *(column(each, "coverage") for each in pair))


def variance_ratio_of_annealed_baoab(settings: Settings) -> Measurement:
    """Measure annealed BAOAB's variance ratio at the budget where it is farthest from 1."""
    ratios = (_column(settings, BAOAB, budget, "variance_ratio") for budget in settings.budgets)
    return farthest((_mean(settings, values) for values in ratios), origin=1.0)


def largest_variance_difference_between_scores(settings: Settings) -> Measurement:
    """Measure the variance ratio with the learned score less that with the exact one, for the sampler where it is most.

    The starts and the noise are common to both scores; the budget is the largest at which both run.
    """
    budget = max(settings.compared_budgets)
    pairs = (
        [_column(settings, sampler, budget, "variance_ratio", score) for score in (LEARNED, EXACT)]
        for sampler in settings.compared
    )
    return farthest(_difference(settings, learned, exact) for learned, exact in pairs)


def variance_loss_with_either_score(settings: Settings) -> Measurement:
    """Measure adaptive momentum's variance ratio less annealed Langevin's, learned score less exact score (paired)."""
    budget = max(settings.compared_budgets)
    learned, exact = (_losses_of_variance(settings, score, budget) for score in (LEARNED, EXACT))
    return _difference(settings, learned, exact)


def _losses_of_variance(settings: Settings, score: str, budget: int) -> list[float]:
    pair = (_column(settings, sampler, budget, "variance_ratio", score) for sampler in (PAPER, BASELINE))
    return [ours - theirs for ours, theirs in zip(*pair, strict=True)]
