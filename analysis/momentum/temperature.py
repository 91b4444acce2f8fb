r"""G5: with the noise outside the momentum, small steps sample a cooled target, `pi^c / Z`."""

from __future__ import annotations

import math

import sympy as sp
import torch
from pydantic import JsonValue

from ams.grid_function import GridFunction
from ams.laws.gaussian import GaussianLaw
from ams.laws.phase_space import momentum_variable, stationary
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.laws.stationary import frozen
from ams.laws.symbolic import a, lam, x
from ams.metrics import gaussian_kl, gaussian_w2, half_line
from ams.samplers import constant, momentum, momentum_rule
from ams.targets import CLEAN
from analysis.momentum.settings import Settings
from analysis.momentum.transition import C, symbols
from analysis.proofs import left_over
from analysis.targets import two_modes
from verdicts import Measurement, check

MIXTURE_BETA = 0.5


@check("G5.limit")
def gaussian_limit_is_cooled(settings: Settings) -> Measurement:
    """`lim_{a -> 0} lam Var x = 1 / c`: the variance of `pi^c`, not of `pi`."""
    _, _, covariance = symbols()
    return left_over(sp.limit(lam * covariance[0, 0], a, 0) - 1 / C)


@check("G5.flux")
def tempered_law_is_stationary(settings: Settings) -> Measurement:
    """As a -> 0 the momentum is the score: a step adds `a v s` and noise of variance `2 a D`, both read off the step.

    For an arbitrary density `pi`, `dx = v grad log pi dt + sqrt(2 D) dw` has no flux at `p = pi^c`:
    `v (log pi)' p - D p' = 0`, so that `v / D = c`.
    """
    matrix, spread, _ = symbols()
    speed = (matrix[0, 1] + (1 - matrix[0, 0]) / lam) / a  # of the momentum and of the score, -lam x, that it joins
    diffusion = spread[0] ** 2 / (2 * a)
    pi = sp.Function("pi", positive=True)(x)
    law = pi**C
    return left_over(speed * sp.diff(sp.log(pi), x) * law - diffusion * sp.diff(law, x))


def limiting_bias(beta: float, multiplicity: float = 1.0) -> tuple[float, float]:
    """Return W2 and KL to the target of the stationary law at a step so small (u = 1e-9) that its limit is reached."""
    law = GaussianLaw([1.0], multiplicity=multiplicity)
    variance = law.moments(frozen(law, 1e-9, beta).x).variance
    arguments = (torch.zeros(1), variance, torch.zeros(1), torch.ones(1), law.multiplicity)
    doubled = [argument.double() for argument in arguments]
    return gaussian_w2(*doubled), gaussian_kl(*doubled)


@check("G5.w2")
def limiting_w2(settings: Settings) -> Measurement:
    """Return W2 in units of the target's standard deviation at b = 0.9, a -> 0: `b / (1 + b)`."""
    return Measurement(value=limiting_bias(0.9)[0])


@check("G5.kl")
def limiting_kl(settings: Settings) -> Measurement:
    """Return KL(law || target) at b = 0.9, a -> 0: `(1/c - 1 + ln c) / 2` nats a direction."""
    return Measurement(value=limiting_bias(0.9)[1], unit="nats")


@check("G5.dimension")
def bias_grows_with_dimension(settings: Settings) -> Measurement:
    """Return KL in 3072 dimensions at b = 0.9 over what a direction's closed form gives for them."""
    c = 1.9**2
    return Measurement(value=limiting_bias(0.9, 3072.0)[1] / (3072 * (1 / c - 1 + math.log(c)) / 2))


def mixture_law(size: float) -> GridFunction:
    """Return constant momentum's stationary density on the mixture .3/.7 at -1/+1, sd .5, by a law in phase space."""
    target, memory = two_modes(), momentum_variable(two_modes(), size, MIXTURE_BETA, nodes=8)
    return stationary(target, momentum(momentum_rule(constant(MIXTURE_BETA))), size, memory).density


def mixture_power(power: float = 1.0) -> GridFunction:
    """Return the mixture's normalised power."""
    return NodeAlgebra(two_modes()).exact(CLEAN, power)


@check("G5.mixture")
def mixture_is_cooled(settings: Settings) -> Measurement:
    """Return the mass left of 0 at b = 0.5 less that of `pi^c`, extrapolated to a = 0 from two steps."""
    steps = (settings.mixture_step, settings.mixture_step / 2)
    coarse, fine = (half_line(mixture_law(size)) for size in steps)
    cooled = half_line(mixture_power((1 + MIXTURE_BETA) ** 2))
    detail: dict[str, JsonValue] = {"at the steps": [coarse, fine], "pi^c": cooled, "pi": half_line(mixture_power())}
    return Measurement(value=2 * fine - coarse - cooled, detail=detail)
