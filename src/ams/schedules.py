"""Noise levels and the processes they belong to.

A process perturbs data `x_0` to `x_t = r(t) x_0 + sigma(t) z`, `z ~ N(0, I)`: `r` is the *scale* (mean factor),
`sigma` the noise's standard deviation. Variance ve_level (VE): `r = 1`. Variance vp_level (VP):
`r^2 + sigma^2 = 1`. A sampler walks a list of `Level`s from the noisiest to the least noisy; a level is all that
a step may know about where it stands.

Source of the formulas: Song et al., *Score-Based Generative Modeling through SDEs* (arXiv 2011.13456), section 3.4
and appendix B-C; the table conventions are those of the released code of arXiv 2405.13726.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np


class Level(NamedTuple):
    """One noise level, as a step sees it: `x_t = scale x_0 + sigma z`.

    `number` counts times from 0 (noisiest); `t` is the process time (nan where a schedule has none); `alpha` the
    factor of a corrector's step size (1 for VE, the discrete step's `1 - b_i` for VP); `step` the step size `a`
    that the schedule prescribes (nan where the step finds its own); `next` the level that follows, None at the
    end. All dimensionless but `step`, which has the unit of `x` squared.
    """

    number: int
    sigma: float
    scale: float = 1.0
    t: float = math.nan
    alpha: float = 1.0
    step: float = math.nan
    next: Level | None = None


def linked(levels: Sequence[Level]) -> list[Level]:
    """Return the same levels, each with its successor as `next` (the last one has None)."""
    chained: list[Level] = []
    following: Level | None = None
    for level in reversed(levels):
        following = level._replace(next=following)
        chained.append(following)
    return chained[::-1]


def geometric_sigmas(first: float, last: float, count: int) -> np.ndarray:
    """Return `count` noise levels in geometric progression from `first` down to `last` (NCSN, arXiv 1907.05600).

    Raises ValueError unless `first >= last > 0` and `count >= 1`.
    """
    if not (first >= last > 0 and count >= 1):
        raise ValueError(f"geometric levels need first >= last > 0 and count >= 1, got {first}, {last}, {count}")
    return np.exp(np.linspace(math.log(first), math.log(last), count))


def karras_sigmas(first: float, last: float, count: int, rho: float = 7.0) -> np.ndarray:
    """Return `(first^(1/rho) + i / (count - 1) (last^(1/rho) - first^(1/rho)))^rho`, falling with i = 0, 1, ...

    EDM's equation 5 (arXiv 2206.00364) without the closing zero; as `rho` grows it tends to the geometric levels.
    Raises ValueError unless `first >= last > 0`, `count >= 2` and `rho > 0`.
    """
    if not (first >= last > 0 and count >= 2 and rho > 0):
        raise ValueError(f"EDM's levels need first >= last > 0, count >= 2, rho > 0: {first}, {last}, {count}, {rho}")
    return np.linspace(first ** (1 / rho), last ** (1 / rho), count) ** rho


def ve_levels(sigmas: Sequence[float] | np.ndarray) -> list[Level]:
    """Return linked variance-ve_level levels at `sigmas`, noisiest first; the last may be 0.

    Raises ValueError unless they fall from each to the next.
    """
    if not all(high > low >= 0 for high, low in pairwise(sigmas)):
        raise ValueError(f"noise levels must fall, and end at 0 or above, got {list(sigmas)}")
    return linked([Level(i, sigma=float(sigma)) for i, sigma in enumerate(sigmas)])


def annealed_levels(sigmas: Sequence[float] | np.ndarray, epsilon: float) -> list[Level]:
    """Levels of an annealed run: step `a_i = epsilon (sigma_i / sigma_L)^2` (arXiv 1907.05600, algorithm 1).

    Raises ValueError for no sigmas, or a last one that is not positive.
    """
    last = float(sigmas[-1]) if len(sigmas) else 0.0
    if not last > 0.0:
        raise ValueError(f"an annealed run needs noise levels that end above 0, got {list(sigmas)}")
    return linked([Level(i, sigma=float(s), step=epsilon * float(s / last) ** 2) for i, s in enumerate(sigmas)])


def ncsnv2_step(sigmas: Sequence[float] | np.ndarray, repeats: int) -> float:
    """Return `epsilon = u sigma_L^2` by NCSNv2's rule (arXiv 2006.09011, technique 4) for `repeats` steps a level.

    Let a sample of a point target have a level's own variance; `T` steps at the next level leave it with `1 + f(u)`
    times that one's, `f(u) = (1-u)^{2T} (g^2 - q) + q - 1 > 0`, `g = sigma_i / sigma_{i+1}`, `q = 2 u / (1 - (1-u)^2)`.
    `u` in [1e-6, 1 - 1e-6] minimises `f`, to 1e-4 relative. Raises ValueError for fewer than two levels.
    """
    if len(sigmas) < 2:
        raise ValueError("the step rule compares neighbouring levels: at least two are needed")
    ratio = float(sigmas[0] / sigmas[1])
    u = np.exp(np.linspace(math.log(1e-6), math.log(1.0 - 1e-6), 200_001))
    stationary = 1.0 / (1.0 - 0.5 * u)
    excess = (1.0 - u) ** (2 * repeats) * (ratio**2 - stationary) + stationary - 1.0
    return float(u[excess.argmin()] * sigmas[-1] ** 2)


class Process(Protocol):
    """A forward process with its discretisation into `n` steps, as the released code tabulates it."""

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(scale, sigma)` of `x_t` given `x_0` at time `t` in [0, 1]."""
        ...

    def diffusion2(self, t: float) -> float:
        """Return `g(t)^2` of the forward SDE `dx = f(t) x dt + g(t) dw`."""
        ...

    def drift(self, t: float) -> float:
        """Return `f(t)` of the forward SDE `dx = f(t) x dt + g(t) dw`."""
        ...

    def alpha(self, index: int, n: int) -> float:
        """Return the corrector's step factor at table index `index` of `n`."""
        ...


