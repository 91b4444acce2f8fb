"""Figures and tables that several groups share: of runs on an exact score, and of all batches of a
sampler as one set.

Of runs on an exact score: errors against evaluations, samples, evaluations to thresholds. Of a set
in features: distances to real images, and shares of the classes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.samplers.presets import EXACT
from ams_suite.drawn import tabled
from experiments.images import drawing
from experiments.images.comparison import (
    CONFIDENCE,
    THRESHOLD_HEADER,
    bands,
    error_curve,
    half_widths_named,
    interval,
    speed_ups,
    threshold_rows,
    with_half_widths,
)
from experiments.images.exact import BASELINE, PAPER, ExactSettings, Results
from experiments.images.features.pooled import QUANTITIES, Pooled
from experiments.images.features.scores import CONDITIONS, title
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import TableCell, save_chart

LABELS = ("energy distance", "variance ratio", "collisions", "classes")
"""The errors of a batch, as the table calls them."""
POINT = "Point at a mark for its numbers."
"""What a reader can do with a chart that has no choices."""


def draw_errors(results: Results, settings: ExactSettings) -> Drawing:
    """Draw KL per pixel and variance ratio of every sampler against its evaluations, with bands."""
    kl, ratios = bands(results, "kl"), bands(results, "variance_ratio")
    floor, _ = kl.pop(EXACT.name)[0][0], ratios.pop(EXACT.name)
    rows = [
        drawing.ErrorPanel(kl, "KL (nats a pixel)", (min(3e-5, floor / 3), 1.0), lines=(floor,)),
        drawing.ErrorPanel(ratios, "variance ratio $V$", (0.4, 2.0), False, lines=(1.0,)),
    ]
    return drawing.draw_rows(
        rows, sorted({b for name in settings.samplers for b in settings.budgets_of(name)})
    )


def exact_figures(
    settings: ExactSettings,
    results: Results,
    folder: Path,
    name: str,
    title: str,
    claims: tuple[str, ...],
    tuned: Results | None = None,
) -> list[Figure]:
    """Draw errors and speed-ups; `name` begins the figures' names, `title` their captions."""
    caption = (
        f"{title}, exact score, hyperparameters of the authors' code. Above: KL of a "
        "mode from the exact mode, "
        "$(V - 1 - \\ln V)/2$ a pixel; dotted: fresh draws of the target. Below: "
        "variance ratio $V$ of the residual "
        "about the nearest image; 1 is exact, below 1 the variance is too small. Bands: "
        f"{CONFIDENCE:.1%} intervals over {settings.batches} batches of {settings.batch}. "
        "Pale: annealed Langevin and "
        "adaptive momentum again. Arrows: means beyond the axis."
    )
    speed_up = (
        f"{title}, exact score: annealed Langevin's evaluations over adaptive momentum's "
        "at equal KL a pixel, against "
        "the latter's. Shaded: the paper's 2 to 5. No point: annealed Langevin does not "
        "get there within its budgets."
    )
    how = (
        "Choose tuned ones: the best step and steps per noise level for each "
        "budget, chosen on other batches."
    )
    kinds = {"default": results, "tuned": tuned or {}}
    pairs = {
        kind: [error_curve(runs.get(each, {}), "kl") for each in (PAPER, BASELINE)]
        for kind, runs in kinds.items()
    }
    curves = {(f"{title}, KL", kind): speed_ups(*pair) for kind, pair in pairs.items() if all(pair)}
    chart = drawing.move_speed_ups(curves)
    return [
        save_figure(draw_errors(results, settings), folder, f"{name}_errors", caption, claims),
        save_chart(chart, folder, f"{name}_speed_up", speed_up, claims, how if tuned else POINT),
    ]


def shown(sampler: str) -> str:
    """Return what tables call a sampler: draws of the target itself are no sampler's."""
    return "fresh draws" if sampler == EXACT.name else sampler


def exact_tables(
    settings: ExactSettings,
    results: Results,
    name: str,
    claims: tuple[str, ...],
    tuned: Results | None = None,
) -> list[Table]:
    """Return every error of every run, and the evaluations to thresholds."""
    said = {"batches": settings.batches, "confidence": f"{CONFIDENCE:.1%}"}
    header = ("sampler", "NFE", *half_widths_named(LABELS))
    return [
        tabled(errors, header, claims, results, name=name, batch=settings.batch, **said),
        tabled(
            needed,
            ("settings", *THRESHOLD_HEADER),
            claims,
            settings,
            results,
            tuned,
            name=f"{name}_speed",
            **said,
        ),
    ]


def errors(results: Results) -> Iterator[tuple[TableCell, ...]]:
    """Means over {batches} batches of {batch} samples, with the half-width of their {confidence}
    Student interval. Fresh draws of the target are the floor.
    """
    for sampler, curve in results.items():
        for budget, batches in curve.items():
            yield (
                shown(sampler),
                budget,
                *with_half_widths(map(interval, zip(*batches, strict=True))),
            )


def needed(
    settings: ExactSettings, results: Results, tuned: Results | None
) -> Iterator[tuple[TableCell, ...]]:
    """Evaluations at which KL (nats a pixel) first falls to a threshold, log-log between budgets,
    and annealed Langevin's over them at the same settings; {confidence} intervals by Student's test
    over {batches} batches end at budgets that were run. The smallest is an upper bound. Tuned: the
    best step and steps per noise level for each budget, chosen on other batches.
    """
    for kind, runs in (("defaults", results), ("tuned", tuned or {})):
        curves = {
            name: error_curve(curve, "kl") for name, curve in runs.items() if name != EXACT.name
        }
        yield from ((kind, *row) for row in threshold_rows(curves, BASELINE, settings.thresholds))


def pooled_tables(
    entries: Sequence[Pooled], name: str, confidence: float, claims: tuple[str, ...], note: str = ""
) -> list[Table]:
    """Return a table of distances, whose rows carry what they depend on, and one of the classes'
    shares.
    """
    run, count = (
        ("sampler", "settings", "NFE", "sets", "n"),
        len(entries[0].shares) if entries else 0,
    )
    header = (*run, *CONDITIONS, *half_widths_named(map(title, QUANTITIES)))
    said = {"confidence": f"{confidence:.1%}", "note": note}
    classes = (*run, *map(str, range(count)), "total variation")
    return [
        tabled(distances_of_all, header, claims, entries, name=f"{name}_features", **said),
        tabled(shares_of_classes, classes, claims, entries, name=f"{name}_classes"),
    ]


def distances_of_all(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """All batches as one set, in the features of a classifier: Fréchet and kernel distance, density
    and coverage, total variation of the classes; ±: half-width of the {confidence} interval,
    jackknife over batches. Rows compare where n, reference, extractor and denoising are
    equal.{note}
    """
    for one in entries:
        yield *of_run(one), *with_half_widths(one.numbers[quantity] for quantity in QUANTITIES)


def shares_of_classes(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """Shares of the classes that the extractor sees in each set, in percent; total variation
    from the reference's.
    """
    for one in entries:
        yield (
            *of_run(one)[:5],
            *(round(100 * share, 1) for share in one.shares.tolist()),
            one.numbers["classes"].value,
        )


def of_run(one: Pooled) -> tuple[TableCell, ...]:
    """Return what a row begins with: sampler, settings, evaluations, sets, n, and the other
    conditions.
    """
    sampler, settings, nfe, sets = one.entry
    return sampler, settings, nfe, len(sets), one.conditions.n, *one.conditions.cells()
