"""Whose networks a comparison runs: the authors' where their file can be had, else our own, which the suite holds."""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

from ams.errors import DataUnavailable
from experiments.graphs.bundled_networks import OWN, own_networks
from experiments.graphs.checkpoints import networks
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.runs import Model

Origin: TypeAlias = Literal["own", "authors"]


@cache
def model_of(origin: Origin) -> Model:
    """Return the networks for community_small: ours, or the authors' (ours, and it says so, where they are missing)."""
    if origin == "own":
        return _own("our own")
    setting = PUBLISHED["community_small"]
    try:
        both = networks(setting.checkpoint, setting.averaged)
    except DataUnavailable:
        return _own("our own, as the authors' cannot be had")
    return Model(both, setting.pair, setting.features, "the authors'", published=True)


def _own(title: str) -> Model:
    return Model(own_networks(), OWN.pair, OWN.features, title)
