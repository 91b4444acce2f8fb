r"""Colour images, for a GPU: CIFAR-10 with its exact score, networks at the paper's scale; claims X0 to X4.

The exact target is the uniform law on CIFAR-10's test images, blurred at the last level. A network is given by its
file and that file's sha256 in the configuration (`networks`): score_sde's checkpoints lie behind a folder on a drive,
without published checksums, so none is registered and without an entry its claims are not run.

Samples are judged, after the last denoising, in EfficientNet-Lite0's features, against images of the set; tables have
rows in Inception's too (`also`), where its weights are. The profile's sizes can be cut by a file that `AMS_CONFIG`
names (config/gpu-small.yaml): then it runs on a CPU, end to end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, Self, TypeAlias

import numpy as np
import torch
from ams.samplers.catalogue import SigmaRange
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from ams.data import images as load
from ams.data.arrays import load_array, load_arrays
from ams.errors import DataUnavailable, UserError
from ams.samplers import NonFiniteState
from ams.schedules import Level
from ams.statistics import mean_interval
from ams.targets import Empirical
from experiments.images.features.extractors import Extractor, efficientnet, inception
from experiments.images.features.rows import HEADER, Row
from experiments.images.features.scores import Judge
from experiments.images.networks.pretrained_cifar import SMALLEST, diffusers_folder, score_sde, verified
from experiments.images.networks.scoresde import LARGEST
from experiments.images.runs import ENTRANTS, RELEASED, Subject, denoised, generator, run
from verdicts import Measurement, Table, check
from verdicts.claims.sizes import Names, Sizes

CONFIDENCE = 0.999
OURS, BASELINE = "PC, adaptive", "PC, Langevin"
ADAPTIVE, LANGEVIN = "adaptive momentum", "annealed Langevin"
README = "https://github.com/yang-song/score_sde_pytorch#pretrained-checkpoints"
CIFAR = "CIFAR-10, exact score"


Features: TypeAlias = Literal["efficientnet-lite0", "inception"]


class Network(BaseModel):
    """A network's file (a checkpoint of score_sde, or a folder in diffusers' format), its sha256, its images' side;
    the registered images that it is judged by, or a file of them (.npy, .npz: uint8, n x side x side x 3) and its
    `reference_sha256`; the last noise level of its runs. Of a folder, `sha256` is that of its
    weights, `config_sha256` that of its config.json, and `largest` the sigma_max that a VE model was trained at: a run
    begins there. A checkpoint holds its own. `snr` is the correctors': score_sde has 0.075 for images of 256 pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
    config_sha256: str | None = None
    largest: float | None = Field(default=None, gt=SMALLEST)
    side: PositiveInt = 32
    reference: str
    reference_sha256: str | None = None
    last_sigma: float = 0.01
    snr: PositiveFloat = RELEASED.snr

    @model_validator(mode="after")
    def _a_file_has_a_checksum(self) -> Self:
        is_file = self.reference.endswith((".npy", ".npz"))
        if is_file is not (self.reference_sha256 is not None):
            wanted = (
                "needs reference_sha256: sha256sum tells it" if is_file else "is no .npy or .npz file to have a sha256"
            )
            raise ValueError(f"reference {self.reference!r} {wanted}")
        return self


class Settings(BaseModel):
    """Budgets (NFE), independent batches and samples in each, samplers; how many images make the exact target, and
    how many samples are judged by; networks by name; the features of the checks, and others, `also`, that tables have
    rows in where they can be had; the exact target's last level."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: Sizes = (50, 100, 500)
    batches: PositiveInt = 8
    batch: PositiveInt = 256
    samplers: Names = (LANGEVIN, ADAPTIVE, BASELINE, OURS, "Heun ODE", "annealed BAOAB, e = 1/2")
    points: PositiveInt = 10_000
    reference: PositiveInt = 10_000
    networks: dict[str, Network] = {}
    features: Features = "efficientnet-lite0"
    also: tuple[Features, ...] = ()
    last_sigma: float = 0.02
    seed: NonNegativeInt = 2405

    def __hash__(self) -> int:
        """Return a hash of all that it holds, the networks included."""
        return hash(self.model_dump_json())


class Reference(NamedTuple):
    """Images that samples are judged by: a registered set, or a file where there is a `sha256`."""

    name: str
    sha256: str | None = None

    @property
    def shown(self) -> str:
        """Return the name in tables: of a file, with its checksum, since another may have its name."""
        return self.name if self.sha256 is None else f"{Path(self.name).name} {self.sha256[:12]}"


CIFAR_TEST = Reference("cifar10-test")


class Place(NamedTuple):
    """A subject with the images that it is judged by; `exact` where the score is known, to tell the temperature."""

    subject: Subject
    reference: Reference
    exact: Empirical | None


def device() -> str:
    """Return the device of the runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def pictures(reference: Reference, count: int) -> Float[Tensor, "n c h w"]:
    """Return the first so many images, shuffled (a registered set is sorted by class).

    Raises DataUnavailable where the file is missing, UserError for another.
    """
    x = load(reference.name).x if reference.sha256 is None else _own(Path(reference.name), reference.sha256)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(10))[:count]
    chosen = x[order].movedim(-1, 1).contiguous()
    return chosen.float().div_(255) if chosen.dtype is torch.uint8 else chosen


