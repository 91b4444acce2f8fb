r"""Order and limit of a sampler on Gaussian targets, from exact laws of runs with more and more
steps.

A run starts from the exact marginal of the noise level that the sampler states for its start, or
passes first, and is judged where it passes a fixed noise level: the input of that call is compared
with the exact marginal there. So neither the start from pure noise nor the last step, which have
errors of their own, is in the order. The level is the least one of the run with the fewest steps
that is at least `JUDGED` times the data's scale; a longer run is judged at its last call before it.

A solver with several calls a step has states at every b-th call only. The b from 1 to 3 are tried,
and the number of calls by which a run grows with each step; the best order counts. Other calls may
precede the first step, or it may make fewer: states that begin at a later call count too, where
they raise the order by more than `RAISED`; in the checks on other networks where the *steps* have
the stated order here. Where runs do not grow evenly (guidance in a part of the run, step-size
control), no b need fit: the order may then be higher than any that is measured, and refutes
nothing. A multistep method starts with steps of lower order, which cost it the order of convergence
however good the others are. So a deterministic sampler's *steps* are judged too: each against the
exact flow from where the step before ended, which on a Gaussian multiplies by the ratio of the
marginals' standard deviations. The first steps are left out: `WARM_UP` calls, and as many as a run
makes beside those of its steps, as of Runge and Kutta's method in its start.

The *limit* is that of mean and standard deviation in many steps, as in `limits`: zero for a sampler
whose limit is its target. The *end* is that of the whole run, from the exact marginal at its first
noise level, against the data. The *start* is how far the standard deviation that the library draws
is from the exact marginal's where the network is called first: the largest logarithm of their
ratio, in the run in which it is largest.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from ams.metrics.gaussian import gaussian_kl, gaussian_w2
from ams.schedules import Level
from ams.targets import Gaussian
from samplercheck.affine_map import AffineMap, read_map
from samplercheck.answered_draws import NotMade
from samplercheck.limits import Limit, aitken, last_of, limit_of
from samplercheck.model import CLEAN, Recorded, exact
from samplercheck.sampler import Pushforward, Sampler

STEPS = (24, 36, 48, 72, 96, 144)
FEW_STEPS = (5, 10, 20)  # as a sampler is used
JUDGED = 0.2
DRIFT = 0.15
FITTED = 0.95  # the confidence of an order's interval with which the thresholds were set
BLOCKS = (1, 2, 3)
RAISED = 0.3
REGIMES = 1.0
EVERY = slice(0, None)
WARM_UP = 5
NOISE = 10.0  # times the data's scale: a start with more is one of noise alone
EXACT = "exact up to rounding"
"""Why errors have no order: they are too small for one."""
ROUNDING = 1e-10


class Data(NamedTuple):
    """A Gaussian target with a diagonal covariance: mean and standard deviation of each
    direction.
    """

    mean: Tensor
    std: Tensor

    def marginal(self, level: Level) -> tuple[Tensor, Tensor]:
        """Return mean and variance of `scale x_0 + sigma z`."""
        return level.scale * self.mean, level.scale**2 * self.std.square() + level.sigma**2

    def network(self) -> Recorded:
        """Return the exact network."""

        def consistency(x: Tensor, level: Level) -> Tensor:
            (mean, variance), (there, spread) = (
                self.marginal(level),
                self.marginal(level.next or CLEAN),
            )
            return there + (spread / variance).sqrt() * (x - mean)

        return exact(Gaussian(self.mean, self.std.square()), self.mean, consistency)


def two_targets(scale: float) -> Data:
    """Return two targets beside each other, four directions each: below, at and above the data's
    `scale`.
    """
    std = torch.tensor([0.05, 0.3, 1.0, 2.0, 0.1, 0.6, 0.8, 1.5], dtype=torch.float64)
    mean = torch.tensor([0.5, -0.3, 1.0, 0.5, 0.0, 0.8, -1.0, 0.2], dtype=torch.float64)
    return Data(scale * mean, scale * std)


class Order(NamedTuple):
    """An order of convergence with its interval."""

    value: float
    low: float
    high: float


class Convergence(NamedTuple):
    """The errors of runs with `steps` steps at one noise level, their order and their limit.

    `w2` is in units of the data's scale, `kl` in nats; `order` is None where too few errors are
    above rounding, `why` says so. `states` are the calls whose steps have the stated order.
    `of_steps` is the order of each step past the start, None for a sampler that draws. `nested` is
    the limit of runs of N, 2 N and 4 N steps at the level at which that of N steps is judged by
    itself. All three pass it; not all runs have a call near one level for all, at which `limit` is,
    where the last steps are long, as of times that are shifted far. `begins`: the start is noised
    data, and its noise level is stated; `start` is None of an inversion, which is given its data.
    """

    steps: tuple[int, ...]
    w2: tuple[float, ...]
    kl: tuple[float, ...]
    order: Order | None
    limit: Limit
    states: slice
    why: str = ""
    of_steps: Order | None = None
    start: float | None = 0.0
    end: Limit = Limit(0.0, 0.0)
    nested: Limit = Limit(math.nan, math.nan)
    begins: bool = False


def ratio(level: Level) -> float:
    """Return `sigma / scale`, the noise in units of the data; infinite where the scale is 0."""
    return level.sigma / level.scale if level.scale else math.inf


def judged_points(levels: Sequence[Sequence[Level]], states: slice, floor: float) -> list[int]:
    """Return for each run, fewest steps first, the number of the call at which it is judged.

    Raises NotMade if no state of the first run, past its start, is at a noise level of at least
    `floor`, or if a run ends at pure noise.
    """
    if not all(run[-1].scale for run in levels):
        raise NotMade(
            "the last network call is told that its input is pure noise (scale 0): pass "
            "noise_level(scale, sigma) for "
            "x = scale x_0 + sigma z"
        )
    first = [ratio(level) for level in levels[0][states][1:]]
    above = [value for value in first if value >= floor]
    if not above:
        raise NotMade(f"no state of the shortest run is at a noise level of {floor:g} or more")
    least = min(above) * (1 - 1e-9)
    return [max(i for i in range(len(run))[states] if ratio(run[i]) >= least) for run in levels]


def pushforward(sampler: Sampler, data: Data, steps: int) -> Pushforward:
    """Return a run's effect on distributions: in the mean field where the sampler has it, else its
    affine map.
    """
    if sampler.mean_field is not None:
        return sampler.mean_field(steps, data.mean, data.std.square())
    return read_map(sampler, data.network(), len(data.mean), steps)


def exact_start(map_: Pushforward, data: Data) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the exact start: at the noise level that is stated for it, else
    that passed first.
    """
    begins = map_.begins if isinstance(map_, AffineMap) else None
    return data.marginal(begins) if begins else map_.exact_start(*data.marginal(map_.levels[0]))


