r"""K1: BAOAB with one evaluation a step, its position form, and its stationary law, read off the samplers' own steps.

Notation: base step `a`, `dt = sqrt(2 a)`, momentum kept `e`, target precision `lam`, `u = a lam`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import repeat

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import Symbols, lam, p, stationary_covariance, symbolic_step, transition, x, z
from ams.samplers import Particles, State, Step, baoab, baoab_positions, run
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from analysis.kinetic_langevin.settings import Settings, random_parameters
from analysis.proofs import left_over
from analysis.targets import two_modes
from verdicts import Measurement, check

dt, e = sp.symbols("dt e", positive=True)
A = dt**2 / 2
U = A * lam


@cache
def symbols(method: Callable[[sp.Symbol], Step]) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix]:
    """Return transition of (x, p), noise vector and stationary covariance of a method, read off its step."""
    after = symbolic_step(method(e), State(x, p=p), size=A)
    matrix, spread = transition(after, [x, p], ["x", "p"]), transition(after, [z], ["x", "p"])
    return matrix, spread, stationary_covariance(matrix, spread)


@check("K1.identity")
def forms_are_one(settings: Settings) -> Measurement:
    """Two steps of the splitting form with the velocity eliminated are one of the position form, for any score.

    The score is an unknown function; the first step goes from (x, p) with noise `z_-`, the second has the noise `z`.
    """
    unknown = sp.Function("s", real=True)
    z_before = sp.Symbol("z_-", real=True)
    level = Level(0, sigma=0.0, step=A)

    def step(method: Step, state: State, drawn: sp.Symbol) -> State:
        return method(state, lambda at, _: unknown(at), lambda at: drawn, level, Symbols())[0]

    middle = step(baoab(e), State(x, p=p), z_before)
    ours = step(baoab(e), middle, z).x
    moved = State(middle.x, p=(middle.x - x) / dt, z=z_before)
    return left_over(sp.expand(ours - step(baoab_positions(e), moved, z).x))


@check("K1.rounding")
def forms_agree_on_particles(settings: Settings) -> Measurement:
    """Return the largest difference of the two forms' particles over 400 steps on the mixture, at common noise.

    The position form has not moved when it begins, so the other's velocity begins as `sqrt(1 - e^2) z_- / (1 + e)`.
    """
    generator, kept = torch.Generator().manual_seed(settings.seed), 0.8
    start, before, *draws = torch.randn(402, 64, 1, generator=generator, dtype=torch.float64)
    begin = State(start, p=((1 - kept) / (1 + kept)) ** 0.5 * before)
    ours = _path(baoab(kept), begin, draws)
    theirs = _path(baoab_positions(kept), State(start), [before, *draws])
    return Measurement(value=float((ours - theirs).abs().max()), n=ours.numel(), seeds=(settings.seed,))


def _path(step: Step, state: State, draws: list[Tensor]) -> Tensor:
    program = repeat((step, Level(0, sigma=0.0, step=0.02)), 400)
    states = run(program, state, two_modes().score, replayed(draws), Particles())
    return torch.stack([now.x.clone() for now, _ in states])


@check("K1.transition")
def determinant_and_trace(settings: Settings) -> Measurement:
    """`det = e`, `trace = (1 + e)(1 - u)`; so Jury's conditions are `e < 1`, `(1 + e) u > 0`, `(1 + e)(2 - u) > 0`."""
    matrix, _, _ = symbols(baoab)
    det, trace = matrix.det(), matrix.trace()
    return left_over(
        det - e,
        trace - (1 + e) * (1 - U),
        1 - trace + det - (1 + e) * U,
        1 + trace + det - (1 + e) * (2 - U),
    )


@check("K1.marginal")
def position_is_exact(settings: Settings) -> Measurement:
    """The Lyapunov solution has `lam Var x = 1`, `Var p = 1`, `Cov(x, p) = dt / 2`, whatever u and e."""
    _, _, covariance = symbols(baoab)
    return left_over(lam * covariance[0, 0] - 1, covariance[1, 1] - 1, covariance[0, 1] - dt / 2)


@check("K1.midkick")
def velocity_at_mid_kick(settings: Settings) -> Measurement:
    """Half a kick on, `p + (dt/2) s` is independent of x, with variance `1 - u/2`."""
    _, _, covariance = symbols(baoab)
    half = sp.Matrix([-lam * dt / 2, 1])
    return left_over((covariance[0, :] * half)[0], (half.T * covariance * half)[0] - (1 - U / 2))


def _one_step(method: Callable[[float], Step], u: float, kept: float) -> tuple[GaussianLaw, State, State]:
    """Return the law on N(0, 1), a state (x, p), and what a step of size `a = u` makes of it."""
    law = GaussianLaw([1.0])
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, p=row))
    return law, state, method(kept)(state, law.score, law.noise, Level(0, sigma=0.0, step=u), law)[0]


def stationary_variance(method: Callable[[float], Step], u: float, kept: float) -> float:
    """Return `lam Var x` of the law that the method's step leaves unchanged, solved for by the exact law."""
    law, state, after = _one_step(method, u, kept)
    return law.moments(law.set_stationary(state, after).x).variance.item()


def law_transition(method: Callable[[float], Step], u: float, kept: float) -> np.ndarray:
    """Return the transition of (x, p) as the exact law applies it, at `lam = 1`, `a = u`."""
    law, _, after = _one_step(method, u, kept)
    return law.transition(after)[1][0].numpy()


@check("K1.law")
def exact_law_is_exact(settings: Settings) -> Measurement:
    """Return the largest `|lam Var x - 1|` of the exact law over the random points."""
    pairs = zip(*random_parameters(settings), strict=True)
    gaps = [abs(stationary_variance(baoab, u, kept) - 1.0) for u, kept in pairs]
    return Measurement(value=max(gaps), n=len(gaps), seeds=(settings.seed,))
