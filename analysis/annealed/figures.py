"""The group's figures: errors against evaluations and against the step, and the sensitivities. Then
its tables.

The docstring of a function that draws is its figure's caption; of one that yields rows, its
table's.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import (
    budget_ticks,
    error_against_nfe,
    legend_above,
    panels,
    reference_line,
    speed_up_panel,
    ticks,
)
from ams.samplers.looks import LOOKS
from ams.samplers.presets import DEFAULT, SPECS, LineMethod
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from ams_suite.drawn import save_drawn, speed_up_chart, tabled
from analysis.annealed import gaussian, mixture, study
from analysis.annealed.checks import settings_ratios
from analysis.annealed.film_chart import film
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    ELSEWHERE_W2,
    KL,
    LINE_ELSEWHERE,
    LINE_KL,
    LINE_W2,
    W2,
    Criterion,
    SpeedUp,
    curve,
    default_line_run,
    sizes_of,
    speed_ups,
)
from analysis.annealed.settings import (
    ABLATIONS,
    BASELINE,
    CAUSES,
    LARGER_DRIFT,
    OTHERS,
    PAPER,
    RIVALS,
    TABULATED,
    Settings,
)
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

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
        annealed_mixture_causes: ("B3", "B5"),
        annealed_mixture_rivals: ("B4", "B5"),
        annealed_steps: ("B1", "P2"),
        sensitivity_snr: ("B2",),
        sensitivity_T: ("B2",),
        sensitivity_delta: ("P3",),
        sensitivity_batch: ("B2",),
    }
    wanted = {draw: shown for draw, shown in claims.items() if study.drawn(settings, draw.__name__)}
    return save_drawn(wanted, folder, settings)


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
            "case": case.name,
            "tuned": tuned,
            "budget": point.budget,
            "times": round(point.high, 3) if math.isfinite(point.high) else None,
            "more": None if math.isfinite(point.high) else round(point.low, 3),
        }
        for case in (KL, W2, LINE_KL)
        for tuned in ("default", "tuned")
        for point in speed_ups(case, settings, tuned == "tuned")
        if point.budget <= 1000
    ]
    return speed_up_chart(rows, logarithmic=True, shaded=(2, 50))


def speed_up_curves(settings: Settings) -> Drawing:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive
    momentum, against the latter's evaluations. Shaded: at least twice as many. At NCSNv2's
    defaults, tuned on the target for each budget and error, and tuned on Gaussians of other
    condition numbers or on other mixtures. Triangles: Langevin does not get there within its
    budgets, and the factor is larger than shown.
    """
    drawing, (above, below) = panels(2, 2.6, sharex=True, sharey=True)
    for axes, cases in (
        (above, (KL, W2, ELSEWHERE, ELSEWHERE_W2)),
        (below, (LINE_KL, LINE_ELSEWHERE)),
    ):
        curves = {
            (case, tuned): speed_ups(case, settings, tuned)
            for case in cases
            for tuned in (False, True)
        }
        names = {pair: f"{pair[0].name}, {'tuned' if pair[1] else 'defaults'}" for pair in curves}
        shown = {
            names[pair]: [(p.budget, p.high) for p in points]
            for pair, points in curves.items()
            if points
        }
        speed_up_panel(axes, shown, markevery=0.05)
        never = [
            (p.budget, p.low) for points in curves.values() for p in points if math.isinf(p.high)
        ]
        axes.plot(
            [at for at, _ in never], [more for _, more in never], "^", color="0.5", markersize=2
        )
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
    ratios = settings_ratios(settings)
    own = [ratio.own for ratio in ratios.values()]
    other = [ratio.other for ratio in ratios.values()]
    _draw_ratios(axes, own, PAPER, -0.15, "over its own least KL")
    _draw_ratios(axes, other, BASELINE, 0.15, "over annealed Langevin's KL")
    reference_line(axes, 2.0, "twice", right=False, above=False)
    axes.axhline(1.0, color="0.3", lw=0.8)
    axes.set(yscale="log", ylim=(0.1, 20), xlabel="score evaluations (NFE)", ylabel="ratio of KL")
    axes.set_xticks(range(len(ratios)), [str(budget) for budget in ratios])
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
    parts, constant = (BASELINE, PAPER, *ABLATIONS), (BASELINE, PAPER, *LARGER_DRIFT)
    return _draw_errors(
        settings, {"Parts of adaptive momentum": parts, "A constant drift factor": constant}
    )


