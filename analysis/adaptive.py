r"""Adaptive momentum on a Gaussian: A2, and the three claims that "the sampler converges" hides (P1a, P1b, P1c).

Mean field (batch -> infinity), isotropic target, `u = a lam`: the stationary damping solves

    rho = (1 + b) sqrt(2 u (1 + u b (1 + b))),   b = ((1 - rho) / (1 + rho))^2

free of dimension, and the law is that of constant momentum at that `b` (claim G3).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import sympy as sp
import torch
from matplotlib.figure import Figure as Drawing
from pydantic import BaseModel, ConfigDict, JsonValue
from scipy.optimize import brentq

from ams.distances import gaussian_w2
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, frozen, reached, solved
from ams.laws.symbolic import a, b, lam
from ams.ledger import Figure, Measurement, check, save_figure
from ams.noise import Level
from ams.palette import look
from ams.samplers import adaptive, damping_of, momentum, momentum_rule, sample
from analysis.momentum import Real, spectral_radius, stability_bound, symbols, variance_ratio
from analysis.proofs import left_over

_RULE = momentum_rule(adaptive(1e-6))
_STEP = momentum(_RULE)
_HIGHEST = 1.0 - 1e-6


class Settings(BaseModel):
    """Sizes of this group: random steps, spectra and starts of the exact law, particles of the mean-field check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: int = 200
    spectra: int = 3
    starts: int = 3
    batch: int = 20_000
    seed: int = 2405


def stationary_ratio(u: float, beta: Real) -> Real:
    """Return A2's `rho = (1 + b) sqrt(2 u (1 + u b (1 + b)))`."""
    return (1 + beta) * np.sqrt(2 * u * (1 + u * beta * (1 + beta)))


def stationary_damping(u: float) -> float:
    """Return A2's fixed point `b(u)` for 0 < u <= 1/2, by Brent's method."""
    return float(brentq(lambda beta: damping_of(stationary_ratio(u, beta)) - beta, 0.0, 1.0, xtol=1e-16, rtol=1e-15))


def random_steps(settings: Settings) -> np.ndarray:
    """Return random `u`, log-uniform in [1e-4, 1/2]."""
    generator = np.random.default_rng(settings.seed)
    return np.exp(generator.uniform(math.log(1e-4), math.log(0.5), settings.points))


def law_of(u: float, dimension: float = 1.0) -> Stationary:
    """Return the stationary law of the adaptive step at `a = u` on the isotropic target `lam = 1` (solved)."""
    return solved(GaussianLaw([1.0], multiplicity=dimension), _RULE, u, _HIGHEST)


def ratio_squared() -> sp.Expr:
    """Return `<Ds>^2 / <m>^2` in the stationary law of constant momentum, from the step's own covariance (claim G3).

    All directions being alike, the expected norms of `Ds` and `m` are as their standard deviations.
    """
    matrix, spread, covariance = symbols()
    change = sp.Matrix([[matrix[0, 0] - 1, matrix[0, 1]]])
    moved = lam**2 * ((change * covariance * change.T)[0, 0] + spread[0] ** 2)
    return sp.factor(moved / covariance[1, 1])


@check("A2.ratio")
def ratio_from_the_step(settings: Settings) -> Measurement:
    """SymPy, from the step's stationary covariance: `<Ds>^2 / <m>^2 = (1 + b)^2 2 u (1 + u b (1 + b))`."""
    return left_over(ratio_squared() - (1 + b) ** 2 * 2 * a * lam * (1 + a * lam * b * (1 + b)))


@check("A2.solved")
def fixed_point_against_solved_law(settings: Settings) -> Measurement:
    """Return the largest error of the damping and relative error of the variance, formula against the solved law."""
    gaps = [_gap(law_of(u, dimension=7.0), u) for u in random_steps(settings)]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("A2.reached")
def fixed_point_against_reached_law(settings: Settings) -> Measurement:
    """Return the same for laws that a long run reaches from a far start, at five steps."""
    law, us = GaussianLaw([1.0]), np.logspace(-2.0, math.log10(0.45), 5)
    gaps = [_gap(reached(law, _STEP, u, start_variance=9.0, start_mean=3.0), u) for u in us]
    return Measurement(value=max(gaps), n=len(gaps))


def _gap(found: Stationary, u: float) -> float:
    beta = stationary_damping(u)
    return max(abs(found.beta - beta), abs(found.variance.item() / variance_ratio(u, beta) - 1))


@check("A2.printed")
def printed_values(settings: Settings) -> Measurement:
    """Return the largest difference to the printed dampings and variances at u = 1e-3, 1e-2, 1e-1, 0.5."""
    printed = {1e-3: (0.7329, 0.3363), 1e-2: (0.4373, 0.4969), 1e-1: (0.1111, 0.8757), 0.5: (0.0, 1.3333)}
    found = {u: law_of(u) for u in printed}
    gaps = [max(abs(found[u].beta - beta), abs(found[u].variance.item() - v)) for u, (beta, v) in printed.items()]
    return Measurement(value=max(gaps), n=len(gaps))


