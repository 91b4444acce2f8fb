"""K1: BAOAB with one evaluation a step, its position form, and its stationary distribution."""

from itertools import repeat

import sympy as sp
import torch
from torch import Tensor

from ams.laws.symbolic import Symbols, lam, p, x
from ams.samplers import Particles, State, Step, baoab_positions, run
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from ams_suite.measures import largest
from analysis.kinetic_langevin.one_level import METHODS, A, U, derivation, dt, e, stationary_variance
from analysis.kinetic_langevin.settings import Settings, random_points
from analysis.proofs import left_over
from analysis.targets import two_modes
from verdicts import Measurement, check


@check("K1.identity")
def remainder_of_splitting_less_position_form(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's splitting form without its velocity, less its position form, any score."""
    unknown = sp.Function("s", real=True)
    before, now = sp.symbols("z_- z", real=True)

    def step(method: Step, state: State, draw: sp.Symbol) -> State:
        level = Level(0, sigma=0.0, step=A)
        return method(state, lambda at, _: unknown(at), lambda at: draw, level, Symbols())[0]

    middle = step(METHODS["BAOAB"](e), State(x, p=p), before)
    splitting = step(METHODS["BAOAB"](e), middle, now).x
    positions = step(baoab_positions(e), State(middle.x, p=(middle.x - x) / dt, z=before), now).x
    return left_over(sp.expand(splitting - positions))


@check("K1.rounding")
def difference_of_both_forms_on_particles(settings: Settings) -> Measurement:
    """Measure the largest difference of particles under BAOAB's two forms: 400 steps on the mixture, common noise."""
    generator, momentum = torch.Generator().manual_seed(settings.seed), 0.8
    start, before, *draws = torch.randn(402, 64, 1, generator=generator, dtype=torch.float64)
    begin = State(start, p=((1 - momentum) / (1 + momentum)) ** 0.5 * before)
    splitting = _path(METHODS["BAOAB"](momentum), begin, draws)
    positions = _path(baoab_positions(momentum), State(start), [before, *draws])
    difference = float((splitting - positions).abs().max())
    return Measurement(value=difference, n=splitting.numel(), seeds=(settings.seed,))


def _path(step: Step, state: State, draws: list[Tensor]) -> Tensor:
    program = repeat((step, Level(0, sigma=0.0, step=0.02)), 400)
    states = run(program, state, two_modes().score, replayed(draws), Particles())
    return torch.stack([now.x.clone() for now, _ in states])


@check("K1.transition")
def remainder_of_determinant_trace_and_stability(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's determinant less e, trace less (1 + e)(1 - u), and Jury's conditions."""
    matrix = derivation("BAOAB").matrix
    det, trace = matrix.det(), matrix.trace()
    jury = (1 - trace + det - (1 + e) * U, 1 + trace + det - (1 + e) * (2 - U))
    return left_over(det - e, trace - (1 + e) * (1 - U), *jury)


@check("K1.marginal")
def remainder_of_stationary_covariance(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's `lam Var x - 1`, `Var p - 1` and `Cov(x, p) - dt / 2`, whatever u, e."""
    covariance = derivation("BAOAB").covariance
    return left_over(lam * covariance[0, 0] - 1, covariance[1, 1] - 1, covariance[0, 1] - dt / 2)


@check("K1.midkick")
def remainder_of_velocity_after_half_a_kick(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's `Cov(x, p + (dt/2) s)` and `Var(p + (dt/2) s) - (1 - u/2)`."""
    covariance = derivation("BAOAB").covariance
    half = sp.Matrix([-lam * dt / 2, 1])
    return left_over((covariance[0, :] * half)[0], (half.T * covariance * half)[0] - (1 - U / 2))


@check("K1.law")
def largest_variance_error_of_exact_law(settings: Settings) -> Measurement:
    """Measure the largest `|lam Var x - 1|` of BAOAB's stationary distribution by the exact law, over random (u, e)."""
    errors = [abs(stationary_variance("BAOAB", u, momentum) - 1.0) for u, momentum in random_points(settings)]
    return largest(errors, settings.seed)
