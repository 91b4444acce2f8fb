"""What the sampler changes on graphs: claims V4 to V9, on community_small, whose law is known (module `data`).

All contenders start from the same noise and, step by step, see the same; the reference is fresh graphs of the law. So
differences are paired, and both sets are drawn again. Discrepancies are unbiased squared MMDs, the mean of degree,
clustering and orbit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, JsonValue
from torch import Tensor

from ams.data import Graph
from ams.inference import Interval, mean_interval
from ams.ledger import Figure, Measurement, Table, Unavailable, check, save_figure
from experiments.graphs.contenders import (
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
from experiments.graphs.data import adjacency, community_small
from experiments.graphs.discrepancy import Difference, difference, unbiased_mmd
from experiments.graphs.drawing import Curves, draw_curves, draw_graphs
from experiments.graphs.layout import Layout
from experiments.graphs.models import Origin, model_of
from experiments.graphs.runs import THERMOMETER, Batch, Outcome, outcome
from experiments.graphs.runs import temperatures as graph_temperatures
from experiments.graphs.statistics import PUBLISHED

CLAIMS = ("V4", "V5", "V6", "V7", "V8", "V9")

CONFIDENCE = 0.95
"""Of intervals of discrepancies, which are long: few graphs are all that there is."""
SURE = 0.999
"""Of Student's intervals over batches."""


class Settings(BaseModel):
    """Which networks; `seeds` runs of `graphs` graphs each, coupled as released in batches of `batch`; how many steps.

    Those of `once` run in the fewest steps only. `reference` counts the graphs that they are compared with; `snr` and
    `scale_eps` are the published ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    networks: Origin = "authors"
    contenders: tuple[str, ...] = (PREDICTOR, LANGEVIN, ADAPTIVE, DESCRIBED, CONSTANT)
    once: tuple[str, ...] = (FULL, AVERAGED, CONSTANT_IN_BOTH, ALONE)
    steps: tuple[int, ...] = (100, 200, 500)
    seeds: int = 3
    graphs: int = 40
    batch: int = 5
    reference: int = 200
    snr: float = 0.05
    scale_eps: float = 0.7
    drawn: int = 8
    seed: int = 2405


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
        for number in range(settings.seeds)
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
    count = settings.seeds * settings.graphs
    graphs = real(settings, 1000, count) if run is None else [one for listed in made(settings, run) for one in listed]
    return unbiased_mmd(PUBLISHED, reference(settings), graphs, settings.seed, CONFIDENCE)


@cache
def gap(settings: Settings, nearer: Run, farther: Run, confidence: float = CONFIDENCE) -> Difference:
    """Return how much nearer the reference one run is than another, paired by noise; a batch is one draw."""
    pair = made(settings, nearer), made(settings, farther)
    return difference(reference(settings), *pair, settings.seed, PUBLISHED, confidence, settings.batch)


def told(settings: Settings, found: Difference, **detail: JsonValue) -> Measurement:
    """Return a difference as a measurement, with each seed's own and whose networks it is of."""
    value, low, high, units = found.interval
    return Measurement(
        value=value,
        low=low,
        high=high,
        n=units,
        seeds=seeds(settings),
        detail={
            "networks": model_of(settings.networks).title,
            "each seed": [round(one, 4) for one in found.seeds],
            "larger than noise": found.resolved,
            **detail,
        },
    )


def seeds(settings: Settings) -> tuple[int, ...]:
    """Return the seeds of the runs."""
    return tuple(settings.seed + number for number in range(settings.seeds))


def least(settings: Settings) -> int:
    """Return the smallest number of steps."""
    return min(settings.steps)


def as_costly(name: str, steps: int) -> Run:
    """Return the predictor alone with as many evaluations as a contender in so many steps."""
    return PREDICTOR, steps * CONTENDERS[name].evaluations


@check("V4.langevin")
def adaptive_against_langevin(settings: Settings) -> Measurement:
    """Return how much nearer adaptive momentum as released is than Langevin, in the fewest steps."""
    steps = least(settings)
    return told(settings, gap(settings, (ADAPTIVE, steps), (LANGEVIN, steps)), steps=steps)


@check("V4.predictor")
def adaptive_against_the_predictor(settings: Settings) -> Measurement:
    """Return how much nearer it is than the predictor alone with as many evaluations, in the fewest steps."""
    steps = least(settings)
    return told(settings, gap(settings, (ADAPTIVE, steps), as_costly(ADAPTIVE, steps)), steps=steps)


@check("V4.half")
def half_the_evaluations(settings: Settings) -> Measurement:
    """Return how much nearer it is, in the fewest steps, than Langevin in twice as many."""
    steps = least(settings)
    return told(settings, gap(settings, (ADAPTIVE, steps), (LANGEVIN, 2 * steps)), steps=steps)


