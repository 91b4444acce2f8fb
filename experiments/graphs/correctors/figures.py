"""The group's figures and tables, from its table, and the command that prints one row by itself.

Figures: a set's distances and validity by score evaluations, and what momentum gains on every set,
in standard errors and in units of what the corrector changes. Tables: one shaped like the published
ones, every cell with its cost, and the configurations.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.errors import UserError
from ams.plots import interval_curves, interval_points, legend_above, panels, ticks
from ams.statistics import CONFIDENCE, Interval
from ams.statistics.bootstrap import BootstrapEstimate
from ams_suite.drawn import save_drawn, tabled
from experiments.graphs.correctors import study
from experiments.graphs.correctors.checks import gain
from experiments.graphs.correctors.configurations import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    CONFIGURATIONS,
    JUDGED,
    LANGEVIN,
    MOLECULES,
    NAMES,
    PREDICTOR,
    PUBLISHED_MOLECULES,
    PUBLISHED_ROWS,
    SAMPLERS,
    STATISTICS,
    STEPS,
    samplers_of,
)
from experiments.graphs.correctors.settings import Settings
from experiments.graphs.drawing import LOOKS
from experiments.graphs.intervals import QUANTILE, standardised
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import TableCell

DODGE = 1.05
"""Factor between neighbouring samplers along the logarithmic axis."""
CLAIMS_OF = {
    "community_small": ("V15a", "V16", "V21"),
    "ego_small": ("V15a", "V16", "V17b"),
    "ENZYMES": ("V17b", "V19", "V19a", "V20"),
    "grid": ("V17b", "V19", "V19a"),
    "QM9": ("V15", "V16a", "V20"),
    "ZINC250k": ("V17b", "V19", "V19a", "V20"),
}
CLAIMS = tuple(sorted({claim for claims in CLAIMS_OF.values() for claim in claims}))
PAIRS = {
    "adaptive on Langevin": (ADAPTIVE, LANGEVIN, ADAPTIVE),
    "adaptive on the predictor alone": (ADAPTIVE, PREDICTOR, PREDICTOR),
    "adaptive in both on Langevin": (ADAPTIVE_IN_BOTH, LANGEVIN, ADAPTIVE_IN_BOTH),
}
"""The nearer and the farther sampler of each gain that is drawn, and the one as which it is
drawn.
"""
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
SHARES = {
    "valid": "validity",
    "unique": "uniqueness",
    "new": "novelty",
    "NSPDK": "mmd",
    "FCD": "chemnet",
}
"""Columns of a set of molecules, and what they have."""
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
"""Real molecules that the command compares with."""
COMMON: dict[str, Any] = {"evaluations": 2 * JUDGED, "confidence": f"{CONFIDENCE:.0%}"}
"""What captions name."""


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw each set that is run, and the gains on all of them."""
    gains = {graphs_correctors_gains: CLAIMS, graphs_correctors_margins: ("V15", "V15a", "V19")}
    drawn = [_of_set(settings, folder, name) for name, _ in settings.sets()]
    return [*drawn, *save_drawn(gains, folder, settings, **COMMON)]


def _of_set(settings: Settings, folder: Path, name: str) -> Figure:
    what, against = "mean of degree, clustering and orbit", "the authors' test set"
    if name in MOLECULES:
        what, against = "NSPDK kernel", "real molecules"
    caption = (
        f"{name} by score evaluations: squared MMD ({what}; unbiased, so it is 0 on "
        f"average for real ones) to {against}"
        f"{', and the share valid without correction' if name in MOLECULES else ''}. A "
        "predictor with a corrector (PC) "
        "takes two evaluations a step, the predictor alone one. The authors' "
        "checkpoint, common noise; "
        f"{COMMON['confidence']} intervals. The table graphs_correctors_cells has the "
        "numbers of graphs or molecules."
    )
    stem = f"graphs_correctors_{name.lower()}"
    return save_figure(draw_set(settings, name), folder, stem, caption, CLAIMS_OF[name])


