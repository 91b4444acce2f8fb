"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded
from verdicts.claims.sizes import Sizes


class Settings(Seeded):
    """Random steps, spectra and starts of the exact law; particles and steps of the Monte Carlo
    parts.

    `points` random parameters of closed forms; `spectra` and `starts` of P1a, `batch` of the
    particles of A1 and A2; `directions` of a target of A1; of A5: `batches` and `dimensions` whose
    momentum coefficient fluctuates, `group_steps` observations of it for each, `coupled_batches` of
    its bias and `coupled_steps` steps of the particles that they share.
    """

    points: PositiveInt = 400
    spectra: PositiveInt = 3
    starts: PositiveInt = 3
    batch: PositiveInt = 20_000
    directions: PositiveInt = 1024
    batches: Sizes = (16, 64, 256)
    dimensions: Sizes = (16, 64, 256)
    group_steps: PositiveInt = 240_000
    coupled_batches: Sizes = (8, 16, 32, 64, 128)
    coupled_steps: PositiveInt = 400
