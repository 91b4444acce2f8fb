"""Noise levels and the path bound: each claim's verdict, the change that flips it, and the power of an error."""

import numpy as np
import pytest
import torch

from ams.laws import GaussianLaw
from ams.schedules import Level, karras_sigmas
from analysis.misspecified_score import ScoreError
from related.design_space.noise_schedules import path, schedules
from tests.claims import expected, quick_settings, refuted, verdict_of

SMALL = quick_settings("noise_schedules")


@pytest.mark.parametrize("identifier", ["N2", "N2b"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SMALL) is expected(identifier)


def test_a_dropped_part_breaks_n2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2: without the score's part the bound is none, and not the kernel's divergence."""
    monkeypatch.setattr(path, "score_part", lambda levels, law, error: 0.0)
    assert refuted("N2", "chain", "bound", settings=SMALL)


def test_swapped_schedules_break_n2b(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2b: each schedule under the other's name, and a path-optimal one that is exponential."""
    other, outcomes = {"exponential": "EDM", "EDM": "exponential", "path-optimal": "exponential"}, schedules.outcomes
    monkeypatch.setattr(schedules, "outcomes", lambda target, name, *sizes: outcomes(target, other[name], *sizes))
    assert refuted("N2b", "good", "wide", "bad", "optimal", settings=SMALL)
    monkeypatch.setattr(
        schedules, "geometric_sigmas", lambda first, last, count: karras_sigmas(first, last, count, 1.0)
    )
    assert refuted("N2b", "cause", settings=SMALL)


def test_the_power_of_an_error_is_its_mean_square() -> None:
    """Under the target's own law at the level, by Gauss-Hermite quadrature: exact for squares."""
    law, level = GaussianLaw([0.5, 2.0], [0.3, -1.0]), Level(0, sigma=0.7)
    error = ScoreError(lambda level: torch.tensor([0.4, 0.0]) / level.sigma, 1.3)
    nodes, weights = (torch.as_tensor(part)[:, None] for part in np.polynomial.hermite_e.hermegauss(4))
    x = law.mean + (law.variance + 0.49).sqrt() * nodes
    exact = (law.mean - x) / (law.variance + 0.49)
    miss = 1.3 * exact + error.shift(level) - exact
    mean = (weights * miss.square()).sum(0) / weights.sum()
    torch.testing.assert_close(mean, error.power(law, level), rtol=1e-7, atol=0.0)
