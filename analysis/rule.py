"""Reading the rule: R1 to R3 and P3, decided by algebra on the sampler's own steps and by the exact law.

rho_t  = A_{t-1} <s_t - s_{t-1}> / <d_{t-1}>,   beta_t = clip(((1 - rho_t) / (1 + rho_t))^2, 0, 1 - delta)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sympy as sp
import torch
from matplotlib.figure import Figure as Drawing
from pydantic import BaseModel, ConfigDict

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.laws.symbolic import Symbols, a, lam, m, mu, s, symbolic_step, x, z
from ams.ledger import Figure, Measurement, check, save_figure
from ams.noise import Level, annealed_levels, geometric_sigmas, ncsnv2_step
from ams.samplers import (
    Particles,
    State,
    Step,
    adaptive,
    annealed,
    constant,
    damping_of,
    forgetful,
    langevin,
    momentum,
    momentum_rule,
    snr_of_momentum,
    snr_of_score,
)
from ams.samplers.draws import generated
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian

_A, _EPS, _SNR, _RHO = sp.symbols("A epsilon nu rho", positive=True)
_LEVEL = Level(0, sigma=0.0, step=a)


class Settings(BaseModel):
    """Sizes of this group: the deltas and steps of P3, the budgets (NFE) of its annealed part, R3's batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deltas: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
    steps: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3)
    budgets: tuple[int, ...] = (50, 150, 500)
    repeats: int = 5
    batch: int = 64
    seed: int = 2405


def symbolic_ratio(reach: sp.Expr) -> sp.Expr:
    """Return `rho` of the adaptive rule on symbols, where the last move was `reach m` and `A_{t-1} = A`."""
    algebra = Symbols()
    state = State(x, m, s, drift=_A, reach=reach)
    return adaptive()(state, algebra.score(x, _LEVEL), algebra)[1]


@check("R1.cancels")
def step_size_cancels(settings: Settings) -> Measurement:
    """`rho` is `<s_t - s_{t-1}> / <m_{t-1}>`: no derivative in A is left, for any positively homogeneous norm."""
    rho = symbolic_ratio(reach=_A)
    change, average = Symbols().norm(-lam * (x - mu) - s), Symbols().norm(m)
    return left_over(sp.diff(rho, _A), rho - change / average)


@check("R1.first_move")
def first_move_is_the_exception(settings: Settings) -> Measurement:
    """With `d_0 = (a_1 + eps) s_0` and `A_0 = a_1`, `rho_1` carries the factor `a_1 / (a_1 + eps)`."""
    return left_over(symbolic_ratio(reach=_A + _EPS) - _A / (_A + _EPS) * symbolic_ratio(reach=_A))


@check("R2.symmetry")
def rule_is_symmetric(settings: Settings) -> Measurement:
    """`beta(rho) = beta(1 / rho)`."""
    return left_over(damping_of(_RHO) - damping_of(1 / _RHO))


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


@check("R2.lower_clip")
def lower_clip_never_acts(settings: Settings) -> Measurement:
    """Count the ratios in [1e-12, 1e12] (and at 1) whose unclipped beta is negative: a square never is."""
    ratios = np.append(np.logspace(-12, 12, 20_001), 1.0)
    return Measurement(value=int((damping_of(ratios) < 0.0).sum()), n=len(ratios))


@check("R2.nothing_over_nothing")
def zero_over_zero(settings: Settings) -> Measurement:
    """Return `1 - beta` where score and momentum both stand still at zero: `delta`, the released 1e-4."""
    state = State(torch.zeros(4, 2), torch.zeros(4, 2), torch.zeros(4, 2), drift=1.0, reach=1.0)
    beta, _ = adaptive(1e-4)(state, torch.zeros(4, 2), Particles())
    return Measurement(value=1.0 - beta)


@check("R3.adjacency")
def adjacency_is_plain_langevin(settings: Settings) -> Measurement:
    """The corrector's step that forgets equals Langevin's on symbols, for both released dampings."""
    plain = symbolic_step(langevin(snr_of_score(_SNR)), State(x)).x
    rules = [adaptive(1e-4), constant(sp.Rational(4, 5))]
    steps = [forgetful(momentum(momentum_rule(rule, snr_of_momentum(_SNR)))) for rule in rules]
    return left_over(*(symbolic_step(step, State(x, m, s, drift=_A, reach=_A)).x - plain for step in steps))


@check("R3.bitwise")
def adjacency_matches_bit_for_bit(settings: Settings) -> Measurement:
    """Return the largest difference of the two over 50 particle steps with the same draws: 0, not merely small."""
    released = forgetful(momentum(momentum_rule(adaptive(1e-4), snr_of_momentum(0.05))))
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


