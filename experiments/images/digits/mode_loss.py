r"""Mode loss on real images: all zeros and a tenth as many ones, with their exact score.

A sampler with too small a variance tends to a tempered target `p^c` with `c > 1`. There a mode of weight `w` has a
weight of order `w^c`, so a rare mode gets rarer. The share of samples at a one is compared with the target's share.
"""

from functools import cache

import torch

from ams.data import Images, digits
from ams.schedules import Level
from experiments.images import exact
from experiments.images.exact import ExactTarget
from experiments.images.runs import BatchSetup
from verdicts.studies import cell

FREQUENT, RARE, RARE_IMAGES = 0, 1, 18
"""The two classes, and how many images of the rare one the target holds."""


@cache
def target() -> ExactTarget:
    """Return the target: every image of the frequent class (label 0), the first few of the rare one (label 1)."""
    data = digits()
    frequent, rare = data.x[data.y == FREQUENT], data.x[data.y == RARE][:RARE_IMAGES]
    labels = torch.cat([torch.zeros(len(frequent)), torch.ones(len(rare))]).long()
    return ExactTarget.of(Images(torch.cat([frequent, rare]), labels))


def target_share() -> float:
    """Return the minor mode's share in the target."""
    return target().labels.double().mean().item()


@cell
def rare_share(sampler: str, budget: int, number: int, setup: BatchSetup) -> float:
    """The minor mode's share in one batch of a sampler."""
    x = exact.samples(target(), sampler, budget, number, setup)
    nearest = target().target.nearest(x, Level(0, sigma=setup.last_sigma)).point
    return target().labels[nearest].double().mean().item()
