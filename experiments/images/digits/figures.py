"""The group's figures and tables, from its table."""

from collections.abc import Iterator
from pathlib import Path

from ams.samplers.presets import RK45
from ams_suite.drawn import tabled
from experiments.images.comparison import interval
from experiments.images.digits import study
from experiments.images.digits.settings import Settings
from experiments.images.exact import Errors, Results
from experiments.images.shared_figures import exact_figures, exact_tables
from verdicts import Figure, Table
from verdicts.records.figures import TableCell
from verdicts.studies.table import RunTable

CLAIMS = ("D1", "D1a", "D1b", "D2", "D3", "D5", "D6", "D7", "D7a")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors and the speed-ups against the budget."""
    kinds = (results(settings), results(settings, tuning="tuned"))
    return exact_figures(
        settings, kinds[0], folder, "digits", "Real digits (8 x 8)", CLAIMS, kinds[1]
    )


def tables(settings: Settings) -> list[Table]:
    """Return every error, the evaluations to thresholds, and the rare mode's shares."""
    tables = exact_tables(
        settings, results(settings), "digits", CLAIMS, results(settings, tuning="tuned")
    )
    header = ("sampler", "NFE", "samples", "share", "low", "high", "share in the target")
    rare = [tabled(digits_rare, header, ("D4",), settings)] if settings.rare_samplers else []
    return tables + rare


def results(settings: Settings, **labels: str) -> Results:
    """Return the errors of rows by sampler and evaluations; RK45's are the most that a batch
    takes.
    """
    table, results = RunTable(tuple(study.runs(settings))), dict[str, dict[int, list[Errors]]]()
    for (sampler, budget), rows in table.results("sampler", "budget", **labels).items():
        results.setdefault(sampler, {})[budget] = [row.errors for row in rows]
    for rows in table.results("tolerance", sampler=RK45.name, **labels).values():
        spent = max(row.evaluations for row in rows)
        results.setdefault(RK45.name, {})[spent] = [row.errors for row in rows]
    return results


def digits_rare(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """All zeros and a tenth as many ones: the share of samples at a one, with intervals over
    batches.
    """
    table, truth = (
        RunTable(tuple(study.runs(settings))),
        study.ones_of(study.target(study.RARE_MODE).labels),
    )
    for sampler, budget in table.results("sampler", "budget", target=study.RARE_MODE):
        ones = table.column("ones", sampler=sampler, budget=budget, target=study.RARE_MODE)
        shares = [truth * value for value in ones.values.values()]
        yield sampler, budget, ones.size * len(shares), *interval(shares), truth
