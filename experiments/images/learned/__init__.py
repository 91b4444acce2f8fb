"""A learned score of digits, the suite's own network: quality against evaluations; claims Q0 to Q6."""

from __future__ import annotations

from ams.metrics import expected_coverage
from experiments.images.learned.figures import figures, tables
from experiments.images.learned.losses import worst_ratio
from experiments.images.learned.readings import CONFIDENCE, level_of, measured, missed, paired, speed_up
from experiments.images.learned.runs import (
    LEARNED,
    Numbers,
    batches,
    collapsed,
    exact_results,
    floor,
    judge,
    results,
)
from experiments.images.learned.settings import Settings
from verdicts import Measurement, check

__all__ = ["Settings", "figures", "tables"]

OURS, BASELINE, DOUBLED = "adaptive momentum", "annealed Langevin", "Langevin, drift x2"
REVERSE, FLOW, ISOTHERMAL = "reverse diffusion", "Heun ODE", "annealed BAOAB, e = 1/2"


def temperature(numbers: Numbers) -> float:
    """Return the temperature."""
    return numbers.temperature


def coverage(numbers: Numbers) -> float:
    """Return the coverage of the digits held out."""
    return numbers.coverage


def gain(settings: Settings, better: str, worse: str) -> Measurement:
    """Return the coverage of `better` less that of `worse`, at the smallest budget, batch by batch."""
    found, budget = results(settings), min(settings.budgets)
    return paired(settings, found[better][budget], found[worse][budget], coverage)


@check("Q0.kernel")
def real_digits_are_at_zero(settings: Settings) -> Measurement:
    """Return the kernel distance of real digits to those held out, over that of real digits of one class."""
    found = judge().kernel_interval([batch.features for batch in floor(settings)], CONFIDENCE, settings.seed)
    value, low, high = (end / collapsed() for end in found[:3])
    return Measurement(value=value, low=low, high=high, n=found.n * settings.batch, seeds=(settings.seed,))


@check("Q0.coverage")
def real_digits_cover_as_one_law_does(settings: Settings) -> Measurement:
    """Return the coverage of real digits less what is expected of two sets of one law."""
    expected = expected_coverage(len(judge().reference), settings.batch)
    return level_of(settings, floor(settings), lambda numbers: coverage(numbers) - expected)


@check("Q0.temperature")
def real_digits_are_at_one(settings: Settings) -> Measurement:
    """Return the temperature of real digits, blurred to the last level."""
    return level_of(settings, floor(settings), temperature)


@check("Q1.exact")
def the_network_has_generalised(settings: Settings) -> Measurement:
    """Return its loss on digits held out over that of the exact score of the digits it has seen, where worst."""
    return against("exact")


@check("Q1.gaussian")
def the_network_knows_more_than_two_moments(settings: Settings) -> Measurement:
    """Return its loss on digits held out over that of the Gaussian fitted to the digits it has seen, where worst."""
    return against("gaussian")


def against(other: str) -> Measurement:
    """Return the worst ratio of losses as a measurement."""
    value, low, high, n = worst_ratio(other, CONFIDENCE)
    return Measurement(value=value, low=low, high=high, n=n, seeds=(2,))


@check("Q2.gain")
def adaptive_covers_more(settings: Settings) -> Measurement:
    """Return adaptive momentum's coverage less annealed Langevin's, at the smallest budget (paired)."""
    return gain(settings, OURS, BASELINE)


@check("Q2a.speed_up")
def adaptive_needs_half_the_evaluations(settings: Settings) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's smallest budget, at equal coverage."""
    found, budget = results(settings), min(settings.budgets)
    return speed_up(settings, found[OURS][budget], found[BASELINE], budget, missed)


@check("Q2b.factor")
def the_factor_alone_covers_more(settings: Settings) -> Measurement:
    """Return the coverage of Langevin with its drift doubled less adaptive momentum's, at the smallest budget."""
    return gain(settings, DOUBLED, OURS)


@check("Q3.adaptive")
def adaptive_cools(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature less annealed Langevin's, at the largest budget (paired)."""
    found, budget = results(settings), max(settings.budgets)
    return paired(settings, found[OURS][budget], found[BASELINE][budget], temperature)


@check("Q3.factor")
def the_factor_alone_cools(settings: Settings) -> Measurement:
    """Return the temperature of Langevin with its drift doubled, at the largest budget."""
    return level_of(settings, results(settings)[DOUBLED][max(settings.budgets)], temperature)


@check("Q4.reverse")
def against_reverse_diffusion(settings: Settings) -> Measurement:
    """Return adaptive momentum's coverage less reverse diffusion's, at the smallest budget (paired)."""
    return gain(settings, OURS, REVERSE)


@check("Q4.flow")
def against_the_flow(settings: Settings) -> Measurement:
    """Return adaptive momentum's coverage less that of the flow by Heun, at the smallest budget (paired)."""
    return gain(settings, OURS, FLOW)


@check("Q5.coverage")
def isothermal_covers_more(settings: Settings) -> Measurement:
    """Return the isothermal sampler's coverage less adaptive momentum's, at the smallest budget (paired)."""
    return gain(settings, ISOTHERMAL, OURS)


@check("Q5.temperature")
def isothermal_does_not_cool(settings: Settings) -> Measurement:
    """Return the isothermal sampler's temperature where it is farthest from 1."""
    found = [level_of(settings, them, temperature) for them in results(settings)[ISOTHERMAL].values()]
    return max(found, key=lambda one: max(abs(end - 1) for end in one.interval))


@check("Q6.temperature")
def cooling_is_the_samplers(settings: Settings) -> Measurement:
    """Return the temperature with the learned score less that with the exact one, where they differ most.

    The same starts and noise, at the largest budget of the comparison.
    """
    budget = max(settings.compared_budgets)
    found = []
    for sampler in settings.compared:
        exact = exact_results(settings)[sampler][budget]
        found.append(paired(settings, batches(settings, LEARNED, sampler, budget), exact, temperature))
    return max(found, key=lambda one: max(abs(end) for end in one.interval))


@check("Q6.cooling")
def cooling_with_either_score(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature less Langevin's, with the learned score less with the exact; paired."""
    budget, exact = max(settings.compared_budgets), exact_results(settings)
    learned = [batches(settings, LEARNED, name, budget) for name in (OURS, BASELINE)]
    four = zip(*learned, exact[OURS][budget], exact[BASELINE][budget], strict=True)
    cooled = [[temperature(batch.numbers) for batch in batch_of_each] for batch_of_each in four]
    return measured(settings, [(a - b) - (c - d) for a, b, c, d in cooled], budget=budget)
