"""V13 and V14: molecules from the authors' checkpoints, fewer and (QM9) in fewer steps than published.

Needs the extra `molecules`.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from ams.statistics import Interval
from experiments.graphs.molecules import study
from experiments.graphs.molecules.settings import Settings
from verdicts import Measurement, check


def _measured(settings: Settings, name: str, share: Interval, **detail: JsonValue) -> Measurement:
    return Measurement(
        value=share.value,
        low=share.low,
        high=share.high,
        n=share.n,
        seeds=tuple(settings.seed + number for number in range(settings.seeds)),
        detail={"steps": settings.of(name).steps, **detail},
    )


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


@check("V13.validity")
def validity_of_qm9(settings: Settings) -> Measurement:
    """Measure the share of generated QM9 molecules that are valid without correction."""
    return validity(settings, "QM9")


@check("V13.novelty")
def novelty_of_qm9(settings: Settings) -> Measurement:
    """Measure the share of the different generated QM9 molecules that are not in QM9."""
    return novelty(settings, "QM9")


@check("V13.nspdk")
def nspdk_distance_of_qm9(settings: Settings) -> Measurement:
    """Measure the unbiased squared NSPDK MMD of generated and real QM9 molecules; the detail has other distances."""
    compared = study.comparison_of(settings, "QM9")
    detail: dict[str, JsonValue] = {
        "real against real": compared.nspdk_real.value,
        "Frechet ChemNet": compared.chemnet,
        "Frechet ChemNet, real": compared.chemnet_real,
    }
    return _measured(settings, "QM9", compared.nspdk, **detail)


@check("V14.validity")
def validity_of_zinc250k(settings: Settings) -> Measurement:
    """Measure the share of generated ZINC250k molecules that are valid without correction."""
    return validity(settings, "ZINC250k")


@check("V14.novelty")
def novelty_of_zinc250k(settings: Settings) -> Measurement:
    """Measure the share of the different generated ZINC250k molecules that are not in the validation list."""
    return novelty(settings, "ZINC250k")
