"""Proofs of P3's numbers: the adaptive rule with several clips in ball arithmetic."""

from collections.abc import Sequence
from functools import lru_cache

from ams.enclosures import BITS, Ball, BallLaw, ball, lifted_level, precision
from ams.enclosures.mean_field import run_mean_field
from ams.enclosures.stationary import frozen, reproduced
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.samplers import adaptive, momentum_rule
from ams.samplers.base import Rule
from ams.schedules import Level, annealed_levels, geometric_sigmas, ncsnv2_step
from ams_suite.enclosed import largest, where_enclosed
from analysis.targets import stiff_gaussian
from analysis.update_rule.settings import Settings
from verdicts import Measurement

ONE = GaussianLaw([1.0])
Runs = Sequence[Sequence[Ball]]


def rule(delta: float) -> Rule:
    """Return adaptive momentum's rule with the clip `1 - delta`."""
    return momentum_rule(adaptive(ball(delta)))


def largest_change(runs: Runs) -> Measurement:
    """Return the largest relative difference of two of `runs` at any place."""
    pairs = [
        (one, other)
        for place in zip(*runs, strict=True)
        for one in place
        for other in place
        if one is not other
    ]
    return largest([Ball(abs(one.value - other.value) / other.value) for one, other in pairs])


@where_enclosed
@precision(BITS)
def largest_change_of_the_stationary_variance(settings: Settings) -> Measurement:
    """Prove the largest relative change of the stationary variance over all deltas, at each step
    size.
    """
    return largest_change(
        [[_variance(u, delta) for u in settings.steps] for delta in settings.deltas]
    )


def _variance(u: float, delta: float) -> Ball:
    law, guess = BallLaw(ONE), solved(ONE, momentum_rule(adaptive(delta)), u, 1.0 - delta).beta
    return law.moments(frozen(law, ball(u), reproduced(law, rule(delta), ball(u), guess)).x)[1][0]


@lru_cache(maxsize=16)
def means_on_the_way(delta: float, size: float) -> list[Ball]:
    """Return the means of `study.means_on_the_way`, after each eighth of `0.08 / size` steps."""
    law, steps = BallLaw(ONE), round(0.08 / size)
    levels = [lifted_level(Level(0, sigma=0.0, step=size))] * steps
    run = enumerate(run_mean_field(law, rule(delta), levels, law.start(100.0, 1.0)), 1)
    return [step.moments()[0][0] for number, step in run if number % (steps // 8) == 0]


@where_enclosed
@precision(BITS)
def change_of_the_mean(
    settings: Settings, size: float = 1e-4, deltas: Sequence[float] = ()
) -> Measurement:
    """Prove the largest relative change of the mean between deltas, by default the extreme ones."""
    deltas = deltas or (min(settings.deltas), max(settings.deltas))
    return largest_change([means_on_the_way(delta, size) for delta in deltas])


@where_enclosed
def largest_momentum_of_annealed_runs(settings: Settings) -> Measurement:
    """Prove the largest momentum coefficient of annealed runs at the defaults, unclipped."""
    most = max(settings.budgets)
    with precision(BITS + most // 8):
        return largest(
            [beta for budget in settings.budgets for beta in _betas(budget, settings.repeats)]
        )


def _betas(budget: int, repeats: int) -> list[Ball]:
    sigmas, law = geometric_sigmas(50.0, 0.02, budget // repeats), BallLaw(stiff_gaussian(), 60)
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, repeats))
    each = [lifted_level(level) for level in levels for _ in range(repeats)]
    _, *later = (
        step.beta for step in run_mean_field(law, rule(0.0), each, law.start(0.0, 50.0**2))
    )
    return later
