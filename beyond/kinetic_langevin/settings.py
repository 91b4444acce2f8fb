"""Sizes of the group."""

import numpy as np
from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Numbers


class Settings(Seeded):
    """Random points of the closed forms, condition numbers; the targets of K8 and the largest
    budget there.

    `enclosed` says whether numbers are proved in balls. K10 has so many random `spectra`, to a
    share `error` of the start's.
    """

    points: PositiveInt = 400
    conditions: Numbers = (1e1, 1e2, 1e3, 1e4, 1e5)
    targets: PositiveInt = 48
    budget: PositiveInt = 640
    enclosed: bool = True
    spectra: PositiveInt = 50
    error: float = 1e-4


def random_points(settings: Settings) -> list[tuple[float, float]]:
    """Return random pairs `(u, e)`: u in 1 % to 99 % of the stable range (0, 2), e in [0, 0.95]."""
    generator = np.random.default_rng(settings.seed)
    momenta = generator.uniform(0.0, 0.95, settings.points)
    return list(
        zip(generator.uniform(0.02, 1.98, settings.points).tolist(), momenta.tolist(), strict=True)
    )
