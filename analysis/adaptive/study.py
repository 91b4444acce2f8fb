"""What the group computes once, and the closed forms that it is held against.

Adaptive momentum's stationary momentum coefficient on an isotropic Gaussian, in the mean field
(batch to infinity), solves

    rho = (1 + b) sqrt(2 u (1 + u b (1 + b))),   b = ((1 - rho) / (1 + rho))^2,

free of dimension, and the distribution is that of constant momentum at that `b` (claim A2).
Computed are exact distributions that are solved for or reached, and batches of particles.
"""

import math
from collections.abc import Callable, Iterator
from itertools import count, islice, tee

import numpy as np
import sympy as sp
import torch
from scipy.optimize import brentq
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, reached, solved
from ams.samplers import (
    Coefficients,
    PerSample,
    State,
    adaptive,
    critical_momentum,
    momentum,
    momentum_rule,
    run,
)
from ams.samplers.base import Noise, Scalar
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from analysis.adaptive.settings import Settings
from analysis.momentum.closed_forms import Real, variance_ratio
from analysis.momentum.study import derivation
from verdicts.studies import Array, Cell, cell

RULE = momentum_rule(adaptive(1e-6))
STEP = momentum(RULE)
U = 0.05
"""The step at which particles run on N(0, I)."""
_BURN = 60  # steps from the variance of b = 0: the slowest mode shrinks by 0.81 a step at u = 0.05


def random_steps(points: int, seed: int) -> np.ndarray:
    """Return random `u`, log-uniform in [1e-4, 1/2]."""
    return np.exp(np.random.default_rng(seed).uniform(math.log(1e-4), math.log(0.5), points))


def stationary_ratio(u: Real | float, beta: Real) -> Real:
    """Return A2's `rho = (1 + b) sqrt(2 u (1 + u b (1 + b)))`."""
    return (1 + beta) * np.sqrt(2 * u * (1 + u * beta * (1 + beta)))


def stationary_momentum(u: float) -> float:
    """Return A2's fixed point `b(u)` for 0 < u <= 1/2, by Brent's method."""
    return _fixed_point(lambda beta: stationary_ratio(u, beta))


def corrector_momentum(snr: float) -> float:
    """Return the stationary `b` of the adaptive corrector at one noise level: A2 and A6
    together.
    """
    return _fixed_point(lambda beta: stationary_ratio(step_of_snr(snr, beta), beta))


def _fixed_point(ratio: Callable[[float], float]) -> float:
    return float(
        brentq(lambda beta: critical_momentum(ratio(beta)) - beta, 0.0, 1.0, xtol=1e-16, rtol=1e-15)
    )


def step_of(root: np.ndarray) -> np.ndarray:
    """Return the `u` at which `b = root^2` is the fixed point: positive, of `2u(1 + u b(1+b)) =
    rho^2 / (1+b)^2`.
    """
    beta = root**2
    half, right = beta * (1 + beta), ((1 - root) / (1 + root) / (1 + beta)) ** 2
    return right / (1 + np.sqrt(1 + 2 * half * right))


def unbiased_step() -> float:
    """Return the one step `u` at which adaptive momentum's stationary variance is the target's."""
    return float(
        brentq(lambda u: variance_ratio(u, stationary_momentum(u)) - 1.0, 0.1, 0.3, xtol=1e-14)
    )


def step_of_snr(snr: Real | float, beta: Real) -> Real:
    """Return A6's `u = 2 snr^2 c / (1 + snr^2 c (1 - b^2))`."""
    c = (1 + beta) ** 2
    return 2 * snr**2 * c / (1 + snr**2 * c * (1 - beta**2))


def stationary(law: GaussianLaw, size: float) -> Stationary:
    """Return the mean field's stationary distribution at base step `size`: the exact law, solved
    for.
    """
    return solved(law, RULE, size, 1.0 - 1e-6)


def stationary_at(u: float, dimension: float = 1.0) -> Stationary:
    """Return the mean field's stationary distribution at `a = u` on the isotropic target `lam =
    1`.
    """
    return stationary(GaussianLaw([1.0], multiplicity=dimension), u)


@cell
def solved_points(points: int, seed: int) -> Array:
    """Random steps u in 7 dimensions, the momentum coefficients and the variances solved for: three
    rows.
    """
    solutions = [(u, stationary_at(u, 7.0)) for u in random_steps(points, seed)]
    return np.array([(u, law.beta, law.variance.item()) for u, law in solutions]).T


@cell
def differences_of_starts(spectra: int, starts: int, seed: int) -> list[float]:
    """Per random spectrum, the largest difference of variances reached from different starts, over
    the target's.

    Starts: means up to 10 and variances from 1e-4 to 1e4 times the target's; spectra: 5 precisions
    over a decade.
    """
    generator = np.random.default_rng(seed)
    return [_difference(generator, starts) for _ in range(spectra)]


