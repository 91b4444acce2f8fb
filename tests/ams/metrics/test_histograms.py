"""The total variation of histograms: values by hand, and invalid histograms."""

import pytest

from ams.metrics import total_variation


def test_total_variation() -> None:
    assert total_variation([1, 3, 0], [0.25, 0.25, 0.5]) == pytest.approx(0.5, rel=1e-15)
    assert total_variation([2, 0], [0, 7]) == 1.0
    assert total_variation([2, 4], [1, 2]) == 0.0


@pytest.mark.parametrize(("p", "match"), [([1.0], "shapes"), ([-1.0, 2.0], "non-neg"), ([0.0, 0.0], "total")])
def test_invalid_histograms_are_refused(p: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        total_variation(p, [0.5, 0.5])
