r"""The denoising loss of a score network: `E sum_pixels (sigma s(x_0 + sigma z) + z)^2`, at given
times.

Without a score (s = 0) it is the number of pixels. The least possible loss is that of the exact
score, `E |x_0 - E[x_0 | x]|^2 / sigma^2`.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.data import images as load
from ams.errors import UserError
from ams.samplers import Score
from ams.schedules import Level
from ams.statistics import Interval, mean_interval
from ams.targets import Empirical, Gaussian
from experiments.images.networks.unet_ve import ExponentialVE, mnist_ve

_BLOCK = 250


def midpoints(count: int) -> tuple[float, ...]:
    """Return the midpoints of equal intervals of (0, 1]: the mean over them is the mean over t."""
    return tuple((k + 0.5) / count for k in range(count))


TIMES = midpoints(10)
"""The times of the command."""


def levels_at(times: Sequence[float]) -> list[Level]:
    """Return the noise levels of the pretrained VE network at these times."""
    process = ExponentialVE()
    return [Level(number, sigma=process.marginal(t)[1], t=t) for number, t in enumerate(times)]


def gaussian(seed: int, shape: tuple[int, ...]) -> Float[Tensor, " n *shape"]:
    """Return standard normal draws as float32, from `numpy.random.default_rng(seed)`, one row of
    pixels an image.
    """
    flat = np.random.default_rng(seed).standard_normal((shape[0], math.prod(shape[1:])))
    return torch.from_numpy(flat.astype(np.float32)).reshape(shape)


def denoising_losses(
    score: Score, x: Float[Tensor, " n *shape"], z: Float[Tensor, " n *shape"], level: Level
) -> Float[Tensor, " n"]:
    """Return `sum (sigma score(r x + sigma z) + z)^2` of each image, float64."""
    losses = []
    for clean, noise in zip(x.split(_BLOCK), z.split(_BLOCK), strict=True):
        error = level.sigma * score(level.scale * clean + level.sigma * noise, level) + noise
        losses.append(error.double().square().flatten(1).sum(1))
    return torch.cat(losses)


def fitted(x: Float[Tensor, " n *shape"]) -> Gaussian:
    """Return the Gaussian with the mean and the covariance of images, in their type."""
    return Gaussian(x.mean(0), x.flatten(1).mT.cov())


KNOWN: Mapping[str, Callable[[Tensor], Empirical | Gaussian]] = {
    "exact": Empirical,
    "gaussian": fitted,
}
"""What distributions images are said to have, whose scores a network's is compared with."""


def losses_per_pixel(
    score: Score, x: Float[Tensor, " n *shape"], sigmas: Sequence[float], repeats: int, seed: int
) -> Float[np.ndarray, "levels n"]:
    """Return the loss of each image at each noise level over its number of pixels, the mean over
    draws of noise.
    """
    z = torch.randn((repeats, *x.shape), generator=torch.Generator().manual_seed(seed))
    levels = [Level(number, sigma=sigma) for number, sigma in enumerate(sigmas)]
    losses = [
        torch.stack([denoising_losses(score, x, noise, level) for noise in z]).mean(0)
        for level in levels
    ]
    return np.asarray(torch.stack(losses) / x[0].numel())


def worst_ratio(
    ours: Float[np.ndarray, "levels n"], theirs: Float[np.ndarray, "levels n"], confidence: float
) -> Interval:
    """Return `L / L'` of two scores at the noise level where the upper end of its interval is
    largest.

    The interval is Student's of the differences, paired by image, in units of the mean of `L'`.
    """
    ratios = []
    for one, other in zip(ours, theirs, strict=True):
        difference, mean = mean_interval(one - other, confidence), float(other.mean())
        value, low, high = (1 + end / mean for end in difference[:3])
        ratios.append(Interval(value, low, high, difference.n))
    return max(ratios, key=lambda interval: interval.high)


def times(text: str) -> list[float]:
    """Return the times of a list like `0.1,0.5`. Raises UserError unless all are in (0, 1]."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(
            f"--t {text!r}: times are numbers with commas between them, as in 0.1,0.5"
        ) from None
    if wrong := [t for t in numbers if not 1e-5 <= t <= 1.0]:
        raise UserError(
            f"--t {text!r}: the network was trained at times from 1e-5 to 1, not {wrong[0]:g}"
        )
    return numbers


def report(weights: str, at: Sequence[float], count: int, seed: int, as_json: bool) -> int:
    """Print the loss of a VE network on the first `count` MNIST test images; returns the exit code,
    0.

    Raises UserError and DataUnavailable as the loaders do, and UserError for a count outside 1 to
    10,000.
    """
    if not 1 <= count <= 10_000 or seed < 0:
        raise UserError(
            f"--images {count}, --seed {seed}: 1 to 10000 images, and a seed "
            "of at least 0, are needed"
        )
    score, x, levels = mnist_ve(weights).score, load("mnist-test").x[:count], levels_at(at)
    z = gaussian(seed, tuple(x.shape))
    losses = [denoising_losses(score, x, z, level).mean().item() for level in levels]
    if as_json:
        sys.stdout.write(json.dumps({"t": list(at), "loss": losses}) + "\n")
        return 0
    lines = [
        f"{level.t:8g} {level.sigma:10.5f} {loss:12.4f}"
        for level, loss in zip(levels, losses, strict=True)
    ]
    heading = (
        f"denoising loss of {weights}, {count} MNIST test images, noise of "
        f"seed {seed} (no score: 784)"
    )
    mean = f"mean over these times: {np.mean(losses):.4f}"
    sys.stdout.write(
        "\n".join([heading, f"{'t':>8} {'sigma':>10} {'loss':>12}", *lines, mean]) + "\n"
    )
    return 0
