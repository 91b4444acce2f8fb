"""X1 to X4: the adaptive corrector's gain on four networks."""

from pydantic import JsonValue

from ams.statistics import CONFIDENCE
from ams_suite import measures
from experiments.images.colour import study
from experiments.images.colour.settings import ADAPTIVE, PLAIN, Settings
from verdicts import Measurement


def gain(settings: Settings, network: str) -> Measurement:
    """Return the plain corrector's kernel distance minus the adaptive one's at the smallest
    budget, paired by batch.
    """
    asked, names = settings.of(network), (PLAIN, ADAPTIVE)
    plain, adaptive = (
        study.judged(settings, network, name, min(asked.budgets), settings.features).kernel
        for name in names
    )
    lost: JsonValue = {PLAIN: plain.count(study.LOST), ADAPTIVE: adaptive.count(study.LOST)}
    detail: dict[str, JsonValue] = {"snr": settings.networks[network].snr, "lost batches": lost}
    return measures.mean_difference(
        plain, adaptive, CONFIDENCE, settings.seed, asked.batch, **detail
    )
