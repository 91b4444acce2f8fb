"""Simulated rates against what they should be."""

from __future__ import annotations

from ams.inference import proportion_interval

SURE = 1 - 1e-6


def consistent(hits: int, n: int, rate: float) -> bool:
    """Return whether `hits` of `n` may come from `rate`."""
    _, low, high, _ = proportion_interval(hits, n, SURE)
    return low <= rate <= high
