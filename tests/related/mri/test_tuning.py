"""Tuning: the least error decides, runs that diverge never do, and what is committed is what it would choose from."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ams.schedules import Level
from experiments.images.runs import generator
from related.mri import tuning
from related.mri.forward import measure
from related.mri.guidance import TUNED, guidance_images, hyperparameters
from tests.related.mri.made import gaussian_prior, heads


def test_the_least_error_is_chosen_and_divergence_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "slices", lambda subject: heads(60, subject))
    monkeypatch.setattr(tuning, "COMPARED", {12: tuning.SAMPLERS})
    monkeypatch.setattr(tuning, "scans", tuning.scans.__wrapped__)
    monkeypatch.setattr(tuning, "GRIDS", {"factor": (1.0, 4.0, 1000.0), "repeats": (1, 3), "rho": (0.0, 7.0)})
    assert tuning.tune(gaussian_prior, tmp_path / "tuned.json") == 0
    made = json.loads((tmp_path / "tuned.json").read_text())
    assert set(made["chosen"]) == set(tuning.SAMPLERS)
    for _, errors, best in told(made):
        assert errors[best] == min(errors.values()) < 1.0
    langevin = made["nmse"]["annealed Langevin"]["12"]
    assert max(langevin["1"].values()) == max(langevin["2"].values()) == tuning.DIVERGED
    assert langevin["1"] != langevin["2"]


def told(held: dict[str, Any]) -> Iterator[tuple[tuple[str, str, str], dict[str, float], str]]:
    """Yield each case of a file of choices, all that was tried, and the choice in words."""
    for sampler, budgets in held["chosen"].items():
        for budget, choices in budgets.items():
            for choice, values in choices.items():
                words = ", ".join(f"{name} {value:g}" for name, value in values.items())
                yield (sampler, budget, choice), held["nmse"][sampler][budget][choice], words


def test_committed_choices_are_of_all_samplers_and_the_least_of_equally_many() -> None:
    held = list(told(json.loads(TUNED.read_text(encoding="utf-8"))))
    cases = [(sampler, str(budget)) for budget, samplers in tuning.COMPARED.items() for sampler in samplers]
    assert {case for case, _, _ in held} == {(*case, choice) for case in cases for choice in ("1", "2")}
    for (_, budget, _), errors, best in held:
        assert errors[best] == min(errors.values()) and len(errors) == (24 if budget == "30" else 36)


def test_guidance_images_take_their_budget_and_are_near_the_data() -> None:
    x, calls = heads(2), list[Level]()

    def counted(y: torch.Tensor, level: Level) -> torch.Tensor:
        calls.append(level)
        return gaussian_prior(y, level)

    scan = measure(x, 4, 0, generator(0, 0))
    images = guidance_images(counted, scan, "adaptive momentum", 20, hyperparameters({"repeats": 1}), generator(0, 1))
    assert len(calls) == 20 and images.shape == x.shape
    assert (images - x).square().mean() < x.square().mean()
