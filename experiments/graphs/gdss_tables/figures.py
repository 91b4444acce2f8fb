"""The group's figure and table: published rows and ours over the floor of real graphs."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import panels
from ams.statistics import CONFIDENCE
from ams_suite.drawn import save_drawn, tabled
from experiments.graphs.gdss_tables import study
from experiments.graphs.gdss_tables.settings import Settings
from experiments.graphs.gdss_tables.study import ERRORS, SETS, Entry
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("V10", "V11")


def tables(settings: Settings) -> list[Table]:
    """Return every row beside the published one and the floor."""
    sized = ("set", "statistic", "graphs", "steps")
    header = (
        *sized,
        "published",
        "ours",
        "errors",
        "seen from",
        "low",
        "high",
        "floor",
        "floor low",
        "floor high",
    )
    return [
        tabled(
            rows_and_published,
            header,
            CLAIMS,
            settings,
            name="graphs_rows",
            confidence=f"{CONFIDENCE:g}",
        )
    ]


def rows_and_published(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Published squared MMDs and ours, from the authors' checkpoints and samplers. Ours: the mean
    of the published (biased) estimate over sets as large as the test set; how many standard errors
    the published value is from it; the smallest difference that is seen with probability
    {confidence}; the interval with the test set resampled too. Floor: real graphs as generated
    ones, mean and central 95 % range.
    """
    sizes = (settings.samples, settings.steps)
    for name in SETS:
        for entry in study.row_of(settings, name).entries:
            ours = (
                entry.ours.value,
                entry.stray,
                entry.smallest,
                entry.resampled.low,
                entry.resampled.high,
            )
            yield name, entry.statistic, *sizes, entry.published, *ours, *entry.floor[:3]


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the rows over their floors."""
    rows = {name: study.row_of(settings, name) for name in SETS}
    far = [name for name, row in rows.items() if max(entry.stray for entry in row.entries) > ERRORS]
    values = {
        "far": (
            f" Farther than {ERRORS:.2f} standard errors from the published row: {', '.join(far)}."
        )
        if far
        else "",
    }
    return save_drawn({graphs_rows: CLAIMS}, folder, settings, **values)


def graphs_rows(settings: Settings) -> Drawing:
    """Squared MMDs of the authors' checkpoints to the test set, for sets of its size. Grey: central
    95 % of real graphs as generated ones. Circles: published; squares: ours, with one standard
    error of a single set. Published rows are of 1000 steps.{far}
    """
    drawing, axes_of = panels(len(SETS), 1.2)
    for axes, name in zip(axes_of, SETS, strict=True):
        entries = study.row_of(settings, name).entries
        for place, entry in enumerate(entries):
            _draw_entry(axes, place, entry)
        axes.set_yticks(range(len(entries)), [entry.statistic for entry in entries])
        title = f"{name}: {settings.samples} graphs, {settings.steps} steps"
        axes.set(title=title, ylim=(len(entries) - 0.5, -0.5))
        axes.set_xlim(left=0)
    axes_of[-1].set_xlabel("squared MMD")
    handles, labels = axes_of[0].get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    drawing.legend(by_label.values(), by_label, loc="outside upper left", ncols=2)
    return drawing


def _draw_entry(axes: Axes, place: int, entry: Entry) -> None:
    floor = [entry.floor.low, entry.floor.high]
    axes.plot(
        floor, [place] * 2, color="0.8", lw=9, solid_capstyle="butt", label="real graphs, 95 %"
    )
    at = (entry.published, place - 0.14)
    (circle,) = axes.plot(*at, "o", color="black", mfc="white", ms=5, label="published", zorder=3)
    circle.set_clip_on(False)  # where it lies on the axis
    label, error = "ours, one standard error of a set", entry.spread
    axes.errorbar(
        entry.ours.value, place + 0.14, xerr=error, fmt="s", color="black", label=label, zorder=3
    )
