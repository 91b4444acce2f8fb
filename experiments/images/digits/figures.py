"""The group's figures and tables."""

from collections.abc import Iterator
from pathlib import Path

from ams_suite.drawn import tabled
from experiments.images.comparison import interval
from experiments.images.digits import study
from experiments.images.digits.settings import Settings
from experiments.images.shared_figures import exact_figures, exact_tables
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("D1", "D1a", "D1b", "D2", "D3", "D5", "D6", "D7", "D7a")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors and the speed-ups against the budget."""
    results, tuned = study.results(settings), study.tuned_results(settings)
    return exact_figures(settings, results, folder, "digits", "Real digits (8 x 8)", CLAIMS, tuned)


def tables(settings: Settings) -> list[Table]:
    """Return every error, the evaluations to thresholds, and the minor mode's shares."""
    tables = exact_tables(settings, study.results(settings), "digits", CLAIMS, study.tuned_results(settings))
    header = ("sampler", "NFE", "samples", "share", "low", "high", "share in the target")
    rare = [tabled(digits_rare, header, ("D4",), settings)] if settings.rare_samplers else []
    return tables + rare


def digits_rare(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """All zeros and a tenth as many ones: the share of samples at a one, with intervals over batches."""
    for sampler in settings.rare_samplers:
        shares = study.rare_shares(settings, sampler)
        counted = (sampler, settings.rare, settings.rare_batch * len(shares))
        yield *counted, *interval(shares), study.target_share()
