"""What a sampler must not depend on, as properties of the particles (noise injected) and of the exact law: 1e-10.

Units and origin of the samples, the basis, the order of a batch and, uncoupled, how it was split. On a Gaussian target
of covariance `Q diag(v) Q^T`, over annealed levels.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ams.laws import GaussianLaw
from ams.laws.gaussian import Moments
from ams.samplers import (
    TAPERED,
    Particles,
    PerSample,
    Program,
    State,
    Step,
    adaptive,
    affine,
    ancestral,
    annealed,
    annealed_baoab,
    baoab,
    baoab_positions,
    consistent,
    constant,
    dpm_solver,
    edm_stochastic,
    filtered,
    fixed,
    flow_euler,
    flow_heun,
    langevin,
    last,
    leimkuhler_matthews,
    momentum,
    momentum_rule,
    one_step_per_level,
    predictor_corrector,
    reverse_sde,
    run,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers.noise_sources import generated_per_sample, replayed, seeded_per_sample
from ams.schedules import Level, annealed_levels
from ams.targets import Gaussian

Build = Callable[[list[Level]], Program]
BATCH, DIMENSION, DRAWS = 5, 3, 40


def thrice(step: Step) -> Build:
    return lambda levels: annealed(step, levels, 3)


def once(step: Step) -> Build:
    return lambda levels: one_step_per_level(step, levels)


def corrected(corrector: Step) -> Build:
    return lambda levels: predictor_corrector(affine(reverse_sde), corrector, levels[:-1], 2)


SAMPLERS: dict[str, Build] = {
    "langevin": thrice(langevin()),
    "constant": thrice(momentum(momentum_rule(constant(0.7)))),
    "adaptive": thrice(momentum(momentum_rule(adaptive()))),
    "leimkuhler_matthews": thrice(leimkuhler_matthews),
    "baoab": thrice(baoab(0.6)),
    "baoab_positions": thrice(baoab_positions(0.6)),
    "isothermal": once(annealed_baoab(fixed(0.5))),
    "isothermal_tapered": once(annealed_baoab(TAPERED)),
    "ancestral": once(affine(ancestral)),
    "reverse_sde": once(affine(reverse_sde)),
    "flow_euler": once(affine(flow_euler)),
    "flow_heun": once(flow_heun),
    "drift_only": thrice(momentum(without_averaging(momentum_rule(adaptive())))),
    "averaging_only": thrice(momentum(momentum_rule(adaptive(), factor=unit_factor))),
    "corrected_noise": thrice(momentum(with_corrected_noise(momentum_rule(adaptive())))),
    "filtered": thrice(filtered(0.8, 0.3)),
    "consistent annealed sampling": once(affine(consistent(0.7))),
    "edm": once(edm_stochastic(3, churn=0.6)),
    "dpm_solver": once(dpm_solver()),
    "dpm_solver_sde": once(dpm_solver(1.0)),
    "pc_langevin": corrected(langevin(snr_of_score(0.1))),
    "pc_adaptive": corrected(momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.1)))),
    "pc_constant": corrected(momentum(momentum_rule(constant(0.9), snr_of_momentum(0.1)))),
}
EVERY = pytest.mark.parametrize("sampler", SAMPLERS)
COUPLINGS = pytest.mark.parametrize("algebra", [Particles, PerSample], ids=["batch", "sample"])
few = settings(deadline=None, max_examples=12)


@dataclass(frozen=True)
class Problem:
    """A target, a start, the noise and the step size's unit; `epsilon` is the step at the last level."""

    mean: Tensor
    variance: Tensor
    basis: Tensor
    start: Tensor
    draws: Tensor
    sigma: float = 0.5
    epsilon: float = 0.03

    def levels(self) -> list[Level]:
        return annealed_levels([self.sigma * ratio for ratio in (8.0, 4.0, 2.0, 1.0)], self.epsilon)

    def particles(self, sampler: str, algebra: type[Particles] = Particles) -> Tensor:
        """Return the positions at the end."""
        target = Gaussian(self.mean, self.basis @ torch.diag(self.variance) @ self.basis.T)
        states = run(SAMPLERS[sampler](self.levels()), State(self.start), target.score, replayed(self.draws), algebra())
        return last(states)[0].x.clone()

    def law(self, sampler: str) -> Moments:
        """Return the exact law at the end, in the target's basis, from N(start[0], start[1]^2)."""
        law = GaussianLaw(self.variance, self.mean)
        begin = law.start(self.start[0].tolist(), self.start[1].square().tolist())
        return law.moments(law.end(SAMPLERS[sampler](self.levels()), begin)[0].x)


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    seed = draw(st.integers(0, 2**31))
    variance = torch.tensor([draw(st.floats(0.05, 4.0)) for _ in range(DIMENSION)], dtype=torch.float64)
    basis = torch.linalg.qr(random(seed, DIMENSION, DIMENSION))[0]
    start, noise = 4 * random(seed + 1, BATCH, DIMENSION), random(seed + 2, DRAWS, BATCH, DIMENSION)
    return Problem(random(seed + 3, DIMENSION), variance, basis, start, noise, epsilon=draw(st.floats(0.002, 0.05)))


