"""The stationary law of a step on a Gaussian target: reached by running the exact law, or solved for directly.

`reached` runs. The law's moments converge geometrically. Watching them every `k` steps, successive changes `delta`
shrink by a factor `r`, and what is left is about `delta r / (1 - r)`: iteration ends when that estimate, not the
change itself, is below the tolerance.

`solved` does not run: at a frozen damping the step is linear, its stationary law a linear system; the adaptive rule,
asked at that law, returns a damping of its own, and the one that returns itself is found by Brent's method.
"""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

import torch
from scipy.optimize import brentq
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import Coefficients, Info, Rule, State, Step
from ams.samplers.rules import Factor, authors_factor, momentum
from ams.schedules import Level

_ROUNDING = 1e-14
"""A change this small twice in a row is rounding, which no further step removes."""


class Stationary(NamedTuple):
    """A stationary law: moments per direction (float64), the damping (0 without one), and how it was reached.

    `variance` and `mean` of the position, `momentum` the variance of m (zeros for a step without one), `remainder`
    the estimated distance to the limit relative to the target's variance.
    """

    variance: Tensor
    mean: Tensor
    momentum: Tensor
    beta: float
    steps: int
    remainder: float


def reached(
    law: GaussianLaw,
    step: Step,
    size: float,
    start_variance: float | list[float] | None = None,
    start_mean: float | list[float] = 0.0,
    tolerance: float = 1e-13,
    most: int = 200_000,
    watch: int = 64,
) -> Stationary:
    """Run `step` at base step `size` until position and momentum stand still to `tolerance`, relative to the target.

    The start is N(start_mean, start_variance), by default the target's variance. Raises ArithmeticError after `most`
    steps.
    """
    variance = law.variance.tolist() if start_variance is None else start_variance
    start = law.start(start_mean, variance)
    program = repeat((step, Level(0, sigma=0.0, step=size)), most)
    seen, change = None, float("inf")
    for number, (state, info) in enumerate(law.run(program, start), start=1):
        if number % watch:
            continue
        now = _watched(law, state)
        if seen is not None:
            last, change = change, float(((now - seen).abs() / now.abs().clamp_min(1.0)).max())
            remainder = _remainder(change, last)
            if remainder < tolerance or (change <= _ROUNDING and last <= _ROUNDING):
                return _result(law, state, info, number, remainder)
        seen = now
    raise ArithmeticError(f"no stationary law after {most} steps at step size {size:g}: last change {change:.3g}")


def frozen(law: GaussianLaw, size: float, beta: float, factor: Factor = authors_factor) -> State:
    """Make stationary the law of constant damping `beta` at base step `size`; returns its state (x, m, s).

    Raises ValueError where that damping is unstable at that step (claim G1).
    """
    chosen = Coefficients(beta, size, size * factor(beta), (2 * size) ** 0.5)
    x = law.start(0.0, 1.0).x
    state = law.begin_step(State(x, x, x, drift=chosen.drift, effective_drift=chosen.drift))
    step, level = momentum(lambda *_: chosen), Level(0, sigma=0.0, step=size)
    return law.set_stationary(state, step(state, law.score, law.noise, level, law)[0])


def solved(law: GaussianLaw, rule: Rule, size: float, highest: float, factor: Factor = authors_factor) -> Stationary:
    """Solve for the stationary law of an adaptive `rule` at base step `size`, for a damping in [0, highest].

    `factor` is the rule's own. Raises ValueError where no damping in that range returns itself.
    """
    level = Level(0, sigma=0.0, step=size)

    def excess(beta: float) -> float:
        state = frozen(law, size, beta, factor)
        s = law.score(state.x, level)
        change: float = rule(state, s, law.noise(state.x), level, law).beta - beta
        return change

    ends = excess(0.0), excess(highest)
    if ends[0] < 0.0 or ends[1] > 0.0:
        raise ValueError(f"no damping in [0, {highest:g}] returns itself at step size {size:g}: excess {ends}")
    beta = brentq(excess, 0.0, highest, xtol=1e-15, rtol=1e-14) if ends[0] * ends[1] else highest * (ends[1] == 0.0)
    state = frozen(law, size, beta, factor)
    x, m = law.moments(state.x), law.moments(state.m)
    return Stationary(x.variance, x.mean, m.variance, beta, 0, abs(excess(beta)))


def _remainder(change: float, last: float) -> float:
    """Return the estimated distance to the limit from two successive changes."""
    ratio = min(change / last, 1.0 - 1e-9) if last > 0.0 else 0.0
    return change * max(ratio, 0.5) / (1.0 - ratio)


def _watched(law: GaussianLaw, state: State) -> Tensor:
    """Return what must stand still, dimensionless: mean and variance of x, and of m where there is one."""
    x = law.moments(state.x)
    parts = [x.mean / law.variance.sqrt(), x.variance / law.variance]
    if state.m is not None:
        parts.append(law.moments(state.m).variance * law.variance)
    return torch.cat(parts)


def _result(law: GaussianLaw, state: State, info: Info, steps: int, remainder: float) -> Stationary:
    x = law.moments(state.x)
    of_momentum = torch.zeros_like(x.variance) if state.m is None else law.moments(state.m).variance
    beta = float(info.coefficients.beta) if info.coefficients else 0.0
    return Stationary(x.variance, x.mean, of_momentum, beta, steps, remainder)
