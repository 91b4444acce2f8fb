"""H2: what `loop` states of adaptive momentum, by algebra, and on exact laws in the mean field."""

import math
from collections.abc import Iterator

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen
from ams.laws.symbolic import a, b, lam, m as memory, mu, symbolic_step, transition, x
from ams.metrics import gaussian_w2
from ams.samplers import Info, State, adaptive, constant, critical_momentum, momentum, momentum_rule
from ams.schedules import Level
from ams_suite.measures import largest
from analysis.proofs import left_over
from beyond.contraction.loop import Bounds, Loop, change, slope
from beyond.contraction.settings import Settings
from verdicts import Measurement

DIRECTIONS = 16
ADAPTIVE = momentum(momentum_rule(adaptive(1e-6)))
MOST = 1e-3
"""The largest step over L at which gains are looked for."""
FARTHEST = (
    ((0.0, 1.6, 2.6, 3.7), (1, 3, 15, 13)),
    ((0.0, 1.6, 2.7, 4.0, 5.0), (1, 3, 24, 200, 600)),
    (tuple(1.7 * np.arange(7)), (1, 3, 151, 7554, 378574, 1.9e7, 9.5e8)),
)
"""Spectra with large gains that a search found, as decades and multiplicities: the slower
directions, the more.
"""


def log_spaced(step: float, condition: float, share: float = 0.5) -> Loop:
    """Return the loop on 16 precisions, log-spaced from 1 over the condition number to 1."""
    return Loop(step, tuple(np.geomspace(1 / condition, 1.0, DIRECTIONS)), share)


def terms_left_of_the_difference() -> Measurement:
    """Count the terms left of H2's lines: the difference of two runs, T's polynomial in delta,
    the rule's slope.
    """
    v, w, delta, rho = sp.symbols("v w delta rho", real=True)

    def step(beta: sp.Expr, state: State) -> State:
        return symbolic_step(momentum(momentum_rule(constant(beta))), state)

    limit, other = step(b, State(x, memory)), step(b + delta, State(x + v, memory + w))
    matrix = transition(step(b + delta, State(x, memory)), [x, memory], ["x", "m"])
    from_score = memory + lam * (x - mu)
    moved = a * (1 + b + delta) ** 2 * from_score + a * (2 * (1 + b) + delta) * limit.m
    grown = matrix * sp.Matrix([v, w]) + delta * sp.Matrix([moved, from_score])
    changed = sum(
        (delta**k * sp.Matrix(term) for k, term in enumerate(change(a * lam, b), 1)), sp.zeros(2, 2)
    )
    return left_over(
        other.x - limit.x - grown[0],
        other.m - limit.m - grown[1],
        *(sp.diag(lam, 1) * (matrix - matrix.subs(delta, 0)) * sp.diag(1 / lam, 1) - changed),
        sp.diff(critical_momentum(rho), rho) + slope(rho),
        sp.diff(slope(rho), rho) - 8 * (rho - 2) / (1 + rho) ** 4,
    )


def largest_share_of_the_growth(settings: Settings) -> Measurement:
    """Measure the largest entry of `|T_{b + d}|` in the modes over its bound, d in `[-delta,
    delta]` at random.
    """
    generator, shares = np.random.default_rng(settings.seed), []
    for loop in _random_loops(generator, settings.spectra):
        delta = (1 - loop.beta) * generator.uniform(0.01, 1.0)
        for beta in np.clip(loop.beta + delta * generator.uniform(-1, 1, 4), 0.0, None):
            in_modes = np.linalg.inv(loop.modes) @ loop.transition(float(beta)) @ loop.modes
            shares.append((np.abs(in_modes) / loop.growth(delta)).max())
    return largest(shares, settings.seed)


def largest_gain(settings: Settings) -> Measurement:
    """Measure the largest gain at steps up to 0.001 over L: random spectra, log-spaced ones, the
    farthest found.

    Random ones have up to 32 directions, log-uniform over up to six decades.
    """
    gains = [
        loop.gain for loop in _random_loops(np.random.default_rng(settings.seed), settings.spectra)
    ]
    gains += [Loop(MOST, tuple(10 ** -np.array(at)), 0.0, count).gain for at, count in FARTHEST]
    gains += [log_spaced(MOST, condition, 0.0).gain for condition in (1.0, 10.0, 100.0, 1e4, 1e6)]
    return largest(gains, settings.seed)


def _random_loops(generator: np.random.Generator, count: int) -> Iterator[Loop]:
    for _ in range(count):
        lam_ = 10 ** -generator.uniform(0, generator.uniform(0, 6), generator.integers(1, 33))
        yield Loop(10 ** generator.uniform(-5, math.log10(MOST)), tuple(lam_ / lam_.max()), 0.0)


def largest_share_of_the_bounds(settings: Settings) -> Measurement:
    """Measure the largest share of the bounds on score, momentum and coefficient that a mean field
    reaches.

    Starts are random. W2 of `Lam x` to the limit is at most `|Lam v|`, since both are driven by the
    same noise.
    """
    generator, shares = np.random.default_rng(settings.seed), []
    for step in (1e-3, 1e-4):
        for condition in (10.0, 1e4):
            loop = log_spaced(step, condition)
            shares += [_share(loop, generator, settings.steps) for _ in range(settings.starts)]
    return largest(shares, settings.seed)


def _share(loop: Loop, generator: np.random.Generator, steps: int) -> float:
    bounds, share = _shown(loop.bounds), 0.0
    for number, (far, apart, off) in enumerate(distances(loop, generator, steps)):
        moved = max(far / bounds.score, apart / bounds.momentum) / loop.rate
        share = max(share, max(moved, off / bounds.coefficient) / loop.rate**number)
    return share


def _shown(bounds: Bounds) -> Bounds:
    if bounds.start < 0:
        raise ArithmeticError("the theorem shows nothing here: the gain is too large")
    return bounds


def distances(
    loop: Loop, generator: np.random.Generator, steps: int
) -> Iterator[tuple[float, float, float]]:
    """Yield W2 of `Lam x` and of m to the limit's, and `|delta|`, from a random start at the
    bounds' distance.
    """
    law, lam_ = GaussianLaw(1 / np.array(loop.precisions)), torch.tensor(loop.precisions)[:, None]
    state = frozen(law, loop.step, loop.beta)
    limits = [law.moments(vector).variance for vector in (state.x, state.m)]

    def difference() -> Tensor:
        one = torch.zeros_like(state.x)
        one[:, 0] = 1.0
        mixed = (
            torch.from_numpy(generator.standard_normal((len(lam_), 1))) * row
            for row in (one, *state.vectors())
        )
        total = sum(mixed, torch.zeros_like(one))
        moments = law.moments(total)
        return (
            total
            * loop.bounds.start
            / float((moments.variance + moments.mean.square()).sum()) ** 0.5
        )

    score, in_momentum, move = difference(), difference(), difference()
    start = state._replace(
        x=state.x + score / lam_, m=state.m + in_momentum, s=state.s - score + move
    )
    for after, info in law.run([(ADAPTIVE, Level(0, sigma=0.0, step=loop.step))] * steps, start):
        of_x, of_m = law.moments(after.x), law.moments(after.m)
        far = gaussian_w2(*of_x, 0.0, limits[0], lam_[:, 0].square())
        yield far, gaussian_w2(*of_m, 0.0, limits[1]), abs(_beta(info) - loop.beta)


def _beta(info: Info) -> float:
    return float(info.coefficients.beta) if info.coefficients else math.nan
