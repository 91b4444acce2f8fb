"""S1: the authors' recorded runs, replayed by the steps here from the golden traces that the repository holds."""

from pathlib import Path

from ams.traces import deviation
from ams_suite.measures import named_extreme
from verdicts import Measurement

TRACES = Path(__file__).parents[2] / "tests" / "golden"


def deviations(pattern: str) -> Measurement:
    """Return the largest deviation over the traces that match, with each trace's own in the detail."""
    return named_extreme({path.stem: deviation(path) for path in sorted(TRACES.glob(pattern))})
