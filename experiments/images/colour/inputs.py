"""What the group samples and judges by: exact scores and networks, reference images, features."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images
from ams.data.arrays import load_array, load_arrays
from ams.errors import UserError
from ams.samplers import Score
from ams.samplers.presets import SigmaRange
from ams.targets import Empirical
from experiments.images.colour.settings import Features, Network
from experiments.images.features.extractors import Extractor, efficientnet, inception
from experiments.images.features.scores import Judge
from experiments.images.networks.ncsnpp import LARGEST
from experiments.images.networks.pretrained_cifar import diffusers_folder, score_sde, verified
from experiments.images.runs import Problem


class Reference(NamedTuple):
    """Images that samples are judged by: a registered set, or a file where there is a `sha256`."""

    name: str
    sha256: str | None = None

    @property
    def shown(self) -> str:
        """Return the name in tables: of a file, with its checksum, since another may have its name."""
        return self.name if self.sha256 is None else f"{Path(self.name).name} {self.sha256[:12]}"


CIFAR_TEST = Reference("cifar10-test")


def device() -> str:
    """Return the device of the runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def pictures(reference: Reference, count: int) -> Float[Tensor, "n c h w"]:
    """Return the first so many images, shuffled (a registered set is sorted by class), pixels in [0, 1].

    Raises DataUnavailable where the file is missing, UserError for another.
    """
    x = images(reference.name).x if reference.sha256 is None else _own(Path(reference.name), reference.sha256)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(10))[:count]
    chosen = x[order].movedim(-1, 1).contiguous()
    return chosen.float().div_(255) if chosen.dtype is torch.uint8 else chosen


def _own(path: Path, sha256: str) -> Tensor:
    """Return the images of a user's file, as they are there. Raises as `pictures`."""
    content, where = verified(path, sha256), str(path)
    single = path.suffix == ".npy"
    arrays = [load_array(content, where, LARGEST)] if single else [*load_arrays(content, where, LARGEST).values()]
    if len(arrays) != 1 or not _are_images(arrays[0]):
        held = ", ".join(f"{array.dtype} {array.shape}" for array in arrays[:4])
        raise UserError(f"{path}: {held}; expected one array of images, uint8 (n, side, side, 3)")
    return torch.from_numpy(arrays[0])


def _are_images(x: np.ndarray) -> bool:
    return x.dtype == np.uint8 and x.ndim == 4 and len(x) > 0 and x.shape[1] == x.shape[2] and x.shape[3] == 3


@cache
def exact_target(points: int) -> Empirical:
    """Return CIFAR-10's test images as a target. Raises DataUnavailable without their file."""
    return Empirical(pictures(CIFAR_TEST, points))


@cache
def exact_problem(points: int, last_sigma: float) -> Problem:
    """Return the exact score of CIFAR-10's test images, from noise as wide as a thousand of them to `last_sigma`."""
    target = exact_target(points)
    widest = float(torch.pdist(target.cloud.points[:1000]).max())
    score = _on_device(target.to(torch.float32, device()).score)
    return Problem(score, target.shape, SigmaRange(widest, last_sigma))


@cache
def network_problem(network: Network) -> Problem:
    """Return a network's score. Raises DataUnavailable where its file is missing, UserError for another."""
    if network.path.is_dir():
        checksums = network.sha256, network.config_sha256
        loaded = diffusers_folder(network.path, *checksums, network.largest, device())
    else:
        loaded = score_sde(network.path, network.sha256, network.side, device())
    smallest, largest = loaded.predictor.smallest, loaded.predictor.largest
    return Problem(loaded.score, loaded.shape, SigmaRange(largest, max(network.last_sigma, smallest)))


def _on_device(score: Score) -> Score:
    """Return a score that is computed on the runs' device for states on the CPU."""
    return lambda x, level: score(x.to(device()), level).to(x.device)


@cache
def extractor(name: Features) -> Extractor:
    """Return the features, by name. Raises DataUnavailable."""
    known = inception(device()) if name == "inception" else efficientnet(device())
    return Extractor(known.name, known.sha256, lambda x: known.features(x.movedim(1, -1)), known.logits)


@cache
def judge(reference: Reference, count: int, features: Features) -> Judge:
    """Return the judge, in these features, of images like those of the reference. Raises as `pictures`."""
    return Judge(extractor(features), reference.shown, pictures(reference, count))
