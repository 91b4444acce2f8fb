"""Colour images from the suite's own network: each claim can fail; settings are chosen inside of their grids."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ams.samplers.presets import AUTHORS, SigmaRange
from ams.schedules import Level
from ams_suite.__main__ import main
from experiments import weights
from experiments.images.colour_network import figures, losses, quality, study, tuning
from experiments.images.colour_network.quality import Batch
from experiments.images.colour_network.settings import ADAPTIVE, ANCESTRAL, EARLY, LATE, PLAIN, SOLVER, Settings
from experiments.images.colour_task import Parts
from experiments.images.features.extractors import Extractor
from experiments.images.networks.colour import SHA256
from experiments.images.networks.small import WEIGHTS
from experiments.images.runs import Problem
from experiments.images.tasks import PLANS
from tests.claims import ROOT, claims, refuted, verdict_of
from verdicts.claims.loading import load_config
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.figures import saved_as
from verdicts.run.checks import settings_class
from verdicts.studies import Cell, Memory, using

SPREAD = 0.25
FEW = Settings(batches=2, batch=8, samplers=(PLAIN, SOLVER), budgets=(4, 6), reference=20, images=10, shown=(8,))
NEAR, FAR = [0.10, 0.11, 0.09, 0.10], [0.20, 0.22, 0.20, 0.21]


def made(count: int, seed: int) -> torch.Tensor:
    """Return images of independent pixels."""
    return 0.5 + SPREAD * torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def gaussian_score(x: torch.Tensor, level: Level) -> torch.Tensor:
    return (0.5 - x) / (SPREAD**2 + level.sigma**2)


@pytest.fixture
def in_small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the score of independent pixels in the network's place, made images in CIFAR-10's, means in the features'."""
    extractor = Extractor("blocks", "0" * 64, lambda x: torch.nn.functional.avg_pool2d(x, 8).flatten(1), lambda f: f)
    asked = Problem(gaussian_score, (3, 16, 16), SigmaRange(5.0, 0.01))
    places = {
        "problem": lambda last_sigma: asked,
        "test_images": lambda: made(60, 1),
        "learned": lambda: Parts(made(80, 2), made(30, 3)),
        "extractor": lambda: extractor,
        "judge": quality.judge.__wrapped__,
    }
    for name, place in places.items():
        monkeypatch.setattr(quality, name, place)
    monkeypatch.setattr(tuning, "chosen", lambda sampler, budget: AUTHORS._replace(rho=7.0, repeats=1))
    monkeypatch.setattr(losses, "_score", lambda case: gaussian_score)
    monkeypatch.setattr(tuning, "held_out", tuning.held_out.__wrapped__)
    with using(Memory()):
        yield


def test_a_corrector_that_is_farther_refutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of X5 to X7 and X8a: the numbers of the compared runs exchanged."""
    far = {(PLAIN, EARLY), (PLAIN, LATE), (ANCESTRAL, LATE), (SOLVER, LATE), (study.GAUSSIAN, 0)}

    def kernels(settings: Settings, sampler: str, budget: int = 0) -> list[float]:
        return FAR if ((sampler, budget) in far) is holds else NEAR

    monkeypatch.setattr(study, "kernels", kernels)
    for holds in (True, False):
        wanted = Verdict.HOLDS if holds else Verdict.REFUTED
        assert [verdict_of(name, settings=Settings()) for name in ("X5", "X5a", "X6", "X7")] == [wanted] * 4
    far, holds = {(study.GAUSSIAN, 0)}, True
    assert verdict_of("X8a", settings=Settings()) is Verdict.HOLDS
    far = {(PLAIN, LATE)}
    assert verdict_of("X8a", settings=Settings()) is Verdict.REFUTED


def test_a_score_that_copies_breaks_x8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of X8: the exact score of the images seen in the network's place, a Gaussian's likewise."""
    sizes = {losses.NETWORK: 0.3, losses.EXACT: 0.6, losses.GAUSSIAN: 0.5}
    near = 0.01 * np.random.default_rng(1).random((len(losses.LEVELS), 50))
    monkeypatch.setattr(losses, "per_image", lambda case, count: sizes[case] + near)
    assert verdict_of("X8", settings=Settings()) is Verdict.HOLDS
    sizes[losses.NETWORK] = 0.7
    assert refuted("X8", "exact", "gaussian", settings=Settings())


