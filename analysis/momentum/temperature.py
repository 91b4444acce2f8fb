r"""G5: with the noise outside the momentum, small steps sample a cooled target, `pi^c / Z`."""

from __future__ import annotations

import sympy as sp
import torch
from pydantic import JsonValue
from scipy.integrate import quad
from torch import Tensor

from ams.distances import gaussian_kl, gaussian_w2
from ams.inference import plan_margin
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen
from ams.laws.symbolic import a, lam, x
from ams.ledger import Measurement, check
from ams.noise import Level
from ams.samplers import constant, momentum, momentum_rule, sample
from ams.targets import CLEAN, GaussianMixture
from analysis.momentum.settings import Settings
from analysis.momentum.transition import C, symbols
from analysis.proofs import left_over
from analysis.targets import two_modes

_STEP_BIAS = 0.005  # of the mixture's mass left of 0, at most, at steps of 0.005 and below


@check("G5.limit")
def gaussian_limit_is_cooled(settings: Settings) -> Measurement:
    """`lim_{a -> 0} lam Var x = 1 / c`: the variance of `pi^c`, not of `pi`."""
    _, _, covariance = symbols()
    return left_over(sp.limit(lam * covariance[0, 0], a, 0) - 1 / C)


@check("G5.flux")
def tempered_law_is_stationary(settings: Settings) -> Measurement:
    """As a -> 0 the momentum is the score, and `dx = c grad log pi dt + sqrt(2) dw`; `pi^c` carries no flux there.

    For an arbitrary density `pi`: `c (log pi)' p - p' = 0` at `p = pi^c`.
    """
    c, pi = sp.Symbol("c", positive=True), sp.Function("pi", positive=True)(x)
    law = pi**c
    return left_over(c * sp.diff(sp.log(pi), x) * law - sp.diff(law, x))


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
    """Return KL in 3072 dimensions over KL in one."""
    return Measurement(value=limiting_bias(0.9, 3072.0)[1] / limiting_bias(0.9)[1])


def minority_mass(target: GaussianMixture, power: float = 1.0) -> float:
    """Return the mass left of 0 of `pi^power`, normalised, by quadrature."""

    def density(at: float) -> float:
        return float(torch.exp(power * target.log_density(torch.tensor([[at]], dtype=torch.float64), CLEAN)))

    left, right = (quad(density, *ends, epsabs=1e-12)[0] for ends in ((-8.0, 0.0), (0.0, 8.0)))
    return left / (left + right)


@check("G5.mixture")
def mixture_is_cooled(settings: Settings) -> Measurement:
    """Return the particles' mass left of 0 at b = 0.5, less that of `pi^c`: weights .3/.7 at -1/+1, sd .5.

    Independent particles: a binomial's standard error. The effect claimed is the whole difference of `pi^c` and `pi`.
    """
    target, beta = two_modes(), 0.5
    at = mixture_particles(settings, target, beta)
    share, cooled, whole = (
        float((at < 0).double().mean()),
        minority_mass(target, (1 + beta) ** 2),
        minority_mass(target),
    )
    error = (cooled * (1 - cooled) / at.numel()) ** 0.5
    planned = plan_margin(error, effect=(whole - cooled) / 2, bias=_STEP_BIAS)
    detail: dict[str, JsonValue] = {"share": share, "share of pi^c": cooled, "share of pi": whole, **planned.detail()}
    return Measurement(value=share - cooled, n=at.numel(), seeds=(settings.seed,), detail=detail)


def mixture_particles(settings: Settings, target: GaussianMixture, beta: float) -> Tensor:
    """Return constant momentum's particles on the mixture, from draws of the target itself, after `mixture_time`."""
    generator = torch.Generator().manual_seed(settings.seed)
    start = target.sample(settings.mixture_particles, CLEAN, generator)
    steps = round(settings.mixture_time / settings.mixture_step)
    level = Level(0, sigma=0.0, step=settings.mixture_step)
    program = [(momentum(momentum_rule(constant(beta))), level)] * steps
    return sample(program, start, target.score, generator)[0].x[:, 0]
