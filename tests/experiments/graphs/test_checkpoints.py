"""Checkpoints: what is refused; averaged weights; the authors' own files and settings."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch

from ams.data.registry import WEIGHTS
from experiments.graphs.checkpoints import DUST, networks, networks_of
from experiments.graphs.generation import PUBLISHED, published_samples
from tests.experiments.graphs.random_networks import batch, checkpoint

Held = dict[str, Any]


BROKEN: dict[str, Callable[[Held], object]] = {
    "a convolution is missing": lambda held: held["adj_state_dict"].pop("layers.1.attn.2.gnn_k.weight"),
    "a stack is missing": lambda held: held["adj_state_dict"].pop("final.linears.0.weight"),
    "a tensor is left over": lambda held: held["x_state_dict"].update({"layers.9.weight": torch.zeros(1)}),
    "averages of other tensors": lambda held: held["ema_adj"]["shadow_params"].pop(),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_tensor_that_is_missing_or_left_over_is_refused(broken: str) -> None:
    held = checkpoint()
    BROKEN[broken](held)
    with pytest.raises((KeyError, RuntimeError, ValueError)):
        networks_of(held, averaged="average" in broken)


def test_a_prefix_does_not_matter() -> None:
    held, layout = checkpoint(), batch([4, 3])
    plain = networks_of(held, averaged=False)
    held["x_state_dict"] = OrderedDict((f"module.{name}", v) for name, v in held["x_state_dict"].items())
    prefixed = networks_of(held, averaged=False)
    x, a = layout[1].float(), layout[2].float()
    assert torch.equal(plain.features(x, a, layout[0]), prefixed.features(x, a, layout[0]))


def test_averaged_weights_are_others() -> None:
    held = checkpoint()
    for average in (False, True):
        state = networks_of(held, averaged=average).features.state_dict()
        wanted = held["x_state_dict"]["layers.0.weight"] + 0.01 * average
        torch.testing.assert_close(state["layers.0.weight"][0], wanted.float())


def test_dust_is_zero() -> None:
    held = checkpoint()
    held["x_state_dict"]["layers.0.bias"] = torch.tensor([2 * DUST, DUST / 2, -1e-40, 1.0, -3 * DUST, 0, 2, 3])
    bias = networks_of(held, averaged=False).features.state_dict()["layers.0.bias"].flatten()
    assert (bias != 0).tolist() == [True, False, False, True, True, False, True, True]


@pytest.mark.parametrize("name", [name for name in WEIGHTS if name.startswith("gdss-")])
def test_the_authors_files_are_read_whole(name: str, authors_files: None) -> None:
    both = networks(name, averaged=name in ("gdss-enzymes", "gdss-grid"))
    assert not any(tensor.requires_grad for network in both for tensor in network.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_make_graphs(name: str, authors_files: None) -> None:
    """Eight steps: the networks fit their settings, the samples are of the sizes asked for, symmetric and finite."""
    setting = PUBLISHED[name]
    assert setting.checkpoint in WEIGHTS
    end = published_samples(name, 8, [3, 9, 6], seed=1)
    assert end.adjacency.isfinite().all() and end.features.shape == (3, setting.largest, setting.features)
    assert end.adjacency.count_nonzero(dim=(1, 2)).tolist() == [6, 72, 30]
