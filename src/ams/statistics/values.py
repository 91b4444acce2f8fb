"""The numbers that functions of this package accept."""

from collections.abc import Sequence

import numpy as np

Values = Sequence[float] | np.ndarray


def finite(values: Values, fewest: int) -> np.ndarray:
    """Return the values as a flat float64 array. Raises ValueError for fewer than `fewest` and for non-finite ones."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < fewest or not np.isfinite(array).all():
        raise ValueError(f"at least {fewest} finite values in one row are needed, got shape {array.shape}")
    return array
