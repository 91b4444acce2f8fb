"""The exact law against particles: of independent ones their affine map, of coupled ones 1e5, by Monte Carlo.

Coupled particles are one observation a batch: 20 batches of 5,000, a t-test of each moment. The bias of the mean field,
O(1/5000), is far below the detected effect.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.laws import GaussianLaw, Moments
from ams.samplers import Program
from ams.schedules import VE, VP, Level, annealed_levels, geometric_sigmas, process_levels
from ams.statistics import plan_mean_test
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, moments_at_end, trajectory
from tests.monte_carlo import MonteCarlo

PARTICLES, BATCHES = 100_000, 20
SHARE = 0.01
MULTIPLICITY = [1, 3]
LAW = GaussianLaw([1.5, 0.2], [0.8, -0.5], [float(n) for n in MULTIPLICITY])
COUNTS = torch.tensor(MULTIPLICITY)
TARGET = Gaussian(LAW.mean.repeat_interleave(COUNTS), LAW.variance.repeat_interleave(COUNTS))
BEGIN = Moments(torch.tensor([2.0, 1.0]).double(), torch.tensor([4.0, 0.5]).double())

FIXED = [Level(0, sigma=0.3, step=0.1)]
SLOW = [Level(0, sigma=0.3, step=0.02)]
GEOMETRIC = annealed_levels(geometric_sigmas(3.0, 0.2, 8), 0.02)
VE_LEVELS, VP_LEVELS = process_levels(VE(0.1, 4.0), 9, 0.05), process_levels(VP(), 9, 0.05)

INDEPENDENT: dict[str, Program] = {
    "langevin": sm.annealed(sm.langevin(), FIXED, 12),
    "constant": sm.annealed(sm.momentum(sm.momentum_rule(sm.constant(0.8))), FIXED, 12),
    "constant, annealed": sm.annealed(sm.momentum(sm.momentum_rule(sm.constant(0.5), extra=0.02)), GEOMETRIC, 2),
    "leimkuhler_matthews": sm.annealed(sm.leimkuhler_matthews, FIXED, 12),
    "authors' Euler-Maruyama": [(sm.affine(sm.authors_euler_maruyama(VP(), 9)), level) for level in VP_LEVELS],
} | {
    f"{name}, {process}": sm.one_step_per_level(step, levels)
    for process, levels in (("VE", VE_LEVELS), ("VP", VP_LEVELS))
    for name, step in {
        "ancestral": sm.affine(sm.ancestral),
        "reverse_sde": sm.affine(sm.reverse_sde),
        "flow_euler": sm.affine(sm.flow_euler),
        "flow_heun": sm.flow_heun,
    }.items()
}
VP_CORRECTED = process_levels(VP(0.1, 6.0), 9, 0.05)
SIZED = sm.momentum(sm.momentum_rule(sm.adaptive(1e-4), sm.snr_of_last_momentum(0.15)))
COUPLED: dict[str, Program] = {
    "adaptive": sm.annealed(sm.momentum(sm.momentum_rule(sm.adaptive())), SLOW, 12),
    "adaptive, annealed": sm.annealed(sm.momentum(sm.momentum_rule(sm.adaptive(), extra=0.02)), GEOMETRIC, 2),
    "corrector, Langevin": sm.predictor_corrector(
        sm.affine(sm.reverse_sde), sm.langevin(sm.snr_of_score(0.15)), VE_LEVELS[:-1]
    ),
    "corrector, adaptive": sm.predictor_corrector(sm.affine(sm.ancestral), SIZED, VP_CORRECTED[:-1]),
}


def exact(program: Program) -> Moments:
    return moments_at_end(LAW, program, LAW.start(BEGIN.mean, BEGIN.variance))


def particles(program: Program, generator: torch.Generator, count: int) -> list[Tensor]:
    """Return the end positions in each distinct direction, its repetitions pooled: one row of numbers each."""
    x = torch.randn(count, sum(MULTIPLICITY), generator=generator, dtype=torch.float64)
    x = BEGIN.mean.repeat_interleave(COUNTS) + x * BEGIN.variance.sqrt().repeat_interleave(COUNTS)
    state, _, _ = sm.sample(program, x, TARGET.score, generator, sm.Particles())
    return [part.flatten() for part in state.x.split(MULTIPLICITY, dim=1)]


@pytest.mark.parametrize("sampler", INDEPENDENT)
def test_the_exact_law_is_that_of_independent_particles(sampler: str) -> None:
    """Particles at 0, at 1 with no noise, and with one draw of 1 each have the affine map, which gives the moments."""
    draws, law = 40, exact(INDEPENDENT[sampler])
    start, noise = torch.zeros(draws + 2, 2).double(), torch.zeros(draws, draws + 2, 2).double()
    start[1], noise[range(draws), range(2, draws + 2)] = 1.0, 1.0
    ends = trajectory(INDEPENDENT[sampler], start, Gaussian(LAW.mean, LAW.variance).score, noise)[-1]
    of_start, *of_draws = ends[1:] - ends[0]
    assert_equal(ends[0] + of_start * BEGIN.mean, law.mean)
    assert_equal(of_start.square() * BEGIN.variance + sum(each.square() for each in of_draws), law.variance)


def batch_moments(program: Program, monte_carlo: MonteCarlo) -> np.ndarray:
    """Return mean and variance of each direction, batch by batch: (BATCHES, directions, 2)."""
    batches = (particles(program, monte_carlo.torch(i), PARTICLES // BATCHES) for i in range(BATCHES))
    return np.array([[(x.mean().item(), x.var().item()) for x in parts] for parts in batches])


@pytest.mark.monte_carlo(share=SHARE)
@pytest.mark.parametrize("sampler", COUPLED)
def test_the_exact_law_is_the_mean_field_of_coupled_particles(sampler: str, monte_carlo: MonteCarlo) -> None:
    """Detected are 3 standard deviations of one batch's moment: 0.04 in a mean, 6 % in a variance."""
    law, seen = exact(COUPLED[sampler]), batch_moments(COUPLED[sampler], monte_carlo)
    test = monte_carlo.note(plan_mean_test(BATCHES, effect=3.0, share=monte_carlo.share / 4))
    for direction in range(len(MULTIPLICITY)):
        for kind, moment in enumerate(law):
            assert not test.rejects(seen[:, direction, kind], moment[direction].item()), (direction, kind)
