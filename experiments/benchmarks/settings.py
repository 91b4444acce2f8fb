"""Sizes of the benchmarks: the defaults are those that the claims' bounds are for."""

from collections.abc import Mapping

from pydantic import PositiveInt

from experiments.benchmarks.costs import Pairs, TimingSettings
from verdicts.claims.sizes import Sizes


class Settings(TimingSettings):
    """Sizes, and numbers of timed pairs or runs, in the order of the claims.

    The particle loop and other libraries (T1, T2): shapes of the state, batch first, with the steps
    of a run of each; many pairs for the loop, since runs are short. The score of a data set (T3):
    points and dimension of MNIST, fewer points to compare the memory with, the batch, the noise
    level. The exact law (T4, T5): distinct directions and timed steps, expected norms that are
    checked; the comparison with particles has directions and steps of its own, and scales the time
    of `particles` of them to as many as reach the relative `error` of the variance. Networks (T10):
    samples of a batch and score evaluations of a run. Graphs (T7, T9): a batch by data set, steps
    of a run; graphs of a set, a multiple of 32.
    """

    image: Sizes = (64, 3, 32, 32)
    point: Sizes = (64, 2)
    image_steps: PositiveInt = 20
    point_steps: PositiveInt = 200
    loop_pairs: Pairs = 201
    library_pairs: Pairs = 31

    points: PositiveInt = 60_000
    fewer_points: PositiveInt = 20_000
    dimension: PositiveInt = 784
    score_batch: PositiveInt = 256
    sigma: float = 1.0
    score_pairs: Pairs = 25

    directions: PositiveInt = 4096
    law_steps: Pairs = 25
    norms: PositiveInt = 4
    compared_directions: PositiveInt = 64
    compared_steps: PositiveInt = 10
    particles: PositiveInt = 4096
    error: float = 1e-3
    law_pairs: Pairs = 31

    share_batch: PositiveInt = 256
    share_budget: PositiveInt = 11
    share_runs: Pairs = 11

    graph_batches: Mapping[str, PositiveInt] = {
        "community_small": 128,
        "ego_small": 128,
        "ENZYMES": 32,
    }
    graph_steps: PositiveInt = 4
    graph_pairs: Pairs = 11

    metric_graphs: PositiveInt = 128
    metric_pairs: Pairs = 12
