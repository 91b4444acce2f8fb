"""Tuning: the least error decides, runs that diverge never do, and what is committed is what it would choose from."""

import json
from pathlib import Path

import pytest
import torch

from experiments.images.runs import generator
from experiments.mri import tuning
from experiments.mri.forward import measure
from experiments.mri.guidance import TUNED, chosen, guidance_images, hyperparameters
from tests.experiments.mri.made import heads


def gaussian_prior(x: torch.Tensor, level: object) -> torch.Tensor:
    return (0.1 - x) / (0.16**2 + level.sigma**2)  # type: ignore[attr-defined]


def test_the_least_error_is_chosen_and_divergence_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "slices", lambda subject: heads(60, subject))
    monkeypatch.setattr(tuning, "GRIDS", {"factor": (1.0, 4.0, 1000.0), "repeats": (1, 3), "rho": (0.0, 7.0)})
    assert tuning.tune(gaussian_prior, (12,), tmp_path / "tuned.json") == 0
    made = json.loads((tmp_path / "tuned.json").read_text())
    assert set(made["chosen"]) == set(tuning.SAMPLERS)
    for case, errors in made["nmse"].items():
        sampler, budget = case.rsplit(", ", 1)
        best = ", ".join(f"{name} {value:g}" for name, value in made["chosen"][sampler][budget].items())
        assert errors[best] == min(errors.values()) < 1.0
    assert max(made["nmse"]["annealed Langevin, 12"].values()) == tuning.DIVERGED


def test_committed_choices_are_of_all_samplers_and_the_least() -> None:
    held = json.loads(TUNED.read_text(encoding="utf-8"))
    assert {(sampler, budget) for sampler, each in chosen().items() for budget in each} == {
        (sampler, budget) for sampler in tuning.SAMPLERS for budget in (30, 100)
    }
    for case, errors in held["nmse"].items():
        sampler, budget = case.rsplit(", ", 1)
        best = ", ".join(f"{name} {value:g}" for name, value in held["chosen"][sampler][budget].items())
        assert errors[best] == min(errors.values())


def test_guidance_images_take_their_budget_and_are_near_the_data() -> None:
    x, calls = heads(2), []

    def counted(y: torch.Tensor, level: object) -> torch.Tensor:
        calls.append(level)
        return gaussian_prior(y, level)

    scan = measure(x, 4, 0, generator(0, 0))
    images = guidance_images(counted, scan, "adaptive momentum", 20, hyperparameters({"repeats": 1}), generator(0, 1))
    assert len(calls) == 20 and images.shape == x.shape
    assert (images - x).square().mean() < x.square().mean()
