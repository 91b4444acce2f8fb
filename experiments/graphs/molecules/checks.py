"""V13: molecules of QM9 from the authors' checkpoint, fewer and in fewer steps than published.

Needs the extra `molecules`.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from ams.statistics import Interval
from experiments.graphs.intervals import over_seeds
from experiments.graphs.molecules import study
from experiments.graphs.molecules.settings import Settings
from verdicts import Measurement


def _measured(settings: Settings, share: Interval, **detail: JsonValue) -> Measurement:
    return over_seeds(share, settings.seed, settings.seeds, steps=settings.steps, **detail)


def _each(shares: Sequence[Interval]) -> JsonValue:
    return [round(share.value, 4) for share in shares]


def validity(settings: Settings) -> Measurement:
    """Return the share of molecules that are valid without correction."""
    compared = study.comparison_of(settings)
    each = {"each seed": _each([one.validity for one in compared.each])}
    return _measured(settings, compared.quality.validity, **each)


def novelty(settings: Settings) -> Measurement:
    """Return the share of the different molecules that are not in the list of known ones."""
    compared = study.comparison_of(settings)
    each = {"each seed": _each([one.novelty for one in compared.each])}
    return _measured(
        settings, compared.quality.novelty, uniqueness=compared.quality.uniqueness, **each
    )


def nspdk_distance_of_qm9(settings: Settings) -> Measurement:
    """Measure the unbiased squared NSPDK MMD of generated and real QM9 molecules; the detail has
    other distances.
    """
    compared = study.comparison_of(settings)
    detail: dict[str, JsonValue] = {
        "real against real": compared.nspdk_real.value,
        "Frechet ChemNet": compared.chemnet,
        "Frechet ChemNet, real": compared.chemnet_real,
    }
    return _measured(settings, compared.nspdk, **detail)
