"""Our own networks: the committed file is read whole, fits its setting, and has learned."""

import json

import pytest
import torch

from experiments.graphs.bundled_networks import FILE, OWN, SHA256, own_networks, own_split, trained
from experiments.graphs.checkpoints import Networks
from experiments.graphs.data import sizes, thresholded, trimmed
from experiments.graphs.discrepancy import mean_kernel, unbiased_mmd
from experiments.graphs.generation import generate
from experiments.graphs.statistics import PUBLISHED
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.trained import networks_in
from experiments.graphs.training import Denoising, digest_of


def test_the_record_is_that_of_the_file() -> None:
    record = json.loads(FILE.with_suffix(".json").read_text())
    assert record["sha256"] == SHA256
    assert trained().origin.recipe == TrainConfig(), "it is what the command makes by default"
    assert record["origin"] == trained().origin.model_dump(mode="json")
    assert record["cpu_seconds"] > 60 and len(record["losses"]["adjacency"]) == TrainConfig().steps // record["bin"]
    assert record["losses"].keys() == record["held_out"].keys() == {"features", "adjacency"}


def test_the_generator_still_makes_its_graphs() -> None:
    split, recipe = own_split(), trained().origin.recipe
    assert digest_of(split.train) == trained().origin.data
    assert len(split.test) == 100 and len(split.train) == recipe.graphs


def test_its_losses_are_those_of_the_record() -> None:
    """Sums may differ between machines, in the fourth digit at most."""
    task, record = Denoising(trained().origin.recipe), json.loads(FILE.with_suffix(".json").read_text())
    modules = torch.nn.ModuleDict(own_networks()._asdict())
    assert networks_in(modules) == own_networks()
    losses = task.held_out(modules, torch.device("cpu")).tolist()
    assert losses == pytest.approx([record["held_out"][name] for name in task.parts], rel=1e-3) and max(losses) < 0.3


def made(both: Networks, count: int, steps: int) -> list:
    """Return graphs by the published sampler."""
    drawn = sizes(own_split().train, count, seed=3)
    return [trimmed(graph) for graph in thresholded(generate(OWN, both, steps, drawn, seed=3).adjacency, drawn)]


def test_its_graphs_are_nearer_to_real_ones_than_those_of_untrained_networks() -> None:
    """12 graphs in 100 steps (untrained: in 20), by the mean of the published MMDs, whose intervals are apart."""
    torch.manual_seed(0)
    untrained = networks_in(trained().origin.modules().eval().requires_grad_(False))
    real = own_split().test
    runs = made(own_networks(), 12, 100), made(untrained, 12, 20)
    near, far = (unbiased_mmd(mean_kernel(PUBLISHED, [*real, *graphs]), len(real), seed=0) for graphs in runs)
    assert near.high < far.low
