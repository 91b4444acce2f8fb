r"""The two coupled processes, node features and adjacency, and how the networks' outputs become
scores.

The score is `-f / sigma(t)` for a network `f` that predicts the noise (VP), and `f` itself for one
that was trained on the score (VE; arXiv 2202.02514). The authors' code computes `sigma(t) = sqrt(1
- exp(2 l))` of VP in float32, in which the difference loses the digits that `expm1` keeps.
`float32_noise` does likewise, for replays.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from ams.samplers import (
    AffineTransition,
    Kernel,
    authors_ve_reverse_diffusion,
    authors_vp_reverse_diffusion,
)
from ams.schedules import VE, VP, Level, Process, process_levels
from experiments.graphs.checkpoints import Networks
from experiments.graphs.graph_layout import Layout

Factor: TypeAlias = Callable[[Level], float]
"""`factor(level)`: the score over the network's output."""
CoupledScore: TypeAlias = Callable[[Tensor, Tensor, Level], Tensor]
"""`score(own, partner, level)`: the score of one of the two states, given the other."""


class System(NamedTuple):
    """One of the two processes: its `process`, the factor from a network's output to the score, and
    S4's half step.

    `reverse(n)` is the kernel of reverse diffusion in `n` steps; `half_step(t, h)`, `h < 0`, goes
    from `t` to `t + h`.
    """

    process: Process
    factor: Factor
    reverse: Callable[[int], Kernel]
    half_step: Callable[[float, float], AffineTransition]

    def levels(self, n: int, end: float) -> list[Level]:
        """Return `n` equally spaced times from 1 to `end`, both included."""
        return process_levels(self.process, n, end)


class Pair(NamedTuple):
    """The systems of node features and of the adjacency."""

    features: System
    adjacency: System


def predicted_noise(level: Level) -> float:
    """Return `-1 / sigma(t)`: the network's output is the noise."""
    return -1.0 / level.sigma


def float32_noise(process: VP) -> Factor:
    """Return `-1 / sigma(t)` as the authors' code computes it, in float32."""

    def factor(level: Level) -> float:
        t = torch.tensor(level.t, dtype=torch.float32)
        log_scale = (
            -0.25 * t**2 * (process.beta_max - process.beta_min) - 0.5 * t * process.beta_min
        )
        return -1.0 / torch.sqrt(1.0 - torch.exp(2.0 * log_scale)).item()

    return factor


def ve_system(sigma_min: float, sigma_max: float) -> System:
    """Return a variance-exploding system, whose network predicts the score."""
    process = VE(sigma_min, sigma_max)

    def half_step(t: float, h: float) -> AffineTransition:
        before, after = process.marginal(t)[1], process.marginal(t + h)[1]
        return AffineTransition(1.0, 0.0, math.sqrt(before**2 - after**2))

    return System(
        process, lambda level: 1.0, lambda n: authors_ve_reverse_diffusion(process, n), half_step
    )


def vp_system(beta_min: float, beta_max: float, float32: bool = False) -> System:
    """Return a variance-preserving system, whose network predicts the noise; `float32`: with the
    authors' `sigma(t)`.

    S4's last half step begins below `t = 0`, in few steps so far below that the rate is negative
    there. Then no noise is added; the authors' code takes the root of a negative variance.
    """
    process = VP(beta_min, beta_max)

    def half_step(t: float, h: float) -> AffineTransition:
        # trapezoidal rule, exact for a linear rate
        log_scale = h * (process.beta(t) + process.beta(t + h)) / 4
        return AffineTransition(
            math.exp(-log_scale), 0.0, math.sqrt(max(-math.expm1(2 * log_scale), 0.0))
        )

    factor = float32_noise(process) if float32 else predicted_noise
    return System(process, factor, lambda n: authors_vp_reverse_diffusion(process, n), half_step)


Network: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""`network(x, adjacency)`: a new tensor, of the shape of one of the two."""


def scores(networks: Networks, pair: Pair, layout: Layout) -> tuple[CoupledScore, CoupledScore]:
    """Return the scores of node features and of the adjacency on a ragged batch, as `scores_of`."""
    return scores_of(
        lambda x, adjacency: networks.features(x, adjacency, layout),
        lambda x, adjacency: networks.adjacency(x, adjacency, layout),
        pair,
    )


def scores_of(
    features: Network, adjacency: Network, pair: Pair
) -> tuple[CoupledScore, CoupledScore]:
    """Return the scores of both states from two networks; each call gives a new vector, without
    gradients.
    """

    def of_features(x: Tensor, partner: Tensor, level: Level) -> Tensor:
        with torch.no_grad():
            return features(x, partner).mul_(pair.features.factor(level))

    def of_adjacency(own: Tensor, partner: Tensor, level: Level) -> Tensor:
        with torch.no_grad():
            return adjacency(partner, own).mul_(pair.adjacency.factor(level))

    return of_features, of_adjacency
