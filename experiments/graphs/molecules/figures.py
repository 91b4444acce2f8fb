"""The group's table: shares and distances of the molecules."""

from collections.abc import Iterator

from ams_suite.drawn import tabled
from experiments.graphs.molecules import study
from experiments.graphs.molecules.settings import Settings
from verdicts import Table
from verdicts.records.figures import TableCell

HEADER = (
    "set",
    "molecules",
    "steps",
    "valid",
    "low",
    "high",
    "unique",
    "new",
    "NSPDK",
    "real",
    "FCD",
    "real FCD",
)


def tables(settings: Settings) -> list[Table]:
    """Return the shares and distances."""
    return [tabled(molecules, HEADER, ("V13",), settings, fewest=study.FEWEST)]


def molecules(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Molecules from the authors' checkpoint, fewer and in fewer steps than published: valid
    without correction (Clopper-Pearson), different among all, not in the known list; unbiased
    squared NSPDK MMD and Frechet ChemNet distance at equal sizes (none for fewer than {fewest}),
    and both for real molecules.
    """
    compared = study.comparison_of(settings)
    validity, uniqueness, novelty = compared.quality
    shares = (*validity[:3], uniqueness, novelty.value)
    nspdk = (compared.nspdk.value, compared.nspdk_real.value)
    chemnet = ("" if one is None else one for one in (compared.chemnet, compared.chemnet_real))
    yield study.QM9, settings.samples, settings.steps, *shares, *nspdk, *chemnet
