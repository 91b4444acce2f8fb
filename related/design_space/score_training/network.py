r"""N7 with a network: three weights of the denoising loss on the mixture of the line, many networks at once.

A network of two hidden layers sees `(c_in x, log(sigma) / 4)` and gives F of `D = c_skip x + c_out F` (EDM, arXiv
2206.00364). What its error costs a sampler is the score part of the path bound on exponential noise levels,
`sum_k (tau_k - tau_{k+1}) E |D - D_*|^2 / (2 tau_k^2)`, with the expectation under the mixture's marginals.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.schedules import geometric_sigmas
from ams.statistics import CONFIDENCE
from ams_suite.measures import geometric_mean_ratio
from analysis.targets import two_modes
from related.design_space.noise_schedules.schedules import HIGHEST, LOWEST
from related.design_space.score_training.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

WIDTH, BATCH, STEPS = 64, 128, 50
"""Of the network, of a step of training, of the sampler."""
RATES = {
    1000: {"EDM": 0.03, "Song": 0.03, "uniform": 0.01},
    2000: {"EDM": 0.03, "Song": 0.01, "uniform": 0.01},
}
"""Adam's rate for each weight by the steps of training: the best of `TRIED`, mean of four networks of `DEVELOPMENT`'s
seed. For other numbers of steps the nearest one's."""
TRIED = (0.001, 0.003, 0.01, 0.03, 0.1)
DEVELOPMENT = 11


class Noised(NamedTuple):
    """Points of the mixture, their noise levels, and the weight of each in the loss of F."""

    clean: Tensor
    sigma: Tensor
    weight: Tensor


def noised(weight: str, shape: tuple[int, int], s: float, draw: torch.Generator) -> Noised:
    """Return a batch per network: EDM's noise levels are lognormal, the others' log-uniform."""
    target = two_modes()
    mode = (torch.rand(shape, generator=draw) < float(target.weights[0])).double()
    clean = 1 - 2 * mode + 0.5 * torch.randn(shape, generator=draw)
    if weight == "EDM":
        sigma = torch.exp(1.2 * torch.randn(shape, generator=draw) - 1.2)
        return Noised(clean, sigma, torch.ones(shape))
    span = math.log(HIGHEST / LOWEST)
    sigma = LOWEST * torch.exp(span * torch.rand(shape, generator=draw))
    power = {"Song": 2, "uniform": 4}[weight]
    return Noised(clean, sigma, sigma ** (2 - power) * s**2 / (sigma**2 + s**2))


class Networks:
    """Independent networks with stacked weights, trained at once."""

    def __init__(self, count: int, s: float, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.s, self.layers = s, []
        for wide, high in ((2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)):
            matrix = torch.randn(count, wide, high, generator=draw) / math.sqrt(wide) * (high > 1)
            self.layers += [matrix.requires_grad_(), torch.zeros(count, 1, high, requires_grad=True)]

    def output(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return F at x and sigma, both (networks, points)."""
        hidden = torch.stack([x * (self.s**2 + sigma**2).rsqrt(), sigma.log() / 4], -1).float()
        for matrix, shift in zip(self.layers[0:4:2], self.layers[1:4:2], strict=True):
            hidden = torch.nn.functional.silu(torch.baddbmm(shift, hidden, matrix))
        return torch.baddbmm(self.layers[5], hidden, self.layers[4])[..., 0]


def train(weight: str, count: int, updates: int, rate: float, seed: int) -> Networks:
    """Return networks after so many steps of Adam, its rate falling linearly to 0."""
    target = two_modes()
    s = math.sqrt(0.25 + 4 * float(target.weights[0] * target.weights[1]))
    networks, draw = Networks(count, s, seed), torch.Generator().manual_seed(seed + 1)
    adam = torch.optim.Adam(networks.layers, lr=rate)
    fall = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, updates)
    for _ in range(updates):
        clean, sigma, weights = noised(weight, (count, BATCH), s, draw)
        x = clean + sigma * torch.randn(clean.shape, generator=draw)
        c_in = (s**2 + sigma**2).rsqrt()
        wanted = (clean - s**2 * c_in**2 * x) / (sigma * s * c_in)
        loss = (weights * (networks.output(x, sigma) - wanted).square()).mean(1).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        fall.step()
    return networks


def score_part(networks: Networks) -> Tensor:
    """Return each network's score part of the path bound in nats, by Gauss and Hermite's rule on both modes."""
    target, s = two_modes(), networks.s
    sigma = torch.as_tensor(geometric_sigmas(HIGHEST, LOWEST, STEPS + 1).copy())
    nodes, weights = map(torch.as_tensor, np.polynomial.hermite_e.hermegauss(40))
    weights = weights / weights.sum()
    part = torch.zeros(len(networks.layers[0]), dtype=torch.float64)
    with torch.no_grad():
        for now, after in pairwise(sigma):
            width = (0.25 + now**2).sqrt()
            x = torch.cat([-1 + width * nodes, 1 + width * nodes])
            mass = torch.cat([share * weights for share in target.weights])
            from_modes = torch.stack([x + 1, x - 1])
            modes = target.weights.log()[:, None] - from_modes**2 / (2 * width**2)
            gain = 0.25 / width**2
            exact = (modes.softmax(0) * (torch.tensor([[-1.0], [1.0]]) + gain * from_modes)).sum(0)
            c_in = (s**2 + now**2).rsqrt()
            rows = x.expand(len(part), -1)
            learned = s**2 * c_in**2 * x + now * s * c_in * networks.output(rows, torch.full_like(rows, float(now)))
            part += (now**2 - after**2) / (2 * now**4) * ((learned - exact).square() @ mass)
    return part


@cell
def parts(weight: str, count: int, updates: int, rate: float, seed: int) -> Array:
    """The score part in nats of so many networks trained with a weight."""
    return score_part(train(weight, count, updates, rate, seed)).numpy()


def rates_of(settings: Settings) -> dict[str, float]:
    """Return Adam's rate for each weight at the settings' number of steps."""
    return RATES[min(RATES, key=lambda steps: abs(steps - settings.updates))]


def ratio(settings: Settings, other: str) -> Measurement:
    """Return the score part with EDM's weight over that with another, networks of one seed paired."""
    rates = rates_of(settings)
    ours, theirs = (
        parts(name, settings.networks, settings.updates, rates[name], settings.seed) for name in ("EDM", other)
    )
    return geometric_mean_ratio(
        ours, theirs, CONFIDENCE, settings.seed, means=[float(ours.mean()), float(theirs.mean())]
    )
