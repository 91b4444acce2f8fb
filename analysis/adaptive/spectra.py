r"""A1 and A4: the mean field on any covariance, in thousands of dimensions.

A1: with an infinite batch the damping is deterministic and the law exactly Gaussian; all that is needed is `E|g|`.
A4: for small steps `|Ds|^2 ~ 2a sum lam^2` (the injected noise) and `|m|^2 ~ sum lam / c`, and in many directions the
norms hardly fluctuate, so `rho ~ (1 + b) sqrt(2 a lam_eff)`, `lam_eff = sum lam^2 / sum lam`.
"""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import sympy as sp
import torch
from pydantic import JsonValue
from scipy.special import ellipe

from ams.laws import eigenlaw, rotated_back
from ams.laws.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, solved
from ams.samplers import Coefficients, Particles, State, last, momentum, recorded, run, sample
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from ams.targets import Gaussian
from analysis.adaptive.fixed_point import HIGHEST, RULE, STEP
from analysis.adaptive.settings import Settings
from verdicts import Measurement, check


def _expected(mean: list[float], variance: list[float], multiplicity: list[float]) -> float:
    return expected_norm(*(torch.tensor(v, dtype=torch.float64) for v in (mean, variance, multiplicity)))


@check("A1.chi")
def norm_against_the_noncentral_chi(settings: Settings) -> Measurement:
    """Return the largest relative error of `E|g|` where all variances are equal, up to 4096 dimensions.

    `E|g| = sqrt(2 v) Gamma((d+1)/2)/Gamma(d/2) 1F1(-1/2; d/2; -|mu|^2/2v)`, in 30 digits.
    """
    generator, gaps = np.random.default_rng(settings.seed), []
    for _ in range(settings.points):
        d, v, r2 = int(np.exp(generator.uniform(0, np.log(4096)))), *np.exp(generator.uniform(-5, 5, 2))
        half = sp.Rational(d, 2)
        gammas = sp.exp(sp.loggamma(half + sp.Rational(1, 2)) - sp.loggamma(half))
        shifted = sp.hyper([-sp.Rational(1, 2)], [half], -sp.Float(r2, 30) / (2 * sp.Float(v, 30)))
        exact = (2 * v) ** 0.5 * float((gammas * shifted).evalf(30))
        gaps.append(abs(_expected([(r2 / d) ** 0.5], [v], [float(d)]) / exact - 1))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("A1.ellipse")
def norm_of_two_variances(settings: Settings) -> Measurement:
    """Return the largest relative error of `E|g|` in the plane: `sqrt(2 v_1/pi) E(1 - v_2/v_1)`, elliptic integral."""
    ratios = np.exp(np.random.default_rng(settings.seed).uniform(-20, 0, settings.points))
    gaps = [abs(_expected([0.0, 0.0], [1.0, v], [1.0, 1.0]) / (2 / np.pi) ** 0.5 / ellipe(1 - v) - 1) for v in ratios]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


