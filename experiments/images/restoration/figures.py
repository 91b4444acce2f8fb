"""The group's figures and tables, from its table."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from matplotlib.figure import Figure as Drawing

from ams.plots import interval_curves, legend_above, panels, ticks
from ams.samplers.looks import LOOKS
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.drawn import save_drawn, tabled
from ams_suite.queries import difference
from experiments.images import drawing
from experiments.images.comparison import interval
from experiments.images.networks.ffdnet import LARGEST
from experiments.images.restoration import study
from experiments.images.restoration.settings import PAPER, REPEATS, SHOWN, Settings
from experiments.images.runs import generator
from verdicts import Figure, Measurement, Table
from verdicts.records.figures import TableCell
from verdicts.studies.table import RunTable

CLAIMS = ("W1", "W2", "W3", "W4")
MARGINS = {"energy": 0.04, "features": 0.7}
"""By measure: the difference that would matter, which is W3's tolerance."""
AT = 50
"""The evaluations at which images and differences are drawn."""
LABELS = {"energy": "pixels", "features": "features"}


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw errors by evaluations, differences to each rival, and restored images."""
    drawn = (restoration_errors, restoration_rivals, restoration_samples)
    values = {
        "over": f"{CONFIDENCE:.0%} intervals over {settings.batches} batches of {settings.batch}",
        "noise": f"{255 * LARGEST:g}/255",
    }
    return save_drawn(dict.fromkeys(drawn, CLAIMS), folder, settings, at=AT, **values)


def tables(settings: Settings) -> list[Table]:
    """Return every mean, and the differences of adaptive momentum's to each rival's."""
    header = (
        "sampler",
        "NFE",
        "choice",
        *(f"{name}{end}" for name in study.Numbers._fields for end in ("", " low", " high")),
    )
    rivals = "rival", "NFE", "choice", "measure", "difference", "low", "high", "margin", "decided"
    over = {"over": f"{CONFIDENCE:.1%}"}
    return [
        tabled(restoration, header, CLAIMS, settings, **over),
        tabled(restoration_differences, rivals, CLAIMS, settings, **over),
    ]


def _table(settings: Settings) -> RunTable:
    return RunTable(tuple(study.judged(settings)))


def restoration(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Restored colour images: energy distances less those of clean images, and the variance ratio
    of the noise that the network sees at the end; means with {over} intervals over batches.
    """
    for (sampler, budget, choice), rows in (
        _table(settings).results("sampler", "budget", "choice").items()
    ):
        columns = zip(*rows, strict=True)
        yield sampler, budget, choice, *(end for each in columns for end in interval(each))


def restoration_differences(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Adaptive momentum's energy distance less each rival's, both tuned, with {over} intervals;
    equal: the interval lies within the margin.
    """
    table = _table(settings)
    for (name, margin), budget in product(MARGINS.items(), settings.budgets):
        for rival, choice, measured in _differences(table, settings, name, budget):
            low, high = measured.interval
            decided = "closer" if high < 0 else "farther" if low > 0 else "not decided"
            if max(abs(low), abs(high)) <= margin:
                decided = "equal"
            yield rival, budget, choice, LABELS[name], measured.value, low, high, margin, decided


def _differences(
    table: RunTable, settings: Settings, number: str, budget: int
) -> Iterator[tuple[str, str, Measurement]]:
    """Yield each rival, the repeat of tuning, and the difference."""
    for rival in (name for name in settings.samplers if name != PAPER):
        for choice in REPEATS:
            less = difference(table, number, sampler=(PAPER, rival), budget=budget, choice=choice)
            yield rival, choice, less


def restoration_errors(settings: Settings) -> Drawing:
    """Energy distance of restored images to other test images less that of the clean images, each
    sampler as tuned the first time at 20 or 50 evaluations, two at 200: 10 has the choice of 20,
    100 that of 50. Bands: {over}. Colour images, FFDNet's score.
    """
    sheet, axes = panels(2)
    table = _table(settings)
    for panel, name in zip(axes, MARGINS, strict=True):
        curves = {
            sampler: {
                budget: mean_interval([*column.values.values()], CONFIDENCE)
                for budget, column in table.columns(
                    name, "budget", sampler=sampler, choice=REPEATS[0]
                ).items()
            }
            for sampler in settings.samplers
        }
        interval_curves(panel, curves, LOOKS)
        ticks(panel, (*settings.budgets, *settings.long))
        panel.set(xlabel="score evaluations (NFE)", ylabel=f"excess ({LABELS[name]})")
        panel.set_yscale("symlog", linthresh=MARGINS[name])
    legend_above(axes[0], 2)
    return sheet


def restoration_rivals(settings: Settings) -> Drawing:
    """Adaptive momentum's energy distance less each rival's at {at} evaluations, both tuned, twice:
    left of 0 it is closer to clean images. Bars: {over}. Shaded: the margin, within which two are
    equal. Colour images, FFDNet's score.
    """
    sheet, axes = panels(2, height=2.4)
    table = _table(settings)
    for panel, (name, margin) in zip(axes, MARGINS.items(), strict=True):
        panel.axvspan(-margin, margin, color="0.9", lw=0)
        panel.axvline(0.0, color="0.4", lw=0.8)
        rivals = [rival for rival in settings.samplers if rival != PAPER]
        for rival, choice, measured in _differences(table, settings, name, AT):
            low, high = measured.interval
            at = rivals.index(rival) + 0.3 * REPEATS.index(choice)
            bar = [[measured.value - low], [high - measured.value]]
            style = {**LOOKS[rival].style(), "linestyle": ""}
            panel.errorbar(measured.value, at, xerr=bar, **style)
        panel.set_yticks(range(len(rivals)), rivals, fontsize=7)
        panel.invert_yaxis()
        panel.set_xlabel(f"difference ({LABELS[name]})")
    return sheet


def restoration_samples(settings: Settings) -> Drawing:
    """Test images, the same with noise of standard deviation {noise}, and what samplers make of
    these at {at} evaluations with FFDNet's score, tuned, from the same starts and noise.
    """
    clean = study.clean(settings.setup, study.JUDGED, 1)[: drawing.COLUMNS]
    draws = generator(settings.setup.seed, 1)
    noisy = clean + LARGEST * torch.randn(clean.shape, generator=draws)
    rows = {"clean": clean.movedim(1, -1), "with noise": noisy.movedim(1, -1)}
    for name in SHOWN:
        rows[name] = study.shown(settings.setup._replace(size=drawing.COLUMNS), name, AT)
    return drawing.draw_grid(rows)
