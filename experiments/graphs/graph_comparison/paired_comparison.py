"""Paired runs on community_small, whose law is known (module `data`): what comparisons of samplers rest on.

All contenders start from the same noise and, step by step, see the same; the reference is fresh graphs of the law. So
differences are paired, and both sets are drawn again. Discrepancies are unbiased squared MMDs, the mean of degree,
clustering and orbit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, JsonValue, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.data import Graph
from ams.statistics import Interval, mean_interval
from experiments.graphs.data import adjacency, community_small
from experiments.graphs.discrepancy import Difference, difference, unbiased_mmd
from experiments.graphs.graph_comparison.baselines import (
    ADAPTIVE,
    ALONE,
    AVERAGED,
    CONSTANT,
    CONSTANT_IN_BOTH,
    CONTENDERS,
    DESCRIBED,
    FULL,
    LANGEVIN,
    PREDICTOR,
)
from experiments.graphs.graph_layout import Layout
from experiments.graphs.models import Origin, model_of
from experiments.graphs.runs import THERMOMETER, Batch, Outcome, outcome, temperatures as graph_temperatures
from experiments.graphs.statistics import PUBLISHED
from verdicts import Measurement, Unavailable
from verdicts.claims.sizes import Names, Sizes

CONFIDENCE = 0.95
"""Of intervals of discrepancies, which are long: few graphs are all that there is."""
SURE = 0.999
"""Of Student's intervals over batches."""


class Settings(BaseModel):
    """Which networks; `seeds` runs of `graphs` graphs each, coupled as released in batches of `batch`; how many steps.

    In the fewest steps there are `more` seeds, and the contenders of `once` run in those only. `reference` counts the
    graphs that they are compared with; `snr` and `scale_eps` are the published ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    networks: Origin = "authors"
    contenders: Names = (PREDICTOR, LANGEVIN, ADAPTIVE, DESCRIBED, CONSTANT)
    once: tuple[str, ...] = (FULL, AVERAGED, CONSTANT_IN_BOTH, ALONE)
    steps: Sizes = (100, 200, 500)
    seeds: PositiveInt = 3
    more: PositiveInt = 6
    graphs: PositiveInt = 40
    batch: PositiveInt = 5
    reference: PositiveInt = 200
    snr: float = 0.05
    scale_eps: float = 0.7
    drawn: PositiveInt = 8
    seed: NonNegativeInt = 2405


Run = tuple[str, int]
"""A contender and its steps."""


def runs(settings: Settings) -> list[Run]:
    """Return all runs: of every contender at every number of steps, of the predictor alone also at their doubles."""
    wanted = {(name, steps) for name in settings.contenders for steps in settings.steps}
    wanted |= {(name, min(settings.steps)) for name in settings.once}
    doubled = {(PREDICTOR, 2 * steps) for steps in settings.steps}
    return sorted(wanted | doubled, key=lambda run: (list(CONTENDERS).index(run[0]), run[1]))


@cache
def outcomes(settings: Settings, run: Run) -> tuple[Outcome, ...]:
    """Return a run's outcome for each seed; computed once for all checks, figures and tables."""
    model, (name, steps) = model_of(settings.networks), run
    batches = (
        Batch(tuple(graph.nodes for graph in real(settings, 1 + number)), settings.batch, settings.seed + number)
        for number in range(len(seeds(settings, run)))
    )
    chosen = settings.snr, settings.scale_eps
    return tuple(outcome(model, CONTENDERS[name], steps, *chosen, batch) for batch in batches)


def real(settings: Settings, stream: int, count: int = 0) -> list[Graph]:
    """Return fresh graphs of the law; streams are independent."""
    seed = int(np.random.SeedSequence([settings.seed, stream]).generate_state(1)[0])
    return community_small(count or settings.graphs, seed)


@cache
def reference(settings: Settings) -> list[Graph]:
    """Return the graphs of the law that everything is compared with."""
    return real(settings, 0, settings.reference)


def made(settings: Settings, run: Run) -> list[list[Graph]]:
    """Return a run's graphs for each seed."""
    return [found.graphs for found in outcomes(settings, run)]


