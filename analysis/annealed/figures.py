"""The group's figures and tables, from its table.

The docstring of a function that draws is its figure's caption; of one that yields rows, its
table's.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import (
    budget_ticks,
    interval_band,
    legend_above,
    panels,
    reference_line,
    speed_up_panel,
    ticks,
)
from ams.samplers.looks import LOOKS
from ams.samplers.presets import DEFAULT, RK45, SPECS, LineMethod
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite import queries
from ams_suite.drawn import save_drawn, speed_up_chart, tabled
from analysis.annealed import gaussian, mixture, study
from analysis.annealed.film_chart import film
from analysis.annealed.settings import (
    ABLATIONS,
    BASELINE,
    CAUSES,
    LARGER_DRIFT,
    OTHERS,
    PAPER,
    RIVALS,
    Settings,
)
from verdicts import Figure, Measurement, Table
from verdicts.records.figures import TableCell
from verdicts.studies.table import RunTable

ON_MIXTURE = {"target": study.MIXTURE}
TARGETS: dict[str, tuple[str, dict[str, str]]] = {
    "Gaussian, KL": ("kl", {}),
    "Gaussian, W2": ("w2", {}),
    "mixture, KL": ("kl", ON_MIXTURE),
}
"""The errors by which samplers are compared: a number, and the labels of its rows."""
TUNED = {"defaults": {}, "tuned": {"tuned": "on it"}, "tuned on others": {"tuned": "elsewhere"}}
_KL_LABEL = r"KL(run $\|$ target) (nats)"


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures, or those of them that the settings name."""
    claims = {
        speed_up_by_budget: ("P2", "B2"),
        speed_up_curves: ("P2", "P2a", "P2b", "P2c", "P2d", "B2"),
        film: ("B5",),
        ratios_by_budget: ("P3a", "P3b"),
        annealed_causes: ("P2", "B1", "B2", "B3"),
        annealed_rivals: ("B4",),
        annealed_mixture: ("B3", "B4", "B5"),
        annealed_steps: ("B1", "P2"),
        sensitivity: ("B2", "P3"),
        sensitivity_batch: ("B2",),
    }
    wanted = [draw for draw in claims if not settings.drawn or draw.__name__ in settings.drawn]
    return save_drawn({draw: claims[draw] for draw in wanted}, folder, settings)


def speed_ups(settings: Settings, target: str, tuned: str) -> dict[int, Measurement]:
    """Return by budget how many times as many evaluations annealed Langevin needs, as P2's
    checks.
    """
    table = study.table(settings)
    number, labels = TARGETS[target]
    labels = labels | TUNED[tuned]
    budgets = table.choices("budget", sampler=PAPER, **labels)
    compared = settings.compared if labels == TUNED["tuned"] else budgets
    spacing = DEFAULT.repeats if tuned == "defaults" else 1
    pair = (BASELINE, PAPER)
    return {b: queries.speed_up(table, number, pair, b, spacing, **labels) for b in compared}


def reached(times: Measurement) -> bool:
    """Tell whether annealed Langevin gets there within its budgets."""
    return times.interval[1] < queries.UNREACHED