def _own(path: Path, sha256: str) -> Tensor:
    """Return the images of a user's file, as they are there. Raises as `pictures`."""
    content, where = verified(path, sha256), str(path)
    single = path.suffix == ".npy"
    arrays = [load_array(content, where, LARGEST)] if single else [*load_arrays(content, where, LARGEST).values()]
    if len(arrays) != 1 or not _are_images(arrays[0]):
        told = ", ".join(f"{held.dtype} {held.shape}" for held in arrays[:4])
        raise UserError(f"{path}: {told}; expected one array of images, uint8 (n, side, side, 3)")
    return torch.from_numpy(arrays[0])


def _are_images(x: np.ndarray) -> bool:
    return x.dtype == np.uint8 and x.ndim == 4 and len(x) > 0 and x.shape[1] == x.shape[2] and x.shape[3] == 3


@cache
def place(settings: Settings, name: str) -> Place:
    """Return what is sampled under a name. Raises DataUnavailable where its file is missing."""
    if name == CIFAR:
        target = Empirical(pictures(CIFAR_TEST, settings.points))
        flat = target.cloud.points[:1000]
        ends = SigmaRange(float(torch.pdist(flat).max()), settings.last_sigma)
        return Place(Subject(_on(target.to(torch.float32, device()).score), target.shape, ends), CIFAR_TEST, target)
    if name not in settings.networks:
        raise DataUnavailable(
            f"{name}: no file is named: have it from {README}; give path and sha256 under colour.networks"
        )
    entry = settings.networks[name]
    if entry.path.is_dir():
        found = diffusers_folder(entry.path, entry.sha256, entry.config_sha256, entry.largest, device())
    else:
        found = score_sde(entry.path, entry.sha256, entry.side, device())
    ends = SigmaRange(found.predictor.largest, max(entry.last_sigma, found.predictor.smallest))
    return Place(Subject(found.score, found.shape, ends), Reference(entry.reference, entry.reference_sha256), None)


def snr(settings: Settings, name: str) -> float:
    """Return the signal-to-noise ratio of the correctors' runs under a name."""
    return settings.networks[name].snr if name in settings.networks else RELEASED.snr


def _on(score: Callable[[Tensor, Level], Tensor]) -> Callable[[Tensor, Level], Tensor]:
    """Return a score that is computed on the runs' device for states on the CPU."""
    return lambda x, level: score(x.to(device()), level).to(x.device)


@cache
def extractor(name: Features) -> Extractor:
    """Return the features, by name. Raises DataUnavailable."""
    found = inception(device()) if name == "inception" else efficientnet(device())
    return Extractor(found.name, found.sha256, lambda x: found.features(x.movedim(1, -1)), found.logits)


@cache
def judge(settings: Settings, reference: Reference, features: Features) -> Judge:
    """Return the judge, in these features, of images like those of the reference. Raises as `pictures`."""
    return Judge(extractor(features), reference.shown, pictures(reference, settings.reference))


@cache
def had(settings: Settings) -> list[Features]:
    """Return the features that samples are judged in: the checks' own first, then those of `also` that can be had."""
    found: list[Features] = [settings.features]
    for name in settings.also:
        try:
            extractor(name)
        except DataUnavailable:
            continue  # the table's caption says so
        found.append(name)
    return list(dict.fromkeys(found))


class Outcome(NamedTuple):
    """Of one batch: distances to the reference; the temperature about the nearest image, NaN without exact score."""

    frechet: float
    kernel: float
    coverage: float
    temperature: float


LOST = Outcome(1e9, 1e9, 0.0, float("nan"))
"""Of a batch whose state did not stay finite: as far as can be, and of no temperature, so that X0 fails of it."""


def outcomes(settings: Settings, name: str, sampler: str, budget: int) -> list[Outcome]:
    """Return a sampler's batches in the features of the checks. Raises DataUnavailable."""
    return judged(settings, name, sampler, budget)[settings.features]


