r"""Order conditions: each step of a sampler tested by itself, against the exact step, with no limit
taken.

The network here ignores its input. It returns polynomials of the noise level, one in each element
of a sample:

    x0 = tau^j  eps = tau^j  eps = (v / v_max)^j  j = 0, ..., DEGREE,  times a small number

with `lambda = ln(scale / sigma)`, `tau` its place in the run, from -1 to 1, `v = sigma / scale`.
From one call of the network to the next the exact step of the flow (kappa = 1) or of the mean of
the reverse SDE with noise eta (kappa = 1 + eta^2) then is, for `y = x / scale` and `h = lambda' -
lambda`,

    y' = exp(-kappa h) y + kappa int exp(-kappa (lambda' - l)) x0(l) dl,  y' = y + kappa int eps dv.

The *local order* is p where the differences fall as `h^(p + 1)`, their sum as `h^p`. A wrong
coefficient shows in every step, a start of low order only in the first ones, which are left out.
The *degree* of a family is the largest j up to which every step is exact; it belongs to the
variable in which a method is made, so that the best family counts.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.affine_map import moved_by_start
from samplercheck.answered_draws import Draws
from samplercheck.convergence import (
    EVERY,
    STEPS,
    Order,
    best,
    between,
    bump,
    calls_a_step,
    fitted,
    past_start,
    ratio,
    states_tried,
)
from samplercheck.model import Call, Recorded, log_snr
from samplercheck.sampler import Sampler, trajectory

DEGREE = 3
EXACT = 1e-9
SMALL = (
    1e-4  # of the polynomials: below any threshold at which a library clips what a network returns
)
# no power of a noise level far before the first one, whose size would drown the steps in rounding
FAR = 2.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


class OrderConditions(NamedTuple):
    """`order` is the local order over all polynomials, None where all steps are exact; `degree`
    is -1 for none.
    """

    degree: int
    order: Order | None
    why: str = ""


class _Sources(NamedTuple):
    """The polynomials between two values of `lambda`; element j + (DEGREE + 1) f is the power j
    of family f.
    """

    first: float
    last: float

    def at(self, lam: Tensor) -> Tensor:
        """Return the values (n, 3 (DEGREE + 1)) at `lambda` (n,)."""
        tau = (2 * (lam - self.first) / (self.last - self.first) - 1).clamp(-FAR, FAR)
        v = torch.exp(self.first - lam).clamp_max(FAR)
        powers = torch.arange(DEGREE + 1, dtype=torch.float64)
        return SMALL * torch.cat([base.unsqueeze(-1) ** powers for base in (tau, tau, v)], dim=-1)

    def network(self) -> Recorded:
        """Return the network that returns the polynomials."""

        def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
            lam = log_snr(level) if level.scale else -math.inf
            value = self.at(torch.tensor([lam], dtype=torch.float64)).expand(len(x), -1)
            x0 = (x - level.sigma * value) / level.scale if level.scale else torch.zeros_like(value)
            eps = (
                (x - level.scale * value) / level.sigma if level.sigma else torch.zeros_like(value)
            )
            own = torch.arange(value.shape[1]) <= DEGREE
            return torch.where(own, value, x0), torch.where(own, eps, value)

        return Recorded(pair)

    def without_data(self, level: Level) -> Tensor:
        """Return the input (1, elements) of which `x0` is predicted as 0, and 0 where `x0` is
        what is given.
        """
        lam = log_snr(level) if level.scale else -math.inf
        value = level.sigma * self.at(torch.tensor([lam], dtype=torch.float64))
        return torch.where(torch.arange(value.shape[1]) <= DEGREE, 0.0, value)

    def step(self, y: Tensor, before: Level, after: Level, kappa: float) -> Tensor:
        """Return the exact step of `y` (elements,); Gauss's rule on 12 nodes is exact to
        rounding for steps below 2.
        """
        start, end = log_snr(before), log_snr(after)
        middle, half = (start + end) / 2, (end - start) / 2
        lam = torch.as_tensor(middle + half * _NODES)
        value, weight = self.at(lam), torch.as_tensor(half * _WEIGHTS)
        own = torch.arange(value.shape[1]) <= DEGREE
        x0 = (
            math.exp(-kappa * (end - start)) * y
            + kappa * (weight * torch.exp(-kappa * (end - lam))) @ value
        )
        return torch.where(own, x0, y - kappa * (weight * torch.exp(-lam)) @ value)


def order_conditions(
    sampler: Sampler, steps: Sequence[int] = STEPS, known: slice = EVERY
) -> OrderConditions:
    """Return degree and local order of a sampler's steps; of its mean, for one that draws.

    `known` are the calls that are states on another network.
    """
    start = torch.zeros(1, 3 * (DEGREE + 1), dtype=torch.float64)
    pilots = [
        trajectory(sampler, _Sources(0.0, 1.0).network(), start + 1, n, Draws()).calls
        for n in steps[:2]
    ]
    pilot, past = pilots[0], past_start(steps[:2], list(map(len, pilots)))
    window = between([call.level for call in pilot], sampler.data_std, past)
    if window is None:
        return OrderConditions(-1, None, "no steps between its start and low noise")
    sources = _Sources(*window)
    # Where x0 is 0: at pure noise nothing else has a finite one, and a state far from it would
    # drown what steps do.
    start = sources.without_data(pilot[0].level) / moved_by_start(pilot[0].x)
    runs = [trajectory(sampler, sources.network(), start, count, Draws()).calls for count in steps]
    kappa = 1 + (sampler.noise or 0.0) ** 2
    calls = [len(run) for run in runs]
    tried = states_tried(steps, calls, known)
    results = [_judged(steps, [run[states] for run in runs], sources, kappa) for states in tried]
    return best(results, tried, calls_a_step(steps, calls))


def _judged(
    steps: Sequence[int], runs: Sequence[list[Call]], sources: _Sources, kappa: float
) -> OrderConditions:
    """Return the conditions that the steps between the states `runs` satisfy."""
    errors = torch.stack([_total_defect(run, sources, kappa) for run in runs])
    exact = (errors < EXACT).all(0).reshape(3, DEGREE + 1)
    degree = max(int(row.long().cumprod(0).sum()) - 1 for row in exact)
    inexact = errors[:, ~exact.reshape(-1)]
    return OrderConditions(degree, *fitted(steps, inexact.norm(dim=1).tolist()))


def _total_defect(calls: list[Call], sources: _Sources, kappa: float) -> Tensor:
    """Return the sum over the steps of their differences (elements,) from the exact ones, in
    units of the state.
    """
    total = torch.zeros(calls[0].x.shape[1], dtype=torch.float64)
    for before, after in pairwise(calls):
        if weight := bump(before.level, after.level, sources):
            y, y_next = before.x[0] / before.level.scale, after.x[0] / after.level.scale
            difference = (y_next - sources.step(y, before.level, after.level, kappa)).abs()
            total += weight * difference / SMALL / math.hypot(1.0, ratio(after.level))
    return total
