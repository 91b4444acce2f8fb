"""The DDPM network's group, on scores and numbers that are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from experiments.images.denoiser import checks as denoiser
from experiments.images.pretrained import features, runs
from experiments.images.pretrained.quality import Quality
from tests.claims import claims, verdict_of
from verdicts.claims.schema import Verdict

SMALL = denoiser.Settings(images=8, times=3, batches=3, batch=4, seed=78)
ENERGY = {"annealed Langevin": 7.0, "adaptive momentum": 4.0, "ancestral": 0.2}


def perfect(x: Tensor, level: Level) -> Tensor:
    """Return the score of images that are all blank."""
    return -x / level.sigma**2


@pytest.fixture
def skilled(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Put scores in the networks' places: a part of the perfect one, and blank images in that of MNIST's."""
    parts = {"mnist-ddpm": 0.9, "mnist-ve": 1.0, "fashion-ddpm": 0.5}
    monkeypatch.setattr(runs, "test_images", lambda: torch.zeros(20, 28, 28))
    monkeypatch.setattr(runs, "score", lambda settings: lambda x, at: parts[settings.weights] * perfect(x, at))
    runs.losses.cache_clear()
    return parts


def test_a_network_without_skill_breaks_i10(skilled: dict[str, float]) -> None:
    """Falsifier of I10: a score of half the noise has a quarter of 784; and the two networks' places exchanged."""
    assert verdict_of("I10", settings=SMALL) is Verdict.HOLDS
    assert denoiser.denoising_loss(SMALL).value == pytest.approx(0.01 * 784, rel=0.1)
    assert denoiser.both_networks_see_the_same_noise(SMALL).value == pytest.approx(0.01, rel=0.1)
    skilled |= {"mnist-ddpm": 0.5, "fashion-ddpm": 0.9}
    runs.losses.cache_clear()
    for part in ("loss", "other", "agreement"):
        assert verdict_of("I10", part, SMALL) is Verdict.REFUTED
    runs.losses.cache_clear()


def told(monkeypatch: pytest.MonkeyPatch, energies: dict[str, float]) -> None:
    def performed(settings: runs.Settings, name: str, budget: int) -> runs.Run:
        quality = [Quality(energies[name] * (1 + 0.01 * k), 2.0, 0.05) for k in range(settings.batches)]
        draws = torch.Generator().manual_seed(len(name))
        features = tuple(torch.rand(4, 64, generator=draws) for _ in range(settings.batches))
        return runs.Run(budget, quality, torch.rand(4, 28, 28), features)

    features.found.cache_clear()
    features.judge.cache_clear()
    monkeypatch.setattr(runs, "performed", performed)


def test_samplers_exchanged_break_i11(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Falsifier of I11: numbers as measured hold; exchanged, each part is refuted."""
    told(monkeypatch, ENERGY)
    assert verdict_of("I11", settings=SMALL) is claims()["I11"].expected
    monkeypatch.setattr(runs, "test_images", lambda: torch.rand(20, 28, 28))
    monkeypatch.setattr(runs, "floor", lambda settings: [Quality(0.0, 1.0, 0.0)] * 3)
    assert denoiser.figures(SMALL, tmp_path)[0].file.stat().st_size > 5_000
    monkeypatch.setattr(features, "floors", lambda settings, confidence: ())
    in_pixels, in_features, classes = denoiser.tables(SMALL)
    assert len(in_pixels.rows) == 4 and len(in_features.rows) == len(classes.rows) == 3
    told(monkeypatch, {**ENERGY, "adaptive momentum": 8.0})
    assert verdict_of("I11", "annealed", SMALL) is Verdict.REFUTED
    told(monkeypatch, {**ENERGY, "adaptive momentum": 0.1})
    assert verdict_of("I11", "ancestral", SMALL) is Verdict.REFUTED
