r"""Constant momentum on a Gaussian, and its temperature: G1, G3 and G5, derived by SymPy from the sampler's own step.

Notation: base step `a`, momentum `b`, target precision `lam`; `u = a lam`, `c = (1 + b)^2`, `k = u c (1 - b)`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import sympy as sp
import torch
from matplotlib.figure import Figure as Drawing
from pydantic import BaseModel, ConfigDict, JsonValue
from scipy.integrate import quad
from torch import Tensor

from ams.distances import gaussian_kl, gaussian_w2
from ams.inference import proportion_interval
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen, reached
from ams.laws.symbolic import a, b, lam, m, stationary_covariance, symbolic_step, transition, x, z
from ams.ledger import Figure, Measurement, check, save_figure
from ams.noise import Level
from ams.samplers import State, constant, momentum, momentum_rule, sample
from ams.targets import CLEAN, GaussianMixture
from analysis.proofs import left_over, matrix_entries
from analysis.targets import two_modes

Real = TypeVar("Real", float, np.ndarray)

_C = (1 + b) ** 2
_U = a * lam


class Settings(BaseModel):
    """Sizes of this group: random parameters of the closed forms; particles, steps and step size of the mixture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: int = 200
    particles: int = 100_000
    mixture_particles: int = 10_000
    mixture_step: float = 0.005
    mixture_time: float = 25.0
    seed: int = 2405


@cache
def symbols() -> tuple[sp.Matrix, sp.Matrix, sp.Matrix]:
    """Return transition of (x, m), noise vector and stationary covariance, read off the sampler's step."""
    after = symbolic_step(momentum(momentum_rule(constant(b))), State(x, m))
    matrix, spread = transition(after, [x, m], ["x", "m"]), transition(after, [z], ["x", "m"])
    return matrix, spread, stationary_covariance(matrix, spread)


def stability_bound(beta: Real) -> Real:
    """Return the largest stable `u`, `2 / (1 - b^2)` (claim G1)."""
    return 2.0 / (1.0 - beta**2)


def variance_ratio(u: Real, beta: Real | float) -> Real:
    """Return G3's `lam Var x = 2 (1 - b + 2 u b (1 + b)) / ((1 - b) c (2 - u (1 - b^2)))`."""
    c = (1 + beta) ** 2
    return 2 * (1 - beta + 2 * u * beta * (1 + beta)) / ((1 - beta) * c * (2 - u * (1 - beta**2)))


