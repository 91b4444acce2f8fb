"""What "the sampler converges" combines: P1a (one limit from every start), P1b (which limit), P1c
(the bias).

For finite batches P1a has a proof: on an isotropic Gaussian, `u <= 1/2`, a batch converges from any
start to one distribution. The chain is `(x, m, beta)`, of a batch with n coordinates in all, at the
precision `lam` and `a = u / lam`, x measured from the target's mean:

    x' = x + (w / lam) m + sqrt(2 a) z,   w = u (1 + beta)^2,
    rho = lam <x' - x> / <m>,   beta' = min(((1 - rho) / (1 + rho))^2, 1 - delta),   m' = beta' m - (1 - beta') lam x'.

1. *A large state.* Without the noise `rho = w` whatever the batch is, so `(x', m'/lam) = L(w) (x,
   m/lam)` with the trace 2 q and the determinant q^2 of `q = (1 - w)/(1 + w)`: every step is
   critically damped. The clip does not act if `((1 - u)/(1 + u))^2 <= 1 - delta`. Where m = 0 the
   ratio is undefined, and beta' may be any: `m'/lam = -eta x`, `delta <= eta <= 1`; the next step
   is one of `L(w)` again.
2. *Drift.* `V(x, m) = sum (x, m/lam) P (x, m/lam)^T` over coordinates, P of `LYAPUNOV`. `P - L(w)^T
   P L(w)` is positive definite for u <= w <= 4u, and `V(x, -eta x) <= V(x, 0)` as `P_22 <= 2 P_12`.
   So V falls by a factor c < 1 in two steps without noise, whatever beta is. The states that a
   sequence of large states, divided by their size, tends to are such steps (if m -> 0 any beta' is
   a limit); V of two steps is at most a multiple of V + |z|^2. Hence `limsup E V(after two steps) /
   V <= c` as |(x, m)| -> infinity: `E V'' <= c' V + K`.
3. *Minorisation.* A far x_1 makes rho so large that beta_1 = 1 - delta and `m_1 = (1 - delta) m_0 -
   delta lam x_1`. Divided by |x_1| the start vanishes, also in the derivatives, uniformly on
   bounded sets. From the start 0 the map `(x_1, x_2, x_3) -> (x_3, m_3, beta_3)` has full rank 2n +
   1 at `POINT`: given x_3 and beta_3 > 0, m_3 is m_2, and x_1 moves m_2 in all directions at fixed
   x_2, x_2 moves beta_3 at fixed m_2. (All samples being one vector, the determinant of the former
   is `(-delta beta_2)^(n-1)` times that of one coordinate.) So for all starts in a bounded set the
   distributions after three steps, and after four, have a part in common.
4. *Harris's theorem* (Hairer and Mattingly, 2011) for the chain of every fourth step: one
   stationary distribution, which each start's distribution approaches geometrically. So has the
   chain itself.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.optimize import brentq
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.metrics import gaussian_w2
from ams.samplers import Particles, State, critical_momentum, run
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams_suite.measures import largest, named_extreme
from analysis.adaptive import study
from analysis.adaptive.isotropic import EDGE, q, root_equation
from analysis.adaptive.linearisation import linearised
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import STEP, U, stationary_at
from analysis.momentum.closed_forms import stability_bound
from analysis.momentum.stationary import solved_variance
from analysis.momentum.transition import spectral_radius
from verdicts import Measurement

w = sp.Symbol("w", positive=True)
_R = sp.Rational
LYAPUNOV = (
    (_R(0), _R(1, 3), sp.Matrix([[1, _R(3, 4)], [_R(3, 4), 1]])),
    (_R(1, 3), _R(1, 2), sp.Matrix([[1, _R(11, 10)], [_R(11, 10), _R(3, 2)]])),
)
"""P for u above the first and up to the second number."""
DELTA = _R(1, 1000)
POINT = (sp.Integer(1), 1 + DELTA / 2, _R(1, 2))
"""`x_1`, `x_2` and `x_3` of every coordinate, in units of one size."""


def largest_radius_of_constant_momentum(settings: Settings) -> Measurement:
    """Measure the largest spectral radius over random (u, b) in the stable region: below 1, one
    limit attracts all.
    """
    generator = np.random.default_rng(settings.seed)
    betas = generator.uniform(0.0, 0.99, settings.points)
    us = generator.uniform(0.001, 0.999, settings.points) * stability_bound(betas)
    return largest(
        [spectral_radius(u, beta) for u, beta in zip(us, betas, strict=True)], settings.seed
    )


def isotropic_fixed_points_besides_one(settings: Settings) -> Measurement:
    """Measure how far the number of fixed points, sign changes of `((1 - rho)/(1 + rho))^2 - b` on
    20,001 values of b, ever is from one, over random u.
    """
    beta, steps = (
        np.linspace(0.0, 1.0, 20_001)[1:],
        study.random_steps(settings.points, settings.seed),
    )
    signs = (
        np.sign(critical_momentum(study.stationary_ratio(u, beta)) - beta)
        for u in steps[steps < 0.499]
    )
    return largest([abs(int((np.diff(sign) != 0).sum()) - 1) for sign in signs], settings.seed)


def fixed_points_above_one(settings: Settings) -> Measurement:
    """Count, by Sturm's theorem, the fixed points with `rho > 1` at u = 1/2, where they would come
    first.

    They are roots q in (-1, 0) of `2u(1 + u b(1+b)) = rho^2/(1+b)^2`, `rho = (1 - q)/(1 + q)`, `b =
    q^2`. Without one the right side exceeds the left there, and at every smaller u.
    """
    equation = root_equation(sp.Rational(1, 2))
    count = sp.Poly(sp.numer(sp.together(equation)), q).count_roots(EDGE - 1, -EDGE)
    return Measurement(value=int(count) + (not equation.subs(q, -sp.Rational(1, 2)) < 0), n=1)


def radius_at_the_fixed_point(u: float) -> float:
    """Return the spectral radius of the mean-field recursion's derivative at its fixed point."""
    return float(np.abs(np.linalg.eigvals(linearised(u).jacobian)).max())