def speed_up_by_budget(settings: Settings) -> Any:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive
    momentum, by budget. Shaded: at least twice as many. Triangles: Langevin does not get there
    within its budgets, up to 3000 on the Gaussian, and the factor is larger than shown. Below 1
    adaptive momentum is the slower. Both have default hyperparameters, with which all budgets are
    computed, unless tuned ones are chosen.

    Choose tuned ones, and a target by its name in the legend.
    """
    rows = [
        {
            "case": target,
            "tuned": {"defaults": "default"}.get(tuned, tuned),
            "budget": budget,
            "times": round(times.value, 3) if reached(times) else None,
            "more": None if reached(times) else round(times.value, 3),
        }
        for target, tuned in product(TARGETS, ("defaults", "tuned"))
        for budget, times in speed_ups(settings, target, tuned).items()
        if budget <= 1000
    ]
    return speed_up_chart(rows, logarithmic=True, shaded=(2, 50))


def speed_up_curves(settings: Settings) -> Drawing:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive
    momentum, against the latter's evaluations. Shaded: at least twice as many. At NCSNv2's
    defaults, tuned on the target for each budget and error, and tuned on Gaussians of other
    condition numbers or on other mixtures. Triangles: Langevin does not get there within its
    budgets, and the factor is larger than shown.
    """
    drawing, both = panels(2, 2.6, sharex=True, sharey=True)
    for axes, kind in zip(both, ("Gaussian", "mixture"), strict=True):
        cases = [case for case in product(TARGETS, TUNED) if case[0].startswith(kind)]
        curves = {", ".join(case): speed_ups(settings, *case) for case in cases}
        shown = {
            name: [(b, times.value if reached(times) else math.inf) for b, times in points.items()]
            for name, points in curves.items()
            if points
        }
        speed_up_panel(axes, shown, markevery=0.05)
        known = [point for points in curves.values() for point in points.items()]
        beyond = [(budget, times.value) for budget, times in known if not reached(times)]
        axes.plot([b for b, _ in beyond], [more for _, more in beyond], "^", color="0.5", ms=2)
        budget_ticks(axes, [20, 2000])
        legend_above(axes, columns=1)
    return drawing


def ratios_by_budget(settings: Settings) -> Drawing:
    """Langevin's tuned settings can cost adaptive momentum several times its least error, and yet
    mostly leave it ahead of Langevin. KL of adaptive momentum on the stiff Gaussian (d = 16,
    condition number 1000, exact distributions) with the step and T that are best for annealed
    Langevin at each budget. Squares: over its own least KL; above the dotted line at 2 such
    settings do not serve (P3a). Circles: over annealed Langevin's KL; below 1 it is ahead (P3b).
    """
    drawing, (axes,) = panels(height=2.4)
    table, like = study.table(settings), (f"as {BASELINE}", "on it")
    for other, shift, label in (
        (PAPER, -0.15, "over its own least KL"),
        (BASELINE, 0.15, "over annealed Langevin's KL"),
    ):
        asked: dict[str, Any] = {"sampler": (PAPER, other), "tuned": like}
        values = [queries.ratio(table, "kl", budget=b, **asked).value for b in settings.tuned]
        _draw_ratios(axes, values, other, shift, label)
    reference_line(axes, 2.0, "twice", right=False, above=False)
    axes.axhline(1.0, color="0.3", lw=0.8)
    axes.set(yscale="log", ylim=(0.1, 20), xlabel="score evaluations (NFE)", ylabel="ratio of KL")
    axes.set_xticks(range(len(settings.tuned)), [str(budget) for budget in settings.tuned])
    axes.set_yticks((0.2, 0.5, 1, 2, 5, 10), ("0.2", "0.5", "1", "2", "5", "10"))
    axes.yaxis.minorticks_off()
    legend_above(axes)
    return drawing


def _draw_ratios(
    axes: Axes,
    values: Sequence[float],
    sampler: str,
    shift: float,
    label: str,
) -> None:
    """Draw a stem from 1 to each ratio, with its number, beside its budget's place by `shift`."""
    marker = "s" if sampler == PAPER else "o"
    places = np.arange(len(values)) + shift
    colour = LOOKS[sampler].colour
    axes.vlines(places, 1.0, values, color=colour, lw=1)
    axes.plot(places, values, marker, color=colour, label=label)
    for place, value in zip(places, values, strict=True):
        offset, edge = ((0, 4), "bottom") if value >= 1.0 else ((0, -4), "top")
        style: dict[str, Any] = {"ha": "center", "va": edge, "fontsize": "xx-small"}
        number = f"{value:.3g}"
        axes.annotate(number, (place, value), offset, textcoords="offset points", **style)


