r"""The three claims that "the sampler converges" hides: P1a (it forgets its start), P1b (its limit), P1c (its bias)."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp
import torch
from pydantic import JsonValue
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.metrics import gaussian_w2
from ams.samplers import critical_momentum
from ams.schedules import Level
from analysis.adaptive.expansion import q, root_equation
from analysis.adaptive.fixed_point import STEP, law_of, stationary_damping, stationary_ratio, unbiased_step
from analysis.adaptive.linearisation import linearised
from analysis.adaptive.settings import Settings, random_steps
from analysis.momentum.settings import stability_bound
from analysis.momentum.stationary import variance_ratio
from analysis.momentum.transition import spectral_radius
from verdicts import Measurement, check


@check("P1a.constant")
def constant_momentum_contracts(settings: Settings) -> Measurement:
    """Return the largest spectral radius over random (u, b) in the stable region: below 1, so one law attracts all."""
    generator = np.random.default_rng(settings.seed)
    betas = generator.uniform(0.0, 0.99, settings.points)
    us = generator.uniform(0.001, 0.999, settings.points) * stability_bound(betas)
    radii = [spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)]
    return Measurement(value=max(radii), n=settings.points, seeds=(settings.seed,))


@check("P1a.unique")
def isotropic_fixed_point_is_unique(settings: Settings) -> Measurement:
    """Return how far the number of fixed points of the isotropic recursion ever is from one.

    Counted as sign changes of `((1 - rho)/(1 + rho))^2 - b` on 20,001 dampings, for every random u. For `rho <= 1`
    the map falls as b grows, so there it can be crossed but once; the count also covers `rho > 1`.
    """
    beta, steps = np.linspace(0.0, 1.0, 20_001)[1:], random_steps(settings)
    counts = [
        int((np.diff(np.sign(critical_momentum(stationary_ratio(u, beta)) - beta)) != 0).sum())
        for u in steps[steps < 0.499]
    ]
    return Measurement(value=max(abs(count - 1) for count in counts), n=len(counts), seeds=(settings.seed,))


@check("P1a.sturm")
def no_second_fixed_point(settings: Settings) -> Measurement:
    """Count, by Sturm's theorem, the fixed points with `rho > 1` at u = 1/2, where they would come first; none is.

    With `rho = (1 - q)/(1 + q)`, `b = q^2`, a fixed point solves `2u(1 + u b(1+b)) = rho^2/(1+b)^2`. For q in [0, 1)
    (rho <= 1) the left side grows with q and the right one falls from 1 to 0: one root for every u < 1/2. For q in
    (-1, 0) the right side exceeds the left at u = 1/2, hence at every smaller u, if their difference has no root.
    """
    excess = sp.Poly(sp.numer(sp.together(root_equation(sp.Rational(1, 2)))), q)
    edge = sp.Rational(1, 10**9)
    inside = root_equation(sp.Rational(1, 2)).subs(q, -sp.Rational(1, 2)) < 0
    return Measurement(value=int(excess.count_roots(edge - 1, -edge)) + (not inside), n=1)


@check("P1a.local")
def fixed_point_attracts(settings: Settings) -> Measurement:
    """Return the largest spectral radius of the mean-field recursion's derivative at its fixed point, random u.

    The recursion carries the covariance of (position, momentum, score), on which the damping depends.
    """
    radii = [np.abs(np.linalg.eigvals(linearised(u).jacobian)).max() for u in random_steps(settings)]
    return Measurement(value=float(max(radii)), n=len(radii), seeds=(settings.seed,))


@check("P1a.attracting")
def starts_forget_themselves(settings: Settings) -> Measurement:
    """Return the largest relative difference of laws reached from different starts, over random spectra (exact law).

    Starts: means up to 10 and variances from 1e-4 to 1e4 times the target's; spectra: 5 precisions over a decade.
    """
    generator = np.random.default_rng(settings.seed)
    gaps = [_difference_of_starts(generator, settings.starts) for _ in range(settings.spectra)]
    return Measurement(value=max(gaps), n=settings.spectra * settings.starts, seeds=(settings.seed,))


def _difference_of_starts(generator: np.random.Generator, starts: int) -> float:
    variance = np.exp(generator.uniform(math.log(0.3), math.log(3.0), 5))
    law = GaussianLaw(variance, multiplicity=generator.integers(1, 20, 5))
    size = 0.1 * variance.min()  # at larger steps the damping is nearly 0, and the rule nearly Langevin
    ends = []
    for _ in range(starts):
        spread, mean = variance * 10 ** generator.uniform(-4, 4, 5), generator.uniform(-10, 10, 5)
        ends.append(reached(law, STEP, size, spread.tolist(), mean.tolist(), tolerance=1e-11).variance.numpy())
    return float((np.ptp(np.array(ends), axis=0) / variance).max())


@check("P1a.rate")
def local_rate_is_the_run_s(settings: Settings) -> Measurement:
    """Return the relative error of that radius at u = 0.05 to the ratio at which a run of the law approaches it."""
    law, u, far = GaussianLaw([1.0]), 0.05, []
    for number, (state, _) in enumerate(law.run([(STEP, Level(0, sigma=0.0, step=u))] * 100, law.start(0.0, 4.0))):
        if number in (79, 99):
            far.append(abs(law.moments(state.x).variance.item() - law_of(u).variance.item()))
    radius = float(np.abs(np.linalg.eigvals(linearised(u).jacobian)).max())
    return Measurement(value=(far[1] / far[0]) ** (1 / 20) / radius - 1)


def bias(u: float, beta: float | None = None) -> float:
    """Return W2 to the target, in its standard deviations: adaptive momentum, or constant where `beta` is given."""
    if beta is None:
        variance = law_of(u).variance
    else:
        law = GaussianLaw([1.0])
        variance = law.moments(frozen(law, u, beta).x).variance
    zero, one = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    return gaussian_w2(zero, variance, zero, one, one)


@check("P1b.langevin")
def langevin_tends_to_the_target(settings: Settings) -> Measurement:
    """Return plain Langevin's W2 at u = 1e-7: the control that such a limit can be seen at all."""
    return Measurement(value=bias(1e-7, beta=0.0))


