"""The group's table: shares and distances of both sets of molecules."""

from experiments.graphs.molecules import study
from experiments.graphs.molecules.settings import Settings
from verdicts import Table
from verdicts.records.figures import Cell


def tables(settings: Settings) -> list[Table]:
    """Return both sets' shares and distances."""
    rows: list[tuple[Cell, ...]] = []
    for name in settings.sets:
        compared, size = study.comparison_of(settings, name), settings.of(name)
        (validity, uniqueness, novelty), sizes = compared.quality, (name, size.molecules, size.steps)
        chemnet = ("" if one is None else one for one in (compared.chemnet, compared.chemnet_real))
        nspdk = (compared.nspdk.value, compared.nspdk_real.value)
        rows.append((*sizes, validity.value, validity.low, validity.high, uniqueness, novelty.value, *nspdk, *chemnet))
    caption = (
        "Molecules from the authors' checkpoints, fewer and in fewer steps than published: valid without correction "
        "(Clopper-Pearson), different among all, not in the known list; unbiased squared NSPDK MMD and Frechet "
        f"ChemNet distance at equal sizes (none for fewer than {study.FEWEST}), and both for real molecules."
    )
    header = ("set", "molecules", "steps", "valid", "low", "high", "unique", "new", "NSPDK", "real", "FCD", "real FCD")
    return [Table(id="molecules", caption=caption, header=header, rows=tuple(rows), claims=("V13", "V14"))]