def annealed_rivals(settings: Settings) -> Drawing:
    """Samplers without momentum need fewer evaluations than adaptive momentum. KL to a Gaussian (d
    = 16, condition number 1000, exact distributions) against score evaluations, at the defaults
    (left) and tuned for each budget (right). Above: consistent annealed sampling, Heun's and EDM's
    method need fewer; Heun's floor is the start's. Below: so do the solvers. Constant momentum,
    tuned, dips where its too small variance cancels the lag.
    """
    return _draw_errors(settings, {"Rivals compared in B4": RIVALS, "Others": OTHERS})


def _draw_errors(settings: Settings, rows: Mapping[str, Sequence[str]]) -> Drawing:
    """KL on the Gaussian against evaluations, at the defaults and tuned for each budget, a row a
    set of samplers.
    """
    drawing = Drawing(figsize=(3.4, 2.6 * len(rows)), layout="constrained")
    columns = {
        "NFE, at the defaults": settings.budgets + settings.long,
        "NFE, tuned": settings.tuned,
    }
    for part, (title, samplers) in zip(
        drawing.subfigures(len(rows), 1, squeeze=False).flat, rows.items(), strict=True
    ):
        line = part.subplots(1, 2, sharey=True)
        for axes, tuned, (label, budgets) in zip(line, (False, True), columns.items(), strict=True):
            curves = {name: curve(KL, settings, name, tuned) for name in samplers}
            many = [
                name for name in samplers if settings.at_every(name)
            ]  # so many that their markers would touch
            error_against_nfe(
                axes,
                {n: [p for p in curves[n] if n not in many or p[0] in budgets] for n in samplers},
            )
            axes.set_xlabel(label)
            ticks(axes, [at for at in (20, 100, 500, 2000) if min(budgets) <= at <= max(budgets)])
        line[0].set(ylabel=_KL_LABEL)
        line[0].set_ylim(bottom=1e-4)
        reference_line(line[0], gaussian.tempered_errors().kl, r"$\pi^4$")
        entries = line[0].get_legend_handles_labels()
        part.legend(*entries, loc="outside upper left", ncols=2, title=title, alignment="left")
    return drawing


def annealed_mixture_causes(settings: Settings) -> Drawing:
    """Samplers with too small a variance lose weight in the smaller mode. Mixture .3/.7 at -1/+1,
    modes of s.d. 0.1, at the defaults: KL (where it can be told from 0) and the minority mode's
    weight, Langevin by its density on a grid, the others by particles; dotted: the target's.
    """
    return _draw_line(settings, CAUSES)


def annealed_mixture_rivals(settings: Settings) -> Drawing:
    """Rivals on the mixture .3/.7 at -1/+1, modes of s.d. 0.1, at the defaults: KL (where it can be
    told from 0) and the minority mode's weight, by the density on a grid, moved quantiles (Heun) or
    particles; dotted: the target's.
    """
    return _draw_line(settings, RIVALS)


def _draw_line(settings: Settings, samplers: Sequence[str]) -> Drawing:
    """KL on the mixture, where an estimate differs from 0, and the weight of its minority mode,
    at the defaults.
    """
    drawing, (above, below) = panels(2, 2.5)
    budgets = settings.line_budgets
    ends = {
        name: [(b, default_line_run(settings, name, b).errors) for b in budgets]
        for name in samplers
    }
    resolved = {
        name: [(b, end.kl.value) for b, end in runs if end.kl.low > 0.0 and end.kl.value < math.inf]
        for name, runs in ends.items()
    }
    weights = {name: [(b, end.minority.value) for b, end in runs] for name, runs in ends.items()}
    error_against_nfe(above, resolved)
    error_against_nfe(below, weights, logarithmic=False)
    reference_line(below, mixture.MINORITY, "")
    for axes in (above, below):
        budget_ticks(axes, budgets)
        axes.set_xlim(0.9 * min(budgets), 1.1 * max(budgets))
    above.set(ylabel=_KL_LABEL, ylim=(1e-4, 3))
    below.set(ylabel="weight of the minority mode", ylim=(0.18, 0.48))
    legend_above(above)
    return drawing


