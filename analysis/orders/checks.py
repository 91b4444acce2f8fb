"""B6 and K5: the orders at which samplers' stationary distributions tend to their limits, each with
its interval.

B5a: how much of the minority mode adaptive momentum preserves, at one noise level and a small step.
"""

import math

import numpy as np
from pydantic import JsonValue

from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import Stationary, solved
from ams.metrics import half_line
from ams.statistics import NotAsymptotic, Order, asymptotic_order
from analysis.orders.settings import Settings
from analysis.orders.study import (
    RESOLUTIONS,
    RULE,
    SHOWN_BETA,
    distances,
    halvings,
    local_orders,
    mean_field_density,
)
from analysis.targets import of_power
from verdicts import Measurement

# of the local order over the steps used, at most: what is left of it beyond them is inside the
# interval
_DRIFT = 0.03
_GAUSSIAN_STEPS = [2.0**-k for k in range(14, 26, 2)]


def ordered(*sequences: tuple[list[float], list[float]]) -> Measurement:
    """Return the order of `(steps, errors)` with its interval; of several, their mean and what
    holds all intervals.

    The interval covers the regression's error and what the local order may still drift to below the
    steps. Where no order can be determined it spans the local orders.
    """
    orders = [_order(steps, errors) for steps, errors in sequences]
    local: list[JsonValue] = [list(order.local) for order in orders]
    detail: dict[str, JsonValue] = {
        "local orders": local,
        "smallest step": [order.steps[-1] for order in orders],
    }
    value = float(np.mean([order.value for order in orders]))
    low, high = min(order.low for order in orders), max(order.high for order in orders)
    return Measurement(value=value, low=low, high=high, detail=detail)


def _order(steps: list[float], errors: list[float]) -> Order:
    try:
        return asymptotic_order(steps, errors, _DRIFT)
    except NotAsymptotic:
        local = local_orders(steps, errors)
        drift = local[0] - local[-1]
        return Order(
            float(np.mean(local)), min(local), max(local), tuple(steps), tuple(local), drift
        )


def order_of(settings: Settings, sampler: str, kind: str, each: bool = False) -> Measurement:
    """Return the order of a sampler's distance to its own limit, `kind` being "w2" or "kl"; over
    `each` of `betas`.
    """
    sequences = [
        halvings(settings, sampler, beta) for beta in (settings.betas if each else (SHOWN_BETA,))
    ]
    errors = ([getattr(distances(*at), kind) for at in points] for points in sequences)
    return ordered(
        *(([at[1] for at in points], own) for points, own in zip(sequences, errors, strict=True))
    )


def gaussian_law(size: float) -> Stationary:
    """Return adaptive momentum's stationary distribution on `N(0, 1)`: mean field, solved."""
    return solved(GaussianLaw([1.0]), RULE, size, 1 - 1e-9)


def gaussian_errors(size: float) -> tuple[float, float, float]:
    """Return, on `N(0, 1)`: W2 to `pi^c(a)`, W2 to `pi^4`, and `(c Var - 1) / sqrt(u)`."""
    law = gaussian_law(size)
    c, variance = (1 + law.beta) ** 2, law.variance.item()
    deviation = math.sqrt(variance)
    return abs(deviation - c**-0.5), abs(deviation - 0.5), (c * variance - 1) / math.sqrt(size)


def order_on_a_gaussian(error: int) -> Measurement:
    """Return the order in the step of one of `gaussian_errors` of adaptive momentum, in the
    exact mean field.
    """
    return ordered((_GAUSSIAN_STEPS, [gaussian_errors(u)[error] for u in _GAUSSIAN_STEPS]))


def coefficient_of_variance_on_a_gaussian(settings: Settings) -> Measurement:
    """Measure `lim (c lam Var x - 1) / sqrt(u)` of adaptive momentum, extrapolated in `sqrt(u)`
    from two steps.
    """
    coarse, fine = (gaussian_errors(u)[2] for u in (2.0**-20, 2.0**-22))
    return Measurement(value=2 * fine - coarse, detail={"at u = 2^-20, 2^-22": [coarse, fine]})


def least_growth_of_w2_to_the_target(settings: Settings) -> Measurement:
    """Measure the least ratio, over momentum samplers, of W2 to the target at the smallest step
    to the largest's.
    """
    sequences = {
        f"b = {beta:g}": halvings(settings, "constant momentum", beta) for beta in settings.betas
    }
    sequences["adaptive"] = halvings(settings, "adaptive momentum")
    w2 = {name: [distances(*at).target_w2 for at in each] for name, each in sequences.items()}
    return Measurement(
        value=min(errors[-1] / errors[0] for errors in w2.values()),
        n=len(w2),
        detail={name: list(errors) for name, errors in w2.items()},
    )


def minority_mass_in_the_mean_field(settings: Settings) -> Measurement:
    """Measure the mass left of 0 of adaptive momentum's mean field at a = 0.005; the target has
    0.309 there.
    """
    beta, left, _, _ = mean_field_density()
    masses = {"pi": half_line(of_power(1.0)), "pi^c": half_line(of_power((1 + beta) ** 2))}
    return Measurement(value=left, detail={"momentum coefficient": beta, **masses})


def change_of_minority_mass_on_finer_nodes(settings: Settings) -> Measurement:
    """Measure the change of the mean field's mass left of 0 from a spacing of nodes of 0.5 to
    0.35 deviations.
    """
    coarse, fine = map(mean_field_density, RESOLUTIONS)
    return Measurement(value=abs(coarse.left - fine.left))
