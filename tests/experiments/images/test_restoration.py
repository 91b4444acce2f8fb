"""Restoration of colour images: the network's score, the split, and what a batch measures."""

import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
import torch

from ams.samplers.presets import AUTHORS
from ams.schedules import Level
from ams_suite.project import PROJECT
from experiments.images.loss import denoising_losses
from experiments.images.networks.ffdnet import LARGEST, SMALLEST, ffdnet
from experiments.images.restoration import figures, study
from experiments.images.restoration.settings import (
    BASELINE,
    DOUBLED,
    PAPER,
    SAMPLERS,
    Choice,
    Settings,
    Setup,
    chosen,
    tried,
)
from experiments.images.restoration.study import FIRST, JUDGED, SECOND, Numbers
from tests.claims import ROOT, claims, refuted, verdict_of
from verdicts.claims.schema import Profile, Verdict
from verdicts.records.workspace import Workspace
from verdicts.studies import Memory, cell, using
from verdicts.studies.study import store_of
from verdicts.studies.table import RunTable

HERE = Path(os.environ.get("AMS_DATA", "/missing"))
pytestmark = pytest.mark.skipif(
    not all((HERE / name).is_dir() for name in ("ffdnet", "cifar10", "efficientnet_lite0")),
    reason="AMS_DATA lacks ffdnet, cifar10 or efficientnet_lite0",
)
SETTINGS = Settings()
PUBLISHED = {5: 0.391, 15: 0.197, 25: 0.138, 50: 0.082, 75: 0.058}
"""By 255 times the noise level: the mean square error over its square, as measured elsewhere."""


def losses(level: float, change, count: int = 100) -> torch.Tensor:
    """Return the loss of test images, a pixel, of a score that `change` makes of the network's."""
    x = study.split((0, count // 10))
    z = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return denoising_losses(change(ffdnet(32).score), x, z, Level(0, sigma=level)) / x[0].numel()


def unchanged(score):
    """Return the score itself."""
    return score


def swapped(score):
    """Return a score of images with red and blue exchanged."""
    return lambda x, level: score(x.flip(1), level).flip(1)


def shifted(score):
    """Return a score that is told four fifths of the noise level."""

    def told(x, level):
        return 0.8 * score(x, Level(0, sigma=0.8 * level.sigma))

    return told


@pytest.mark.parametrize(("change", "level", "count"), [(swapped, 15, 500), (shifted, 25, 100)])
def test_the_score_is_the_networks_of_that_level_and_those_channels(change, level, count):
    """Six standard errors of the paired difference, of 1 % and of 15 % of the loss: images and
    noise are fixed.
    """
    worse = losses(level / 255, change, count) - losses(level / 255, unchanged, count)
    assert worse.mean() > 6 * worse.std() / count**0.5


@pytest.mark.parametrize("level", PUBLISHED)
@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_its_loss_on_test_images_is_that_measured_elsewhere(level, count):
    """Within 3 %, and of some images alone six standard errors more."""
    each = losses(level / 255, unchanged, count)
    apart = 0.03 * PUBLISHED[level] + 6 * float(each.std()) * (1 / count - 1 / 10_000) ** 0.5
    assert float(each.mean()) == pytest.approx(PUBLISHED[level], abs=apart)


def test_no_image_is_in_two_parts():
    parts = [study.split(study.TRIALS), study.split(study.REFERENCES)]
    setup = Settings().setup
    for part, count in ((JUDGED, 16), (FIRST, 4), (SECOND, 4)):
        parts.append(torch.cat([study.clean(setup, part, n) for n in range(1, count + 1)]))
    assert [len(part) for part in parts] == [2000, 3000, 512, 128, 128]
    together = torch.cat(parts).flatten(1)
    assert len(together.unique(dim=0)) == len(together)


def test_batches_of_one_number_are_paired_and_clean_images_have_no_excess(monkeypatch):
    setup, choice = Setup(4, 1), Choice(SMALLEST, AUTHORS._replace(factor=0.0, repeats=1))
    at_rest = [
        study.batch.wrapped(setup, name, 2, choice, FIRST, 1)[0]
        for name in ("annealed Langevin", "Langevin, drift x2")
    ]
    assert at_rest[0] == at_rest[1]  # no step is taken: both end at the common start
    monkeypatch.setattr(study, "denoised", lambda problem, x: study.clean(setup, FIRST, 1))
    assert study.batch.wrapped(setup, "ancestral", 2, choice, FIRST, 1)[0].energy == 0.0


def test_a_run_that_diverges_has_infinite_errors():
    choice = Choice(SMALLEST, AUTHORS._replace(factor=1e30, repeats=1))
    made = study.batch.wrapped(Setup(2, 1), "annealed Langevin", 6, choice, FIRST, 1)
    assert made == [study.LOST]


def test_every_sampler_has_six_trials_of_its_own():
    for name in SAMPLERS:
        assert len(set(tried(name))) == 6, name
    assert {choice.last_sigma < LARGEST for choice in tried(SAMPLERS[0])} == {True}


def numbers(sampler: str, budget: int) -> Numbers:
    """Return numbers with which each claim holds."""
    behind = 0.1 if budget < 50 else 0.0
    made = {BASELINE: Numbers(0.3, 6.0, 1.5), PAPER: Numbers(behind, behind, 0.8)}
    return made.get(sampler, Numbers(0.0, 0.0, 1.0))


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[..., Numbers]], None]]:
    """Let batches have made numbers, each of its own by a thousandth."""

    def put(made: Callable[..., Numbers]) -> None:
        @cell
        def batch(
            setup: Setup, sampler: str, budget: int, choice: Choice, part: str, number: int
        ) -> list[Numbers]:
            return [Numbers(*(each + 0.001 * (number % 3) for each in made(sampler, budget)))]

        monkeypatch.setattr(study, "batch", batch)

    with using(Memory()):
        yield put