def annealed_steps(settings: Settings) -> Drawing:
    r"""Errors against the step on the Gaussian. Lines: stationary distributions at the last noise
    level (G3 at b = 0 and 0.9; the adaptive mean field, solved for). Markers: annealed runs at the
    largest budget, T = 5. As the step falls, Langevin's floor falls and momentum's rises towards
    that of $\pi^4$: A3's limit for isotropic Gaussians, large batch, no clip; close to it is G5's
    at 0.9.
    """
    drawing, both = panels(2, 2.6, sharex=True)
    steps, tempered = study.step_grid(settings), gaussian.tempered_errors()
    for axes, kind in zip(both, ("kl", "w2"), strict=True):
        for sampler in study.STEP_SAMPLERS:
            floor = [getattr(errors, kind) for errors in study.stationary_errors(sampler, steps)]
            axes.loglog(steps, floor, color=LOOKS[sampler].colour)
        for sampler in study.STEP_SAMPLERS:
            runs = gaussian.runs(sampler, max(settings.long), study.steps_at(settings))
            values = [getattr(run.errors, kind) for run in runs]
            axes.loglog(settings.sweep_steps, values, **{**LOOKS[sampler].style(), "linestyle": ""})
        reference_line(axes, getattr(tempered, kind), r"$\pi^4$")
    both[1].set_xlabel(r"step $u = a/\sigma^2$, one value for all noise levels")
    both[0].set(ylabel=_KL_LABEL, ylim=(1e-5, 30))
    both[1].set(ylabel="$W_2$", ylim=(1e-4, 5))
    legend_above(both[0])
    return drawing


def _draw_sweep(
    settings: Settings, field: str, values: Sequence[float]
) -> tuple[Drawing, Sequence[Axes]]:
    """KL on the Gaussian at two budgets against one hyperparameter, for the samplers that have
    it.
    """
    drawing, both = panels(2, 2.3)
    for axes, budget in zip(both, settings.probes, strict=True):
        for sampler, along in study.sweeps(settings):
            if getattr(along[0], field) == values[0]:
                errors = [run.errors.kl for run in gaussian.runs(sampler, budget, along)]
                axes.loglog(values, errors, **LOOKS[sampler].style())
        axes.set_ylabel(f"KL (nats) at {budget} NFE")
    legend_above(both[0])
    return drawing, both


def sensitivity_snr(settings: Settings) -> Drawing:
    """Sensitivity to the corrector's signal-to-noise ratio (Gaussian, exact): KL at two budgets.
    Adaptive momentum has no wider range of good values than Langevin's corrector.
    """
    drawing, both = _draw_sweep(settings, "snr", settings.sweep_snr)
    for axes, budget in zip(both, settings.probes, strict=True):
        alone = gaussian.runs("reverse diffusion", budget, (DEFAULT,))[0].errors.kl
        axes.set_ylim(bottom=alone / 3)
        reference_line(axes, alone, "reverse diffusion alone", right=False, above=False)
        axes.axvline(0.16, color="0.8", lw=0.8)
    both[-1].set_xlabel("snr (authors' code: 0.16, grey line)")
    return drawing


def sensitivity_T(settings: Settings) -> Drawing:
    """Sensitivity to the steps per noise level at NCSNv2's step (Gaussian, exact): KL at two
    budgets.
    """
    drawing, both = _draw_sweep(settings, "repeats", settings.sweep_repeats)
    for axes in both:
        ticks(axes, [1, 2, 5, 10, 30])
        axes.set_ylim(1e-3, 1e2)
    both[-1].set_xlabel("steps per noise level, T (NFE / T levels)")
    return drawing


def sensitivity_delta(settings: Settings) -> Drawing:
    r"""Sensitivity of adaptive momentum to the clip $\delta$ (Gaussian, exact): up to 0.3 it
    changes no final KL.
    """
    drawing, (axes,) = panels()
    *_, (sampler, along) = study.sweeps(settings)
    for number, budget in enumerate(settings.probes):
        errors = [run.errors.kl for run in gaussian.runs(sampler, budget, along)]
        axes.loglog(
            settings.sweep_delta,
            errors,
            color=f"C{number}",
            marker="so"[number],
            label=f"{budget} NFE",
        )
    axes.axvline(1e-3, color="0.8", lw=0.8)
    axes.set_ylim(0.03, 3)
    axes.set(xlabel=r"clip $\delta$ (authors' code: $10^{-3}$, grey line)", ylabel=_KL_LABEL)
    legend_above(axes)
    return drawing