def converge(
    sampler: Sampler,
    data: Data,
    steps: Sequence[int] = STEPS,
    read: Callable[[Sampler, Data, int], Pushforward] = pushforward,
) -> tuple[Convergence, float]:
    """Return the convergence on `data`, and the largest superposition defect. Raises NotMade as
    `judged_points`.
    """
    maps = [read(sampler, data, count) for count in steps]
    defect = max(map_.defect for map_ in maps)
    calls = [len(map_.levels) for map_ in maps]
    tried = states_tried(steps, calls)
    results = [judge(steps, maps, data, sampler.data_std, states) for states in tried]
    result = best(results, tried, calls_a_step(steps, calls))
    of_steps, states = highest([each.of_steps for each in results], tried)
    starts = [_start(map_, data, sampler, count) for map_, count in zip(maps, steps, strict=True)]
    surely = of_steps is not None and of_steps.low >= (sampler.order or math.inf) - RAISED
    return result._replace(
        start=None
        if sampler.inverted
        else float(np.max(starts)),  # max() would pass over what is not a number
        end=_end(steps, maps, data, sampler.data_std),
        of_steps=of_steps,
        states=states if surely else EVERY,
        begins=sampler.begins is not None
        and ratio(sampler.begins(steps[0])) < NOISE * sampler.data_std,
    ), defect


class Ordered(Protocol):
    """A named tuple with an order."""

    @property
    def order(self) -> Order | None:
        """Return the order, None for none."""

    @property
    def _replace(self) -> Callable[..., Any]:
        """Return the function that makes a copy with other fields."""


R = TypeVar("R", bound=Ordered)


def calls_a_step(steps: Sequence[int], calls: Sequence[int]) -> int | None:
    """Return the number of calls by which a run grows with each step, None if that is not one whole
    number above 0.

    It is the increase from run to run, since the first and the last step may make other calls than
    the rest.
    """
    growth = {
        (more - few) / (longer - short)
        for (short, few), (longer, more) in pairwise(zip(steps, calls, strict=True))
    }
    each = growth.pop() if len(growth) == 1 else 0.0
    return int(each) if each.is_integer() and each > 0 else None


