"""The algebras of samples: arithmetic, coupling, and buffers that are reused without a change of any result."""

import math
from itertools import islice

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.samplers import Particles, PerSample, Program, State
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from ams.schedules import annealed_levels, geometric_sigmas
from ams.targets import GaussianMixture
from experiments.benchmarks import costs
from tests.ams.samplers.test_invariances import SAMPLERS
from tests.ams.tools import draws

LEVELS = annealed_levels(geometric_sigmas(3.0, 0.1, 7), 1e-3)
PROGRAMS: dict[str, Program] = {name: build(LEVELS) for name, build in SAMPLERS.items()}
MEANS = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(2, 6)
SCORE = GaussianMixture([0.3, 0.7], MEANS, 0.04).score


class Plain(Particles):
    """Particles that allocate every vector."""

    def empty_like(self, vector: Tensor) -> Tensor:
        return torch.empty_like(vector)

    def begin_step(self, state: State) -> State:
        return state


class PlainPerSample(PerSample, Plain):
    """Independent samples that allocate every vector."""


def all_vectors(algebra: Particles, program: Program, x: Tensor) -> list[Tensor]:
    """Return copies of all vectors that every step yields."""
    noise = generated(torch.Generator().manual_seed(2), algebra.empty_like)
    copies: list[Tensor] = []
    for state, info in sm.run(program, State(x), SCORE, noise, algebra):
        vectors = (*state[:4], info.mean(), info.at)
        copies += [vector.clone() for vector in vectors if vector is not None]
    return copies


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("algebras", [(Particles, Plain), (PerSample, PlainPerSample)], ids=["batch", "sample"])
def test_reused_buffers_change_no_bit(name: str, algebras: tuple[type[Particles], type[Particles]]) -> None:
    x = 3.0 * draws(8, 5, 2, 3)
    before = x.clone()
    ours, plain = (all_vectors(kind(), PROGRAMS[name], x) for kind in algebras)
    assert len(ours) == len(plain) > 12
    assert all(torch.equal(one, other) for one, other in zip(ours, plain, strict=True))
    assert torch.equal(x, before), "the caller's start is not overwritten"


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("kind", [Particles, PerSample])
def test_a_warm_loop_allocates_nothing(name: str, kind: type[Particles]) -> None:
    """No tensor of the state's size after four steps; scores exist before."""
    algebra, x = kind(), 3.0 * draws(8, 5, 3, 4, 4)
    of_samples = generated_per_sample(seeded_per_sample(2, 0, 5), algebra.empty_like)
    noise = generated(torch.Generator(), algebra.empty_like) if kind is Particles else of_samples
    scores = iter([-x * (0.5 + 0.01 * i) for i in range(3 * len(list(PROGRAMS[name])))])
    states = sm.run(PROGRAMS[name], State(x), lambda *_: next(scores), noise, algebra)
    sm.last(islice(states, 4))
    assert not any(size >= x.nbytes for size in costs.allocations(lambda: sm.last(states)))


@pytest.mark.parametrize("other", [torch.zeros(5, 4), torch.zeros(3, 2, dtype=torch.float64), torch.zeros(2, 3)])
def test_an_algebra_that_served_another_run_gives_buffers_that_fit(other: Tensor) -> None:
    algebra = Particles()
    for _ in range(3):
        algebra.combine((1.0, torch.ones(3, 2)))
    algebra.begin_step(State(other))
    for _ in range(4):
        out = algebra.combine((2.0, other), (1.0, other))
        assert (out.shape, out.dtype) == (other.shape, other.dtype)


def test_norms_and_scalars_by_hand() -> None:
    v, algebra = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]], dtype=torch.float64), PerSample()
    assert Particles().norm(v) == 2.5
    column = algebra.norm(v)
    assert column.shape == (2, 1, 1) and column.flatten().tolist() == [5.0, 0.0]
    assert algebra.divide(column, 2 * column).flatten().tolist() == pytest.approx([0.5, math.nan], nan_ok=True)
    clipped = algebra.clip(torch.tensor([-1.0, 0.5, 2.0, math.nan, math.inf], dtype=torch.float64), 0.0, 0.9)
    assert clipped.tolist() == [0.0, 0.5, 0.9, 0.9, 0.9]
    assert algebra.sqrt(4.0) == 2.0 and algebra.sqrt(column).flatten()[0] == math.sqrt(5)


def test_float_scalars_follow_ieee() -> None:
    algebra = Particles()
    assert algebra.divide(1.0, 0.0) == math.inf and math.isnan(algebra.divide(0.0, 0.0))
    assert math.isnan(algebra.divide(math.nan, 0.0)) and algebra.divide(3.0, 2.0) == 1.5
    values = [algebra.clip(value, 0.0, 0.9) for value in (-1.0, 0.5, 2.0, math.nan, math.inf, -math.inf)]
    assert values == [0.0, 0.5, 0.9, 0.9, 0.9, 0.0]


@pytest.mark.parametrize("algebra", [Particles(), PerSample()], ids=lambda a: type(a).__name__)
def test_combinations_and_finiteness(algebra: Particles) -> None:
    u, v = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    assert torch.allclose(algebra.combine((2.0, u), (-0.5, v), (1.0, u)), 3 * u - 0.5 * v, rtol=1e-14)
    assert algebra.finite(u)
    for bad in (math.nan, math.inf, -math.inf):
        assert not algebra.finite(torch.where(u == u[1, 1], bad, u))
    assert not algebra.finite(torch.tensor([[math.inf, -math.inf]]))


def test_a_column_weighs_each_sample() -> None:
    u, column = torch.randn(3, 2, 2, dtype=torch.float64), torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1).double()
    assert torch.allclose(PerSample().combine((column, u), (1 - column, u), (column, u)), (1 + column) * u, rtol=1e-14)
