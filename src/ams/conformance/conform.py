"""`conform`: all checks of one sampler, from fewer steps first and from twice as many where these do not decide."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ams.conformance.affine_map import read_map
from ams.conformance.convergence import STEPS, Convergence, Data, converge, two_targets
from ams.conformance.invariants import invariants
from ams.conformance.nonlinear import Distribution, Transport, distribution, transport, transport_steps
from ams.conformance.order_conditions import OrderConditions, order_conditions
from ams.conformance.report import AFFINE, LIMIT, Report, decided, short
from ams.conformance.sampler import Sampler
from ams.metrics.gaussian import gaussian_w2
from ams.statistics.orders import Order

FEW_STEPS = (5, 10, 20)
T = TypeVar("T")


def conform(sampler: Sampler, settings: dict[str, Any] | None = None, steps: tuple[int, ...] = STEPS) -> Report:
    """Return the report on a sampler. What a sampler raises is not caught, but for a check that cannot be made."""
    began, trouble = time.perf_counter(), []

    def tried(check: Callable[[], T]) -> T | None:
        try:
            return check()
        except ValueError as reason:
            trouble.append(str(reason))
            return None

    def settled(check: Callable[[tuple[int, ...]], T], order: Callable[[T], Order | None]) -> T | None:
        """Return the check from `steps`, or from twice as many where its order is not decided by these."""
        result = tried(lambda: check(steps))
        if result is None or decided(order(result), sampler.order):
            return result
        return tried(lambda: check(twice)) or result

    twice = tuple(2 * count for count in steps)
    data = two_targets(sampler.data_std)
    found = invariants(sampler)
    convergence = tried(lambda: _converged(sampler, data, steps))
    defect = convergence[1] if convergence else 0.0
    curve = convergence[0] if convergence and defect <= AFFINE else None
    conditions: OrderConditions | None = None
    if sampler.noise is not None:
        conditions = settled(partial(order_conditions, sampler), lambda found: found.order)
    mixture: Transport | Distribution | None
    if sampler.noise == 0:
        mixture = moved = settled(partial(transport, sampler), lambda found: found.order)
        if moved is not None and short(moved.order, sampler.order):
            mixture = moved._replace(of_steps=transport_steps(sampler, twice))
    else:
        mixture = tried(lambda: distribution(sampler))
    few = {count: end_distance(sampler, data, count) for count in FEW_STEPS} if curve else {}
    return Report(
        sampler.name,
        sampler.version,
        settings or {},
        sampler.order,
        sampler.noise,
        curve,
        conditions,
        mixture,
        defect,
        few,
        found,
        time.perf_counter() - began,
        tuple(dict.fromkeys(trouble)),
    )


def _converged(sampler: Sampler, data: Data, steps: tuple[int, ...]) -> tuple[Convergence, float]:
    """Return the convergence, from twice as many steps where these are too few for an order or for the limit."""
    result, defect = converge(sampler, data, steps)
    value, error = result.limit
    if defect <= AFFINE and (not decided(result.order, sampler.order) or abs(value - LIMIT) < error):
        result, defect = converge(sampler, data, tuple(2 * count for count in steps))
    return result, defect


def end_distance(sampler: Sampler, data: Data, steps: int) -> float:
    """Return W2 between the end of a run, from the start that the library draws, and the data, in the data's scale."""
    map_ = read_map(sampler, data.network(), len(data.mean), steps)
    mean, variance = map_.law(-1, 0.0, sampler.prior(steps) ** 2)
    if not bool(variance.isfinite().all()):
        return math.inf
    return gaussian_w2(mean, variance, data.mean, data.std.square()) / sampler.data_std
