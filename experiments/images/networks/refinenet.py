r"""NCSN and NCSNv2 from their authors' checkpoints: a RefineNet, computed from its tensors by their
published names.

    res1 ... res5   stages of two residual blocks; the first block of a stage halves the resolution
                    (a mean over 2 x 2 pixels) or, in the last stages, dilates its convolutions
                    instead (2, then 4)
    refine1 ...     from the last stage to the first: the features so far are added to a stage's
                    own, then passed through two pooled branches
    normalizer      an instance norm that keeps the means of channels, relative to their spread

NCSN's norms have a row of parameters for each of its noise levels, `network(x, label)`; NCSNv2 has
none and divides by sigma at the end, so it may be asked at any noise level. Names tell which of the
networks a file holds: NCSN, NCSNv2 (four stages), its deeper (five) and deepest (six) form. A
checkpoint is a list: the network's tensors, and for NCSNv2 their moving averages last. Sources:
Song and Ermon, arXiv 1907.05600 and arXiv 2006.09011.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, elu, instance_norm, interpolate, max_pool2d

from ams.errors import UserError
from experiments.images.networks.score_adapter import NetworkScore

NCSN_SIGMAS = (1.0, 0.01)
"""NCSN's first and last noise level, in all of its configurations; its files do not hold them."""
Features = Float[Tensor, "batch channels h w"]


class RefineNet:
    """The network of these tensors: `network(x, label)` for pixels in [0, 1], before any division
    by sigma.

    `used` collects the names that a pass has read.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors, self.used = tensors, set[str]()
        self.stages = [
            name
            for name in ("1", "2", "3", "31", "4", "5")
            if f"res{name}.0.conv1.weight" in tensors
        ]
        self.refined = [name for name in ("1", "2", "31", "3", "4", "5") if name in self.stages]
        self.levels = (
            len(tensors["normalizer.embed.weight"]) if "normalizer.embed.weight" in tensors else 0
        )

    def __call__(self, x: Features, label: int = 0) -> Features:
        """Return the network's output. Raises KeyError, RuntimeError where tensors lack or do not
        fit.
        """
        self.label = label
        kept = [self._convolved("begin_conv", 2 * x - 1)]
        for name, dilation in zip(self.stages, [1] * (len(self.stages) - 2) + [2, 4], strict=True):
            kept.append(
                self._block(
                    f"res{name}.1", self._block(f"res{name}.0", kept[-1], dilation), dilation
                )
            )
        h = None
        for name, features in zip(self.refined, kept[:0:-1], strict=True):
            given = [features] if h is None else [features, h]
            h = self._refine(f"refine{name}", given, name == self.refined[-1])
        assert h is not None
        return self._convolved("end_conv", elu(self._normed("normalizer", h)))

    def _tensor(self, name: str) -> Tensor:
        self.used.add(name)
        return self.tensors[name]

    def _convolved(self, name: str, x: Features, dilation: int = 1) -> Features:
        weight = self._tensor(f"{name}.weight")
        bias = self._tensor(f"{name}.bias") if f"{name}.bias" in self.tensors else None
        return conv2d(
            x, weight, bias, padding=dilation * (weight.shape[-1] // 2), dilation=dilation
        )

    def _normed(self, name: str, x: Features) -> Features:
        if self.levels:
            gamma, alpha, beta = self._tensor(f"{name}.embed.weight")[self.label].chunk(3)
        else:
            gamma, alpha, beta = (
                self._tensor(f"{name}.{part}") for part in ("gamma", "alpha", "beta")
            )
        means = x.mean((2, 3))
        centred = means - means.mean(1, keepdim=True)
        spread = centred / (means.var(1, keepdim=True) + 1e-5).sqrt()
        return (
            gamma[:, None, None] * (instance_norm(x) + (spread * alpha)[..., None, None])
            + beta[:, None, None]
        )

    def _block(self, name: str, x: Features, dilation: int) -> Features:
        pooled = f"{name}.conv2.conv.weight" in self.tensors
        inner = ".conv" if pooled else ""
        h = self._convolved(f"{name}.conv1", elu(self._normed(f"{name}.normalize1", x)), dilation)
        h = self._convolved(
            f"{name}.conv2{inner}", elu(self._normed(f"{name}.normalize2", h)), dilation
        )
        if f"{name}.shortcut{inner}.weight" in self.tensors:
            x = self._convolved(f"{name}.shortcut{inner}", x, dilation)
        return avg_pool2d(x + h, 2) if pooled else x + h

    def _units(self, name: str, x: Features, count: int) -> Features:
        for unit in range(1, count + 1):
            h = x
            for stage in (1, 2):
                place = f"{name}.{unit}_{stage}"
                h = self._convolved(
                    f"{place}_conv", elu(self._normed(f"{place}_norm", h) if self.levels else h)
                )
            x = x + h
        return x

    def _refine(self, name: str, given: Sequence[Features], last: bool) -> Features:
        parts = [
            self._units(f"{name}.adapt_convs.{number}", x, 2) for number, x in enumerate(given)
        ]
        h = parts[0] if len(parts) == 1 else self._summed(f"{name}.msf", parts)
        path = h = elu(h)
        for number in (0, 1):
            if self.levels:
                pooled = avg_pool2d(
                    self._normed(f"{name}.crp.norms.{number}", path), 5, stride=1, padding=2
                )
            else:
                pooled = max_pool2d(path, 5, stride=1, padding=2)
            path = self._convolved(f"{name}.crp.convs.{number}", pooled)
            h = h + path
        return self._units(f"{name}.output_convs", h, 3 if last else 1)

    def _summed(self, name: str, parts: Sequence[Features]) -> Features:
        """Return the parts, convolved and brought to the first one's resolution, added."""
        total: Any = 0
        for number, x in enumerate(parts):
            given = self._normed(f"{name}.norms.{number}", x) if self.levels else x
            h = self._convolved(f"{name}.convs.{number}", given)
            total = total + interpolate(h, parts[0].shape[2:], mode="bilinear", align_corners=True)
        return total


