"""R1 to R3, by algebra on the sampler's own steps. P3: does the rule add a hyperparameter, its clip
`1 - delta`?

rho_t  = A_{t-1} <s_t - s_{t-1}> / <d_{t-1}>,   beta_t = clip(((1 - rho_t) / (1 + rho_t))^2, 0, 1 - delta)

R4 and R5 are of the authors' image corrector in a predictor-corrector run, by the exact law on the
stiff Gaussian. R4: alone, a sampler's `s_t - s_{t-1}` is the score's response to its last move.
Here it also holds the corrector's own noise, the predictor's move and a change of noise level. R5:
the step `a_t = 2 (snr <z>/<m_{t-1}>)^2` is sized by the momentum's norm before its update, one
level behind: Song's rule with `snr <s_t>/<m_{t-1}>` in the place of snr. The control is plain
Langevin with the lagged norm (momentum with b = 0).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch

from ams import samplers
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import solved
from ams.laws.symbolic import Norm, Symbols, a, lam, m, mu, s, symbolic_step, x, z
from ams.samplers import Particles, State, Step, snr_of_last_momentum, snr_of_score
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams_suite.measures import named_extreme
from analysis.proofs import left_over
from analysis.update_rule import study
from analysis.update_rule.settings import Settings
from analysis.update_rule.study import LAGGED, momentum_step
from verdicts import Measurement

A, EPSILON, SNR, RHO = sp.symbols("A epsilon nu rho", positive=True)


def symbolic_ratio(effective_drift: sp.Expr) -> sp.Expr:
    """Return `rho` of the adaptive rule on symbols, where the last move was `effective_drift m`
    and `A_{t-1} = A`.
    """
    algebra = Symbols()
    state = State(x, m, s, drift=A, effective_drift=effective_drift)
    return samplers.adaptive()(state, algebra.score(x, Level(0, sigma=0.0, step=a)), algebra)[1]


def terms_left_of_the_ratio(settings: Settings) -> Measurement:
    """Count the terms left of `d rho / dA` and of `rho - <s_t - s_{t-1}> / <m_{t-1}>`, for any
    homogeneous norm.
    """
    rho = symbolic_ratio(effective_drift=A)
    change, average = Symbols().norm(-lam * (x - mu) - s), Symbols().norm(m)
    return left_over(sp.diff(rho, A), rho - change / average)


def terms_left_of_the_first_ratio(settings: Settings) -> Measurement:
    """Count the terms left of `rho_1` minus `a_1 / (a_1 + eps)` times the ratio, `d_0 = (a_1 +
    eps) s_0`.
    """
    return left_over(
        symbolic_ratio(effective_drift=A + EPSILON)
        - A / (A + EPSILON) * symbolic_ratio(effective_drift=A)
    )


def terms_left_of_the_symmetry(settings: Settings) -> Measurement:
    """Count the terms left of `beta(rho) - beta(1 / rho)`."""
    return left_over(samplers.critical_momentum(RHO) - samplers.critical_momentum(1 / RHO))


def momentum_after(growth: float) -> float:
    """Return beta of the sampler's own step when the score's change is `growth` times the
    momentum.
    """
    scores = iter(
        [
            torch.ones(1, 1, dtype=torch.float64),
            torch.full((1, 1), 1.0 + growth, dtype=torch.float64),
        ]
    )
    step, algebra, state = (
        momentum_step(samplers.adaptive(1e-4)),
        Particles(),
        State(torch.zeros(1, 1).double()),
    )
    for _ in range(2):
        state, info = step(
            state,
            lambda at, level: next(scores),
            torch.zeros_like,
            Level(0, 0.0, step=1.0),
            algebra,
        )
    return float(info.coefficients.beta) if info.coefficients else math.nan


class CountingClips(Particles):
    """Particles that count the calls at which a lower clip acts."""

    def __init__(self) -> None:
        super().__init__()
        self.acted = 0

    def clip(self, scalar: float, low: float, high: float) -> float:
        """Return the clipped scalar."""
        self.acted += scalar < low
        return super().clip(scalar, low, high)


def calls_at_which_the_lower_clip_acts(settings: Settings) -> Measurement:
    """Count the ratios from 0 to infinity at which the rule's lower clip acts: a square is never
    negative.
    """
    ratios, algebra = [0.0, 1.0, math.inf, *np.logspace(-12, 12, 2001)], CountingClips()
    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    for ratio in ratios:
        samplers.adaptive()(State(zero, one, zero, drift=ratio, effective_drift=1.0), one, algebra)
    return Measurement(value=algebra.acted, n=len(ratios))


def coefficient_at_zero_over_zero(settings: Settings) -> Measurement:
    """Measure `1 - beta` where score and momentum are zero and unchanged: delta, 1e-4 in the
    authors' corrector.
    """
    zero = torch.zeros(4, 2)
    beta, _ = samplers.adaptive(1e-4)(
        State(zero, zero, zero, drift=1.0, effective_drift=1.0), zero, Particles()
    )
    return Measurement(value=1.0 - beta)


def terms_left_of_the_adjacency_s_step(settings: Settings) -> Measurement:
    """Count the terms left of the corrector's step without its memory minus Langevin's, adaptive
    and constant.
    """
    plain = symbolic_step(samplers.langevin(samplers.snr_of_score(SNR)), State(x)).x
    rules = [samplers.adaptive(1e-4), samplers.constant(sp.Rational(4, 5))]
    steps = [
        samplers.memoryless(momentum_step(rule, samplers.snr_of_momentum(SNR))) for rule in rules
    ]
    return left_over(
        *(
            symbolic_step(step, State(x, m, s, drift=A, effective_drift=A)).x - plain
            for step in steps
        )
    )


def largest_difference_to_langevin(settings: Settings) -> Measurement:
    """Measure the largest difference of the memoryless corrector to Langevin after 50 particle
    steps, same draws.
    """
    without_memory = samplers.memoryless(
        momentum_step(samplers.adaptive(1e-4), samplers.snr_of_momentum(0.05))
    )
    ends = [
        _corrected(step, settings)
        for step in (without_memory, samplers.langevin(samplers.snr_of_score(0.05)))
    ]
    return Measurement(
        value=float((ends[0] - ends[1]).abs().max()), n=settings.batch, seeds=(settings.seed,)
    )


def _corrected(step: Step, settings: Settings) -> torch.Tensor:
    generator, algebra = torch.Generator().manual_seed(settings.seed), Particles()
    noise, level = generated(generator), Level(0, sigma=0.0)
    state = State(torch.randn(settings.batch, 8, dtype=torch.float64, generator=generator))
    for _ in range(50):
        state, _ = step(
            state, lambda at, level: -at * torch.arange(1.0, 9.0), noise, level, algebra
        )
    return state.x


def terms_left_of_the_noise_in_the_momentum(settings: Settings) -> Measurement:
    """Count the terms left of `dm/dz` in the authors' "cld": critically damped Langevin would
    have noise there.
    """
    after = symbolic_step(momentum_step(samplers.constant(sp.Rational(9, 10))), State(x, m, s))
    return left_over(sp.diff(after.m, z))


def stationary_variance(u: float, delta: float) -> float:
    """Return `lam Var x` of adaptive momentum's stationary distribution at `u = a lam`."""
    return solved(
        GaussianLaw([1.0]), samplers.momentum_rule(samplers.adaptive(delta)), u, 1.0 - delta
    ).variance.item()