@pytest.mark.parametrize("claim", ["W1", "W2", "W3", "W4"])
def test_a_claim_holds_where_its_numbers_are_as_it_says(put, claim: str) -> None:
    put(numbers)
    assert verdict_of(claim, settings=SETTINGS) is Verdict.HOLDS


def test_samplers_exchanged_break_w1(put) -> None:
    others = {BASELINE: PAPER, PAPER: BASELINE}
    put(lambda sampler, budget: numbers(others.get(sampler, sampler), budget))
    assert refuted("W1", "pixels", "features", "authors", settings=SETTINGS)


def test_a_baseline_that_needs_no_more_evaluations_breaks_w2(put) -> None:
    better = Numbers(-0.1, -0.1, 1.0)
    put(lambda name, budget: better if name == BASELINE else numbers(name, budget))
    parts = ("pixels", "pixels_authors", "features")
    assert refuted("W2", *parts, settings=SETTINGS)


@pytest.mark.parametrize("rival", SAMPLERS[3:-1])
def test_one_rival_that_differs_breaks_w3(put, rival: str) -> None:
    worse = Numbers(0.1, 2.0, 1.0)
    put(lambda name, budget: worse if name == rival else numbers(name, budget))
    assert refuted("W3", "pixels", "features", settings=SETTINGS)


@pytest.mark.parametrize("rival", SAMPLERS[3:-1])
def test_one_rival_that_is_no_better_at_20_breaks_w3(put, rival: str) -> None:
    worse = Numbers(0.2, 0.2, 1.0)
    put(lambda name, budget: worse if name == rival else numbers(name, budget))
    assert refuted("W3", "pixels_20", "features_20", settings=SETTINGS)


def test_the_figures_margins_are_those_of_the_claim() -> None:
    checks = [check for each in claims().claim if each.id == "W3" for check in each.check]
    stated = [check.tolerance for check in checks if check.relation == "="]
    assert stated == [*figures.MARGINS.values()]


def test_noise_that_does_not_lag_breaks_w4(put) -> None:
    ratios = {BASELINE: 1.0, DOUBLED: 1.5, PAPER: 1.0}
    put(lambda name, budget: numbers(name, budget)._replace(variance_ratio=ratios.get(name, 1.0)))
    assert refuted("W4", "langevin", "doubled", "tempered", settings=SETTINGS)


def test_what_is_chosen_follows_from_the_kept_trials(tmp_path: Path) -> None:
    """The least mean energy distance of those tried, in each part of the trials."""
    workspace = Workspace.open(ROOT, Profile.FULL, tmp_path, PROJECT)
    settings = Settings(**workspace.config.settings_of("restoration"))
    with using(store_of(workspace)):
        table = RunTable(tuple(study.trials(settings)))
        long = product(settings.long, settings.defaults)
        for budget, name in (*product(settings.tuned, settings.samplers), *long):
            for repeat, part in enumerate((FIRST, SECOND)):
                columns = table.columns("energy", "tried", sampler=name, budget=budget, part=part)
                means = [sum(column.values.values()) for column in columns.values()]
                best = tried(name)[means.index(min(means))]
                assert chosen(name, budget, repeat) == best, (name, budget, part)
