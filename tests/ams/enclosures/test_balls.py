"""What must not enter ball arithmetic is refused, and a rounding that is lost is noticed."""

import math

import pytest
import torch
from flint import arb

from ams.enclosures import Ball, BallLaw, GivenCoefficients, Undecided, ball, ends, lifted_level, precision
from ams.enclosures.stationary import frozen, verified_zero
from ams.laws.gaussian import GaussianLaw
from ams.samplers import adaptive, constant, langevin, momentum, momentum_rule
from ams.schedules import Level

ONE, TWO = GaussianLaw([1.0]), GaussianLaw([1.0, 0.3], mean=[0.2, -1.0])
LEVEL = Level(0, sigma=0.0, step=0.1)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda: ball(0.1) * 0.1,
        lambda: 0.1 + ball(0.1),
        lambda: ball(0.1) / math.pi,
        lambda: ball(0.1) < 0.3,
        lambda: float(ball(0.1)),
        lambda: math.sqrt(ball(0.1)),
        lambda: Ball(0.1),
        lambda: BallLaw(ONE).sqrt(0.1),
    ],
)
def test_a_float_where_a_ball_belongs_is_refused(mixed):
    with pytest.raises(TypeError):
        mixed()


@pytest.mark.parametrize(
    ("step", "level"),
    [
        (langevin(), LEVEL),  # its step size is a float
        (langevin(factor=1.1), lifted_level(LEVEL)),
        (momentum(momentum_rule(constant(0.9))), lifted_level(LEVEL)),
    ],
)
def test_a_step_with_a_float_parameter_is_refused(step, level):
    law = BallLaw(ONE)
    with pytest.raises(TypeError, match="stands where a ball belongs"):
        law.end([(step, level)] * 2, law.start(0.0, 1.0))


def test_a_vector_of_another_algebra_is_refused():
    law = BallLaw(ONE)
    x = law.start(0.0, 1.0).x
    with pytest.raises(TypeError, match="columns of balls"):
        law.combine((1.0, x), (1.0, torch.zeros(1, 4, dtype=torch.float64)))


def test_given_coefficients_have_no_norm():
    law = GivenCoefficients(TWO)
    with pytest.raises(TypeError, match="given doubles"):
        law.end([(momentum(momentum_rule(adaptive())), LEVEL)] * 2, law.start(0.0, 1.0))


def test_what_the_radius_leaves_open_is_undecided():
    wide = Ball(arb(1, 0.5))
    for comparison in (lambda: wide < 1, lambda: wide > 1):
        with pytest.raises(Undecided):
            comparison()
    assert wide < 2 and wide > 0.25
    with pytest.raises(Undecided, match="may be 0"):
        BallLaw(ONE).divide(ball(1.0), Ball(arb(0, 1)))


def test_the_ends_of_a_ball_are_outside_of_it():
    with precision(200):
        low, high = ends(ball(1.0) / 3)
        assert arb(low) < arb(1) / 3 < arb(high)
    assert math.nextafter(low, 1) == 1 / 3 or math.nextafter(high, 0) == 1 / 3
    assert ends(ball(3.0)) == (3.0, 3.0)


@pytest.mark.parametrize("number", [ball(0.1), Ball(arb(0.1).exp().mid()), Ball(arb.nan()), Ball(arb(0, "inf"))])
def test_a_ball_without_width_or_without_end_is_no_enclosure(number):
    with pytest.raises(ArithmeticError):
        ends(number)


def enclosed_variance(bits, steps=40):
    """Return the enclosure of the first variance of a Langevin run."""
    with precision(bits):
        law = BallLaw(TWO)
        state, _ = law.end([(langevin(), lifted_level(LEVEL))] * steps, law.start(1.0, 4.0))
        return law.moments(state.x)[1][0].value


def test_more_bits_lie_inside_fewer_bits():
    assert enclosed_variance(40).contains(enclosed_variance(200))


def test_a_lost_rounding_is_caught(monkeypatch):
    whole = BallLaw.carry

    def middle(column):
        return [arb(each).mid() for each in column]

    def middles(law, mean, covariance):
        whole(law, [middle(column) for column in mean], [[middle(column) for column in row] for row in covariance])

    monkeypatch.setattr(BallLaw, "carry", middles)
    assert not enclosed_variance(40).contains(enclosed_variance(200))


def test_newtons_method_refuses_a_function_without_zero_and_an_unstable_step():
    with precision(128):
        root = verified_zero(lambda x: x * x - 2, 1.4142136)
        assert root.value.contains(arb(2).sqrt()) and root.value.rad() < 1e-30
        with pytest.raises((Undecided, ZeroDivisionError)):
            verified_zero(lambda x: x * x + 1, 0.5)
        with pytest.raises(Undecided, match="contract"):
            frozen(BallLaw(ONE), ball(2.1), ball(0.0))
