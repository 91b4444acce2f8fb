r"""The error constant: how far a sampler is after few steps, beside reference methods of its order
on its own mesh.

An order says how fast an error falls, not how large it is: with weights 0.51 and 0.49 in place of
halves, or an output that is stale in every other step, errors may fall as they should and be
several times too large. The constant is W2 to the exact marginal after `STEPS` steps, over the
largest that a multistep method of the stated order has on the same noise levels: those through the
last outputs of x0, eps or velocity as polynomials in lambda, v or t. A clean method has 1 at the
most, or is one of another kind; so more than `NOTED_ABOVE` is noted, and refutes nothing.
"""

import math
from itertools import pairwise, product

import torch

from ams.metrics.gaussian import gaussian_w2
from ams.schedules import Level
from samplercheck.coefficients import (
    PREDICTIONS,
    STEPS,
    VARIABLES,
    Function,
    densities,
    interpolation,
    linear,
    unit,
    whole,
)
from samplercheck.convergence import JUDGED, Data, calls_a_step, exact_start, pushforward, ratio
from samplercheck.sampler import Sampler

NOTED_ABOVE = 1.5
FEWEST = 5
"""States at noise levels above that of judgement without which no constant is had."""


def error_constant(sampler: Sampler, data: Data) -> float | None:
    """Return the constant of a deterministic sampler of stated order, None where it has too few
    states for one.
    """
    if sampler.order is None or sampler.noise != 0:
        return None
    short, long = (pushforward(sampler, data, steps) for steps in STEPS)
    each = calls_a_step(STEPS, (len(short.levels), len(long.levels))) or 1
    states = [
        i
        for i in range(0, len(long.levels), each)
        if long.levels[i].scale and ratio(long.levels[i]) >= JUDGED * sampler.data_std
    ]
    levels = [long.levels[i] for i in states]
    if len(levels) < FEWEST or any(
        ratio(after) >= ratio(before) for before, after in pairwise(levels)
    ):
        return None
    start = exact_start(long, data)
    exact = data.marginal(levels[-1])
    methods = (
        (prediction, density, variable)
        for prediction in PREDICTIONS
        if prediction != "flow" or linear(levels)
        for density, variable in product(densities(prediction, 1.0).values(), VARIABLES.values())
    )
    errors = [_error(levels, sampler.order, data, *method) for method in methods]
    largest = max((error for error in errors if math.isfinite(error)), default=0.0)
    own = float(gaussian_w2(*long.law(states[-1], *start), *exact))
    return own / largest if largest else None


def _error(
    levels: list[Level],
    order: int,
    data: Data,
    prediction: str,
    density: Function,
    variable: Function,
) -> float:
    """Return W2 to the exact marginal at the last level of a run of a multistep method from that at
    the first.

    Two rows are run, the mean and a point one standard deviation above it: on a Gaussian they are
    the distribution.
    """
    mean, variance = data.marginal(levels[0])
    x, pair = torch.stack([mean, mean + variance.sqrt()]), data.network().pair
    outputs, nodes = list[torch.Tensor](), list[float]()
    for before, after in pairwise(levels):
        x0, eps = pair(x, before)
        outputs.append({"x0": x0, "eps": eps, "flow": eps - x0}[prediction])
        nodes.append(-math.log(ratio(before)))
        weights = interpolation(
            (nodes[-1], -math.log(ratio(after))), nodes[-order:], density, variable
        )
        moved = sum(
            float(weight) * output for weight, output in zip(weights, outputs[-order:], strict=True)
        )
        x = unit(after, prediction) * (
            x / unit(before, prediction) + whole(before, after, prediction, 1.0) * moved
        )
    return float(gaussian_w2(x[0], (x[1] - x[0]).square(), *data.marginal(levels[-1])))
