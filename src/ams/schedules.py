"""Noise schedules: noise levels, and the processes that define them.

A process perturbs data `x_0` to `x_t = r(t) x_0 + sigma(t) z` with `z ~ N(0, I)`. The *scale* `r`
multiplies the mean, `sigma` is the standard deviation of the noise. A variance-exploding process
(VE) has `r = 1`, a variance-preserving one (VP) `r^2 + sigma^2 = 1`. A sampler goes through a list
of `Level`s from the noisiest to the least noisy.

Source: Song et al., *Score-Based Generative Modeling through SDEs* (arXiv 2011.13456), section 3.4
and appendices B and C. Discrete tables follow the code published with arXiv 2405.13726.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np


class Level(NamedTuple):
    """One noise level, `x_t = scale x_0 + sigma z`: all that a step knows about its place in a run.

    `number` counts noise levels from 0, the noisiest. `t` is the process time, nan for a schedule
    without time. `alpha` is the factor of a corrector's step size: 1 for VE, `1 - b_i` of the
    discrete process for VP. `step` is the step size `a` that the schedule prescribes, nan where a
    step computes its own. `next` is the next noise level, None at the end. `sigma` has the unit of
    `x`, `step` the unit of `x` squared; the others have none.
    """

    number: int
    sigma: float
    scale: float = 1.0
    t: float = math.nan
    alpha: float = 1.0
    step: float = math.nan
    next: "Level | None" = None


def linked(levels: Sequence[Level]) -> list[Level]:
    """Return the noise levels, each with its successor as `next`; the last one has None."""
    chained: list[Level] = []
    for level in reversed(levels):
        chained.append(level._replace(next=chained[-1] if chained else None))
    return chained[::-1]


def geometric_sigmas(first: float, last: float, count: int) -> np.ndarray:
    """Return `count` noise levels in geometric progression from `first` down to `last`, as NCSN
    (arXiv 1907.05600).

    Raises ValueError unless `first >= last > 0` and `count >= 1`.
    """
    if not (first >= last > 0 and count >= 1):
        raise ValueError(
            f"geometric levels need first >= last > 0 and count >= 1, got {first}, {last}, {count}"
        )
    return np.exp(np.linspace(math.log(first), math.log(last), count))


def karras_sigmas(first: float, last: float, count: int, rho: float = 7.0) -> np.ndarray:
    """Return the noise levels `(first^(1/rho) + i / (count - 1) (last^(1/rho) -
    first^(1/rho)))^rho`, i = 0, 1, ...

    Source: EDM (arXiv 2206.00364), equation 5, without the last level of 0. As `rho` grows, they
    tend to geometric noise levels. Raises ValueError unless `first >= last > 0`, `count >= 2` and
    `rho > 0`.
    """
    if not (first >= last > 0 and count >= 2 and rho > 0):
        raise ValueError(
            "EDM's levels need first >= last > 0, count >= 2, rho > 0: "
            f"{first}, {last}, {count}, {rho}"
        )
    return np.linspace(first ** (1 / rho), last ** (1 / rho), count) ** rho


def ve_levels(sigmas: Sequence[float] | np.ndarray) -> list[Level]:
    """Return linked noise levels of a VE process, whose last sigma may be 0. ValueError unless
    the sigmas decrease.
    """
    if not all(high > low >= 0 for high, low in pairwise(sigmas)):
        raise ValueError(f"noise levels must fall, and end at 0 or above, got {list(sigmas)}")
    return linked([Level(i, sigma=float(sigma)) for i, sigma in enumerate(sigmas)])


def annealed_levels(sigmas: Sequence[float] | np.ndarray, epsilon: float) -> list[Level]:
    """Return the noise levels of an annealed run, with steps `a_i = epsilon (sigma_i / sigma_L)^2`.

    Source: NCSN (arXiv 1907.05600), algorithm 1. Raises ValueError for no sigmas and for a last
    sigma of 0 or less.
    """
    last = float(sigmas[-1]) if len(sigmas) else 0.0
    if not last > 0.0:
        raise ValueError(f"an annealed run needs noise levels that end above 0, got {list(sigmas)}")
    return linked(
        [
            Level(i, sigma=float(s), step=epsilon * float(s / last) ** 2)
            for i, s in enumerate(sigmas)
        ]
    )


def ncsnv2_step(sigmas: Sequence[float] | np.ndarray, repeats: int) -> float:
    """Return NCSNv2's step size `epsilon = u sigma_L^2` for `T = repeats` steps at each noise
    level.

    On a point target, a sample with the variance of one noise level has after `T` steps at the next
    one `1 + f(u)` times the variance of that level: `f(u) = (1-u)^{2T} (g^2 - q) + q - 1`, `g =
    sigma_i / sigma_{i+1}`, `q = 2 u / (1 - (1-u)^2)`. The rule takes the `u` in [1e-6, 1 - 1e-6]
    with the least `f`, to 1e-4 relative. Source: Song and Ermon (arXiv 2006.09011), technique 4.
    Raises ValueError for fewer than two noise levels.
    """
    if len(sigmas) < 2:
        raise ValueError(
            "the step rule compares neighbouring noise levels: at least two are needed"
        )
    ratio = float(sigmas[0] / sigmas[1])
    u = np.exp(np.linspace(math.log(1e-6), math.log(1.0 - 1e-6), 200_001))
    stationary = 1.0 / (1.0 - 0.5 * u)
    excess = (1.0 - u) ** (2 * repeats) * (ratio**2 - stationary) + stationary - 1.0
    return float(u[excess.argmin()] * sigmas[-1] ** 2)


class Process(Protocol):
    """A forward process `dx = f(t) x dt + g(t) dw`, t in [0, 1], and its table of `n` discrete
    steps.
    """

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(scale, sigma)` of `x_t` given `x_0`."""

    def diffusion2(self, t: float) -> float:
        """Return `g(t)^2`."""

    def drift(self, t: float) -> float:
        """Return `f(t)`."""

    def alpha(self, index: int, n: int) -> float:
        """Return the factor of a corrector's step size at entry `index` of a table of `n`."""


