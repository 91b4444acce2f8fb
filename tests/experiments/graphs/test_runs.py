"""Runs of the contenders: batches side by side, a thermometer that reads 1 for the forward process, plans and costs."""

from __future__ import annotations

import pytest
import torch

from experiments.graphs.data import community_small
from experiments.graphs.graph_comparison.baselines import CONTENDERS, DESCRIBED, LANGEVIN, PREDICTOR
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Packed
from experiments.graphs.runs import THERMOMETER, Batch, Model, Watched, batches, outcome, temperatures
from experiments.graphs.systems import Pair, vp_level
from tests.experiments.graphs.made import FEATURES, made_networks

VP = vp_level(0.1, 1.0)
SIZES = (4, 7, 5, 3, 6, 4)


@pytest.fixture(scope="module")
def model() -> Model:
    both = made_networks()
    return Model(type(both)(*(network.float() for network in both)), Pair(VP, VP), FEATURES, "made")


def test_batches_side_by_side_are_batches_alone(model: Model) -> None:
    """The second batch's graphs do not see the first: other networks' sizes in its place leave them as they are."""
    one = outcome(model, CONTENDERS[DESCRIBED], 12, 0.2, 0.7, Batch(SIZES, 3, 1))
    other = outcome(model, CONTENDERS[DESCRIBED], 12, 0.2, 0.7, Batch((7, 7, 7, *SIZES[3:]), 3, 1))
    torch.testing.assert_close(one.temperatures[3:], other.temperatures[3:], rtol=1e-3, atol=1e-4)
    whole = outcome(model, CONTENDERS[DESCRIBED], 12, 0.2, 0.7, Batch(SIZES, 6, 1))
    assert (whole.temperatures - one.temperatures).abs().max() > 1e-3


def test_one_batch_is_coupled_as_released() -> None:
    layout = Layout.of(SIZES)
    assert batches(layout, 6) is Packed and batches(layout, 8) is Packed and batches(layout, 3) is not Packed


def test_the_forward_process_has_temperature_one() -> None:
    """Real graphs with noise of the level's sigma: 1 to within five standard errors of a mean of squares."""
    listed = community_small(60, seed=3)
    layout = Layout.of([graph.nodes for graph in listed])
    level = VP.levels(2, THERMOMETER)[1]
    squares = torch.zeros(60, 20, 20)
    for number, graph in enumerate(listed):
        for u, v in graph.edges:
            squares[number, u, v] = squares[number, v, u] = 1.0
    clean = layout.pack_pairs(squares)
    for factor in (1.0, 0.5):
        noise = factor * level.sigma * torch.randn(len(clean), generator=torch.Generator().manual_seed(0))
        found = temperatures(level.scale * clean + noise, level, layout)
        error = factor**2 * (2 / len(clean)) ** 0.5
        assert found.mean() == pytest.approx(factor**2, abs=5 * 2 * error)
    assert temperatures(level.scale * clean, level, layout).abs().max() < 1e-10


def test_temperatures_are_in_the_callers_order() -> None:
    layout = Layout.of([5, 3])
    level = VP.levels(2, THERMOMETER)[1]
    squares = torch.zeros(2, 5, 5)
    squares[0] = level.sigma * (1 - torch.eye(5))
    assert temperatures(layout.pack_pairs(squares), level, layout).tolist() == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_runs_and_is_watched(name: str, model: Model) -> None:
    found = outcome(model, CONTENDERS[name], 10, 0.1, 0.7, Batch(SIZES, 2, 5))
    assert found.temperatures.isfinite().all() and found.temperatures.shape == (6,)
    assert len(found.graphs) == 6 and found.present.shape == (6, 7, 7)
    assert torch.equal(found.present, found.present.mT) and not found.present.diagonal(dim1=1, dim2=2).any()
    assert all(not found.present[number, size:].any() for number, size in enumerate(SIZES))
    assert sum(len(graph.edges) for graph in found.graphs) == int(found.present.sum()) // 2


def test_plans_cost_what_they_say() -> None:
    for contender in CONTENDERS.values():
        plan = contender.plan(Pair(VP, VP), 7, 0.1, 0.7)
        assert len(plan.features) == len(plan.adjacency) == sum(plan.rounds) == 7 * contender.evaluations
    assert CONTENDERS[PREDICTOR].evaluations == 1 and CONTENDERS[LANGEVIN].evaluations == 2


def test_the_thermometer_is_read_at_its_time() -> None:
    levels = VP.levels(11, 0.0001)
    watched = Watched(levels, 2, Layout.of([3]))
    seen = list(watched(iter([_round(float(number)) for number in range(22)])))
    assert len(seen) == 22
    number, level = 2 * 9 + 1, levels[9]
    assert level.t == pytest.approx(THERMOMETER, abs=1e-3)
    residual = number - level.scale * (number > level.scale / 2)
    assert watched.temperatures.item() == pytest.approx((residual / level.sigma) ** 2, rel=1e-5)


def _round(value: float):
    from ams.samplers import Info, State

    x = torch.full((3,), value)
    return (State(x), Info(1, x, lambda: x)), (State(x), Info(1, x, lambda: x))
