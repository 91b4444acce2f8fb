"""N4: reconstruction of magnetic resonance images with a score as prior: stated, and not run."""

from analysis.related_work.settings import Settings
from verdicts import Measurement, NotBuilt, check


@check("N4.error")
def reconstruction_error(settings: Settings) -> Measurement:
    """Raise NotBuilt: neither raw k-space nor a score network trained on such images is available."""
    raise NotBuilt("not built: needs fastMRI's raw k-space (on registration) and a score network trained on it")
