"""Made-up slices and outcomes: heads of two ellipses, and qualities that a test chooses."""

from collections.abc import Callable

import numpy as np
import torch

from ams.samplers.presets import Hyperparameters
from ams.schedules import Level
from related.mri.metrics import Quality
from related.mri.networks import MEAN, SPREAD
from related.mri.reconstruction.study import Reconstruction, ScannedSubject


def heads(count: int, seed: int = 0) -> torch.Tensor:
    """Return bright ellipses with a darker one inside, (count, 64, 64)."""
    draw = torch.Generator().manual_seed(seed)
    place = torch.arange(64) - 31.5
    sizes = 18 + 6 * torch.rand(count, 2, generator=draw)
    inside = (place[:, None] / sizes[:, :1, None]).square() + (place / sizes[:, 1:, None]).square()
    return 0.6 * (inside < 1).float() - 0.3 * (inside < 0.3).float()


def gaussian_prior(x: torch.Tensor, level: Level) -> torch.Tensor:
    """Return the score of independent N(MEAN, SPREAD^2) pixels."""
    return (MEAN - x) / (SPREAD**2 + level.sigma**2)


def outcome(psnr: float, nmse: float = 0.01, undetermined: float = 0.01) -> Reconstruction:
    """Return an outcome of two slices with this quality."""
    pair = np.ones(2)
    return Reconstruction(np.zeros((2, 64, 64)), Quality(psnr * pair, 0.9 * pair, nmse * pair), undetermined * pair)


def by_subject(values: dict[str, float]) -> Callable[..., Quality]:
    """Return what stands for a cell of samplers: NMSE by sampler, a little different from subject to subject."""

    def made(case: ScannedSubject, sampler: str, budget: int, given: Hyperparameters) -> Quality:
        return outcome(20.0, values[sampler] * (1 + 0.01 * (case.subject % 3))).quality

    return made
