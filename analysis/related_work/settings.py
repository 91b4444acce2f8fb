"""Sizes of the group of neighbouring papers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Numbers, Sizes


class Settings(BaseModel):
    """Sizes: score errors (N1) and ascents that try to break its bound; random cases of N2, grids of N2 and N3.

    `errors` random diffusions, `climbers` ascents of `ascents` moves each; `targets` random Gaussians of the
    fixed-time claims; `cases` random schedules, spectra and scores of the path bound; `counts` the levels of its
    orders; `budgets` and `sizes` the levels and score errors over which schedules are compared; `gains` the gains
    that are tried a memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    errors: PositiveInt = 20_000
    climbers: PositiveInt = 300
    ascents: PositiveInt = 60
    targets: PositiveInt = 30
    cases: PositiveInt = 200
    counts: Sizes = (200, 400, 800, 1600, 3200)
    budgets: Sizes = (20, 50, 100, 200)
    sizes: Numbers = (0.0, 0.03, 0.1, 0.3, 1.0)
    gains: PositiveInt = 12
    seed: NonNegativeInt = 2405