def draw_set(settings: Settings, name: str) -> Drawing:
    """Draw a set's curves, one below the other; side by side as rows of points where there is
    one budget.
    """
    quantities = {"squared MMD": "mmd"} | ({"share valid": "validity"} if name in MOLECULES else {})
    curves: dict[str, dict[str, dict[int, Interval]]] = {label: {} for label in quantities}
    for (sampler, budget), (row,) in results(settings, name).items():
        for label, quantity in quantities.items():
            curves[label].setdefault(sampler, {})[budget] = interval_of(getattr(row, quantity))
    budgets = sorted({budget for own in curves["squared MMD"].values() for budget in own})
    if len(budgets) == 1:
        return _rows(
            {
                label: {n: own[budgets[0]] for n, own in each.items()}
                for label, each in curves.items()
            }
        )
    drawing, axes_of = panels(len(curves), 2.4 if len(curves) == 1 else 2.0, sharex=True)
    for axes, (label, own) in zip(axes_of, curves.items(), strict=True):
        interval_curves(axes, own, LOOKS, DODGE)
        ticks(axes, budgets)
        axes.set_ylabel(label)
    axes_of[0].axhline(0.0, color="0.4", lw=0.8)
    axes_of[-1].set_xlabel("score evaluations (NFE)")
    legend_above(axes_of[0], columns=1)
    return drawing


def results(settings: Settings, name: str) -> dict[tuple[Any, ...], list[study.Numbers]]:
    """Return what was measured of a set, by sampler and evaluations."""
    return study.table_of(settings).results("sampler", "budget", data=name)


def interval_of(number: Any) -> Any:
    """Return the interval of an estimate, any other number as it is."""
    return number.interval() if isinstance(number, BootstrapEstimate) else number


def _rows(quantities: dict[str, dict[str, Interval]]) -> Drawing:
    """Draw a point with its interval for each sampler, from the top, a panel a quantity."""
    names = list(next(iter(quantities.values())))
    drawing = Drawing(figsize=(3.4, 0.7 + 0.2 * len(names)), layout="constrained")
    panels_of = drawing.subplots(1, len(quantities), sharey=True, squeeze=False)[0]
    for axes, (label, points) in zip(panels_of, quantities.items(), strict=True):
        interval_points(axes, [*points.items()], LOOKS)
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
    drawing, axes, names = _by_set(settings, 0.36)
    table = study.table_of(settings)
    for line, (label, (nearer, farther, drawn_as)) in enumerate(PAIRS.items()):
        scores = [standardised(gain(table, name, nearer, farther)) for name in names]
        look = LOOKS[drawn_as.name].style(label) | {"linestyle": "", "xerr": QUANTILE}
        axes.errorbar(scores, np.arange(len(names)) + 0.22 * (line - 1), **look)
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
    table, look = study.table_of(settings), LOOKS[ADAPTIVE.name].style()
    drawing, axes, names = _by_set(settings, 0.32)
    axes.axvspan(-MARGIN, MARGIN, color="C0", alpha=0.12, linewidth=0)
    for place, name in enumerate(names):
        own = gain(table, name, ADAPTIVE, LANGEVIN)
        # no line where it changes nothing
        unit = abs(gain(table, name, LANGEVIN, PREDICTOR).value) or math.nan
        low, high = own.interval
        axes.plot([low / unit, high / unit], [place, place], color=look["color"], lw=1.3)
        axes.plot([own.value / unit], [place], "o", color=look["color"], ms=4)
        number = f"{own.value:.2g} [{low:.2g}, {high:.2g}]".replace("e-0", "e-").replace("-", "−")
        axes.text(0.0, place - 0.15, number, ha="center", va="bottom", fontsize="small")
    axes.set_xscale("symlog", linthresh=MARGIN / 10)
    axes.set_xticks(
        (-10, -1, -MARGIN, 0, MARGIN, 1, 10), ("−10", "−1", "−0.1", "0", "0.1", "1", "10")
    )
    axes.minorticks_off()
    axes.set_xlabel("gain, in units of the corrector's change")
    return drawing


