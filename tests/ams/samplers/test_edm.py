"""EDM's stochastic sampler: equal to Heun without churn, and to the published algorithm with it."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from ams.laws import GaussianLaw
from ams.samplers import Step, edm_stochastic, flow_heun, one_step_per_level
from ams.schedules import VP, Level, karras_sigmas, process_levels, ve_levels
from ams.statistics import convergence_order
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

SIGMAS = [5.0, 2.0, 1.0, 0.5, 0.0]
LEVELS = ve_levels(SIGMAS)


def test_without_churn_it_is_heun() -> None:
    law = GaussianLaw([0.5], [0.2])

    def end(step: Step) -> torch.Tensor:
        return law.end(one_step_per_level(step, LEVELS), law.start(1.0, 25.0))[0].x

    assert torch.equal(end(flow_heun), end(edm_stochastic(4, churn=0.0)))
    assert torch.equal(end(flow_heun), end(edm_stochastic(4, s_tmin=6.0)))


@pytest.mark.parametrize(("churn", "gamma"), [(1.0, 0.25), (40.0, math.sqrt(2) - 1)])
def test_the_published_algorithm(churn: float, gamma: float) -> None:
    """Algorithm 2 with variables of its own, on a score that is not affine; noise levels 2 and 1 are churned."""
    start, *noise = draws(3, 3, 4, 2)
    score = lambda at, level: -at / (1 + level.sigma**2) - torch.sin(at) / 3  # noqa: E731
    step = edm_stochastic(4, churn, s_noise=1.01, s_tmin=0.9, s_tmax=2.0)
    end = trajectory(one_step_per_level(step, LEVELS), 5 * start, score, noise)[-1]
    x, remaining = 5 * start, iter(noise)
    for t, t_next in pairwise(SIGMAS):
        t_hat = t * (1 + (gamma if 0.9 <= t <= 2.0 else 0.0))
        if t_hat > t:
            x = x + math.sqrt(t_hat**2 - t**2) * 1.01 * next(remaining)
        d = -t_hat * score(x, Level(0, t_hat))
        new = x + (t_next - t_hat) * d
        if t_next:
            new = x + (t_next - t_hat) * (d - t_next * score(new, Level(0, t_next))) / 2
        x = new
    assert_equal(end, x)


def variance_error(levels: list[Level], churn: float, s_noise: float = 1.0) -> float:
    """Return the error of the variance at the end from the exact start, for a target N(0.8, 0.3)."""
    law, (first, last) = GaussianLaw([0.3], [0.8]), (levels[0], levels[-1])
    program = one_step_per_level(edm_stochastic(len(levels) - 1, churn, s_noise), levels)
    start = law.start(first.scale * 0.8, first.scale**2 * 0.3 + first.sigma**2)
    end = moments_at_end(law, program, start)
    return abs(end.variance.item() - last.scale**2 * 0.3 - last.sigma**2)


@pytest.mark.parametrize(
    "levels_of", [lambda n: ve_levels(karras_sigmas(5.0, 0.1, n)), lambda n: process_levels(VP(), n, 0.05)]
)
def test_churn_keeps_the_marginal(levels_of: Callable[[int], list[Level]]) -> None:
    """With finer noise levels, of VE and of VP, the exact law at the end tends to the target's, with order 1."""
    counts = (32, 64, 128, 256)
    errors = [variance_error(levels_of(n + 1), churn=10.0) for n in counts]
    assert convergence_order([1 / n for n in counts], errors).low > 0.85 and errors[-1] < 3e-3


def test_a_churned_level_has_no_time() -> None:
    seen: list[Level] = []
    level, x = process_levels(VP(), 2, 0.3, 0.6)[0], torch.ones(1, 1, dtype=torch.float64)
    trajectory([(edm_stochastic(1), level)], x, lambda at, level: seen.append(level) or -at, [x])
    assert math.isnan(seen[0].t) and seen[0].sigma == pytest.approx(math.sqrt(2) * level.sigma)
    assert seen[1] == level.next


@pytest.mark.parametrize("arguments", [(0,), (5, -1.0), (5, 1.0, -0.1)])
def test_impossible_arguments_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="EDM needs"):
        edm_stochastic(*arguments)