def random_parameters(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return `(u, b)` at random: b in [0, 0.95], u in 1 % to 95 % of the stable range."""
    generator = np.random.default_rng(settings.seed)
    beta = generator.uniform(0.0, 0.95, settings.points)
    return generator.uniform(0.01, 0.95, settings.points) * stability_bound(beta), beta


@check("G1.transition")
def transition_is_as_stated(settings: Settings) -> Measurement:
    """The step's derivative is `[[1 - a c (1-b) lam, a c b], [-(1-b) lam, b]]`, its noise `(sqrt(2a), 0)`."""
    matrix, spread, _ = symbols()
    stated = sp.Matrix([[1 - a * _C * (1 - b) * lam, a * _C * b], [-(1 - b) * lam, b]])
    return left_over(*matrix_entries(matrix, stated), *matrix_entries(spread, sp.Matrix([sp.sqrt(2 * a), 0])))


@check("G1.invariants")
def determinant_and_trace(settings: Settings) -> Measurement:
    """`det = b` and `trace = 1 + b - k`."""
    matrix, _, _ = symbols()
    return left_over(matrix.det() - b, matrix.trace() - (1 + b - _U * _C * (1 - b)))


@check("G1.jury")
def stability_is_jury(settings: Settings) -> Measurement:
    """Jury's conditions: `|det| = b < 1`; `1 - trace + det = k > 0`; `1 + trace + det > 0`.

    The last is `u < 2 / (1 - b^2)`: its left side is `2 / (1 - b^2) - u` times the positive `(1 - b^2)(1 + b)`.
    """
    matrix, _, _ = symbols()
    trace, determinant = matrix.trace(), matrix.det()
    return left_over(
        1 - trace + determinant - _U * _C * (1 - b),
        1 + trace + determinant - (2 / (1 - b**2) - _U) * (1 - b**2) * (1 + b),
    )


def law_transition(u: float, beta: float) -> np.ndarray:
    """Return the transition of (x, m) as the exact law applies it, at `lam = 1`, `a = u`."""
    law = GaussianLaw([1.0])
    start = law.start(0.0, 1.0).x
    state = law.settle(State(start, start, drift=u, reach=u))
    step = momentum(momentum_rule(constant(beta)))
    after, _ = step(state, law.score, law.noise, Level(0, sigma=0.0, step=u), law)
    return law.transition(after._replace(s=None))[1][0].numpy()


@check("G1.law")
def law_and_symbols_agree(settings: Settings) -> Measurement:
    """Return the largest difference of the law's transition to the symbols' over the random points."""
    numeric = sp.lambdify((a, b, lam), symbols()[0], "numpy")
    us, betas = random_parameters(settings)
    pairs = zip(us, betas, strict=True)
    gaps = [np.abs(law_transition(u, beta) - numeric(u, beta, 1.0)).max() for u, beta in pairs]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("G1.boundary")
def boundary_separates(settings: Settings) -> Measurement:
    """Count the random b whose spectral radius is not below 1 just under the bound and above 1 just over it."""
    betas = random_parameters(settings)[1]
    sides = [[spectral_radius(side * stability_bound(b), b) for side in (1 - 1e-6, 1 + 1e-6)] for b in betas]
    wrong = sum(not (below < 1.0 < above) for below, above in sides)
    return Measurement(value=wrong, n=len(betas), seeds=(settings.seed,))


def spectral_radius(u: float, beta: float) -> float:
    """Return the spectral radius of the transition that the exact law applies: the contraction per step."""
    return float(np.abs(np.linalg.eigvals(law_transition(u, beta))).max())


@check("G3.covariance")
def stationary_covariance_is_as_stated(settings: Settings) -> Measurement:
    """The Lyapunov solution has the stated `Var x`, `Var m` and `Cov(x_t, m_{t-1})`."""
    _, _, covariance = symbols()
    last = _C * (2 - _U * (1 - b**2))
    return left_over(
        lam * covariance[0, 0] - 2 * (1 - b + 2 * _U * b * (1 + b)) / ((1 - b) * last),
        covariance[1, 1] - 2 * lam / last,
        covariance[0, 1] - 2 * (_U * (1 + b) - 1) / last,
        (lam * covariance[0, 0]).subs(b, 0) - 1 / (1 - _U / 2),
    )


@check("G3.solved")
def closed_form_against_solved_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against the exact law's own linear system."""
    us, betas = random_parameters(settings)
    pairs = zip(us, betas, strict=True)
    gaps = [abs(_solved_variance(u, beta) / variance_ratio(u, beta) - 1) for u, beta in pairs]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def _solved_variance(u: float, beta: float) -> float:
    law = GaussianLaw([1.0])
    return law.moments(frozen(law, u, beta).x).variance.item()


@check("G3.reached")
def closed_form_against_reached_law(settings: Settings) -> Measurement:
    """Return the largest relative error of the formula against the law that a long run reaches.

    Ten precisions share a run (a step of 1), so that the random points need a tenth of the runs.
    """
    us, betas = random_parameters(settings)
    gaps = [_reached_gap(chunk, beta) for chunk, beta in _in_tens(us, betas)]
    return Measurement(value=max(gaps), n=10 * len(gaps), seeds=(settings.seed,))


def _in_tens(us: np.ndarray, betas: np.ndarray) -> list[tuple[np.ndarray, float]]:
    fractions = us / stability_bound(betas)
    return [(fractions[i : i + 10] * stability_bound(betas[i]), betas[i]) for i in range(0, len(us), 10)]


def _reached_gap(us: np.ndarray, beta: float) -> float:
    found = reached(GaussianLaw(1 / us), momentum(momentum_rule(constant(beta))), 1.0, start_variance=1.0)
    return float(np.abs(found.variance.numpy() * us / variance_ratio(us, beta) - 1).max())


@check("G3.particles")
def closed_form_against_particles(settings: Settings) -> Measurement:
    """Return the relative error of the particles' variance at u = 0.5, b = 0.5, after 60 steps from the stationary law.

    The particles are independent, so `n Var^ / Var` is chi-squared: standard error `sqrt(2 / n)`.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.particles, 1, dtype=torch.float64, generator=generator)
    program = [(momentum(momentum_rule(constant(0.5))), Level(0, sigma=0.0, step=0.5))] * 60
    state, _, _ = sample(program, start, lambda at, level: -at, generator)
    exact = variance_ratio(0.5, 0.5)
    error = state.x.square().mean().item() / exact - 1
    spread = (2 / settings.particles) ** 0.5
    return Measurement(value=error, n=settings.particles, seeds=(settings.seed,), detail={"standard error": spread})


@check("G5.limit")
def gaussian_limit_is_cooled(settings: Settings) -> Measurement:
    """`lim_{a -> 0} lam Var x = 1 / c`: the variance of `pi^c`, not of `pi`."""
    _, _, covariance = symbols()
    return left_over(sp.limit(lam * covariance[0, 0], a, 0) - 1 / _C)


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

    The interval is the one of a proportion (Clopper-Pearson) at a false-alarm rate of 1e-6.
    """
    target, beta = two_modes(), 0.5
    at = mixture_particles(settings, target, beta)
    share, low, high, _ = proportion_interval(int((at < 0).sum()), at.numel(), 1 - 1e-6)
    cooled = minority_mass(target, (1 + beta) ** 2)
    detail: dict[str, JsonValue] = {"share": share, "share of pi^c": cooled, "share of pi": minority_mass(target)}
    return Measurement(
        value=share - cooled, low=low - cooled, high=high - cooled, n=at.numel(), seeds=(settings.seed,), detail=detail
    )


def mixture_particles(settings: Settings, target: GaussianMixture, beta: float) -> Tensor:
    """Return constant momentum's particles on the mixture, from draws of the target itself, after `mixture_time`."""
    generator = torch.Generator().manual_seed(settings.seed)
    start = target.sample(settings.mixture_particles, CLEAN, generator)
    steps = round(settings.mixture_time / settings.mixture_step)
    level = Level(0, sigma=0.0, step=settings.mixture_step)
    program = [(momentum(momentum_rule(constant(beta))), level)] * steps
    return sample(program, start, target.score, generator)[0].x[:, 0]


def draw_stability() -> Drawing:
    """Spectral radius over (u, b): contours from the transition's eigenvalues, the bound drawn in."""
    us, betas = np.linspace(0.01, 4.0, 200), np.linspace(0.0, 0.95, 160)
    u, beta = np.meshgrid(us, betas)
    trace = 1 + beta - u * (1 + beta) ** 2 * (1 - beta)
    root = np.sqrt((trace**2 - 4 * beta).astype(complex))
    radius = np.maximum(np.abs(trace + root), np.abs(trace - root)) / 2
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    filled = axes.contourf(u, beta, np.minimum(radius, 1.3), levels=np.linspace(0.0, 1.3, 14), cmap="cividis")
    bound = stability_bound(betas)
    axes.plot(bound[bound < 4], betas[bound < 4], color="white", lw=2, label="$u = 2/(1-b^2)$")
    axes.set(xlabel=r"$u = a\lambda$", ylabel="momentum $b$", xlim=(0, 4))
    axes.legend(loc="lower right")
    drawing.colorbar(filled, label="spectral radius")
    return drawing


def draw_variance() -> Drawing:
    """Stationary variance against the step: closed form (lines) and the exact law (points)."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    for number, beta in enumerate((0.0, 0.5, 0.8, 0.9)):
        us = np.logspace(-4, np.log10(0.9 * stability_bound(beta)), 200)
        axes.loglog(us, variance_ratio(us, beta), color=f"C{number}", label=f"$b = {beta:g}$")
        axes.plot(us[::20], [_solved_variance(u, beta) for u in us[::20]], "o", ms=3, color=f"C{number}")
        axes.axhline((1 + beta) ** -2, color=f"C{number}", lw=0.7, ls=":")
    axes.axhline(1.0, color="0.4", lw=0.8)
    axes.set(xlabel=r"$u = a\lambda$", ylabel=r"stationary $\lambda\,\mathrm{Var}\,x$")
    axes.legend()
    return drawing


def draw_mixture(settings: Settings) -> Drawing:
    """The mixture's particles against `pi` and `pi^c`."""
    target, beta = two_modes(), 0.5
    at = torch.linspace(-3.0, 3.0, 601, dtype=torch.float64)[:, None]
    log_density = target.log_density(at, CLEAN)
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    particles = mixture_particles(settings, target, beta).numpy()
    axes.hist(particles, bins=80, density=True, color="0.8", label="particles")
    for power, label, line in ((1.0, r"target $\pi$", "-"), ((1 + beta) ** 2, r"$\pi^{(1+b)^2}/Z$", "--")):
        density = torch.exp(power * log_density)
        axes.plot(at, density / torch.trapezoid(density, at[:, 0]), line, label=label)
    axes.set(xlabel="$x$", ylabel="density")
    axes.legend()
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_stability(),
            folder,
            "stability",
            r"Spectral radius of constant momentum's transition; the white line is G1's bound $u = 2/(1-b^2)$.",
            ("G1", "P1a"),
        ),
        save_figure(
            draw_variance(),
            folder,
            "variance",
            r"Constant momentum on $N(0, 1/\lambda)$: G3's closed form (lines), the exact law (points), the limits "
            r"$1/(1+b)^2$ (dotted). The target is the grey line at 1: with momentum a smaller step leads away from it.",
            ("G3", "G5", "P1b", "P1c"),
        ),
        save_figure(
            draw_mixture(settings),
            folder,
            "cooled_mixture",
            f"Constant momentum ($b = 0.5$, $a = {settings.mixture_step:g}$, {settings.mixture_particles} particles) "
            r"on the mixture: it samples $\pi^{(1+b)^2}$, sharper than the target and poorer in the minority mode.",
            ("G5",),
        ),
    ]
