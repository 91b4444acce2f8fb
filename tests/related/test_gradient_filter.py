"""Filters on the gradient (SGDF) and on the score: each claim's verdict, and the change that flips
it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

from ams.optim import SGDF
from ams.schedules import Level
from ams.statistics import plan_margin
from related.gradient_filter.optimisers import descents, gain, study
from related.gradient_filter.optimisers.descents import (
    DIGITS,
    FILTER,
    OPTIMISERS,
    QUADRATIC,
    Descent,
    descend,
)
from related.gradient_filter.optimisers.settings import Settings
from related.gradient_filter.score_filter import study as wiener
from tests.claims import claims, expected, quick_settings, refuted, verdict_of
from tests.monte_carlo import MonteCarlo

ALL = Settings(problems=tuple(descents.PROBLEMS))


@pytest.mark.parametrize("identifier", ["N3", "N10"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is expected(identifier)


def test_another_average_breaks_n10(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N10: an average whose weights do not add up to 1, and another gain."""
    monkeypatch.setattr(gain, "weights", lambda: (gain.b, 1 - gain.b**2))
    assert refuted("N10", "white", "correlated")
    monkeypatch.undo()
    monkeypatch.setattr(gain, "wiener_gain", lambda b: (1 - b) / 3)
    assert refuted("N10", "white", "correlated", "midway")


def test_the_earlier_average_helps_a_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the average of the earlier gradients a gain helps; entry by entry, one of -.01."""
    error = gain.squared_error
    monkeypatch.setattr(gain, "squared_error", lambda base: error("earlier"))
    monkeypatch.setattr(gain, "weights", lambda: (gain.b, (1 - gain.b) / 2))
    assert refuted("N10a", "gain", "excess", "first_steps")
    monkeypatch.setattr(gain, "EXPONENTS", (0.5,))
    monkeypatch.setattr(gain, "entrywise_mean", lambda q, power: (-0.01) ** (2 * power))
    assert refuted("N10a", "entrywise")


def test_a_signal_that_stands_needs_no_larger_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The iterate hardly moves, or its curvature is another."""
    optimal = gain.optimal_gain
    monkeypatch.setattr(gain, "optimal_gain", lambda step, beta, base: optimal(1e-6, beta, base))
    assert refuted("N10b", "moving", "fast")
    monkeypatch.setattr(gain, "optimal_gain", lambda step, beta, base: optimal(0.3, beta, base))
    assert refuted("N10b", "still", "slow")


def test_another_average_has_another_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The average gives the newest gradient half of its weight."""
    monkeypatch.setattr(gain, "weights", lambda: (gain.b, (1 - gain.b) / 2))
    assert refuted("N10c", "ratio", "start")


@pytest.mark.monte_carlo(share=0.005)
def test_the_entrywise_error_is_that_of_the_optimiser(monte_carlo: MonteCarlo) -> None:
    """Run SGDF on white noise at rate 1: each step is minus its estimate of the gradient 0, m_t
    beside it.

    At beta_2 = .999 the average of squares varies: the errors' ratio may be off by .01.
    """
    x, average, noise = nn.Parameter(torch.zeros(20_000)), torch.zeros(20_000), monte_carlo.torch()
    optimiser, ratios = SGDF([x], lr=1.0, gamma=1.0), []
    for step in range(2000):
        x.grad = torch.randn(x.shape, generator=noise)
        before = x.detach().clone()
        optimiser.step()
        average.lerp_(x.grad, 0.1)
        if step >= 1000 and step % 50 == 0:
            ratios.append(float((before - x.detach()).square().mean() / average.square().mean()))
    error = float(np.std(ratios, ddof=1)) / math.sqrt(len(ratios))
    allowed = monte_carlo.note(plan_margin(error, effect=0.03, share=monte_carlo.share, bias=0.01))
    assert abs(np.mean(ratios) - gain.entrywise_error(0.9, 1.0)) < allowed.needed


def test_the_optimal_gain_without_an_average_is_the_correlation_s() -> None:
    """At b = 0 the estimate `g' + K (g - g')` is of two gradients, x moved by the earlier: both
    have closed forms.

    `x' = (1 - a) x - a (z + K (..))` with K = 1/2, from 4e5 steps of a run: to .01.
    """
    draw, step, (x, before) = np.random.default_rng(1), 0.3, (0.0, 0.0)
    signal, earlier, new = np.zeros((3, 400_000))
    for at, z in enumerate(draw.standard_normal(400_000)):
        g = x + z
        signal[at], earlier[at], new[at] = x, before, g
        x, before = x - step * (before + 0.5 * (g - before)), g
    error = new - earlier
    assert gain.optimal_gain(step, 0.0, "earlier") == pytest.approx(
        (signal - earlier) @ error / (error @ error), abs=0.01
    )


def made_up(steps: dict[str, float]) -> Callable[..., np.ndarray]:
    return lambda settings, problem, optimiser: (
        steps[optimiser] * (1 + 0.01 * np.arange(settings.seeds))
    )


def settle(monkeypatch: pytest.MonkeyPatch, ours: float, rivals: float) -> None:
    monkeypatch.setattr(study, "steps", made_up(dict.fromkeys(OPTIMISERS, rivals) | {FILTER: ours}))
    monkeypatch.setattr(study, "final_loss", lambda *given: 1.0)


@pytest.mark.parametrize("identifier", ["N10d", "N10j"])
def test_other_losses_settle_n10d_and_n10j(
    monkeypatch: pytest.MonkeyPatch, identifier: str
) -> None:
    """Falsifier of N10d and N10j: each check sees twice the rivals' steps, and half of them."""
    names = [
        check.id for claim in claims().claim if claim.id == identifier for check in claim.check
    ]
    settle(monkeypatch, 100.0, 50.0)
    assert [verdict_of(identifier, name, settings=ALL) for name in names] == ["refuted"] * len(
        names
    )
    settle(monkeypatch, 50.0, 100.0)
    assert verdict_of(identifier, settings=ALL) == "holds"


