"""V4 to V9: what the corrector changes on graphs, by squared MMD and by the residual variance of
the adjacency.
"""

from collections.abc import Callable, Sequence
from statistics import fmean

import torch
from jaxtyping import Float
from pydantic import JsonValue
from torch import Tensor

from ams.data.files import PUT
from ams.data.registry import ENTRIES
from ams.statistics import Interval, mean_interval
from experiments.graphs.discrepancy import Difference
from experiments.graphs.gdss_tables.study import ROWS
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_comparison import study
from experiments.graphs.graph_comparison.presets import ADAPTIVE, ADAPTIVE_IN_BOTH, LANGEVIN
from experiments.graphs.graph_comparison.sampling import OBSERVED, residual_variances
from experiments.graphs.graph_comparison.settings import Settings
from experiments.graphs.graph_comparison.study import SampledGraphs, SteppedRun, run_of
from experiments.graphs.graph_layout import Layout
from experiments.graphs.intervals import half_length, over_seeds
from experiments.graphs.training import Example
from verdicts import Measurement, Unavailable

ROW = fmean(ROWS["community_small"])
"""The mean of degree, clustering and orbit in GDSS's published row of community_small: 0.046."""
MARGIN = 0.02
"""By how much adaptive momentum may exceed Langevin's squared MMD and be competitive (V5)."""
TITLES = {"authors": "the authors'", "bundled": "the bundled"}
"""Whose networks a run is of."""
PerGraph = Callable[..., Float[Tensor, " graphs"]]
"""A number for each graph, from the outcomes of one or several runs with one seed."""


def title_of(settings: Settings) -> str:
    """Return whose networks the runs are of."""
    return TITLES[settings.networks]


def measured(
    settings: Settings, interval: Interval, seeds: int, **detail: JsonValue
) -> Measurement:
    """Return an interval over the first `seeds` seeds as a measurement that names the networks."""
    return over_seeds(interval, settings.seed, seeds, networks=title_of(settings), **detail)


def mmd_difference(settings: Settings, nearer: SteppedRun, farther: SteppedRun) -> Difference:
    """Return the squared MMD of the second run less that of the first: positive if the first is
    nearer.
    """
    return study.difference(study.common_of(settings), nearer, farther, settings.reference)


def _measured_difference(
    settings: Settings, nearer: SteppedRun, farther: SteppedRun, **detail: JsonValue
) -> Measurement:
    difference = mmd_difference(settings, nearer, farther)
    each: JsonValue = [round(value, 4) for value in difference.seeds]
    about: dict[str, JsonValue] = {
        "each seed": each,
        "larger than noise": difference.resolved,
        **detail,
    }
    return measured(
        settings, difference.interval, len(difference.seeds), steps=nearer.steps, **about
    )


def against_adaptive(
    settings: Settings, sampler: str, times: int = 1, adaptive: str = ADAPTIVE.name
) -> Measurement:
    """Return the squared MMD of a sampler in `times` the fewest steps less that of adaptive
    momentum in the fewest.
    """
    return _measured_difference(
        settings, run_of(settings, adaptive), run_of(settings, sampler, times)
    )


def refuse_other_networks(settings: Settings) -> None:
    """Raise Unavailable unless the networks are the authors': V5 and V9 are claims about those
    alone.
    """
    if settings.networks != "authors":
        reason = (
            f"a claim about the authors' networks alone: their file {study.CHECKPOINT} is not here"
        )
        raise Unavailable(reason, ENTRIES[study.CHECKPOINT].files[0].path, PUT)


def least_mmd_of_langevin_less_adaptive(settings: Settings) -> Measurement:
    """Measure the squared MMD of Langevin less that of adaptive momentum in as many steps, where it
    is least.

    It is a share of GDSS's published row: of the mean of its three squared MMDs. Adaptive momentum
    is that of the authors' code. Raises Unavailable for other networks than the authors'.
    """
    refuse_other_networks(settings)
    pairs = [pair for pair in study.against_langevin(settings) if pair[0].sampler == ADAPTIVE.name]
    intervals = {pair: mmd_difference(settings, *pair).interval for pair in pairs}
    values: dict[str, JsonValue] = {
        f"{run.steps} steps": round(i.value, 4) for (run, _), i in intervals.items()
    }
    nearer, farther = min(pairs, key=lambda pair: intervals[pair].low)
    value, low, high, n = intervals[nearer, farther]
    share = Interval(value / ROW, low / ROW, high / ROW, n)
    values["published row, mean"] = ROW
    return measured(settings, share, min(nearer.seeds, farther.seeds), steps=nearer.steps, **values)


