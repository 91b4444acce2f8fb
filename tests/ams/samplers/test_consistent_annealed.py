"""Consistent annealed sampling: the point target that it is consistent on, its neighbours, its range."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ams.laws import GaussianLaw
from ams.samplers import affine, ancestral, consistent, flow_euler, one_step_per_level
from ams.schedules import VP, Level, geometric_sigmas, linked, process_levels, ve_levels

POINT, AT = 1e-24, 0.7


@given(gamma=st.floats(0.1, 0.95), within=st.floats(-0.99, 0.99), count=st.integers(2, 8))
@settings(deadline=None, max_examples=60)
def test_a_point_target_keeps_each_levels_variance(gamma: float, within: float, count: int) -> None:
    """For any eta in the range, from the first level's own law: what the method is named for."""
    levels = ve_levels([2.0 * gamma**i for i in range(count)])
    law = GaussianLaw([POINT], [AT])
    state, _ = law.end(one_step_per_level(affine(consistent(1.0 + within * gamma)), levels), law.start(AT, 4.0))
    found = law.moments(state.x)
    assert found.variance.item() == pytest.approx(levels[-1].sigma ** 2, rel=1e-10)
    assert found.mean.item() == pytest.approx(AT, rel=1e-10)


@pytest.mark.parametrize("levels", [ve_levels([2.0, 0.5]), process_levels(VP(), 2, 0.3, 0.6)])
def test_its_neighbours_are_the_ancestral_move_and_eulers(levels: list[Level]) -> None:
    """At `eta = 1 - g'^2` DDPM, towards the lower end of the range the probability flow."""
    gamma = levels[1].sigma / levels[1].scale / (levels[0].sigma / levels[0].scale)
    assert consistent(1 - gamma**2)(levels[0]) == pytest.approx(ancestral(levels[0]), rel=1e-12)
    nearly = consistent(1 - gamma * (1 - 1e-12))(levels[0])
    assert nearly == pytest.approx(flow_euler(levels[0]), rel=1e-10, abs=1e-5)


def test_the_published_update() -> None:
    """`x + eta sigma_i^2 s + sigma_{i+1} sqrt(1 - ((1 - eta) / g')^2) z`."""
    level = ve_levels([2.0, 1.5])[0]
    move = consistent(0.6)(level)
    assert move == pytest.approx((1.0, 0.6 * 4.0, 1.5 * math.sqrt(1 - (0.4 / 0.75) ** 2)), rel=1e-13)


@pytest.mark.parametrize("eta", [0.25, 1.75, 0.1, 2.0, math.nan])
def test_outside_the_range_nothing_is_consistent(eta: float) -> None:
    level = linked([Level(4, sigma=2.0), Level(5, sigma=1.5)])[0]
    with pytest.raises(ValueError, match=r"level 4: eta is .*, consistent only between 0.25 and 1.75"):
        consistent(eta)(level)


def test_no_noise_at_the_end() -> None:
    """Where the next level is noiseless, any eta will do and nothing is drawn; after it there is no level."""
    level = ve_levels([0.5, 0.0])[0]
    assert consistent(0.3)(level) == (1.0, 0.3 * 0.25, 0.0)
    with pytest.raises(ValueError, match="is the last"):
        consistent(0.3)(level.next)


def test_another_noise_leaves_the_point_target() -> None:
    """The falsifier: the noise of plain annealed Langevin, `sqrt(2 eta) sigma`, is not consistent."""
    levels = ve_levels(geometric_sigmas(2.0, 0.5, 6))
    law = GaussianLaw([POINT], [AT])
    heated = lambda level: consistent(0.8)(level)._replace(r=math.sqrt(1.6) * level.sigma)  # noqa: E731
    state, _ = law.end(one_step_per_level(affine(heated), levels), law.start(AT, 4.0))
    assert law.moments(state.x).variance.item() > 1.5 * levels[-1].sigma ** 2