def refinenet(
    states: Sequence[Any], where: str, side: int, device: torch.device | str = "cpu"
) -> NetworkScore:
    """Return the score of a checkpoint's network, by its averaged tensors where it holds them.

    NCSN is asked at its noise level that is nearest in ln sigma. Raises UserError, one line that
    names `where`.
    """
    held = states[-1] if len(states) > 4 else states[0]
    if not isinstance(held, Mapping) or not all(
        isinstance(tensor, Tensor) for tensor in held.values()
    ):
        raise UserError(
            f"{where}: no checkpoint of NCSN or NCSNv2, a list that begins with the "
            "network's tensors"
        )
    # they have no average
    buffers = {name: tensor for name, tensor in states[0].items() if name.endswith("sigmas")}
    tensors = {
        str(name).removeprefix("module."): tensor.to(device)
        for name, tensor in {**buffers, **held}.items()
    }
    ends = tensors.pop("sigmas", torch.tensor(NCSN_SIGMAS)).sort().values
    network = RefineNet(tensors)
    try:
        shape = (tensors["end_conv.weight"].shape[0], side, side)
        network(torch.zeros(1, *shape, device=device))  # shows whether its tensors fit together
    except (KeyError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{where}: not the weights of NCSN or NCSNv2: {str(error).splitlines()[0]}"
        ) from None
    if unknown := sorted(tensors.keys() - network.used):
        raise UserError(
            f"{where}: unknown tensors {', '.join(unknown[:4])} ({len(unknown)} in all)"
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise UserError(f"{where}: it holds numbers that are not finite")
    smallest, largest = float(ends[0]), float(ends[-1])

    def noise(y: Tensor, sigma: float) -> Tensor:
        x = y.to(device)
        if not network.levels:
            return network(x).neg_().to(y.device)
        label = math.log(largest / sigma) / math.log(largest / smallest) * (network.levels - 1)
        return network(x, round(label)).mul_(-sigma).to(y.device)

    return NetworkScore(noise, shape, smallest, largest)
