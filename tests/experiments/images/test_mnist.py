"""MNIST's group on made-up images in the file's place: verdicts, their falsifiers, and samples in features."""

from collections.abc import Iterator

import pytest
import torch
from pytest import MonkeyPatch

from ams.data import Images
from ams.samplers.presets import EXACT
from experiments.images.exact import BASELINE, PAPER, Errors
from experiments.images.mnist import figures, study
from experiments.images.mnist.settings import Settings
from tests.claims import refuted, verdict_of
from tests.experiments.images.made import pictures
from verdicts.claims.schema import Verdict
from verdicts.studies import Cell, Memory, using

FEW = Settings(budgets=(10,), fresh=2, batches=3, batch=8, samplers=(BASELINE, "constant momentum"), seed=9)


@pytest.fixture
def made_up(monkeypatch: MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(study, "load", lambda name: Images(pictures(40), torch.arange(40) % 10))
    study.target.cache_clear()
    with using(Memory()):
        yield
    study.target.cache_clear()


def measured(monkeypatch: MonkeyPatch, variance_ratios: dict[str, dict[int, float]]) -> None:
    """Give samplers these variance ratios by evaluations, a little apart between batches."""

    def errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
        ratio = variance_ratios[sampler][budget]
        return [Errors(0.0, ratio * (1 + 0.001 * k), 1.0, 0.0) for k in range(settings.batches)]

    def fresh_errors(settings: Settings, sampler: str) -> dict[int, list[Errors]]:
        return {budget: errors(settings, sampler, budget) for budget in study.fresh_curve(settings, sampler)}

    monkeypatch.setattr(study, "errors", errors)
    monkeypatch.setattr(study, "fresh_errors", fresh_errors)


LANGEVIN = {20: 1.9, 50: 1.4, 100: 1.2, 150: 1.12, 400: 1.05}
ADAPTIVE = {20: 1.6, 50: 1.15, 100: 1.02, 150: 0.97, 400: 0.9}
SETTINGS = Settings(budgets=(20, 50, 100), long=(400,), batches=6, batch=32)


def test_langevin_against_itself_breaks_m1(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of M1: numbers like those measured hold; annealed Langevin in adaptive momentum's place saves none."""
    measured(monkeypatch, {BASELINE: LANGEVIN, PAPER: ADAPTIVE})
    assert verdict_of("M1", settings=SETTINGS) is Verdict.HOLDS
    measured(monkeypatch, {BASELINE: LANGEVIN, PAPER: LANGEVIN})
    assert verdict_of("M1", settings=SETTINGS) is Verdict.REFUTED


def test_exchanged_samplers_break_m2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of M2: numbers like those measured hold; exchanged, each part is refuted."""
    measured(monkeypatch, {BASELINE: LANGEVIN, PAPER: ADAPTIVE})
    assert verdict_of("M2", settings=SETTINGS) is Verdict.HOLDS
    measured(monkeypatch, {BASELINE: ADAPTIVE, PAPER: LANGEVIN})
    assert refuted("M2", "adaptive", "langevin", settings=SETTINGS)


def test_samples_are_judged_denoised_against_the_targets_images(made_up: None, monkeypatch: MonkeyPatch) -> None:
    """The target's own draws, denoised, are its images: their distance is the floor; that of inverted images is not."""
    judged = figures.in_features(FEW)
    assert [one.entry.sampler for one in judged] == [EXACT.name, *FEW.samplers]
    assert {one.conditions.n for one in judged} == {24}
    floor = judged[0]
    monkeypatch.setattr(study, "denoised", lambda problem, x: 1 - x)
    with using(Memory()):
        far = figures.in_features(FEW)[0]
    assert floor.conditions == far.conditions
    assert floor.conditions.denoised and floor.conditions.reference == "first 40 MNIST test images"
    assert far.numbers["frechet"].value > 3 * floor.numbers["frechet"].value
    assert far.numbers["coverage"].value < 0.5 < floor.numbers["coverage"].value


def test_tables_have_a_row_for_each_run_and_read_the_study_alone(made_up: None, monkeypatch: MonkeyPatch) -> None:
    for each in study.cells(FEW):
        each.function(**each.arguments)
    monkeypatch.setattr(Cell, "compute", lambda cell: pytest.fail(f"{cell} is not in the study"))
    every, _, in_features, classes = figures.tables(FEW)
    for table in (every, in_features, classes):
        assert [row[0] for row in table.rows] == ["fresh draws", *FEW.samplers]