def margin_over_published_row() -> Measurement:
    """Measure our margin over GDSS's published row, the mean of its three squared MMDs."""
    return Measurement(value=MARGIN / ROW, detail={"margin": MARGIN, "published row, mean": ROW})


def smallest_resolved_mmd_difference(settings: Settings) -> Measurement:
    """Measure half the interval of the difference in squared MMD of adaptive momentum and Langevin.

    Both are in the fewest steps. Raises Unavailable for other networks than the authors'.
    """
    refuse_other_networks(settings)
    difference = mmd_difference(
        settings, run_of(settings, ADAPTIVE.name), run_of(settings, LANGEVIN.name)
    )
    return measured(
        settings, half_length(difference.interval), settings.more, steps=min(settings.steps)
    )


def mmd_of_adaptive_in_both_less_authors(settings: Settings) -> Measurement:
    """Measure the squared MMD of adaptive momentum in both states less that of the authors' code,
    fewest steps.

    The authors' code loses the adjacency's momentum. Raises Unavailable for other networks than the
    authors'.
    """
    refuse_other_networks(settings)
    return against_adaptive(settings, ADAPTIVE_IN_BOTH.name)


def paired(settings: Settings, quantity: PerGraph, *runs: SteppedRun) -> Measurement:
    """Return the mean of a quantity of the runs' outcomes, graph by graph, with its interval
    over batches.
    """
    common = study.common_of(settings)
    of_seeds = zip(*(study.outcomes_of(common, run) for run in runs), strict=True)
    return over_batches(settings, [quantity(*outcomes) for outcomes in of_seeds])


def over_batches(settings: Settings, columns: Sequence[Float[Tensor, " graphs"]]) -> Measurement:
    """Return the mean of the seeds' columns of graphs with Student's interval over the batches."""
    means = torch.cat([column.view(-1, settings.batch).mean(1) for column in columns])
    return measured(settings, mean_interval(means.double().numpy()), len(columns))


def variances(outcome: SampledGraphs) -> Float[Tensor, " graphs"]:
    """Return the residual variance of each graph of an outcome."""
    return torch.tensor(outcome.residual_variances)


def variance_drop(one: SampledGraphs, other: SampledGraphs) -> Float[Tensor, " graphs"]:
    """Return how much lower the residual variance of each graph is in the second outcome."""
    return variances(one) - variances(other)


def variance_lowered(settings: Settings, by: str, below: str) -> Measurement:
    """Return the adjacency's residual variance with one sampler less that with another, both in
    the fewest steps.
    """
    return paired(settings, variance_drop, run_of(settings, below), run_of(settings, by))


def changed_pairs(one: SampledGraphs, other: SampledGraphs) -> Float[Tensor, " graphs"]:
    """Return the share of each graph's pairs that are joined in one outcome and not in the
    other.
    """
    graphs = list(zip(one.graphs(), other.graphs(), strict=True))
    changed = torch.tensor([len({*first.edges} ^ {*second.edges}) for first, second in graphs])
    return changed / torch.tensor([first.nodes * (first.nodes - 1) / 2 for first, _ in graphs])


def pairs_changed_by_momentum_in_both(settings: Settings) -> Measurement:
    """Measure the share of pairs that momentum in both states changes against Langevin, less that
    of the authors' code.

    All are in the fewest steps and from the same noise.
    """

    def excess(
        both: SampledGraphs, authors: SampledGraphs, langevin: SampledGraphs
    ) -> Float[Tensor, " graphs"]:
        return changed_pairs(both, langevin) - changed_pairs(authors, langevin)

    runs = [run_of(settings, sampler.name) for sampler in (ADAPTIVE_IN_BOTH, ADAPTIVE, LANGEVIN)]
    return paired(settings, excess, *runs)


def variance_of_forward_process(settings: Settings) -> Measurement:
    """Measure the residual variance of the adjacency of the forward process on fresh graphs: 1
    in theory.
    """
    return over_batches(
        settings, [forward_variances(settings, number) for number in range(settings.more)]
    )


def forward_variances(settings: Settings, number: int) -> Float[Tensor, " graphs"]:
    """Return the residual variances of one seed's fresh graphs with noise of the level at
    `OBSERVED`.
    """
    graphs = study.fresh_graphs(settings.seed, 1 + number, settings.graphs)
    level = PUBLISHED["community_small"].pair.adjacency.levels(2, OBSERVED)[1]
    layout = Layout.of([graph.nodes for graph in graphs])
    clean = torch.cat([Example.of(graphs[place]).pairs for place in layout.order])
    noise = torch.randn(
        clean.shape, generator=torch.Generator().manual_seed(settings.seed + number)
    )
    return residual_variances(level.scale * clean + level.sigma * noise, level, layout)
