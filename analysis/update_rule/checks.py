"""Reading the rule: R1 to R3, decided by algebra on the sampler's own steps.

rho_t  = A_{t-1} <s_t - s_{t-1}> / <d_{t-1}>,   beta_t = clip(((1 - rho_t) / (1 + rho_t))^2, 0, 1 - delta)
"""

from __future__ import annotations

import math

import numpy as np
import sympy as sp
import torch

from ams.laws.symbolic import Symbols, a, lam, m, mu, s, symbolic_step, x, z
from ams.samplers import (
    Particles,
    State,
    Step,
    adaptive,
    constant,
    critical_momentum,
    langevin,
    memoryless,
    momentum,
    momentum_rule,
    snr_of_momentum,
    snr_of_score,
)
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from analysis.proofs import left_over
from analysis.update_rule.settings import Settings
from verdicts import Measurement, check

_A, _EPS, _SNR, _RHO = sp.symbols("A epsilon nu rho", positive=True)
_LEVEL = Level(0, sigma=0.0, step=a)


def symbolic_ratio(reach: sp.Expr) -> sp.Expr:
    """Return `rho` of the adaptive rule on symbols, where the last move was `reach m` and `A_{t-1} = A`."""
    algebra = Symbols()
    state = State(x, m, s, drift=_A, effective_drift=reach)
    return adaptive()(state, algebra.score(x, _LEVEL), algebra)[1]


@check("R1.cancels")
def step_size_cancels(settings: Settings) -> Measurement:
    """`rho` is `<s_t - s_{t-1}> / <m_{t-1}>`: no derivative in A is left, for any positively homogeneous norm."""
    rho = symbolic_ratio(effective_drift=_A)
    change, average = Symbols().norm(-lam * (x - mu) - s), Symbols().norm(m)
    return left_over(sp.diff(rho, _A), rho - change / average)


@check("R1.first_move")
def first_move_is_the_exception(settings: Settings) -> Measurement:
    """With `d_0 = (a_1 + eps) s_0` and `A_0 = a_1`, `rho_1` carries the factor `a_1 / (a_1 + eps)`."""
    return left_over(symbolic_ratio(effective_drift=_A + _EPS) - _A / (_A + _EPS) * symbolic_ratio(effective_drift=_A))


@check("R2.symmetry")
def rule_is_symmetric(settings: Settings) -> Measurement:
    """`beta(rho) = beta(1 / rho)`."""
    return left_over(critical_momentum(_RHO) - critical_momentum(1 / _RHO))


def damping_after(growth: float, delta: float = 1e-4) -> float:
    """Return beta of the sampler's own step when the score's change is `growth` times the momentum."""
    scores = iter([torch.ones(1, 1, dtype=torch.float64), torch.full((1, 1), 1.0 + growth, dtype=torch.float64)])
    step, algebra, state = momentum(momentum_rule(adaptive(delta))), Particles(), State(torch.zeros(1, 1).double())
    for _ in range(2):
        state, info = step(state, lambda at, level: next(scores), torch.zeros_like, Level(0, 0.0, step=1.0), algebra)
    return float(info.coefficients.beta) if info.coefficients else math.nan


@check("R2.blow_up")
def blown_up_score_is_smooth_to_it(settings: Settings) -> Measurement:
    """Return beta when the score grows by 100 times the momentum in one step."""
    return Measurement(value=damping_after(100.0))


class Clips(Particles):
    """Particles that count the calls at which a lower clip acts."""

    def __init__(self) -> None:
        super().__init__()
        self.acted = 0

    def clip(self, scalar: float, low: float, high: float) -> float:
        """Return the clipped scalar."""
        self.acted += scalar < low
        return super().clip(scalar, low, high)


@check("R2.lower_clip")
def lower_clip_never_acts(settings: Settings) -> Measurement:
    """Count how often the rule's own clip acts below, at ratios from 0 to infinity: a square is never negative."""
    ratios, algebra = [0.0, 1.0, math.inf, *np.logspace(-12, 12, 2001)], Clips()
    still, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    for ratio in ratios:
        adaptive()(State(still, one, still, drift=ratio, effective_drift=1.0), one, algebra)
    return Measurement(value=algebra.acted, n=len(ratios))


@check("R2.nothing_over_nothing")
def zero_over_zero(settings: Settings) -> Measurement:
    """Return `1 - beta` where score and momentum both stand still at zero: `delta`, the released 1e-4."""
    state = State(torch.zeros(4, 2), torch.zeros(4, 2), torch.zeros(4, 2), drift=1.0, effective_drift=1.0)
    beta, _ = adaptive(1e-4)(state, torch.zeros(4, 2), Particles())
    return Measurement(value=1.0 - beta)


@check("R3.adjacency")
def adjacency_is_plain_langevin(settings: Settings) -> Measurement:
    """The corrector's step that forgets equals Langevin's on symbols, for both released dampings."""
    plain = symbolic_step(langevin(snr_of_score(_SNR)), State(x)).x
    rules = [adaptive(1e-4), constant(sp.Rational(4, 5))]
    steps = [memoryless(momentum(momentum_rule(rule, snr_of_momentum(_SNR)))) for rule in rules]
    return left_over(*(symbolic_step(step, State(x, m, s, drift=_A, effective_drift=_A)).x - plain for step in steps))


@check("R3.bitwise")
def adjacency_matches_bit_for_bit(settings: Settings) -> Measurement:
    """Return the largest difference of the two over 50 particle steps with the same draws: 0, not merely small."""
    released = memoryless(momentum(momentum_rule(adaptive(1e-4), snr_of_momentum(0.05))))
    plain = langevin(snr_of_score(0.05))
    ends = [_corrected(step, settings) for step in (released, plain)]
    return Measurement(value=float((ends[0] - ends[1]).abs().max()), n=settings.batch, seeds=(settings.seed,))


def _corrected(step: Step, settings: Settings) -> torch.Tensor:
    generator, algebra = torch.Generator().manual_seed(settings.seed), Particles()
    noise, level = generated(generator), Level(0, sigma=0.0)
    state = State(torch.randn(settings.batch, 8, dtype=torch.float64, generator=generator))
    for _ in range(50):
        state, _ = step(state, lambda at, level: -at * torch.arange(1.0, 9.0), noise, level, algebra)
    return state.x


@check("R3.noise_outside")
def noise_stays_outside_the_momentum(settings: Settings) -> Measurement:
    """The released "cld" feeds no noise to its momentum, as critically damped Langevin would: `dm/dz = 0`."""
    after = symbolic_step(momentum(momentum_rule(constant(sp.Rational(9, 10)))), State(x, m, s))
    return left_over(sp.diff(after.m, z))
