"""The learned score: its training by the command, runs that go on to the bit, verdicts and what
flips them.
"""

import hashlib
import json
import pickle

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.metrics import expected_coverage
from ams.samplers import Program, State, last, run as loop
from ams.samplers.noise_sources import generated
from ams.samplers.presets import AUTHORS, COMPARED, RK45, SPECS
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.__main__ import main
from experiments import weights
from experiments.images.digits import study as digits
from experiments.images.learned import quality, study
from experiments.images.learned.quality import EXACT, LEARNED, Quality, problem
from experiments.images.learned.settings import BAOAB, BASELINE, FLOW, PAPER, REVERSE, Settings
from experiments.images.loss import KNOWN, losses_per_pixel, worst_ratio
from experiments.images.networks.classifier import SHA256, Classifier
from experiments.images.networks.colour import SHA256 as COLOUR
from experiments.images.networks.loading import fill, parsed
from experiments.images.networks.small import SHA256 as SCORE, WEIGHTS, digits_score
from experiments.images.runs import Problem, generator, run, started
from experiments.images.tasks import HELD_OUT, PLANS, split_digits, task
from experiments.training import Trainer
from tests.claims import expected, quick_settings, upheld, verdict_of
from tests.verdicts.toy import full_disk
from verdicts.claims.schema import Verdict

SETTINGS = quick_settings("learned")