@check("A2.dimension")
def damping_is_free_of_dimension(settings: Settings) -> Measurement:
    """Return the largest change of the damping between d = 1 and d = 3072, over three steps."""
    gaps = [abs(law_of(u, 3072.0).beta - law_of(u, 1.0).beta) for u in (1e-3, 1e-2, 0.1)]
    return Measurement(value=max(gaps), n=len(gaps))


@check("A2.particles")
def mean_field_against_particles(settings: Settings) -> Measurement:
    """Return the relative error of the particles' variance at u = 0.05 in d = 8, one batch, after 120 steps.

    The batch couples the samples through beta alone: over 200 seeds the variance's standard error was 0.97 (batch
    500) and 0.94 (batch 2000) times that of independent samples, `sqrt(2 / (batch d))`; the tolerance allows for 1.5.
    """
    u, d = 0.05, 8
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.batch, d, dtype=torch.float64, generator=generator)
    program = [(_STEP, Level(0, sigma=0.0, step=u))] * 120
    state, _, _ = sample(program, start, lambda at, level: -at, generator)
    error = state.x.square().mean().item() / law_of(u).variance.item() - 1
    return Measurement(value=error, n=settings.batch * d, seeds=(settings.seed,))


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
        int((np.diff(np.sign(damping_of(stationary_ratio(u, beta)) - beta)) != 0).sum()) for u in steps[steps < 0.499]
    ]
    return Measurement(value=max(abs(count - 1) for count in counts), n=len(counts), seeds=(settings.seed,))


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
    size = 0.3 * variance.min()
    ends = []
    for _ in range(starts):
        spread, mean = variance * 10 ** generator.uniform(-4, 4, 5), generator.uniform(-10, 10, 5)
        ends.append(reached(law, _STEP, size, spread.tolist(), mean.tolist(), tolerance=1e-11).variance.numpy())
    return float((np.ptp(np.array(ends), axis=0) / variance).max())


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
    detail: dict[str, JsonValue] = {"ratio by u": by_step, "unbiased at u": unbiased_step()}
    return Measurement(value=max(ratios.values()), n=len(ratios), detail=detail)


def unbiased_step() -> float:
    """Return the one step `u` at which adaptive momentum's stationary variance is the target's."""
    return float(brentq(lambda u: variance_ratio(u, stationary_damping(u)) - 1.0, 0.1, 0.3, xtol=1e-14))


@check("A2.unbiased")
def unbiased_only_here(settings: Settings) -> Measurement:
    """Return the step at which the bias vanishes."""
    return Measurement(value=unbiased_step())


def draw_fixed_point() -> Drawing:
    """A2's formula (lines) and the exact law (points)."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    us = np.logspace(-4, math.log10(0.499), 120)
    betas = np.array([stationary_damping(u) for u in us])
    points = np.logspace(-4, math.log10(0.499), 12)
    laws = [law_of(u) for u in points]
    axes.semilogx(us, betas, color="C0", label=r"damping $\beta$")
    axes.semilogx(us, variance_ratio(us, betas), color="C1", label=r"$\lambda\,\mathrm{Var}\,x$")
    axes.plot(points, [law.beta for law in laws], "o", ms=3, color="C0")
    axes.plot(points, [law.variance.item() for law in laws], "s", ms=3, color="C1")
    axes.axhline(1.0, color="0.4", lw=0.8)
    axes.axhline(0.25, color="0.4", lw=0.8, ls=":")
    axes.text(0.25, 0.17, r"$\pi^4$", color="0.3")
    axes.set(xlabel=r"$u = a\lambda$", ylim=(0, 1.4))
    axes.legend()
    return drawing


def draw_bias() -> Drawing:
    """W2 against the step for Langevin, constant and adaptive momentum."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    us = np.logspace(-6, math.log10(0.45), 60)
    for sampler, label, beta in (
        ("Langevin", "Langevin", 0.0),
        ("constant momentum", "constant momentum, $b = 0.9$", 0.9),
        ("adaptive momentum", "adaptive momentum", None),
    ):
        drawn = {**look(sampler), "label": label}
        axes.loglog(us, [bias(u, beta) for u in us], markevery=8, markersize=4, **drawn)
    axes.set(xlabel=r"$u = a\lambda$", ylabel=r"$W_2$ to the target (its s.d.)", ylim=(1e-7, 2))
    axes.legend(loc="lower right")
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_fixed_point(),
            folder,
            "fixed_point",
            r"Adaptive momentum on an isotropic Gaussian: A2's fixed point (lines), the exact mean-field law (points). "
            r"As $u \to 0$ the variance tends to $1/4$ of the target's: the limit is $\pi^4$.",
            ("A2", "P1a"),
        ),
        save_figure(
            draw_bias(),
            folder,
            "bias",
            r"Stationary bias on $N(0, 1/\lambda)$ against the step, exact law. Langevin's vanishes with the step; "
            r"momentum's tends to a constant: $b/(1+b)$, and $1/2$ for the adaptive rule. Each momentum curve dips at "
            r"its one unbiased step, $u = 0.1691$ for the adaptive rule.",
            ("P1b", "P1c"),
        ),
    ]
