"""The command `train-images`: weights that say how they were made, resumed to the bit; bad input in one line."""

import hashlib
import json

import pytest
import torch

from ams_suite.__main__ import main
from experiments import weights
from experiments.images.networks.classifier import SHA256, Classifier
from experiments.images.networks.colour import SHA256 as COLOUR
from experiments.images.networks.loading import fill, parsed
from experiments.images.networks.small import SHA256 as SCORE, WEIGHTS
from experiments.images.tasks import HELD_OUT, PLANS, split_digits, task
from experiments.training import Trainer
from tests.verdicts.toy import full_disk

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
def test_a_folder_that_cannot_be_written_is_told_before_training(tmp_path, capsys, monkeypatch, place):
    monkeypatch.setattr(Trainer, "step", lambda self: pytest.fail("it trains"))
    (tmp_path / "a file").touch()
    assert "cannot be written" in refusal(capsys, tmp_path / place, "digits-classifier", "--steps", "1")


def test_a_disk_that_is_full_in_the_end_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(weights, "write_whole", full_disk)
    assert trained(tmp_path, "digits-classifier", "--steps", "1") == 2
    assert "digits-classifier.safetensors: cannot be written (No space left" in capsys.readouterr().err


@pytest.mark.parametrize("name", STATED)
def test_committed_weights_are_what_their_plan_would_train(name):
    """Settings in the file are those of the command today, so the command remakes them; they are small.

    Over the last tenth of a training the loss held out falls by less than a twentieth.
    """
    file = WEIGHTS / f"{name}.safetensors"
    about = weights.about(file)
    assert about["plan"] == PLANS[name].model_dump(mode="json")
    assert name == "mnist-classifier" or about["task"] == json.loads(task(name).settings.model_dump_json())
    assert hashlib.sha256(file.read_bytes()).hexdigest() == STATED[name] and file.stat().st_size < 5 * 2**20
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
