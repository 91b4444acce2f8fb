r"""Where adaptive momentum contracts to its limit on a Gaussian target, with all constants: claim
H2.

In the mean field the coefficient is constant at the limit, `b`. A run with the limit's noise
differs from it by `v` in position, `w` in momentum, `q` in the last move and `delta` in the
coefficient. With m and s the limit's momentum and score, m' its next momentum, and T the transition
of claim G1,

    (v, w)_{n+1} = T_{b + delta_n} (v, w)_n + delta_n G_n,
    G = (a (1 + b + delta)^2 (m - s) + a (2 (1 + b) + delta) m', m - s).

Let Lam be the precision and `|.|` the norm in L2. The rule reads `rho = E|Lam D| / E|m|`, D the
last move, so that

    |rho_n - rho| <= y_n / (E|m| - |w_n|),         y = |Lam q| + rho |w|.

This is a loop: delta acts on y by a sum of responses to G, y on delta by the rule's slope. Where
their product, the `gain`, is below 1, small differences shrink. How small is told by a bound on
products of `T_{b + delta}`: in the coordinates in which T_b is diagonal, sizes of components grow
by at most a matrix without negative entries.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from scipy.optimize import brentq, minimize_scalar

from ams.laws.contraction import Chain
from ams.laws.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen
from analysis.adaptive.study import stationary

Number: TypeAlias = Any
"""A number, an array or a SymPy expression."""


class Bounds(NamedTuple):
    """If `|Lam v|`, `|w|` and `|Lam q|` are at most `start` at first, then at each step n, with the
    loop's rate r:

    `|Lam v| <= score r^n`, `|w| <= momentum r^n`, `|delta| <= coefficient r^n`. A `start` of -1:
    nothing is shown.
    """

    start: float
    score: float
    momentum: float
    coefficient: float


NOTHING = Bounds(-1.0, math.inf, math.inf, math.inf)


@dataclass(frozen=True)
class Loop:
    """Adaptive momentum's mean field at base step `step` (a), on a Gaussian with these precisions.

    `share` sets the rate r of all bounds: `1 - r` is this share of the slowest direction's. With 0
    they hold at every step without a rate. `multiplicity` counts the directions of each precision,
    by default one. Raises ValueError where a direction oscillates: all is for positive eigenvalues
    of T.
    """

    step: float
    precisions: tuple[float, ...]
    share: float = 0.5
    multiplicity: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if np.iscomplexobj(self._eigen.eigenvalues) or self._eigen.eigenvalues.min() <= 0:
            raise ValueError(f"a direction oscillates at step {self.step:g}: no bound is known")

    @cached_property
    def beta(self) -> float:
        """The limit's coefficient b."""
        return stationary(self._law, self.step).beta

    @cached_property
    def rate(self) -> float:
        """The rate r."""
        return float(1 - self.share * (1 - self._eigen.eigenvalues.max()))

    @cached_property
    def gain(self) -> float:
        """The loop's gain for small differences. Below 1, each start that is near enough tends to
        the limit.
        """
        return float(self._slope(0.0) * self._linear[2] / self.mean_norm)

    @cached_property
    def mean_norm(self) -> float:
        """`E|m|` in the limit."""
        return self._expected(self.covariance[:, 1, 1])

    @cached_property
    def ratio(self) -> float:
        """`rho` in the limit."""
        return self._expected(self._moves) / self.mean_norm

    @cached_property
    def bounds(self) -> Bounds:
        """The bounds with the largest start."""
        if self.gain >= 1:
            return NOTHING
        most = math.log(1 - self.beta)
        least = lambda size: -self.within(math.exp(size)).start  # noqa: E731
        return self.within(
            math.exp(minimize_scalar(least, bounds=(most - 12, most), method="bounded").x)
        )

    def within(self, delta: float) -> Bounds:
        """Return the bounds with `delta` as the coefficient's, for the largest start from which
        they follow.
        """
        growth = self.growth(delta) / self.rate
        if np.linalg.eigvals(growth).max() >= 1:
            return NOTHING
        free, forced = self._free(growth, delta), delta * self._forced(growth, delta)

        def excess(start: float) -> float:
            _, momentum, output = start * free + forced
            left = max(self.mean_norm - momentum, 1e-9 * self.mean_norm)
            return self._slope(output / left) * output / left - delta

        if excess(0.0) >= 0:
            return NOTHING
        start = brentq(excess, 0.0, self.mean_norm / free[1])
        score, momentum, _ = start * free + forced
        return Bounds(start, float(score), float(momentum), delta)

    def transition(self, beta: float) -> np.ndarray:
        """Return `T_beta` of `(Lam v, w)`, shape (directions, 2, 2)."""
        scale = np.stack([self._lam, np.ones_like(self._lam)], axis=1)
        chain = Chain(beta, self.step, self._lam.min(), self._lam.max())
        return (
            np.stack([chain.transition(each) for each in self._lam])
            * scale[:, :, None]
            / scale[:, None, :]
        )

    @cached_property
    def matrix(self) -> np.ndarray:
        """`T_b` of `(Lam v, w)`, shape (directions, 2, 2)."""
        return self.transition(self.beta)

    @cached_property
    def covariance(self) -> np.ndarray:
        """The limit's covariance of `(Lam x, m)`, shape (directions, 2, 2)."""
        state = frozen(self._law, self.step, self.beta)
        both = state.x * torch.from_numpy(self._lam)[:, None], state.m
        entries = [[self._law.covariance(one, other).numpy() for other in both] for one in both]
        return np.moveaxis(np.array(entries), -1, 0)

    @cached_property
    def modes(self) -> np.ndarray:
        """The coordinates in which T is diagonal: its eigenvectors, shape (directions, 2, 2)."""
        return self._eigen.eigenvectors

    @cached_property
    def _eigen(self) -> Any:
        return np.linalg.eig(self.matrix)

    @cached_property
    def _into(self) -> np.ndarray:
        return np.linalg.inv(self.modes)

    def growth(self, delta: float) -> np.ndarray:
        """Return what bounds each `|T_{b + d}|` in the modes, `|d| <= delta`, entry by entry;
        (directions, 2, 2).
        """
        bound = np.abs(self._eigen.eigenvalues)[:, :, None] * np.eye(2)
        for power, term in enumerate(change(self.step * self._lam[:, None, None], self.beta), 1):
            entries = np.block(
                [[np.broadcast_to(e, (len(self._lam), 1, 1)) for e in row] for row in term]
            )
            bound = bound + delta**power * np.abs(self._into @ entries @ self.modes)
        return bound

    @property
    def _lam(self) -> np.ndarray:
        return np.array(self.precisions)

    @property
    def _count(self) -> np.ndarray:
        return np.array(self.multiplicity or [1.0] * len(self.precisions), dtype=float)

    @cached_property
    def _law(self) -> GaussianLaw:
        return GaussianLaw(1 / self._lam, multiplicity=self._count)

    def _expected(self, variance: np.ndarray) -> float:
        v = torch.from_numpy(variance)
        return expected_norm(torch.zeros_like(v), v, self._law.multiplicity)

    @cached_property
    def _moves(self) -> np.ndarray:
        """The variance of `Lam D` in each direction."""
        drift = self.step * (1 + self.beta) ** 2
        return self._lam**2 * (drift**2 * self.covariance[:, 1, 1] + 2 * self.step)

    @cached_property
    def _kick(self) -> np.ndarray:
        """The covariance of `(Lam, 1) G` at delta = 0, added over the directions of each
        precision.
        """
        own = np.ones((len(self._lam), 2))  # m - s of (Lam x, m)
        moved = (
            self.step
            * self._lam[:, None]
            * (1 + self.beta)
            * ((1 + self.beta) * own + 2 * self.matrix[:, 1])
        )
        kick = np.stack([moved, own], axis=1)
        return self._count[:, None, None] * (kick @ self.covariance @ kick.mT)

    def _added(self, delta: float) -> np.ndarray:
        """What `|d| <= delta` adds at most to the size of `Lam G`'s position, for each
        precision.
        """
        own, momentum = np.sqrt(self.covariance.sum(axis=(1, 2))), np.sqrt(self.covariance[:, 1, 1])
        sizes = (2 * (1 + self.beta) + delta) * own + momentum
        return delta * self.step * self._lam * sizes * np.sqrt(self._count)

    def _rows(self, delta: float) -> np.ndarray:
        """Rows that read `Lam v`, `w`, `a (1 + b + delta)^2 Lam w` from `(Lam v, w)`; shape (3,
        directions, 1, 2).
        """
        rows = np.zeros((3, len(self._lam), 1, 2))
        rows[0, :, 0, 0] = rows[1, :, 0, 1] = 1.0
        rows[2, :, 0, 1] = self.step * self._lam * (1 + self.beta + delta) ** 2
        return rows

    def _outputs(self, sizes: np.ndarray, delta: float = 0.0) -> np.ndarray:
        """Make `|Lam v|`, `|w|` and y of the three rows' sizes; `delta` is the coefficient's own
        share in the move.
        """
        drift = (
            self.step
            * math.sqrt((self._count * self._lam**2) @ self.covariance[:, 1, 1])
            / self.rate
        )
        return np.array([sizes[0], sizes[1], sizes[2] + self.ratio * sizes[1] + delta * drift])

    @cached_property
    def _linear(self) -> np.ndarray:
        """The sums of responses to G over time, each over r to the time, with powers of T_b."""
        sums = summed(self.matrix / self.rate, self._kick / self.rate**2, self._rows(0.0))
        return self._outputs(sums, 2 * (1 + self.beta))

    def _forced(self, growth: np.ndarray, delta: float) -> np.ndarray:
        """Return bounds of `|Lam v|`, `|w|`, y over `r^n` where each G is multiplied by `r^n` at
        most.
        """
        into, kick = (
            self._into,
            np.sqrt(np.einsum("dij,djk,dik->di", self._into, self._kick, self._into)),
        )
        # what the bound on products gives, less what it gives without delta
        both = np.zeros((len(growth), 4, 4))
        both[:, :2, :2], both[:, 2:, 2:] = growth, self.growth(0.0) / self.rate
        start = (
            np.concatenate(
                [kick + np.abs(into[:, :, 0]) * self._added(delta)[:, None], kick], axis=1
            )
            / self.rate
        )
        rows = [sign * self._rows(by) @ np.abs(self.modes) for sign, by in ((1, delta), (-1, 0.0))]
        more = summed(both, start[:, :, None] * start[:, None], np.concatenate(rows, axis=3))
        return self._linear + self._outputs(more, delta)

    def _free(self, growth: np.ndarray, delta: float) -> np.ndarray:
        """Return bounds of `|Lam v|`, `|w|`, y over `r^n` after a start of size 1 in each of `Lam
        v`, `w`, `Lam q`.
        """
        sizes, rows = np.abs(self._into), self._rows(delta) @ np.abs(self.modes)
        faster = np.abs(np.linalg.eigvals(growth)).min(axis=1).max()
        largest = np.array([1.0, 1.0, 1 + self.ratio])
        for _ in range(math.ceil(40 / -math.log(faster))):  # after that one mode is left, and falls
            of_position_and_momentum = (rows @ sizes).max(axis=1).sum(axis=(1, 2))
            largest = np.maximum(largest, self._outputs(of_position_and_momentum))
            sizes = growth @ sizes
        return largest

    def _slope(self, moved: float) -> float:
        """The rule's largest slope within `moved` of rho: it falls up to rho = 1, and beyond is
        largest at 2.
        """
        return max(slope(max(self.ratio - moved, 0.0)), -slope(2.0))