@check("V5.langevin")
def competitive_with_langevin(settings: Settings) -> Measurement:
    """Return how much nearer adaptive momentum as released is than Langevin, where least so. Raises Unavailable."""
    only_the_authors(settings)
    found = {steps: gap(settings, (ADAPTIVE, steps), (LANGEVIN, steps)) for steps in settings.steps}
    worst = min(found, key=lambda steps: found[steps].interval.low)
    values: dict[str, JsonValue] = {f"{steps} steps": round(one.interval.value, 4) for steps, one in found.items()}
    return told(settings, found[worst], steps=worst, **values)


@check("V6.resolution")
def resolution(settings: Settings) -> Measurement:
    """Return the smallest difference that adaptive momentum and Langevin resolve. Raises Unavailable."""
    only_the_authors(settings)
    steps = least(settings)
    found = gap(settings, (ADAPTIVE, steps), (LANGEVIN, steps), CONFIDENCE)
    return Measurement(value=found.smallest, n=found.interval.n, seeds=seeds(settings), detail={"steps": steps})


@check("V9.corrector")
def the_corrector_harms(settings: Settings) -> Measurement:
    """Return how much nearer the predictor alone is than with Langevin, in the fewest steps. Raises Unavailable."""
    only_the_authors(settings)
    steps = least(settings)
    return told(settings, gap(settings, (PREDICTOR, steps), (LANGEVIN, steps)), steps=steps)


@check("V9.noise")
def the_scaled_noise_harms(settings: Settings) -> Measurement:
    """Return how much nearer Langevin is with its noise not scaled, in the fewest steps. Raises Unavailable."""
    only_the_authors(settings)
    steps = least(settings)
    return told(settings, gap(settings, (FULL, steps), (LANGEVIN, steps)), steps=steps)


@check("V9.momentum")
def the_momentum_harms(settings: Settings) -> Measurement:
    """Return how much nearer momentum as released is than as described, in the fewest steps. Raises Unavailable."""
    only_the_authors(settings)
    steps = least(settings)
    return told(settings, gap(settings, (ADAPTIVE, steps), (DESCRIBED, steps)), steps=steps)


def only_the_authors(settings: Settings) -> None:
    """Raise Unavailable unless the networks are the authors': of others claims V5, V6 and V9 may not be true."""
    if not model_of(settings.networks).published:
        raise Unavailable("said of the authors' networks alone: their file gdss-community_small is not here")


@check("V7.moved")
def the_lost_momentum_moves(settings: Settings) -> Measurement:
    """Return the share of pairs that momentum in both changes from Langevin's, less what the released form changes."""
    steps = least(settings)
    columns = [
        moved(described, langevin) - moved(released, langevin)
        for described, released, langevin in zip(
            *(outcomes(settings, (name, steps)) for name in (DESCRIBED, ADAPTIVE, LANGEVIN)), strict=True
        )
    ]
    return over_batches(settings, columns, steps=steps)


@check("V7.cooler")
def the_lost_momentum_cools(settings: Settings) -> Measurement:
    """Return the temperature with the momentum lost, as released, less that with momentum in both."""
    steps = least(settings)
    return paired(settings, (ADAPTIVE, steps), (DESCRIBED, steps), cooler)


@check("V8.corrector")
def the_corrector_cools(settings: Settings) -> Measurement:
    """Return the temperature of the predictor alone less that with Langevin, in as many steps."""
    steps = least(settings)
    return paired(settings, (PREDICTOR, steps), (LANGEVIN, steps), cooler)


@check("V8.momentum")
def momentum_cools_more(settings: Settings) -> Measurement:
    """Return Langevin's temperature less that of momentum in both."""
    steps = least(settings)
    return paired(settings, (LANGEVIN, steps), (DESCRIBED, steps), cooler)


@check("V8.forward")
def the_forward_process_is_warm(settings: Settings) -> Measurement:
    """Return the temperature of the forward process on fresh graphs of the law: 1, if the thermometer is right."""
    return over_batches(settings, [forward_temperatures(settings, number) for number in range(settings.seeds)])


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


Quantity = Callable[[Outcome, Outcome], Float[Tensor, " graphs"]]


def paired(settings: Settings, one: Run, other: Run, quantity: Quantity) -> Measurement:
    """Return the mean of a quantity of both outcomes, graph by graph, with its interval over batches."""
    both = zip(outcomes(settings, one), outcomes(settings, other), strict=True)
    return over_batches(settings, [quantity(*outcome) for outcome in both])


def over_batches(settings: Settings, columns: Sequence[Float[Tensor, " graphs"]], **detail: JsonValue) -> Measurement:
    """Return the mean of columns of graphs with Student's interval over the batches."""
    means = torch.cat([column.view(-1, settings.batch).mean(1) for column in columns])
    value, low, high, units = mean_interval(means.double().numpy(), SURE)
    title = model_of(settings.networks).title
    return Measurement(
        value=value, low=low, high=high, n=units, seeds=seeds(settings), detail={"networks": title, **detail}
    )


