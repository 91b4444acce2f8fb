"""Sizes of the benchmarks: the defaults are those that the claims' bounds are for."""

from collections.abc import Mapping

from pydantic import PositiveFloat, PositiveInt

from experiments.benchmarks.costs import Pairs, TimingSettings
from verdicts.claims.sizes import Sizes
from verdicts.validation import Frozen


class Large(Frozen):
    """Sizes of T13: a run of `few` steps on `batch` particles in `dimension`, and the `sizes` that
    one of these takes in turn, of which the last `batch` is the claim's. `runs` runs at each size.
    """

    batch: PositiveInt = 100_000
    dimension: PositiveInt = 64
    few: PositiveInt = 10
    sizes: Mapping[str, Sizes] = {
        "batch": (62_500, 88_000, 125_000, 177_000, 250_000, 354_000, 500_000, 707_000, 1_000_000),
        "dimension": (16, 23, 32, 45, 64, 91, 128),
        "steps": (10, 20, 30, 40, 60, 80, 120),
    }
    runs: PositiveInt = 3


class Settings(TimingSettings):
    """Sizes, and numbers of timed pairs or runs, in the order of the claims.

    The particle loop and other libraries (T1, T2): shapes of the state, batch first, with the steps
    of a run of each; many pairs for the loop, since runs are short. The score of a data set (T3):
    points and dimension of MNIST, fewer points to compare the memory with, the batch, the noise
    level. The exact law (T4, T5): distinct directions and timed steps, expected norms that are
    checked; the comparison with particles has directions and steps of its own, and scales the time
    of `particles` of them to as many as reach the relative `error` of the variance. Growth (T6,
    T13): three sizes or more of each quantity. Networks (T10, T12): samples of a batch and score
    evaluations of a run; of T12 also the images whose pixels are compared. Graphs (T7 to T9): a
    batch by data set, steps of a run; graphs of a set, a multiple of 32. Studies (T11): those that
    took at least `least` seconds are looked at every `interval` seconds, each for `seconds`, one
    cell at least.
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

    sizes: Mapping[str, Sizes] = {
        "batch": (128, 192, 256, 384, 512, 768, 1024),
        "dimension": (128, 192, 256, 384, 512, 768, 1024),
        "steps": (100, 200, 400, 800, 1600),
        "points": (4000, 8000, 16000, 32000, 64000),
        "directions": (4096, 8192, 16384, 32768, 65536),
    }
    runs: PositiveInt = 9
    large: Large = Large()

    share_batch: PositiveInt = 256
    share_budget: PositiveInt = 11
    share_runs: Pairs = 11

    network_batch: PositiveInt = 64
    network_pairs: Pairs = 11
    network_budget: PositiveInt = 50
    images: PositiveInt = 32

    graph_batches: Mapping[str, PositiveInt] = {
        "community_small": 128,
        "ego_small": 128,
        "ENZYMES": 32,
    }
    graph_steps: PositiveInt = 4
    graph_pairs: Pairs = 11

    metric_graphs: PositiveInt = 128
    metric_pairs: Pairs = 12

    least: PositiveFloat = 25.0
    seconds: PositiveFloat = 5.0
    interval: PositiveFloat = 0.005
