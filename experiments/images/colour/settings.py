"""Sizes of the group, and the networks that a user's configuration names."""

from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ams.samplers.presets import AUTHORS
from experiments.images.networks.pretrained_cifar import SMALLEST
from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen

CIFAR = "CIFAR-10, exact score"
PLAIN, ADAPTIVE = "PC, Langevin", "PC, adaptive"
"""The correctors that are compared on networks."""
Features: TypeAlias = Literal["efficientnet-lite0", "inception"]


class Network(Frozen):
    """A network's file, and the images that its samples are judged by.

    `path` is a checkpoint of score_sde or a folder in diffusers' format, `sha256` that of the checkpoint or of the
    folder's weights. A folder needs `config_sha256`, that of its config.json, too, and `largest` where it holds a VE
    model: the sigma_max that it was trained at, where a run begins. Images have `side` pixels a side, runs end at
    `last_sigma`, `snr` is the correctors' (score_sde has 0.075 for images of 256 pixels). `reference` is a registered
    set of images or a file of them (.npy, .npz: uint8, n x side x side x 3) with its `reference_sha256`.
    """

    path: Path
    sha256: str
    config_sha256: str | None = None
    largest: float | None = Field(default=None, gt=SMALLEST)
    side: PositiveInt = 32
    reference: str
    reference_sha256: str | None = None
    last_sigma: float = 0.01
    snr: PositiveFloat = AUTHORS.snr

    @model_validator(mode="after")
    def _a_file_has_a_checksum(self) -> Self:
        is_file = self.reference.endswith((".npy", ".npz"))
        if is_file is not (self.reference_sha256 is not None):
            wanted = "needs reference_sha256 (see sha256sum)" if is_file else "is no .npy or .npz file to have a sha256"
            raise ValueError(f"reference {self.reference!r} {wanted}")
        return self


class Settings(Frozen):
    """Sizes: `budgets` (NFE), independent `batches` of `batch` samples, `samplers`.

    The exact target is uniform on `points` images, its last noise level is `last_sigma`. Samples are judged by
    `reference` images, in `features` for the checks, and for the tables in those of `also` that can be had.
    """

    budgets: Sizes = (50, 100, 500)
    batches: PositiveInt = 8
    batch: PositiveInt = 256
    samplers: Names = ("annealed Langevin", "adaptive momentum", PLAIN, ADAPTIVE, "Heun ODE", "annealed BAOAB, e = 1/2")
    points: PositiveInt = 10_000
    reference: PositiveInt = 10_000
    networks: dict[str, Network] = Field({})
    features: Features = "efficientnet-lite0"
    also: tuple[Features, ...] = ()
    last_sigma: float = 0.02
    seed: NonNegativeInt = 2405
