"""Training: what is learned is the noise, its settings fix a run to the bit, and its files are
whole or not there.
"""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ams.data import Graph
from ams.errors import UserError
from ams_suite.__main__ import main
from experiments.graphs import training
from experiments.graphs.checkpoints import Networks
from experiments.graphs.graph_layout import Layout
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.trained import networks_in, read_trained
from experiments.graphs.training import (
    PROCESS,
    Denoising,
    Example,
    digest_of,
    graphs_of,
    losses,
    plan_of,
)
from experiments.training import Trainer

SMALL = TrainConfig(steps=6, graphs=8, batch=3, width=4, layers=2, convolutions=1)
FLAGS = ["--graphs", "8", "--batch", "3", "--width", "4", "--layers", "2", "--convolutions", "1"]


def trained(out: Path, steps: int, *more: str) -> int:
    return main(["train-graphs", "--out", str(out), "--steps", str(steps), *FLAGS, *more])


class Ideal(torch.nn.Module):
    """Knows the graph: of one triangle, or one edge, at a time, the noise is what remains."""

    def __init__(self, examples: list[Example], times: list[float], features: bool) -> None:
        super().__init__()
        self.examples, self.times, self.features = examples, times, features

    def forward(self, x: Tensor, a: Tensor, layout: Layout) -> Tensor:
        node, pair = (x, layout.graph_of_node), (a, layout.graph_of_pair)
        noisy, graph = node if self.features else pair
        clean = torch.cat(
            [example.rows if self.features else example.pairs for example in self.examples]
        )
        scale, sigma = torch.tensor([PROCESS.marginal(t) for t in self.times]).T
        shape = (-1, 1) if self.features else (-1,)
        return (noisy - scale[graph].reshape(shape) * clean) / sigma[graph].reshape(shape)


def test_the_loss_is_that_of_the_noise() -> None:
    """A network that knows the graphs has none; one that says 0 has the noise's variance, 1 to 5 %
    on 8000 pairs.
    """
    examples = [
        Example.of(graph)
        for graph in sorted(graphs_of(TrainConfig(graphs=64)), key=lambda graph: graph.nodes)
    ]
    times = training.stratified_times(64, torch.Generator().manual_seed(3))
    ideal = Networks(*(Ideal(examples, times, features) for features in (True, False)))
    loss = losses(ideal, examples, torch.Generator().manual_seed(3))
    assert float(loss.max()) < 1e-4  # float32, at sigma(t) of a hundredth
    silent = Networks(
        lambda x, a, layout: torch.zeros_like(x), lambda x, a, layout: torch.zeros_like(a)
    )
    assert losses(silent, examples, torch.Generator().manual_seed(3)).tolist() == pytest.approx(
        [1.0, 1.0], rel=0.05
    )


def test_an_example_is_degrees_and_pairs() -> None:
    star = Example.of(Graph(13, tuple((0, leaf) for leaf in range(1, 12))))
    assert star.rows.argmax(1).tolist() == [9, *[1] * 11, 0] and star.rows.sum() == 13
    assert star.pairs.tolist() == [1.0] * 11 + [0.0] * (78 - 11)


def test_graphs_are_those_of_the_settings_and_held_out_ones_are_others() -> None:
    assert digest_of(graphs_of(SMALL)) == digest_of(graphs_of(SMALL))
    others = [SMALL.model_copy(update={"seed": 2}), SMALL.model_copy(update={"graphs": 7})]
    assert len({digest_of(graphs_of(one)) for one in (SMALL, *others)}) == 3
    assert digest_of(training.unseen(SMALL, 8)) != digest_of(graphs_of(SMALL))


def test_a_run_learns() -> None:
    """50 steps of a small network: the losses on graphs not seen fall below .75 of what they were
    (seen: .47, .53).
    """
    task = Denoising(TrainConfig(steps=50, graphs=32, batch=8, width=8, layers=2, rate=0.02))
    trainer = Trainer(task, plan_of(task.settings.recipe))
    before = task.held_out(trainer.averaged, trainer.device)
    while trainer.done < 50:
        trainer.step()
    assert (task.held_out(trainer.averaged, trainer.device) < 0.75 * before).all()


def test_the_command_writes_a_file_that_its_settings_fix_to_the_bit(tmp_path: Path) -> None:
    out = tmp_path / "n.safetensors"
    assert trained(out, 6) == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}
    record = json.loads(out.with_suffix(".json").read_text())
    both, origin = read_trained(out, record["sha256"])
    assert origin.recipe == SMALL and origin.data == digest_of(graphs_of(SMALL))
    assert (
        record["origin"] == origin.model_dump(mode="json")
        and len(record["losses"]["adjacency"]) == 1
    )
    assert not any(
        network.training or parameter.requires_grad
        for network in both
        for parameter in network.parameters()
    )
    with pytest.raises(UserError, match=f"n.safetensors: sha256 {record['sha256']}, expected 0"):
        read_trained(out, "0")
    trainer = Trainer(Denoising(SMALL), plan_of(SMALL))
    while trainer.done < 6:
        trainer.step()
    averaged = networks_in(trainer.averaged).adjacency.state_dict()
    assert all(
        torch.equal(tensor, averaged[name]) for name, tensor in both.adjacency.state_dict().items()
    )


def test_a_run_does_not_depend_on_threads(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        trained(tmp_path / "two.safetensors", 2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    trained(tmp_path / "one.safetensors", 2)
    assert (tmp_path / "two.safetensors").read_bytes() == (
        tmp_path / "one.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.pt"], "a.pt: the file of networks must end in .safetensors"),
        (["a.safetensors", "--width", "6"], "width"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], message: str, capsys, tmp_path
) -> None:
    out, *more = arguments
    assert main(["train-graphs", "--steps", "2", *FLAGS, "--out", str(tmp_path / out), *more]) == 2
    error = capsys.readouterr().err
    assert (
        error.startswith("ams: ")
        and message in error
        and error.count("\n") == 1
        and not any(tmp_path.iterdir())
    )
