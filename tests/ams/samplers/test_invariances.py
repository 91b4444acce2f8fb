"""What a sampler does not depend on: units, origin, basis, the order of a batch, its split, buffers
that are reused.

The first hold to 1e-10 with recorded noise, on a Gaussian target of covariance `Q diag(v) Q^T` and
annealed noise levels; of the split, without coupling. Reused buffers change no bit. The arithmetic
of both algebras of samples is checked by hand.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.samplers import Particles, PerSample, Program, State, Step
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from ams.schedules import Level, annealed_levels, geometric_sigmas
from ams.targets import Gaussian, GaussianMixture
from experiments.benchmarks.costs import allocations
from tests.ams.tools import assert_equal, draws, trajectory

Build = Callable[[list[Level]], Program]
BATCH, DIMENSION, DRAWS = 5, 3, 40


def thrice(step: Step) -> Build:
    return lambda levels: sm.annealed(step, levels, 3)


def once(step: Step) -> Build:
    return lambda levels: sm.one_step_per_level(step, levels)


def corrected(corrector: Step) -> Build:
    return lambda levels: sm.predictor_corrector(
        sm.affine(sm.reverse_sde), corrector, levels[:-1], 2
    )


def adaptive(delta: float = 1e-3, **parts: object) -> sm.Rule:
    return sm.momentum_rule(sm.adaptive(delta), **parts)


SAMPLERS: dict[str, Build] = {
    "langevin": thrice(sm.langevin()),
    "constant": thrice(sm.momentum(sm.momentum_rule(sm.constant(0.7)))),
    "adaptive": thrice(sm.momentum(adaptive())),
    "memoryless": thrice(sm.memoryless(sm.momentum(adaptive()))),
    "leimkuhler_matthews": thrice(sm.leimkuhler_matthews),
    "baoab": thrice(sm.baoab(0.6)),
    "baoab_positions": thrice(sm.baoab_positions(0.6)),
    "annealed_baoab": once(sm.annealed_baoab(sm.fixed(0.5))),
    "annealed_baoab_tapered": once(sm.annealed_baoab(sm.TAPERED)),
    "ancestral": once(sm.affine(sm.ancestral)),
    "reverse_sde": once(sm.affine(sm.reverse_sde)),
    "flow_euler": once(sm.affine(sm.flow_euler)),
    "flow_heun": once(sm.flow_heun),
    "drift_only": thrice(sm.momentum(sm.without_averaging(adaptive()))),
    "averaging_only": thrice(sm.momentum(adaptive(factor=sm.unit_factor))),
    "corrected_noise": thrice(sm.momentum(sm.with_corrected_noise(adaptive()))),
    "filtered": thrice(sm.filtered(0.8, 0.3)),
    "consistent": once(sm.affine(sm.consistent(0.7))),
    "edm": once(sm.edm_stochastic(3, churn=0.6)),
    "dpm_solver": once(sm.dpm_solver()),
    "dpm_solver_sde": once(sm.dpm_solver(1.0)),
    "pc_langevin": corrected(sm.langevin(sm.snr_of_score(0.1))),
    "pc_adaptive": corrected(sm.momentum(adaptive(1e-4, size=sm.snr_of_last_momentum(0.1)))),
    "pc_constant": corrected(
        sm.momentum(sm.momentum_rule(sm.constant(0.9), sm.snr_of_momentum(0.1)))
    ),
}
EVERY = pytest.mark.parametrize("sampler", SAMPLERS)
few = settings(deadline=None, max_examples=2)


@dataclass(frozen=True)
class Problem:
    """A target, a start, the noise and the unit of steps; `epsilon` is the step at the last
    noise level.
    """

    mean: Tensor
    variance: Tensor
    basis: Tensor
    start: Tensor
    noise: Tensor
    sigma: float = 0.5
    epsilon: float = 0.03

    def levels(self) -> list[Level]:
        return annealed_levels([self.sigma * ratio for ratio in (8.0, 4.0, 2.0, 1.0)], self.epsilon)

    def particles(self, sampler: str, algebra: type[Particles] = Particles) -> Tensor:
        """Return the positions at the end."""
        target = Gaussian(self.mean, self.basis @ torch.diag(self.variance) @ self.basis.T)
        return trajectory(
            SAMPLERS[sampler](self.levels()), self.start, target.score, self.noise, algebra
        )[-1]


def rotation(seed: int) -> Tensor:
    return torch.linalg.qr(draws(seed, DIMENSION, DIMENSION))[0]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    seed = draw(st.integers(0, 2**31))
    variance = torch.tensor(
        [draw(st.floats(0.05, 4.0)) for _ in range(DIMENSION)], dtype=torch.float64
    )
    start, noise = 4 * draws(seed + 1, BATCH, DIMENSION), draws(seed + 2, DRAWS, BATCH, DIMENSION)
    epsilon = draw(st.floats(0.002, 0.05))
    return Problem(
        draws(seed + 3, DIMENSION), variance, rotation(seed), start, noise, epsilon=epsilon
    )


def scaled(problem: Problem, k: float) -> Problem:
    """Return the problem in another unit, `x -> k x`, `a -> k^2 a`."""
    return replace(
        problem,
        mean=k * problem.mean,
        variance=k**2 * problem.variance,
        start=k * problem.start,
        sigma=k * problem.sigma,
        epsilon=k**2 * problem.epsilon,
    )


@EVERY
@pytest.mark.parametrize("algebra", [Particles, PerSample], ids=["batch", "sample"])
@given(
    problem=problems(),
    seed=st.integers(0, 999),
    k=st.floats(1e-3, 1e3),
    order=st.permutations(range(BATCH)),
)
@few
def test_samples_follow_unit_origin_basis_and_order(sampler, algebra, problem, seed, k, order):
    """The similarity `x -> k (Q x + b)` and a permutation of the batch, of target, start and
    noise.
    """
    turn, shift = rotation(seed), 3 * draws(seed + 1, DIMENSION)
    other = replace(
        problem,
        mean=turn @ problem.mean + shift,
        basis=turn @ problem.basis,
        start=(problem.start @ turn.T + shift)[order],
        noise=(problem.noise @ turn.T)[:, order],
    )
    wanted = (problem.particles(sampler, algebra) @ turn.T + shift)[order]
    assert_equal(scaled(other, k).particles(sampler, algebra) / k, wanted, 1e-10, 1e-10)


@EVERY
@given(seed=st.integers(0, 2**40), cuts=st.sets(st.integers(1, BATCH - 1)), problem=problems())
@few
def test_without_coupling_a_batch_may_be_split(
    sampler: str, seed: int, cuts: set[int], problem: Problem
) -> None:
    """Norms and a generator for each sample give the same samples for any split."""
    target = Gaussian(problem.mean, problem.variance)

    def part(first: int, end: int) -> Tensor:
        algebra = PerSample()
        noise = generated_per_sample(
            seeded_per_sample(seed, first, end - first), algebra.empty_like
        )
        program, start = SAMPLERS[sampler](problem.levels()), State(problem.start[first:end])
        return sm.last(sm.run(program, start, target.score, noise, algebra))[0].x.clone()

    parts = [part(first, end) for first, end in pairwise([0, *sorted(cuts), BATCH])]
    assert_equal(torch.cat(parts), part(0, BATCH), 1e-10, 1e-10)


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
@pytest.mark.parametrize(
    "algebras", [(Particles, Plain), (PerSample, PlainPerSample)], ids=["batch", "sample"]
)
def test_reused_buffers_change_no_bit(
    name: str, algebras: tuple[type[Particles], type[Particles]]
) -> None:
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
    assert not any(size >= x.nbytes for size in allocations(lambda: sm.last(states)))


@pytest.mark.parametrize(
    "other", [torch.zeros(5, 4), torch.zeros(3, 2, dtype=torch.float64), torch.zeros(2, 3)]
)
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
    assert algebra.divide(column, 2 * column).flatten().tolist() == pytest.approx(
        [0.5, math.nan], nan_ok=True
    )
    clipped = algebra.clip(
        torch.tensor([-1.0, 0.5, 2.0, math.nan, math.inf], dtype=torch.float64), 0.0, 0.9
    )
    assert clipped.tolist() == [0.0, 0.5, 0.9, 0.9, 0.9]
    assert algebra.sqrt(4.0) == 2.0 and algebra.sqrt(column).flatten()[0] == math.sqrt(5)


def test_float_scalars_follow_ieee() -> None:
    algebra = Particles()
    assert algebra.divide(1.0, 0.0) == math.inf and math.isnan(algebra.divide(0.0, 0.0))
    assert math.isnan(algebra.divide(math.nan, 0.0)) and algebra.divide(3.0, 2.0) == 1.5
    values = [
        algebra.clip(value, 0.0, 0.9) for value in (-1.0, 0.5, 2.0, math.nan, math.inf, -math.inf)
    ]
    assert values == [0.0, 0.5, 0.9, 0.9, 0.9, 0.0]


@pytest.mark.parametrize("algebra", [Particles(), PerSample()], ids=lambda a: type(a).__name__)
def test_combinations_and_finiteness(algebra: Particles) -> None:
    u, v = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    assert torch.allclose(
        algebra.combine((2.0, u), (-0.5, v), (1.0, u)), 3 * u - 0.5 * v, rtol=1e-14
    )
    assert algebra.finite(u)
    for bad in (math.nan, math.inf, -math.inf):
        assert not algebra.finite(torch.where(u == u[1, 1], bad, u))
    assert not algebra.finite(torch.tensor([[math.inf, -math.inf]]))


def test_a_column_weighs_each_sample() -> None:
    u, column = (
        torch.randn(3, 2, 2, dtype=torch.float64),
        torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1).double(),
    )
    assert torch.allclose(
        PerSample().combine((column, u), (1 - column, u), (column, u)), (1 + column) * u, rtol=1e-14
    )