def test_one_worse_rival_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = dict.fromkeys(OPTIMISERS, 100.0) | {"Nesterov": 50.0, "momentum": 200.0}
    monkeypatch.setattr(study, "steps", made_up(steps))
    monkeypatch.setattr(study, "final_loss", lambda *given: 1.0)
    found = study.hardest(ALL, DIGITS, ("momentum", "Nesterov"))
    assert found.detail["rival"] == "Nesterov" and found.value == pytest.approx(2.0)


def test_what_neither_reaches_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "steps", lambda *given: np.full(8, math.inf))
    with pytest.raises(study.InsufficientData, match="neither SGDF nor SGD"):
        study.hardest(ALL, DIGITS, ("SGD",))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("problem", [pytest.param(QUADRATIC, marks=pytest.mark.long), DIGITS])
def test_the_chosen_rate_takes_the_fewest_steps_of_its_grid(problem: str, optimiser: str) -> None:
    """On the seeds of development, by geometric mean; they are fixed, so nothing is estimated."""

    def mean_log_steps(rate: float) -> float:
        runs = study.tuning_runs(problem, optimiser, rate)
        return float(np.mean([math.log(study.steps_to_threshold(run, run.until)) for run in runs]))

    assert min(study.tried(problem, optimiser), key=mean_log_steps) == study.rate(
        problem, optimiser
    )


def test_the_chosen_rates_are_inside_their_grids() -> None:
    for problem in study.BUDGETS:
        for name in OPTIMISERS:
            tried = study.tried(problem, name)
            assert len(tried) == 7 and study.rate(problem, name) in tried[1:-1]


def test_judged_seeds_are_none_of_tuning() -> None:
    for problem in study.BUDGETS:
        judged = {run.seed for run in study.runs(ALL, problem, FILTER)}
        assert len(judged) == 8 and not judged & {
            run.seed for run in study.tuning_runs(problem, FILTER, 1.0)
        }


@pytest.mark.parametrize("problem", [QUADRATIC, DIGITS])
def test_optimisers_have_one_start_and_their_own_end(problem: str) -> None:
    ends = {name: descend(Descent(problem, name, 0.01, 6, 3, 0.0, 5)) for name in OPTIMISERS}
    assert (
        len({each[0] for each in ends.values()}) == 1
        and len({each[-1] for each in ends.values()}) == 6
    )
    assert np.array_equal(ends["SGD"], descend(Descent(problem, "SGD", 0.01, 6, 3, 0.0, 5)))


def test_gradient_descent_follows_the_exact_recursion() -> None:
    """A step of SGD on the quadratic is `x - rate (lam x + .1 z)`."""
    run = Descent(QUADRATIC, "SGD", 0.5, 20, 1, 0.0, 3)
    with descents.drawn_from(run.seed, 0) as generator:
        task = descents.task(QUADRATIC)
        x = task.network().x.detach()
        wanted = [x]
        for _ in range(run.steps):
            x = x - run.rate * (task.eigenvalues * x + 0.1 * torch.randn(100, generator=generator))
            wanted.append(x)
    losses = [float((task.eigenvalues * each.square() / 2).mean()) for each in wanted]
    assert descend(run) == pytest.approx(losses, rel=1e-5)


def test_a_run_ends_at_its_loss_and_where_nothing_is_finite() -> None:
    whole = descend(Descent(QUADRATIC, "SGD", 0.5, 60, 2, 0.0, 3))
    ended = descend(Descent(QUADRATIC, "SGD", 0.5, 60, 2, 0.01, 3))
    assert ended[-1] <= 0.01 < ended[-2] and np.array_equal(whole[: len(ended)], ended)
    assert math.isinf(descend(Descent(QUADRATIC, "SGD", 1e9, 60, 2, 0.0, 3))[-1])


SMALL = quick_settings("score_filter")


def replace_noise(
    monkeypatch: pytest.MonkeyPatch, score_by: int = 1, noise_by: float = 1.0
) -> None:
    """Give the filtered step another score or, at gains below 1, another noise."""
    true = wiener.filtered

    def build(beta: Any, gain: Any) -> Callable[..., Any]:
        step = true(beta, gain)

        def other(state: Any, score: Any, noise: Any, level: Level, algebra: Any) -> Any:
            lighter = (
                noise if isinstance(gain, float) and gain == 1.0 else lambda x: noise_by * noise(x)
            )
            return step(state, lambda x, level: score_by * score(x, level), lighter, level, algebra)

        return other

    monkeypatch.setattr(wiener, "filtered", build)


def test_a_lighter_noise_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N3: with noise a tenth too small at gains below 1 these are less biased, and
    faster.
    """
    replace_noise(monkeypatch, noise_by=0.9)
    assert refuted("N3", "bias", "law", "speed", "wiener", "particles", settings=SMALL)


def test_another_score_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    replace_noise(monkeypatch, score_by=2)
    assert refuted("N3", "noise", settings=SMALL)


def test_the_mean_entrywise_gain_against_quadrature() -> None:
    for beta in (0.5, 0.9):
        q = (1 - beta) / (1 + beta)
        mean = quad(lambda xi, q=q: norm.pdf(xi) * q / (q + xi**2), -12, 12, points=[0.0])[0]
        assert wiener.mean_entrywise_gain(beta) == pytest.approx(mean, rel=1e-7)
        assert mean > q / (1 + q)
