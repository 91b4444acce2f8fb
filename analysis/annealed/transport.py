"""Deterministic samplers on the line, exactly: quantiles of the start are moved, each with the
map's derivative.

A vector is a row `(value, derivative by the starting point)` a node, so the steps' linear
combinations act on both and the score returns `(s(x), s'(x) x')`. At the end the density is
`p_0(x_0) / |x'|` at `x`.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtri
from torch import Tensor

from ams.grid_function import GridFunction
from ams.samplers import Particles, Program, State, run, spent
from ams.schedules import Level
from ams.targets import Target


class Transported(NamedTuple):
    """Equally likely nodes at the end: where they are, and the log-density there (nats)."""

    x: np.ndarray
    log_density: np.ndarray


class Nodes(NamedTuple):
    """The nodes of N(0, deviation^2) and their score; `number` of them at the mid-quantiles."""

    target: Target
    deviation: float
    number: int

    def start(self) -> Float[Tensor, "nodes 2"]:
        """Return `(x_0, 1)`."""
        z = torch.from_numpy(ndtri((np.arange(self.number) + 0.5) / self.number))
        return torch.stack([self.deviation * z, torch.ones_like(z)], dim=1)

    def score(self, rows: Float[Tensor, "nodes 2"], level: Level) -> Float[Tensor, "nodes 2"]:
        """Return `(s(x), s'(x) x')`."""
        with torch.enable_grad():
            x = rows[:, :1].detach().requires_grad_()
            s = self.target.score(x, level)
            (slope,) = torch.autograd.grad(s.sum(), x)
        return torch.cat([s.detach(), slope * rows[:, 1:]], dim=1)

    def end(self, rows: Float[Tensor, "nodes 2"]) -> Transported:
        """Return the density at moved nodes, where the map is one to one (else the density is
        only an upper bound).
        """
        start = self.start()[:, 0] / self.deviation
        log_start = -(start.square() + np.log(2 * np.pi)) / 2 - np.log(self.deviation)
        return Transported(rows[:, 0].numpy(), (log_start - rows[:, 1].abs().log()).numpy())

    def run(self, program: Program) -> tuple[Transported, int]:
        """Run a program that draws nothing; returns the nodes at its end and the evaluations."""
        start = State(self.start())
        state, evaluations = spent(run(program, start, self.score, undrawn, Particles()), start)
        return self.end(state.x), evaluations


def undrawn(x: Tensor) -> Tensor:
    """Refuse to draw. Raises ValueError."""
    raise ValueError("a transport is deterministic: its step draws nothing")


def transport_kl(moved: Transported, target: Target, level: Level) -> float:
    """Return `KL(moved || target)` in nats: the mean of the log-ratio over equally likely nodes."""
    at = target.log_density(torch.from_numpy(moved.x)[:, None], level).numpy()
    return float((moved.log_density - at).mean())


def transport_w2(moved: Transported, target: GridFunction) -> float:
    """Return the Wasserstein-2 distance by quantiles: nodes in order against the target's own
    mid-quantiles.
    """
    count = len(moved.x)
    exact = target.normalised().refined(4).primitive().inverse((np.arange(count) + 0.5) / count)
    return float(np.sqrt(np.mean((np.sort(moved.x) - exact) ** 2)))
