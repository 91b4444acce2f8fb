"""Exponential multistep methods, DPM-Solver++ among them: published updates, orders, exact laws,
other libraries.
"""

import math
import sys
from functools import partial

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.samplers import Particles, State, dpm_solver, one_step_per_level
from ams.samplers.base import Noise, Score, Step
from ams.samplers.exponential_multistep import (
    Method,
    deis,
    dpm_solver_multistep,
    er_sde_solver,
    exponential_multistep,
    noisy,
    sa_solver,
    unipc,
    weights,
)
from ams.samplers.loop import last, run
from ams.samplers.noise_sources import replayed
from ams.schedules import Level, karras_sigmas, linked, ve_levels
from ams.targets import GaussianMixture
from samplercheck import Sampler
from samplercheck.affine_map import read_map
from samplercheck.answered_draws import Draws, answered
from samplercheck.convergence import two_targets
from samplercheck.model import Network
from samplercheck.order_conditions import order_conditions
from tests.ams.tools import assert_equal, draws

FIRST, LAST = 14.6, 0.03


def end(step: Step, x: Tensor, score: Score, noise: Noise, levels: list[Level]) -> Tensor:
    """Return the last position of a run through noise levels."""
    return last(run(one_step_per_level(step, levels), State(x), score, noise, Particles()))[0].x


