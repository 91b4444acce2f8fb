"""Our own networks for community_small, which come with the suite: graphs without any download.

Made by `python -m experiments.graphs train --out experiments/graphs/weights/community_small.safetensors`, on graphs of
our own generator; the record of that training lies beside the file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import Split
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.trained import Trained, read_trained
from experiments.graphs.training import digest_of, graphs_of, unseen

FILE = Path(__file__).with_name("weights") / "community_small.safetensors"
SHA256 = "c5cb6e376e7508142f99c04caff67797fc50e0339637fd28879a229c271164c2"
"""Of the file: another one is refused, and results of this one are stale once it changes."""

OWN = PUBLISHED["community_small"]._replace(checkpoint="own community_small", averaged=True)
"""The published setting of community_small, of which the training takes processes and features; ours are averages."""
TESTED = 100
"""Graphs of the test set: their number costs nothing, so it is five times the published one."""


@cache
def trained() -> Trained:
    """Return the networks and their origin. Raises UserError for a file that is not the committed one."""
    return read_trained(FILE, SHA256)


def own_networks() -> Networks:
    """Return both networks. Raises as `trained`."""
    return trained().networks


def own_split(tested: int = TESTED) -> Split:
    """Return graphs that the networks have not seen, and those that they were trained on. Raises as `trained`.

    Numbers of nodes of generated graphs are drawn from the second: `data.sizes(own_split().train, count, seed)`.
    """
    recipe = trained().origin.recipe
    return Split(unseen(recipe, tested), graphs_of(recipe))


def same_graphs() -> bool:
    """Return whether the generator still makes the graphs that the networks were trained on. Raises as `trained`."""
    origin = trained().origin
    return digest_of(graphs_of(origin.recipe)) == origin.data
