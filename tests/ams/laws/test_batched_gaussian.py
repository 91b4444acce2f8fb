"""Several exact laws at once have the moments of single ones, whatever differs between the runs."""

import pytest

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.laws.batched_gaussian import BatchedGaussian
from ams.samplers import Program, Step
from ams.schedules import Level, annealed_levels, geometric_sigmas
from tests.ams.tools import assert_equal, moments_at_end

LAW = GaussianLaw([1.0, 0.1, 0.003], [0.5, -2.0, 0.0], [1.0, 4.0, 2.0])
SETTINGS = ((0.1, 1), (0.3, 2), (1.0, 4))


def program(step: Step, u: float, repeats: int) -> Program:
    sigmas = geometric_sigmas(5.0, 0.1, 12 // repeats)
    return sm.annealed(step, annealed_levels(sigmas, u * 0.1**2), repeats)


def assert_alike(stack: BatchedGaussian, stacked: Program, singles: list[Program]) -> None:
    state, _ = stack.end(stacked, stack.start(0.0, 25.0))
    together = stack.of_each_run(state.x)
    for number, single in enumerate(singles):
        alone = moments_at_end(LAW, single, LAW.start(0.0, 25.0))
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
    stack, singles = BatchedGaussian(LAW, len(SETTINGS)), [program(step, *setting) for setting in SETTINGS]
    assert_alike(stack, stack.program(singles), singles)


@pytest.mark.parametrize("of_adaptive", [False, True])
def test_a_grid_of_snr_is_as_many_runs(of_adaptive: bool) -> None:
    """The parameter of a step may itself be a column; the levels are then shared, and so is the predictor."""
    snrs, stack = (0.05, 0.16, 0.4), BatchedGaussian(LAW, 3)

    def run(snr: float) -> Program:
        rule = sm.momentum_rule(sm.adaptive(1e-4), sm.snr_of_last_momentum(snr))
        corrector = sm.momentum(rule) if of_adaptive else sm.langevin(sm.snr_of_score(snr))
        levels = annealed_levels(geometric_sigmas(5.0, 0.1, 6), 1.0)
        return sm.predictor_corrector(sm.affine(sm.reverse_sde), corrector, levels[:-1])

    assert_alike(stack, run(stack.column(snrs)), [run(snr) for snr in snrs])  # type: ignore[arg-type]


def test_a_run_that_diverges_leaves_the_others_alone() -> None:
    program_of = [[(sm.langevin(), Level(0, sigma=0.0, step=step))] * 400 for step in (1e-3, 1.0)]
    stack = BatchedGaussian(LAW, 2)
    state, _ = stack.end(stack.program(program_of), stack.start(0.0, 1.0))
    finite = stack.of_each_run(state.x).variance.isfinite().all(1)
    assert finite.tolist() == [True, False]
    alone = moments_at_end(LAW, program_of[0], LAW.start(0.0, 1.0))
    assert_equal(stack.of_each_run(state.x).variance[0], alone.variance)


def test_what_does_not_fit_is_refused() -> None:
    stack = BatchedGaussian(LAW, 2)
    with pytest.raises(ValueError, match="3 values for 2 runs"):
        stack.column([1.0, 2.0, 3.0])
    with pytest.raises(ValueError):
        stack.program([program(sm.langevin(), 0.1, 1), program(sm.langevin(), 0.1, 5)])  # 12 steps and 10
