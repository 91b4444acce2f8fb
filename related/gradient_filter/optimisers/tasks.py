r"""What the optimisers minimise: a noisy quadratic, digits by a small network, MNIST by the suite's own, digits' score.

Each has a network, the loss of a batch, and a loss that is read but not learned (`experiments.training.HeldOut`).
The quadratic is `sum_i lam_i x_i^2 / 2` in `DIMENSION` dimensions, lam from .01 to 1 evenly in the logarithm, start
N(0, 1), gradient `lam_i x_i + .1 z`. What is read of it is the exact mean of `lam_i x_i^2 / 2`.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ams.data import Images
from experiments.images.tasks import Classifying, ClassifyingTask

DIMENSION, NOISE = 100, 0.1
LEARNED, READ = 10_000, 1000
"""Images of MNIST to learn from, and those on which the loss is read."""


class QuadraticTask:
    """Find the minimum of the noisy quadratic."""

    def __init__(self) -> None:
        self.eigenvalues = torch.logspace(-2, 0, DIMENSION)

    def network(self) -> nn.Module:
        """Return the start, a parameter x."""
        return nn.ParameterDict({"x": torch.randn(DIMENSION)})

    def losses(self, network: nn.Module, generator: torch.Generator, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the loss, with the draw of noise whose gradient it adds."""
        x, z = network.get_parameter("x"), torch.randn(DIMENSION, generator=generator)
        return (self.eigenvalues * x.square() / 2 + NOISE * z * x).sum()[None]

    def held_out(self, network: nn.Module, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the mean of `lam_i x_i^2 / 2`."""
        return (self.eigenvalues * network.get_parameter("x").square() / 2).mean()[None]


class PlainClassifyingTask(ClassifyingTask):
    """Learn the classes of images as they are: neither noise nor shifts."""

    def __init__(self, data: str, batch: int) -> None:
        super().__init__(Classifying(data=data, batch=batch, moved=0, noise=0.0))

    def losses(self, network: nn.Module, generator: torch.Generator, device: torch.device) -> Float[Tensor, " 1"]:
        """Return the cross entropy of a batch drawn with replacement."""
        x, y = self.split.train
        rows = torch.randint(len(x), (self.settings.batch,), generator=generator)
        return cross_entropy(network(x[rows].to(device)), y[rows].to(device))[None]


class DigitsTask(PlainClassifyingTask):
    """Learn the classes of digits with a perceptron."""

    def __init__(self) -> None:
        super().__init__("digits", 64)

    def network(self) -> nn.Module:
        """Return random weights of the classes' logits: one layer of 64 features behind a rectifier."""
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


class MnistTask(PlainClassifyingTask):
    """Learn the classes of MNIST's first 10,000 images; the loss is read on the first 1000 test images."""

    def __init__(self) -> None:
        super().__init__("mnist", 128)
        train, test = self.split
        self.split = self.split._replace(train=_first(train, LEARNED), test=_first(test, READ))


def _first(images: Images, count: int) -> Images:
    return Images(images.x[:count], images.y[:count])
