"""The group's figures and tables, and the command that prints one row of a table by itself.

Figures: a set's distances and validity by score evaluations, and what momentum gains on every set,
in standard errors and in units of what the corrector changes. Tables: one shaped like the published
ones, every cell with its cost, and the configurations.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.errors import UserError
from ams.plots import interval_curves, interval_points, legend_above, panels, ticks
from ams.statistics import CONFIDENCE, Interval
from ams_suite.drawn import save_drawn, tabled
from experiments.graphs.correctors import checks, study
from experiments.graphs.correctors.configurations import (
    CONFIGURATIONS,
    JUDGED,
    MOLECULES,
    NAMES,
    PUBLISHED_MOLECULES,
    PUBLISHED_ROWS,
    SAMPLERS,
    STATISTICS,
    STEPS,
    samplers_of,
)
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import PAIRS, Common, SamplerRun
from experiments.graphs.drawing import LOOKS
from experiments.graphs.intervals import QUANTILE, standardised
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import TableCell

Curves = Mapping[SamplerRun, Interval]
"""A quantity with its interval, by run."""
DODGE = 1.05
"""Factor between neighbouring samplers along the logarithmic axis."""
GAINS = ("V15", "V15a", "V16", "V16a", "V17b", "V19", "V19a")
CLAIMS_OF = {
    "community_small": ("V15a", "V16", "V21"),
    "ego_small": ("V15a", "V16", "V17b"),
    "ENZYMES": ("V17b", "V19", "V19a", "V20"),
    "grid": ("V17b", "V19", "V19a"),
    "QM9": ("V15", "V16a", "V20"),
    "ZINC250k": ("V17b", "V19", "V19a", "V20"),
}
LABELS = {
    "langevin": ("adaptive on Langevin", "#CC79A7", "P"),
    "predictor": ("adaptive on the predictor alone", "#0072B2", "o"),
    "intended": ("adaptive in both on Langevin", "#D55E00", "s"),
}
CLAIMS = (*GAINS, "V20", "V21")
NOT_RUN, NONE = "not run", ""
TEST_SET = {
    "community_small": 20,
    "ego_small": 40,
    "ENZYMES": 117,
    "grid": 20,
    "QM9": 1000,
    "ZINC250k": 1000,
}
"""How many graphs or molecules the hours of a cell that is not run are for: the published test
set's, or 1000.
"""
SHARES = ("valid", "unique", "new", "NSPDK", "FCD")
"""Columns of a set of molecules."""
CELLS = (
    "set",
    "sampler",
    "evaluations",
    "steps",
    "n",
    "seeds",
    "squared MMD",
    "low",
    "high",
    "not run",
    "hours",
)
CONFIGURED = (
    "set",
    "predictor",
    "snr",
    "noise scale",
    "noise scale, momentum",
    "deviation: GDSS has",
)
MARGIN = 0.1
"""Of what Langevin's corrector changes: two correctors are alike within it (V15, V15a, V19)."""
REAL = 200
"""Real molecules that molecules are compared with."""
BATCHES = (4, 2, 1)
"""Graphs that are coupled by their norms: as many as divide the number of graphs."""


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw each set that is run, and the gains on all of them."""
    drawn = [_of_set(settings, folder, name, sizes) for name, sizes in settings.sets()]
    values = {"evaluations": 2 * JUDGED, "confidence": f"{CONFIDENCE:.0%}"}
    gains = {graphs_correctors_gains: GAINS, graphs_correctors_margins: ("V15", "V15a", "V19")}
    return [*drawn, *save_drawn(gains, folder, settings, **values)]


def _of_set(settings: Settings, folder: Path, name: str, sizes: SetSizes) -> Figure:
    what, against = "mean of degree, clustering and orbit", "the authors' test set"
    if name in MOLECULES:
        what, against = "NSPDK kernel", f"{sizes.real} real molecules"
    caption = (
        f"{name} by score evaluations: squared MMD ({what}; unbiased, so it is 0 on "
        f"average for real ones) to {against}"
        f"{', and the share valid without correction' if name in MOLECULES else ''}. A "
        "predictor with a corrector (PC) "
        "takes two evaluations a step, the predictor alone one. The authors' checkpoint, "
        "common noise, "
        f"{sizes.more * sizes.graphs} a point after {2 * JUDGED} evaluations"
        f"{f', {sizes.seeds * sizes.graphs} elsewhere' if len(sizes.steps) > 1 else ''}; "
        f"{CONFIDENCE:.0%} intervals."
    )
    stem = f"graphs_correctors_{name.lower()}"
    return save_figure(draw_set(settings, name, sizes), folder, stem, caption, CLAIMS_OF[name])


def curves_of(settings: Settings, name: str, sizes: SetSizes) -> list[tuple[str, Curves]]:
    """Return what is drawn of a set, each quantity with its label."""
    common, runs = study.common_of(settings, name, sizes), study.runs_of(name, sizes)
    runs = [run for run in runs if run.evaluations // 2 in sizes.steps]
    distances = {run: study.row_of(settings, name, run).distance for run in runs}
    curves: list[tuple[str, Curves]] = [("squared MMD", distances)]
    if name in MOLECULES:
        every = study.runs_of(name, sizes)
        curves.append(
            ("share valid", {run: study.quality_of(common, run, every).validity for run in runs})
        )
    return curves


def draw_set(settings: Settings, name: str, sizes: SetSizes) -> Drawing:
    """Draw a set's curves, one below the other; side by side as rows of points where there is one
    budget.
    """
    curves = curves_of(settings, name, sizes)
    if len(sizes.steps) == 1:
        return _rows(curves)
    drawing, axes_of = panels(len(curves), 2.4 if len(curves) == 1 else 2.0, sharex=True)
    for axes, (label, values) in zip(axes_of, curves, strict=True):
        names = dict.fromkeys(run.sampler for run in values)
        own = {
            n: {run.evaluations: value for run, value in values.items() if run.sampler == n}
            for n in names
        }
        interval_curves(axes, own, LOOKS, DODGE)
        ticks(axes, sorted({run.evaluations for run in values}))
        axes.set_ylabel(label)
    axes_of[0].axhline(0.0, color="0.4", lw=0.8)
    axes_of[-1].set_xlabel("score evaluations (NFE)")
    legend_above(axes_of[0], columns=1)
    return drawing


def _rows(curves: Sequence[tuple[str, Curves]]) -> Drawing:
    """Draw a point with its interval for each sampler, from the top, a panel a quantity."""
    names = [run.sampler for run in curves[0][1]]
    drawing = Drawing(figsize=(3.4, 0.7 + 0.2 * len(names)), layout="constrained")
    panels_of = drawing.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (label, values) in zip(panels_of, curves, strict=True):
        interval_points(axes, [(run.sampler, value) for run, value in values.items()], LOOKS)
        axes.set_xlabel(label.replace(" ", "\n"))
    panels_of[0].axvline(0.0, color="0.4", lw=0.8)
    panels_of[0].set_yticks(range(len(names)), names)
    return drawing


def graphs_correctors_gains(settings: Settings) -> Drawing:
    """What adaptive momentum gains in squared MMD (positive: nearer to real graphs or molecules)
    after {evaluations} score evaluations, in standard errors of each set. "adaptive" is the
    authors' code, which loses the adjacency's momentum, "in both" has it in both states. Lines:
    {confidence} intervals, which hold 0 where nothing is resolved.
    """
    names = [name for name, _ in settings.sets()]
    drawing = Drawing(figsize=(3.4, 1.0 + 0.36 * len(names)), layout="constrained")
    axes = drawing.subplots()
    for number, (pair, (label, colour, marker)) in enumerate(LABELS.items()):
        scores = [standardised(checks.gain_of(settings, name, pair).interval) for name in names]
        places = np.arange(len(scores)) + 0.22 * (number - (len(PAIRS) - 1) / 2)
        axes.errorbar(
            scores,
            places,
            xerr=QUANTILE,
            fmt=marker,
            color=colour,
            ms=4,
            elinewidth=0.8,
            label=label,
        )
    axes.axvline(0.0, color="0.4", lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("gain in standard errors")
    legend_above(axes, columns=1)
    return drawing


def graphs_correctors_margins(settings: Settings) -> Drawing:
    """On QM9 a gain over Langevin's corrector beyond the margin is excluded; on other sets it is
    not. Gain in squared MMD of adaptive momentum (authors' code) over Langevin's corrector, over
    what that corrector changes itself; positive: adaptive momentum is nearer to real ones.
    {evaluations} score evaluations, common noise, equal noise scales; {confidence} intervals.
    Shaded: the margin, a tenth. Above each line: the gain itself.
    """
    names = [name for name, _ in settings.sets()]
    drawing = Drawing(figsize=(3.4, 0.7 + 0.32 * len(names)), layout="constrained")
    axes = drawing.subplots()
    axes.axvspan(-MARGIN, MARGIN, color="C0", alpha=0.12, linewidth=0)
    axes.axvline(0.0, color="0.4", lw=0.8)
    for place, name in enumerate(names):
        gain = checks.gain_of(settings, name, "langevin").interval
        unit = (
            abs(checks.brought_by_corrector(settings, name).value) or math.nan
        )  # no line where it changes nothing
        axes.plot([gain.low / unit, gain.high / unit], [place, place], color="#CC79A7", lw=1.3)
        axes.plot([gain.value / unit], [place], "o", color="#CC79A7", ms=4)
        number = f"{gain.value:.2g} [{gain.low:.2g}, {gain.high:.2g}]".replace("e-0", "e-").replace(
            "-", "−"
        )
        axes.text(0.0, place - 0.15, number, ha="center", va="bottom", fontsize="small")
    axes.set_xscale("symlog", linthresh=MARGIN / 10)
    axes.set_xticks(
        (-10, -1, -MARGIN, 0, MARGIN, 1, 10), ("−10", "−1", "−0.1", "0", "0.1", "1", "10")
    )
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set_xlabel("gain, in units of the corrector's change")
    return drawing


def tables(settings: Settings) -> list[Table]:
    """Return the published tables' shape (graphs, molecules), every cell, and the
    configurations.
    """
    values: dict[str, Any] = {"evaluations": 2 * JUDGED, "confidence": f"{CONFIDENCE:.0%}"}
    return [
        tabled(
            graphs_correctors,
            ("set", "sampler", "n, seeds", *STATISTICS),
            CLAIMS,
            settings,
            **values,
        ),
        tabled(
            molecules_correctors,
            ("set", "sampler", "n, seeds", *SHARES),
            CLAIMS,
            settings,
            **values,
        ),
        tabled(graphs_correctors_cells, CELLS, CLAIMS, settings),
        tabled(graphs_correctors_configurations, CONFIGURED, CLAIMS),
    ]


def text_of(interval: Interval) -> str:
    """Return a value with its interval, as a table has it."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def columns_of(settings: Settings, name: str, sizes: SetSizes, run: SamplerRun) -> dict[str, str]:
    """Return the columns of the published table, by name, of a run at the judged steps."""
    common = study.common_of(settings, name, sizes)
    row = study.row_of(settings, name, run)
    if name not in MOLECULES:
        return {kind: text_of(entry) for kind, entry in zip(STATISTICS, row.entries, strict=True)}
    validity, uniqueness, novelty = study.quality_of(common, run, study.runs_of(name, sizes))
    judged = study.judged_runs(name, sizes)
    distance = study.chemnet(common, judged)[judged.index(run)] if settings.chemnet else None
    chemnet = NONE if distance is None else f"{distance:.2f}"
    shares = (
        text_of(validity),
        f"{uniqueness:.3f}",
        text_of(novelty),
        text_of(row.distance),
        chemnet,
    )
    return dict(zip(SHARES, shares, strict=True))


def graphs_correctors(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler after {evaluations} score evaluations, each with its {confidence} interval, and
    below them GDSS's published row (1000 steps of its own sampler). Squared MMDs to the authors'
    test set, as published (biased, for sets of its size). A set that is not run at this profile
    says so; graphs_correctors_cells has its command.
    """
    for name in (name for name in NAMES if name not in MOLECULES):
        yield from _block(settings, name, STATISTICS)


def molecules_correctors(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler after {evaluations} score evaluations, each with its {confidence} interval, and
    below them GDSS's published row (1000 steps of its own sampler). Molecules: valid without
    correction; different among all; not in the known list; squared NSPDK MMD (unbiased) and Frechet
    ChemNet distance to real ones. That distance has no interval, and uniqueness none; it is not
    computed in cpu, nor for fewer than 100 molecules.
    """
    for name in MOLECULES:
        yield from _block(settings, name, SHARES)


def _block(settings: Settings, name: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a set's rows: every sampler, then the published one."""
    sizes = settings.of(name)
    for sampler in samplers_of(name):
        if sizes is None:
            yield (name, sampler.name, *[NOT_RUN] * (1 + len(kinds)))
        else:
            columns = columns_of(settings, name, sizes, study.run_at(sizes, sampler))
            yield (
                name,
                sampler.name,
                f"{sizes.more * sizes.graphs}, {sizes.more}",
                *(columns[kind] for kind in kinds),
            )
    values = PUBLISHED_ROWS[name].values
    stated = (f"{values[kind]:g}" if kind in values else NONE for kind in kinds)
    yield (
        name,
        "GDSS, published",
        str(PUBLISHED_MOLECULES if name in MOLECULES else TEST_SET[name]),
        *stated,
    )


def graphs_correctors_cells(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler, set and budget, and what is not run with the command that would fill it and
    its processor hours on one thread, for as many graphs as the published test set has (1000
    molecules). steps: of the sampler itself. Squared MMD: unbiased, mean of three statistics or
    NSPDK.
    """
    for name in NAMES:
        yield from _cells_of(settings, name)


def _cells_of(settings: Settings, name: str) -> Iterator[tuple[TableCell, ...]]:
    sizes, there = settings.of(name), set[int]()
    if sizes:
        runs = study.runs_of(name, sizes)
        yield from (_made(settings, name, sizes, run) for run in runs)
        there = {run.evaluations for run in runs}
    for budget in (2 * steps for steps in STEPS if not sizes or steps not in sizes.steps):
        count = "all others" if budget in there else f"all {len(samplers_of(name))}"
        command = f"ams correct-graphs {name} {budget} --graphs {TEST_SET[name]}"
        yield (name, count, budget, *[NONE] * 6, command, round(hours_of(name, budget), 3))


def _made(settings: Settings, name: str, sizes: SetSizes, run: SamplerRun) -> tuple[TableCell, ...]:
    value, low, high, _ = study.row_of(settings, name, run).distance
    steps, n = run.evaluations // SAMPLERS[run.sampler].evaluations, run.seeds * sizes.graphs
    return (name, run.sampler, run.evaluations, steps, n, run.seeds, value, low, high, NONE, NONE)


def hours_of(name: str, evaluations: int) -> float:
    """Return the processor hours of all samplers of a set, each with so many evaluations of a whole
    test set.
    """
    return CONFIGURATIONS[name].rate * evaluations * len(samplers_of(name)) * TEST_SET[name] / 3600


def graphs_correctors_configurations() -> Iterator[tuple[TableCell, ...]]:
    """What the correctors are run with: predictor, snr and noise scale of GDSS's configuration; the
    noise scale in the configuration of the authors of adaptive momentum, where it is known (run as
    a sampler of its own); and what GDSS's configuration has instead.
    """
    for name in NAMES:
        own = CONFIGURATIONS[name]
        momentum = "not known" if own.momentum is None else f"{own.momentum:g}"
        predictor = own.predictor.__name__.replace("_", " ")
        yield name, predictor, own.snr, own.scale_eps, momentum, own.difference or "none"


def correct(name: str, evaluations: int, graphs: int, seed: int) -> int:
    """Print the squared MMD of every sampler of a set to real graphs, and return 0.

    Raises UserError for fewer than four graphs and odd evaluations, DataUnavailable, Unavailable,
    NonFiniteState.
    """
    if graphs < 4 or evaluations < 2 or evaluations % 2:
        raise UserError(
            f"{graphs} graphs, {evaluations} evaluations: at least 4 graphs and evenly "
            "many evaluations are needed"
        )
    batch = next(size for size in BATCHES if graphs % size == 0)
    common = Common(name, graphs, batch, REAL if name in study.MOLECULES else 0, seed)
    print(
        f"{name}: squared MMD after {evaluations} score evaluations, {graphs} graphs, seed {seed}"
    )
    for sampler in samplers_of(name):
        distance = study.row(common, SamplerRun(sampler.name, evaluations, 1)).distance
        print(f"{sampler.name:24} {text_of(distance)}", flush=True)
    return 0
