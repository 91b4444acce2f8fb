"""What the group computes once: each sampler's graphs by seed, their distances from the
distribution, differences.

The distribution of community_small is known (module `data`), so the reference is fresh graphs. All
samplers start from the same noise and meet the same noise step by step, so differences are paired.
Distances are unbiased squared MMDs, the mean of degree, clustering and orbit; their bootstrap
intervals resample both sets.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from ams.data import Graph
from ams.statistics import Interval
from experiments.graphs import bundled_networks, discrepancy
from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import community_small, from_graph6, to_graph6, trimmed
from experiments.graphs.graph_comparison.presets import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    ADAPTIVE_LESS,
    LANGEVIN,
    LANGEVIN_LESS,
    PREDICTOR,
    SAMPLERS,
)
from experiments.graphs.graph_comparison.sampling import SETTING, Batches, sampled
from experiments.graphs.graph_comparison.settings import Settings
from experiments.graphs.intervals import stretched
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from verdicts.studies import Cell, cell

CHECKPOINT = SETTING.checkpoint


class SteppedRun(NamedTuple):
    """A sampler, its number of steps, and the number of its seeds."""

    sampler: str
    steps: int
    seeds: int


class Common(NamedTuple):
    """What all runs of a comparison share, as in `Settings`."""

    networks: str
    graphs: int
    batch: int
    snr: float
    scale_eps: float
    seed: int


class SampledGraphs(NamedTuple):
    """The graphs of one seed in graph6, isolated nodes included, and the residual variance of
    each.
    """

    graph6: list[str]
    residual_variances: list[float]

    def graphs(self) -> list[Graph]:
        """Return the graphs, isolated nodes included."""
        return [from_graph6(line) for line in self.graph6]


@cell(data=(CHECKPOINT,))
def outcome(common: Common, sampler: str, steps: int, number: int) -> SampledGraphs:
    """A sampler's graphs of one seed; their numbers of nodes are those of fresh graphs."""
    sizes = [graph.nodes for graph in fresh_graphs(common.seed, 1 + number, common.graphs)]
    batches = Batches(sizes, common.batch, common.seed + number)
    both = networks_of(common.networks)
    graphs, variances = sampled(
        both, SAMPLERS[sampler], steps, common.snr, common.scale_eps, batches
    )
    return SampledGraphs([to_graph6(graph) for graph in graphs], variances.tolist())


@cell(data=(CHECKPOINT,))
def distance(common: Common, run: SteppedRun, reference: int) -> Interval:
    """The squared MMD of a run's graphs and of `reference` fresh graphs."""
    return _to_fresh(
        [graph for listed in trimmed_graphs(common, run) for graph in listed],
        reference,
        common.seed,
    )


@cell
def floor(seed: int, count: int, reference: int) -> Interval:
    """The squared MMD of `count` fresh graphs, as if they were generated, and of `reference`
    other fresh graphs.
    """
    return _to_fresh(fresh_graphs(seed, 1000, count), reference, seed)


def _to_fresh(graphs: Sequence[Graph], reference: int, seed: int) -> Interval:
    k = discrepancy.mean_kernel(STATISTICS, [*fresh_graphs(seed, 0, reference), *graphs])
    return discrepancy.unbiased_mmd(k, reference, seed)


@cell(data=(CHECKPOINT,))
def difference(
    common: Common, nearer: SteppedRun, farther: SteppedRun, reference: int
) -> discrepancy.Difference:
    """How much nearer to `reference` fresh graphs one run is than another, by the seeds of both.

    A batch is a unit of the interval, which is lengthened for few units.
    """
    seeds = min(nearer.seeds, farther.seeds)
    one, other = (trimmed_graphs(common, run)[:seeds] for run in (nearer, farther))
    fresh = fresh_graphs(common.seed, 0, reference)
    estimate = discrepancy.difference(fresh, one, other, common.seed, STATISTICS, common.batch)
    return estimate._replace(interval=stretched(estimate.interval))


def networks_of(owner: str) -> Networks:
    """Return the networks for community_small, "authors" or "bundled". Raises DataUnavailable."""
    return bundled_networks.own_networks() if owner == "bundled" else SETTING.networks()


