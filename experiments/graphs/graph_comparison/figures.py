"""The group's figures and tables: distances and residual variances of every run, and the graphs
themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Drawing

from ams.plots import budget_ticks, interval_curves, interval_points, legend_above, panels, ticks
from ams.statistics import CONFIDENCE, Interval
from ams_suite.drawn import save_drawn, tabled
from experiments.graphs.data import trimmed
from experiments.graphs.drawing import LOOKS, draw_graphs
from experiments.graphs.graph_comparison import checks, study
from experiments.graphs.graph_comparison.presets import SAMPLERS
from experiments.graphs.graph_comparison.settings import Settings
from experiments.graphs.graph_comparison.study import SteppedRun
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("V4", "V4a", "V5", "V7", "V9")
DODGE = 1.03
"""Factor between neighbouring curves along the logarithmic axis: some samplers have nearly equal
values.
"""
TICKS = (0.5, 1, 2, 4)
"""Residual variances that have a tick."""
MMD_LABEL, VARIANCE_LABEL = "squared MMD", "residual variance"
Curves = Mapping[SteppedRun, Interval]
"""A quantity with its interval, by sampler and number of steps."""


def distances(settings: Settings) -> Curves:
    """Return the squared MMD of every run to fresh graphs."""
    common = study.common_of(settings)
    return {run: study.distance(common, run, settings.reference) for run in study.shown(settings)}


def residual_variances(settings: Settings) -> Curves:
    """Return the residual variance of every run."""
    means = {run: checks.paired(settings, checks.variances, run) for run in study.shown(settings)}
    return {run: Interval(mean.value, *mean.interval, mean.n or 0) for run, mean in means.items()}


def floor(settings: Settings) -> Interval:
    """Return the squared MMD of fresh graphs in the place of generated ones."""
    return study.floor(settings.seed, settings.more * settings.graphs, settings.reference)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw distances and residual variances, and graphs of every sampler from common noise."""
    title, most = checks.title_of(settings), settings.more * settings.graphs
    values = {
        "quantities": f"squared MMD to {settings.reference} fresh graphs (unbiased, mean "
        "of degree, clustering and "
        f"orbit; bootstrap intervals that resample both sets; grey: {most} real graphs), "
        "and residual variance of the "
        f"adjacency at $t = 0.1$ (1 for the forward process). {CONFIDENCE:.0%} "
        f"intervals; community_small, {title} "
        "networks, common noise",
        "networks": f"{title.capitalize()} networks",
        "shift": f"{DODGE - 1:.0%}",
        "few": settings.seeds * settings.graphs,
    }
    drawn = [graphs_smallest, graphs_drawn]
    if len(settings.steps) > 1:
        drawn.insert(0, graphs_curves)
    claims, steps = dict.fromkeys(drawn, CLAIMS), min(settings.steps)
    return save_drawn(
        claims, folder, settings, steps=steps, most=most, seed=settings.seed, **values
    )


def graphs_drawn(settings: Settings) -> Drawing:
    """community_small: real graphs, then those of each sampler in {steps} steps. Real graphs fall
    into two communities, some of the generated ones are a single cluster. Graphs of a column have
    as many nodes (isolated ones are left out) and the same noise. Positions follow from the edges
    alone; in a row an edge is as long on average in every graph. {networks}, seed {seed}.
    """
    common = study.common_of(settings)
    rows = {"real": study.fresh_graphs(settings.seed, 1, settings.graphs)}
    for name in settings.samplers:
        rows[name] = study.outcomes_of(common, study.run_of(settings, name))[0].graphs()
    return draw_graphs(
        {name: list(map(trimmed, graphs[: settings.drawn])) for name, graphs in rows.items()}
    )


