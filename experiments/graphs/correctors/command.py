"""One row of the table by itself: a set at a number of score evaluations, every sampler."""

from ams.errors import UserError
from experiments.graphs.correctors import study
from experiments.graphs.correctors.configurations import samplers_of
from experiments.graphs.correctors.study import Common, SamplerRun
from experiments.graphs.correctors.tables import text_of

REAL = 200
"""Real molecules that molecules are compared with."""
BATCHES = (4, 2, 1)
"""Graphs that are coupled by their norms: as many as divide the number of graphs."""


def correct(name: str, evaluations: int, graphs: int, seed: int) -> int:
    """Print the squared MMD of every sampler of a set to real graphs, and return 0.

    Raises UserError for fewer than four graphs and odd evaluations, DataUnavailable, Unavailable, NonFiniteState.
    """
    if graphs < 4 or evaluations < 2 or evaluations % 2:
        raise UserError(
            f"{graphs} graphs, {evaluations} evaluations: at least 4 graphs and evenly many evaluations are needed"
        )
    batch = next(size for size in BATCHES if graphs % size == 0)
    common = Common(name, graphs, batch, REAL if name in study.MOLECULES else 0, seed)
    print(f"{name}: squared MMD after {evaluations} score evaluations, {graphs} graphs, seed {seed}")
    for sampler in samplers_of(name):
        distance = study.row(common, SamplerRun(sampler.name, evaluations, 1)).distance
        print(f"{sampler.name:24} {text_of(distance)}", flush=True)
    return 0