def black_box(method: Method, noise: float) -> Sampler:
    """Return the method as a sampler under test, on EDM's noise levels."""

    def sampled(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        levels = ve_levels([*karras_sigmas(FIRST, LAST, steps), 0.0])
        score = partial(network, "score")
        return end(exponential_multistep(method), x, score, torch.randn_like, levels)

    return Sampler("own", "0", sampled, lambda steps: FIRST, noise=noise)


@pytest.mark.parametrize(
    ("method", "noise", "degree", "order"),
    [
        (deis(4), 0.0, 3, 4),
        (deis(3, "v"), 0.0, 2, 3),
        (dpm_solver_multistep(3), 0.0, 2, 3),
        (dpm_solver_multistep(3, 1.0), 1.0, 2, 3),
        (unipc(3), 0.0, 2, 4),
        (sa_solver(3, 3, 1.0), 1.0, 2, 3),
    ],
)
def test_each_step_has_the_order_of_its_points(
    method: Method, noise: float, degree: int, order: int
) -> None:
    """A polynomial of degree p - 1 is integrated exactly; UniPC's corrector has a point more than
    its predictor.
    """
    found = order_conditions(black_box(method, noise), (48, 72, 96, 144))
    assert found.degree == degree
    assert found.order is not None and found.order.value > order - 0.4


def test_weights_sum_to_what_the_retention_loses() -> None:
    points = (2.0, 2.7, 3.5)
    for method in (sa_solver(3, 3, 0.7, 1.0, 1.5), er_sde_solver(), dpm_solver_multistep(3)):
        retained, gains = weights(method, points, 2.0, 0.6)
        assert sum(gains) == pytest.approx(1 - retained, rel=1e-12)
    retained, gains = weights(deis(3), points, 2.0, 0.6)
    assert retained == 1 and sum(gains) == pytest.approx(0.6 - 2.0, rel=1e-12)


@pytest.mark.parametrize(
    "method", [unipc(3), sa_solver(3, 3, 0.5, 0.1, 5.0), er_sde_solver(), deis(4)]
)
def test_the_exact_law_carries_the_history(method: Method) -> None:
    """The law by coefficients on a basis and the law of the sampler as a black box are one."""
    data = two_targets(1.0)
    map_ = read_map(
        black_box(method, 0.0 if not method.noise else 1.0), data.network(), len(data.mean), 12
    )
    mean, variance = map_.law(-1, 0.5, FIRST**2)
    law = GaussianLaw(data.std.square(), data.mean)
    levels = ve_levels([*karras_sigmas(FIRST, LAST, 12), 0.0])
    state, _ = law.end(
        one_step_per_level(exponential_multistep(method), levels), law.start(0.5, FIRST**2)
    )
    moments = law.moments(state.x)
    torch.testing.assert_close(moments.mean, mean, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(moments.variance, variance, rtol=1e-10, atol=1e-12)


def test_a_retention_with_jumps_keeps_its_noise_between_them() -> None:
    whole, part = noisy(0.8), noisy(0.8, 1.0, 2.0)
    assert part.log_phi(2.0) - part.log_phi(1.0) == pytest.approx(
        whole.log_phi(2.0) - whole.log_phi(1.0)
    )
    assert part.log_phi(9.0) - part.log_phi(4.0) == pytest.approx(math.log(9 / 4))


SDE = {"algorithm_type": "sde-dpmsolver++"}


@pytest.mark.parametrize(
    ("scheduler", "step", "options", "largest"),
    [
        ("UniPCMultistepScheduler", exponential_multistep(unipc(3)), {"solver_order": 3}, 1e-6),
        ("UniPCMultistepScheduler", exponential_multistep(unipc(2)), {"solver_order": 2}, 1e-6),
        ("DEISMultistepScheduler", exponential_multistep(deis(3)), {"solver_order": 3}, 1e-12),
        ("DPMSolverMultistepScheduler", dpm_solver(), {}, 1e-12),
        ("DPMSolverMultistepScheduler", dpm_solver(1.0), SDE, 1e-12),
        (
            "SASolverScheduler",
            exponential_multistep(sa_solver(3, 3, 1.0)),
            {"predictor_order": 3, "corrector_order": 3, "tau_func": lambda t: 1.0},
            1e-6,
        ),
    ],
)
def test_equal_to_diffusers_at_fixed_noise(
    monkeypatch: pytest.MonkeyPatch,
    scheduler: str,
    step: Step,
    options: dict[str, object],
    largest: float,
) -> None:
    """The last step, whose order diffusers lowers, is left out. UniPC's coefficients
    and SA-Solver's are float32 there.
    """
    diffusers = pytest.importorskip("diffusers")
    target = GaussianMixture(
        [0.4, 0.6], torch.tensor([[-1.0, 0.3], [0.8, -0.2]], dtype=torch.float64), [0.1, 0.2]
    )
    noise = draws(1, 40, 5, 2)
    for_them, for_us = iter(noise), iter(noise)
    with answered(Draws(), 5):  # in float64
        theirs = getattr(diffusers, scheduler)(lower_order_final=False, **options)
        theirs.set_timesteps(20)
        if hasattr(module := sys.modules[theirs.__module__], "randn_tensor"):
            monkeypatch.setattr(module, "randn_tensor", lambda *_, **__: next(for_them))
        ratios = [float(v) for v in theirs.sigmas[:-1]]
        levels = linked(
            [Level(i, v / math.hypot(1, v), 1 / math.hypot(1, v)) for i, v in enumerate(ratios)]
        )
        start = torch.linspace(-2, 2, 10, dtype=torch.float64).reshape(5, 2)
        x = start.clone()
        for level, t in zip(levels[:-1], theirs.timesteps, strict=False):
            x = theirs.step(-level.sigma * target.score(x, level), t, x).prev_sample
    ours = end(step, start, target.score, lambda _: next(for_us), levels)
    assert float((ours - x).abs().max()) < largest


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_at_a_last_sigma_of_0_it_ends_at_the_denoised_point(eta: float) -> None:
    levels, x = ve_levels([2.0, 1.0, 0.0]), torch.ones(1, 2, dtype=torch.float64)
    score, noise = lambda at, level: -at / (2 + level.sigma**2), [0.5 * x] * (1 if eta else 0)
    states = sm.run(
        sm.one_step_per_level(dpm_solver(eta), levels),
        sm.State(x),
        score,
        replayed(noise),
        sm.Particles(),
    )
    first, info = next(states)
    before = first.x.clone()
    spread = math.sqrt(-math.expm1(-2 * eta * math.log(2)))
    assert_equal(before, info.mean() + (spread * noise[0] if noise else 0.0))
    end, info = sm.last(states)
    assert_equal(end.x, before + score(before, levels[1]))
    assert end.h == math.inf and info.evaluations == 1


def test_a_negative_eta_is_refused() -> None:
    with pytest.raises(ValueError, match=r"eta >= 0, got -0\.5"):
        dpm_solver(-0.5)