def annealed_causes(settings: Settings) -> Drawing:
    r"""On the stiff Gaussian the gain of adaptive momentum comes from its drift. KL (d = 16,
    condition number 1000; exact distributions) against score evaluations. Above: the drift factor
    alone (black) does as adaptive momentum; averaging alone, or noise to match the drift, gains
    little at small budgets. Below: a constant factor of 1.5 does more. At the defaults (left) the
    error of adaptive momentum turns and grows towards that of $\pi^4$, the limit that A3 proves on
    isotropic Gaussians (large batch, no clip). Right: tuned for each budget.
    """
    parts = ("Parts of adaptive momentum", (BASELINE, PAPER, *ABLATIONS))
    constant = ("A constant drift factor", (BASELINE, PAPER, *LARGER_DRIFT))
    return _draw_errors(settings, parts, constant)


def annealed_rivals(settings: Settings) -> Drawing:
    """Samplers without momentum need fewer evaluations than adaptive momentum. KL to a Gaussian (d
    = 16, condition number 1000, exact distributions) against score evaluations, at the defaults
    (left) and tuned for each budget (right). Above: consistent annealed sampling, Heun's and EDM's
    method need fewer; Heun's floor is the start's. Below: so do the solvers. Constant momentum,
    tuned, dips where its too small variance cancels the lag.
    """
    return _draw_errors(settings, ("Rivals compared in B4", RIVALS), ("Others", OTHERS))


def _curves(
    axes: Axes,
    table: RunTable,
    samplers: Sequence[str],
    number: str = "kl",
    along: str = "budget",
    among: Collection[float] = (),
    **labels: Any,
) -> None:
    """Draw a number of samplers along a label, on logarithmic axes; if asked, at some of its
    values.
    """
    for name in samplers:
        points = queries.curve(table, number, along, sampler=name, **labels)
        shown = [(at, value) for at, value in points if not among or at in among]
        axes.loglog([at for at, _ in shown], [value for _, value in shown], **LOOKS[name].style())


def _draw_errors(settings: Settings, *rows: tuple[str, Sequence[str]]) -> Drawing:
    """KL on the Gaussian against evaluations, at the defaults and tuned, a row a set of
    samplers.
    """
    drawing = Drawing(figsize=(3.4, 2.6 * len(rows)), layout="constrained")
    table = study.table(settings)
    columns = {"defaults": settings.budgets + settings.long, "tuned": settings.tuned}
    parts: Any = drawing.subfigures(len(rows), 1)
    for part, (title, samplers) in zip(parts, rows, strict=True):
        line = part.subplots(1, 2, sharey=True)
        for axes, (tuned, budgets) in zip(line, columns.items(), strict=True):
            _curves(axes, table, samplers, among=budgets, **TUNED[tuned])
            axes.set_xlabel(f"NFE, {tuned}")
            ticks(axes, [at for at in (20, 100, 500, 2000) if min(budgets) <= at <= max(budgets)])
        line[0].set(ylabel=_KL_LABEL)
        line[0].set_ylim(bottom=1e-4)
        reference_line(line[0], gaussian.tempered().kl, r"$\pi^4$")
        entries = line[0].get_legend_handles_labels()
        part.legend(*entries, loc="outside upper left", ncols=2, title=title, alignment="left")
    return drawing


def annealed_mixture(settings: Settings) -> Drawing:
    """Samplers with too small a variance lose weight in the smaller mode. Mixture .3/.7 at -1/+1,
    modes of s.d. 0.1, at the defaults: KL and the minority mode's weight, by the density on a grid,
    moved quantiles (Heun) or particles (KL to within 0.02); dotted: the target's. Left: parts of
    adaptive momentum and larger drifts. Right: rivals.
    """
    drawing = Drawing(figsize=(7.0, 5.0), layout="constrained")
    table, budgets = study.table(settings), settings.line_budgets
    columns: Any = drawing.subplots(2, 2, sharex=True, sharey="row").T
    for (above, below), samplers in zip(columns, (CAUSES, RIVALS), strict=True):
        for axes, number in ((above, "kl"), (below, "minority")):
            _curves(axes, table, samplers, number, among=budgets, **ON_MIXTURE)
            budget_ticks(axes, budgets)
        above.set(ylabel=_KL_LABEL, ylim=(1e-4, 3))
        below.set(ylabel="weight of the minority mode", yscale="linear", ylim=(0.18, 0.48))
        below.set_xlabel("score evaluations (NFE)")
        reference_line(below, mixture.MINORITY, "")
        above.legend(loc="lower left", fontsize="xx-small")
    return drawing