def graphs_curves(settings: Settings) -> Drawing:
    """More steps help each corrector: {quantities}; {few} graphs a point ({most} in the fewest
    steps). Neighbouring curves are shifted by {shift}, as some nearly coincide.
    """
    mmd, variance, real = distances(settings), residual_variances(settings), floor(settings)
    several = [name for name in SAMPLERS if sum(run.sampler == name for run in mmd) > 1]
    drawing, (above, below) = panels(2, 2.4, sharex=True)
    for axes, values in ((above, mmd), (below, variance)):
        curves = {
            name: {
                run.steps * SAMPLERS[name].evaluations: each
                for run, each in values.items()
                if run.sampler == name
            }
            for name in several
        }
        interval_curves(axes, curves, LOOKS, DODGE)
        budget_ticks(axes, axes.get_xlim())
    above.axhspan(real.low, real.high, color="0.85", lw=0, zorder=0)
    above.set_ylabel(MMD_LABEL)
    below.axhline(1.0, color="0.3", lw=0.8)
    below.set(xlabel="score evaluations (NFE)", ylabel=VARIANCE_LABEL, yscale="log")
    below.set_yticks(TICKS, map(str, TICKS))
    below.yaxis.minorticks_off()
    legend_above(above)
    return drawing


def graphs_smallest(settings: Settings) -> Drawing:
    """Every sampler in {steps} steps: {quantities}; {most} graphs each. A corrector (PC) doubles
    the score evaluations of a step, so the predictor alone has twice the steps too.
    """
    mmd, variance, real = distances(settings), residual_variances(settings), floor(settings)
    runs = smallest_budget(list(mmd))
    drawing = Drawing(figsize=(3.4, 0.7 + 0.2 * len(runs)), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    for axes, curves in ((left, mmd), (right, variance)):
        interval_points(axes, [(run.sampler, curves[run]) for run in runs], LOOKS)
    names = [run.sampler for run in runs]
    labels = [
        f"{name}, {steps} steps" if names.count(name) > 1 else name for name, steps, _ in runs
    ]
    left.set_yticks(range(len(runs)), labels)
    left.axvspan(real.low, real.high, color="0.85", lw=0, zorder=0)
    left.set_xlabel("squared\nMMD")
    right.axvline(1.0, color="0.3", lw=0.8)
    right.set(xlabel="residual\nvariance", xscale="log")
    ticks(right, TICKS)
    return drawing


def smallest_budget(runs: Sequence[SteppedRun]) -> list[SteppedRun]:
    """Return every sampler in the fewest steps, and also in as many evaluations as the most
    costly of them.
    """
    fewest = min(run.steps for run in runs)
    most = fewest * max(SAMPLERS[run.sampler].evaluations for run in runs)
    return [run for run in runs if run.steps in (fewest, most // SAMPLERS[run.sampler].evaluations)]


def tables(settings: Settings) -> list[Table]:
    """Return the numbers of every run, and its difference from Langevin with a verdict."""
    values: dict[str, Any] = {
        "reference": settings.reference,
        "title": checks.title_of(settings),
        "confidence": f"{CONFIDENCE:.0%}",
    }
    of_runs = (
        "sampler",
        "steps",
        "evaluations",
        "squared MMD",
        "low",
        "high",
        "V",
        "V low",
        "V high",
    )
    between = ("sampler", "steps", "difference", "low", "high", "resolved from", "verdict")
    return [
        tabled(graphs_runs, of_runs, CLAIMS, settings, **values),
        tabled(graphs_differences, between, CLAIMS, settings, **values),
    ]


def graphs_runs(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Unbiased squared MMD to {reference} fresh graphs, mean of three statistics, with its
    interval; residual variance V with its own; {confidence}. community_small, {title} networks.
    """
    mmd, variance = distances(settings), residual_variances(settings)
    for run in mmd:
        yield (
            *run[:2],
            run.steps * SAMPLERS[run.sampler].evaluations,
            *mmd[run][:3],
            *variance[run][:3],
        )
    yield "real graphs", "", "", *floor(settings)[:3], 1.0, 1.0, 1.0


def graphs_differences(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Squared MMD of the Langevin corrector less that of each sampler in as many steps, paired by
    noise, with its {confidence} interval: positive is nearer to real graphs; the smallest
    difference that is resolved.
    """
    for run, langevin in study.against_langevin(settings):
        difference = checks.mmd_difference(settings, run, langevin)
        verdict = "larger than noise" if difference.resolved else "not larger than noise"
        yield *run[:2], *difference.interval[:3], difference.smallest, verdict
