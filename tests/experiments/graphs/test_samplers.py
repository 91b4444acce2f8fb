"""Samplers on networks of random weights: ragged is padded; what they must not depend on; who sees
whom; costs.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest
import torch
from torch import Tensor

from ams.samplers import Algebra, Info, Particles, PerSample, State
from ams.samplers.noise_sources import replayed
from experiments.benchmarks import padded_networks as graphs_padded
from experiments.graphs import samplers
from experiments.graphs.checkpoints import Networks
from experiments.graphs.generation import halves
from experiments.graphs.graph_comparison import sampling
from experiments.graphs.graph_comparison.presets import (
    ADAPTIVE_IN_BOTH,
    LANGEVIN,
    PREDICTOR,
    SAMPLERS,
    Preset,
)
from experiments.graphs.graph_comparison.sampling import OBSERVED, Batches, sampled
from experiments.graphs.graph_layout import Layout
from experiments.graphs.ragged_batch import Ownership, RaggedBatch, RaggedBatches
from experiments.graphs.samplers import (
    ADAPTIVE,
    CONSTANT,
    CoupledProgram,
    Denoised,
    Half,
    coupled,
    denoised_end,
    planned,
)
from experiments.graphs.systems import CoupledScore, Pair, scores, scores_of, ve_system, vp_system
from tests.experiments.graphs import made as small
from tests.experiments.graphs.made import FEATURES, made_networks

N, END, SIZES = 5, 1e-2, [4, 2, 5, 4, 3]
PAIR = Pair(vp_system(0.1, 1.0), ve_system(0.2, 1.0))
OTHER = Pair(vp_system(0.3, 1.2), vp_system(0.2, 0.8))
BOTH = small.made_networks()


euler, reverse = samplers.euler_maruyama, samplers.reverse_diffusion
PLANS = {
    "euler": (PAIR, planned(PAIR, euler, N, END)),
    "reverse": (OTHER, planned(OTHER, reverse, N, END)),
    "s4": (PAIR, planned(PAIR, samplers.s4(0.15, 0.7), N, END)),
    "s4 of VP": (OTHER, planned(OTHER, samplers.s4(0.15, 0.7), N, END)),
    "langevin": (PAIR, planned(PAIR, euler, N, END, samplers.langevin(0.1, 0.7))),
    "Leimkuhler-Matthews": (
        OTHER,
        planned(OTHER, reverse, N, END, samplers.leimkuhler_matthews(0.1, 0.6)),
    ),
    "authors' adaptive": (
        PAIR,
        planned(PAIR, reverse, N, END, samplers.authors_momentum(ADAPTIVE, 0.1, 0.6), 2),
    ),
    "adaptive in both": (
        PAIR,
        planned(PAIR, reverse, N, END, samplers.momentum_in_both(ADAPTIVE, 0.1, 0.6), 2),
    ),
    "authors' constant": (
        OTHER,
        planned(OTHER, euler, N, END, samplers.authors_momentum(CONSTANT, 0.1, 0.6), 2),
    ),
}
"""Systems and a run, by name."""
EVERY = pytest.mark.parametrize("name", PLANS)
COUPLINGS = pytest.mark.parametrize(
    "coupling", [RaggedBatch, RaggedBatches], ids=["batch", "sample"]
)


def close(ours: Denoised, theirs: Denoised) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)


Vectors = tuple[list[Tensor], list[Tensor]]


def ragged_and_padded(layout: Layout, side: int) -> tuple[Vectors, Vectors]:
    """Return starts and noises of features and pairs, and the same padded: symmetric and masked for
    the adjacency.
    """
    generator, count = torch.Generator().manual_seed(5), range(60)
    rows = [small.drawn(generator, layout.nodes, small.FEATURES) for _ in count]
    pairs = [small.drawn(generator, layout.pairs) for _ in count]
    padded = (
        [layout.pad_rows(vector, side) for vector in rows],
        [layout.pad_pairs(vector, side) for vector in pairs],
    )
    return (rows, pairs), padded


def both_halves(
    vectors: Vectors, both: Iterable[CoupledScore], algebras: Iterable[Algebra]
) -> Iterator[Half]:
    for (start, *noises), score, algebra in zip(vectors, both, algebras, strict=True):
        yield Half(start, score, replayed(noises), algebra)


def padded_scores(pair: Pair, real: Tensor) -> tuple[CoupledScore, CoupledScore]:
    held = small.checkpoint()
    return scores_of(
        lambda x, a: graphs_padded.features_network(x, a, real, held["x_state_dict"]),
        lambda x, a: graphs_padded.adjacency_network(x, a, real, held["adj_state_dict"]),
        pair,
    )


@EVERY
@COUPLINGS
def test_ragged_is_padded(name: str, coupling: type) -> None:
    """At every round; so padded samples, whose own masks and symmetry are the published code's,
    stay as they must.

    Symmetric to rounding: a processor may sum the entries above and below the diagonal in another
    order.
    """
    pair, plan = PLANS[name]
    layout, side = Layout.of(SIZES), 7
    vectors, real = ragged_and_padded(layout, side), small.real_nodes(SIZES, side)
    algebras = [coupling(owner) for owner in Ownership.both(layout)]
    ragged = coupled(plan, *both_halves(vectors[0], scores(BOTH, pair, layout), algebras))
    wide = {RaggedBatch: Particles, RaggedBatches: PerSample}[coupling]
    padded = coupled(plan, *both_halves(vectors[1], padded_scores(pair, real), [wide(), wide()]))
    rounds = 0
    for ((x, _), (a, _)), ((wide_x, _), (wide_a, _)) in zip(ragged, padded, strict=True):
        close(Denoised(x.x, a.x).padded(layout, side), Denoised(wide_x.x, wide_a.x))
        assert (wide_a.x - wide_a.x.mT).abs().max() < 1e-13 * wide_a.x.abs().max()
        assert not wide_a.x.diagonal(dim1=1, dim2=2).any()
        assert torch.equal(wide_a.x, graphs_padded.mask_pairs(wide_a.x, real))
        rounds += 1
    assert rounds == len(plan.rounds)


def generated(sizes: list[int], plan: CoupledProgram, coupling: type) -> Denoised:
    """Return a run in float32 from seeds, padded, in the caller's order."""
    layout, both = Layout.of(sizes), small.made_networks()
    both = both._replace(features=both.features.float(), adjacency=both.adjacency.float())
    made = halves(scores(both, PAIR, layout), layout, small.FEATURES, 3, coupling)
    return denoised_end(coupled(plan, *made)).padded(layout, 5)


