"""Colour images from the suite's own network: its training, each claim, both choices of
hyperparameters.
"""

import json
import math
from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import torch

from ams.data import Images
from ams.samplers.presets import SigmaRange
from ams.schedules import Level
from ams.statistics import CONFIDENCE
from ams_suite.__main__ import main
from experiments.denoising import log_normal, log_uniform
from experiments.images import colour_task
from experiments.images.colour.settings import Network
from experiments.images.colour.study import Quality
from experiments.images.colour_network import figures, quality, study, tuning
from experiments.images.colour_network.settings import (
    ADAPTIVE,
    ANCESTRAL,
    EARLY,
    LATE,
    PLAIN,
    SOLVER,
    Published,
    Settings,
)
from experiments.images.colour_task import DEVIATION, MEAN, ColourTask, Parts
from experiments.images.features.extractors import Extractor
from experiments.images.loss import KNOWN, losses_per_pixel, worst_ratio
from experiments.images.networks.colour import (
    KINDS,
    SMALLEST,
    SPREAD,
    colour_score,
    denoiser,
    score_of,
)
from experiments.images.runs import BASELINE, PAPER, Problem
from experiments.images.tasks import PLANS, task
from tests.ams.tools import found_or_skipped
from tests.claims import ROOT, claims, upheld, verdict_of
from verdicts.claims.loading import load_config
from verdicts.claims.schema import Profile, Verdict
from verdicts.run.checks import settings_class

DEVIATION_OF_PIXELS = 0.25
AS_MEASURED = {
    PLAIN: {EARLY: 0.047, LATE: 0.018},
    ADAPTIVE: {EARLY: 0.049, LATE: 0.021},
    ANCESTRAL: {EARLY: 0.009, LATE: 0.010},
    SOLVER: {EARLY: 0.006, LATE: 0.008},
}
"""Kernel distances of the size that the network's runs have, by score evaluations."""
NEAR, FAR = [0.10, 0.11, 0.09, 0.10], [0.20, 0.22, 0.20, 0.21]


def made(count: int, seed: int) -> torch.Tensor:
    """Return images of independent pixels."""
    return 0.5 + DEVIATION_OF_PIXELS * torch.randn(
        count, 3, 16, 16, generator=torch.Generator().manual_seed(seed)
    )


def gaussian_score(x: torch.Tensor, level: Level) -> torch.Tensor:
    return (0.5 - x) / (DEVIATION_OF_PIXELS**2 + level.sigma**2)


@pytest.fixture
def in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the score of independent pixels in the network's place, made images in CIFAR-10's, means
    in the features'.
    """
    extractor = Extractor(
        "blocks", "0" * 64, lambda x: torch.nn.functional.avg_pool2d(x, 8).flatten(1)
    )
    asked = Problem(gaussian_score, (3, 16, 16), SigmaRange(5.0, 0.01))
    monkeypatch.setattr(quality, "problem", lambda last_sigma: asked)
    monkeypatch.setattr(quality, "learned", lambda: Parts(made(80, 2), made(40, 3)))
    monkeypatch.setattr(quality, "extractor", lambda: extractor)
    monkeypatch.setattr(tuning, "COMPARED", 20)
    monkeypatch.setattr(tuning, "held_out", tuning.held_out.__wrapped__)


def measured(monkeypatch: pytest.MonkeyPatch, exchanged: Mapping[str, str]) -> None:
    """Put numbers in the runs' place: as measured, but for samplers that are exchanged."""

    def kernels(settings: Settings, sampler: str, budget: int, choice: int) -> list[float]:
        size = AS_MEASURED[exchanged.get(sampler, sampler)][budget]
        return [size * factor for factor in (0.97, 1.02, 1.03, 0.99, 1.0, 0.98, 1.01, 1.0)]

    monkeypatch.setattr(study, "kernels", kernels)


def test_a_sampler_that_is_nearer_would_make_x6_and_x7_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Falsifier of the refutations X6 and X7: SDE-DPM-Solver++'s numbers in the adaptive
    corrector's place.
    """
    measured(monkeypatch, {})
    with upheld("X6", "X7", settings=Settings()):
        measured(monkeypatch, {ADAPTIVE: SOLVER})


@pytest.mark.parametrize(
    ("farther", "verdict"), [("", "HOLDS"), (PLAIN, "REFUTED"), (ADAPTIVE, "REFUTED")]
)
def test_a_difference_of_correctors_refutes_that_they_are_alike(
    farther: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Falsifier of X5 and X5a: one corrector has larger distances; without it they are alike."""

    def kernels(settings: Settings, sampler: str, budget: int, choice: int) -> list[float]:
        return FAR if sampler == farther else NEAR

    monkeypatch.setattr(study, "kernels", kernels)
    assert [verdict_of(name, settings=Settings()) for name in ("X5", "X5a")] == [
        Verdict[verdict]
    ] * 2