def assert_close(found: Iterable[Tensor], wanted: Iterable[Tensor]) -> None:
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@EVERY
@COUPLINGS
@given(problem=problems(), seed=st.integers(0, 999))
@few
def test_translation_moves_the_samples_along(
    sampler: str, algebra: type[Particles], problem: Problem, seed: int
) -> None:
    shift = 3 * random(seed, DIMENSION)
    moved = replace(problem, mean=problem.mean + shift, start=problem.start + shift)
    assert_close([moved.particles(sampler, algebra)], [problem.particles(sampler, algebra) + shift])


@EVERY
@given(problem=problems(), shift=st.floats(-10, 10))
@few
def test_translation_moves_the_law_along(sampler: str, problem: Problem, shift: float) -> None:
    start = torch.cat([problem.start[:1] + shift, problem.start[1:]])
    moved = replace(problem, mean=problem.mean + shift, start=start).law(sampler)
    still = problem.law(sampler)
    assert_close(moved, (still.mean + shift, still.variance))


@EVERY
@COUPLINGS
@given(problem=problems(), seed=st.integers(0, 999))
@few
def test_rotation_turns_the_samples(sampler: str, algebra: type[Particles], problem: Problem, seed: int) -> None:
    turn = torch.linalg.qr(random(seed, DIMENSION, DIMENSION))[0]
    turned = replace(
        problem,
        mean=turn @ problem.mean,
        basis=turn @ problem.basis,
        start=problem.start @ turn.T,
        draws=problem.draws @ turn.T,
    )
    assert_close([turned.particles(sampler, algebra)], [problem.particles(sampler, algebra) @ turn.T])


@EVERY
@given(problem=problems(), order=st.permutations(range(DIMENSION)))
@few
def test_the_law_does_not_know_the_order_of_directions(sampler: str, problem: Problem, order: list[int]) -> None:
    other = replace(
        problem, mean=problem.mean[order], variance=problem.variance[order], start=problem.start[:, order]
    ).law(sampler)
    assert_close(other, [moment[order] for moment in problem.law(sampler)])


def scaled(problem: Problem, k: float) -> Problem:
    """The same problem in another unit: `x -> k x`, `a -> k^2 a`."""
    return replace(
        problem,
        mean=k * problem.mean,
        variance=k**2 * problem.variance,
        start=k * problem.start,
        sigma=k * problem.sigma,
        epsilon=k**2 * problem.epsilon,
    )


@EVERY
@COUPLINGS
@given(problem=problems(), k=st.floats(1e-3, 1e3))
@few
def test_scaling_changes_the_unit_of_samples(
    sampler: str, algebra: type[Particles], problem: Problem, k: float
) -> None:
    assert_close([scaled(problem, k).particles(sampler, algebra) / k], [problem.particles(sampler, algebra)])


@EVERY
@given(problem=problems(), k=st.floats(1e-3, 1e3))
@few
def test_scaling_changes_the_unit_of_the_law(sampler: str, problem: Problem, k: float) -> None:
    moments = scaled(problem, k).law(sampler)
    assert_close((moments.mean / k, moments.variance / k**2), problem.law(sampler))


@EVERY
@COUPLINGS
@given(problem=problems(), order=st.permutations(range(BATCH)))
@few
def test_the_order_of_a_batch_is_the_samples_own(
    sampler: str, algebra: type[Particles], problem: Problem, order: list[int]
) -> None:
    permuted = replace(problem, start=problem.start[order], draws=problem.draws[:, order])
    assert_close([permuted.particles(sampler, algebra)], [problem.particles(sampler, algebra)[order]])


