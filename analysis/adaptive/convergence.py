"""What "the sampler converges" combines: P1a (one limit from every start), P1b (which limit), P1c (the bias)."""

import math

import numpy as np
import sympy as sp
import torch
from scipy.optimize import brentq

from ams.laws.gaussian import GaussianLaw
from ams.metrics import gaussian_w2
from ams.samplers import critical_momentum
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams_suite.measures import largest, named_extreme
from analysis.adaptive import closed_forms, study
from analysis.adaptive.isotropic import EDGE, q, root_equation
from analysis.adaptive.linearisation import linearised
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import STEP, U, stationary_at
from analysis.momentum.closed_forms import stability_bound
from analysis.momentum.stationary import solved_variance
from analysis.momentum.transition import spectral_radius
from verdicts import Measurement


def largest_radius_of_constant_momentum(settings: Settings) -> Measurement:
    """Measure the largest spectral radius over random (u, b) in the stable region: below 1, one limit attracts all."""
    generator = np.random.default_rng(settings.seed)
    betas = generator.uniform(0.0, 0.99, settings.points)
    us = generator.uniform(0.001, 0.999, settings.points) * stability_bound(betas)
    return largest([spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)], settings.seed)


def isotropic_fixed_points_besides_one(settings: Settings) -> Measurement:
    """Measure how far the number of fixed points, sign changes of `((1 - rho)/(1 + rho))^2 - b` on 20,001 values of b,
    ever is from one, over random u.
    """
    beta, steps = np.linspace(0.0, 1.0, 20_001)[1:], closed_forms.random_steps(settings.points, settings.seed)
    signs = (np.sign(critical_momentum(closed_forms.stationary_ratio(u, beta)) - beta) for u in steps[steps < 0.499])
    return largest([abs(int((np.diff(sign) != 0).sum()) - 1) for sign in signs], settings.seed)


def fixed_points_above_one(settings: Settings) -> Measurement:
    """Count, by Sturm's theorem, the fixed points with `rho > 1` at u = 1/2, where they would come first.

    They are roots q in (-1, 0) of `2u(1 + u b(1+b)) = rho^2/(1+b)^2`, `rho = (1 - q)/(1 + q)`, `b = q^2`. Without one
    the right side exceeds the left there, and at every smaller u.
    """
    equation = root_equation(sp.Rational(1, 2))
    count = sp.Poly(sp.numer(sp.together(equation)), q).count_roots(EDGE - 1, -EDGE)
    return Measurement(value=int(count) + (not equation.subs(q, -sp.Rational(1, 2)) < 0), n=1)


def radius_at_the_fixed_point(u: float) -> float:
    """Return the spectral radius of the mean-field recursion's derivative at its fixed point."""
    return float(np.abs(np.linalg.eigvals(linearised(u).jacobian)).max())


def largest_radius_at_the_fixed_point(settings: Settings) -> Measurement:
    """Measure the largest spectral radius of the mean-field recursion's derivative at its fixed point, random u."""
    us = closed_forms.random_steps(settings.points, settings.seed)
    return largest([radius_at_the_fixed_point(u) for u in us], settings.seed)


def largest_difference_of_starts(settings: Settings) -> Measurement:
    """Measure the largest relative difference of the variances reached from different starts, over random spectra."""
    differences = study.differences_of_starts(settings.spectra, settings.starts, settings.seed)
    n = settings.spectra * settings.starts
    return Measurement(value=max(differences), n=n, seeds=(settings.seed,))


def largest_difference_of_starts_at_large_steps(settings: Settings) -> Measurement:
    """Measure the largest relative difference of isotropic variances from three starts, four random u in [1/2, 1.9]."""
    us = np.random.default_rng(settings.seed).uniform(0.5, 1.9, 4)
    starts = ((1e-4, 0.0), (1.0, 10.0), (1e4, 1.0))
    ends = [
        [study.reached(GaussianLaw([1.0]), STEP, u, [v], [mean], tolerance=1e-11).variance.item() for v, mean in starts]
        for u in us
    ]
    return largest(np.ptp(ends, axis=1) / np.min(ends, axis=1), settings.seed)


def largest_distance_of_coupled_batches(settings: Settings) -> Measurement:
    """Measure how far batches of 1, 8 and 64 samples with the same noise are, 600 steps after three starts, u = 0.05.

    The distance is that of the farthest coordinates, in standard deviations of the target N(0, I), d = 4.
    """
    distances = {f"{batch} samples": _distance_of_starts(batch, settings.seed) for batch in (1, 8, 64)}
    return named_extreme(distances).model_copy(update={"seeds": (settings.seed,)})


def _distance_of_starts(batch: int, seed: int) -> float:
    ends = []
    for scale, mean in ((1.0, 0.0), (30.0, 5.0), (0.01, -3.0)):
        generator = torch.Generator().manual_seed(seed)
        start = mean + scale * torch.randn(16, batch, 4, dtype=torch.float64, generator=generator)
        *_, (state, _) = study.stationary_run(start, generated(generator), 540)
        ends.append(state.x)
    return max(float((end - ends[0]).abs().max()) for end in ends)


def error_of_the_local_rate(settings: Settings) -> Measurement:
    """Measure the relative error of the radius at u = 0.05 to the rate at which a run approaches its limit."""
    law, limit = GaussianLaw([1.0]), stationary_at(U).variance.item()
    states = law.run([(STEP, Level(0, sigma=0.0, step=U))] * 100, law.start(0.0, 4.0))
    far = [abs(law.moments(state.x).variance.item() - limit) for state, _ in states]
    return Measurement(value=(far[99] / far[79]) ** (1 / 20) / radius_at_the_fixed_point(U) - 1)


def bias(u: float, beta: float | None = None) -> float:
    """Return W2 to the target, in its standard deviations: adaptive momentum, or constant where `beta` is given."""
    variance = stationary_at(u).variance.item() if beta is None else solved_variance(u, beta)
    return gaussian_w2(0.0, variance, 0.0, 1.0, 1.0)


def w2_of_langevin_in_the_limit(settings: Settings) -> Measurement:
    """Measure plain Langevin's W2 to the target at u = 1e-7: the control that such a limit can be seen at all.

    `W2 = (1 - u/2)^(-1/2) - 1`, by claim G3, without the cancellation of a variance minus one; about u/4.
    """
    return Measurement(value=math.expm1(-math.log1p(-1e-7 / 2) / 2))


def w2_ratio_of_a_smaller_step(settings: Settings) -> Measurement:
    """Measure adaptive momentum's W2 at u = 0.001 over that at u = 0.01: below 1 where a smaller step helps."""
    fine, coarse = bias(1e-3), bias(1e-2)
    return Measurement(value=fine / coarse, detail={"w2 at 0.001": fine, "w2 at 0.01": coarse})


def largest_w2_ratio_to_langevin(settings: Settings) -> Measurement:
    """Measure the largest ratio of adaptive momentum's W2 to plain Langevin's at one step, u in [1e-3, 0.15]."""
    ratios = {f"{u:.4g}": bias(u) / bias(u, beta=0.0) for u in np.logspace(-3, math.log10(0.15), 12)}
    return largest(list(ratios.values()), ratio_by_u=dict(ratios), unbiased_at=closed_forms.unbiased_step())


def equally_biased_step(settings: Settings) -> Measurement:
    """Measure the step u below which adaptive momentum's W2 exceeds plain Langevin's; from there to 1/2 it is less."""
    return Measurement(value=float(brentq(lambda u: bias(u) - bias(u, beta=0.0), 0.1, 0.16, xtol=1e-14)))
