"""B6 and K5: the orders at which the samplers' stationary laws tend to their limits, each with its interval."""

from __future__ import annotations

import math

import numpy as np
from pydantic import JsonValue

from ams.statistics import NotAsymptotic, Order, asymptotic_order
from analysis.orders.laws import (
    Ladder,
    adaptive_ladder,
    averaged_ladder,
    coarse_order,
    constant_ladder,
    gaussian_law,
    kinetic_ladder,
    langevin_ladder,
    local_orders,
)
from analysis.orders.settings import Settings
from verdicts import Measurement, check

_DRIFT = 0.03  # of the local order over the steps used, at most: what is left of it beyond them is inside the interval
_GAUSSIAN_STEPS = [2.0**-k for k in range(14, 26, 2)]


def ordered(*ladders: tuple[list[float], list[float]]) -> Measurement:
    """Return the order of `(steps, errors)` with its interval; of several, their mean and what holds all intervals.

    The interval covers the regression's error and what the local order may still drift to below the steps. Where no
    order can be told it spans the local orders.
    """
    found = [_order(steps, errors) for steps, errors in ladders]
    local: list[JsonValue] = [list(order.local) for order in found]
    detail: dict[str, JsonValue] = {"local orders": local, "smallest step": [order.steps[-1] for order in found]}
    value = float(np.mean([order.value for order in found]))
    low, high = min(order.low for order in found), max(order.high for order in found)
    return Measurement(value=value, low=low, high=high, detail=detail)


def _order(steps: list[float], errors: list[float]) -> Order:
    try:
        return asymptotic_order(steps, errors, _DRIFT)
    except NotAsymptotic:
        local = local_orders(steps, errors)
        drift = local[0] - local[-1]
        return Order(float(np.mean(local)), min(local), max(local), tuple(steps), tuple(local), drift)


@check("B6.langevin_w2")
def langevin_w2(settings: Settings) -> Measurement:
    """Return the order of Langevin's W2 to the target."""
    ladder = langevin_ladder(settings)
    return ordered((ladder.steps, ladder.w2))


@check("B6.langevin_kl")
def langevin_kl(settings: Settings) -> Measurement:
    """Return the order of Langevin's KL to the target."""
    ladder = langevin_ladder(settings)
    return ordered((ladder.steps, ladder.kl))


@check("B6.constant_w2")
def constant_w2(settings: Settings) -> Measurement:
    """Return the order of constant momentum's W2 to `pi^c`; the interval holds those of all `betas`."""
    ladders = [constant_ladder(settings, beta) for beta in settings.betas]
    return ordered(*((ladder.steps, ladder.w2) for ladder in ladders))


@check("B6.constant_kl")
def constant_kl(settings: Settings) -> Measurement:
    """Return the order of constant momentum's KL to `pi^c`; the interval holds those of all `betas`."""
    ladders = [constant_ladder(settings, beta) for beta in settings.betas]
    return ordered(*((ladder.steps, ladder.kl) for ladder in ladders))


@check("B6a.w2")
def order_at_moderate_steps(settings: Settings) -> Measurement:
    """Return the order of constant momentum's W2 to `pi^c` between a = 0.005 and 0.0025, farthest from 1 over b."""
    found = {beta: coarse_order(beta) for beta in settings.betas}
    detail: dict[str, JsonValue] = {f"b = {beta:g}": order for beta, order in found.items()}
    return Measurement(value=max(found.values(), key=lambda order: abs(order - 1)), n=len(found), detail=detail)


@check("B6.adaptive_mixture")
def adaptive_on_the_mixture(settings: Settings) -> Measurement:
    """Return the order of adaptive momentum's W2 to `pi^c(a)` on the mixture, mean field."""
    ladder = adaptive_ladder(settings)
    return ordered((ladder.steps, ladder.w2))


def gaussian_errors(size: float) -> tuple[float, float, float]:
    """Return, on `N(0, 1)`: W2 to `pi^c(a)`, W2 to `pi^4`, and `(c Var - 1) / sqrt(u)`."""
    law = gaussian_law(size)
    c, variance = (1 + law.beta) ** 2, law.variance.item()
    deviation = math.sqrt(variance)
    return abs(deviation - c**-0.5), abs(deviation - 0.5), (c * variance - 1) / math.sqrt(size)


@check("B6.adaptive_gaussian")
def adaptive_on_the_gaussian(settings: Settings) -> Measurement:
    """Return the order of adaptive momentum's W2 to `pi^c(a)` on a Gaussian, exact mean-field law."""
    return ordered((_GAUSSIAN_STEPS, [gaussian_errors(u)[0] for u in _GAUSSIAN_STEPS]))


@check("B6.adaptive_limit")
def adaptive_to_the_fourth_power(settings: Settings) -> Measurement:
    """Return the order of adaptive momentum's W2 to `pi^4` on a Gaussian, exact mean-field law."""
    return ordered((_GAUSSIAN_STEPS, [gaussian_errors(u)[1] for u in _GAUSSIAN_STEPS]))


@check("B6.coefficient")
def coefficient_on_the_gaussian(settings: Settings) -> Measurement:
    """Return `lim (c lam Var x - 1) / sqrt(u)`, extrapolated in `sqrt(u)` from two steps."""
    coarse, fine = (gaussian_errors(u)[2] for u in (2.0**-20, 2.0**-22))
    return Measurement(value=2 * fine - coarse, detail={"at u = 2^-20, 2^-22": [coarse, fine]})


def leaving(ladder: Ladder) -> float:
    """Return W2 to the target at the smallest step over that at the largest."""
    return ladder.target_w2[-1] / ladder.target_w2[0]


@check("B6.leave")
def momentum_leaves_the_target(settings: Settings) -> Measurement:
    """Return the least of the ratios by which W2 to the target grows down the ladders of momentum."""
    ladders = {f"b = {beta:g}": constant_ladder(settings, beta) for beta in settings.betas}
    ladders["adaptive"] = adaptive_ladder(settings)
    detail: dict[str, JsonValue] = {name: list(ladder.target_w2) for name, ladder in ladders.items()}
    return Measurement(value=min(map(leaving, ladders.values())), n=len(ladders), detail=detail)


@check("K5.averaged_w2")
def averaged_w2(settings: Settings) -> Measurement:
    """Return the order of Leimkuhler-Matthews' W2 to the target."""
    ladder = averaged_ladder(settings)
    return ordered((ladder.steps, ladder.w2))


@check("K5.averaged_kl")
def averaged_kl(settings: Settings) -> Measurement:
    """Return the order of Leimkuhler-Matthews' KL to the target."""
    ladder = averaged_ladder(settings)
    return ordered((ladder.steps, ladder.kl))


@check("K5f.w2")
def kinetic_w2(settings: Settings) -> Measurement:
    """Return the order of BAOAB's W2 to the target at a fixed friction."""
    ladder = kinetic_ladder(settings)
    return ordered((ladder.steps, ladder.w2))
