"""Sizes of the group, and the networks that a user's configuration names."""

from pathlib import Path
from typing import Literal, NamedTuple, Self, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from ams.errors import DataUnavailable
from ams.samplers.presets import AUTHORS
from experiments.images.networks.pretrained_cifar import SMALLEST, Trained
from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen

README = "https://github.com/yang-song/score_sde_pytorch#pretrained-checkpoints"
PLAIN, ADAPTIVE = "PC, Langevin", "PC, adaptive"
"""The correctors that are compared on networks."""
Features: TypeAlias = Literal["efficientnet-lite0", "inception", "pixels"]


class Network(Frozen):
    """A network's file, and the images that its samples are judged by.

    `path` is a checkpoint of score_sde (`trained` as its configuration says), NCSN or NCSNv2, or a
    folder in diffusers' format, `sha256` that of the checkpoint or of the folder's weights. A
    folder needs `config_sha256`, that of its config.json, too, and `largest` where it holds a VE
    model: the sigma_max that it was trained at, where a run begins. Images have `side` pixels a
    side, runs end at `last_sigma`, `snr` is the correctors' (score_sde has 0.075 for images of 256
    pixels). `reference` is a registered set of images or a file of them (.npy, .npz: uint8, n x
    side x side x 3) with its `reference_sha256`, `halved` where they have twice the side. The
    suite's own networks are named in place of a path: cifar16-score.

    Annealed samplers take `repeats` steps at a noise level, or go through `levels` of them at every
    budget, with NCSNv2's step or, where it is given, with `step` at the last level. `samplers`,
    `budgets` and how many `images` each makes, in batches of `batch`, are the group's own where
    they are not given.
    """

    path: Path
    sha256: str
    config_sha256: str | None = None
    largest: float | None = Field(default=None, gt=SMALLEST)
    side: PositiveInt = 32
    reference: str
    reference_sha256: str | None = None
    halved: bool = False
    last_sigma: float = 0.01
    snr: PositiveFloat = AUTHORS.snr
    trained: Trained = "continuous"
    repeats: PositiveInt = AUTHORS.repeats
    levels: PositiveInt | None = None
    step: PositiveFloat | None = None
    samplers: Names | None = None
    budgets: Sizes | None = None
    images: PositiveInt | None = None
    batch: PositiveInt | None = None

    @property
    def alone(self) -> "Network":
        """Return the network without what it is asked for, so that more budgets compute the new
        ones alone.
        """
        return self.model_copy(update=dict.fromkeys(("samplers", "budgets", "images", "batch")))

    @model_validator(mode="after")
    def _a_file_has_a_checksum(self) -> Self:
        is_file = self.reference.endswith((".npy", ".npz"))
        if is_file is not (self.reference_sha256 is not None):
            wanted = (
                "needs reference_sha256 (see sha256sum)"
                if is_file
                else "is no .npy or .npz file to have a sha256"
            )
            raise ValueError(f"reference {self.reference!r} {wanted}")
        return self


class Asked(NamedTuple):
    """What a network is asked for: each sampler at each budget makes `batches` of `batch`
    samples.
    """

    samplers: tuple[str, ...]
    budgets: tuple[int, ...]
    batches: int
    batch: int


class Settings(Frozen):
    """Sizes: `budgets` (NFE), independent `batches` of `batch` samples, `samplers`; a network may
    have its own.

    Samples are judged by `reference` images, in `features` for the checks, and for the tables in
    those of `also` that can be had.
    """

    budgets: Sizes = (50, 100, 500)
    batches: PositiveInt = 8
    batch: PositiveInt = 256
    samplers: Names = (
        "annealed Langevin",
        "adaptive momentum",
        PLAIN,
        ADAPTIVE,
        "Heun ODE",
        "annealed BAOAB, e = 1/2",
    )
    reference: PositiveInt = 10_000
    networks: dict[str, Network] = Field({})
    features: Features = "efficientnet-lite0"
    also: tuple[Features, ...] = ()
    seed: NonNegativeInt = 2405

    def named(self, name: str) -> Network:
        """Return a network. Raises DataUnavailable for one that the configuration lacks."""
        if name not in self.networks:
            raise DataUnavailable(
                (
                    f"{name}: no file is named: have it from {README}; give path and "
                    "sha256 under colour.networks"
                ),
                missing=f"a file for {name}",
            )
        return self.networks[name]

    def of(self, name: str) -> Asked:
        """Return what a network is asked for: its own sizes, or the group's. Raises as `named`."""
        network = self.named(name)
        batch = network.batch or self.batch
        batches = -(-network.images // batch) if network.images else self.batches
        return Asked(
            network.samplers or self.samplers, network.budgets or self.budgets, batches, batch
        )