def _by_set(settings: Settings, height: float) -> tuple[Drawing, Any, list[str]]:
    """Return a figure, its axes with a line a set, `height` inches each, and the sets."""
    names = [name for name, _ in settings.sets()]
    drawing = Drawing(figsize=(3.4, 1.0 + height * len(names)), layout="constrained")
    axes = drawing.subplots()
    axes.axvline(0.0, color="0.4", lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    return drawing, axes, names


def tables(settings: Settings) -> list[Table]:
    """Return the published tables' shape (graphs, molecules), every cell, and the
    configurations.
    """
    return [
        tabled(
            graphs_correctors,
            ("set", "sampler", "n, seeds", *STATISTICS),
            CLAIMS,
            settings,
            **COMMON,
        ),
        tabled(
            molecules_correctors,
            ("set", "sampler", "n, seeds", *SHARES),
            CLAIMS,
            settings,
            **COMMON,
        ),
        tabled(graphs_correctors_cells, CELLS, CLAIMS, settings),
        tabled(graphs_correctors_configurations, CONFIGURED, CLAIMS),
    ]


def text_of(number: Any) -> str:
    """Return a number, with its interval where it has one, as a table has it; empty where there
    is none.
    """
    number = interval_of(number)
    if isinstance(number, Interval):
        return f"{number.value:.3f} [{number.low:.3f}, {number.high:.3f}]"
    return "" if number is None else f"{number:.3f}"


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
        yield from _block(settings, name, tuple(SHARES))


def _block(settings: Settings, name: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a set's rows: every sampler, then the published one."""
    made = results(settings, name)
    for sampler in samplers_of(name):
        cells = ["not run"] * (1 + len(kinds))
        for row in made.get((sampler.name, 2 * JUDGED), ()):
            numbers = (getattr(row, SHARES.get(kind, kind)) for kind in kinds)
            cells = [f"{row.graphs}, {row.seeds}", *map(text_of, numbers)]
        yield (name, sampler.name, *cells)
    values = PUBLISHED_ROWS[name].values
    stated = (f"{values[kind]:g}" if kind in values else "" for kind in kinds)
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
        made = results(settings, name)
        for (sampler, budget), (row,) in made.items():
            steps, (*interval, _) = budget // SAMPLERS[sampler].evaluations, row.mmd.interval()
            yield (name, sampler, budget, steps, row.graphs, row.seeds, *interval, "", "")
        for budget in (2 * steps for steps in STEPS):
            if missing := [one for one in samplers_of(name) if (one.name, budget) not in made]:
                command = f"ams correct-graphs {name} {budget} --graphs {TEST_SET[name]}"
                hours = CONFIGURATIONS[name].rate * budget * len(missing) * TEST_SET[name] / 3600
                yield (name, f"{len(missing)} more", budget, *[""] * 6, command, round(hours, 3))


def graphs_correctors_configurations() -> Iterator[tuple[TableCell, ...]]:
    """What the correctors are run with: predictor, snr and noise scale of GDSS's configuration; the
    noise scale in the configuration of the authors of adaptive momentum, where it is known (run as
    a sampler of its own); and what GDSS's configuration has instead.
    """
    for name, own in CONFIGURATIONS.items():
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
    batch = next(size for size in (4, 2, 1) if graphs % size == 0 and graphs >= 4 * size)
    common = study.Common(name, graphs, batch, REAL if name in MOLECULES else 0, seed)
    print(
        f"{name}: squared MMD after {evaluations} score evaluations, {graphs} graphs, seed {seed}"
    )
    for sampler in samplers_of(name):
        (row,) = study.measure(common, study.SamplerRun(sampler.name, evaluations, 1), False)
        print(f"{sampler.name:24} {text_of(row.mmd)}", flush=True)
    return 0