def rotated_target(dimension: int, seed: int) -> Gaussian:
    """Return a Gaussian with a random basis, variances over two decades and a random mean."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(dimension, dimension, dtype=torch.float64, generator=generator))[0]
    variance = 10 ** torch.linspace(-2, 0, dimension, dtype=torch.float64)
    mean = torch.randn(dimension, dtype=torch.float64, generator=generator)
    return Gaussian(mean, basis * variance @ basis.mT)


def mean_field(target: Gaussian, size: float, steps: int) -> tuple[Gaussian, list[Coefficients]]:
    """Return the law after `steps` adaptive steps from N(0, I), and the coefficients of each step."""
    law, level = eigenlaw(target), Level(0, sigma=0.0, step=size)
    chosen: list[Coefficients] = []
    after = law.start(0.0, 1.0)
    for state, info in law.run([(STEP, level)] * steps, after):
        chosen += [info.coefficients] if info.coefficients else []
        after = state
    return rotated_back(target, law.moments(after.x)), chosen


@check("A1.rotated")
def full_covariance_by_impulses(settings: Settings) -> Measurement:
    """Return the largest error of mean and covariance on a full covariance, d = 24, over the largest entry.

    With the coefficients given, particles on the dense score are an affine map of start and draws: run once with each
    of them alone, its columns add up to the exact law.
    """
    target, steps, size = rotated_target(24, settings.seed), 20, 2e-3
    law, chosen = mean_field(target, size, steps)
    d = target.mean.numel()
    impulses = torch.eye((1 + steps) * d, dtype=torch.float64).reshape(-1, 1 + steps, d)
    rows = torch.cat([torch.zeros(1, 1 + steps, d, dtype=torch.float64), impulses])
    program = [(momentum(recorded(chosen)), Level(0, sigma=0.0, step=size))] * steps
    draws = replayed(rows[:, 1 + step] for step in range(steps))
    state, _ = last(run(program, State(rows[:, 0].clone()), target.score, draws, Particles()))
    mean, columns = state.x[0], state.x[1:] - state.x[0]
    gaps = (columns.mT @ columns - law.covariance.matrix()).abs().max(), (mean - law.mean).abs().max()
    return Measurement(value=float(max(gaps)), n=d, seeds=(settings.seed,))


@check("A1.particles")
def mean_field_on_a_full_covariance(settings: Settings) -> Measurement:
    """Return `tr(C^-1 C^) / d - 1` of particles after 40 steps, C the mean-field law's covariance about its mean.

    Standard error `sqrt(2 / (batch d))` for independent samples; as in A2 the tolerance allows for 1.5 times that.
    """
    target, size = rotated_target(24, settings.seed), 2e-3
    law, chosen = mean_field(target, size, 40)
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn(settings.batch, 24, dtype=torch.float64, generator=generator)
    program = [(STEP, Level(0, sigma=0.0, step=size))] * 40
    state, info, _ = sample(program, start, target.score, generator)
    white = law.covariance.to_eigenbasis(state.x - law.mean) / law.covariance.variances.sqrt()
    betas = info.coefficients.beta - chosen[-1].beta if info.coefficients else float("nan")
    error = white.square().mean().item() - 1
    detail: dict[str, JsonValue] = {"beta less the mean field's": float(betas)}
    return Measurement(value=error, n=settings.batch * 24, seeds=(settings.seed,), detail=detail)


@check("A1.large")
def thousands_of_directions(settings: Settings) -> Measurement:
    """Return the largest change of beta where each of 16 directions is listed many times instead of counted."""
    variance, copies = np.logspace(-3, 0, 16), settings.directions // 16
    program = [(STEP, Level(0, sigma=0.0, step=2e-4))] * 50
    began = time.perf_counter()
    paths = [
        _dampings(law, program)
        for law in (GaussianLaw(np.repeat(variance, copies)), GaussianLaw(variance, multiplicity=copies))
    ]
    detail: dict[str, JsonValue] = {"directions": 16 * copies, "seconds": time.perf_counter() - began}
    return Measurement(value=float(np.abs(paths[0] - paths[1]).max()), n=16 * copies, detail=detail)


def _dampings(law: GaussianLaw, program: list) -> np.ndarray:
    infos = (info for _, info in law.run(program, law.start(0.0, 1.0)))
    return np.array([info.coefficients.beta for info in infos if info.coefficients])


@cache
def random_spectra(settings: Settings) -> list[tuple[np.ndarray, float, Stationary]]:
    """Return (precisions, step, stationary law): log-uniform over 0.5 to 3 decades, `a lam_max` in [1e-5, 1e-2]."""
    generator, found = np.random.default_rng(settings.seed), []
    for _ in range(4 * settings.spectra):
        precision = 10 ** generator.uniform(0, generator.uniform(0.5, 3.0), settings.directions)
        size = 10 ** generator.uniform(-5, -2) / precision.max()
        found.append((precision, size, solved(GaussianLaw(1 / precision), RULE, size, HIGHEST)))
    return found


def effective(precision: np.ndarray) -> float:
    """Return A4's `lam_eff = sum lam^2 / sum lam`."""
    return float((precision**2).sum() / precision.sum())


@check("A4.ratio")
def ratio_by_the_effective_precision(settings: Settings) -> Measurement:
    """Return the largest relative error of `(1 + b) sqrt(2 a lam_eff)` against the law's rho, random spectra."""
    gaps = []
    for precision, size, law in random_spectra(settings):
        rho = (1 - law.beta**0.5) / (1 + law.beta**0.5)
        gaps.append(abs((1 + law.beta) * (2 * size * effective(precision)) ** 0.5 / rho - 1))
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))


@check("A4.noise")
def the_score_s_change_is_noise(settings: Settings) -> Measurement:
    """Return the least share of the injected noise in `E|Ds|^2`: `2a sum lam^2` over the whole, random spectra."""
    shares = []
    for precision, size, law in random_spectra(settings):
        noise = 2 * size * (precision**2).sum()
        drift = (size * (1 + law.beta) ** 2) ** 2 * (precision**2 * law.momentum.numpy()).sum()
        shares.append(noise / (noise + drift))
    return Measurement(value=float(min(shares)), n=len(shares), seeds=(settings.seed,))


@check("A4.overdamped")
def no_direction_oscillates(settings: Settings) -> Measurement:
    """Return the largest `k / (1 - sqrt b)^2` of any direction: below 1 all eigenvalues are real (claim G2)."""
    edges = []
    for precision, size, law in random_spectra(settings):
        k = size * precision.max() * (1 + law.beta) ** 2 * (1 - law.beta)
        edges.append(k / (1 - law.beta**0.5) ** 2)
    return Measurement(value=float(max(edges)), n=len(edges), seeds=(settings.seed,))