def test_speed_ups_are_of_tuned_and_untuned_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counterpart that has at the larger budget a sampler's distance at the smaller needs twice
    as many.
    """
    near = {(PLAIN, LATE), (BASELINE, LATE), (ADAPTIVE, EARLY), (PAPER, EARLY)}

    def kernels(settings: Settings, sampler: str, budget: int, choice: int) -> list[float]:
        return NEAR if (sampler, budget) in near else FAR

    def judged(form: Published, network: str, sampler: str, budget: int, features: str) -> Quality:
        return Quality(4, 1.0, 1.0, 1.0, 1.0, 1.0, tuple(kernels(Settings(), sampler, budget, 0)))

    monkeypatch.setattr(study, "kernels", kernels)
    monkeypatch.setattr(study.published, "judged", judged)
    network = Network(path=Path("cifar16-score"), sha256="0", reference="cifar10-test")
    form = Published(budgets=(EARLY, LATE), networks={"cifar16": network})
    rows = [*figures.colour_network_speed_ups(Settings(published=form))]
    assert len(rows) == 2 * 4 and len([*figures.colour_network_speed_ups(Settings())]) == 2 * 2
    assert all(row[2] == pytest.approx(2.0) for row in rows if row[1] == EARLY)


def test_the_network_generalises_to_images_that_it_has_not_seen() -> None:
    """Its denoising loss on 60 test images is below that of two scores of its 48,000 training
    images, at five levels.

    The exact score is what it would be had it memorised them; the other is that of a Gaussian
    fitted to them. Intervals of 99 %, one seed.
    """
    train = found_or_skipped(quality.learned).train
    unseen = found_or_skipped(quality.test_images)[-60:]
    levels = (0.05, 0.1, 0.2, 0.4, 0.8)
    ours = losses_per_pixel(colour_score(quality.NETWORK).score, unseen, levels, 1, 2)
    for known in KNOWN.values():
        others = losses_per_pixel(known(train).score, unseen, levels, 1, 2)
        assert worst_ratio(ours, others, CONFIDENCE).high < 1.0


def test_a_race_ends_at_the_best_and_runs_the_better_points_for_longer() -> None:
    """The first batch misleads; what later ones say of the points that are left decides."""
    entered = [{"rho": float(k)} for k in range(10)]

    def error(point: tuning.Values, number: int) -> float:
        return 2.5 if number == 0 and point["rho"] == 6 else abs(point["rho"] - 6)

    best, trials = tuning.raced(error, entered)
    assert best == {"rho": 6.0}
    assert sorted(map(len, trials.values())) == [1] * 5 + [3] * 3 + [7] * 2


def test_tuning_adds_to_its_file_and_takes_no_other(
    in_small: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("SIZE", 6), ("ROUNDS", ((1, 2), (1, 1))), ("SNR", {4: (0.2, 0.4)})):
        monkeypatch.setattr(tuning, name, value)
    file = tmp_path / "tuned.json"
    for sampler in (PLAIN, ADAPTIVE):
        assert (
            main(["tune-colour", "--samplers", sampler, "--budgets", "4", "--out", str(file)]) == 0
        )
    held = json.loads(file.read_text())
    assert set(held["chosen"]) == {PLAIN, ADAPTIVE}
    first, second = (held["tried"][PLAIN]["4"][choice] for choice in ("1", "2"))
    assert (
        first != second
        and first.keys() == held["tried"][ADAPTIVE]["4"]["1"].keys()
        and len(first) == 8
    )
    file.write_text("[]")
    assert main(["tune-colour", "--samplers", PLAIN, "--budgets", "4", "--out", str(file)]) == 2
    assert main(["tune-colour", "--samplers", PLAIN, "--budgets", "5", "--out", str(file)]) == 2
    assert main(["tune-colour", "--samplers", "PC, Langevi", "--out", str(file)]) == 2
    said = capsys.readouterr().err
    assert "no file of this command's choices" in said and f"did you mean {PLAIN}" in said
    assert "tuned at 4" in said and file.read_text() == "[]"


def recorded(trials: tuning.Trials, point: tuning.Values, number: int) -> float:
    return trials[tuning.in_words(point)][number]


def test_committed_choices_win_the_committed_races() -> None:
    held = json.loads(tuning.FILE.read_text(encoding="utf-8"))
    for sampler, budgets in held["chosen"].items():
        for budget, choice in product(budgets, map(str, tuning.CHOICES)):
            tried, values = held["tried"][sampler][budget][choice], budgets[budget][choice]
            best, trials = tuning.raced(partial(recorded, tried), tuning.points(int(budget)))
            assert best == values and trials == tried


@pytest.mark.parametrize("profile", [Profile.QUICK, Profile.CPU, Profile.FULL, Profile.PAPER])
def test_every_sampler_of_a_profile_was_tuned(profile: Profile) -> None:
    group = next(group for group in claims().group if group.id == "colour_network")
    settings = settings_class(group)(
        **load_config(ROOT, profile, claims()).settings_of("colour_network")
    )
    assert isinstance(settings, Settings)
    for sampler, budget in product(settings.samplers, settings.budgets):
        assert len(tuning.chosen(sampler, budget)) == 2


@pytest.fixture
def gaussian_pixels(monkeypatch):
    """Replace the images by 150 of independent Gaussian pixels with the stated mean and
    deviation.
    """

    def images(name):
        side = 16 if name.endswith("-16") else 32
        x = 0.474 + 0.25 * torch.randn(
            150, side, side, 3, generator=torch.Generator().manual_seed(1)
        )
        return Images(x, torch.zeros(150, dtype=torch.long))

    monkeypatch.setattr(colour_task, "images", images)
    monkeypatch.setattr(colour_task, "HELD_OUT", 50)


@pytest.mark.parametrize("name", KINDS)
def test_a_network_begins_at_the_answer_for_gaussian_pixels(gaussian_pixels, name):
    """F = 0 at first: the loss of independent pixels of the stated spread is 1, and no network does
    better.
    """
    what = task(name)
    assert isinstance(what, ColourTask) and name in PLANS
    few = what.split.held_out[: 13_312 // KINDS[name].side ** 2]
    loss = what._loss(what.network(), few, torch.Generator().manual_seed(0), torch.device("cpu"))
    # 38,400 numbers or more: 7 standard errors
    assert float(loss.detach()) == pytest.approx(1.0, abs=0.05)


def test_the_parts_are_disjoint_and_fixed(gaussian_pixels):
    one, other = task("cifar16-score").split, task("cifar16-score").split
    assert (len(one.held_out), len(one.train)) == (50, 100)
    assert torch.equal(one.train, other.train)
    assert float(torch.cdist(one.train.flatten(1), one.held_out.flatten(1)).min()) > 0


def test_noise_levels_are_those_stated():
    """10,000 draws; the bounds are five standard errors (false alarm 1e-6)."""
    generator = torch.Generator().manual_seed(1)
    v = log_normal(10_000, MEAN, DEVIATION, SMALLEST, 25.0, generator).log()
    assert float(v.median()) == pytest.approx(-1.2 - math.log(2), abs=5 * 1.2 * 1.25 / 100)
    uniform = log_uniform(10_000, 0.01, 10.0, generator).log()
    assert float(uniform.mean()) == pytest.approx(
        math.log(0.1) / 2, abs=5 * math.log(1000) / 12**0.5 / 100
    )
    assert v.min() >= math.log(SMALLEST) - 1e-6 and uniform.max() <= math.log(10) + 1e-6


@pytest.mark.parametrize("name", KINDS)
def test_a_score_is_asked_at_one_noise_level_for_all(name):
    kind = KINDS[name]
    network = denoiser(kind)
    torch.nn.init.normal_(network.network.last.weight, std=0.1)
    y = torch.randn(2, 3, kind.side, kind.side)
    one = score_of(network, kind).noise(y, 0.3)
    torch.testing.assert_close(one, network(y, torch.full((2,), 0.3)), rtol=1e-4, atol=1e-5)


def test_the_stated_mean_and_spread_are_those_of_the_images():
    x = found_or_skipped(colour_task.images, "cifar10-train-16").x
    assert float(x.mean()) == pytest.approx(0.474, abs=1e-3) and float(x.std()) == pytest.approx(
        SPREAD, abs=0.01
    )