@EVERY
@given(seed=st.integers(0, 2**40), cuts=st.sets(st.integers(1, BATCH - 1)), problem=problems())
@few
def test_uncoupled_a_batch_may_be_split(sampler: str, seed: int, cuts: set[int], problem: Problem) -> None:
    """Norms a sample, a generator a sample: the same samples for any split."""
    target = Gaussian(problem.mean, problem.variance)

    def part(first: int, end: int) -> Tensor:
        algebra = PerSample()
        noise = generated_per_sample(seeded_per_sample(seed, first, end - first), algebra.empty_like)
        program = SAMPLERS[sampler](problem.levels())
        return last(run(program, State(problem.start[first:end]), target.score, noise, algebra))[0].x.clone()

    bounds = [0, *sorted(cuts), BATCH]
    parts = [part(first, end) for first, end in pairwise(bounds)]
    assert_close([torch.cat(parts)], [part(0, BATCH)])


def test_coupled_a_batch_may_not() -> None:
    """The falsifier of the split, and of the columns: under the batch's mean, halves are other samples."""
    problem = Problem(random(1, 3), torch.ones(3).double(), torch.eye(3).double(), random(2, 5, 3), random(3, 40, 5, 3))
    half = replace(problem, start=problem.start[:2], draws=problem.draws[:, :2])
    for sampler in ("adaptive", "pc_langevin", "pc_adaptive", "pc_constant"):
        assert (half.particles(sampler) - problem.particles(sampler)[:2]).abs().max() > 1e-3


def test_another_power_of_the_unit_is_seen() -> None:
    """The falsifier of the scaling: `a -> k a` instead of `k^2 a`."""
    problem = Problem(random(1, 3), torch.ones(3).double(), torch.eye(3).double(), random(2, 5, 3), random(3, 40, 5, 3))
    wrong = replace(scaled(problem, 1.01), epsilon=1.01 * problem.epsilon)
    assert (wrong.particles("adaptive") / 1.01 - problem.particles("adaptive")).abs().max() > 1e-5
    assert (wrong.law("adaptive").variance / 1.01**2 - problem.law("adaptive").variance).abs().max() > 1e-5


@given(problem=problems(), delta=st.floats(1e-4, 0.9))
@few
def test_damping_is_within_its_range_all_along(problem: Problem, delta: float) -> None:
    step, target = momentum(momentum_rule(adaptive(delta))), Gaussian(problem.mean, problem.variance)
    law, program = GaussianLaw(problem.variance, problem.mean), annealed(step, problem.levels(), 3)
    runs = [
        run(program, State(problem.start), target.score, replayed(problem.draws), each())
        for each in (Particles, PerSample)
    ]
    for states in (*runs, law.run(program, law.start(1.0, 2.0))):
        for _, info in states:
            beta = torch.as_tensor(info.coefficients.beta)
            assert ((beta >= 0) & (beta <= 1 - delta)).all()


@given(problem=problems())
@few
def test_constant_momentum_zero_is_langevin_in_law(problem: Problem) -> None:
    law = GaussianLaw(problem.variance, problem.mean)
    ends = [
        law.moments(law.end(annealed(step, problem.levels(), 3), law.start(1.0, 2.0))[0].x)
        for step in (langevin(), momentum(momentum_rule(constant(0.0))))
    ]
    assert_close(*ends)


@given(u=st.floats(1e-3, 1.999), variance=st.floats(1e-3, 1e3), mean=st.floats(-5, 5))
@settings(deadline=None, max_examples=60)
def test_leimkuhler_matthews_is_exact_on_gaussians(u: float, variance: float, mean: float) -> None:
    """At any stable step `0 < u = a / v < 2` its stationary law, solved for, is the target's."""
    law, level = GaussianLaw([variance], [mean]), Level(0, sigma=0.0, step=u * variance)
    row = law.start(0.0, 1.0).x
    state = law.begin_step(State(row, z=row))
    still = law.moments(law.set_stationary(state, leimkuhler_matthews(state, law.score, law.noise, level, law)[0]).x)
    assert still.variance.item() == pytest.approx(variance, rel=1e-10)
    assert still.mean.item() == pytest.approx(mean, rel=1e-10, abs=1e-10 * variance**0.5)
