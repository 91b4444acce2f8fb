"""Tables of all batches of each sampler as one set: distances to real images, and shares of the classes."""

from collections.abc import Iterator, Sequence

from ams_suite.drawn import tabled
from experiments.images.comparison import half_widths_named, with_half_widths
from experiments.images.features.pooled import QUANTITIES, Pooled
from experiments.images.features.scores import CONDITIONS, title
from verdicts import Table
from verdicts.records.figures import TableCell


def tables(
    entries: Sequence[Pooled], name: str, confidence: float, claims: tuple[str, ...], note: str = ""
) -> list[Table]:
    """Return a table of distances, whose rows carry what they depend on, and one of the classes' shares."""
    run, count = ("sampler", "settings", "NFE", "sets", "n"), len(entries[0].shares) if entries else 0
    header = (*run, *CONDITIONS, *half_widths_named(map(title, QUANTITIES)))
    said = {"confidence": f"{confidence:.1%}", "note": note}
    classes = (*run, *map(str, range(count)), "total variation")
    return [
        tabled(distances_of_all, header, claims, entries, name=f"{name}_features", **said),
        tabled(shares_of_classes, classes, claims, entries, name=f"{name}_classes"),
    ]


def distances_of_all(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """All batches as one set, in the features of a classifier: Fréchet and kernel distance, density and coverage, total
    variation of the classes; ±: half-width of the {confidence} interval, jackknife over batches. Rows compare where n,
    reference, extractor and denoising are equal.{note}
    """
    for one in entries:
        yield *of_run(one), *with_half_widths(one.numbers[quantity] for quantity in QUANTITIES)


def shares_of_classes(entries: Sequence[Pooled]) -> Iterator[tuple[TableCell, ...]]:
    """Shares of the classes that the extractor sees in each set, in percent; total variation from the reference's."""
    for one in entries:
        yield *of_run(one)[:5], *(round(100 * share, 1) for share in one.shares.tolist()), one.numbers["classes"].value


def of_run(one: Pooled) -> tuple[TableCell, ...]:
    """Return what a row begins with: sampler, settings, evaluations, sets, n, and the other conditions."""
    sampler, settings, nfe, sets = one.entry
    return sampler, settings, nfe, len(sets), one.conditions.n, *one.conditions.cells()
