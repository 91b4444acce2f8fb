"""What the sampler changes on graphs: claims V4 to V9, from the paired runs of module `paired`."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue
from torch import Tensor

from ams.data import Graph
from ams.statistics import Interval
from experiments.graphs.drawing import DODGE, Curves, draw_curves, draw_graphs
from experiments.graphs.graph_comparison.baselines import ADAPTIVE, CONTENDERS, DESCRIBED, LANGEVIN, PREDICTOR
from experiments.graphs.graph_comparison.paired_comparison import (
    CONFIDENCE,
    Run,
    Settings,
    cooler,
    discrepancy,
    forward_temperatures,
    gap,
    made,
    moved,
    only_the_authors,
    over_batches,
    paired,
    real,
    runs,
    seeds,
    told,
)
from experiments.graphs.models import model_of
from experiments.graphs.runs import Outcome
from verdicts import Figure, Measurement, Table, check, save_figure

__all__ = ["Settings"]

CLAIMS = ("V4", "V5", "V6", "V7", "V8", "V9")


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
    used = seeds(settings, (ADAPTIVE, steps))
    return Measurement(value=found.smallest, n=found.interval.n, seeds=used, detail={"steps": steps})


@check("V9.momentum")
def the_momentum_harms(settings: Settings) -> Measurement:
    """Return how much nearer momentum as released is than as described, in the fewest steps. Raises Unavailable."""
    only_the_authors(settings)
    steps = least(settings)
    return told(settings, gap(settings, (ADAPTIVE, steps), (DESCRIBED, steps)), steps=steps)


@check("V7.moved")
def the_lost_momentum_moves(settings: Settings) -> Measurement:
    """Return the share of pairs that momentum in both changes from Langevin's, less what the released form changes."""
    steps = least(settings)

    def more(described: Outcome, released: Outcome, langevin: Outcome) -> Tensor:
        return moved(described, langevin) - moved(released, langevin)

    return paired(settings, [(name, steps) for name in (DESCRIBED, ADAPTIVE, LANGEVIN)], more, steps=steps)


@check("V7.cooler")
def the_lost_momentum_cools(settings: Settings) -> Measurement:
    """Return the temperature with the momentum lost, as released, less that with momentum in both."""
    steps = least(settings)
    return paired(settings, [(ADAPTIVE, steps), (DESCRIBED, steps)], cooler)


@check("V8.corrector")
def the_corrector_cools(settings: Settings) -> Measurement:
    """Return the temperature of the predictor alone less that with Langevin, in as many steps."""
    steps = least(settings)
    return paired(settings, [(PREDICTOR, steps), (LANGEVIN, steps)], cooler)


@check("V8.momentum")
def momentum_cools_more(settings: Settings) -> Measurement:
    """Return Langevin's temperature less that of momentum in both."""
    steps = least(settings)
    return paired(settings, [(LANGEVIN, steps), (DESCRIBED, steps)], cooler)


@check("V8.forward")
def the_forward_process_is_warm(settings: Settings) -> Measurement:
    """Return the temperature of the forward process on fresh graphs of the law: 1, if the thermometer is right."""
    return over_batches(settings, [forward_temperatures(settings, number) for number in range(settings.more)])


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
        measured = paired(settings, [run], lambda found: found.temperatures)
        found.setdefault(run[0], {})[run[1]] = Interval(measured.value, *measured.interval, measured.n or 0)
    return found


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the curves, and graphs of every contender from the same noise."""
    title = model_of(settings.networks).title
    count, most = settings.seeds * settings.graphs, settings.more * settings.graphs
    floor = discrepancy(settings, None)
    drawing = draw_curves(curves(settings), temperatures(settings), floor, lambda name: CONTENDERS[name].evaluations)
    caption = (
        f"community_small, {title} networks. Left: unbiased squared MMD to {settings.reference} fresh graphs of the "
        f"law (mean of degree, clustering, orbit), {count} graphs a point ({most} in the fewest steps), "
        f"{settings.graphs} a seed, the same noise for all; 95 % of bootstrap, both sets drawn again; grey: {most} "
        f"real graphs. Right: temperature of the adjacency at $t = 0.1$ (99.9 %), 1 for the forward process. A "
        f"corrector (PC) doubles the score evaluations of a step, so the predictor alone has twice the steps too."
    )
    if len(settings.steps) > 1:
        caption += f" Curves are moved sideways by {DODGE - 1:.0%} each, as some nearly coincide."
    shown = (
        f"community_small: real graphs, then those of each contender in {least(settings)} steps, column by column of "
        f"the same number of nodes (isolated ones left out) and from the same noise. Placed by their edges alone; in a "
        f"row an edge is as long on average in every graph. {title.capitalize()} networks, seed {settings.seed}."
    )
    return [
        save_figure(drawing, folder, "graphs_curves", caption, CLAIMS),
        save_figure(draw_graphs(drawn(settings)), folder, "graphs_drawn", shown, CLAIMS),
    ]


def drawn(settings: Settings) -> dict[str, list[Graph]]:
    """Return the first real graphs, and each contender's in the fewest steps, of the same sizes and noise."""
    rows = {"real": real(settings, 1)[: settings.drawn]}
    for name in settings.contenders:
        rows[name] = made(settings, (name, least(settings)))[0][: settings.drawn]
    return rows


def tables(settings: Settings) -> list[Table]:
    """Return every run's numbers, and every difference to Langevin with its verdict."""
    return [_runs_table(settings), differences(settings)]


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


def differences(settings: Settings) -> Table:
    """Return how much nearer the law than Langevin each contender is, at equal steps, and whether noise explains it."""
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
