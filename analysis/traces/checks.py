"""S1: the authors' recorded runs, replayed by the steps here from the golden traces that the repository holds."""

from pathlib import Path

from ams.traces.replay import deviation
from ams_suite.measures import named_extreme
from verdicts import Measurement, check

TRACES = Path(__file__).parents[2] / "tests" / "golden"


def deviations(pattern: str) -> Measurement:
    """Return the largest deviation over the traces that match, with each trace's own in the detail.

    Raises FileNotFoundError where none does.
    """
    largest = {path.stem: deviation(path) for path in sorted(TRACES.glob(pattern))}
    if not largest:
        raise FileNotFoundError(f"no golden trace {pattern} in {TRACES}: restore it from the repository")
    return named_extreme(largest)


@check("S1.annealed")
def largest_deviation_from_annealed_traces(settings: object) -> Measurement:
    """Measure the largest deviation from the authors' annealed runs: states, denoised results, beta."""
    return deviations("ncsn_*.npz")


@check("S1.corrected")
def largest_deviation_from_predictor_corrector_traces(settings: object) -> Measurement:
    """Measure the largest deviation from the authors' predictor-corrector runs: states, predictor means, beta."""
    return deviations("pc_*.npz")