def slope(rho: Number) -> Number:
    """Return how fast the coefficient falls with rho, `4 (1 - rho) / (1 + rho)^3`."""
    return 4 * (1 - rho) / (1 + rho) ** 3


def change(u: Number, b: Number) -> tuple[tuple[tuple[Number | int, ...], ...], ...]:
    """Return the matrices that multiply d, d^2 and d^3 in `T_{b + d} - T_b` of `(Lam v, w)`, at `u
    = a Lam`.
    """
    first = ((u * (3 * b**2 + 2 * b - 1), u * (3 * b**2 + 4 * b + 1)), (1, 1))
    return first, ((u * (1 + 3 * b), u * (2 + 3 * b)), (0, 0)), ((u, u), (0, 0))


def summed(matrix: np.ndarray, covariance: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bound `sum_j (sum_i r_i M_i^j C_i M_i^j' r_i')^(1/2)` over times j and directions i, for each
    row r.

    By Cauchy-Schwarz over blocks of at most an eighth of the time that has passed. It ends where
    the slowest mode has fallen by 1e-12.
    """
    powers, totals, time = [matrix], np.zeros(len(rows)), 0
    end = 28 / -math.log(np.abs(np.linalg.eigvals(matrix)).max())
    while True:
        level = max(0, (time // 8).bit_length() - 1)
        if level == len(powers):
            powers.append(powers[-1] @ powers[-1])
        block = covariance
        for power in powers[:level]:
            block = block + power @ block @ power.mT
        totals += np.sqrt(2**level * np.maximum((rows @ block @ rows.mT).sum(axis=(1, 2, 3)), 0.0))
        if time > end:
            return totals
        covariance, time = powers[level] @ covariance @ powers[level].mT, time + 2**level
