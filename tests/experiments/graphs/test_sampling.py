"""Runs of the samplers: batches side by side, a residual variance of 1 for the forward process, plans and costs."""

import pytest
import torch

from ams.samplers import Info, State
from experiments.graphs import samplers
from experiments.graphs.checkpoints import Networks
from experiments.graphs.graph_comparison import sampling
from experiments.graphs.graph_comparison.presets import ADAPTIVE_IN_BOTH, LANGEVIN, PREDICTOR, SAMPLERS, Preset
from experiments.graphs.graph_comparison.sampling import OBSERVED, Batches, sampled
from experiments.graphs.systems import Pair, vp_system
from tests.experiments.graphs.random_networks import FEATURES, made_networks

VP = vp_system(0.1, 1.0)
SIZES = (4, 7, 5, 3, 6, 4)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Networks:
    """Networks of random weights, of fewer features than those of community_small."""
    monkeypatch.setattr(sampling, "SETTING", sampling.SETTING._replace(features=FEATURES))
    return Networks(*(network.float() for network in made_networks()))


def variances(both: Networks, steps: int, batches: Batches) -> torch.Tensor:
    return sampled(both, ADAPTIVE_IN_BOTH, steps, 0.2, 0.7, batches)[1]


def test_batches_side_by_side_are_batches_alone(both: Networks) -> None:
    """The second batch's graphs do not see the first: other networks' sizes in its place leave them as they are."""
    one = variances(both, 12, Batches(SIZES, 3, 1))
    other = variances(both, 12, Batches((7, 7, 7, *SIZES[3:]), 3, 1))
    torch.testing.assert_close(one[3:], other[3:], rtol=1e-3, atol=1e-4)
    assert (variances(both, 12, Batches(SIZES, 6, 1)) - one).abs().max() > 1e-3


def test_plans_cost_what_they_say() -> None:
    for sampler in SAMPLERS.values():
        plan = sampler.plan(Pair(VP, VP), 7, 0.1, 0.7)
        assert len(plan.features) == len(plan.adjacency) == sum(plan.rounds) == 7 * sampler.evaluations
    assert PREDICTOR.evaluations == 1 and LANGEVIN.evaluations == 2


@pytest.mark.parametrize(("sampler", "rounds"), [(PREDICTOR, 11), (LANGEVIN, 22)], ids=["alone", "corrected"])
def test_the_variance_is_taken_where_the_predictor_starts(sampler: Preset, rounds: int, both: Networks, monkeypatch):
    """Rounds whose adjacency is their number: at t = 0.1 the predictor's round is the tenth, or the twentieth."""
    seen = iter([_round(float(number)) for number in range(rounds)])
    monkeypatch.setattr(samplers, "coupled", lambda plan, features, adjacency: seen)
    _, (variance,) = sampled(both, sampler, 11, 0.1, 0.7, Batches((3,), 1, 5))
    level, number = VP.levels(11, 1e-4)[9], 10 * sampler.evaluations - 1
    assert level.t == pytest.approx(OBSERVED, abs=1e-3)
    residual = number - level.scale * (number > level.scale / 2)
    assert variance.item() == pytest.approx((residual / level.sigma) ** 2, rel=1e-5)


def _round(value: float) -> samplers.Round:
    x = torch.full((3,), value)
    return (State(x), Info(1, x, lambda: x)), (State(x), Info(1, x, lambda: x))
