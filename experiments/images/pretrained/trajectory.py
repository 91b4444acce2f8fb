r"""beta along a run on a real network, and two predictions of the theory, without any sampling.

Where the noise is large, images are as good as a Gaussian of the data's covariance; where it is small, as good as
points, each its own mode. For both the mean-field law of the same steps is exact (`laws.gaussian`), and so is beta.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from ams.samplers.catalogue import PROGRAMS, Hyperparameters, SigmaRange
from jaxtyping import Float
from torch import Tensor

from ams.laws import GaussianLaw

_SMALLEST = 1e-8
"""Stands for a variance of 0."""


class Step(NamedTuple):
    """Of one step: the noise level, and the damping."""

    sigma: float
    beta: float


class Spectrum(NamedTuple):
    """Eigenvalues of the data's covariance, the mean along its eigenvectors."""

    variance: Tensor
    mean: Tensor


def spectrum(images: Float[Tensor, "n h w"]) -> Spectrum:
    """Return the spectrum of images, float64."""
    flat = images.flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(flat.T))
    return Spectrum(values.clamp_min(_SMALLEST), flat.mean(0) @ vectors)


def gaussian_prediction(
    name: str, ends: SigmaRange, budget: int, choice: Hyperparameters, data: Spectrum
) -> list[Step]:
    """Return beta of each step with a rule, on the Gaussian of the data's covariance and mean."""
    return _predicted(name, ends, budget, choice, GaussianLaw(data.variance, data.mean))


def point_prediction(name: str, ends: SigmaRange, budget: int, choice: Hyperparameters, dimension: int) -> list[Step]:
    """Return the same on a point, the mode that a sample ends at."""
    return _predicted(name, ends, budget, choice, GaussianLaw([_SMALLEST], 0.0, [float(dimension)]))


def _predicted(name: str, ends: SigmaRange, budget: int, choice: Hyperparameters, law: GaussianLaw) -> list[Step]:
    program = list(PROGRAMS[name](ends, budget, choice))
    states = law.run(program, law.start(0.0, ends.first**2))
    return [
        Step(level.sigma, float(info.coefficients.beta))
        for (_, level), (_, info) in zip(program, states, strict=True)
        if info.coefficients
    ]
