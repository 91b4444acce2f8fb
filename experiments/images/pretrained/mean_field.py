r"""The momentum coefficient along a run, predicted without sampling from the images' mean and covariance.

At large noise, images are as good as a Gaussian of their covariance; at small noise, as good as points, each a mode of
its own. On both targets the mean-field distribution of a run's steps is exact (`ams.laws.GaussianLaw`), and so is beta.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws import GaussianLaw
from ams.samplers import Step
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from ams.schedules import Level
from experiments.images.pretrained import inputs
from verdicts.studies import cell

_SMALLEST = 1e-8
"""Stands for a variance of 0."""


class Spectrum(NamedTuple):
    """Eigenvalues of the images' covariance, and the mean along its eigenvectors (both (d,), float64)."""

    variance: Tensor
    mean: Tensor


class Betas(NamedTuple):
    """The predicted momentum coefficient of each step that has a rule, on a Gaussian and on a point."""

    gaussian: tuple[float, ...]
    point: tuple[float, ...]


def spectrum(images: Float[Tensor, "n h w"]) -> Spectrum:
    """Return the spectrum of images."""
    flat = images.flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(flat.T))
    return Spectrum(values.clamp_min(_SMALLEST), flat.mean(0) @ vectors)


@cell(data=("mnist-test",))
def predicted_betas(
    samplers: tuple[str, ...], sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters
) -> list[Betas]:
    """The predictions for each of the samplers."""
    data = spectrum(inputs.test_images())
    targets = GaussianLaw(data.variance, data.mean), GaussianLaw([_SMALLEST], 0.0, [float(len(data.mean))])
    programs = [list(SPECS[name].build(sigmas, budget, hyperparameters)) for name in samplers]
    return [Betas(*(_betas(law, program, sigmas.first) for law in targets)) for program in programs]


def _betas(law: GaussianLaw, program: list[tuple[Step, Level]], first_sigma: float) -> tuple[float, ...]:
    infos = (info for _, info in law.run(program, law.start(0.0, first_sigma**2)))
    return tuple(float(info.coefficients.beta) for info in infos if info.coefficients)