@cache
def discrepancy(settings: Settings, run: Run | None) -> Interval:
    """Return the squared MMD of a run's graphs to the reference; of fresh graphs of the law for None: the floor."""
    count = settings.more * settings.graphs
    graphs = real(settings, 1000, count) if run is None else [one for listed in made(settings, run) for one in listed]
    return unbiased_mmd(PUBLISHED, reference(settings), graphs, settings.seed, CONFIDENCE)


@cache
def gap(settings: Settings, nearer: Run, farther: Run, confidence: float = CONFIDENCE) -> Difference:
    """Return how much nearer the reference one run is than another, of the seeds of both; a batch is one draw."""
    common = len(common_seeds(settings, [nearer, farther]))
    pair = made(settings, nearer)[:common], made(settings, farther)[:common]
    return difference(reference(settings), *pair, settings.seed, PUBLISHED, confidence, settings.batch)


def told(settings: Settings, found: Difference, **detail: JsonValue) -> Measurement:
    """Return a difference as a measurement, with each seed's own and whose networks it is of."""
    value, low, high, units = found.interval
    return Measurement(
        value=value,
        low=low,
        high=high,
        n=units,
        seeds=tuple(settings.seed + number for number in range(len(found.seeds))),
        detail={
            "networks": model_of(settings.networks).title,
            "each seed": [round(one, 4) for one in found.seeds],
            "larger than noise": found.resolved,
            **detail,
        },
    )


def seeds(settings: Settings, run: Run) -> tuple[int, ...]:
    """Return the seeds of a run."""
    count = settings.more if run[1] == min(settings.steps) else settings.seeds
    return tuple(settings.seed + number for number in range(count))


def common_seeds(settings: Settings, listed: Sequence[Run]) -> tuple[int, ...]:
    """Return the seeds that all of these runs have."""
    return min((seeds(settings, run) for run in listed), key=len)


def only_the_authors(settings: Settings) -> None:
    """Raise Unavailable unless the networks are the authors': of others claims V5, V6 and V9 may not be true."""
    if not model_of(settings.networks).published:
        raise Unavailable("said of the authors' networks alone: their file gdss-community_small is not here")


Quantity = Callable[..., Float[Tensor, " graphs"]]
"""A column of graphs, from one or several outcomes."""


def paired(settings: Settings, listed: Sequence[Run], quantity: Quantity, **detail: JsonValue) -> Measurement:
    """Return the mean of a quantity of the runs' outcomes, graph by graph, with its interval over batches."""
    of_seeds = zip(*(outcomes(settings, run) for run in listed), strict=False)
    return over_batches(settings, [quantity(*found) for found in of_seeds], **detail)


def over_batches(settings: Settings, columns: Sequence[Float[Tensor, " graphs"]], **detail: JsonValue) -> Measurement:
    """Return the mean of columns of graphs with Student's interval over the batches."""
    means = torch.cat([column.view(-1, settings.batch).mean(1) for column in columns])
    value, low, high, units = mean_interval(means.double().numpy(), SURE)
    title = model_of(settings.networks).title
    used = tuple(settings.seed + number for number in range(len(columns)))
    return Measurement(value=value, low=low, high=high, n=units, seeds=used, detail={"networks": title, **detail})


def cooler(one: Outcome, other: Outcome) -> Float[Tensor, " graphs"]:
    """Return how much lower each graph's temperature is in the second outcome."""
    return one.temperatures - other.temperatures


def moved(one: Outcome, other: Outcome) -> Float[Tensor, " graphs"]:
    """Return the share of each graph's pairs that are joined in one outcome and not in the other."""
    pairs = torch.tensor([graph * (graph - 1) / 2 for graph in one.sizes])
    return (one.present != other.present).flatten(1).sum(1) / 2 / pairs


def forward_temperatures(settings: Settings, number: int) -> Float[Tensor, " graphs"]:
    """Return the temperatures of graphs of the law with the noise of the thermometer's level."""
    listed = real(settings, 1 + number)
    level = model_of(settings.networks).pair.adjacency.levels(2, THERMOMETER)[1]
    layout, side = Layout.of([graph.nodes for graph in listed]), max(graph.nodes for graph in listed)
    padded = torch.zeros(len(listed), side, side)
    for place, graph in enumerate(listed):
        padded[place, : graph.nodes, : graph.nodes] = torch.from_numpy(adjacency(graph))
    clean = layout.pack_pairs(padded)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(settings.seed + number))
    return graph_temperatures(level.scale * clean + level.sigma * noise, level, layout)
