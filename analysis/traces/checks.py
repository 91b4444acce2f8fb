"""The code here is the released algorithm: S1, by replaying the golden traces that the repository holds."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ams.traces.replay import deviation
from verdicts import Measurement, check

TRACES = Path(__file__).parent.parent / "tests" / "golden"


class Settings(BaseModel):
    """This group has nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def deviations(pattern: str) -> Measurement:
    """Return the largest deviation over the traces that match, each trace's own in the detail.

    Raises FileNotFoundError where none does.
    """
    found = {path.stem: deviation(path) for path in sorted(TRACES.glob(pattern))}
    if not found:
        raise FileNotFoundError(f"no golden trace {pattern} in {TRACES}: restore it from the repository")
    return Measurement(value=max(found.values()), n=len(found), detail=dict(found))


@check("S1.annealed")
def annealed_traces(settings: Settings) -> Measurement:
    """Annealed Langevin and annealed adaptive momentum: states, denoised results, beta."""
    return deviations("ncsn_*.npz")


@check("S1.corrected")
def corrected_traces(settings: Settings) -> Measurement:
    """Predictor-corrector: states after corrector and predictor, predictor means, beta."""
    return deviations("pc_*.npz")