@dataclass(frozen=True)
class VE:
    """Variance ve_level: `sigma(t) = sigma_min (sigma_max / sigma_min)^t`, scale 1."""

    sigma_min: float
    sigma_max: float

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(1, sigma(t))`."""
        return 1.0, self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def diffusion2(self, t: float) -> float:
        """Return `g^2 = d sigma^2 / dt = 2 sigma(t)^2 ln(sigma_max / sigma_min)`."""
        return 2.0 * self.marginal(t)[1] ** 2 * math.log(self.sigma_max / self.sigma_min)

    def drift(self, t: float) -> float:
        """Return 0: the forward process has no drift."""
        return 0.0

    def alpha(self, index: int, n: int) -> float:
        """Return 1."""
        return 1.0

    def table(self, n: int) -> np.ndarray:
        """Return the discrete levels `geomspace(sigma_min, sigma_max, n)`, least noisy first."""
        return np.exp(np.linspace(math.log(self.sigma_min), math.log(self.sigma_max), n))


@dataclass(frozen=True)
class VP:
    """Variance vp_level with linear `beta(t) = beta_min + t (beta_max - beta_min)`.

    `log scale(t) = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2`, `sigma^2 = 1 - scale^2`.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def beta(self, t: float) -> float:
        """Return the rate `beta(t)`."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(exp(l), sqrt(1 - exp(2 l)))`, the second by expm1: exact as t -> 0."""
        log_scale = -(t**2) * (self.beta_max - self.beta_min) / 4 - t * self.beta_min / 2
        return math.exp(log_scale), math.sqrt(-math.expm1(2 * log_scale))

    def diffusion2(self, t: float) -> float:
        """Return `g^2 = beta(t)`."""
        return self.beta(t)

    def drift(self, t: float) -> float:
        """Return `-beta(t) / 2`."""
        return -0.5 * self.beta(t)

    def alpha(self, index: int, n: int) -> float:
        """Return `1 - b_i`, a step's alpha (not the mean factor)."""
        return 1.0 - float(self.table(n)[index])

    def table(self, n: int) -> np.ndarray:
        """Return `b = linspace(beta_min / n, beta_max / n, n)`, the discrete steps' rates."""
        return np.linspace(self.beta_min / n, self.beta_max / n, n)


@dataclass(frozen=True)
class SubVP(VP):
    """Sub-VP: the VP scale with `sigma = 1 - scale^2` (arXiv 2011.13456, equation 29)."""

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(exp(l), 1 - exp(2 l))`."""
        scale, sigma = super().marginal(t)
        return scale, sigma**2

    def diffusion2(self, t: float) -> float:
        """Return `g^2 = beta(t) (1 - exp(-2 int_0^t beta))`."""
        scale, _ = super().marginal(t)
        return self.beta(t) * (1.0 - scale**4)


def table_index(t: float, n: int) -> int:
    """Return `floor(t (n - 1))`, the released code's index into an `n`-entry table."""
    return int(t * (n - 1))


def process_levels(process: Process, n: int, t_end: float, t_start: float = 1.0) -> list[Level]:
    """Levels at `n` equally spaced times from `t_start` to `t_end`, both included.

    Scale and sigma are the process's at the continuous time; `alpha` comes from the table (the release's mixture of
    the two is kept: DESIGN, "Predictors").
    """
    levels = []
    for index, t in enumerate(np.linspace(t_start, t_end, n)):
        scale, sigma = process.marginal(float(t))
        alpha = process.alpha(table_index(float(t), n), n)
        levels.append(Level(index, sigma=sigma, scale=scale, t=float(t), alpha=alpha))
    return linked(levels)
