"""Ball arithmetic: what must not enter it is refused, and its enclosures hold what the exact law
computes in float64.

They hold themselves too: with more bits, in other directions, along other runs. A rounding that is
lost is noticed.
"""

import math

import numpy as np
import pytest
import torch
from flint import arb

from ams.enclosures import (
    Ball,
    BallLaw,
    GivenCoefficients,
    Undecided,
    ball,
    ends,
    lifted_level,
    precision,
)
from ams.enclosures.expected_norm import expected_norm
from ams.enclosures.mean_field import run_mean_field
from ams.enclosures.stationary import frozen, reproduced, verified_zero
from ams.laws.expected_norm import expected_norm as float_norm
from ams.laws.gaussian import GaussianLaw
from ams.laws.stationary import frozen as float_frozen, solved
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import adaptive, constant, langevin, momentum, momentum_rule
from ams.schedules import Level, annealed_levels

ONE, TWO = GaussianLaw([1.0]), GaussianLaw([1.0, 0.3], mean=[0.2, -1.0])
LEVEL = Level(0, sigma=0.0, step=0.1)


def taken(step, level, algebra=BallLaw):
    """Take a step twice from a standard normal distribution."""
    law = algebra(TWO)
    law.end([(step, level)] * 2, law.start(0.0, 1.0))


WIDE, LIFTED, ADAPTIVE = Ball(arb(1, 0.5)), lifted_level(LEVEL), momentum(momentum_rule(adaptive()))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ball(0.1) * 0.1, TypeError, "where a ball belongs"),
        (lambda: 0.1 + ball(0.1), TypeError, "where a ball belongs"),
        (lambda: ball(0.1) / math.pi, TypeError, "where a ball belongs"),
        (lambda: ball(0.1) < 0.3, TypeError, "where a ball belongs"),
        (lambda: BallLaw(ONE).sqrt(0.1), TypeError, "where a ball belongs"),
        # its step size is a float
        (
            lambda: taken(langevin(), LEVEL),
            TypeError,
            "where a ball belongs",
        ),
        (lambda: taken(langevin(factor=1.1), LIFTED), TypeError, "where a ball belongs"),
        (
            lambda: taken(momentum(momentum_rule(constant(0.9))), LIFTED),
            TypeError,
            "where a ball belongs",
        ),
        (lambda: float(ball(0.1)), TypeError, "a ball is no float"),
        (lambda: math.sqrt(ball(0.1)), TypeError, "a ball is no float"),
        (lambda: Ball(0.1), TypeError, "a ball holds an arb"),
        (
            lambda: BallLaw(ONE).combine((1.0, torch.zeros(1, 4).double())),
            TypeError,
            "columns of balls",
        ),
        (lambda: taken(ADAPTIVE, LEVEL, GivenCoefficients), TypeError, "given doubles"),
        (lambda: BallLaw(GaussianLaw([1.0], multiplicity=1.5)), ValueError, "integers"),
        (lambda: WIDE < 1, Undecided, "overlaps"),
        (lambda: WIDE > 1, Undecided, "overlaps"),
        (lambda: BallLaw(ONE).divide(ball(1.0), Ball(arb(0, 1))), Undecided, "may be 0"),
        (lambda: ends(ball(0.1)), ArithmeticError, "no width"),
        (lambda: ends(Ball(arb(0.1).exp().mid())), ArithmeticError, "no width"),
        (lambda: ends(Ball(arb.nan())), ArithmeticError, "no end"),
        (lambda: ends(Ball(arb(0, "inf"))), ArithmeticError, "no end"),
        (lambda: verified_zero(lambda x: x * x + 1, 0.5), (Undecided, ZeroDivisionError), ""),
        (lambda: frozen(BallLaw(ONE), ball(2.1), ball(0.0)), Undecided, "contract"),
    ],
)
def test_what_is_not_enclosed_is_refused(call, error, match):
    """A float where a ball belongs, what the radius leaves open, a ball without width or end, an
    unstable step.
    """
    with precision(128), pytest.raises(error, match=match or None):
        call()


def test_the_ends_of_a_ball_are_outside_of_it():
    assert WIDE < 2 and WIDE > 0.25
    with precision(200):
        low, high = ends(ball(1.0) / 3)
        assert arb(low) < arb(1) / 3 < arb(high)
    assert math.nextafter(low, 1) == 1 / 3 or math.nextafter(high, 0) == 1 / 3
    assert ends(ball(3.0)) == (3.0, 3.0)


def enclosed_variance(bits, steps=40):
    """Return the enclosure of the first variance of a Langevin run."""
    with precision(bits):
        law = BallLaw(TWO)
        state, _ = law.end([(langevin(), lifted_level(LEVEL))] * steps, law.start(1.0, 4.0))
        return law.moments(state.x)[1][0].value


def test_more_bits_lie_inside_fewer_bits():
    assert enclosed_variance(40).contains(enclosed_variance(200))


def test_newtons_method_encloses_a_root():
    with precision(128):
        root = verified_zero(lambda x: x * x - 2, 1.4142136)
        assert root.value.contains(arb(2).sqrt()) and root.value.rad() < 1e-30


NORM = 1e-12
"""The stated relative error of the expected norm in float64."""
SOLVED = 1e-10
"""That of solved stationary variances (claims G3, A2)."""


def within(value, enclosure, relative):
    """Tell whether a float lies in an enclosure that is widened by its rounding bound."""
    low, high = ends(enclosure)
    room = relative * abs(value)
    return low - room <= value <= high + room