@pytest.mark.parametrize("name", ["langevin", "authors' adaptive", "adaptive in both", "s4"])
def test_uncoupled_a_batch_may_be_split_coupled_it_may_not(name: str) -> None:
    plan = PLANS[name][1]
    gaps = []
    for coupling in (RaggedBatches, RaggedBatch):
        whole, part = (generated(sizes, plan, coupling) for sizes in (SIZES, SIZES[:2]))
        gaps.append(
            max(
                (one[:2] - alone).abs().max().item() for one, alone in zip(whole, part, strict=True)
            )
        )
    assert gaps[0] < 1e-4 < 1e-3 < gaps[1]


@pytest.mark.parametrize(
    "corrector", [samplers.langevin, samplers.leimkuhler_matthews], ids=["one draw", "two noises"]
)
def test_the_noise_is_scaled_and_the_step_is_not(corrector: Callable) -> None:
    """With `scale_eps` the drift is as without; the noise is `scale_eps` times as large."""
    layout, _, _ = small.batch(SIZES)
    both = scores(BOTH, PAIR, layout)
    ends = {}
    for scale in (1.0, 0.5):
        plan = planned(PAIR, euler, N, END, corrector(0.1, scale))
        algebras = [RaggedBatch(owner) for owner in Ownership.both(layout)]
        (state, info), _ = next(
            coupled(plan, *both_halves(ragged_and_padded(layout, 5)[0], both, algebras))
        )
        ends[scale] = info.mean(), state.x - info.mean()
    torch.testing.assert_close(ends[0.5][0], ends[1.0][0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ends[0.5][1], 0.5 * ends[1.0][1], rtol=1e-10, atol=1e-12)


VP = vp_system(0.1, 1.0)
NODES = (4, 7, 5, 3, 6, 4)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Networks:
    """Networks of random weights, of fewer features than those of community_small."""
    monkeypatch.setattr(sampling, "SETTING", sampling.SETTING._replace(features=FEATURES))
    return Networks(*(network.float() for network in made_networks()))


def variances(both: Networks, steps: int, batches: Batches) -> torch.Tensor:
    return sampled(both, ADAPTIVE_IN_BOTH, steps, 0.2, 0.7, batches)[1]


def test_batches_side_by_side_are_batches_alone(both: Networks) -> None:
    """The second batch's graphs do not see the first: other networks' sizes in its place leave them
    as they are.
    """
    one = variances(both, 12, Batches(NODES, 3, 1))
    other = variances(both, 12, Batches((7, 7, 7, *NODES[3:]), 3, 1))
    torch.testing.assert_close(one[3:], other[3:], rtol=1e-3, atol=1e-4)
    assert (variances(both, 12, Batches(NODES, 6, 1)) - one).abs().max() > 1e-3


def test_plans_cost_what_they_say() -> None:
    for sampler in SAMPLERS.values():
        plan = sampler.plan(Pair(VP, VP), 7, 0.1, 0.7)
        assert (
            len(plan.features) == len(plan.adjacency) == sum(plan.rounds) == 7 * sampler.evaluations
        )
    assert PREDICTOR.evaluations == 1 and LANGEVIN.evaluations == 2


@pytest.mark.parametrize(
    ("sampler", "rounds"), [(PREDICTOR, 11), (LANGEVIN, 22)], ids=["alone", "corrected"]
)
def test_the_variance_is_taken_where_the_predictor_starts(
    sampler: Preset, rounds: int, both: Networks, monkeypatch
):
    """Rounds whose adjacency is their number: at t = 0.1 the predictor's round is the tenth, or the
    twentieth.
    """
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
