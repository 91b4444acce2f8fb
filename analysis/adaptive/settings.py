"""Sizes of this group."""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Random steps, spectra and starts of the exact law; particles and steps of the Monte Carlo parts.

    `points` random parameters of closed forms; `spectra` and `starts` of P1a, `batch` of A2's particles; `directions`
    of A1's and A4's targets; of A5: `batches` and `dimensions` whose damping fluctuates, `group_steps` observations of
    it for each, `coupled_batches` of its bias and `coupled_steps` steps of the particles that they share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: int = 400
    spectra: int = 3
    starts: int = 3
    batch: int = 20_000
    directions: int = 1024
    batches: tuple[int, ...] = (16, 64, 256)
    dimensions: tuple[int, ...] = (16, 64, 256)
    group_steps: int = 80_000
    coupled_batches: tuple[int, ...] = (8, 16, 32, 64, 128)
    coupled_steps: int = 400
    seed: int = 2405


def random_steps(settings: Settings) -> np.ndarray:
    """Return random `u`, log-uniform in [1e-4, 1/2]."""
    generator = np.random.default_rng(settings.seed)
    return np.exp(generator.uniform(math.log(1e-4), math.log(0.5), settings.points))
