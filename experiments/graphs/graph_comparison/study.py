"""What the group computes once: each sampler's graphs by seed, their distances from the distribution, differences.

The distribution of community_small is known (module `data`), so the reference is fresh graphs. All samplers start from
the same noise and meet the same noise step by step, so differences are paired. Distances are unbiased squared MMDs, the
mean of degree, clustering and orbit; their bootstrap intervals resample both sets.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ams.data import Graph, fetch
from ams.errors import DataUnavailable
from ams.statistics import Interval
from experiments.graphs import bundled_networks, checkpoints, discrepancy
from experiments.graphs.data import community_small, trimmed
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph6 import from_graph6, to_graph6
from experiments.graphs.graph_comparison.presets import ADAPTIVE, ADAPTIVE_IN_BOTH, LANGEVIN, PREDICTOR, SAMPLERS
from experiments.graphs.graph_comparison.sampling import Batches, Model, sampled
from experiments.graphs.graph_comparison.settings import Settings
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from verdicts.studies import Cell, cell

CHECKPOINT = PUBLISHED["community_small"].checkpoint
CONFIDENCE = 0.95
"""Of distances, whose intervals are long: a run makes few graphs."""

Run = tuple[str, int]
"""A sampler and its number of steps."""


class Common(NamedTuple):
    """What all runs of a comparison share.

    `networks` are "authors" or "bundled". A seed makes `graphs` graphs, with norms averaged over batches of `batch`;
    seeds count from `seed` on. `snr` and `scale_eps` are the corrector's signal-to-noise ratio and noise scale.
    """

    networks: str
    graphs: int
    batch: int
    snr: float
    scale_eps: float
    seed: int


class Outcome(NamedTuple):
    """The graphs of one seed in graph6, isolated nodes included, and the residual variance of each."""

    graph6: list[str]
    residual_variances: list[float]

    def graphs(self) -> list[Graph]:
        """Return the graphs, isolated nodes included."""
        return [from_graph6(line) for line in self.graph6]


@cell(data=(CHECKPOINT,))
def outcome(common: Common, sampler: str, steps: int, number: int) -> Outcome:
    """A sampler's graphs of one seed; their numbers of nodes are those of fresh graphs."""
    sizes = [graph.nodes for graph in fresh_graphs(common.seed, 1 + number, common.graphs)]
    batches = Batches(sizes, common.batch, common.seed + number)
    model = model_of(common.networks)
    graphs, variances = sampled(model, SAMPLERS[sampler], steps, common.snr, common.scale_eps, batches)
    return Outcome([to_graph6(graph) for graph in graphs], variances.tolist())


@cell(data=(CHECKPOINT,))
def distance(common: Common, run: Run, seeds: int, reference: int) -> Interval:
    """The squared MMD of a run's graphs of some seeds and of `reference` fresh graphs."""
    graphs = [graph for listed in trimmed_graphs(common, run, seeds) for graph in listed]
    return discrepancy.unbiased_mmd(STATISTICS, fresh_graphs(common.seed, 0, reference), graphs, common.seed)


@cell
def floor(seed: int, count: int, reference: int) -> Interval:
    """The squared MMD of `count` fresh graphs, as if they were generated, and of `reference` other fresh graphs."""
    graphs = fresh_graphs(seed, 1000, count)
    return discrepancy.unbiased_mmd(STATISTICS, fresh_graphs(seed, 0, reference), graphs, seed)


@cell(data=(CHECKPOINT,))
def difference(common: Common, nearer: Run, farther: Run, seeds: int, reference: int) -> discrepancy.Difference:
    """How much nearer to `reference` fresh graphs one run is than another, of some seeds; a batch is one unit."""
    one, other = (trimmed_graphs(common, run, seeds) for run in (nearer, farther))
    fresh = fresh_graphs(common.seed, 0, reference)
    return discrepancy.difference(fresh, one, other, common.seed, STATISTICS, CONFIDENCE, common.batch)


