"""Related work that is not built: N4's verdict, where it is measured."""

from typing import Any

import pytest

from analysis.related_work import mri
from tests.claims import quick_settings, verdict_of
from verdicts import Measurement, Unavailable
from verdicts.claims.schema import Verdict

SMALL = quick_settings("related_work")


def test_n4_is_judged_where_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N4: it is not run, and says why; a measurement in its place would be judged."""
    with pytest.raises(Unavailable, match=r"not built: needs fastMRI's raw k-space .* and a score network"):
        mri.reconstruction_error(SMALL)
    for ratio, verdict in ((0.9, Verdict.HOLDS), (1.1, Verdict.REFUTED)):
        judged: Any = lambda settings, ratio=ratio: Measurement(value=ratio)  # noqa: E731
        judged.check_id, judged.__module__ = "N4.error", mri.__name__
        monkeypatch.setattr(mri, "reconstruction_error", judged)
        assert verdict_of("N4") is verdict