@check("P3.stationary")
def delta_leaves_the_stationary_law(settings: Settings) -> Measurement:
    """Return the largest relative change of the stationary variance over all deltas, at each step size."""
    moved = [_spread([stationary_variance(u, delta) for delta in settings.deltas]) for u in settings.steps]
    return Measurement(value=max(moved), n=len(moved) * len(settings.deltas), detail={"steps": list(settings.steps)})


def stationary_variance(u: float, delta: float) -> float:
    """Return `lam Var x` of adaptive momentum's stationary law at `u = a lam`."""
    return solved(GaussianLaw([1.0]), momentum_rule(adaptive(delta)), u, 1.0 - delta).variance.item()


@check("P3.annealed")
def delta_leaves_the_annealed_law(settings: Settings) -> Measurement:
    """Return the largest relative change of any direction's final variance over all deltas, over the budgets."""
    moved = [
        _spread([annealed_variance(budget, delta, settings.repeats) for delta in settings.deltas])
        for budget in settings.budgets
    ]
    return Measurement(value=max(moved), n=len(moved) * len(settings.deltas), detail={"nfe": list(settings.budgets)})


def annealed_variance(budget: int, delta: float, repeats: int) -> np.ndarray:
    """Return the final variances of an annealed run with `budget` evaluations on the stiff Gaussian (exact law)."""
    sigmas = geometric_sigmas(50.0, 0.02, budget // repeats)
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, repeats))
    law = stiff_gaussian()
    program = annealed(momentum(momentum_rule(adaptive(delta))), levels, repeats)
    state, _ = law.end(program, law.start(0.0, 50.0**2))
    return law.moments(state.x).variance.numpy()


@check("P3.far_start")
def delta_matters_from_far_away(settings: Settings) -> Measurement:
    """Return how far the mean lags between the extreme deltas, from a start 100 standard deviations away, u = 1e-4.

    There the score hardly changes from step to step, beta reaches its clip, and delta is felt.
    """
    means = [_mean_after(delta, steps=200) for delta in (min(settings.deltas), max(settings.deltas))]
    return Measurement(value=_spread(means), detail={"means": [*means]})


def _mean_after(delta: float, steps: int) -> float:
    law = GaussianLaw([1.0])
    program = [(momentum(momentum_rule(adaptive(delta))), Level(0, sigma=0.0, step=1e-4))] * steps
    state, _ = law.end(program, law.start(100.0, 1.0))
    return law.moments(state.x).mean.item()


def _spread(values: Sequence[float] | Sequence[np.ndarray]) -> float:
    stacked = np.array(values)
    return float((np.ptp(stacked, axis=0) / np.abs(stacked).min(axis=0)).max())


def draw_rule(settings: Settings) -> Drawing:
    """Draw the rule itself, and what delta does to the law."""
    drawing = Drawing(figsize=(7.2, 2.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    ratios = np.logspace(-4, 4, 801)
    left.semilogx(ratios, damping_of(ratios), color="C0")
    left.axvline(1.0, color="0.6", lw=0.8)
    left.plot([100.0], [damping_after(100.0)], "o", color="C3")
    left.annotate("score blown up\nby 100: 0.961", (100.0, 0.961), (8.0, 0.45), arrowprops={"arrowstyle": "->"})
    left.set(xlabel=r"$\rho_t$", ylabel=r"$\beta_t$", title=r"the rule cannot tell $\rho$ from $1/\rho$")
    for u in (1e-4, 1e-2, 0.1):
        values = [stationary_variance(u, delta) for delta in settings.deltas]
        right.semilogx(settings.deltas, values, marker="o", label=f"$u$ = {u:g}")
    right.set(xlabel=r"clip $\delta$", ylabel=r"stationary $\lambda\,$Var$\,x$", ylim=(0, 1.1))
    right.set_title(r"$\delta$ does not move the law")
    right.axhline(1.0, color="0.6", lw=0.8, ls=":")
    right.text(1e-6, 1.02, "target", color="0.4")
    right.legend()
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_rule(settings),
            folder,
            "rule",
            r"Left: the damping as a function of the ratio $\rho$; the rule is symmetric under $\rho \to 1/\rho$. "
            r"Right: the stationary variance of adaptive momentum on $N(0, 1/\lambda)$ against the clip $\delta$ "
            r"(exact mean-field law, $u = a\lambda$).",
            ("R1", "R2", "P3"),
        ),
    ]
