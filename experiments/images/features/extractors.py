"""Features of images, by name and checksum: pixels in [0, 1] in, a row of numbers an image out.

- `digits-classifier`, `mnist-classifier`: 64 features of the suite's own classifiers.
- `efficientnet-lite0`: 1280 features of ImageNet's EfficientNet-Lite0 (Apache-2.0; weights from the
  registry, code from the package `efficientnet-lite-pytorch`), for colour images: resized to 224
  pixels (bilinear), normalised by ImageNet's mean and standard deviation of each channel; the last
  convolution's channels averaged over pixels.
- `pixels`: 192 means over blocks of pixels, which judge nothing and cost nothing, for a rehearsal.
- `inception`: the 2048 features of the published FID, and the classes of the Inception score
  (logits without bias), by `torch-fidelity`, with the weights that it names. Where these or the
  package are missing, what needs them is not run.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from ams.data import WEIGHTS, weights
from ams.data.safe_read import LARGEST, content_of
from ams.errors import DataUnavailable
from experiments.images.networks.classifier import SHA256, classifier
from experiments.images.networks.loading import fill, optional

Images = Float[Tensor, "n *shape"]
UNITS = {"digits-classifier": 8.0, "mnist-classifier": 5.2}
"""The unit of each classifier's features: their root mean square on what it learned from. Then the
inner product x . y / d in the kernel distance is of order one, as it should be.
"""
_BLOCK = 256
_FEW = 8
"""Enlarged images at once: on a processor their features then stay in its cache, and take half
the time.
"""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, a channel
_SIDE = 224


@dataclass(frozen=True)
class Extractor:
    """A map from images to features; `sha256` of its weights; `logits` of the classes, where it
    knows any.

    `block` images are mapped at once.
    """

    name: str
    sha256: str
    features: Callable[[Images], Float[Tensor, "n d"]]
    logits: Callable[[Float[Tensor, "n d"]], Float[Tensor, "n classes"]] | None = None
    block: int = _BLOCK

    @torch.no_grad()
    def __call__(self, x: Images) -> Float[Tensor, "n d"]:
        """Return the features of images, float64 on the CPU."""
        return torch.cat(
            [self.features(block.float()).double().cpu() for block in x.split(self.block)]
        )

    @torch.no_grad()
    def shares(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " classes"]:
        """Return the share of each class that it sees in a set. Raises ValueError for an
        extractor without classes.
        """
        if self.logits is None:
            raise ValueError(f"{self.name} knows no classes")
        logits = self.logits(features.float())
        return torch.bincount(logits.argmax(1), minlength=logits.shape[1]).double() / len(logits)


@cache
def digit_features(name: str = "digits-classifier") -> Extractor:
    """Return a committed classifier's features. Raises UserError unless its file is the
    committed one.
    """
    network, unit = classifier(name), UNITS[name]
    return Extractor(
        name,
        SHA256[name],
        lambda x: network.features(x) / unit,
        lambda rows: network.last(rows * unit),
    )


def efficientnet(device: torch.device | str = "cpu") -> Extractor:
    """Return EfficientNet-Lite0's features. Raises DataUnavailable without its weights or its
    package.
    """
    name = "efficientnet-lite0"
    code = optional(
        "efficientnet_lite_pytorch", "EfficientNet's code is not installed: pip install '.[suite]'"
    )
    network = fill(code.EfficientNet.from_name(name), weights(name), name).to(device)
    mean, deviation = (
        torch.tensor(values, device=device)[:, None, None] for values in (_MEAN, _DEVIATION)
    )

    def features(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        wide = interpolate(x.to(device), (_SIDE, _SIDE), mode="bilinear", antialias=True)
        return network.extract_features((wide - mean) / deviation).mean((2, 3))

    few = _FEW if torch.device(device).type == "cpu" else _BLOCK
    return Extractor(name, WEIGHTS[name].contents, features, network._fc, few)


def pixels() -> Extractor:
    """Return means over 8 x 8 blocks of each channel."""
    return Extractor("pixels", "0" * 64, lambda x: adaptive_avg_pool2d(x, 8).flatten(1))


def inception(device: torch.device | str = "cpu") -> Extractor:
    """Return the 2048 features of the published FID. Raises DataUnavailable where package or
    weights cannot be had.
    """
    module = "torch_fidelity.feature_extractor_inceptionv3"
    code = optional(module, "torch-fidelity is not installed: pip install '.[paper]'")
    file, sha256 = _inception_weights()
    load = code.FeatureExtractorInceptionV3
    network = load("inception", ["2048"], feature_extractor_weights_path=str(file)).to(device)

    def features(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        output: Tensor = network((x.clamp(0, 1) * 255).round().to(torch.uint8).to(device))[0]
        return output

    return Extractor("inception", sha256, features, lambda rows: rows @ network.fc.weight.cpu().T)


def _inception_weights() -> tuple[Path, str]:
    """Return the file of weights in torch's cache, where torch-fidelity leaves it, and its sha256.

    Raises DataUnavailable, and UserError for a file of more bytes than weights have.
    """
    name = "weights-inception-2015-12-05-6726825d.pth"
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not file.is_file():
        address = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{name}"
        raise DataUnavailable(
            f"Inception's weights are not at {file}: put {address} there",
            name,
            f"put {address} at {file}",
        )
    sha256 = hashlib.sha256(content_of(file, LARGEST)).hexdigest()
    if not sha256.startswith("6726825d"):
        raise DataUnavailable(
            f"{file}: sha256 {sha256} does not begin with 6726825d, as its name says: replace it"
        )
    return file, sha256