def largest_radius_at_the_fixed_point(settings: Settings) -> Measurement:
    """Measure the largest spectral radius of the mean-field recursion's derivative at its fixed
    point, random u.
    """
    us = study.random_steps(settings.points, settings.seed)
    return largest([radius_at_the_fixed_point(u) for u in us], settings.seed)


def largest_difference_of_starts(settings: Settings) -> Measurement:
    """Measure the largest relative difference of the variances reached from different starts,
    over random spectra.
    """
    differences = study.differences_of_starts(settings.spectra, settings.starts, settings.seed)
    n = settings.spectra * settings.starts
    return Measurement(value=max(differences), n=n, seeds=(settings.seed,))


def largest_difference_of_starts_at_large_steps(settings: Settings) -> Measurement:
    """Measure the largest relative difference of isotropic variances from three starts, four
    random u in [1/2, 1.9].
    """
    us = np.random.default_rng(settings.seed).uniform(0.5, 1.9, 4)
    starts = ((1e-4, 0.0), (1.0, 10.0), (1e4, 1.0))
    ends = [
        [
            study.reached(GaussianLaw([1.0]), STEP, u, [v], [mean], tolerance=1e-11).variance.item()
            for v, mean in starts
        ]
        for u in us
    ]
    return largest(np.ptp(ends, axis=1) / np.min(ends, axis=1), settings.seed)


def largest_distance_of_coupled_batches(settings: Settings) -> Measurement:
    """Measure how far batches of 1, 8 and 64 samples with the same noise are, 600 steps after three
    starts, u = 0.05.

    The distance is that of the farthest coordinates, in standard deviations of the target N(0, I),
    d = 4.
    """
    distances = {
        f"{batch} samples": _distance_of_starts(batch, settings.seed) for batch in (1, 8, 64)
    }
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
    """Measure the relative error of the radius at u = 0.05 to the rate at which a run approaches
    its limit.
    """
    law, limit = GaussianLaw([1.0]), stationary_at(U).variance.item()
    states = law.run([(STEP, Level(0, sigma=0.0, step=U))] * 100, law.start(0.0, 4.0))
    far = [abs(law.moments(state.x).variance.item() - limit) for state, _ in states]
    return Measurement(value=(far[99] / far[79]) ** (1 / 20) / radius_at_the_fixed_point(U) - 1)


def bias(u: float, beta: float | None = None) -> float:
    """Return W2 to the target, in its standard deviations: adaptive momentum, or constant where
    `beta` is given.
    """
    variance = stationary_at(u).variance.item() if beta is None else solved_variance(u, beta)
    return gaussian_w2(0.0, variance, 0.0, 1.0, 1.0)


def w2_of_langevin_in_the_limit(settings: Settings) -> Measurement:
    """Measure plain Langevin's W2 to the target at u = 1e-7: the control that such a limit can be
    seen at all.

    `W2 = (1 - u/2)^(-1/2) - 1`, by claim G3, without the cancellation of a variance minus one;
    about u/4.
    """
    return Measurement(value=math.expm1(-math.log1p(-1e-7 / 2) / 2))


def w2_ratio_of_a_smaller_step(settings: Settings) -> Measurement:
    """Measure adaptive momentum's W2 at u = 0.001 over that at u = 0.01: below 1 where a smaller
    step helps.
    """
    fine, coarse = bias(1e-3), bias(1e-2)
    return Measurement(value=fine / coarse, detail={"w2 at 0.001": fine, "w2 at 0.01": coarse})


def largest_w2_ratio_to_langevin(settings: Settings) -> Measurement:
    """Measure the largest ratio of adaptive momentum's W2 to plain Langevin's at one step, u in
    [1e-3, 0.15].
    """
    ratios = {
        f"{u:.4g}": bias(u) / bias(u, beta=0.0) for u in np.logspace(-3, math.log10(0.15), 12)
    }
    return largest(
        list(ratios.values()), ratio_by_u=dict(ratios), unbiased_at=study.unbiased_step()
    )