def states_tried(
    steps: Sequence[int], calls: Sequence[int], known: slice | None = None
) -> list[slice]:
    """Return the calls that are tried as states: every b-th from the first on, then those that
    begin later.

    Of the latter only those that are `known` as states, if it is given.
    """
    each = calls_a_step(steps, calls) or 1
    later = [slice(k, None, each) for k in range(1, each)]
    return [
        *(slice(0, None, b) for b in sorted({*BLOCKS, each})),
        *(s for s in later if known is None or s == known),
    ]


def _sureness(order: Order | None, states: slice) -> float:
    """Return the lower end of an order's interval, less `RAISED` for states that do not begin at
    the first call.
    """
    return order.low - (RAISED if states.start else 0.0) if order else -math.inf


def highest(orders: Sequence[Order | None], tried: Sequence[slice]) -> tuple[Order | None, slice]:
    """Return the order that is surely highest, None if there is none, and its states."""
    return max(zip(orders, tried, strict=True), key=lambda pair: _sureness(*pair))


def best(results: Sequence[R], tried: Sequence[slice], each: int | None) -> R:
    """Return the result whose order is surely highest: that with the highest lower end of its
    interval.

    The interval has no upper end where the number of calls `each` step makes is None: no result is
    of states surely.
    """
    estimate = max(
        zip(results, tried, strict=True), key=lambda pair: _sureness(pair[0].order, pair[1])
    )[0]
    if each is None and estimate.order is not None:
        estimate = estimate._replace(order=estimate.order._replace(high=math.inf))
    return estimate


def _start(map_: Pushforward, data: Data, sampler: Sampler, steps: int) -> float:
    """Return the largest logarithm of the ratio of standard deviations at the first call, drawn to
    exact.
    """
    drawn = map_.law(0, *sampler.start(steps, data.mean, data.std.square()))[1]
    return float((drawn / data.marginal(map_.levels[0])[1]).log().abs().max()) / 2


def _end(steps: Sequence[int], maps: Sequence[Pushforward], data: Data, scale: float) -> Limit:
    """Return the limit of W2 between the end of a run and the data, in the data's scale."""
    laws = [map_.law(-1, *exact_start(map_, data)) for map_ in maps]
    return limit_of(
        steps, [torch.cat([mean - data.mean, var.sqrt() - data.std]) / scale for mean, var in laws]
    )


def judge(
    steps: Sequence[int], maps: Sequence[Pushforward], data: Data, scale: float, states: slice
) -> Convergence:
    """Return the convergence of the calls that are taken for states."""
    points = judged_points([map_.levels for map_ in maps], states, JUDGED * scale)
    w2, kl = [], []
    for map_, point in zip(maps, points, strict=True):
        law, exact = _marginals(map_, point, data)
        w2.append(gaussian_w2(*law, *exact) / map_.levels[point].scale / scale)
        kl.append(gaussian_kl(*law, *exact))
    defects = [_defect(map_, point, data, scale) for map_, point in zip(maps, points, strict=True)]
    nested = nested_limit(steps, maps, data, scale, states)
    order, why = fitted(steps, w2)
    still = [map_ for map_ in maps if isinstance(map_, AffineMap) and not map_.draws.shape[1]]
    of_steps = steps_order(steps, still, data, scale, states) if len(still) == len(maps) else None
    curve = Convergence(
        tuple(steps), tuple(w2), tuple(kl), order, limit_of(steps, defects), states, why, of_steps
    )
    return curve._replace(nested=nested)