@dataclass(frozen=True)
class VE:
    """The variance-exploding process: `sigma(t) = sigma_min (sigma_max / sigma_min)^t`, scale 1."""

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
        """Return the discrete sigmas `geomspace(sigma_min, sigma_max, n)`, least noisy first."""
        return np.exp(np.linspace(math.log(self.sigma_min), math.log(self.sigma_max), n))


@dataclass(frozen=True)
class VP:
    """The variance-preserving process with the linear rate `beta(t) = beta_min + t (beta_max -
    beta_min)`.

    `log scale(t) = -t^2 (beta_max - beta_min) / 4 - t beta_min / 2`, `sigma^2 = 1 - scale^2`.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def beta(self, t: float) -> float:
        """Return the rate `beta(t)`."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def marginal(self, t: float) -> tuple[float, float]:
        """Return `(exp(l), sqrt(1 - exp(2 l)))` for `l = log scale(t)`; expm1 loses no digits as
        t -> 0.
        """
        log_scale = -(t**2) * (self.beta_max - self.beta_min) / 4 - t * self.beta_min / 2
        return math.exp(log_scale), math.sqrt(-math.expm1(2 * log_scale))

    def diffusion2(self, t: float) -> float:
        """Return `g^2 = beta(t)`."""
        return self.beta(t)

    def drift(self, t: float) -> float:
        """Return `-beta(t) / 2`."""
        return -0.5 * self.beta(t)

    def alpha(self, index: int, n: int) -> float:
        """Return `1 - b_i` of discrete step `index`, which is not the mean factor."""
        return 1.0 - float(self.table(n)[index])

    def table(self, n: int) -> np.ndarray:
        """Return the rates of the discrete steps, `b = linspace(beta_min / n, beta_max / n, n)`."""
        return np.linspace(self.beta_min / n, self.beta_max / n, n)


def table_index(t: float, n: int) -> int:
    """Return `floor(t (n - 1))`, the index into a table of `n` entries in the code published
    with arXiv 2405.13726.
    """
    return int(t * (n - 1))


def process_levels(process: Process, n: int, t_end: float, t_start: float = 1.0) -> list[Level]:
    """Return linked noise levels at `n` equally spaced times from `t_start` to `t_end`, both
    included.

    Scale and sigma belong to the continuous time, alpha to the table entry: the code published with
    arXiv 2405.13726 mixes the two in this way.
    """
    levels = []
    for index, t in enumerate(np.linspace(t_start, t_end, n)):
        scale, sigma = process.marginal(float(t))
        alpha = process.alpha(table_index(float(t), n), n)
        levels.append(Level(index, sigma=sigma, scale=scale, t=float(t), alpha=alpha))
    return linked(levels)
