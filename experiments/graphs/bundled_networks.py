"""The networks for community_small that come with the suite: graphs without any download.

Made by `ams train-graphs --out experiments/graphs/weights/community_small.safetensors`, on graphs
of our own generator. The record of that training lies beside the file.
"""

from functools import cache
from pathlib import Path

from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import Split
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.trained import Trained, read_trained
from experiments.graphs.training import graphs_of, unseen

FILE = Path(__file__).with_name("weights") / "community_small.safetensors"
SHA256 = "c5cb6e376e7508142f99c04caff67797fc50e0339637fd28879a229c271164c2"
"""Of the file: another file is refused, and results become stale when it changes."""

OWN = PUBLISHED["community_small"]._replace(checkpoint="own community_small", averaged=True)
"""The published setting of community_small: the training takes its processes and features; the
weights are averages.
"""


@cache
def trained() -> Trained:
    """Return the networks and their origin. Raises UserError for another file than the committed
    one.
    """
    return read_trained(FILE, SHA256)


def own_networks() -> Networks:
    """Return both networks. Raises as `trained`."""
    return trained().networks


def own_split() -> Split:
    """Return a hundred graphs that the networks have not seen, and those that they were trained on.

    Numbers of nodes of generated graphs are drawn from the second: `data.sizes(own_split().train,
    count, seed)`.
    """
    recipe = trained().origin.recipe
    return Split(unseen(recipe, 100), graphs_of(recipe))