def test_a_larger_variance_refutes_x9(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of X9."""
    none = np.empty(0)
    ratios = {ADAPTIVE: [0.8, 0.81, 0.79, 0.8], PLAIN: [1.0, 1.01, 0.99, 1.02]}
    monkeypatch.setattr(
        study, "batches", lambda settings, name, budget: [Batch(0, 0.0, one, none, none) for one in ratios[name]]
    )
    assert verdict_of("X9", settings=Settings()) is Verdict.HOLDS
    ratios[ADAPTIVE], ratios[PLAIN] = ratios[PLAIN], ratios[ADAPTIVE]
    assert verdict_of("X9", settings=Settings()) is Verdict.REFUTED


def test_figures_and_tables_read_the_study_alone(
    in_small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with saved_as((".svg",)):
        for each in study.cells(FEW):
            each.function(**each.arguments)
        monkeypatch.setattr(Cell, "compute", lambda cell: pytest.fail(f"{cell} is not in the study"))
        drawn = figures.figures(FEW, tmp_path)
        (table,) = figures.tables(FEW)
    assert [figure.file.stem.rsplit("_", 1)[1] for figure in drawn] == ["distances", "6", "8"]
    rows = {(row[0], row[2]): row for row in table.rows}
    assert set(rows) == {(study.REAL, 0), (study.GAUSSIAN, 0), (PLAIN, 3), (PLAIN, 5), (SOLVER, 4), (SOLVER, 6)}
    ratio = table.header.index("variance ratio")
    assert float(rows[study.REAL, 0][ratio]) == pytest.approx(1.0, abs=0.1)


def test_samples_of_the_true_score_are_as_near_as_real_images(in_small: None) -> None:
    """24 images with the true score; the kernel distance of the far start is 100 times as large."""
    settings = FEW.model_copy(update={"batches": 3, "budgets": (40,)})
    near, real = (np.mean(study.kernels(settings, name, 40)) for name in (SOLVER, study.REAL))
    far = quality.judged(5 * made(8, 9), 0.01, 20, 0, first=False)
    assert abs(near - real) < 0.1 * quality.kernel(far, 20)


def test_the_descent_stops_where_no_neighbour_is_better() -> None:
    grids = {"a": (1.0, 2.0, 3.0, 4.0), "b": (1.0, 2.0, 4.0, 8.0)}
    tried = []

    def error(values: dict[str, float]) -> float:
        tried.append(tuple(values.values()))
        return (values["a"] - 3) ** 2 + (values["b"] - 2) ** 2

    assert tuning.descended(error, grids, {"a": 1.0, "b": 8.0}) == {"a": 3.0, "b": 2.0}
    assert len(set(tried)) < 16


def test_the_descent_follows_a_valley_along_a_diagonal() -> None:
    grids = {"a": (0.0, 1.0, 2.0, 3.0, 4.0), "b": (0.0, 1.0, 2.0, 3.0, 4.0)}

    def error(values: dict[str, float]) -> float:
        return 10 * (values["a"] - values["b"]) ** 2 + (values["a"] - 3) ** 2

    assert tuning.descended(error, grids, {"a": 0.0, "b": 0.0}) == {"a": 3.0, "b": 3.0}


def test_tuning_adds_to_its_file_and_takes_no_other(
    in_small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "SIZE", 6)
    file = tmp_path / "tuned.json"
    for sampler in (SOLVER, "annealed Langevin"):
        assert main(["tune-colour", "--samplers", sampler, "--budgets", "4", "--out", str(file)]) == 0
    held = json.loads(file.read_text())
    assert set(held["chosen"]) == {SOLVER, "annealed Langevin"}
    file.write_text("[]")
    assert main(["tune-colour", "--samplers", SOLVER, "--budgets", "4", "--out", str(file)]) == 2
    assert main(["tune-colour", "--samplers", "SDE-DPM", "--out", str(file)]) == 2
    said = capsys.readouterr().err
    assert "no file of this command's choices" in said and f"did you mean {SOLVER}" in said
    assert file.read_text() == "[]"


def test_committed_choices_are_the_least_tried_and_inside_of_their_grids() -> None:
    held = json.loads(tuning.FILE.read_text(encoding="utf-8"))
    for sampler, budgets in held["chosen"].items():
        for budget, values in budgets.items():
            tried = held["tried"][sampler][budget]
            text = ", ".join(f"{name} {value:g}" for name, value in values.items())
            assert tried[text] == min(tried.values()) < tuning.DIVERGED
            for name, value in values.items():
                ends = {tuning.GRIDS[name][0], tuning.GRIDS[name][-1]}
                assert value not in ends or (name, value) in tuning.NATURAL, (sampler, budget, name)


@pytest.mark.parametrize("profile", [Profile.QUICK, Profile.CPU, Profile.FULL, Profile.GPU])
def test_every_sampler_of_a_profile_was_tuned(profile: Profile) -> None:
    group = next(group for group in claims().group if group.id == "colour_network")
    settings = settings_class(group)(**load_config(ROOT, profile, claims()).settings_of("colour_network"))
    assert isinstance(settings, Settings)
    for sampler in settings.samplers:
        for budget in settings.budgets:
            assert set(tuning.names(sampler)) <= set(tuning.chosen(sampler, budget)._fields)


@pytest.mark.parametrize("name", sorted(SHA256))
def test_committed_weights_are_what_their_plan_would_train_and_the_loss_is_flat(name: str) -> None:
    """Over the last tenth of the training the loss held out falls by less than a twentieth."""
    path = WEIGHTS / f"{name}.safetensors"
    made_by = weights.about(path)
    assert made_by["command"] == f"ams train-images {name}" and made_by["plan"] == PLANS[name].model_dump(mode="json")
    held = [loss for _, loss in made_by["held out"]]
    assert held[-len(held) // 10] / held[-1] < 1.05
    assert path.stat().st_size < 5 * 2**20
