"""The group's figures: a set's distances and validity by score evaluations, and what momentum gains on every set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import interval_curves, interval_points, legend_above, panels, ticks
from ams.statistics import CONFIDENCE, Interval
from ams_suite.drawn import save_drawn
from experiments.graphs.correctors import checks, study
from experiments.graphs.correctors.configurations import JUDGED, MOLECULES
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import PAIRS, SamplerRun
from experiments.graphs.correctors.tables import tables
from experiments.graphs.intervals import QUANTILE, standardised
from experiments.graphs.looks import LOOKS
from verdicts import Figure, save_figure

__all__ = ["figures", "tables"]

Curves = Mapping[SamplerRun, Interval]
"""A quantity with its interval, by run."""
DODGE = 1.05
"""Factor between neighbouring samplers along the logarithmic axis."""
GAINS = ("V15", "V16", "V16a", "V17", "V17a", "V17b", "V19", "V19a")
CLAIMS_OF = {
    "ENZYMES": ("V19", "V19a", "V20"),
    "grid": ("V19", "V19a", "V20a"),
    "QM9": ("V15", "V16a", "V18", "V20"),
    "ZINC250k": ("V18a", "V19", "V19a", "V20"),
}
LABELS = {
    "langevin": ("adaptive on Langevin", "#CC79A7", "P"),
    "predictor": ("adaptive on the predictor alone", "#0072B2", "o"),
    "intended": ("adaptive in both on Langevin", "#D55E00", "s"),
}


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw each set that is run, and the gains on all of them."""
    drawn = [_of_set(settings, folder, name, sizes) for name, sizes in settings.sets()]
    values = {"evaluations": 2 * JUDGED, "confidence": f"{CONFIDENCE:.0%}"}
    return [*drawn, *save_drawn({graphs_correctors_gains: GAINS}, folder, settings, **values)]


def _of_set(settings: Settings, folder: Path, name: str, sizes: SetSizes) -> Figure:
    what, against = "mean of degree, clustering and orbit", "the authors' test set"
    if name in MOLECULES:
        what, against = "NSPDK kernel", f"{sizes.real} real molecules"
    caption = (
        f"{name} by score evaluations: squared MMD ({what}; unbiased, so it is 0 on average for real ones) to {against}"
        f"{', and the share valid without correction' if name in MOLECULES else ''}. A predictor with a corrector (PC) "
        "takes two evaluations a step, the predictor alone one. The authors' checkpoint, common noise, "
        f"{sizes.more * sizes.graphs} a point after {2 * JUDGED} evaluations"
        f"{f', {sizes.seeds * sizes.graphs} elsewhere' if len(sizes.steps) > 1 else ''}; {CONFIDENCE:.0%} intervals."
    )
    stem = f"graphs_correctors_{name.lower()}"
    return save_figure(draw_set(settings, name, sizes), folder, stem, caption, claims_of(name))


def claims_of(name: str) -> tuple[str, ...]:
    """Return the claims that a set's figure illustrates."""
    return CLAIMS_OF.get(name, ("V15", "V16"))


def curves_of(settings: Settings, name: str, sizes: SetSizes) -> list[tuple[str, Curves]]:
    """Return what is drawn of a set, each quantity with its label."""
    common, runs = study.common_of(settings, name, sizes), study.runs_of(name, sizes)
    runs = [run for run in runs if run.evaluations // 2 in sizes.steps]
    curves: list[tuple[str, Curves]] = [("squared MMD", {run: study.row(common, run).distance for run in runs})]
    if name in MOLECULES:
        every = study.runs_of(name, sizes)
        curves.append(("share valid", {run: study.quality_of(common, run, every).validity for run in runs}))
    return curves


def draw_set(settings: Settings, name: str, sizes: SetSizes) -> Drawing:
    """Draw a set's curves, one below the other; side by side as rows of points where there is one budget."""
    curves = curves_of(settings, name, sizes)
    if len(sizes.steps) == 1:
        return _rows(curves)
    drawing, axes_of = panels(len(curves), 2.4 if len(curves) == 1 else 2.0, sharex=True)
    for axes, (label, values) in zip(axes_of, curves, strict=True):
        names = dict.fromkeys(run.sampler for run in values)
        own = {n: {run.evaluations: value for run, value in values.items() if run.sampler == n} for n in names}
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
    """What adaptive momentum gains in squared MMD (positive: nearer to real graphs or molecules) after {evaluations}
    score evaluations, in standard errors of each set; below, over all sets (Stouffer's Z). "adaptive" is the authors'
    code, which loses the adjacency's momentum, "in both" has it in both states. Lines: {confidence} intervals, which
    hold 0 where nothing is resolved.
    """
    names = [name for name, _ in settings.sets()]
    drawing = Drawing(figsize=(3.4, 1.0 + 0.36 * (len(names) + 1)), layout="constrained")
    axes = drawing.subplots()
    for number, (pair, (label, colour, marker)) in enumerate(LABELS.items()):
        scores = [standardised(checks.gain_of(settings, name, pair).interval) for name in names]
        scores.append(checks.over_sets(settings, pair).value)
        places = np.arange(len(scores)) + 0.22 * (number - (len(PAIRS) - 1) / 2)
        axes.errorbar(scores, places, xerr=QUANTILE, fmt=marker, color=colour, ms=4, elinewidth=0.8, label=label)
    axes.axvline(0.0, color="0.4", lw=0.8)
    axes.axhline(len(names) - 0.5, color="0.8", lw=0.8)
    axes.set_yticks(range(len(names) + 1), [*names, "over all sets"])
    axes.set_ylim(len(names) + 0.5, -0.5)
    axes.set_xlabel("gain in standard errors")
    legend_above(axes, columns=1)
    return drawing