@check("P1b.constant")
def constant_momentum_tends_elsewhere(settings: Settings) -> Measurement:
    """Return constant momentum's W2 at u = 1e-7, b = 0.9."""
    return Measurement(value=bias(1e-7, beta=0.9), detail={"limit b / (1 + b)": 0.9 / 1.9})


@check("P1b.adaptive")
def adaptive_momentum_tends_elsewhere(settings: Settings) -> Measurement:
    """Return adaptive momentum's W2 at u = 1e-7; its limit is 1/2, the distance of `pi^4` from `pi`."""
    return Measurement(value=bias(1e-7), detail={"limit": 0.5})


@check("P1c.shrinks")
def smaller_steps_help(settings: Settings) -> Measurement:
    """Return W2 at u = 0.001 over W2 at u = 0.01: below 1 where a smaller step reduces the bias."""
    return Measurement(value=bias(1e-3) / bias(1e-2), detail={"w2 at 0.001": bias(1e-3), "w2 at 0.01": bias(1e-2)})


@check("P1c.langevin")
def bias_against_langevin(settings: Settings) -> Measurement:
    """Return the largest ratio of adaptive momentum's W2 to plain Langevin's at the same step, u in [1e-3, 0.15]."""
    ratios = {u: bias(u) / bias(u, beta=0.0) for u in np.logspace(-3, math.log10(0.15), 12)}
    by_step: dict[str, JsonValue] = {f"{u:.4g}": ratio for u, ratio in ratios.items()}
    detail: dict[str, JsonValue] = {"ratio by u": by_step, "unbiased at u": unbiased_step(), "equal at u": crossover()}
    return Measurement(value=max(ratios.values()), n=len(ratios), detail=detail)


def crossover() -> float:
    """Return the `u` below which adaptive momentum's W2 exceeds Langevin's; between it and 1/2 it is the smaller."""

    def excess(u: float) -> float:
        adaptive, langevin = variance_ratio(u, stationary_damping(u)), variance_ratio(u, 0.0)
        return abs(adaptive**0.5 - 1) - abs(langevin**0.5 - 1)

    return float(brentq(excess, 0.1, 0.16, xtol=1e-14))


@check("P1c.where")
def better_only_near_the_unbiased_step(settings: Settings) -> Measurement:
    """Return the step below which adaptive momentum is the more biased one."""
    return Measurement(value=crossover())
