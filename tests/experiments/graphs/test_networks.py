"""Networks and scores: equal to the padded formulation, blind to the batch; what checkpoints and
our own hold.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st

from ams.data.registry import WEIGHTS
from experiments.benchmarks import padded_networks as graphs_padded
from experiments.graphs import graph_layout as module
from experiments.graphs.bundled_networks import FILE, SHA256, own_networks, own_split, trained
from experiments.graphs.checkpoints import DUST, networks_of
from experiments.graphs.generation import PUBLISHED, published_samples
from experiments.graphs.systems import ve_system, vp_system
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.trained import networks_in
from experiments.graphs.training import Denoising, digest_of
from tests.experiments.graphs import made as small
from tests.experiments.graphs.made import checkpoint

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)
ATTENTIVE = pytest.mark.parametrize("attentive", [False, True], ids=["plain", "attentive"])
few = settings(deadline=None, max_examples=15)
PLAIN, WITH_ATTENTION = (small.made_networks(attentive=attentive) for attentive in (False, True))


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@ATTENTIVE
@given(
    sizes=SIZES,
    more=st.integers(0, 2),
    seed=st.integers(0, 99),
    price=st.sampled_from((0, 10**6)),
)
@few
def test_ragged_is_padded(
    attentive: bool, sizes: list[int], more: int, seed: int, price: int
) -> None:
    """In a block for each size, and in one block."""
    both, held = WITH_ATTENTION if attentive else PLAIN, small.checkpoint(attentive=attentive)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_COST", price)
        layout, x, a = small.batch(sizes, seed)
    side = max(sizes) + more
    padded = layout.pad_rows(x, side), layout.pad_pairs(a, side), small.real_nodes(sizes, side)
    features = graphs_padded.features_network(*padded, held["x_state_dict"])
    adjacency = graphs_padded.adjacency_network(*padded, held["adj_state_dict"])
    close(layout.pad_rows(both.features(x, a, layout), side), features)
    close(layout.pad_pairs(both.adjacency(x, a, layout), side), adjacency)


def test_gradients_are_the_derivatives() -> None:
    """What training needs, though the forward pass works in place."""
    layout, x, a = small.batch([3, 2])
    x.requires_grad_(True), a.requires_grad_(True)
    for network in (*PLAIN, WITH_ATTENTION.features):
        assert torch.autograd.gradcheck(lambda x, a, network=network: network(x, a, layout), (x, a))


def test_empty_channels_are_left_out_and_change_nothing() -> None:
    """A channel without queries, one with tiny keys, and a layer without values."""
    network, (layout, x, a) = small.made_networks(seed=5).adjacency, small.batch([4, 3, 5])
    first, second = (layer.attention for layer in network.layers)
    for parameter in first.convolution.parameters():
        parameter[0, :, : small.WIDTH] = 0.0
        parameter[1, :, small.WIDTH : 2 * small.WIDTH] *= 1e-20
    for parameter in second.convolution.parameters():
        parameter[..., 2 * small.WIDTH :] = 0.0
    whole = network(x, a, layout)
    for attention in (first, second):
        attention.prune()
    assert first.live.tolist() == [] and first.valued and not second.valued
    close(network(x, a, layout), whole)


TIMES = st.floats(0.05, 1.0)
some = settings(deadline=None, max_examples=40)
SYSTEMS = {"VP": vp_system(0.1, 1.0), "VE": ve_system(0.2, 1.0)}


@pytest.mark.parametrize("name", SYSTEMS)
@given(t=TIMES, part=st.floats(0.05, 0.9))
@some
def test_a_half_step_undoes_the_mean_and_has_the_forward_noise(
    name: str, t: float, part: float
) -> None:
    """From `t` to `t + h`: the mean factor `r(t+h)/r(t)`, the variance that `x_t` has given
    `x_{t+h}`.
    """
    system, h = SYSTEMS[name], -part * t
    (scale, sigma), (before, sigma_before) = (
        system.process.marginal(t),
        system.process.marginal(t + h),
    )
    step = system.half_step(t, h)
    assert step.p == pytest.approx(before / scale, rel=1e-12) and step.q == 0.0
    assert step.r**2 == pytest.approx(sigma**2 - (scale / before * sigma_before) ** 2, rel=1e-8)


Held = dict[str, Any]


BROKEN: dict[str, Callable[[Held], object]] = {
    "a convolution is missing": lambda held: held["adj_state_dict"].pop(
        "layers.1.attn.2.gnn_k.weight"
    ),
    "a stack is missing": lambda held: held["adj_state_dict"].pop("final.linears.0.weight"),
    "a tensor is left over": lambda held: held["x_state_dict"].update(
        {"layers.9.weight": torch.zeros(1)}
    ),
    "averages of other tensors": lambda held: held["ema_adj"]["shadow_params"].pop(),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_tensor_that_is_missing_or_left_over_is_refused(broken: str) -> None:
    held = checkpoint()
    BROKEN[broken](held)
    with pytest.raises((KeyError, RuntimeError, ValueError)):
        networks_of(held, averaged="average" in broken)


def test_averaged_weights_are_others_and_a_prefix_does_not_matter() -> None:
    held = checkpoint()
    plain = held["x_state_dict"]
    held["x_state_dict"] = OrderedDict((f"module.{name}", v) for name, v in plain.items())
    for average in (False, True):
        state = networks_of(held, averaged=average).features.state_dict()
        wanted = plain["layers.0.weight"] + 0.01 * average
        torch.testing.assert_close(state["layers.0.weight"][0], wanted.float())


def test_dust_is_zero() -> None:
    held = checkpoint()
    held["x_state_dict"]["layers.0.bias"] = torch.tensor(
        [2 * DUST, DUST / 2, -1e-40, 1.0, -3 * DUST, 0, 2, 3]
    )
    bias = networks_of(held, averaged=False).features.state_dict()["layers.0.bias"].flatten()
    assert (bias != 0).tolist() == [True, False, False, True, True, False, True, True]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_make_graphs(name: str, authors_files: None) -> None:
    """Eight steps: the networks fit their settings, the samples are of the sizes asked for,
    symmetric and finite.
    """
    setting = PUBLISHED[name]
    assert setting.checkpoint in WEIGHTS
    end = published_samples(name, 8, [3, 9, 6], seed=1)
    assert end.adjacency.isfinite().all() and end.features.shape == (
        3,
        setting.largest,
        setting.features,
    )
    assert end.adjacency.count_nonzero(dim=(1, 2)).tolist() == [6, 72, 30]


def test_the_record_is_that_of_the_file() -> None:
    record = json.loads(FILE.with_suffix(".json").read_text())
    assert record["sha256"] == SHA256
    assert trained().origin.recipe == TrainConfig(), "it is what the command makes by default"
    assert record["origin"] == trained().origin.model_dump(mode="json")
    assert (
        record["cpu_seconds"] > 60
        and len(record["losses"]["adjacency"]) == TrainConfig().steps // record["bin"]
    )
    assert record["losses"].keys() == record["held_out"].keys() == {"features", "adjacency"}


def test_the_generator_still_makes_its_graphs() -> None:
    split, recipe = own_split(), trained().origin.recipe
    assert digest_of(split.train) == trained().origin.data
    assert len(split.test) == 100 and len(split.train) == recipe.graphs


def test_its_losses_are_those_of_the_record() -> None:
    """Sums may differ between machines, in the fourth digit at most."""
    task, record = (
        Denoising(trained().origin.recipe),
        json.loads(FILE.with_suffix(".json").read_text()),
    )
    modules = torch.nn.ModuleDict(own_networks()._asdict())
    assert networks_in(modules) == own_networks()
    losses = task.held_out(modules, torch.device("cpu")).tolist()
    assert (
        losses == pytest.approx([record["held_out"][name] for name in task.parts], rel=1e-3)
        and max(losses) < 0.3
    )
