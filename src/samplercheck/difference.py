"""Common noise: two samplers from one start with the same draws, for schemes that only differ in their constants.

Two implementations of one method end at the same points up to rounding. No order or limit sees a coefficient that is
off by a term as small as the method's own error; a comparison with a reference implementation does.
"""

import torch

from samplercheck.answered_draws import seeded
from samplercheck.nonlinear import TwoModes
from samplercheck.sampler import Sampler, driven


def differ(sampler: Sampler, reference: Sampler, steps: int = 20, rows: int = 8, seed: int = 0) -> float:
    """Return the largest difference of the ends of two samplers on the two-mode mixture, in units of the data's scale.

    Both start at the same points and see the same draws, in the order in which each of them asks.
    """
    network, generator = TwoModes(reference.data_std).network(), torch.Generator().manual_seed(seed)
    x = reference.prior(steps) * torch.randn(rows, 2, dtype=torch.float64, generator=generator)
    ends = [driven(each, network, x, steps, seeded(rows, 2, seed)).end for each in (sampler, reference)]
    return float((ends[0] - ends[1]).abs().max()) / reference.data_std
