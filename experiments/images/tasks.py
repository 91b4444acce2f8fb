"""What the suite trains on images: denoisers of the embedded digits and of CIFAR-10, classifiers of
digits and MNIST.

The digits are split once: 1437 to learn from, 360 held out (a fixed permutation). The denoiser's
loss is that of `experiments.denoising`, ln v uniform on the trained range. The classifiers' loss is
the cross entropy. They see images with noise of up to 0.1, shifted by up to a pixel (two for
MNIST), so that their features do not hang on single grey values.
"""

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from ams.data import Images, digits, images as load
from experiments.denoising import denoising_loss, log_uniform
from experiments.images.colour_task import Colour, ColourTask
from experiments.images.networks.classifier import Classifier
from experiments.images.networks.colour import KINDS
from experiments.images.networks.small import LARGEST, SMALLEST, SPREAD, Denoiser, Sizes
from experiments.training import Plan, Task
from verdicts.validation import Frozen

HELD_OUT = 360
"""How many of the 1797 digits are held out."""


class Split(NamedTuple):
    """Images to learn from and to test on."""

    train: Images
    test: Images


@cache
def split_digits() -> Split:
    """Return the digits in two parts, by a fixed permutation."""
    data = digits()
    order = torch.randperm(len(data.y), generator=torch.Generator().manual_seed(1797))
    return Split(
        *(Images(data.x[rows], data.y[rows]) for rows in (order[HELD_OUT:], order[:HELD_OUT]))
    )


@cache
def split_mnist() -> Split:
    """Return MNIST's own parts. Raises DataUnavailable where a file cannot be had."""
    return Split(load("mnist-train"), load("mnist-test"))


class Denoising(Frozen):
    """Images in a step, and the network's sizes."""

    batch: int = 128
    sizes: Sizes = Sizes()


class DenoisingTask:
    """Learn the noise in digits."""

    parts: tuple[str, ...] = ("loss",)

    def __init__(self, settings: Denoising) -> None:
        self.settings = settings
        self.split = split_digits()

    def network(self) -> nn.Module:
        """Return a denoiser with random weights."""
        return Denoiser(self.settings.sizes)

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the loss of a batch drawn with replacement."""
        x = self.split.train.x
        rows = torch.randint(len(x), (self.settings.batch,), generator=generator)
        return self._loss(network, x[rows], generator, device)

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the loss on the digits held out, each with four draws of noise."""
        generator = torch.Generator().manual_seed(0)
        return self._loss(network, self.split.test.x.repeat(4, 1, 1), generator, device)

    def _loss(
        self,
        network: nn.Module,
        x: Float[Tensor, "n 8 8"],
        generator: torch.Generator,
        device: torch.device,
    ) -> Float[Tensor, " 1"]:
        v = log_uniform(len(x), SMALLEST, LARGEST, generator)
        return denoising_loss(network, x.flatten(1), v, SPREAD, generator, device)


class Classifying(Frozen):
    """Data set, images in a step, the largest shift of an image (pixels), the largest noise."""

    data: str
    batch: int = 128
    moved: int = 1
    noise: float = 0.1


class ClassifyingTask:
    """Learn the classes of digits."""

    parts: tuple[str, ...] = ("cross entropy",)

    def __init__(self, settings: Classifying) -> None:
        self.settings = settings
        self.split = split_digits() if settings.data == "digits" else split_mnist()

    def network(self) -> nn.Module:
        """Return a classifier with random weights."""
        return Classifier(self.split.train.x.shape[-1])

    def losses(
        self, network: nn.Module, generator: torch.Generator, device: torch.device
    ) -> Float[Tensor, " 1"]:
        """Return the cross entropy of a batch drawn with replacement, shifted and with noise."""
        x, y = self.split.train
        rows = torch.randint(len(x), (self.settings.batch,), generator=generator)
        clean = self.shifted(x[rows], generator)
        sigma = self.settings.noise * torch.rand(len(rows), 1, 1, generator=generator)
        noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
        return cross_entropy(network(noisy.to(device)), y[rows].to(device))[None]

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the cross entropy on the test images as they are."""
        x, y = self.split.test
        return cross_entropy(network(x.to(device)), y.to(device))[None]

    def shifted(
        self, x: Float[Tensor, "n h w"], generator: torch.Generator
    ) -> Float[Tensor, "n h w"]:
        """Return the images, each shifted by up to `moved` pixels along both axes; black pixels
        come in.
        """
        most, side = self.settings.moved, x.shape[-1]
        down, right = torch.randint(2 * most + 1, (2, len(x)), generator=generator)
        wide = pad(x, (most,) * 4)
        i, j = (shift[:, None] + torch.arange(side) for shift in (down, right))
        return wide[torch.arange(len(x))[:, None, None], i[:, :, None], j[:, None, :]]


def accuracy(network: nn.Module, data: Images) -> float:
    """Return the share of images that the network classifies correctly."""
    device = next(network.parameters()).device
    with torch.no_grad():
        classes = torch.cat(
            [network(block.to(device)).argmax(1).cpu() for block in data.x.split(1000)]
        )
    return float((classes == data.y).double().mean())


PLANS = {
    "digits-score": Plan(steps=24_000, rate=2e-3, average=0.999, decay=0.01),
    "digits-classifier": Plan(steps=3000, rate=2e-3, average=0.99),
    "mnist-classifier": Plan(steps=5000, rate=2e-3, average=0.999),
    "cifar16-score": Plan(steps=10_000, rate=1e-3, average=0.9995),
    "cifar32-score": Plan(steps=60_000, rate=4e-4, average=0.9998, warm=1000),
}
"""How the committed networks were trained, by their names."""


def task(name: str) -> Task:
    """Return what a network of `PLANS` learns."""
    if name == "digits-score":
        return DenoisingTask(Denoising())
    if name in KINDS:
        return ColourTask(Colour(kind=name, bf16=name == "cifar32-score"))
    data = name.removesuffix("-classifier")
    return ClassifyingTask(Classifying(data=data, moved=2 if data == "mnist" else 1))
