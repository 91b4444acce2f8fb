"""Score networks of images behind one face, `NetworkScore.score(x, level)`: pretrained ones, loaded strictly."""

from experiments.images.networks.ddpm import ddpm, fashion_ddpm, mnist_ddpm
from experiments.images.networks.score_adapter import NetworkScore, NoisePredictor
from experiments.images.networks.unet_ve import T_END, ExponentialVE, mnist_ve

__all__ = [
    "T_END",
    "ExponentialVE",
    "NetworkScore",
    "NoisePredictor",
    "ddpm",
    "fashion_ddpm",
    "mnist_ddpm",
    "mnist_ve",
]
