"""Classifiers of digits, of our own: what they see before the last layer are the features in which
sets are compared.

Three convolutions (3 x 3; 16, 32, 64 channels; the image is halved twice, MNIST's three times), a
layer of 64 features behind a rectifier, and the ten classes. Trained by `ams train-images`;
accuracy is in the file.
"""

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from experiments.images.networks.loading import fill, stored
from experiments.images.networks.small import WEIGHTS

FEATURES, CLASSES = 64, 10
_CHANNELS = (1, 16, 32, 64)
_STRIDES = {8: (1, 2, 2), 28: (2, 2, 2)}


class Classifier(nn.Module):
    """Logits of the ten classes; `features` gives what the last layer sees."""

    def __init__(self, side: int) -> None:
        super().__init__()
        sizes = zip(_CHANNELS, _CHANNELS[1:], _STRIDES[side], strict=False)
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, stride, 1) for i, o, stride in sizes)
        # the side of the last convolution's output
        last = math.ceil(side / math.prod(_STRIDES[side]))
        self.hidden = nn.Linear(_CHANNELS[-1] * last**2, FEATURES)
        self.last = nn.Linear(FEATURES, CLASSES)

    def features(self, x: Float[Tensor, "batch side side"]) -> Float[Tensor, "batch features"]:
        """Return the features of images with pixels in [0, 1]."""
        h = x[:, None]
        for convolution in self.convolutions:
            h = relu(convolution(h))
        return relu(self.hidden(h.flatten(1)))

    def forward(self, x: Float[Tensor, "batch side side"]) -> Float[Tensor, "batch classes"]:
        """Return the logits."""
        return self.last(self.features(x))


SHA256 = {
    "digits-classifier": "c59b976919a3835c30b118e56c6e4ec49c22cf169474313fccff6da5a319be98",
    "mnist-classifier": "613f04bdaf245eb28935b7b0d023adcebc8cea6e84658f2d43adb5bd223cd854",
}
"""Of the committed files."""
SIDES = {"digits-classifier": 8, "mnist-classifier": 28}


def classifier(name: str) -> Classifier:
    """Return a committed classifier. Raises UserError unless the file's bytes are those
    committed.
    """
    path = WEIGHTS / f"{name}.safetensors"
    network: Classifier = fill(Classifier(SIDES[name]), stored(path, SHA256[name]), str(path))
    return network
