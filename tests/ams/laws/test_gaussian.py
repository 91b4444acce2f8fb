"""The exact law: one run and several at once, its stationary distributions, and particles beside
it.

Moments are known by hand, and by two ways to the same distribution. Independent particles have the
law's affine map. Coupled ones are one observation a batch: 20 batches of 5,000, a t-test of each
moment; the bias of the mean field, O(1/5000), is far below the detected effect.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw, Moments, eigenlaw, rotated_back
from ams.laws.batched_gaussian import BatchedGaussian
from ams.laws.stationary import frozen, reached, solved
from ams.samplers import (
    NonFiniteState,
    Program,
    Step,
    adaptive,
    constant,
    langevin,
    momentum,
    momentum_rule,
    unit_factor,
    without_averaging,
)
from ams.schedules import VE, VP, Level, annealed_levels, geometric_sigmas, process_levels
from ams.statistics import plan_mean_test
from ams.targets import Gaussian
from tests.ams.samplers.test_invariances import PROGRAMS
from tests.ams.tools import assert_equal, draws, moments_at_end, trajectory
from tests.monte_carlo import MonteCarlo


def full(seed: int = 0, d: int = 5) -> Gaussian:
    """Return a Gaussian with a full covariance and a mean."""
    root = draws(seed, d, 2 * d)
    return Gaussian(draws(seed + 1, d), root @ root.mT / d)


def test_langevin_on_a_full_covariance_is_the_matrix_recursion() -> None:
    target = full()
    law = eigenlaw(target)
    program = [(langevin(), Level(0, sigma=0.0, step=0.05))] * 7
    end = rotated_back(target, moments_at_end(law, program, law.start(0.0, 2.0)))
    eye = torch.eye(5, dtype=torch.float64)
    matrix = eye - 0.05 * torch.linalg.inv(target.covariance.matrix())
    mean, covariance = torch.zeros(5, dtype=torch.float64), 2.0 * eye
    for _ in range(7):
        mean = target.mean + matrix @ (mean - target.mean)
        covariance = matrix @ covariance @ matrix.mT + 0.1 * eye
    assert_equal((end.mean, end.covariance.matrix()), (mean, covariance))


def test_a_diagonal_target_keeps_its_directions_and_shape() -> None:
    target = Gaussian([[0.0, 1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]])
    law = eigenlaw(target)
    assert isinstance(law, GaussianLaw) and law.variance.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert rotated_back(target, law.moments(law.start(0.0, 1.0).x)).shape == (2, 2)


EACH = GaussianLaw([1.0, 0.1, 0.003], [0.5, -2.0, 0.0], [1.0, 4.0, 2.0])
SETTINGS = ((0.1, 1), (0.3, 2), (1.0, 4))


def program(step: Step, u: float, repeats: int) -> Program:
    sigmas = geometric_sigmas(5.0, 0.1, 12 // repeats)
    return sm.annealed(step, annealed_levels(sigmas, u * 0.1**2), repeats)


def assert_alike(stack: BatchedGaussian, stacked: Program, singles: list[Program]) -> None:
    state, _ = stack.end(stacked, stack.start(0.0, 25.0))
    together = stack.of_each_run(state.x)
    for number, single in enumerate(singles):
        alone = moments_at_end(EACH, single, EACH.start(0.0, 25.0))
        assert_equal((together.mean[number], together.variance[number]), alone, 1e-12, 1e-14)


@pytest.mark.parametrize(
    "step",
    [
        sm.langevin(),
        sm.leimkuhler_matthews,
        *(sm.momentum(sm.momentum_rule(beta)) for beta in (sm.constant(0.7), sm.adaptive(1e-3))),
    ],
)
def test_a_grid_of_steps_and_levels_is_as_many_runs(step: Step) -> None:
    stack, singles = (
        BatchedGaussian(EACH, len(SETTINGS)),
        [program(step, *setting) for setting in SETTINGS],
    )
    assert_alike(stack, stack.program(singles), singles)


@pytest.mark.parametrize("of_adaptive", [False, True])
def test_a_grid_of_snr_is_as_many_runs(of_adaptive: bool) -> None:
    """The parameter of a step may itself be a column; the levels are then shared, and so is the
    predictor.
    """
    snrs, stack = (0.05, 0.16, 0.4), BatchedGaussian(EACH, 3)

    def run(snr: float) -> Program:
        rule = sm.momentum_rule(sm.adaptive(1e-4), sm.snr_of_last_momentum(snr))
        corrector = sm.momentum(rule) if of_adaptive else sm.langevin(sm.snr_of_score(snr))
        levels = annealed_levels(geometric_sigmas(5.0, 0.1, 6), 1.0)
        return sm.predictor_corrector(sm.affine(sm.reverse_sde), corrector, levels[:-1])

    assert_alike(stack, run(stack.column(snrs)), [run(snr) for snr in snrs])  # type: ignore[arg-type]


def test_a_run_that_diverges_leaves_the_others_alone() -> None:
    program_of = [[(sm.langevin(), Level(0, sigma=0.0, step=step))] * 400 for step in (1e-3, 1.0)]
    stack = BatchedGaussian(EACH, 2)
    state, _ = stack.end(stack.program(program_of), stack.start(0.0, 1.0))
    finite = stack.of_each_run(state.x).variance.isfinite().all(1)
    assert finite.tolist() == [True, False]
    alone = moments_at_end(EACH, program_of[0], EACH.start(0.0, 1.0))
    assert_equal(stack.of_each_run(state.x).variance[0], alone.variance)


DELTA = 1e-6
RULE = momentum_rule(adaptive(DELTA))


def test_the_remainder_of_a_slow_run_is_right() -> None:
    """At u = 4e-3 the change over 16 steps is an eighth of the distance to the limit."""
    found = reached(
        GaussianLaw([1.0]), langevin(), 4e-3, start_variance=2.0, tolerance=1e-4, watch=16
    )
    distance = found.variance.item() - 1 / (1 - 4e-3 / 2)
    assert 0.0 < distance < 1e-4
    assert found.remainder == pytest.approx(distance, rel=0.01)


def test_reached_and_solved_agree_on_an_anisotropic_target() -> None:
    law = GaussianLaw([1.0, 0.25, 0.04], [0.7, 0.0, -1.0], [2.0, 3.0, 5.0])
    run, direct = reached(law, momentum(RULE), 0.03), solved(law, RULE, 0.03, 1 - DELTA)
    assert run.beta == pytest.approx(direct.beta, rel=1e-10)
    assert run.variance.tolist() == pytest.approx(direct.variance.tolist(), rel=1e-10)
    for found in (run, direct):
        assert found.mean.tolist() == pytest.approx(law.mean.tolist(), abs=1e-10)


def test_a_rule_with_another_factor_is_solved_with_it() -> None:
    """Without the factor `(1 + b)^2` beta differs, and the run has this beta too."""
    rule, law = momentum_rule(adaptive(DELTA), factor=unit_factor), GaussianLaw([1.0])
    run, direct = (
        reached(law, momentum(rule), 0.05),
        solved(law, rule, 0.05, 1 - DELTA, unit_factor),
    )
    plain = solved(law, RULE, 0.05, 1 - DELTA)
    assert (
        direct.beta == pytest.approx(run.beta, rel=1e-10)
        and abs(direct.beta - plain.beta) > 1e-3 * plain.beta
    )
    assert direct.variance.item() == pytest.approx(run.variance.item(), rel=1e-10)


def test_an_exact_end_of_the_range_is_taken() -> None:
    law, fixed = GaussianLaw([1.0]), momentum_rule(constant(0.25))
    assert (
        solved(law, fixed, 0.1, 0.25).beta == 0.25
        and solved(law, without_averaging(fixed), 0.1, 0.5).beta == 0.0
    )


def drawn_thrice() -> None:
    law = GaussianLaw([1.0])
    x = law.start(0.0, 1.0).x
    assert law.covariance(law.noise(x), law.noise(x)).item() == 0.0
    law.noise(x)


TWO, LONG = GaussianLaw([1.0, 5.0]), [(langevin(), Level(0, sigma=0.0, step=100.0))] * 200


@pytest.mark.parametrize(
    ("call", "error", "reason"),
    [
        (lambda: GaussianLaw([1.0, 0.0]), ValueError, "variances must be positive"),
        (lambda: GaussianLaw([1.0, math.nan]), ValueError, "variances must be positive"),
        (lambda: GaussianLaw([1.0, 2.0], [1.0]), ValueError, "1 values for 2 directions"),
        (
            lambda: GaussianLaw([1.0, 2.0], 0.0, [1.0, 1.0, 1.0]),
            ValueError,
            "3 values for 2 directions",
        ),
        (
            lambda: eigenlaw(Gaussian([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]])),
            ValueError,
            "variances must be positive",
        ),
        (lambda: TWO.start(0.0, math.nan), ValueError, "start's variances must be 0 or more"),
        (lambda: TWO.start(0.0, [1.0, -1e-9]), ValueError, "start's variances must be 0 or more"),
        (drawn_thrice, ValueError, "has room for 2 draws a step"),
        (lambda: TWO.end(LONG, TWO.start(0.0, 1.0)), NonFiniteState, "sigma 0"),
        (
            lambda: BatchedGaussian(TWO, 2).column([1.0, 2.0, 3.0]),
            ValueError,
            "3 values for 2 runs",
        ),
        (lambda: BatchedGaussian(TWO, 2).program([LONG, LONG[1:]]), ValueError, "."),
        (
            lambda: solved(TWO, RULE, 1e-3, 0.3),
            ValueError,
            r"reproduces no beta in \[0, 0.3\] at step size 0.001",
        ),
        (lambda: frozen(TWO, 11.0, 0.9), ValueError, "no stationary distribution: spectral radius"),
        (
            lambda: reached(TWO, langevin(), 1e-3, 9.0, most=128),
            ArithmeticError,
            "no stationary state after 128 steps",
        ),
    ],
)
def test_what_has_no_law_is_refused(
    call: Callable[[], object], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        call()


PARTICLES, BATCHES = 100_000, 20
SHARE = 0.01
MULTIPLICITY = [1, 3]
LAW = GaussianLaw([1.5, 0.2], [0.8, -0.5], [float(n) for n in MULTIPLICITY])
COUNTS = torch.tensor(MULTIPLICITY)
TARGET = Gaussian(LAW.mean.repeat_interleave(COUNTS), LAW.variance.repeat_interleave(COUNTS))
BEGIN = Moments(torch.tensor([2.0, 1.0]).double(), torch.tensor([4.0, 0.5]).double())

SLOW = [Level(0, sigma=0.3, step=0.02)]
GEOMETRIC = annealed_levels(geometric_sigmas(3.0, 0.2, 8), 0.02)

SIZED = sm.momentum(sm.momentum_rule(sm.adaptive(1e-4), sm.snr_of_last_momentum(0.15)))
COUPLED: dict[str, Program] = {
    "adaptive": sm.annealed(sm.momentum(sm.momentum_rule(sm.adaptive())), SLOW, 12),
    "adaptive, annealed": sm.annealed(
        sm.momentum(sm.momentum_rule(sm.adaptive(), extra=0.02)), GEOMETRIC, 2
    ),
    "corrector, Langevin": sm.predictor_corrector(
        sm.affine(sm.reverse_sde),
        sm.langevin(sm.snr_of_score(0.15)),
        process_levels(VE(0.1, 4.0), 9, 0.05)[:-1],
    ),
    "corrector, adaptive": sm.predictor_corrector(
        sm.affine(sm.ancestral), SIZED, process_levels(VP(0.1, 6.0), 9, 0.05)[:-1]
    ),
}


def exact(program: Program) -> Moments:
    return moments_at_end(LAW, program, LAW.start(BEGIN.mean, BEGIN.variance))


def particles(program: Program, generator: torch.Generator, count: int) -> list[Tensor]:
    """Return the end positions in each distinct direction, its repetitions pooled: one row of
    numbers each.
    """
    x = torch.randn(count, sum(MULTIPLICITY), generator=generator, dtype=torch.float64)
    x = BEGIN.mean.repeat_interleave(COUNTS) + x * BEGIN.variance.sqrt().repeat_interleave(COUNTS)
    state, _, _ = sm.sample(program, x, TARGET.score, generator, sm.Particles())
    return [part.flatten() for part in state.x.split(MULTIPLICITY, dim=1)]


BY_NORMS = ("adaptive", "memoryless", "drift_only", "averaging_only", "corrected_noise", "pc")


@pytest.mark.parametrize("sampler", [name for name in PROGRAMS if not name.startswith(BY_NORMS)])
def test_the_exact_law_is_that_of_independent_particles(sampler: str) -> None:
    """Particles at 0, at 1 with no noise, and with one draw of 1 each have the affine map, which
    gives the moments.
    """
    draws, law = 50, exact(PROGRAMS[sampler])
    start, noise = torch.zeros(draws + 2, 2).double(), torch.zeros(draws, draws + 2, 2).double()
    start[1], noise[range(draws), range(2, draws + 2)] = 1.0, 1.0
    ends = trajectory(PROGRAMS[sampler], start, Gaussian(LAW.mean, LAW.variance).score, noise)[-1]
    of_start, *of_draws = ends[1:] - ends[0]
    assert_equal(ends[0] + of_start * BEGIN.mean, law.mean)
    assert_equal(
        of_start.square() * BEGIN.variance + sum(each.square() for each in of_draws), law.variance
    )


def batch_moments(program: Program, monte_carlo: MonteCarlo) -> np.ndarray:
    """Return mean and variance of each direction, batch by batch: (BATCHES, directions, 2)."""
    batches = (
        particles(program, monte_carlo.torch(i), PARTICLES // BATCHES) for i in range(BATCHES)
    )
    return np.array([[(x.mean().item(), x.var().item()) for x in parts] for parts in batches])


@pytest.mark.monte_carlo(share=SHARE)
@pytest.mark.parametrize("sampler", COUPLED)
def test_the_exact_law_is_the_mean_field_of_coupled_particles(
    sampler: str, monte_carlo: MonteCarlo
) -> None:
    """Detected are 3 standard deviations of one batch's moment: 0.04 in a mean, 6 % in a
    variance.
    """
    law, seen = exact(COUPLED[sampler]), batch_moments(COUPLED[sampler], monte_carlo)
    test = monte_carlo.note(plan_mean_test(BATCHES, effect=3.0, share=monte_carlo.share / 4))
    for direction in range(len(MULTIPLICITY)):
        for kind, moment in enumerate(law):
            assert not test.rejects(seen[:, direction, kind], moment[direction].item()), (
                direction,
                kind,
            )
