"""k-diffusion (extra `bench`) on equal noise gives equal samples."""

from collections.abc import Callable
from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.errors import DataUnavailable
from ams.samplers.noise_sources import replayed
from ams.schedules import Level, karras_sigmas, ve_levels
from ams.targets import GaussianMixture
from experiments.benchmarks.peers.checks import k_diffusion

STEPS = 8
SIGMAS = [*karras_sigmas(20.0, 0.1, STEPS).tolist(), 0.0]
TARGET = GaussianMixture([0.3, 0.7], [[-1.0, 0.5], [1.0, -0.2]], 0.04)


@pytest.fixture
def peer() -> ModuleType:
    try:
        return k_diffusion()
    except DataUnavailable as reason:
        pytest.skip(str(reason))


def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
    level = Level(0, sigma=sigma.reshape(-1)[0].item())
    return x + level.sigma**2 * TARGET.score(x, level)


def draws() -> Tensor:
    generator = torch.Generator().manual_seed(11)
    return torch.randn(STEPS + 1, 6, 2, generator=generator, dtype=torch.float64)


def ours(step: sm.Step, sigmas: list[float], used: list[int]) -> Tensor:
    noise = draws()
    levels = ve_levels(sigmas)
    states = sm.run(
        sm.one_step_per_level(step, levels),
        sm.State(sigmas[0] * noise[0]),
        TARGET.score,
        replayed(noise[used]),
        sm.Particles(),
    )
    return sm.last(states)[0].x


def theirs(sampler: Callable, sigmas: list[float], **options: object) -> Tensor:
    noise = draws()
    return sampler(denoiser, sigmas[0] * noise[0], torch.tensor(sigmas, dtype=torch.float64), disable=True, **options)


def one_a_step() -> dict[str, object]:
    """Return k-diffusion's source of noise: the recorded draws after the start, in order."""
    remaining = iter(draws()[1:])
    return {"noise_sampler": lambda sigma, sigma_next: next(remaining)}


def assert_equal(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_euler_and_heun(peer: ModuleType) -> None:
    assert_equal(ours(sm.affine(sm.flow_euler), SIGMAS, []), theirs(peer.sample_euler, SIGMAS))
    assert_equal(ours(sm.flow_heun, SIGMAS, []), theirs(peer.sample_heun, SIGMAS))


def test_ancestral(peer: ModuleType) -> None:
    positions = ours(sm.affine(sm.ancestral), SIGMAS, list(range(1, STEPS)))
    assert_equal(positions, theirs(peer.sample_euler_ancestral, SIGMAS, **one_a_step()))


@pytest.mark.parametrize("churn", [0.5, 40.0])
def test_edm_with_churn(peer: ModuleType, churn: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """k-diffusion draws at every step, EDM's algorithm only where it churns: here noise levels from 0.5 to 10."""
    recorded = iter(draws()[1:])
    monkeypatch.setattr(peer.torch, "randn_like", lambda x: next(recorded))
    options = {"s_tmin": 0.5, "s_tmax": 10.0, "s_noise": 1.003}
    wanted = theirs(peer.sample_heun, SIGMAS, s_churn=churn, **options)
    used = [i + 1 for i, sigma in enumerate(SIGMAS[:-1]) if 0.5 <= sigma <= 10.0]
    assert 0 < len(used) < STEPS
    assert_equal(ours(sm.edm_stochastic(STEPS, churn, **options), SIGMAS, used), wanted)


def test_dpm_solver(peer: ModuleType) -> None:
    assert_equal(ours(sm.dpm_solver(), SIGMAS, []), theirs(peer.sample_dpmpp_2m, SIGMAS))


@pytest.mark.parametrize("eta", [0.4, 1.0])
def test_stochastic_dpm_solver(peer: ModuleType, eta: float) -> None:
    positions = ours(sm.dpm_solver(eta), SIGMAS, list(range(1, STEPS)))
    options = {"eta": eta, "solver_type": "midpoint", **one_a_step()}
    assert_equal(positions, theirs(peer.sample_dpmpp_2m_sde, SIGMAS, **options))


def test_their_schedule(peer: ModuleType) -> None:
    wanted = peer.get_sigmas_karras(STEPS, 0.1, 20.0)
    assert pytest.approx(wanted.tolist(), rel=1e-5) == SIGMAS
    assert all(high > low for high, low in pairwise(SIGMAS))


def test_another_extrapolation_differs(peer: ModuleType) -> None:
    """A first-order solver differs from the published second-order one at equal noise levels."""
    assert (ours(sm.affine(sm.flow_euler), SIGMAS, []) - theirs(peer.sample_dpmpp_2m, SIGMAS)).abs().max() > 1e-2
