"""The group's figures and tables."""

from pathlib import Path

from experiments.images import exact_figures
from experiments.images.comparison import interval
from experiments.images.digits import study
from experiments.images.digits.settings import Settings
from verdicts import Figure, Table

CLAIMS = ("D0", "D1", "D1a", "D1b", "D2", "D3", "D5", "D6", "D7", "D7a")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors and the speed-ups against the budget."""
    results, tuned = study.results(settings), study.tuned_results(settings)
    return exact_figures.figures(settings, results, folder, "digits", "Real digits (8 x 8)", CLAIMS, tuned)


def tables(settings: Settings) -> list[Table]:
    """Return every error, the evaluations to thresholds, and the minor mode's shares."""
    results = study.results(settings)
    return [
        exact_figures.error_table(results, settings, "digits", CLAIMS),
        exact_figures.speed_table(results, settings, "digits_speed", CLAIMS, study.tuned_results(settings)),
        *([rare_table(settings)] if settings.rare_samplers else []),
    ]


def rare_table(settings: Settings) -> Table:
    """Return the minor mode's share under each sampler on which it is counted."""
    rows = []
    for sampler in settings.rare_samplers:
        shares = study.rare_shares(settings, sampler)
        counted = (sampler, settings.rare, settings.rare_batch * len(shares))
        rows.append((*counted, *interval(shares), study.target_share()))
    header = ("sampler", "NFE", "samples", "share", "low", "high", "share in the target")
    caption = "All zeros and a tenth as many ones: the share of samples at a one, with intervals over batches."
    return Table(id="digits_rare", caption=caption, header=header, rows=tuple(rows), claims=("D4", "D4a", "D4b"))