def _largest_change(runs: Sequence[Any] | np.ndarray) -> float:
    """Return the largest relative change at any place of arrays over `runs`."""
    values = np.array(runs)
    return float((np.ptp(values, axis=0) / np.abs(values).min(axis=0)).max())


def largest_change_of_the_stationary_variance(settings: Settings) -> Measurement:
    """Measure the largest relative change of the stationary variance over all deltas, at each
    step size.
    """
    variances = [
        [stationary_variance(u, delta) for u in settings.steps] for delta in settings.deltas
    ]
    return Measurement(
        value=_largest_change(variances),
        n=np.size(variances),
        detail={"steps": list(settings.steps)},
    )


def largest_momentum_of_annealed_runs(settings: Settings) -> Measurement:
    """Measure the largest momentum coefficient of annealed runs at the defaults, unclipped: a
    clip above never acts.
    """
    largest = {
        f"NFE {b}": study.largest_annealed_momentum(b, settings.repeats) for b in settings.budgets
    }
    return named_extreme(largest)


def change_of_the_mean(
    settings: Settings, size: float = 1e-4, deltas: Sequence[float] = ()
) -> float:
    """Return the largest relative change of the mean between deltas, by default the extreme ones, u
    = size.

    From 100 standard deviations away, over `0.08 / size` steps: the score hardly changes from step
    to step, and beta comes near its clip.
    """
    deltas = deltas or (min(settings.deltas), max(settings.deltas))
    return _largest_change([study.means_on_the_way(delta, size) for delta in deltas])


