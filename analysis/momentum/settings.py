"""Sizes of this group, and the random parameters at which closed forms meet the exact law."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Numbers

Real = TypeVar("Real", float, np.ndarray)


class Settings(BaseModel):
    """Random parameters of the closed forms; particles; the mixture's step; condition numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: PositiveInt = 400
    particles: PositiveInt = 100_000
    mixture_step: float = 0.001
    conditions: Numbers = (1e2, 1e3, 1e4, 1e5, 1e6)
    seed: NonNegativeInt = 2405


def stability_bound(beta: Real) -> Real:
    """Return the largest stable `u`, `2 / (1 - b^2)` (claim G1)."""
    return 2.0 / (1.0 - beta**2)


def random_parameters(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return `(u, b)` at random: b in [0, 0.95], u in 1 % to 95 % of the stable range."""
    generator = np.random.default_rng(settings.seed)
    beta = generator.uniform(0.0, 0.95, settings.points)
    return generator.uniform(0.01, 0.95, settings.points) * stability_bound(beta), beta
