"""The training loop, which learns and resumes to the bit, and files of weights that say how they
were made.
"""

import hashlib

import pytest
import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from ams.errors import UserError
from experiments import weights
from experiments.images.networks.loading import stored
from experiments.training import Plan, Trainer, drawn_from, fit

PLAN = Plan(steps=30, rate=0.05, average=0.9, warm=3, seed=7)


class Sizes(BaseModel):
    model_config = ConfigDict(frozen=True)
    width: int = 3


class Line:
    """Learn y = 2 x by a small network with dropout, so that torch's own generator matters too."""

    parts = ("square", "size")

    def __init__(self, settings=None):
        self.settings = settings or Sizes()

    def network(self):
        return nn.Sequential(
            nn.Linear(1, self.settings.width), nn.Dropout(0.2), nn.Linear(self.settings.width, 1)
        )

    def losses(self, network, generator, device):
        x = torch.rand(16, 1, generator=generator).to(device)
        return torch.stack(
            [(network(x) - 2 * x).square().mean(), 1e-3 * network[0].weight.square().sum()]
        )

    def held_out(self, network, device):
        return self.losses(network, torch.Generator().manual_seed(1), device)


def ignore(done, losses):
    pass


def weights_of(trainer):
    return {
        **trainer.network.state_dict(),
        **{f"averaged.{k}": v for k, v in trainer.averaged.state_dict().items()},
    }


def test_a_resumed_run_ends_in_the_same_bits(tmp_path):
    whole = Trainer(Line(), PLAN)
    fit(whole, tmp_path / "whole", False, ignore, every=7)
    begun = Trainer(Line(), PLAN)
    while begun.done < 14:
        begun.step()
        if begun.done % 7 == 0:
            begun.look()
    torch.save(begun.state(), tmp_path / "begun")
    begun.step()  # steps that were lost
    resumed = Trainer(Line(), PLAN)
    fit(resumed, tmp_path / "begun", True, ignore, every=7)
    assert (resumed.curve, resumed.held) == (whole.curve, whole.held) and len(whole.held) == 5
    for name, tensor in weights_of(whole).items():
        assert torch.equal(tensor, weights_of(resumed)[name]), name


def test_a_run_learns_and_is_its_seeds_own():
    runs = {
        seed: Trainer(Line(), PLAN.model_copy(update={"seed": seed, "steps": 200}))
        for seed in (1, 2)
    }
    for run in runs.values():
        for _ in range(200):
            run.step()
        assert sum(run.curve[-1]) < 0.3 * sum(run.curve[0])
    assert runs[1].curve != runs[2].curve


def test_the_average_follows_the_weights():
    """After one step `w' = k w_0 + (1 - k) w_1` with k = (1 + 0)/(10 + 0)."""
    run = Trainer(Line(), PLAN)
    first = run.network[0].weight.detach().clone()
    run.step()
    expected = 0.1 * first + 0.9 * run.network[0].weight.detach()
    torch.testing.assert_close(run.averaged[0].weight, expected)


def test_the_rate_rises_and_falls():
    run, seen = Trainer(Line(), PLAN), []
    while run.done < PLAN.steps:
        seen.append(run._rate())
        run.step()
    assert seen[0] == pytest.approx(PLAN.rate / 3) and max(seen) == pytest.approx(
        PLAN.rate, rel=0.05
    )
    assert seen[-1] < 0.01 * PLAN.rate


def test_report_sees_means_since_the_last(tmp_path):
    seen, run = [], Trainer(Line(), PLAN)
    fit(run, tmp_path / "kept", False, lambda done, losses: seen.append((done, losses)), every=20)
    assert [done for done, _ in seen] == [20, 30]
    assert seen[0][1]["square"] == pytest.approx(sum(parts[0] for parts in run.curve[:20]) / 20)


def test_a_file_in_the_way_is_not_overwritten(tmp_path):
    (tmp_path / "kept").write_bytes(b"mine")
    with pytest.raises(UserError, match="--resume"):
        fit(Trainer(Line(), PLAN), tmp_path / "kept", False, ignore)
    assert (tmp_path / "kept").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", ["missing", "cut", "other plan", "other task", "no run"])
def test_what_cannot_be_resumed_is_refused_in_one_line(tmp_path, damage):
    kept, run = tmp_path / "kept", Trainer(Line(), PLAN)
    run.step()
    if damage != "missing":
        torch.save({"a": 1} if damage == "no run" else run.state(), kept)
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-300])
    plan = PLAN.model_copy(update={"rate": 0.1}) if damage == "other plan" else PLAN
    task = Line(Sizes(width=4)) if damage == "other task" else Line()
    with pytest.raises(UserError) as caught:
        fit(Trainer(task, plan), kept, True, ignore)
    assert "\n" not in str(caught.value) and str(kept) in str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_run_and_is_not_kept(tmp_path):
    class Breaks(Line):
        def losses(self, network, generator, device):
            return super().losses(network, generator, device) * float("inf")

    with pytest.raises(FloatingPointError, match="step 5"):
        fit(Trainer(Breaks(), PLAN), tmp_path / "kept", False, ignore, every=5)
    assert not (tmp_path / "kept").exists()


def test_draws_are_the_steps_own_and_leave_torch_alone():
    before = torch.random.get_rng_state()
    with drawn_from(3, 5) as generator:
        first = torch.rand(2, generator=generator), torch.rand(2)
    with drawn_from(3, 5) as generator:
        again = torch.rand(2, generator=generator), torch.rand(2)
    assert torch.equal(torch.stack(first), torch.stack(again)) and torch.equal(
        before, torch.random.get_rng_state()
    )


TENSORS = {"b": torch.arange(3.0), "a": torch.ones(2, 2)}


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "w.safetensors"
    sha256 = weights.write(file, TENSORS, {"seconds": 1.5})
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert all(torch.equal(TENSORS[name], tensor) for name, tensor in stored(file, sha256).items())
    assert weights.about(file) == {"seconds": 1.5, "tensors": weights.digest(TENSORS)}


def test_the_digest_is_of_the_tensors_alone():
    assert weights.digest(TENSORS) == weights.digest(dict(sorted(TENSORS.items())))
    for changed in (
        {"a": TENSORS["a"]},
        {**TENSORS, "b": torch.arange(3.0) + 1e-7},
        {**TENSORS, "a": torch.ones(4)},
    ):
        assert weights.digest(changed) != weights.digest(TENSORS)


def test_a_changed_file_is_not_used(tmp_path):
    file = tmp_path / "w.safetensors"
    sha256 = weights.write(file, TENSORS, {})
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="restore it"):
        stored(file, sha256)


def test_a_file_of_another_kind_says_nothing(tmp_path):
    (tmp_path / "w").write_bytes(b"PK not a file of weights")
    for file in (tmp_path / "w", tmp_path / "missing"):
        with pytest.raises(UserError):
            weights.about(file)


def test_tensors_in_another_memory_order_are_the_same_weights(tmp_path):
    """A convolution of 1 x 1 counts as contiguous in either order, and has other strides in the
    order of channels.
    """
    for side in (1, 3):
        plain = torch.randn(4, 8, side, side)
        other = plain.clone(memory_format=torch.channels_last)
        assert plain.stride() != other.stride() and weights.digest({"w": plain}) == weights.digest(
            {"w": other}
        )
        made = [
            weights.write(tmp_path / f"{n}", {"w": each}, {})
            for n, each in enumerate((plain, other))
        ]
        assert made[0] == made[1]
