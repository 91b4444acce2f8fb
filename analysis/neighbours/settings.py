"""Sizes of the group of neighbouring papers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Sizes: score errors (N1) and ascents that try to break its bound; random cases of N2, grids of N2 and N3.

    `errors` random diffusions, `climbers` ascents of `ascents` moves each; `targets` random Gaussians of the
    fixed-time claims; `cases` random schedules, spectra and scores of the path bound; `counts` the levels of its
    orders; `budgets` and `sizes` the levels and score errors over which schedules are compared; `gains` the gains
    that are tried a memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    errors: int = 20_000
    climbers: int = 300
    ascents: int = 60
    targets: int = 30
    cases: int = 200
    counts: tuple[int, ...] = (200, 400, 800, 1600, 3200)
    budgets: tuple[int, ...] = (20, 50, 100, 200)
    sizes: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0)
    gains: int = 12
    seed: int = 2405
