"""`ams law`: the exact law after N steps on a Gaussian target, printed; no sampling."""

import json as json_format
import math
from itertools import repeat
from typing import Any

import torch

from ams.errors import UserError
from ams.laws.gaussian import GaussianLaw
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import (
    NonFiniteState,
    Step,
    adaptive,
    constant,
    langevin,
    last,
    momentum,
    momentum_rule,
)
from ams.schedules import Level

MOST_STEPS = 10**9  # a day's work


def law(*arguments: Any, json: bool = False, **more: Any) -> int:
    """Print what `exact_law` returns for the other arguments, and return 0."""
    values = exact_law(*arguments, **more)
    print(
        json_format.dumps(values)
        if json
        else "\n".join(f"{name:9s} {value}" for name, value in values.items())
    )
    return 0


def exact_law(
    sampler: str,
    step: float,
    precision: str,
    steps: int,
    beta: float | None = None,
    multiplicity: str | None = None,
    mean: str | None = None,
    start_variance: str | None = None,
    delta: float = 1e-3,
) -> dict[str, object]:
    """Return the exact distribution after `steps` steps of size `step` from N(0, V), with a single
    first move.

    `precision`, `multiplicity`, `mean` are comma-separated, one entry per distinct direction; V
    (`start_variance`: one value, or one per direction) defaults to the target's variance. Returned
    are mean and variance (a value per direction), beta (None for Langevin), w2 and kl: W2 and
    KL(distribution || target) over all directions with their multiplicities, None where they are
    not finite, so that what is printed is JSON.

    Raises UserError for arguments that have no distribution, and where the variance diverges.
    """
    _demand(math.isfinite(step) and step > 0.0, "step", step, "a positive number")
    _demand(0 <= steps <= MOST_STEPS, "steps", steps, f"a count, 0 to {MOST_STEPS}")
    lam = _numbers("precision", precision, positive=True)
    counts = _numbers("multiplicity", multiplicity or "1", like=lam, positive=True)
    centre = _numbers("mean", mean or "0", like=lam)
    _demand(
        bool((1.0 / lam).isfinite().all()),
        "precision",
        precision,
        "numbers whose inverse is finite",
    )
    start = (
        1.0 / lam
        if start_variance is None
        else _numbers("start-variance", start_variance, like=lam)
    )
    _demand(bool((start >= 0).all()), "start-variance", start_variance, "0 or more")
    algebra = GaussianLaw(1.0 / lam, centre, counts)
    program = repeat((_step(sampler, beta, delta), Level(0, sigma=0.0, step=step)), steps)
    beginning = algebra.start(0.0, start.tolist())
    try:
        state, info = last(algebra.run(program, beginning)) if steps else (beginning, None)
    except NonFiniteState as error:
        raise UserError(str(error)) from None
    chosen, end = info.coefficients if info else None, algebra.moments(state.x)
    laws = (end.mean, end.variance, centre, 1.0 / lam, counts)
    return {
        "mean": end.mean.tolist(),
        "variance": end.variance.tolist(),
        "beta": float(chosen.beta) if chosen and sampler != "langevin" else None,
        "w2": _finite(gaussian_w2(*laws)),
        "kl": _finite(gaussian_kl(*laws)),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _step(sampler: str, beta: float | None, delta: float) -> Step:
    _demand(0.0 < delta < 1.0, "delta", delta, "a number between 0 and 1")
    if sampler == "constant":
        given = beta is not None and 0.0 <= beta < 1.0
        _demand(
            given,
            "beta",
            "not given" if beta is None else beta,
            "a number in [0, 1) for the constant sampler",
        )
        return momentum(momentum_rule(constant(beta)))
    _demand(
        beta is None,
        "beta",
        beta,
        f"none for the {sampler} sampler: only the constant one takes it",
    )
    rules: dict[str, Step] = {
        "langevin": langevin(),
        "adaptive": momentum(momentum_rule(adaptive(delta))),
    }
    return rules[sampler]


def _numbers(
    name: str, text: str, like: torch.Tensor | None = None, positive: bool = False
) -> torch.Tensor:
    """Parse comma-separated numbers; with `like`, one value stands for all of its entries."""
    try:
        values = torch.tensor([float(part) for part in text.split(",")], dtype=torch.float64)
    except ValueError:
        raise UserError(f"--{name} {text}: expected comma-separated numbers") from None
    fits = like is None or values.numel() in (1, like.numel())
    _demand(
        fits,
        name,
        text,
        f"one value, or as many as precisions ({0 if like is None else like.numel()})",
    )
    _demand(
        bool(values.isfinite().all()) and not (positive and (values <= 0).any()),
        name,
        text,
        "finite numbers" + (" above 0" if positive else ""),
    )
    return values if like is None else values.expand(like.shape).clone()


def _demand(holds: bool, name: str, given: object, expected: str) -> None:
    if not holds:
        raise UserError(f"--{name} {given}: expected {expected}")
