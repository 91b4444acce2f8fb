r"""A score that is not linear: a mixture of two Gaussians, whose probability flow is known exactly.

The mixture has its modes on the diagonal of the plane, so that the two elements of a sample are
coupled. Along the diagonal it is one-dimensional, where the flow keeps quantiles; across it is
Gaussian, where the flow scales. A deterministic sampler must take each point of the exact marginal
at its first noise level to the point that the flow takes it to, and the order with which it does so
may be less than on a Gaussian: curvature changes, directions couple.

A sampler that draws is compared in distribution along the diagonal. The distribution function at
its noise level of judgement is extrapolated from runs of N and 2 N steps, as for order 1. Its
distance to the exact one is judged against the bound of Dvoretzky, Kiefer and Wolfowitz (with
Massart's constant, 1990) for the false-alarm rate `ALARM`.

Common noise shows more: two implementations of one method, from one start with the same draws, end
at the same points up to rounding. No order or limit sees a coefficient that is off by a term as
small as the method's own error; `differ`, a comparison with a reference implementation, does.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import ndtr, ndtri

from ams.schedules import Level
from ams.targets import GaussianMixture
from samplercheck.affine_map import moved_by_start
from samplercheck.answered_draws import Draws, seeded
from samplercheck.convergence import (
    EVERY,
    JUDGED,
    STEPS,
    WARM_UP,
    Order,
    best,
    between,
    bump,
    calls_a_step,
    fitted,
    highest,
    judged_points,
    past_start,
    states_tried,
)
from samplercheck.model import CLEAN, Call, Recorded, exact
from samplercheck.sampler import Sampler, driven, trajectory

NOISY_STEPS = (40, 80)
SAMPLES, NUMBERS = 20_000, 2_000_000
"""Samples of a distribution; numbers in a state of all, which a stated shape of a sample makes
large.
"""
ALARM = 1e-6
_DIAGONAL = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64) / math.sqrt(2.0)


class TwoModes(NamedTuple):
    """The mixture `0.4 N(-m, s^2 I) + 0.6 N(m, s^2 I)`, `m = 0.8 c (1, 1) / sqrt 2`, `s = 0.4 c`
    for data scale c.
    """

    scale: float

    @property
    def weights(self) -> Tensor:
        """Return the weights of the two modes."""
        return torch.tensor([0.4, 0.6], dtype=torch.float64)

    def along(self, level: Level) -> tuple[Tensor, float]:
        """Return the means (2,) of the modes along the diagonal and their standard deviation at
        a noise level.
        """
        means = torch.tensor([-0.8, 0.8], dtype=torch.float64) * self.scale * level.scale
        return means, math.hypot(0.4 * self.scale * level.scale, level.sigma)

    def network(self) -> Recorded:
        """Return the exact network in the plane."""
        centre = 0.8 * self.scale * _DIAGONAL[0]
        variance = (0.4 * self.scale) ** 2
        target = GaussianMixture(self.weights, torch.stack([-centre, centre]), [variance, variance])
        return exact(
            target, 0.2 * centre, lambda x, level: self.carried(x, level, level.next or CLEAN)
        )

    def cdf(self, level: Level, x: Tensor) -> Tensor:
        """Return the distribution function along the diagonal."""
        means, std = self.along(level)
        return (self.weights * ndtr((x.unsqueeze(-1) - means) / std)).sum(-1)

    def quantile(self, level: Level, p: Tensor) -> Tensor:
        """Return the quantiles along the diagonal: bisection to a small part of the range, then
        Newton's method.
        """
        means, std = self.along(level)
        extent = std * ndtri(p).abs().max() + means.abs().max()
        low, high = torch.full_like(p, -float(extent)), torch.full_like(p, float(extent))
        for _ in range(12):
            middle = (low + high) / 2
            below = self.cdf(level, middle) < p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        x = (low + high) / 2
        for _ in range(5):
            density = (self.weights * torch.exp(-(((x.unsqueeze(-1) - means) / std) ** 2) / 2)).sum(
                -1
            )
            slope = density / (std * math.sqrt(2 * math.pi))
            x = torch.clamp(x - (self.cdf(level, x) - p) / slope, low, high)
        return x

    def flow(self, level: Level, p: Tensor, across: Tensor) -> Tensor:
        """Return the points (n, 2) with quantile `p` along the diagonal and `across` standard
        deviations beside it.
        """
        return (
            torch.stack([self.quantile(level, p), self.along(level)[1] * across], dim=-1)
            @ _DIAGONAL
        )

    def carried(self, x: Tensor, before: Level, after: Level) -> Tensor:
        """Return where the flow takes the points `x` (n, 2) from one noise level to another."""
        along, across = (x @ _DIAGONAL.T).unbind(-1)
        return self.flow(after, self.cdf(before, along), across / self.along(before)[1])


class Transport(NamedTuple):
    """A deterministic sampler on the mixture: root mean square error of its points, in units of the
    data's scale.

    `of_steps` is the order of each step past the start, None where it was not asked for.
    """

    errors: tuple[float, ...]
    order: Order | None
    why: str = ""
    of_steps: Order | None = None


class Distribution(NamedTuple):
    """A sampler that draws, on the mixture: the extrapolated distance of distribution functions
    and its bound.
    """

    distance: float
    bound: float


def transport(
    sampler: Sampler, steps: Sequence[int] = STEPS, points: int = 64, known: slice = EVERY
) -> Transport:
    """Return the errors of a deterministic sampler and their order.

    `known` are the calls that are states on another network.
    """
    target, (p, across) = TwoModes(sampler.data_std), _points(points)
    runs = _runs(sampler, target, steps, points)
    results, calls_made = [], [len(run) for run in runs]
    tried = states_tried(steps, calls_made, known)
    for states in tried:
        judged = judged_points(
            [[call.level for call in run] for run in runs], states, JUDGED * sampler.data_std
        )
        calls = [run[point] for run, point in zip(runs, judged, strict=True)]
        distances = (call.x - target.flow(call.level, p, across) for call in calls)
        unit = math.sqrt(points) * sampler.data_std
        errors = [
            float(d.norm()) / unit / call.level.scale
            for d, call in zip(distances, calls, strict=True)
        ]
        results.append(Transport(tuple(errors), *fitted(steps, errors)))
    return best(results, tried, calls_a_step(steps, calls_made))


def transport_steps(
    sampler: Sampler,
    steps: Sequence[int] = STEPS,
    points: int = 16,
    known: slice = EVERY,
    surely: bool = True,
) -> Order | None:
    """Return the order of a deterministic sampler's steps past its start, each against the flow
    from its own point.

    None where these are too few; and unless other checks `surely` have that order, where the start
    makes more calls: a start of several calls a step is not of low order by design.
    """
    target = TwoModes(sampler.data_std)
    runs = _runs(sampler, target, steps, points)
    past = past_start(steps, list(map(len, runs)))
    window = between([call.level for call in runs[0]], sampler.data_std, past)
    if window is None or (past > WARM_UP and not surely):
        return None
    orders, tried = [], states_tried(steps, [len(run) for run in runs], known)
    for states in tried:
        errors = []
        for run in runs:
            total = torch.zeros(points, dtype=torch.float64)
            for before, after in pairwise(run[states]):
                if weight := bump(before.level, after.level, window):
                    moved = target.carried(before.x, before.level, after.level)
                    total += (
                        weight
                        * (after.x - moved).norm(dim=1)
                        / math.hypot(after.level.scale, after.level.sigma)
                    )
            errors.append(float(total.norm()))
        orders.append(fitted(steps, errors)[0])
    return highest(orders, tried)[0]


def _points(count: int) -> tuple[Tensor, Tensor]:
    """Return `count` quantiles along the diagonal, and how many standard deviations each point
    is beside it.
    """
    p = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return p, ndtri(p.roll(count // 3))


def _runs(
    sampler: Sampler, target: TwoModes, steps: Sequence[int], points: int
) -> list[list[Call]]:
    """Return the calls of a run for each number of steps, from points of the exact marginal."""
    runs = []
    for count in steps:
        first, gain = _first_call(sampler, target, count)
        start = gain(target.flow(first, *_points(points)))
        runs.append(trajectory(sampler, target.network(), start, count, Draws()).calls)
    return runs


def distribution(sampler: Sampler) -> Distribution:
    """Return how far a sampler that draws is from the mixture in distribution, extrapolated in
    the number of steps.
    """
    target, functions = TwoModes(sampler.data_std), []
    samples = min(SAMPLES, NUMBERS // math.prod(sampler.shape or (1,)))
    grid = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    levels = []
    for count in NOISY_STEPS:
        generator = torch.Generator().manual_seed(count)
        first, gain = _first_call(sampler, target, count)
        means, std = target.along(first)
        mode = torch.multinomial(target.weights, samples, replacement=True, generator=generator)
        z = torch.randn(samples, 2, dtype=torch.float64, generator=generator)
        x = torch.stack([means[mode] + std * z[:, 0], std * z[:, 1]], dim=-1) @ _DIAGONAL

        calls = driven(sampler, target.network(), gain(x), count, seeded(samples, 2, count)).calls
        levels.append([call.level for call in calls])
        functions.append(calls)
    judged = judged_points(levels, EVERY, JUDGED * sampler.data_std)
    empirical = []
    for calls, point in zip(functions, judged, strict=True):
        position, level = calls[point].x @ _DIAGONAL[0], calls[point].level
        ranks = target.cdf(level, position).sort().values
        empirical.append(torch.searchsorted(ranks, grid).double() / samples)
    coarse, fine = empirical
    bound = 3 * math.sqrt(math.log(4 / ALARM) / (2 * samples))
    return Distribution(float((2 * fine - coarse - grid).abs().max()), bound)


def differ(
    sampler: Sampler, reference: Sampler, steps: int = 20, rows: int = 8, seed: int = 0
) -> float:
    """Return the largest difference of the ends of two samplers on the two-mode mixture, in units
    of the data's scale.

    Both start at the same points and see the same draws, in the order in which each of them asks.
    """
    network, generator = TwoModes(reference.data_std).network(), torch.Generator().manual_seed(seed)
    x = reference.prior(steps) * torch.randn(rows, 2, dtype=torch.float64, generator=generator)
    ends = [
        driven(each, network, x, steps, seeded(rows, 2, seed)).end for each in (sampler, reference)
    ]
    return float((ends[0] - ends[1]).abs().max()) / reference.data_std


def _first_call(
    sampler: Sampler, target: TwoModes, steps: int
) -> tuple[Level, Callable[[Tensor], Tensor]]:
    """Return the start's noise level, and what turns points that have it into the sampler's start.

    It is that passed first, with an input of the first call, unless the sampler states that of its
    start.
    """
    if sampler.begins:
        return sampler.begins(steps), lambda x: x
    start = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    call = trajectory(sampler, target.network(), start, steps, Draws(), most=1).calls[0]
    offset, gain = call.x[0], moved_by_start(call.x[1] - call.x[0])
    return call.level, lambda x: (x - offset) / gain
