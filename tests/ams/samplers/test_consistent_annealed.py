"""Consistent annealed sampling: consistent on a point target, its special cases, its range."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from ams.laws import GaussianLaw
from ams.samplers import affine, ancestral, consistent, flow_euler, one_step_per_level
from ams.schedules import VP, Level, geometric_sigmas, linked, process_levels, ve_levels
from tests.ams.tools import moments_at_end

POINT, AT = 1e-24, 0.7


@given(gamma=st.floats(0.1, 0.95), within=st.floats(-0.99, 0.99), count=st.integers(2, 8))
@settings(deadline=None, max_examples=40)
def test_a_point_target_has_the_variance_of_each_level(gamma: float, within: float, count: int) -> None:
    """For any eta in the range, from the distribution at the first noise level."""
    levels, law = ve_levels([2.0 * gamma**i for i in range(count)]), GaussianLaw([POINT], [AT])
    program = one_step_per_level(affine(consistent(1.0 + within * gamma)), levels)
    end = moments_at_end(law, program, law.start(AT, 4.0))
    assert end.variance.item() == pytest.approx(levels[-1].sigma ** 2, rel=1e-10)
    assert end.mean.item() == pytest.approx(AT, rel=1e-10)


@pytest.mark.parametrize("levels", [ve_levels([2.0, 0.5]), process_levels(VP(), 2, 0.3, 0.6)])
def test_its_special_cases_are_ancestral_and_euler(levels: list[Level]) -> None:
    """DDPM at `eta = 1 - g'^2`, the probability flow at the lower end of the range."""
    gamma = levels[1].sigma / levels[1].scale / (levels[0].sigma / levels[0].scale)
    assert consistent(1 - gamma**2)(levels[0]) == pytest.approx(ancestral(levels[0]), rel=1e-12)
    nearly = consistent(1 - gamma * (1 - 1e-12))(levels[0])
    assert nearly == pytest.approx(flow_euler(levels[0]), rel=1e-10, abs=1e-5)


def test_the_published_update() -> None:
    """`x + eta sigma_i^2 s + sigma_{i+1} sqrt(1 - ((1 - eta) / g')^2) z`."""
    transition = consistent(0.6)(ve_levels([2.0, 1.5])[0])
    assert transition == pytest.approx((1.0, 0.6 * 4.0, 1.5 * math.sqrt(1 - (0.4 / 0.75) ** 2)), rel=1e-13)


@pytest.mark.parametrize("eta", [0.25, 1.75, 0.1, 2.0, math.nan])
def test_outside_the_range_it_is_refused(eta: float) -> None:
    level = linked([Level(4, sigma=2.0), Level(5, sigma=1.5)])[0]
    with pytest.raises(ValueError, match=r"noise level 4: eta is .*, expected between 0.25 and 1.75"):
        consistent(eta)(level)


def test_there_is_no_noise_at_the_end() -> None:
    """At a next sigma of 0 any eta is allowed and nothing is drawn; there is no step from the last noise level."""
    level = ve_levels([0.5, 0.0])[0]
    assert consistent(0.3)(level) == (1.0, 0.3 * 0.25, 0.0)
    with pytest.raises(ValueError, match="is the last"):
        consistent(0.3)(level.next)


def test_another_noise_is_not_consistent() -> None:
    """The falsifier: the noise of annealed Langevin, `sqrt(2 eta) sigma`."""
    levels, law = ve_levels(geometric_sigmas(2.0, 0.5, 6)), GaussianLaw([POINT], [AT])
    wrong = affine(lambda level: consistent(0.8)(level)._replace(r=math.sqrt(1.6) * level.sigma))
    end = moments_at_end(law, one_step_per_level(wrong, levels), law.start(AT, 4.0))
    assert end.variance.item() > 1.5 * levels[-1].sigma ** 2
