"""Kinetic methods at one noise level: transition and stationary distribution on a Gaussian, from
their own steps.

The target has the precision `lam`, `u = a lam = dt^2 lam / 2`.
K1: BAOAB with one evaluation a step, its position form, and its stationary distribution.
K3: related integrators, and how each misses the target's variance.
"""

import math
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.linalg import solve_discrete_lyapunov
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import Symbols, lam, p, symbolic_step, x
from ams.samplers import Particles, State, Step, baoab_positions, kinetic, run
from ams.samplers.noise_sources import replayed
from ams.schedules import Level
from ams.statistics import asymptotic_order
from ams_suite.measures import largest, of_order
from analysis.proofs import Derivation, derived, left_over
from analysis.targets import two_modes
from beyond.kinetic_langevin.settings import Settings, random_points
from verdicts import Measurement
from verdicts.studies import cell

METHODS: dict[str, Callable[[Any], Step]] = {
    "BAOAB": kinetic.baoab,
    "OBABO": kinetic.obabo,
    "SGHMC": kinetic.sghmc,
    "kick, drift, refresh": kinetic.bao,
    "exponential Euler": kinetic.exponential_euler,
}
"""Each method's step from the momentum `e` kept per step, a number or a symbol."""
dt, e = sp.symbols("dt e", positive=True)
A = dt**2 / 2
U = A * lam


@cell
def derivation(method: str) -> Derivation:
    """Derive a method's transition and stationary covariance from its step, in the symbols `dt`,
    `e` and `lam`.
    """
    return derived(symbolic_step(METHODS[method](e), State(x, p=p), size=A), p)


def law_step(
    law: Any, method: str, size: Any, momentum: Any, variance: float = 1.0
) -> tuple[State, State]:
    """Return a state (x, p) of the exact law, or in balls, and what one step of base step `size`
    makes of it.
    """
    row = law.start(0.0, variance).x
    state = law.begin_step(State(row, p=row))
    return state, METHODS[method](momentum)(
        state, law.score, law.noise, Level(0, sigma=0.0, step=size), law
    )[0]


def stationary_variance(method: str, size: float, momentum: float) -> float:
    """Return `lam Var x` of the distribution that a method's step leaves unchanged, at `lam =
    1`, by the exact law.
    """
    law = GaussianLaw([1.0])
    state, after = law_step(law, method, size, momentum)
    return law.moments(law.set_stationary(state, after).x).variance.item()


def law_transition(method: str, size: float, momentum: float) -> np.ndarray:
    """Return the 2 x 2 transition of (x, p) that the exact law applies at `lam = 1`."""
    law = GaussianLaw([1.0])
    return law.transition(law_step(law, method, size, momentum)[1])[1][0].numpy()


def stationary_error(method: str, time_step: float, momentum: float) -> float:
    """Return `|lam Var x - 1|` of a method's stationary distribution at `lam = 1`, however many
    draws a step takes.

    One step from x = p = 0 has the covariance of the step's noise; with the transition Lyapunov's
    equation follows.
    """
    law = GaussianLaw([1.0])
    _, after = law_step(law, method, time_step**2 / 2, momentum, variance=0.0)
    rows = (after.x, after.p)
    noise = np.array([[law.covariance(one, other).item() for other in rows] for one in rows])
    return float(
        abs(solve_discrete_lyapunov(law.transition(after)[1][0].numpy(), noise)[0, 0] - 1.0)
    )


