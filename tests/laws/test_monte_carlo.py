"""The exact law against 1e5 particles: within the Monte Carlo error, and no wider than that.

Independent particles: the mean is normal, and `n` times the mean square over the law's variance is chi-squared with
`n` degrees, both exactly, so a case of four such statistics raises a false alarm with probability 1e-6 (Bonferroni).
It sees, with probability 1 - 1e-6, a variance that is off by 4.5 % and a mean that is off by 3.2 % of a standard
deviation (n = 1e5; the second direction, which occurs three times, 1.8 times less); each case checks that it does.

Coupled particles (norms averaged over the batch) are one observation a batch: 20 batches of 5,000, a t-test of each
moment planned by `ams.inference`, 1e-6 a case in all. The mean field's own bias, O(1/5000), is far below what it sees.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from ams.inference import MeanTest, plan_mean_test
from ams.laws import GaussianLaw
from ams.laws.gaussian import Moments
from ams.noise import VE, VP, Level, annealed_levels, geometric_sigmas, process_levels
from ams.samplers import (
    Particles,
    Program,
    adaptive,
    affine,
    ancestral,
    annealed,
    constant,
    downward,
    flow_euler,
    flow_heun,
    langevin,
    leimkuhler_matthews,
    momentum,
    momentum_rule,
    predictor_corrector,
    released_euler_maruyama,
    reverse_sde,
    sample,
    snr_of_last_momentum,
    snr_of_score,
)
from ams.targets import Gaussian

PARTICLES, FALSE_ALARM, MISSED = 100_000, 1e-6, 1e-6
BATCHES = 20
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
    "langevin": annealed(langevin(), FIXED, 12),
    "constant": annealed(momentum(momentum_rule(constant(0.8))), FIXED, 12),
    "constant, annealed": annealed(momentum(momentum_rule(constant(0.5), extra=0.02)), GEOMETRIC, 2),
    "leimkuhler_matthews": annealed(leimkuhler_matthews, FIXED, 12),
    "released Euler-Maruyama": [(affine(released_euler_maruyama(VP(), 9)), level) for level in VP_LEVELS],
} | {
    f"{name}, {process}": downward(step, levels)
    for process, levels in (("VE", VE_LEVELS), ("VP", VP_LEVELS))
    for name, step in {
        "ancestral": affine(ancestral),
        "reverse_sde": affine(reverse_sde),
        "flow_euler": affine(flow_euler),
        "flow_heun": flow_heun,
    }.items()
}
VP_CORRECTED = process_levels(VP(0.1, 6.0), 9, 0.05)
SIZED = momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.15)))
COUPLED: dict[str, Program] = {
    "adaptive": annealed(momentum(momentum_rule(adaptive())), SLOW, 25),
    "adaptive, annealed": annealed(momentum(momentum_rule(adaptive(), extra=0.02)), GEOMETRIC, 2),
    "corrector, Langevin": predictor_corrector(affine(reverse_sde), langevin(snr_of_score(0.15)), VE_LEVELS[:-1]),
    "corrector, adaptive": predictor_corrector(affine(ancestral), SIZED, VP_CORRECTED[:-1]),
}


def exact(program: Program) -> Moments:
    return LAW.moments(LAW.end(program, LAW.start(BEGIN.mean, BEGIN.variance))[0].x)


def particles(program: Program, seed: int, count: int) -> list[Tensor]:
    """Return the end positions in each distinct direction, its repetitions pooled: one row of numbers each."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, sum(MULTIPLICITY), generator=generator, dtype=torch.float64)
    x = BEGIN.mean.repeat_interleave(COUNTS) + x * BEGIN.variance.sqrt().repeat_interleave(COUNTS)
    state, _, _ = sample(program, x, TARGET.score, generator, Particles())
    return [part.flatten() for part in state.x.split(MULTIPLICITY, dim=1)]


def agrees(samples: Tensor, mean: float, variance: float) -> bool:
    """Tell whether neither mean nor mean square of independent samples is beyond its quantile."""
    n, share = len(samples), FALSE_ALARM / (2 * len(MULTIPLICITY))
    z = (samples.mean().item() - mean) / math.sqrt(variance / n)
    square = (samples - mean).square().sum().item() / variance
    return abs(z) < stats.norm.isf(share / 2) and min(stats.chi2.cdf(square, n), stats.chi2.sf(square, n)) > share / 2


def smallest_effects(n: int) -> tuple[float, float]:
    """Return the shift of the mean (in standard deviations) and of the variance (relative) that are surely seen."""
    seen = stats.norm.isf(FALSE_ALARM / (4 * len(MULTIPLICITY))) + stats.norm.isf(MISSED)
    return seen / math.sqrt(n), 1.05 * seen * math.sqrt(2 / n)


@pytest.mark.parametrize("sampler", INDEPENDENT)
def test_the_law_is_that_of_independent_particles(sampler: str) -> None:
    law = exact(INDEPENDENT[sampler])
    for samples, mean, variance in zip(particles(INDEPENDENT[sampler], 11, PARTICLES), *law, strict=True):
        m, v = mean.item(), variance.item()
        assert agrees(samples, m, v)
        shift, stretch = smallest_effects(len(samples))
        assert shift <= 0.032 and stretch <= 0.047
        assert not agrees(samples, m + shift * math.sqrt(v), v)
        assert not agrees(samples, m, v * (1 + stretch)) and not agrees(samples, m, v / (1 + stretch))


def batch_moments(program: Program) -> np.ndarray:
    """Return mean and variance of each direction, batch by batch: (BATCHES, directions, 2)."""
    batches = (particles(program, 100 + i, PARTICLES // BATCHES) for i in range(BATCHES))
    return np.array([[(x.mean().item(), x.var().item()) for x in parts] for parts in batches])


def planned() -> MeanTest:
    """One of a case's four tests: 1e-6 / 4 each; it sees 3 standard deviations of one batch's moment."""
    return plan_mean_test(BATCHES, effect=3.0, share=0.01 / 4)


@pytest.mark.parametrize("sampler", COUPLED)
def test_the_law_is_the_mean_field_of_coupled_particles(sampler: str) -> None:
    law, seen, test = exact(COUPLED[sampler]), batch_moments(COUPLED[sampler]), planned()
    assert test.false_alarm * 4 == pytest.approx(FALSE_ALARM)
    for direction in range(len(MULTIPLICITY)):
        for kind, moment in enumerate(law):
            values, wanted = seen[:, direction, kind], moment[direction].item()
            assert not test.rejects(values, wanted), (direction, kind)
            # At power .999 a test misses its smallest effect once in 1000; at twice that, below 1e-6.
            for sign in (-1, 1):
                assert test.rejects(values, wanted + sign * 2 * test.smallest * values.std(ddof=1))


def test_another_rule_is_another_law() -> None:
    """What the comparison tells apart: adaptive momentum from plain Langevin, in either direction's variance."""
    seen, plain = batch_moments(COUPLED["adaptive"]), exact(annealed(langevin(), SLOW, 25))
    assert all(planned().rejects(seen[:, i, 1], plain.variance[i].item()) for i in range(2))