def random_vector(generator):
    """Return means, variances and multiplicities of a Gaussian vector in 1 to 20 directions."""
    directions = int(generator.integers(1, 21))
    variance = np.exp(generator.uniform(-9, 4, directions))
    mean = (
        generator.normal(size=directions)
        * math.exp(generator.uniform(-4, 2))
        * generator.integers(0, 2)
    )
    return mean, variance, generator.integers(1, 4, directions)


def balls_of(vector):
    mean, variance, count = (part.tolist() for part in vector)
    return [arb(m) for m in mean], [arb(v) for v in variance], count


@precision(128)
def test_float_norms_lie_in_their_enclosures():
    generator = np.random.default_rng(33)
    for _ in range(400):
        vector = random_vector(generator)
        value = float_norm(*(torch.as_tensor(part, dtype=torch.float64) for part in vector))
        enclosed = expected_norm(*balls_of(vector), 70)
        assert abs(arb(value) - enclosed) < NORM * value
        assert enclosed.rad() < 1e-18 * value


@precision(128)
def test_float_stationary_laws_lie_in_their_enclosures():
    generator = np.random.default_rng(34)
    for _ in range(600):
        beta = float(generator.uniform(0.0, 0.95))
        u = float(generator.uniform(0.01, 0.95) * 2 / (1 - beta**2))
        variance = math.exp(generator.uniform(-3, 3))
        law = GaussianLaw([variance], multiplicity=float(generator.integers(1, 50)))
        balls = BallLaw(law)
        mean, spread = balls.moments(frozen(balls, ball(u * variance), ball(beta)).x)
        value = law.moments(float_frozen(law, u * variance, beta).x).variance
        assert within(value.item(), spread[0], SOLVED)
        both = (0.0, value, 0.0, law.variance, law.multiplicity)
        # a relative error of v/v' - 1 is that of v over it
        excess = abs(value.item() / variance - 1)
        assert within(gaussian_w2(*both), balls.w2(mean, spread), 2 * SOLVED / excess)
        assert within(gaussian_kl(*both), balls.kl(mean, spread), 4 * SOLVED / excess)


@precision(128)
def test_float_fixed_points_lie_in_their_enclosures():
    generator = np.random.default_rng(35)
    law = GaussianLaw([1.0])
    for u in np.exp(generator.uniform(math.log(1e-4), math.log(0.45), 20)).tolist():
        value = solved(law, momentum_rule(adaptive(1e-6)), u, 1 - 1e-6).beta
        enclosed = reproduced(BallLaw(law), momentum_rule(adaptive(ball(1e-6))), ball(u), value)
        assert within(value, enclosed, SOLVED)
        assert enclosed.value.rad() < 1e-20


def test_a_finer_norm_lies_in_a_coarser_one_and_a_split_direction_changes_nothing():
    generator = np.random.default_rng(36)
    for _ in range(30):
        mean, variance, count = balls_of(random_vector(generator))
        with precision(300):
            coarse, fine = (expected_norm(mean, variance, count, bits) for bits in (30, 220))
            split = expected_norm([*mean, mean[0]], [*variance, variance[0]], [*count, 1], 60)
            whole = expected_norm(mean, variance, [count[0] + 1, *count[1:]], 60)
        if len(mean) > 1:
            assert coarse.contains(fine) and fine.rad() < 1e-60 * float(fine)
        assert split.overlaps(whole)


def test_a_wider_vector_has_a_norm_that_contains_the_narrower_ones():
    with precision(128):
        wide = expected_norm([arb(1, 0.1), arb(0)], [arb(2, 0.5), arb(1)], [1, 2], 60)
        for m in (0.9, 1.1):
            for v in (1.5, 2.5):
                assert wide.contains(expected_norm([arb(m), arb(0)], [arb(v), arb(1)], [1, 2], 60))


TARGET = GaussianLaw([1.0, 0.1, 0.01], mean=[0.5, 0.0, -1.0], multiplicity=[1.0, 2.0, 1.0])
LEVELS = [level for level in annealed_levels(np.geomspace(3.0, 0.1, 8), 5e-4) for _ in range(4)]


def run(bits=128, norm_bits=80):
    """Return the last step of an annealed mean-field run in balls."""
    with precision(bits):
        law = BallLaw(TARGET, norm_bits)
        levels = [lifted_level(level) for level in LEVELS]
        *_, end = run_mean_field(
            law, momentum_rule(adaptive(ball(1e-3))), levels, law.start(0.0, 9.0)
        )
        return end.moments()


def test_a_float_run_lies_in_its_enclosure():
    program = [(momentum(momentum_rule(adaptive(1e-3))), level) for level in LEVELS]
    moments = TARGET.moments(TARGET.end(program, TARGET.start(0.0, 9.0))[0].x)
    with precision(128):
        for values, enclosures in zip(moments, run(), strict=True):
            assert all(
                within(v, e, SOLVED) for v, e in zip(values.tolist(), enclosures, strict=True)
            )
            assert all(e.value.rad() < 1e-12 for e in enclosures)


def contained(fine, coarse):
    return all(
        two.value.contains(one.value)
        for part in zip(fine, coarse, strict=True)
        for one, two in zip(*part, strict=True)
    )


def test_a_run_with_coarse_norms_contains_one_with_fine_norms():
    assert contained(run(200, 120), run(norm_bits=30))