def annealed_steps(settings: Settings) -> Drawing:
    r"""Errors against the step on the Gaussian. Lines: stationary distributions at the last noise
    level (G3 at b = 0 and 0.9; the adaptive mean field, solved for). Markers: annealed runs at the
    largest budget, T = 5. As the step falls, Langevin's floor falls and momentum's rises towards
    that of $\pi^4$: A3's limit for isotropic Gaussians, large batch, no clip; close to it is G5's
    at 0.9.
    """
    drawing, both = panels(2, 2.6, sharex=True)
    table, tempered = study.table(settings), gaussian.tempered()
    for axes, number in zip(both, ("kl", "w2"), strict=True):
        for name in study.STEP_SAMPLERS:
            floor = queries.curve(table, number, "step", sampler=name)
            axes.loglog(*zip(*floor, strict=True), color=LOOKS[name].colour)
            runs = queries.curve(table, number, "step", sampler=name, budget=max(settings.long))
            axes.loglog(*zip(*runs, strict=True), **{**LOOKS[name].style(), "linestyle": ""})
        reference_line(axes, getattr(tempered, number), r"$\pi^4$")
    both[1].set_xlabel(r"step $u = a/\sigma^2$, one value for all noise levels")
    both[0].set(ylabel=_KL_LABEL, ylim=(1e-5, 30))
    both[1].set(ylabel="$W_2$", ylim=(1e-4, 5))
    legend_above(both[0])
    return drawing


def sensitivity(settings: Settings) -> Drawing:
    r"""Sensitivity to one hyperparameter (Gaussian, exact): KL at two budgets. Adaptive momentum
    has no wider range of good values of the corrector's signal-to-noise ratio (authors' code: 0.16)
    than Langevin's corrector. The steps per noise level T are at NCSNv2's step. Up to 0.3 the clip
    $\delta$ (authors' code: $10^{-3}$) changes no final KL.
    """
    drawing = Drawing(figsize=(3.4, 6.6), layout="constrained")
    table = study.table(settings)
    lines: Any = drawing.subplots(len(study.SWEPT), 2, sharey="row")
    for line, (field, label) in zip(lines, study.SWEPT.items(), strict=True):
        samplers = [name for name, swept in study.sweeps(settings) if swept == field]
        for axes, budget in zip(line, settings.probes, strict=True):
            _curves(axes, table, samplers, along=field, budget=budget)
            axes.set_xlabel(label)
            axes.set_title(f"{budget} NFE", fontsize="small")
        line[0].set(ylabel="KL (nats)")
        line[0].legend(fontsize="xx-small")
    return drawing


def sensitivity_batch(settings: Settings) -> Drawing:
    """Sensitivity of adaptive momentum to the batch that its norms average over (1: a momentum
    coefficient per sample): KL at two budgets on the Gaussian (d = 16, from moments) and on the
    mixture, by particles; bars: jackknife intervals at a false-alarm rate of 1e-6; dotted: the
    exact mean field. From 25 samples on none is seen.
    """
    drawing, both = panels(2, sharex=True)
    table = study.table(settings)
    for number, budget in enumerate(settings.probes):
        for axes, labels in zip(both, ({}, ON_MIXTURE), strict=True):
            columns = table.columns("kl", "coupled", sampler=PAPER, budget=budget, **labels)
            intervals = [column.values[0] for column in columns.values()]
            look = {"color": f"C{number}", "marker": "so"[number], "label": f"{budget} NFE"}
            interval_band(axes, [*columns], intervals, look)
        exact = dict(queries.curve(table, "kl", sampler=PAPER))
        reference_line(both[0], exact[budget], "mean field", right=False)
    for axes, target in zip(both, ("Gaussian", "mixture"), strict=True):
        axes.set(xscale="log", yscale="log", ylabel=f"KL (nats), {target}")
        ticks(axes, settings.sweep_batch)
    both[1].set_xlabel("batch size")
    legend_above(both[0])
    return drawing


