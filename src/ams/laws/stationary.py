"""The stationary distribution of a step on a Gaussian target, by running the exact law or by
solving for it.

`reached` runs the step. The moments converge geometrically: if their changes over `k` steps
decrease by a factor `r`, the distance to the limit is about `change r / (1 - r)`. The run ends when
this estimate is below the tolerance.

`frozen` solves a linear system for the stationary distribution at a constant momentum coefficient.
`solved` finds the coefficient that an adaptive rule returns on its own stationary distribution, by
Brent's method.
"""

from itertools import repeat
from typing import NamedTuple

import torch
from scipy.optimize import brentq
from torch import Tensor

from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import Coefficients, Rule, State, Step
from ams.samplers.rules import Factor, authors_factor, momentum
from ams.schedules import Level

_ROUNDING = 1e-14  # two successive changes this small are rounding, which more steps do not reduce


class Stationary(NamedTuple):
    """A stationary distribution, with its moments in each direction (float64), and how it was
    computed.

    `variance` and `mean` are those of the position, `momentum` is the variance of m, 0 for a step
    without momentum. `beta` is the momentum coefficient, 0 for a step without a rule. `steps`
    counts the steps of a run, 0 for a solution. `remainder` is the estimated distance to the limit,
    relative to the target's variance.
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
    """Run `step` at base step `size` until the moments of position and momentum are constant to
    `tolerance`.

    The tolerance is relative to the target's variance. The start is N(start_mean, start_variance),
    by default with the target's variance. The moments are compared every `watch` steps. Raises
    ArithmeticError after `most` steps.
    """
    variance = law.variance.tolist() if start_variance is None else start_variance
    start = law.start(start_mean, variance)
    program = repeat((step, Level(0, sigma=0.0, step=size)), most)
    before, change = None, float("inf")
    for number, (state, info) in enumerate(law.run(program, start), start=1):
        if number % watch:
            continue
        now = _scaled_moments(law, state)
        if before is not None:
            last, change = change, float(((now - before).abs() / now.abs().clamp_min(1.0)).max())
            remainder = _remainder(change, last)
            if remainder < tolerance or (change <= _ROUNDING and last <= _ROUNDING):
                beta = float(info.coefficients.beta) if info.coefficients else 0.0
                return _result(law, state, beta, number, remainder)
        before = now
    raise ArithmeticError(
        f"no stationary state after {most} steps at step size {size:g}: last change {change:.3g}"
    )


def frozen(law: GaussianLaw, size: float, beta: float, factor: Factor = authors_factor) -> State:
    """Return the stationary state (x, m, s) of constant momentum `beta` at base step `size`, as a
    state of `law`.

    Raises ValueError where constant momentum is unstable (claim G1).
    """
    c = Coefficients(beta, size, size * factor(beta), (2 * size) ** 0.5)
    x = law.start(0.0, 1.0).x
    state = law.begin_step(State(x, x, x, drift=c.drift, effective_drift=c.drift))
    step, level = momentum(lambda *_: c), Level(0, sigma=0.0, step=size)
    return law.set_stationary(state, step(state, law.score, law.noise, level, law)[0])


def solved(
    law: GaussianLaw, rule: Rule, size: float, highest: float, factor: Factor = authors_factor
) -> Stationary:
    """Return the stationary distribution of an adaptive `rule` at base step `size`, with beta in
    [0, highest].

    `factor` is the rule's own. Raises ValueError if the rule does not reproduce any beta in this
    range.
    """
    level = Level(0, sigma=0.0, step=size)

    def excess(beta: float) -> float:
        state = frozen(law, size, beta, factor)
        s = law.score(state.x, level)
        return rule(state, s, law.noise(state.x), level, law).beta - beta

    ends = excess(0.0), excess(highest)
    if ends[0] < 0.0 or ends[1] > 0.0:
        raise ValueError(
            f"the rule reproduces no beta in [0, {highest:g}] at step size {size:g}: excess {ends}"
        )
    beta = (
        brentq(excess, 0.0, highest, xtol=1e-15, rtol=1e-14)
        if ends[0] * ends[1]
        else highest * (ends[1] == 0.0)
    )
    remainder = abs(excess(beta))
    return _result(law, frozen(law, size, beta, factor), beta, 0, remainder)


def _remainder(change: float, last: float) -> float:
    """Return the estimated distance to the limit from two successive changes."""
    ratio = min(change / last, 1.0 - 1e-9) if last > 0.0 else 0.0
    return change * max(ratio, 0.5) / (1.0 - ratio)


def _scaled_moments(law: GaussianLaw, state: State) -> Tensor:
    """Return mean and variance of x, and the variance of m if there is one, all without unit."""
    x = law.moments(state.x)
    parts = [x.mean / law.variance.sqrt(), x.variance / law.variance]
    if state.m is not None:
        parts.append(law.moments(state.m).variance * law.variance)
    return torch.cat(parts)


def _result(
    law: GaussianLaw, state: State, beta: float, steps: int, remainder: float
) -> Stationary:
    x = law.moments(state.x)
    of_momentum = torch.zeros_like(x.variance) if state.m is None else law.moments(state.m).variance
    return Stationary(x.variance, x.mean, of_momentum, beta, steps, remainder)
