"""Sizes of this group, and what was fixed before its runs: the families of targets, the damages, the thresholds."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Names, Numbers, Sizes


class Settings(BaseModel):
    """Random parameters of the closed forms; budgets of K6's factors and K7's orders; families and budgets of K8, K9.

    `development` is the seed of the family on which settings were chosen, `held_out` that of the one that judges.
    `first` and `last` are the noise levels of a run, `near` the first one of a bad start, `slow` the range of the
    slowest direction's variance over the square of the noise at which its repair begins, `gain` the size of a score's
    errors. `threshold` is in KL / d (nats). `compared` are the kinds of damage in the table of all samplers, `paces`
    the `(rate, most)` of the TAPERED paces in the table of the development family (none: no such table).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: PositiveInt = 400
    conditions: Numbers = (1e1, 1e2, 1e3, 1e4, 1e5)
    cooled: Sizes = (50, 100, 200, 500, 1000)
    orders: Sizes = (160, 226, 320, 453, 640, 905, 1280)
    targets: PositiveInt = 48
    directions: PositiveInt = 16
    smallest: float = 1e-4
    first: float = 50.0
    last: float = 0.01
    near: float = 0.15
    slow: tuple[float, float] = (10.0, 100.0)
    gain: float = 0.2
    threshold: float = 1e-4
    budget: PositiveInt = 640
    compared: Names = ("exact", "high", "shift", "start")
    paces: tuple[tuple[float, float], ...] = ((2.0, 1.8), (4.0, 1.0), (4.0, 1.5), (4.0, 1.8), (8.0, 1.8), (16.0, 1.8))
    particles: PositiveInt = 20_000
    development: NonNegativeInt = 1
    held_out: NonNegativeInt = 1905
    seed: NonNegativeInt = 2405


def random_parameters(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return `(u, e)` at random: e in [0, 0.95], u in 1 % to 99 % of the stable range (0, 2)."""
    generator = np.random.default_rng(settings.seed)
    kept = generator.uniform(0.0, 0.95, settings.points)
    return generator.uniform(0.02, 1.98, settings.points), kept
