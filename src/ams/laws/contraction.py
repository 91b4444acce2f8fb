r"""How fast constant momentum contracts on a strongly log-concave target, with all constants.

The potential's curvature lies in `[m, L]`. Two copies of the chain that share their noise differ by
`v = (dx, dm)`, and a step multiplies `v` by `T(H)`, H the mean Hessian between the copies. Let `c =
(1 + b)^2` and `k = a c (1 - b)`. From `dm` to `dx` the chain is heavy ball's, with transfer
function `k z / ((z - 1)(z - b))`. With `z = rho e^(i t)`,

    (z - 1)(z - b) / z = (rho + b / rho) cos t - (1 + b) + i (rho - b / rho) sin t

runs through an ellipse. Let m < L. By the circle criterion a quadratic form shrinks by `rho` a
step, whatever the Hessians, if and only if the closed ellipse with centre `1 + b` and half-axes
`rho + b / rho` (real) and `rho - b / rho` holds the disc whose diameter is `[k m, k L]`. One case
differs: at `b = 0`, `a = 2 / (L + m)`, the least such `rho` has no form, every larger one has.
Where the ellipse does not hold the disc, there are Hessians on which a difference grows relative to
`rho^n`: then no norm shrinks for the curvature's bounds alone. Heavy ball by the circle criterion:
Ugrinovskii, Petersen and Shames (arXiv 2202.02914); by integral quadratic constraints: Badithela
and Seiler (2019); its cycles: Goujaud, Taylor and Dieuleveut (arXiv 2307.11291).
"""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize_scalar