def fresh_graphs(seed: int, stream: int, count: int) -> list[Graph]:
    """Return `count` graphs of the distribution of community_small; streams are independent."""
    return community_small(count, int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]))


def outcomes_of(common: Common, run: SteppedRun) -> list[SampledGraphs]:
    """Return a run's outcome for each seed."""
    return [outcome(common, run.sampler, run.steps, number) for number in range(run.seeds)]


def trimmed_graphs(common: Common, run: SteppedRun) -> list[list[Graph]]:
    """Return a run's graphs for each seed, without isolated nodes."""
    return [[trimmed(graph) for graph in outcome.graphs()] for outcome in outcomes_of(common, run)]


def common_of(settings: Settings) -> Common:
    """Return what all runs share."""
    return Common(
        settings.networks,
        settings.graphs,
        settings.batch,
        settings.snr,
        settings.scale_eps,
        settings.seed,
    )


def run_of(settings: Settings, sampler: str, times: int = 1) -> SteppedRun:
    """Return a sampler's run in `times` the fewest steps."""
    return _run(settings, sampler, times * min(settings.steps))


def _run(settings: Settings, name: str, steps: int) -> SteppedRun:
    return SteppedRun(
        name, steps, settings.more if steps == min(settings.steps) else settings.seeds
    )


def shown(settings: Settings) -> list[SteppedRun]:
    """Return the runs of figures and tables: every sampler at every number of steps; those of
    `once` in the fewest.

    The predictor runs in twice as many too, where it takes as many evaluations as the others.
    """
    wanted = {(name, steps) for name in settings.samplers for steps in settings.steps}
    wanted |= {(name, min(settings.steps)) for name in settings.once}
    wanted |= {
        (PREDICTOR.name, 2 * steps) for name, steps in list(wanted) if name == PREDICTOR.name
    }
    return [
        _run(settings, *run)
        for run in sorted(wanted, key=lambda run: (list(SAMPLERS).index(run[0]), run[1]))
    ]


def against_langevin(settings: Settings) -> list[tuple[SteppedRun, SteppedRun]]:
    """Return each run of the table of differences, and Langevin's in as many steps."""
    others = [name for name in (*settings.samplers, *settings.once) if name != LANGEVIN.name]
    steps = {
        name: settings.steps if name in settings.samplers else (min(settings.steps),)
        for name in others
    }
    pairs = [(name, number) for name in others for number in steps[name]]
    return [(_run(settings, *pair), _run(settings, LANGEVIN.name, pair[1])) for pair in pairs]


def compared(settings: Settings) -> list[tuple[SteppedRun, SteppedRun]]:
    """Return the pairs that claims compare in the fewest steps, beside those of the table of
    differences.

    Adaptive momentum meets Langevin with twice as many evaluations, and momentum in both states;
    with less noise it meets Langevin with the published and with as little noise. The claims are
    about the authors' networks, so there are none where the settings ask for others.
    """
    others = [(LANGEVIN, 2), (ADAPTIVE_IN_BOTH, 1)]
    ours, less = (run_of(settings, sampler.name) for sampler in (ADAPTIVE, ADAPTIVE_LESS))
    pairs = [(ours, run_of(settings, sampler.name, times)) for sampler, times in others]
    pairs += [(less, run_of(settings, sampler.name)) for sampler in (LANGEVIN, LANGEVIN_LESS)]
    return pairs if settings.networks == "authors" else []


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures, tables and the notebook read."""
    common, reference, pairs = common_of(settings), settings.reference, compared(settings)
    for run in dict.fromkeys([*shown(settings), *chain.from_iterable(pairs)]):
        yield from (
            outcome.cell(common, run.sampler, run.steps, number) for number in range(run.seeds)
        )
    yield floor.cell(settings.seed, settings.more * settings.graphs, reference)
    yield from (distance.cell(common, run, reference) for run in shown(settings))
    yield from (
        difference.cell(common, *pair, reference)
        for pair in dict.fromkeys([*against_langevin(settings), *pairs])
    )
