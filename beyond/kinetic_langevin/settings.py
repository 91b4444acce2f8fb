"""Sizes of the group."""

import numpy as np
from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Names, Numbers, Sizes


class Settings(Seeded):
    """Random points of the closed forms, condition numbers, budgets of K6a's factors and K7a's orders; sizes of K8, K9.

    `targets` of a judged family, the largest `budget` there, and the kinds of problem on which all samplers are
    `compared`: with all kinds the annealed samplers are run too. `tuned` says whether what takes long is run: settings
    next to the chosen ones on the development family, the best momentum (K8f, K8g), and the mixture, on which 64
    batches have `mixture_batch` particles each. `enclosed` says whether runs on the
    judged family are proved. K10 has so many random `spectra`, to a share `error` of the start's.
    """

    points: PositiveInt = 400
    conditions: Numbers = (1e1, 1e2, 1e3, 1e4, 1e5)
    factor_budgets: Sizes = (50, 100, 200, 500, 1000)
    orders: Sizes = (160, 226, 320, 453, 640, 905, 1280)
    targets: PositiveInt = 48
    budget: PositiveInt = 640
    compared: Names = ("exact", "high", "shift", "start", "low")
    tuned: bool = True
    enclosed: bool = True
    mixture_batch: PositiveInt = 2500
    spectra: PositiveInt = 50
    error: float = 1e-4
    particles: PositiveInt = 20_000


def random_points(settings: Settings) -> list[tuple[float, float]]:
    """Return random pairs `(u, e)`: u in 1 % to 99 % of the stable range (0, 2), e in [0, 0.95]."""
    generator = np.random.default_rng(settings.seed)
    momenta = generator.uniform(0.0, 0.95, settings.points)
    return list(zip(generator.uniform(0.02, 1.98, settings.points).tolist(), momenta.tolist(), strict=True))
