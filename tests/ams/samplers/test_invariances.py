"""What a sampler does not depend on: units, origin, basis, the order of a batch, and without coupling its split.

The properties hold to 1e-10 for particles with recorded noise and for the exact law, on a Gaussian target of covariance
`Q diag(v) Q^T` and annealed noise levels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw, Moments
from ams.samplers import Particles, PerSample, Program, State, Step
from ams.samplers.noise_sources import generated_per_sample, seeded_per_sample
from ams.schedules import Level, annealed_levels
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory

Build = Callable[[list[Level]], Program]
BATCH, DIMENSION, DRAWS = 5, 3, 40


def thrice(step: Step) -> Build:
    return lambda levels: sm.annealed(step, levels, 3)


def once(step: Step) -> Build:
    return lambda levels: sm.one_step_per_level(step, levels)


def corrected(corrector: Step) -> Build:
    return lambda levels: sm.predictor_corrector(sm.affine(sm.reverse_sde), corrector, levels[:-1], 2)


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
    "pc_constant": corrected(sm.momentum(sm.momentum_rule(sm.constant(0.9), sm.snr_of_momentum(0.1)))),
}
EVERY = pytest.mark.parametrize("sampler", SAMPLERS)
few = settings(deadline=None, max_examples=2)


@dataclass(frozen=True)
class Problem:
    """A target, a start, the noise and the unit of steps; `epsilon` is the step at the last noise level."""

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
        return trajectory(SAMPLERS[sampler](self.levels()), self.start, target.score, self.noise, algebra)[-1]

    def law(self, sampler: str) -> Moments:
        """Return the exact law at the end, in the target's basis, from N(start[0], start[1]^2)."""
        law = GaussianLaw(self.variance, self.mean)
        begin = law.start(self.start[0].tolist(), self.start[1].square().tolist())
        return moments_at_end(law, SAMPLERS[sampler](self.levels()), begin)


def rotation(seed: int) -> Tensor:
    return torch.linalg.qr(draws(seed, DIMENSION, DIMENSION))[0]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    seed = draw(st.integers(0, 2**31))
    variance = torch.tensor([draw(st.floats(0.05, 4.0)) for _ in range(DIMENSION)], dtype=torch.float64)
    start, noise = 4 * draws(seed + 1, BATCH, DIMENSION), draws(seed + 2, DRAWS, BATCH, DIMENSION)
    epsilon = draw(st.floats(0.002, 0.05))
    return Problem(draws(seed + 3, DIMENSION), variance, rotation(seed), start, noise, epsilon=epsilon)


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
@given(problem=problems(), seed=st.integers(0, 999), k=st.floats(1e-3, 1e3), order=st.permutations(range(BATCH)))
@few
def test_samples_follow_unit_origin_basis_and_order(sampler, algebra, problem, seed, k, order):
    """The similarity `x -> k (Q x + b)` and a permutation of the batch, of target, start and noise."""
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
@given(problem=problems(), k=st.floats(1e-3, 1e3), shift=st.floats(-10, 10), order=st.permutations(range(DIMENSION)))
@few
def test_the_exact_law_follows_unit_origin_and_order(sampler, problem, k, shift, order):
    start = torch.cat([problem.start[:1] + shift, problem.start[1:]])[:, order]
    other = replace(problem, mean=problem.mean[order] + shift, variance=problem.variance[order], start=start)
    moments, wanted = scaled(other, k).law(sampler), problem.law(sampler)
    assert_equal(moments.mean / k, wanted.mean[order] + shift, 1e-10, 1e-10)
    assert_equal(moments.variance / k**2, wanted.variance[order], 1e-10, 1e-10)


@EVERY
@given(seed=st.integers(0, 2**40), cuts=st.sets(st.integers(1, BATCH - 1)), problem=problems())
@few
def test_without_coupling_a_batch_may_be_split(sampler: str, seed: int, cuts: set[int], problem: Problem) -> None:
    """Norms and a generator for each sample give the same samples for any split."""
    target = Gaussian(problem.mean, problem.variance)

    def part(first: int, end: int) -> Tensor:
        algebra = PerSample()
        noise = generated_per_sample(seeded_per_sample(seed, first, end - first), algebra.empty_like)
        program, start = SAMPLERS[sampler](problem.levels()), State(problem.start[first:end])
        return sm.last(sm.run(program, start, target.score, noise, algebra))[0].x.clone()

    parts = [part(first, end) for first, end in pairwise([0, *sorted(cuts), BATCH])]
    assert_equal(torch.cat(parts), part(0, BATCH), 1e-10, 1e-10)


PLAIN = Problem(
    draws(1, 3), torch.ones(3).double(), torch.eye(3).double(), draws(2, BATCH, 3), draws(3, DRAWS, BATCH, 3)
)


def test_with_coupling_a_batch_may_not_be_split() -> None:
    """The falsifier of the split: under the batch's mean, halves give other samples."""
    half = replace(PLAIN, start=PLAIN.start[:2], noise=PLAIN.noise[:, :2])
    for sampler in ("adaptive", "pc_langevin", "pc_adaptive", "pc_constant"):
        assert (half.particles(sampler) - PLAIN.particles(sampler)[:2]).abs().max() > 1e-3