def equally_biased_step(settings: Settings) -> Measurement:
    """Measure the step u below which adaptive momentum's W2 exceeds plain Langevin's; from there
    to 1/2 it is less.
    """
    return Measurement(
        value=float(brentq(lambda u: bias(u) - bias(u, beta=0.0), 0.1, 0.16, xtol=1e-14))
    )


def of_a_large_state(w: Any) -> list[list[Any]]:
    """Return L(w), the step of `(x, m / lam)` from a large state; `b = ((1 - w) / (1 + w))^2`."""
    b = critical_momentum(w)
    return [[1, w], [b - 1, b - (1 - b) * w]]


def largest_error_of_the_large_step(settings: Settings) -> Measurement:
    """Measure how far the rule's own steps of batches 1e12 standard deviations away are from
    L(w), relative.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    errors = [
        error
        for batch, d, u in ((1, 1, 0.05), (1, 7, 0.5), (6, 1, 0.3), (5, 4, 0.01))
        for error in _errors(
            1e12 * torch.randn(batch, d, dtype=torch.float64, generator=generator), u, generator
        )
    ]
    return largest(errors, settings.seed)


def _errors(start: Tensor, u: float, generator: torch.Generator) -> Iterator[float]:
    program = [(STEP, Level(0, sigma=0.0, step=u))] * 10
    states = run(program, State(start), lambda x, level: -x, generated(generator), Particles())
    path = [(state.x.clone(), state.m.clone(), info.coefficients) for state, info in states]
    for (x, m, coefficients), (_, after, _) in pairwise(path):
        assert coefficients is not None
        (_, _), (of_x, of_m) = of_a_large_state(u * (1 + coefficients.beta) ** 2)
        # the state after a step has the next position already: x = x_t + w m + noise, and m is m_t
        before = x - u * (1 + coefficients.beta) ** 2 * m
        yield float((of_x * before + of_m * m - after).norm() / after.norm())


def conditions_of_the_drift_that_fail(settings: Settings) -> Measurement:
    """Count what fails of: trace 2q and determinant q^2 of L(w); for each P, by Sturm's theorem,
    positive minors of `P - L(w)^T P L(w)` for every w that u allows, P positive definite, and `P_22
    <= 2 P_12`.
    """
    step, q = sp.Matrix(of_a_large_state(w)), (1 - w) / (1 + w)
    failing = [
        not_zero
        for not_zero in (step.trace() - 2 * q, step.det() - q**2)
        if sp.simplify(not_zero) != 0
    ]
    for first, last, p in LYAPUNOV:
        loss = p - step.T * p * step
        minors = (loss[0, 0], loss.det())
        failing += [minor for minor in minors if not _positive(minor, first, 4 * last)]
        failing += [p] * (not (p.is_positive_definite and p[1, 1] <= 2 * p[0, 1]))
    return Measurement(
        value=len(failing),
        n=2 + 3 * len(LYAPUNOV),
        detail={"failing": [str(each) for each in failing]},
    )


def _positive(minor: sp.Expr, first: sp.Rational, last: sp.Rational) -> bool:
    """Return whether a rational function of w, of a positive denominator, is positive for first
    < w <= last.
    """
    numerator = sp.Poly(sp.numer(sp.factor(minor)), w)
    (power,) = numerator.terms()[-1][0]  # w^power divides it, and is positive
    rest = sp.Poly(sp.exquo(numerator, sp.Poly(w**power, w)), w)
    middle = (first + last) / 2
    return rest.count_roots(first, last) == 0 and bool(minor.subs(w, middle) > 0)


def rank_that_three_steps_lack(settings: Settings) -> Measurement:
    """Measure how much of the rank 2n + 1 the map of three steps lacks at `POINT`, the most over
    four batches.
    """
    lacking = {
        f"{batch} x {d}": _lacking(batch, d) for batch, d in ((1, 1), (1, 3), (3, 1), (2, 2))
    }
    return named_extreme(lacking)


def _lacking(batch: int, d: int) -> float:
    unit = torch.ones(batch, d, dtype=torch.float64)
    point = torch.stack([float(each) * unit for each in POINT])
    jacobian = torch.autograd.functional.jacobian(of_three_steps, point).reshape(-1, point.numel())
    return 2 * batch * d + 1 - int(torch.linalg.matrix_rank(jacobian, rtol=1e-9))


def of_three_steps(positions: Tensor) -> Tensor:
    """Return (m_3, beta_3, x_3), flat, of three positions (3, batch, d) far from a start 0; lam
    = 1.
    """
    delta, (x, *later) = float(DELTA), positions
    m = -delta * x
    for after in later:
        rho = (after - x).norm(dim=1).mean() / m.norm(dim=1).mean()
        beta = critical_momentum(rho)
        x, m = after, beta * m - (1 - beta) * after
    return torch.cat([m.reshape(-1), beta.reshape(1), x.reshape(-1)])