def cooler(one: Outcome, other: Outcome) -> Float[Tensor, " graphs"]:
    """Return how much lower each graph's temperature is in the second outcome."""
    return one.temperatures - other.temperatures


def moved(one: Outcome, other: Outcome) -> Float[Tensor, " graphs"]:
    """Return the share of each graph's pairs that are joined in one outcome and not in the other."""
    pairs = torch.tensor([graph * (graph - 1) / 2 for graph in one.sizes])
    return (one.present != other.present).flatten(1).sum(1) / 2 / pairs


def curves(settings: Settings) -> Curves:
    """Return every run's squared MMD, by contender and steps."""
    found: dict[str, dict[int, Interval]] = {}
    for name, steps in runs(settings):
        found.setdefault(name, {})[steps] = discrepancy(settings, (name, steps))
    return found


def temperatures(settings: Settings) -> Curves:
    """Return every run's temperature, by contender and steps."""
    found: dict[str, dict[int, Interval]] = {}
    for run in runs(settings):
        measured = over_batches(settings, [outcome.temperatures for outcome in outcomes(settings, run)])
        found.setdefault(run[0], {})[run[1]] = Interval(measured.value, *measured.interval, measured.n or 0)
    return found


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the curves, and graphs of every contender from the same noise."""
    title = model_of(settings.networks).title
    count = settings.seeds * settings.graphs
    floor = discrepancy(settings, None)
    drawing = draw_curves(curves(settings), temperatures(settings), floor, lambda name: CONTENDERS[name].evaluations)
    caption = (
        f"community_small, {title} networks. Unbiased squared MMD to {settings.reference} fresh graphs of the law "
        f"(mean of degree, clustering, orbit) against steps and against score evaluations; {count} graphs a point from "
        f"{settings.seeds} seeds, the same noise for all; bands: 95 % of bootstrap, both sets drawn again; grey: as "
        f"many real graphs. Right: temperature of the adjacency at $t = 0.1$, 1 for the forward process (99.9 %)."
    )
    steps = min(settings.steps)
    rows = {"real": real(settings, 1)[: settings.drawn]}
    rows |= {name: made(settings, (name, steps))[0][: settings.drawn] for name in settings.contenders}
    shown = (
        f"community_small: real graphs, then those of each contender in {steps} steps, column by column of the same "
        f"number of nodes and from the same noise. {title.capitalize()} networks, seed {settings.seed}."
    )
    return [
        save_figure(drawing, folder, "graphs_curves", caption, CLAIMS),
        save_figure(draw_graphs(rows), folder, "graphs_drawn", shown, CLAIMS),
    ]


def tables(settings: Settings) -> list[Table]:
    """Return every run's numbers, and every difference to Langevin with its verdict."""
    return [_runs_table(settings), _differences_table(settings)]


def _runs_table(settings: Settings) -> Table:
    heat = temperatures(settings)
    rows: list[tuple[str | int | float, ...]] = [
        (name, steps, steps * CONTENDERS[name].evaluations, *found[:3], *heat[name][steps][:3])
        for name, values in curves(settings).items()
        for steps, found in values.items()
    ]
    rows.append(("real graphs", "", "", *discrepancy(settings, None)[:3], 1.0, 1.0, 1.0))
    caption = (
        f"Unbiased squared MMD to {settings.reference} graphs of the law, mean of three statistics, with its 95 % "
        f"interval; temperature with its 99.9 % one. community_small, {model_of(settings.networks).title} networks."
    )
    header = ("sampler", "steps", "evaluations", "MMD", "low", "high", "T", "T low", "T high")
    return Table(id="graphs_runs", caption=caption, header=header, rows=tuple(rows), claims=CLAIMS)


def _differences_table(settings: Settings) -> Table:
    rows = []
    for name in (*settings.contenders, *settings.once):
        if name == LANGEVIN:
            continue
        for steps in settings.steps if name in settings.contenders else (least(settings),):
            found = gap(settings, (name, steps), (LANGEVIN, steps), CONFIDENCE)
            verdict = "larger than noise" if found.resolved else "not larger than noise"
            rows.append((name, steps, *found.interval[:3], found.smallest, verdict))
    caption = (
        "How much nearer the law than the Langevin corrector, at equal steps: difference of squared MMDs, paired by "
        "noise, with its 95 % interval; the smallest difference that is resolved; the verdict."
    )
    header = ("sampler", "steps", "nearer by", "low", "high", "resolves", "verdict")
    return Table(id="graphs_differences", caption=caption, header=header, rows=tuple(rows), claims=CLAIMS)