def _marginals(
    map_: Pushforward, point: int, data: Data
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return mean and variance at a call of a run that starts from the exact marginal, and the
    exact ones there.
    """
    return map_.law(point, *exact_start(map_, data)), data.marginal(map_.levels[point])


def _defect(map_: Pushforward, point: int, data: Data, scale: float) -> Tensor:
    """Return mean and standard deviation at a call, less the exact marginal's, in units of the
    data's scale.
    """
    (mean, variance), (exact_mean, exact_variance) = _marginals(map_, point, data)
    defect = torch.cat([mean - exact_mean, variance.sqrt() - exact_variance.sqrt()])
    return defect / (map_.levels[point].scale * scale)


def nested_limit(
    steps: Sequence[int], maps: Sequence[Pushforward], data: Data, scale: float, states: slice
) -> Limit:
    """Return the limit from runs of N, 2 N and 4 N steps, judged at the level of that of N
    steps.
    """
    at, extrapolated = dict(zip(steps, maps, strict=True)), []
    for runs in ([at[n], at[2 * n], at[4 * n]] for n in sorted(at) if 2 * n in at and 4 * n in at):
        points = judged_points([run.levels for run in runs], states, JUDGED * scale)
        extrapolated.append(
            aitken(
                *(_defect(run, point, data, scale) for run, point in zip(runs, points, strict=True))
            )
        )
    return last_of(extrapolated)


def steps_order(
    steps: Sequence[int], maps: Sequence[AffineMap], data: Data, scale: float, states: slice
) -> Order | None:
    """Return the order of a deterministic sampler's steps on the Gaussian, None where there are too
    few of them.
    """
    window = between(maps[0].levels, scale, past_start(steps, [len(map_.levels) for map_ in maps]))
    if window is None:
        return None
    errors = []
    for map_ in maps:
        total = torch.zeros_like(data.mean)
        for i, j in pairwise(range(len(map_.levels))[states]):
            weight = bump(map_.levels[i], map_.levels[j], window)
            if weight:
                spread = [data.marginal(map_.levels[k])[1].sqrt() for k in (i, j)]
                total += weight * (map_.start[j] / map_.start[i] * spread[0] / spread[1] - 1).abs()
        errors.append(float(total.norm()))
    return fitted(steps, errors)[0]


def past_start(steps: Sequence[int], calls: Sequence[int]) -> int:
    """Return the number of the call, in the run with the fewest steps, before which the first steps
    are made.
    """
    each = calls_a_step(steps, calls)
    return WARM_UP + (max(calls[0] - each * steps[0], 0) if each else 0)


def between(levels: Sequence[Level], scale: float, past: int) -> tuple[float, float] | None:
    """Return `ln(scale / sigma)` at the call `past` the start of the run with the fewest steps, and
    where it is judged.

    None where the first is not above the second.
    """
    start = ratio(levels[min(past, len(levels) - 1)])
    first, last = -math.log(start) if start > 0 else math.inf, -math.log(JUDGED * scale)
    return (first, last) if math.isfinite(first) and first < last else None


def bump(before: Level, after: Level, window: tuple[float, float]) -> float:
    """Return the weight of a step, `sin^2` of its place in the window, so that none enters or
    leaves a sum at once.
    """
    # the last call may be at noise 0
    if not before.scale or after.sigma <= 0 or ratio(after) >= ratio(before):
        return 0.0
    middle = -(math.log(ratio(before)) + math.log(ratio(after))) / 2
    place = (middle - window[0]) / (window[1] - window[0])
    return math.sin(math.pi * place) ** 2 if 0 < place < 1 else 0.0


def fitted(steps: Sequence[int], errors: Sequence[float]) -> tuple[Order | None, str]:
    """Return the order of the errors above rounding, or None and the reason why there is none.

    Where the orders between neighbours still drift, or the last three differ by more than
    `REGIMES`, from one whole order to another, the order is the last of them. Its interval has the
    last three and 3/2 of their drift beyond the last, as in `asymptotic_order`.
    """
    # with SciPy: when it is used
    from ams.statistics.orders import (
        NotAsymptotic,
        asymptotic_order,
        convergence_order,
    )

    if not all(map(math.isfinite, errors)):
        return None, "errors that are not finite"
    kept = [
        (1 / count, error) for count, error in zip(steps, errors, strict=True) if error > ROUNDING
    ]
    if len(kept) < 4:
        exact = len(kept) < len(steps) / 2
        return None, EXACT if exact else "too few errors above rounding"
    try:
        h, error = zip(*kept, strict=True)
        order = asymptotic_order(h, error, drift=DRIFT)
        if np.ptp(order.local[-3:]) > REGIMES:
            raise NotAsymptotic(
                f"the last orders between neighbours differ by more than {REGIMES:g}"
            )
        _, low, high, _ = convergence_order(order.steps, error[-len(order.steps) :], FITTED)
        beyond = -1.5 * order.drift
        return Order(order.value, low + min(beyond, 0.0), high + max(beyond, 0.0)), ""
    except NotAsymptotic as reason:
        x, y = np.log(h), np.log(error)
        local = (np.diff(y) / np.diff(x)).tolist()
        last, drift = local[-3:], local[-1] - local[-3]
        low, high = min(*last, last[-1] + 1.5 * drift), max(*last, last[-1] + 1.5 * drift)
        return Order(last[-1], low, high), str(reason)
