"""V13 and V14: molecules from the authors' checkpoints, fewer and (QM9) in fewer steps than published.

Needs the extra `molecules`.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from ams.statistics import Interval
from experiments.graphs.intervals import over_seeds
from experiments.graphs.molecules import study
from experiments.graphs.molecules.settings import Settings
from verdicts import Measurement


def _measured(settings: Settings, name: str, share: Interval, **detail: JsonValue) -> Measurement:
    return over_seeds(share, settings.seed, settings.seeds, steps=settings.of(name).steps, **detail)


def _each(shares: Sequence[Interval]) -> JsonValue:
    return [round(share.value, 4) for share in shares]


def validity(settings: Settings, name: str) -> Measurement:
    """Return the share of a set's molecules that are valid without correction."""
    compared = study.comparison_of(settings, name)
    each = {"each seed": _each([one.validity for one in compared.each])}
    return _measured(settings, name, compared.quality.validity, **each)


def novelty(settings: Settings, name: str) -> Measurement:
    """Return the share of a set's different molecules that are not in the list of known ones."""
    compared = study.comparison_of(settings, name)
    each = {"each seed": _each([one.novelty for one in compared.each])}
    return _measured(settings, name, compared.quality.novelty, uniqueness=compared.quality.uniqueness, **each)


def nspdk_distance_of_qm9(settings: Settings) -> Measurement:
    """Measure the unbiased squared NSPDK MMD of generated and real QM9 molecules; the detail has other distances."""
    compared = study.comparison_of(settings, "QM9")
    detail: dict[str, JsonValue] = {
        "real against real": compared.nspdk_real.value,
        "Frechet ChemNet": compared.chemnet,
        "Frechet ChemNet, real": compared.chemnet_real,
    }
    return _measured(settings, "QM9", compared.nspdk, **detail)
