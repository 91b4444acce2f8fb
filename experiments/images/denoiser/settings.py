"""Sizes of the runs with the DDPM network: those of the VE network's runs, for three samplers."""

from experiments.images.pretrained import settings as pretrained
from experiments.images.pretrained.samplers import ANCESTRAL, BASELINE, PAPER


class Settings(pretrained.Settings):
    """The VE network's settings, with the other network and the samplers that I11 compares, at `side` evaluations."""

    weights: str = "mnist-ddpm"
    samplers: tuple[str, ...] = (BASELINE, PAPER, ANCESTRAL)
    others: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