@dataclass(frozen=True)
class Chain:
    """Constant momentum `beta` in [0, 1), base step `step` > 0 (a), curvature from `smallest`
    (m) to `largest` (L).
    """

    beta: float
    step: float
    smallest: float
    largest: float

    @property
    def gain(self) -> float:
        """Heavy ball's step, `k = a (1 + b)^2 (1 - b)`."""
        return self.step * (1 + self.beta) ** 2 * (1 - self.beta)

    @property
    def offset(self) -> float:
        """The distance h from the ellipse's centre to the disc's."""
        return abs(1 + self.beta - self.gain * (self.smallest + self.largest) / 2)

    @property
    def radius(self) -> float:
        """The disc's radius r."""
        return self.gain * (self.largest - self.smallest) / 2

    def transition(self, curvature: float) -> np.ndarray:
        """Return `T` of `(dx, dm)` at one curvature, shape (2, 2)."""
        drift = self.step * (1 + self.beta) ** 2
        return np.array(
            [
                [1 - drift * (1 - self.beta) * curvature, drift * self.beta],
                [-(1 - self.beta) * curvature, self.beta],
            ]
        )

    @property
    def gaussian_rate(self) -> float:
        """The exact contraction per step on a Gaussian with precisions in `[m, L]`: the largest
        spectral radius.
        """
        real = max(self.offset + self.radius, 2 * math.sqrt(self.beta))
        return (real + math.sqrt(max(real**2 - 4 * self.beta, 0.0))) / 2

    @property
    def vertex(self) -> bool:
        """Does the disc touch the smallest ellipse around it at a vertex? Then `rate` is
        `gaussian_rate`.
        """
        real = self.offset + self.radius
        return real**2 >= 4 * self.beta and self.offset * real >= 4 * self.beta

    @property
    def rate(self) -> float:
        """The least `rho` at which the ellipse holds the disc. Below 1 the chain contracts; else
        no norm shows it.
        """
        if self.vertex:
            return self.gaussian_rate
        room = 1 - self.offset**2 / (4 * self.beta)
        imaginary = self.radius / math.sqrt(room) if room > 0 else math.inf
        return (imaginary + math.sqrt(imaginary**2 + 4 * self.beta)) / 2

    @property
    def slack_rate(self) -> float:
        """The rate at which `metric` shrinks: `rate`, but for a thousandth of the loss `1 -
        rate`.
        """
        return 1 - 0.999 * (1 - self.rate)

    @property
    def _form_rate(self) -> float:
        """The rate for which quadratic forms are made, between `rate` and `slack_rate`: room for
        their rounding.
        """
        return 1 - 0.9995 * (1 - self.rate)

    @cached_property
    def metric(self) -> np.ndarray:
        """The quadratic form P, shape (2, 2), with `T(l)' P T(l) <= slack_rate^2 P` for each
        curvature l in `[m, L]`.

        Of those that `least` looks at it has the least `constant`. Raises ValueError where `rate`
        is not below 1.
        """
        return self.least(self._forgotten)

    @property
    def constant(self) -> float:
        """C in `W2(x_n, y_n) <= C slack_rate^(n-1) W2(x_0, y_0)`; the first step has no
        momentum, as the authors'.
        """
        return self._forgotten(self.metric)

    @property
    def error_constant(self) -> float:
        """How far at most a score error of 1, in L2 under the perturbed chain, moves the limit
        in W2.
        """
        kick = np.array([self.step * (1 + self.beta) ** 2, 1.0]) * (1 - self.beta)

        def grown(form: np.ndarray) -> float:
            return math.sqrt(kick @ form @ kick * np.linalg.inv(form)[0, 0])

        return grown(self.least(grown)) / (1 - self.slack_rate)

    def distance_if_smooth(self, dimension: int, third: float) -> float:
        r"""Return a bound of order `a` on W2 of the stationary distribution to `pi^c / Z`.

        The Hessian's Lipschitz constant is `third` (operator norm), the number of directions
        `dimension`. Langevin's diffusion in `pi^c`, moved by `-l m`, `l = a b c / (1 - b)`, m the
        average of past scores there, follows the chain but for a defect. In L2 its mean given the
        past is `expected` at most, the rest `random`; over the steps the first add up, of the
        second the squares. Raises ValueError where `l L` or `rate` is 1 or more.
        """
        c, a = (1 + self.beta) ** 2, self.step
        lag = a * c * self.beta / (1 - self.beta)
        if lag * self.largest >= 1:
            raise ValueError(f"no bound of order a is known where a b c L >= 1 - b, as at {self}")
        score = math.sqrt(dimension * self.largest / c)
        shift = lag * score / (1 - lag * self.largest)
        turned = c * a**2 / 2 * (c * self.largest * score + dimension * third)
        expected = turned + a * c * self.largest * shift
        random = turned + a * c * self.largest * math.sqrt(2 * dimension * a / 3)
        rho = self.slack_rate
        return self._skew * (expected / (1 - rho) + random / math.sqrt(1 - rho**2)) + shift

    @cached_property
    def _skew(self) -> float:
        """By how much a defect in the position may grow at once: the least `sqrt(P_11
        (P^-1)_11)`.
        """

        def skew(form: np.ndarray) -> float:
            return math.sqrt(form[0, 0] * np.linalg.inv(form)[0, 0])

        return skew(self.least(skew))

    def least(self, constant: Callable[[np.ndarray], float]) -> np.ndarray:
        """Return the quadratic form with the least constant among sums of the two extreme ones.

        These solve the equations of the Kalman-Yakubovich-Popov lemma, by the spectral factors of
        `(w + kL)(w + km)` on the ellipse whose roots lie outside the unit circle, or inside. Raises
        ValueError where `rate` is not below 1.
        """
        if self.rate >= 1:
            raise ValueError(f"no quadratic form shrinks at {self}")
        outside, inside = (self._form(roots) for roots in self._factors)

        def at(share: float) -> np.ndarray:
            return outside / outside[0, 0] + math.exp(share) * inside / inside[0, 0]

        return at(
            minimize_scalar(
                lambda share: constant(at(share)), bounds=(-30.0, 30.0), method="bounded"
            ).x
        )

    def _forgotten(self, form: np.ndarray) -> float:
        """Return `constant` with a quadratic form."""
        after_one = [np.array([1 - self.step * l, -l]) for l in (self.smallest, self.largest)]
        return math.sqrt(np.linalg.inv(form)[0, 0] * max(v @ form @ v for v in after_one))

    @property
    def _at_one(self) -> float:
        """`(w + kL)(w + km)` at the ellipse's end `z = rho`, without cancellation."""
        rho = self._form_rate
        end = -(1 - rho) * (rho - self.beta) / rho
        return (end + self.gain * self.largest) * (end + self.gain * self.smallest)

    @property
    def _factors(self) -> tuple[list[complex], list[complex]]:
        """The roots outside the unit circle, and those inside, of the form that is positive on
        it.
        """
        rho, b = self._form_rate, self.beta
        slope = 8 * b + (rho + b / rho) * (self.gain * (self.smallest + self.largest) - 2 * (1 + b))
        lags = [complex(lag) for lag in np.roots([4 * b, -slope, self._at_one])]  # 1 - cos t
        pairs = [
            (1 - lag + cmath.sqrt(lag * (lag - 2)), 1 - lag - cmath.sqrt(lag * (lag - 2)))
            for lag in lags
        ]
        return [max(pair, key=abs) for pair in pairs], [min(pair, key=abs) for pair in pairs]

    def _form(self, roots: list[complex]) -> np.ndarray:
        """Return the quadratic form that belongs to a spectral factor's roots."""
        rho, b = self._form_rate, self.beta
        scale = rho * math.sqrt(self._at_one) / abs(math.prod(1 - root for root in roots))
        at_one, at_beta = (
            scale * math.prod(z / rho - root for root in roots).real for z in (1.0, b)
        )
        on_position = -at_one / self.gain
        on_momentum = (at_beta / (1 - b) + on_position * self.step * (1 + b) ** 2 * b) / (1 - b)
        residue = np.outer([on_position, on_momentum], [on_position, on_momentum])
        residue[0, 0] -= self.smallest * self.largest
        free = self.transition(0.0)
        form = np.linalg.solve(
            rho**2 * np.eye(4) - np.kron(free.T, free.T), residue.ravel()
        ).reshape(2, 2)
        return (form + form.T) / 2
