"""Tolerances from rounding: by how much two orders of the same arithmetic may differ, on any processor."""

import math

import torch


def rounding(operations: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> float:
    """Bound the difference of two results of `operations` sums and products in a row, of numbers up to `scale`.

    Each operation rounds by at most u = eps / 2 of its result. In the worst case both are off by `operations u`.
    Where rounding errors have mean zero, both are off by at most `8 sqrt(operations) u` but for a probability of
    `2 operations e^-32` (Higham and Mary, 2019). Vector width, blocks, threads, fused products change the order alone.
    """
    return min(operations, 8 * math.sqrt(operations)) * torch.finfo(dtype).eps * scale