def remainder_of_splitting_less_position_form(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's splitting form without its velocity, less its
    position form, any score.
    """
    unknown = sp.Function("s", real=True)
    before, now = sp.symbols("z_- z", real=True)

    def step(method: Step, state: State, draw: sp.Symbol) -> State:
        level = Level(0, sigma=0.0, step=A)
        return method(state, lambda at, _: unknown(at), lambda at: draw, level, Symbols())[0]

    middle = step(METHODS["BAOAB"](e), State(x, p=p), before)
    splitting = step(METHODS["BAOAB"](e), middle, now).x
    positions = step(baoab_positions(e), State(middle.x, p=(middle.x - x) / dt, z=before), now).x
    return left_over(sp.expand(splitting - positions))


def difference_of_both_forms_on_particles(settings: Settings) -> Measurement:
    """Measure the largest difference of particles under BAOAB's two forms: 400 steps on the
    mixture, common noise.
    """
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


def remainder_of_determinant_trace_and_stability(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's determinant less e, trace less (1 + e)(1 - u), and
    Jury's conditions.
    """
    matrix = derivation("BAOAB").matrix
    det, trace = matrix.det(), matrix.trace()
    jury = (1 - trace + det - (1 + e) * U, 1 + trace + det - (1 + e) * (2 - U))
    return left_over(det - e, trace - (1 + e) * (1 - U), *jury)


def remainder_of_stationary_covariance(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's `lam Var x - 1`, `Var p - 1` and `Cov(x, p) - dt /
    2`, whatever u, e.
    """
    covariance = derivation("BAOAB").covariance
    return left_over(lam * covariance[0, 0] - 1, covariance[1, 1] - 1, covariance[0, 1] - dt / 2)


def remainder_of_velocity_after_half_a_kick(settings: Settings) -> Measurement:
    """Measure the operations left in BAOAB's `Cov(x, p + (dt/2) s)` and `Var(p + (dt/2) s) - (1
    - u/2)`.
    """
    covariance = derivation("BAOAB").covariance
    half = sp.Matrix([-lam * dt / 2, 1])
    return left_over((covariance[0, :] * half)[0], (half.T * covariance * half)[0] - (1 - U / 2))


def largest_variance_error_of_exact_law(settings: Settings) -> Measurement:
    """Measure the largest `|lam Var x - 1|` of BAOAB's stationary distribution by the exact law,
    over random (u, e).
    """
    errors = [
        abs(stationary_variance("BAOAB", u, momentum) - 1.0)
        for u, momentum in random_points(settings)
    ]
    return largest(errors, settings.seed)


STATED = {
    "OBABO": 1 / (1 - U / 2),
    "SGHMC": (1 + e) / (1 + e - U),
    "kick, drift, refresh": (1 + e) ** 2 / (2 * (1 + e - U)),
}
"""Claim K3's `lam Var x` of each method."""


def stationary(method: str) -> sp.Expr:
    """Return `lam Var x` of a method's stationary distribution, derived from its step."""
    return lam * derivation(method).covariance[0, 0]


def remainder_of_three_stationary_variances(settings: Settings) -> Measurement:
    """Measure the operations left in `lam Var x` of OBABO, SGHMC and kick-drift-refresh, less
    the stated formulas.
    """
    return left_over(*(stationary(method) - stated for method, stated in STATED.items()))


def largest_error_of_three_stationary_variances(settings: Settings) -> Measurement:
    """Measure the largest relative error of the formulas for `lam Var x` against the exact law,
    over random (u, e).
    """
    errors = []
    for method, stated in STATED.items():
        formula = sp.lambdify((dt, e, lam), stated, "numpy")
        for u, momentum in random_points(settings)[::3]:
            size = u if method == "OBABO" else u * (1 + momentum) / 2
            expected = formula((2 * size) ** 0.5, momentum, 1.0)
            errors.append(abs(stationary_variance(method, size, momentum) / expected - 1.0))
    return largest(errors, settings.seed)


def remainder_of_limits_at_small_steps(settings: Settings) -> Measurement:
    """Measure the operations left in the limits of `lam Var x` as `a -> 0`: (1 + e)/2 for the
    last method, else 1.
    """
    methods = ("kick, drift, refresh", "OBABO", "SGHMC", "BAOAB")
    limits = [sp.limit(stationary(method), dt, 0) for method in methods]
    return left_over(limits[0] - (1 + e) / 2, *(limit - 1 for limit in limits[1:]))


def order_at_fixed_friction(method: str) -> Measurement:
    """Return the order in dt of a method's variance error, with `e = exp(-2 dt)`."""
    steps = 0.2 * 2.0 ** -np.arange(6)
    return of_order(
        asymptotic_order(steps, [stationary_error(method, t, math.exp(-2.0 * t)) for t in steps])
    )
