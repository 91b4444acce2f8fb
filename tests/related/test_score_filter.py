"""A filter on the score: the claim's verdict, the change that flips it, and the mean gain against quadrature."""

from collections.abc import Callable
from typing import Any

import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ams.schedules import Level
from related.gradient_filter.score_filter import filter as wiener
from tests.claims import expected, quick_settings, refuted, verdict_of

SMALL = quick_settings("score_filter")


@pytest.mark.parametrize("identifier", ["N3"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def replace_noise(monkeypatch: pytest.MonkeyPatch, score_by: int = 1, noise_by: float = 1.0) -> None:
    """Give the filtered step another score or, at gains below 1, another noise."""
    true = wiener.filtered

    def build(beta: Any, gain: Any) -> Callable[..., Any]:
        step = true(beta, gain)

        def other(state: Any, score: Any, noise: Any, level: Level, algebra: Any) -> Any:
            lighter = noise if isinstance(gain, float) and gain == 1.0 else lambda x: noise_by * noise(x)
            return step(state, lambda x, level: score_by * score(x, level), lighter, level, algebra)

        return other

    monkeypatch.setattr(wiener, "filtered", build)


def test_a_lighter_noise_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N3: with noise a tenth too small at gains below 1 these are less biased, and faster."""
    replace_noise(monkeypatch, noise_by=0.9)
    assert refuted("N3", "bias", "law", "speed", "wiener", "particles", settings=SMALL)


def test_another_score_breaks_n3(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    replace_noise(monkeypatch, score_by=2)
    assert refuted("N3", "noise", settings=SMALL)


def test_the_mean_entrywise_gain_against_quadrature() -> None:
    for beta in (0.5, 0.9):
        q = (1 - beta) / (1 + beta)
        mean = quad(lambda xi, q=q: norm.pdf(xi) * q / (q + xi**2), -12, 12, points=[0.0])[0]
        assert wiener.mean_entrywise_gain(beta) == pytest.approx(mean, rel=1e-7)
        assert mean > q / (1 + q)