def sensitivity_batch(settings: Settings) -> Drawing:
    """Sensitivity of adaptive momentum to the batch that its norms average over (1: a momentum
    coefficient per sample): KL at two budgets on the Gaussian (d = 16, from moments) and on the
    mixture, by particles; bars: jackknife intervals at a false-alarm rate of 1e-6; dotted: the
    exact mean field. From 25 samples on none is seen.
    """
    drawing, both = panels(2, sharex=True)
    for number, budget in enumerate(settings.probes):
        by_size = [
            study.kl_of_batch(budget, size, sizes_of(settings)) for size in settings.sweep_batch
        ]
        for axes, intervals in zip(both, zip(*by_size, strict=True), strict=True):
            value, low, high, _ = np.array(intervals).T
            style: dict[str, Any] = {
                "color": f"C{number}",
                "marker": "so"[number],
                "label": f"{budget} NFE",
            }
            axes.errorbar(settings.sweep_batch, value, [value - low, high - value], **style)
        alone = gaussian.runs(PAPER, budget, (DEFAULT,))[0].errors.kl
        reference_line(both[0], alone, "mean field", right=False)
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
    everything = settings.tabulated or TABULATED
    # particles' own noise in the modes' weights would drown their W2
    header = ("NFE", *(f"{case.name}{', tuned' if tuned else ''}" for case, tuned in SPEED))
    known = [
        sampler for sampler in everything if SPECS[sampler].line_method is not LineMethod.PARTICLES
    ]
    return [
        needed_table(settings, KL, everything, settings.kl, "needed_gaussian_kl"),
        needed_table(settings, W2, everything, settings.w2, "needed_gaussian_w2"),
        needed_table(settings, LINE_KL, everything, settings.line_kl, "needed_mixture_kl"),
        needed_table(settings, LINE_W2, known, settings.w2, "needed_mixture_w2"),
        tabled(speed_up, header, ("P2", "P2c", "P2d", "B2"), settings),
    ]


def needed_table(
    settings: Settings, case: Criterion, samplers: Sequence[str], errors: Sequence[float], name: str
) -> Table:
    """Return evaluations to each threshold, at the defaults and tuned; empty where the budgets
    do not reach it.
    """
    choices = [
        tuned for tuned in (False, True) if not tuned or case.budgets(settings, BASELINE, tuned)
    ]
    columns, grid = list(product(choices, errors)), ""
    if len(choices) > 1:
        last, grid = (
            max(case.budgets(settings, PAPER, True)),
            _grid(settings.on_the_line() if case.line else settings),
        )
        grid = f" Tuned for each budget and error, up to {last} evaluations, over: {grid}."
    header = ("sampler", *(f"{error:g}{', tuned' if tuned else ''}" for tuned, error in columns))
    said = {"name": name, "case": case.name, "grid": grid}
    return tabled(
        needed, header, ("P2", "B1", "B2", "B3", "B4"), settings, case, samplers, columns, **said
    )


def needed(
    settings: Settings,
    case: Criterion,
    samplers: Sequence[str],
    columns: Sequence[tuple[bool, float]],
) -> Iterator[tuple[TableCell, ...]]:
    """{case}: score evaluations to each threshold, log-log between budgets; the smallest budget is
    an upper bound.{grid}
    """
    for sampler in samplers:
        yield (
            sampler,
            *(_cell(curve(case, settings, sampler, tuned), error) for tuned, error in columns),
        )


def _grid(settings: Settings) -> str:
    """Return what tuning tries, in words."""
    return (
        f"T in {_list(settings.repeats)} and NCSNv2's step times "
        f"{_list((*settings.low_factors, *settings.factors))} "
        "(the smallest, "
        f"{_list(settings.low_factors)}, where drift or momentum is constant); snr in "
        f"{_list(settings.snrs)}; noise levels geometric or with EDM's exponent in "
        f"{_list(settings.rhos[:-1])}; churn "
        f"in {_list(settings.churns)}; constant momentum in {_list(settings.betas)}; "
        "drift of consistent annealed "
        "sampling, in units of the flow's, in "
        f"{_list(settings.drift_scales)}; RK45 by its tolerance"
    )


def _cell(points: Iterable[tuple[float, float]], error: float) -> TableCell:
    evaluations = nfe_to_threshold(points, error)
    return round(evaluations) if math.isfinite(evaluations) else ""


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


SPEED = (
    *product((KL, W2, LINE_KL), (False, True)),
    *product((ELSEWHERE, ELSEWHERE_W2, LINE_ELSEWHERE), (True,)),
)
"""The columns of the table of speed-ups: a case, at the defaults or tuned."""


def speed_up(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """How many times as many evaluations annealed Langevin needs for the error of adaptive
    momentum, both at the defaults or both tuned: by the first budget, of those computed, at which
    it gets there. >: it does not get there within its budgets. Empty: that budget was not run.
    """
    columns = [
        {point.budget: _times(point) for point in speed_ups(case, settings, tuned)}
        for case, tuned in SPEED
    ]
    known = {
        *settings.budgets,
        *settings.long,
        *settings.line_budgets,
        *settings.compared,
        *settings.elsewhere,
    }
    for budget in sorted(known & {budget for column in columns for budget in column}):
        yield budget, *(column.get(budget, "") for column in columns)


def _times(point: SpeedUp) -> TableCell:
    return round(point.high, 2) if math.isfinite(point.high) else f"> {point.low:.1f}"
