"""The DDPM network's group, on scores and numbers that are known."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch
from torch import Tensor

from ams.samplers import Score
from ams.schedules import Level
from experiments.images.denoiser import checks, figures
from experiments.images.denoiser.settings import Settings
from experiments.images.pretrained import inputs, study
from experiments.images.pretrained.inputs import Quality
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.samplers import FAST
from experiments.images.pretrained.settings import Setup
from tests.claims import expected, refuted, verdict_of
from verdicts.claims.schema import Verdict
from verdicts.records.figures import saved_as
from verdicts.studies import Memory, using

SMALL = Settings(images=8, times=3, batches=3, batch=4, seed=78)
ENERGY = {"annealed Langevin": 7.0, "adaptive momentum": 4.0, "ancestral": 0.2, "critically damped corrector": 9.0}
ENERGY |= dict.fromkeys(FAST, 2.0)


def perfect(x: Tensor, level: Level) -> Tensor:
    """Return the score of images that are all blank."""
    return -x / level.sigma**2


@pytest.fixture
def skilled(monkeypatch: MonkeyPatch) -> Iterator[dict[str, float]]:
    """Put scores in the networks' places, each a part of the perfect one, and blank images in that of MNIST's."""
    parts = {"mnist-ddpm": 0.9, "mnist-ve": 1.0, "fashion-ddpm": 0.5}

    def score(setup: Setup) -> Score:
        return lambda x, level: parts[setup.weights] * perfect(x, level)

    monkeypatch.setattr(inputs, "test_images", lambda: torch.zeros(20, 28, 28))
    monkeypatch.setattr(inputs, "score", score)
    with using(Memory()):
        yield parts


def test_a_network_without_skill_breaks_i10(skilled: dict[str, float]) -> None:
    """Falsifier of I10: a score of half the noise has a quarter of 784; and the two networks' places exchanged."""
    assert verdict_of("I10", settings=SMALL) is Verdict.HOLDS
    assert checks.denoising_loss(SMALL).value == pytest.approx(0.01 * 784, rel=0.1)
    assert checks.relative_difference_of_two_networks_noise(SMALL).value == pytest.approx(0.01, rel=0.1)
    skilled |= {"mnist-ddpm": 0.5, "fashion-ddpm": 0.9}
    with using(Memory()):
        assert refuted("I10", "loss", "other", "agreement", settings=SMALL)


def measured(monkeypatch: MonkeyPatch, energies: dict[str, float]) -> None:
    """Give samplers these energy distances, a little apart between batches."""
    none = np.empty(0)

    def results(settings: Settings, sampler: str, budget: int) -> list[Batch]:
        distances = (energies[sampler] * (1 + 0.01 * k) for k in range(settings.batches))
        return [Batch(budget, Quality(each, 2.0, 0.05), none, none) for each in distances]

    monkeypatch.setattr(study, "results", results)


def test_samplers_exchanged_break_i11(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of I11 and I14: numbers as measured hold; exchanged, each part is refuted."""
    measured(monkeypatch, ENERGY)
    assert verdict_of("I11", settings=SMALL) is expected("I11")
    measured(monkeypatch, {**ENERGY, "adaptive momentum": 8.0})
    assert verdict_of("I11", "annealed", SMALL) is Verdict.REFUTED
    measured(monkeypatch, {**ENERGY, "adaptive momentum": 0.1})
    assert verdict_of("I11", "ancestral", SMALL) is Verdict.REFUTED
    measured(monkeypatch, ENERGY)
    assert verdict_of("I14", settings=SMALL) is Verdict.HOLDS
    measured(monkeypatch, {**ENERGY, "Restart": 10.0})
    assert refuted("I14", "annealed", "critical", settings=SMALL)


def test_figure_and_tables_have_the_compared_samplers(skilled: dict[str, float], tmp_path: Path) -> None:
    few = SMALL.model_copy(update={"reference": 8, "compared": 8, "side": 20})
    inputs.feature_judge.cache_clear()
    with saved_as((".svg",)):
        assert figures.figures(few, tmp_path)[0].file.stat().st_size > 5_000
    for table in figures.tables(few):
        assert [row[0] for row in table.rows] == ["held-out images", *few.samplers]
    inputs.feature_judge.cache_clear()