def model_of(networks: str) -> Model:
    """Return "authors" or "bundled" networks for community_small. Raises DataUnavailable."""
    setting = PUBLISHED["community_small"]
    if networks == "bundled":
        return Model(bundled_networks.own_networks(), setting.pair, setting.features)
    return Model(checkpoints.networks(CHECKPOINT, setting.averaged), setting.pair, setting.features)


def fresh_graphs(seed: int, stream: int, count: int) -> list[Graph]:
    """Return `count` graphs of the distribution of community_small; streams are independent."""
    return community_small(count, int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]))


def trimmed_graphs(common: Common, run: Run, seeds: int) -> list[list[Graph]]:
    """Return a run's graphs for each seed, without isolated nodes."""
    return [[trimmed(graph) for graph in outcome(common, *run, number).graphs()] for number in range(seeds)]


def common_of(settings: Settings) -> Common:
    """Return what all runs share; the bundled networks stand in where the authors' file cannot be had."""
    networks = settings.networks
    if networks == "authors":
        try:
            fetch(CHECKPOINT)
        except DataUnavailable:
            networks = "bundled"
    return Common(networks, settings.graphs, settings.batch, settings.snr, settings.scale_eps, settings.seed)


def seeds_of(settings: Settings, *runs: Run) -> int:
    """Return the number of seeds that all of these runs have."""
    return min(settings.more if steps == min(settings.steps) else settings.seeds for _, steps in runs)


def shown(settings: Settings) -> list[Run]:
    """Return the runs of figures and tables: every sampler at every number of steps, the predictor at the doubles too.

    The samplers of `once` run in the fewest steps alone.
    """
    runs = {(name, steps) for name in settings.samplers for steps in settings.steps}
    runs |= {(name, min(settings.steps)) for name in settings.once}
    runs |= {(PREDICTOR.name, 2 * steps) for steps in settings.steps}
    return sorted(runs, key=lambda run: (list(SAMPLERS).index(run[0]), run[1]))


def against_langevin(settings: Settings) -> list[Run]:
    """Return the runs that the table of differences compares with Langevin in as many steps."""
    others = [name for name in (*settings.samplers, *settings.once) if name != LANGEVIN.name]
    steps = {name: settings.steps if name in settings.samplers else (min(settings.steps),) for name in others}
    return [(name, number) for name in others for number in steps[name]]


def against_adaptive(settings: Settings) -> list[Run]:
    """Return the runs that claims compare with adaptive momentum in the fewest steps, beside Langevin in as many.

    These are the predictor alone with as many evaluations, Langevin with twice as many, and momentum in both states.
    The claims are about the authors' networks, so none is returned where the settings ask for others.
    """
    steps = min(settings.steps)
    runs = [(PREDICTOR.name, 2 * steps), (LANGEVIN.name, 2 * steps), (ADAPTIVE_IN_BOTH.name, steps)]
    return runs if settings.networks == "authors" else []


def pairs(settings: Settings) -> Iterator[tuple[Run, Run]]:
    """Yield the pairs of runs whose differences claims and tables read."""
    yield from ((run, (LANGEVIN.name, run[1])) for run in against_langevin(settings))
    yield from (((ADAPTIVE.name, min(settings.steps)), run) for run in against_adaptive(settings))


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures, tables and the notebook read."""
    common, reference = common_of(settings), settings.reference
    for run in dict.fromkeys([*shown(settings), *against_adaptive(settings)]):
        yield from (outcome.cell(common, *run, number) for number in range(seeds_of(settings, run)))
    yield floor.cell(settings.seed, settings.more * settings.graphs, reference)
    yield from (distance.cell(common, run, seeds_of(settings, run), reference) for run in shown(settings))
    yield from (difference.cell(common, *two, seeds_of(settings, *two), reference) for two in pairs(settings))