@pytest.mark.parametrize("identifier", ["Q2", "Q2a", "Q4"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier) is expected(identifier)


def exchanged(monkeypatch: MonkeyPatch, places: dict[str, str]) -> None:
    """Put the batches of other samplers in the places of some."""
    true = study.batches

    def batches(settings: Settings, score: str, sampler: str, budget: int) -> list[Quality]:
        return true(settings, score, places.get(sampler, sampler), budget)

    monkeypatch.setattr(study, "batches", batches)


def no_error_is_seen(batches: list[study.RealBatch]) -> tuple[bool, bool]:
    """Tell whether real digits have kernel distance 0, and the coverage of one distribution.

    Both to within 0.1; kernel distances are in units of that of zeros alone. Intervals miss at 1 %.
    """
    (x, y), judge = split_digits().train, quality.judge()
    features = [torch.from_numpy(batch.features) for batch in batches]
    distance = judge.kernel_interval(features, CONFIDENCE, SETTINGS.seed)
    unit = judge.scores(x[y == 0]).kernel
    expected_share = expected_coverage(len(judge.reference), SETTINGS.batch)
    covered = [batch.quality.coverage - expected_share for batch in batches]
    excess = mean_interval(covered, CONFIDENCE)
    kernel_is_0 = -0.1 < distance.low / unit < distance.high / unit < 0.1
    return kernel_is_0, -0.1 < excess.low < excess.high < 0.1


def test_real_digits_show_no_error() -> None:
    """Seeds are fixed: no alarm is false. Both numbers see zeros, which are not all digits."""
    assert no_error_is_seen(study.real_batches(SETTINGS)) == (True, True)
    split, sigma = split_digits(), SETTINGS.last_sigma
    zeros = split.train.x[split.train.y == 0][: 2 * SETTINGS.batch]
    noisy = zeros + 0.05 * torch.randn(zeros.shape, generator=torch.Generator().manual_seed(3))
    judged = [quality.judged(LEARNED, sigma, x) for x in noisy.split(len(zeros) // 4)[:4]]
    batches = [study.RealBatch(each.quality, each.features.numpy()) for each in judged]
    assert no_error_is_seen(batches) == (False, False)


TELLING = (0.03, 0.05, 0.1, 0.2, 0.3)
"""Noise levels at which single digits can be told apart; beyond them copies are good too."""


def test_the_learned_score_generalises_to_digits_it_has_not_seen() -> None:
    """Its loss is below that of the exact score of the digits seen, and below that of one Gaussian.

    At each noise level by Student's interval over 360 digits, paired, at 1 %; noise is fixed. The
    exact score itself, which copies, is not below the Gaussian.
    """
    scores = {name: known(split_digits().train.x).score for name, known in KNOWN.items()}
    scores["learned"] = digits_score().score
    x = split_digits().test.x
    losses = {name: losses_per_pixel(score, x, TELLING, 4, 2) for name, score in scores.items()}

    def below(one: str, other: str) -> bool:
        return worst_ratio(losses[one], losses[other], CONFIDENCE).high < 1

    assert below("learned", "exact") and below("learned", "gaussian")
    assert not below("exact", "gaussian")


def test_the_worst_ratio_is_that_of_the_noise_level_where_the_loss_is_largest() -> None:
    """Ratios 1/2 everywhere, but 3/4 at the second noise level."""
    theirs = np.ones((3, 4)) + 0.001 * np.arange(4)
    ours = theirs * np.array([0.5, 0.75, 0.5])[:, None]
    value, low, high, n = worst_ratio(ours, theirs, 0.999)
    assert low < value == pytest.approx(0.75) and value < high < 0.8 and n == 4


def test_the_baseline_in_its_place_breaks_q2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of Q2: where annealed Langevin has reverse diffusion's samples, adaptive momentum
    covers no more.
    """
    exchanged(monkeypatch, {BASELINE: REVERSE})
    assert verdict_of("Q2") is Verdict.REFUTED


def test_a_sampler_that_is_faster_would_make_q2a_hold(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation Q2a: annealed BAOAB's samples in adaptive momentum's place save
    more than half.
    """
    with upheld("Q2a"):
        exchanged(monkeypatch, {PAPER: BAOAB})


def test_a_sampler_that_wins_would_make_q4_hold(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation Q4: annealed BAOAB against annealed Langevin in both places."""
    with upheld("Q4"):
        exchanged(monkeypatch, {PAPER: BAOAB, REVERSE: BASELINE, FLOW: BASELINE})


def test_samples_of_the_exact_score_are_copies_and_those_of_the_network_are_not() -> None:
    few = SETTINGS.model_copy(update={"batches": 2})
    assert max(batch.novelty for batch in study.batches(few, EXACT, PAPER, 60)) < 1e-2
    assert min(batch.novelty for batch in study.batches(few, LEARNED, PAPER, 60)) > 0.5


def test_the_variance_ratio_of_noisier_digits_is_higher() -> None:
    """Digits blurred by 1.2 times the last noise level have 1.44 times the variance ratio, to what
    the score resolves.

    Those held out have more than those seen, and 1 is between them.
    """
    (seen, _), (x, _) = split_digits()
    z = torch.randn(seen.shape, generator=torch.Generator().manual_seed(5))
    known, held, more = (
        quality.variance_ratio(LEARNED, 0.05, y + sigma * z[: len(y)])
        for y, sigma in ((seen, 0.05), (x, 0.05), (x, 0.06))
    )
    assert (
        0.9 < known < 0.95
        and 1.05 < held < 1.1
        and (known + held) / 2 == pytest.approx(1.0, abs=0.02)
    )
    assert more / held == pytest.approx(1.44, abs=0.2)


STATED = {"digits-score": SCORE, **SHA256, **COLOUR}


def trained(folder, *options):
    return main(["train-images", "--out", str(folder), *options])


def refusal(capsys, folder, *options):
    """Return the one line that refuses a command."""
    assert trained(folder, *options) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_run_says_how_it_was_made(tmp_path, capsys):
    assert trained(tmp_path, "digits-classifier", "--steps", "20") == 0
    file = tmp_path / "digits-classifier.safetensors"
    about = weights.about(file)
    assert about["command"] == "ams train-images digits-classifier"
    assert about["plan"]["steps"] == 20 and about["task"]["data"] == "digits"
    assert 0 < about["accuracy"] <= 1 and len(about["curve"]) == 20
    assert about["held out"][-1][0] == 20 and about["tensors"] in capsys.readouterr().out
    fill(Classifier(8), parsed(file.read_bytes(), str(file)), str(file))
    assert (tmp_path / "digits-classifier_loss.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["digits-scores"], "did you mean digits-score"),
        (["digits-score", "--device", "tpu"], "--device tpu"),
        (["digits-score", "--steps", "0"], "--steps 0"),
        (["digits-score", "--resume"], "without --resume a new run begins"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, options, line):
    assert line in refusal(capsys, tmp_path, *options)


def test_weights_that_are_there_are_not_replaced_by_a_new_run(tmp_path, capsys):
    (tmp_path / "digits-classifier.safetensors").write_bytes(b"mine")
    assert "weights are there" in refusal(capsys, tmp_path, "digits-classifier", "--steps", "1")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"mine"]


@pytest.mark.parametrize("place", ["a file", "/proc/nope"])
def test_a_folder_that_cannot_be_written_is_told_before_training(
    tmp_path, capsys, monkeypatch, place
):
    monkeypatch.setattr(Trainer, "step", lambda self: pytest.fail("it trains"))
    (tmp_path / "a file").touch()
    assert "cannot be written" in refusal(
        capsys, tmp_path / place, "digits-classifier", "--steps", "1"
    )


def test_a_disk_that_is_full_in_the_end_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(weights, "write_whole", full_disk)
    assert trained(tmp_path, "digits-classifier", "--steps", "1") == 2
    assert (
        "digits-classifier.safetensors: cannot be written (No space left" in capsys.readouterr().err
    )


@pytest.mark.parametrize("name", STATED)
def test_committed_weights_are_what_their_plan_would_train(name):
    """Settings in the file are those of the command today, so the command remakes them; they are
    small.

    Over the last tenth of a training the loss held out falls by less than a twentieth.
    """
    file = WEIGHTS / f"{name}.safetensors"
    about = weights.about(file)
    assert about["plan"] == PLANS[name].model_dump(mode="json")
    assert name == "mnist-classifier" or about["task"] == json.loads(
        task(name).settings.model_dump_json()
    )
    assert (
        hashlib.sha256(file.read_bytes()).hexdigest() == STATED[name]
        and file.stat().st_size < 5 * 2**20
    )
    assert about["seconds"] > 0 and about["held out"][-1][0] == about["plan"]["steps"]
    held = [loss for _, loss in about["held out"]]
    assert held[-len(held) // 10] / held[-1] < 1.05


def test_no_other_weights_are_committed():
    assert {file.stem for file in WEIGHTS.glob("*.safetensors")} == set(STATED)


def test_the_split_is_fixed_and_disjoint():
    split = split_digits()
    assert (len(split.test.y), len(split.train.y)) == (HELD_OUT, 1797 - HELD_OUT)
    apart = torch.cdist(split.test.x.flatten(1), split.train.x.flatten(1))
    assert float(apart.min()) > 0  # no digit is in both (the set holds no two that are equal)
    assert len(torch.unique(split.train.y)) == len(torch.unique(split.test.y)) == 10


BUDGET, SIZE = 40, 6


@pytest.fixture(scope="module")
def learned() -> Problem:
    """Return the suite's own network, in float32."""
    return problem(LEARNED, 0.05)


@pytest.mark.parametrize("name", COMPARED)
def test_a_run_broken_off_between_steps_goes_on_to_the_same_bits(
    learned: Problem, name: str
) -> None:
    """State and generator are all that a run is: written away half-way, read again, with a program
    made anew.
    """
    spec, draws = SPECS[name], generator(3, 1)

    def end(program: Program, state: State, draws: torch.Generator) -> State:
        algebra = spec.coupling()
        return last(
            loop(program, state, learned.score, generated(draws, algebra.empty_like), algebra)
        )[0]

    program = list(spec.build(learned.sigmas, BUDGET, AUTHORS))
    half = len(program) // 2
    middle = end(program[:half], State(started(learned, SIZE, draws)), draws)
    state, stream = pickle.loads(pickle.dumps((middle, draws.get_state())))
    draws = torch.Generator()
    draws.set_state(stream)
    resumed = end(list(spec.build(learned.sigmas, BUDGET, AUTHORS))[half:], state, draws).x
    assert torch.equal(resumed, run(learned, spec, BUDGET, AUTHORS, SIZE, generator(3, 1)).x)


@pytest.mark.parametrize("name", [name for name in SPECS if name != RK45.name])
def test_a_batch_depends_on_its_own_number_alone(name: str) -> None:
    """Whatever ran before, and but for rounding with whatever others it is computed."""
    setup = digits.Settings(batch=8, seed=8).setup

    def computed(*numbers: int) -> list[float]:
        return [each.energy for each in digits.measure.wrapped("", name, 20, numbers, setup)]

    one, other = computed(1, 2)
    assert computed(2) + computed(1) == pytest.approx([other, one], rel=1e-3) and one != other