def tables(settings: Settings) -> list[Table]:
    """Return evaluations to thresholds, for each target and error, and the speed-ups behind P2,
    P2c, P2d and B2.
    """
    # particles' own noise in the modes' weights would drown their W2
    particles, shown = LineMethod.PARTICLES, settings.in_tables
    known = [name for name in shown if SPECS[name].line_method is not particles]
    needed = [
        _needed(settings, "needed_gaussian_kl", shown, "kl", settings.kl),
        _needed(settings, "needed_gaussian_w2", shown, "w2", settings.w2),
        _needed(settings, "needed_mixture_kl", shown, "kl", settings.line_kl, ON_MIXTURE),
        _needed(settings, "needed_mixture_w2", known, "w2", settings.w2, ON_MIXTURE),
    ]
    columns = list(product(TARGETS, TUNED))
    header = ("NFE", *map(", ".join, columns))
    return [*needed, tabled(speed_up, header, ("P2", "P2c", "P2d", "B2"), settings, columns)]


def _needed(
    settings: Settings,
    name: str,
    samplers: Sequence[str],
    number: str,
    errors: Sequence[float],
    target: Mapping[str, str] = {},
) -> Table:
    """Return evaluations to each threshold, at the defaults and, where rows are tuned by it,
    tuned.
    """
    tried = settings.line_tuned if target else settings.tuned
    tuned = "defaults" if not tried or (target and number == "w2") else "tuned"
    columns = list(product(dict.fromkeys(["defaults", tuned]), errors))
    header = ("sampler", *(f"{error:g}, {how}" for how, error in columns))
    case = f"{target.get('target', 'Gaussian')}, {number.upper()}"
    rows = (settings, samplers, number, columns, target)
    return tabled(needed, header, ("P2", "B1", "B2", "B3", "B4"), *rows, name=name, case=case)


def needed(
    settings: Settings,
    samplers: Sequence[str],
    number: str,
    columns: Sequence[tuple[str, float]],
    target: Mapping[str, str],
) -> Iterator[tuple[TableCell, ...]]:
    """{case}: score evaluations to each threshold, log-log between budgets; the smallest budget is
    an upper bound. Tuned for each budget and error, over the grid that the group's settings state.
    """
    table = study.table(settings)
    for name in samplers:
        row: list[TableCell] = [name]
        for tuned, error in columns:
            solver = name == RK45.name
            along, how = ("tolerance", {}) if solver else ("budget", TUNED[tuned])
            labels = {"sampler": name, **target, **how}
            points = queries.curve(table, number, along, "evaluations", **labels)
            evaluations = nfe_to_threshold(points, error)
            row.append(round(evaluations) if math.isfinite(evaluations) else "")
        yield tuple(row)


def speed_up(
    settings: Settings,
    columns: Sequence[tuple[str, str]],
) -> Iterator[tuple[TableCell, ...]]:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive
    momentum, both at the defaults or both tuned: by the first budget, of those computed, at which
    it gets there. >: it does not get there within its budgets. Empty: that budget was not run.
    """
    curves = [speed_ups(settings, *case) for case in columns]
    shown = {*settings.budgets, *settings.long, *settings.line_budgets, *settings.compared}
    for budget in sorted(shown & {budget for points in curves for budget in points}):
        times = [points.get(budget) for points in curves]
        yield budget, *(_times(each) if each else "" for each in times)


def _times(times: Measurement) -> TableCell:
    return round(times.value, 2) if reached(times) else f"> {times.value:.1f}"
