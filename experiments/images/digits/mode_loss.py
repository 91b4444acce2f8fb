r"""Rare modes on real images: zeros, and a tenth as many ones, with their exact score.

A cooled sampler tends to `p^T'` with `T' > 1`, in which a mode of weight `w` has a weight of order `w^T'`: what is
rare becomes rarer. The share of samples at a one is counted against the share that the law gives it.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch

from ams.data import Images, digits
from ams.schedules import Level
from experiments.images.exact import ImageTarget, Settings, image_target
from experiments.images.runs import ENTRANTS, RELEASED, generator, run

FREQUENT, RARE, KEPT = 0, 1, 18
"""The classes, and how many of the rare one's images are kept."""
WATCHED = ("annealed Langevin", "adaptive momentum", "Langevin, drift x2", "ancestral")
"""The samplers whose shares are counted."""
_BATCHES = 20_000  # batches are numbered from here


class Shares(NamedTuple):
    """The rare class's share under the law, and in each batch of samples."""

    truth: float
    found: list[float]


@cache
def uneven() -> ImageTarget:
    """Return the target: all images of the frequent class, the first few of the rare one."""
    data = digits()
    frequent, rare = data.x[data.y == FREQUENT], data.x[data.y == RARE][:KEPT]
    labels = torch.cat([torch.zeros(len(frequent)), torch.ones(len(rare))]).long()
    return image_target(Images(torch.cat([frequent, rare]), labels))


@cache
def shares(settings: Settings, sampler: str) -> Shares:
    """Return the rare class's share in samples at `settings.rare` evaluations; starts are common to all samplers."""
    images, last = uneven(), Level(0, sigma=settings.last_sigma)
    subject = images.subject(settings.last_sigma)
    found = []
    for number in range(_BATCHES, _BATCHES + settings.batches):
        draws = generator(settings.seed, number)
        x = run(subject, ENTRANTS[sampler], settings.rare, RELEASED, settings.rare_batch, draws).x
        found.append(images.labels[images.target.nearest(x, last).point].double().mean().item())
    return Shares(images.labels.double().mean().item(), found)
