"""k-diffusion (extra `bench`) on equal noise gives equal samples."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.schedules import Level, karras_sigmas, ve_levels
from ams.targets import GaussianMixture
from experiments.benchmarks.peers import k_diffusion
from tests.ams.tools import assert_equal, draws, found_or_skipped, trajectory

STEPS = 8
SIGMAS = [*karras_sigmas(20.0, 0.1, STEPS).tolist(), 0.0]
TARGET = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.0, -0.2]], 0.04)


@pytest.fixture
def peer() -> ModuleType:
    return found_or_skipped(k_diffusion)


def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
    level = Level(0, sigma=sigma.reshape(-1)[0].item())
    return x + level.sigma**2 * TARGET.score(x, level)


NOISE = draws(11, STEPS + 1, 6, 2)
"""The start, then a draw for each step."""


def ours(step: sm.Step, used: Sequence[int] = ()) -> Tensor:
    program = sm.one_step_per_level(step, ve_levels(SIGMAS))
    return trajectory(program, SIGMAS[0] * NOISE[0], TARGET.score, [NOISE[i] for i in used])[-1]


def theirs(sampler: Callable, **options: object) -> Tensor:
    return sampler(denoiser, SIGMAS[0] * NOISE[0], torch.tensor(SIGMAS, dtype=torch.float64), disable=True, **options)


def one_a_step() -> dict[str, object]:
    """Return k-diffusion's source of noise: the recorded draws after the start, in order."""
    remaining = iter(NOISE[1:])
    return {"noise_sampler": lambda sigma, sigma_next: next(remaining)}


def test_euler_and_heun(peer: ModuleType) -> None:
    assert_equal(ours(sm.affine(sm.flow_euler)), theirs(peer.sample_euler), 1e-10, 1e-10)
    assert_equal(ours(sm.flow_heun), theirs(peer.sample_heun), 1e-10, 1e-10)


@pytest.mark.parametrize("churn", [0.5, 40.0])
def test_edm_with_churn(peer: ModuleType, churn: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """k-diffusion draws at every step, EDM's algorithm only where it churns: here noise levels from 0.5 to 10."""
    recorded = iter(NOISE[1:])
    monkeypatch.setattr(peer.torch, "randn_like", lambda x: next(recorded))
    options = {"s_tmin": 0.5, "s_tmax": 10.0, "s_noise": 1.003}
    wanted = theirs(peer.sample_heun, s_churn=churn, **options)
    used = [i + 1 for i, sigma in enumerate(SIGMAS[:-1]) if 0.5 <= sigma <= 10.0]
    assert 0 < len(used) < STEPS
    assert_equal(ours(sm.edm_stochastic(STEPS, churn, **options), used), wanted, 1e-10, 1e-10)


def test_dpm_solver(peer: ModuleType) -> None:
    assert_equal(ours(sm.dpm_solver()), theirs(peer.sample_dpmpp_2m), 1e-10, 1e-10)


@pytest.mark.parametrize("eta", [0.4, 1.0])
def test_stochastic_dpm_solver(peer: ModuleType, eta: float) -> None:
    positions = ours(sm.dpm_solver(eta), range(1, STEPS))
    options = {"eta": eta, "solver_type": "midpoint", **one_a_step()}
    assert_equal(positions, theirs(peer.sample_dpmpp_2m_sde, **options), 1e-10, 1e-10)


def test_their_schedule(peer: ModuleType) -> None:
    wanted = peer.get_sigmas_karras(STEPS, 0.1, 20.0)
    assert pytest.approx(wanted.tolist(), rel=1e-5) == SIGMAS
    assert all(high > low for high, low in pairwise(SIGMAS))


def test_another_extrapolation_differs(peer: ModuleType) -> None:
    """A first-order solver differs from the published second-order one at equal noise levels."""
    assert (ours(sm.affine(sm.flow_euler)) - theirs(peer.sample_dpmpp_2m)).abs().max() > 1e-2
