"""Training repeats its bits, bad input is one line, tuning chooses the least error; what is
committed is as planned.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ams.schedules import Level
from ams_suite.__main__ import main
from experiments import weights
from experiments.images.runs import generator
from related.mri import guidance, networks, pairs, tasks, train, tuning
from related.mri.data import split
from related.mri.forward import measure
from related.mri.guidance import TUNED, guidance_images, hyperparameters
from related.mri.pairs import FOLDS, QUARTER, module_name
from related.mri.trained import SHA256, WEIGHTS
from tests.related.mri.test_reconstruction import gaussian_prior, heads

FOLD_MODULES = [module_name(False, number) for number in range(1, FOLDS + 1)]
SMALL = tasks.Prior(batch=2, sizes=networks.Sizes(widths=(8,), blocks=1))


@pytest.fixture(autouse=True)
def made_up_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each subject's slices up, and the prior small."""
    for module in (tasks, guidance):
        monkeypatch.setattr(module, "slices", lambda subject: heads(6, subject))
    monkeypatch.setattr(train, "Prior", lambda: SMALL)


def trained(folder: Path, *options: str) -> int:
    return main(["train-mri", "--out", str(folder), *options])


def tensors(folder: Path, name: str) -> str:
    return str(weights.about(folder / f"{name}.safetensors")["tensors"])


@pytest.fixture
def with_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write examples that an untrained prior's samples make."""
    monkeypatch.setattr(train, "prior_of", lambda path: gaussian_prior)
    monkeypatch.setattr(train, "BUDGET", 30)
    assert trained(tmp_path, "examples") == 0
    return tmp_path


def test_networks_learn_from_examples_to_the_same_bits(with_examples: Path) -> None:
    folder = with_examples
    for name in ("module", *FOLD_MODULES, "guided", "unguided"):
        assert trained(folder, name, "--steps", "3") == 0
    digest = tensors(folder, "guided")
    for file in folder.glob("guided.*"):
        file.unlink()
    assert trained(folder, "guided", "--steps", "3") == 0 and tensors(folder, "guided") == digest


def test_a_quarter_has_the_examples_of_its_subjects_alone(with_examples: Path) -> None:
    assert len(QUARTER) == 4 and set(QUARTER) < set(split().train)
    task = pairs.PairTask("unguided", True, with_examples)
    assert {int(each) for part in task.learned for each in part.subject} <= set(QUARTER)
    assert {int(each) for part in task.kept_out for each in part.subject} <= set(split().develop)


def test_a_training_subject_is_guided_by_the_module_that_never_saw_it(
    with_examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fold's module fills its images with the fold's number, that of all subjects with 0."""
    folder = with_examples
    for name in ("module", *FOLD_MODULES):
        assert trained(folder, name, "--steps", "1") == 0
    saw = [set(pair_task(name, folder).settings.subjects) for name in FOLD_MODULES]
    monkeypatch.setattr(
        pairs,
        "module_of",
        lambda path: marked(float(path.stem[-1]) if "fold" in path.stem else 0.0),
    )
    learned, kept_out = pair_task("guided", folder).guides
    parts = pair_task("guided", folder).learned
    for part, guides in zip(parts, learned, strict=True):
        for subject, guide in zip(part.subject.tolist(), guides, strict=True):
            assert subject not in saw[int(guide.mean()) - 1]
    assert all(guides.abs().max() == 0 for guides in kept_out)


def marked(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda seen: torch.full_like(seen[:, 0], value)


def pair_task(name: str, folder: Path) -> pairs.PairTask:
    task = train.task(name, folder)
    assert isinstance(task, pairs.PairTask)
    return task


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["priors"], "did you mean prior"),
        (["prior", "--steps", "0"], "--steps 0"),
        (["module", "--steps", "1"], "examples.safetensors: cannot be read"),
        (["guided"], "module.safetensors: cannot be read"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], line: str
) -> None:
    assert trained(tmp_path, *options) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and line in said


@pytest.mark.parametrize("name", sorted(SHA256))
def test_committed_weights_are_what_their_plan_would_train(name: str) -> None:
    recipe = json.loads((WEIGHTS / f"{name}.json").read_text())
    assert recipe["plan"] == train.PLANS[name].model_dump(mode="json")
    assert recipe["sha256"] == SHA256[name] and recipe["command"] == f"ams train-mri {name}"
    assert not set(recipe["task"].get("subjects", recipe["task"].get("train"))) & set(split().test)
    assert sum(file.stat().st_size for file in WEIGHTS.glob("*.safetensors")) < 5 * 2**20


def test_moved_slices_stay_what_they_are() -> None:
    x = heads(50)
    moved = tasks.augmented(x, torch.Generator().manual_seed(0))
    assert moved.shape == x.shape
    ratio = moved.sum((1, 2)) / x.sum((1, 2))
    assert ratio.min() > 0.85 and ratio.max() < 1.11 and ratio.std() > 0.03


def test_the_least_error_is_chosen_and_divergence_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "slices", lambda subject: heads(60, subject))
    monkeypatch.setattr(tuning, "COMPARED", {12: tuning.SAMPLERS})
    monkeypatch.setattr(tuning, "scans", tuning.scans.__wrapped__)
    monkeypatch.setattr(
        tuning, "GRIDS", {"factor": (1.0, 4.0, 1000.0), "repeats": (1, 3), "rho": (0.0, 7.0)}
    )
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
    cases = [
        (sampler, str(budget))
        for budget, samplers in tuning.COMPARED.items()
        for sampler in samplers
    ]
    assert {case for case, _, _ in held} == {
        (*case, choice) for case in cases for choice in ("1", "2")
    }
    for (_, budget, _), errors, best in held:
        assert errors[best] == min(errors.values()) and len(errors) == (
            24 if budget == "30" else 36
        )


def test_guidance_images_take_their_budget_and_are_near_the_data() -> None:
    x, calls = heads(2), list[Level]()

    def counted(y: torch.Tensor, level: Level) -> torch.Tensor:
        calls.append(level)
        return gaussian_prior(y, level)

    scan = measure(x, 4, 0, generator(0, 0))
    images = guidance_images(
        counted, scan, "adaptive momentum", 20, hyperparameters({"repeats": 1}), generator(0, 1)
    )
    assert len(calls) == 20 and images.shape == x.shape
    assert (images - x).square().mean() < x.square().mean()
