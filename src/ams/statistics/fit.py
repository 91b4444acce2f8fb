"""The goodness of fit of counts to a distribution on finitely many cells."""

import math

import numpy as np
from scipy import special

from ams.statistics.values import Values, finite

FEWEST_EXPECTED = 5.0
"""The least expected count of a cell in a chi-square test (Cochran 1954)."""


def goodness_of_fit(counts: Values, probabilities: Values) -> float:
    """Return the p-value of Pearson's chi-square test that `counts` have the multinomial `probabilities`.

    The rarest cells are pooled until each cell expects five counts. A count in a cell of probability 0 gives 0. Raises
    ValueError for different shapes, a negative entry, probabilities that do not sum to 1, and so few counts that all
    cells would be pooled into one.
    """
    observed, p = finite(counts, fewest=2), finite(probabilities, fewest=2)
    if observed.shape != p.shape or (observed < 0).any() or (p < 0).any() or abs(p.sum() - 1) > 1e-6:
        raise ValueError("goodness of fit: counts and probabilities of one shape are needed, the latter of sum 1")
    if observed[p == 0].any():
        return 0.0
    seen, expected = _pooled(observed[p > 0], p[p > 0] / p.sum() * observed.sum())
    if len(expected) < 2:
        raise ValueError(f"goodness of fit: {observed.sum():.0f} counts are too few for {len(p)} cells")
    statistic = ((seen - expected) ** 2 / expected).sum()
    return float(special.chdtrc(len(expected) - 1, statistic))


def _pooled(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return observed and expected counts with the rarest cells merged into one, as few as possible."""
    order = np.argsort(expected, kind="stable")
    observed, expected = observed[order], expected[order]
    next_cells = np.append(expected[1:], math.inf)
    enough = (np.cumsum(expected) >= FEWEST_EXPECTED) & (next_cells >= FEWEST_EXPECTED)
    merged = int(enough.argmax()) + 1 if enough.any() else len(expected)
    seen, wanted = (np.append(cells[:merged].sum(), cells[merged:]) for cells in (observed, expected))
    return seen, wanted