def _difference(generator: np.random.Generator, starts: int) -> float:
    variance, ends = np.exp(generator.uniform(math.log(0.3), math.log(3.0), 5)), []
    law = GaussianLaw(variance, multiplicity=generator.integers(1, 20, 5))
    # at larger steps the momentum is nearly 0, and the rule nearly Langevin
    size = 0.1 * variance.min()
    for _ in range(starts):
        spread, mean = variance * 10 ** generator.uniform(-4, 4, 5), generator.uniform(-10, 10, 5)
        ends.append(
            reached(
                law, STEP, size, spread.tolist(), mean.tolist(), tolerance=1e-11
            ).variance.numpy()
        )
    return float((np.ptp(np.array(ends), axis=0) / variance).max())


@cell
def noncentral_chi_means(points: int, seed: int) -> Array:
    """Random dimensions d up to 4096, variances v, squared means r2, and `E|g|` in 30 digits: four
    rows.

    `E|g| = sqrt(2 v) Gamma((d+1)/2)/Gamma(d/2) 1F1(-1/2; d/2; -r2/2v)` for g of variance v in each
    direction.
    """
    generator, rows = np.random.default_rng(seed), []
    for _ in range(points):
        d, v, r2 = (
            int(np.exp(generator.uniform(0, np.log(4096)))),
            *np.exp(generator.uniform(-5, 5, 2)),
        )
        half = sp.Rational(d, 2)
        gammas = sp.exp(sp.loggamma(half + sp.Rational(1, 2)) - sp.loggamma(half))
        shifted = sp.hyper([-sp.Rational(1, 2)], [half], -sp.Float(r2, 30) / (2 * sp.Float(v, 30)))
        rows.append((d, v, r2, (2 * v) ** 0.5 * float((gammas * shifted).evalf(30))))
    return np.array(rows).T


class Batches(PerSample):
    """Independent batches: a vector is (batches, samples, d), `<v>` is each batch's mean norm."""

    def norm(self, vector: Tensor) -> Scalar:
        """Return the batches' mean norms, (batches, 1, 1)."""
        return torch.linalg.vector_norm(vector, dim=2, keepdim=True).mean(1, keepdim=True)


def stationary_run(start: Tensor, noise: Noise, steps: int) -> Iterator[tuple[State, Coefficients]]:
    """Yield batches on N(0, I) at u = 0.05 after each of `steps` steps, once they are
    stationary.
    """
    program = [(STEP, Level(0, sigma=0.0, step=U))] * (_BURN + steps)
    states = run(program, State(start), lambda at, level: -at, noise, Batches())
    yield from (
        (state, info.coefficients)
        for state, info in islice(states, _BURN, None)
        if info.coefficients
    )


@cell
def momentum_fluctuations(batch: int, dimension: int, groups: int, steps: int, seed: int) -> Array:
    """Per batch of `groups`, the mean over steps of `(b_t - b)^2`, `b` the mean field's."""
    generator, expected = torch.Generator().manual_seed(seed), stationary_momentum(U)
    start = torch.randn(groups, batch, dimension, dtype=torch.float64, generator=generator)
    total = torch.zeros(groups, dtype=torch.float64)
    for _, chosen in stationary_run(start, generated(generator), steps):
        total += (chosen.beta.flatten() - expected).square() / steps
    return total.numpy()


def fluctuating(settings: Settings, batch: int, dimension: int) -> tuple[int, int, int, int, int]:
    """Return arguments of `momentum_fluctuations` for `group_steps` observations, of 64 batches at
    least.
    """
    groups = max(64, 2**16 // (batch * dimension))
    return batch, dimension, groups, settings.group_steps // groups, settings.seed


@cell
def variances_by_batch_size(sizes: tuple[int, ...], steps: int, seed: int) -> Array:
    """The mean over steps of `lam |x|^2 / 2`, per block of the largest size (rows) and batch size
    (columns), d = 2.

    All sizes share start and draws, of 2^13 particles.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = (torch.randn(2**13, 2, dtype=torch.float64, generator=generator) for _ in count())
    start, total = next(drawn), np.zeros((len(sizes), 2**13 // max(sizes)))
    runs = [
        _sharing(start.reshape(-1, size, 2), own, steps)
        for size, own in zip(sizes, tee(drawn, len(sizes)), strict=True)
    ]
    for states in zip(*runs, strict=True):
        total += [
            state.x.square().reshape(total.shape[1], -1).mean(1).numpy() / steps
            for state, _ in states
        ]
    return total.T


def _sharing(
    start: Tensor, draws: Iterator[Tensor], steps: int
) -> Iterator[tuple[State, Coefficients]]:
    return stationary_run(start, lambda x: next(draws).view(x.shape), steps)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and the notebook read."""
    points, seed = settings.points, settings.seed
    yield from (
        derivation.cell(),
        solved_points.cell(points, seed),
        noncentral_chi_means.cell(points, seed),
    )
    yield differences_of_starts.cell(settings.spectra, settings.starts, seed)
    sizes = [
        *((batch, 2) for batch in settings.batches),
        *((1, dimension) for dimension in settings.dimensions),
    ]
    yield from (momentum_fluctuations.cell(*fluctuating(settings, *size)) for size in sizes)
    yield variances_by_batch_size.cell(settings.coupled_batches, settings.coupled_steps, seed)