def score_changes(count: int) -> list[study.ScoreChange]:
    """Return the score's changes in the run of the authors' adaptive corrector over `count`
    noise levels.
    """
    return study.corrector_run(LAGGED[1], count).changes


def largest_share_left_unexplained(settings: Settings) -> Measurement:
    """Measure the largest share of `E|s_t - s_{t-1}|^2` that the five parts leave unexplained,
    over the runs.
    """
    shares = [change.unexplained for count in settings.levels for change in score_changes(count)]
    return Measurement(value=max(shares), n=len(shares))


def largest_share_of_the_own_drift(settings: Settings) -> Measurement:
    """Measure the largest share of `E|s_t - s_{t-1}|^2` that the corrector's own drift has;
    curvature shows there.
    """
    largest = {
        count: max(change.shares[0] for change in score_changes(count)) for count in settings.levels
    }
    detail = {f"{count} noise levels": share for count, share in largest.items()}
    return Measurement(value=max(largest.values()), n=sum(settings.levels), detail=detail)


def least_share_of_predictor_and_level(settings: Settings) -> Measurement:
    """Measure the least share of predictor and level change together, 30 noise levels, while
    sigma is above 0.1.
    """
    shares = [change.foreign for change in score_changes(30) if change.sigma > 0.1]
    return Measurement(value=min(shares), n=len(shares))


def terms_left_of_the_lagged_size(settings: Settings) -> Measurement:
    """Count the terms left of the lagged size minus Song's with `snr <s>/<m_{t-1}>`, for any
    homogeneous norm.
    """
    algebra, level, state = Symbols(), Level(0, sigma=0.0, step=a), State(x, m, s)
    score = algebra.score(x, level)
    lagged = snr_of_last_momentum(SNR)(state, score, z, 0, level, algebra)
    return left_over(
        lagged - snr_of_score(SNR * Norm(score) / Norm(m))(state, score, z, 0, level, algebra)
    )


def calls_below_the_stated_ratio(settings: Settings) -> Measurement:
    """Count the corrector calls at which `<s_t>/<m_{t-1}>` is below 1, over the control's runs."""
    ratios = np.concatenate(
        [study.corrector_run(LAGGED[0], count).ratios for count in settings.levels]
    )
    return Measurement(value=int((ratios < 1.0).sum()), n=len(ratios))


def mean_ratio(name: str, settings: Settings, at: int = 30) -> Measurement:
    """Return the geometric mean over a run of the ratio of steps, at `at` noise levels; the
    detail has others.
    """
    counts = sorted({at, *settings.levels})
    means = {
        count: float(np.exp(np.log(study.corrector_run(name, count).ratios).mean()))
        for count in counts
    }
    return Measurement(
        value=means[at],
        n=at - 1,
        detail={f"{count} noise levels": mean for count, mean in means.items()},
    )


def control_s_share_of_the_gain(settings: Settings) -> Measurement:
    """Measure the lagged control's share of adaptive momentum's gain in KL over Langevin, at 30
    noise levels.
    """
    divergences = {f"KL, {name}": study.corrector_run(name, 30).kl for name in study.CORRECTORS}
    return Measurement(value=share_of_the_gain(30), detail=divergences)


def gain_of_adaptive_momentum_at_100(settings: Settings) -> Measurement:
    """Measure Langevin's KL less that of the authors' adaptive corrector, at 100 noise levels
    (nats).
    """
    plain, _, _, lagged = (study.corrector_run(name, 100).kl for name in study.CORRECTORS)
    return Measurement(value=plain - lagged, unit="nats")


def share_of_the_gain(count: int) -> float:
    """Return which share of the lagged norm's gain in KL the control has, at a number of noise
    levels.
    """
    plain, control, _, lagged = (study.corrector_run(name, count).kl for name in study.CORRECTORS)
    return (plain - control) / (plain - lagged)