@cache
def judged(settings: Settings, name: str, sampler: str, budget: int) -> dict[Features, list[Outcome]]:
    """Return a sampler's batches in all features that can be had.

    Batch `number` starts alike for every sampler; one that diverges is lost.
    Raises DataUnavailable.
    """
    where, choice = place(settings, name), RELEASED._replace(snr=snr(settings, name))
    found: dict[Features, list[Outcome]] = {features: [] for features in had(settings)}
    for number in range(1, settings.batches + 1):
        draws = generator(settings.seed, number)
        try:
            x = run(where.subject, ENTRANTS[sampler], budget, choice, settings.batch, draws).x
        except NonFiniteState:
            for ends in found.values():
                ends.append(LOST)
            continue
        clean, cooled = denoised(where.subject, x), _temperature(where, x)
        for features, ends in found.items():
            scores = judge(settings, where.reference, features).scores(clean)
            ends.append(Outcome(scores.frechet, scores.kernel, scores.coverage, cooled))
    return found


def _temperature(where: Place, x: Tensor) -> float:
    """Return `E |x - nearest|^2 / (d sigma_L^2)`: 1 for the exact law."""
    if where.exact is None:
        return float("nan")
    last = where.subject.ends.last
    return where.exact.nearest(x, Level(0, sigma=last)).residual.square().mean().item() / last**2


def paired(settings: Settings, name: str, better: str, worse: str, budget: int) -> Measurement:
    """Return the kernel distance of `worse` less that of `better`, batch by batch."""
    both = {sampler: outcomes(settings, name, sampler, budget) for sampler in (worse, better)}
    found = _mean(settings, [one.kernel - other.kernel for one, other in zip(both[worse], both[better], strict=True)])
    lost = {sampler: ends.count(LOST) for sampler, ends in both.items()}
    return found.model_copy(update={"detail": {"snr": snr(settings, name), "lost batches": lost}})


def _mean(settings: Settings, values: list[float]) -> Measurement:
    found = mean_interval(values, CONFIDENCE)
    n = len(values) * settings.batch
    return Measurement(value=found.value, low=found.low, high=found.high, n=n, seeds=(settings.seed,))


@check("X0.adaptive")
def adaptive_cools(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature at the largest budget, exact score."""
    found = outcomes(settings, CIFAR, ADAPTIVE, max(settings.budgets))
    return _mean(settings, [one.temperature for one in found])


@check("X0.langevin")
def langevin_does_not_cool(settings: Settings) -> Measurement:
    """Return annealed Langevin's temperature at the largest budget, exact score."""
    found = outcomes(settings, CIFAR, LANGEVIN, max(settings.budgets))
    return _mean(settings, [one.temperature for one in found])


@check("X1.kernel")
def on_ncsnpp(settings: Settings) -> Measurement:
    """Return the gain of the adaptive corrector at the smallest budget, NCSN++ (VE) on CIFAR-10."""
    return paired(settings, "cifar10_ncsnpp_continuous", OURS, BASELINE, min(settings.budgets))


@check("X2.kernel")
def on_ddpmpp(settings: Settings) -> Measurement:
    """Return the gain of the adaptive corrector at the smallest budget, DDPM++ (VP) on CIFAR-10."""
    return paired(settings, "cifar10_ddpmpp_continuous", OURS, BASELINE, min(settings.budgets))


@check("X3.kernel")
def on_celeba(settings: Settings) -> Measurement:
    """Return the gain of the adaptive corrector at the smallest budget, NCSN++ on CelebA-HQ."""
    return paired(settings, "celebahq_256_ncsnpp_continuous", OURS, BASELINE, min(settings.budgets))


@check("X4.kernel")
def on_church(settings: Settings) -> Measurement:
    """Return the gain of the adaptive corrector at the smallest budget, NCSN++ on LSUN church."""
    return paired(settings, "church_ncsnpp_continuous", OURS, BASELINE, min(settings.budgets))


def tables(settings: Settings) -> list[Table]:
    """Return every number that can be had, with its conditions."""
    found: list[Row] = []
    for name in (CIFAR, *settings.networks):
        try:
            for features in had(settings):
                found += _rows(settings, name, features)
        except DataUnavailable:
            continue  # its claims say so
    caption = f"Colour images: means over batches with {CONFIDENCE:.1%} Student intervals."
    for name in settings.also:
        caption += "" if name in had(settings) else f" No rows in the features of {name}, which cannot be had here."
    cells = tuple(row.cells() for row in found)
    return [Table(id="colour", caption=caption, header=HEADER, rows=cells, claims=("X0", "X1", "X2", "X3", "X4"))]


def _rows(settings: Settings, name: str, features: Features) -> list[Row]:
    conditions = judge(settings, place(settings, name).reference, features).conditions(settings.batch)
    found = []
    for sampler in settings.samplers:
        for budget in settings.budgets:
            for quantity in ("frechet", "kernel", "coverage"):
                values = [getattr(one, quantity) for one in judged(settings, name, sampler, budget)[features]]
                value, low, high, sets = mean_interval(values, CONFIDENCE)
                named = {"sampler": f"{name}: {sampler}", "nfe": budget, "quantity": quantity, "sets": sets}
                given = {"value": value, "low": low, "high": high, "conditions": conditions}
                found.append(Row.model_validate(named | given))
    return found
