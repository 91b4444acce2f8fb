"""EDM's stochastic sampler: without churn Heun's, with it two published lines."""

import math

import pytest
import torch

from ams.laws import GaussianLaw
from ams.samplers import Particles, State, edm_stochastic, flow_heun, last, one_step_per_level, run
from ams.samplers.noise_sources import replayed
from ams.schedules import VP, Level, karras_sigmas, process_levels, ve_levels
from ams.statistics import convergence_order

LEVELS = ve_levels([5.0, 2.0, 1.0, 0.5, 0.0])


def test_without_churn_it_is_heun() -> None:
    law = GaussianLaw([0.5], [0.2])
    ends = [
        law.end(one_step_per_level(step, LEVELS), law.start(1.0, 25.0))
        for step in (flow_heun, edm_stochastic(4, churn=0.0))
    ]
    assert torch.equal(ends[0][0].x, ends[1][0].x)
    outside = law.end(one_step_per_level(edm_stochastic(4, s_tmin=6.0), LEVELS), law.start(1.0, 25.0))[0]
    assert torch.equal(ends[0][0].x, outside.x)


@pytest.mark.parametrize(("churn", "gamma"), [(1.0, 0.25), (40.0, math.sqrt(2) - 1)])
def test_the_published_algorithm(churn: float, gamma: float) -> None:
    """Algorithm 2 with variables of its own, on a score that is not affine; levels 2 and 1 are churned."""
    generator = torch.Generator().manual_seed(3)
    start, *draws = torch.randn(3, 4, 2, generator=generator, dtype=torch.float64)
    score = lambda at, level: -at / (1 + level.sigma**2) - torch.sin(at) / 3  # noqa: E731
    step, evaluations = edm_stochastic(4, churn, s_noise=1.01, s_tmin=0.9, s_tmax=2.0), 0
    for found, info in run(one_step_per_level(step, LEVELS), State(5 * start), score, replayed(draws), Particles()):
        evaluations, end = evaluations + info.evaluations, found.x
    x, remaining = 5 * start, iter(draws)
    for t, t_next in zip((5.0, 2.0, 1.0, 0.5), (2.0, 1.0, 0.5, 0.0), strict=True):
        t_hat = t * (1 + (gamma if 0.9 <= t <= 2.0 else 0.0))
        if t_hat > t:
            x = x + math.sqrt(t_hat**2 - t**2) * 1.01 * next(remaining)
        d = -t_hat * score(x, Level(0, t_hat))
        new = x + (t_next - t_hat) * d
        if t_next:
            new = x + (t_next - t_hat) * (d - t_next * score(new, Level(0, t_next))) / 2
        x = new
    torch.testing.assert_close(end, x, rtol=1e-12, atol=1e-12)
    assert evaluations == 7


def test_churn_keeps_the_marginal() -> None:
    """Over finer levels the exact law at the end tends to the target's at that level, in VE and in VP: order 1."""
    for levels_of in (
        lambda n: ve_levels(karras_sigmas(5.0, 0.1, n + 1)),
        lambda n: process_levels(VP(), n + 1, 0.05),
    ):
        errors, counts = [], [100, 200, 400, 800]
        for n in counts:
            levels, law = levels_of(n), GaussianLaw([0.3], [0.8])
            first, end = (
                (level.scale * 0.8, level.scale**2 * 0.3 + level.sigma**2) for level in (levels[0], levels[-1])
            )
            found = law.moments(
                law.end(one_step_per_level(edm_stochastic(n, churn=10.0), levels), law.start(*first))[0].x
            )
            errors.append(abs(found.variance.item() - end[1]))
        order = convergence_order([1 / n for n in counts], errors)
        assert order.low > 0.9, order
        assert errors[-1] < 1e-3


def test_too_much_noise_is_seen() -> None:
    """The falsifier: an inflated S_noise leaves the marginal."""
    levels, law = ve_levels(karras_sigmas(5.0, 0.1, 401)), GaussianLaw([0.3], [0.8])
    ends = [
        law.moments(
            law.end(one_step_per_level(edm_stochastic(400, 40.0, s_noise), levels), law.start(0.8, 25.3))[0].x
        ).variance
        for s_noise in (1.0, 1.05)
    ]
    assert abs(ends[0].item() - 0.31) < 1e-3 < abs(ends[1].item() - 0.31)


def test_a_churned_level_has_no_time() -> None:
    seen: list[Level] = []
    score = lambda at, level: seen.append(level) or -at  # noqa: E731
    level = process_levels(VP(), 2, 0.3, 0.6)[0]
    x = torch.ones(1, 1, dtype=torch.float64)
    last(run([(edm_stochastic(1), level)], State(x), score, replayed([x]), Particles()))
    assert math.isnan(seen[0].t) and seen[0].sigma == pytest.approx(math.sqrt(2) * level.sigma)
    assert seen[1] == level.next


@pytest.mark.parametrize("arguments", [(0,), (5, -1.0), (5, 1.0, -0.1)])
def test_what_no_run_can_be(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="EDM needs"):
        edm_stochastic(*arguments)
