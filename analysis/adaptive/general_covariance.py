"""Adaptive momentum in the mean field on any covariance: A1, the exact law."""

import numpy as np
import torch
from scipy.special import ellipe

from ams.laws import Moments, eigenlaw, rotated_back
from ams.laws.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw
from ams.samplers import (
    Coefficients,
    Particles,
    Program,
    State,
    last,
    momentum,
    recorded,
    run,
    sample,
)
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from ams.targets import Gaussian
from ams_suite.measures import largest
from analysis.adaptive import study
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import STEP
from verdicts import Measurement


def norm_error(exact: float, *gaussian: list[float]) -> float:
    """Return the relative error of `E|g|` for the means, variances and multiplicities of a
    Gaussian vector.
    """
    return abs(
        expected_norm(*(torch.tensor(part, dtype=torch.float64) for part in gaussian)) / exact - 1
    )


def largest_error_against_the_noncentral_chi(settings: Settings) -> Measurement:
    """Measure the largest relative error of `E|g|` where all variances are equal, up to 4096
    dimensions.
    """
    rows = study.noncentral_chi_means(settings.points, settings.seed).T.tolist()
    return largest(
        [norm_error(exact, [(r2 / d) ** 0.5], [v], [d]) for d, v, r2, exact in rows], settings.seed
    )


def largest_error_against_the_elliptic_integral(settings: Settings) -> Measurement:
    """Measure the largest relative error of `E|g|` in the plane, which is `sqrt(2 v_1/pi) E(1 -
    v_2/v_1)`.
    """
    ratios = np.exp(np.random.default_rng(settings.seed).uniform(-20, 0, settings.points))
    exact = (2 / np.pi) ** 0.5 * ellipe(1 - ratios)
    pairs = zip(exact, ratios.tolist(), strict=True)
    return largest(
        [norm_error(e, [0.0, 0.0], [1.0, v], [1.0, 1.0]) for e, v in pairs], settings.seed
    )


def rotated_target(dimension: int, seed: int) -> Gaussian:
    """Return a Gaussian with a random basis, variances over two decades and a random mean."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(
        torch.randn(dimension, dimension, dtype=torch.float64, generator=generator)
    )[0]
    variance = 10 ** torch.linspace(-2, 0, dimension, dtype=torch.float64)
    mean = torch.randn(dimension, dtype=torch.float64, generator=generator)
    return Gaussian(mean, basis * variance @ basis.mT)


def mean_field(law: GaussianLaw, program: Program) -> tuple[Moments, list[Coefficients]]:
    """Return the moments after a program from N(0, I), and the coefficients of each step."""
    states = list(law.run(program, law.start(0.0, 1.0)))
    return law.moments(states[-1][0].x), [
        info.coefficients for _, info in states if info.coefficients
    ]


def largest_error_against_impulses(settings: Settings) -> Measurement:
    """Measure the largest error of mean and covariance on a full covariance, d = 24, against the
    dense sampler's: at given coefficients an affine map of start and draws, whose columns come from
    running each of them alone.
    """
    target, steps, d, level = (
        rotated_target(24, settings.seed),
        20,
        24,
        Level(0, sigma=0.0, step=2e-3),
    )
    moments, chosen = mean_field(eigenlaw(target), [(STEP, level)] * steps)
    exact = rotated_back(target, moments)
    impulses = torch.eye((1 + steps) * d, dtype=torch.float64).reshape(-1, 1 + steps, d)
    rows = torch.cat([torch.zeros(1, 1 + steps, d, dtype=torch.float64), impulses])
    program = [(momentum(recorded(chosen)), level)] * steps
    draws = replayed(rows[:, 1 + step] for step in range(steps))
    state, _ = last(run(program, State(rows[:, 0].clone()), target.score, draws, Particles()))
    mean, columns = state.x[0], state.x[1:] - state.x[0]
    gaps = (
        (columns.mT @ columns - exact.covariance.matrix()).abs().max(),
        (mean - exact.mean).abs().max(),
    )
    return Measurement(value=float(max(gaps)), n=d, seeds=(settings.seed,))


def error_of_the_particles_covariance(settings: Settings) -> Measurement:
    """Measure `tr(C^-1 C^) / d - 1` of one batch of particles, C the mean field's full
    covariance, d = 24.
    """
    target, program = (
        rotated_target(24, settings.seed),
        [(STEP, Level(0, sigma=0.0, step=2e-3))] * 40,
    )
    exact = rotated_back(target, mean_field(eigenlaw(target), program)[0])
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.batch, 24, dtype=torch.float64, generator=generator)
    state, _, _ = sample(program, start, target.score, generator)
    white = exact.covariance.to_eigenbasis(state.x - exact.mean) / exact.covariance.variances.sqrt()
    return Measurement(
        value=white.square().mean().item() - 1, n=white.numel(), seeds=(settings.seed,)
    )


def largest_change_by_listing_directions(settings: Settings) -> Measurement:
    """Measure the largest change of the momentum coefficient where 16 directions are listed many
    times, not counted.
    """
    variance, copies = np.logspace(-3, 0, 16), settings.directions // 16
    program = [(STEP, Level(0, sigma=0.0, step=2e-4))] * 50
    laws = GaussianLaw(np.repeat(variance, copies)), GaussianLaw(variance, multiplicity=copies)
    listed, counted = (
        np.array([each.beta for each in mean_field(law, program)[1]]) for law in laws
    )
    return Measurement(value=float(abs(listed - counted).max()), n=16 * copies)
