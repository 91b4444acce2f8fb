"""K13: critically damped Langevin diffusion among the samplers, with the data's own score.

The algebra is at the head of `ams.samplers.critically_damped`, whose formulas the first check applies to symbols.
"""

from typing import NamedTuple

import numpy as np
import sympy as sp

from ams.samplers.critically_damped import cld_exponential, cld_splitting, noise_and_rate
from analysis.proofs import left_over
from beyond.kinetic_langevin.family import Kind
from beyond.kinetic_langevin.invariance_and_order import kl_on_a_point
from beyond.kinetic_langevin.nfe_comparison import nfe_ratio
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement

STEPS = {"CLD, exponential": cld_exponential, "CLD, splitting": cld_splitting}


class Symbols(NamedTuple):
    """The diffusion at time t, rational in t and `E = exp(-t)`: r_1, n, Q, `sigma^2` and the squared rate."""

    t: sp.Symbol
    fade: sp.Symbol
    one: sp.Matrix
    across: sp.Matrix
    noise: sp.Matrix
    sigma2: sp.Expr
    rate2: sp.Expr

    @property
    def size(self) -> sp.Expr:
        """Return `N = n^T Q n`."""
        return (self.across.T * self.noise * self.across)[0]

    @property
    def basis(self) -> sp.Matrix:
        """Return `C = (r_1, Q n)`, for the coordinates `y - D` and, but for its sign, `p / sqrt N` of `z - r_1 D`."""
        return sp.Matrix.hstack(self.one, self.noise * self.across)

    def drift(self, share: int) -> sp.Matrix:
        """Return the matrix of these coordinates' drift `A z - diag(0, 2 share) s`, for a constant D.

        The score is `s = -Q^-1 (z - r_1 D)`, and `r_1' = A r_1`: D drops out of the drift of `z - r_1 D`. A `share`
        of 1 is the probability flow's, 2 that of the reverse SDE.
        """
        matrix = sp.Matrix([[0, 1], [-1, -2]]) + sp.diag(0, 2 * share) * self.noise.adjugate() / self.noise.det()
        return self.basis.adjugate() * (matrix * self.basis - self.slope(self.basis)) / self.basis.det()

    def slope(self, value: sp.Basic) -> sp.Basic:
        """Return the derivative by t."""
        return value.diff(self.t) - self.fade * value.diff(self.fade)


def diffusion() -> Symbols:
    """Return the diffusion on symbols, with the noise level and the rate of the sampler's own code."""
    t, kept, fade = sp.symbols("t kept E", positive=True)  # kept = 1 - gamma
    squares = (part**2 for part in noise_and_rate(t, 1 - kept, sp))
    sigma2, rate2 = (square.subs(sp.exp(t), 1 / fade).subs(sp.exp(-t), fade) for square in squares)
    one, two = fade * sp.Matrix([1 + t, -t]), fade * sp.Matrix([t, 1 - t])
    noise = sp.eye(2) - one * one.T - kept * two * two.T
    return Symbols(t, fade, one, sp.Matrix([t, 1 + t]), noise, sigma2, rate2)


def remainder_of_estimate(settings: Settings) -> Measurement:
    """Measure the operations left in the likelihood's exponent less `(y - x_0)^2 / sigma^2 + p^2`.

    So y is all that position and velocity say of the data, for any data: `E(x_0 | z) = D(y)`.
    """
    of = diffusion()
    x, *z = sp.symbols("x_0 z_1 z_2")
    precision, point = of.noise.adjugate() / of.noise.det(), sp.Matrix(z)
    away = point - x * of.one
    y = of.sigma2 * (of.one.T * precision * point)[0]
    own = (y - x) ** 2 / of.sigma2 + (of.across.T * point)[0] ** 2 / of.size
    return left_over((away.T * precision * away)[0] - own)


def remainder_of_rotation(settings: Settings) -> Measurement:
    """Measure the operations left in the flow of `(xi, p)`, `xi = (y - D) / sigma`, less a rotation at the stated rate.

    `xi` and `p` are the coordinates of `Symbols.basis` over sigma and times sqrt N. So both diagonal entries of the
    drift G must undo that scaling, and its others be `rate sigma sqrt N` and `-rate / (sigma sqrt N)`; the sign of p is
    free.
    """
    of = diffusion()
    flow = of.drift(1)
    return left_over(
        flow[0, 0] - of.slope(of.sigma2) / (2 * of.sigma2),
        flow[1, 1] + of.slope(of.size) / (2 * of.size),
        flow[0, 1] * flow[1, 0] + of.rate2,
        flow[0, 1] + flow[1, 0] * of.sigma2 * of.size,
    )


def remainder_of_reverse_sde(settings: Settings) -> Measurement:
    """Measure the operations left in the reverse SDE of y less the data's own, `dy = 2 (D - y) dl + sqrt(2) sigma dB`.

    In time t the latter's drift of `y - D` is `(y - D) d(ln sigma^2)/dt`, and its noise adds `d(sigma^2)/dt` to the
    variance. So p must not enter the drift, and the velocity's noise, `(0, 2) dB`, must have that part in `y - D`.
    """
    of = diffusion()
    reverse, spread = of.drift(2), of.basis.adjugate() * sp.Matrix([0, 2]) / of.basis.det()
    growth = of.slope(of.sigma2)
    return left_over(reverse[0, 1], reverse[0, 0] - growth / of.sigma2, spread[0] ** 2 - growth)


def largest_kl_on_a_point(settings: Settings) -> Measurement:
    """Measure both integrators' largest KL to a point's distribution, random noise levels (nats)."""
    generator = np.random.default_rng(settings.seed)
    divergences = [kl_on_a_point(step, generator) for step in STEPS.values()]
    return Measurement(value=max(divergences), n=len(divergences), seeds=(settings.seed,), unit="nats")


def least_nfe_ratio_to_ode_solver(settings: Settings) -> Measurement:
    """Measure the lesser evaluations of both integrators over DPM-Solver++'s, with exact scores."""
    ratios = [nfe_ratio(settings, Kind.EXACT, name, "DPM-Solver++") for name in STEPS]
    return min(ratios, key=lambda ratio: ratio.value)
