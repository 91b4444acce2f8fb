"""The affine map: by algebra, against the suite's exact law, and against samples of the same black box."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ams.statistics import plan_known_mean_test, plan_squares_test
from samplercheck import Draws, Network, Sampler
from samplercheck.affine_map import read_map
from samplercheck.convergence import Data
from tests.ams.tools import assert_equal
from tests.monte_carlo import MonteCarlo
from tests.samplercheck.references import REFERENCES, preserving

DATA = Data(torch.tensor([0.5, -1.0, 0.0], dtype=torch.float64), torch.tensor([0.1, 1.0, 2.0], dtype=torch.float64))


def test_ddim_by_algebra() -> None:
    """A step is `(v' + r) / (v + r) (y - m) + m` with `r` the slope of the posterior mean in `y = x / scale`."""
    levels, map_ = preserving(6), read_map(REFERENCES["DDIM"].sampler("DDIM"), DATA.network(), 3, 6)
    gain, offset = torch.ones(3, dtype=torch.float64) / levels[0].scale, torch.zeros(3, dtype=torch.float64)
    for level, after in pairwise(levels):
        v, v_next, variance = level.sigma / level.scale, after.sigma / after.scale, DATA.std.square()
        factor = (variance + v * v_next) / (variance + v * v)  # eps = v (y - m) / (variance + v^2)
        gain, offset = factor * gain, DATA.mean + factor * (offset - DATA.mean)
    assert_equal([map_.start[-1], map_.offset[-1]], [gain, offset], 1e-11, 1e-11)
    assert map_.draws.shape == (7, 0, 3) and map_.defect < 1e-13
    assert [call.sigma for call in map_.levels] == [level.sigma for level in levels[:-1]]


def test_each_draw_has_its_own_impulse() -> None:
    """`x' = x / 2 + (k + 1) z_k`, so that draw k ends as `(k + 1) / 2^(N - 1 - k)`."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for k in range(steps):
            x = x / 2 + (k + 1) * torch.randn_like(x)
        return x

    map_ = read_map(Sampler("halves", "1", run, lambda steps: 1.0, noise=1.0), DATA.network(), 3, 4)
    assert map_.draws[-1, :, 0].tolist() == [1 / 8, 2 / 4, 3 / 2, 4.0]
    assert map_.law(-1, 2.0, 1.0)[0][0] == 2 / 16
    assert map_.law(-1, 2.0, 1.0)[1][0].item() == pytest.approx(1 / 256 + 1 / 64 + 1 / 4 + 9 / 4 + 16, rel=1e-14)


def test_a_sampler_that_says_it_draws_nothing_may_draw() -> None:
    sampler = REFERENCES["ancestral"].sampler("ancestral", noise=0.0)
    assert read_map(sampler, DATA.network(), 3, 5).draws.shape[1] == 4


def test_the_exact_start_has_the_marginal_at_the_first_call() -> None:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        level = preserving(2)[0]
        return network("x0", 3.0 * x + 0.1 * torch.randn_like(x), level)

    map_ = read_map(Sampler("scaled", "1", run, lambda steps: 1.0, noise=None), DATA.network(), 3, 1)
    exact = DATA.marginal(map_.levels[0])
    assert_equal(map_.law(0, *map_.exact_start(*exact)), exact)


@pytest.mark.parametrize("clamp", [0.5, 1e9])
def test_a_clamp_is_not_affine(clamp: float) -> None:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        return REFERENCES["DDIM"].run(lambda *given: network(*given).clamp(-clamp, clamp), x, preserving(steps), draws)

    assert (read_map(Sampler("clamped", "1", run, lambda steps: 1.0), DATA.network(), 3, 8).defect > 1e-2) == (
        clamp < 1
    )


@pytest.mark.monte_carlo(share=0.01)
@pytest.mark.parametrize("name", ["DDIM, eta 0.6", "EDM"])
def test_the_law_is_that_of_a_million_samples(name: str, monte_carlo: MonteCarlo) -> None:
    """Detected are a mean off by 1 % of a standard deviation and a variance off by 1.4 %."""
    sampler, n, share = REFERENCES[name].sampler(name), 1_000_000, monte_carlo.share / 4
    data = Data(DATA.mean[1:2], DATA.std[1:2])
    mean, variance = read_map(sampler, data.network(), 1, 5).law(-1, 0.0, sampler.prior(5) ** 2)
    torch.manual_seed(monte_carlo.seed)
    x = sampler.prior(5) * torch.randn(n, 1, 1, 1, dtype=torch.float64)
    white = (sampler.run(data.network(), x, 5, Draws()).flatten() - mean) / variance.sqrt()
    assert not monte_carlo.note(plan_known_mean_test(n, 0.01, share)).rejects(white.sum().item() / math.sqrt(n))
    assert not monte_carlo.note(plan_squares_test(n, 0.014, share)).rejects(white.square().sum().item())
