"""RunOptions of convergence: each claim's verdict, and the break that flips it."""

import sys

import pytest

from ams.metrics import half_line
from ams.samplers import Particles, PerSample, adaptive, langevin, momentum_rule
from ams.samplers.kinetic import baoab
from ams.targets import Gaussian
from analysis.orders import accuracy, laws
from analysis.orders import checks as checks
from analysis.orders import mode_loss as starved
from analysis.orders.settings import Settings
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict

LONGER = Settings(kinetic=0.005, kinetic_nodes=8, particles=5000)


@pytest.fixture
def fresh():
    """Forget the ladders that a broken step made, before and after."""
    cached = (laws.langevin_ladder, laws.averaged_ladder, laws.kinetic_ladder, laws.constant_ladder, laws.coarse_order)
    cached += (laws.adaptive_ladder, laws.adaptive_law, accuracy.momentum_laws)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@pytest.mark.parametrize("identifier", ["B6", "K5", "B5a", "L1"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_moderate_steps_are_not_asymptotic():
    assert verdict_of("B6a", settings=LONGER) is claims()["B6a"].expected


def test_smaller_steps_would_make_b6a_hold(monkeypatch, fresh):
    """Falsifier of the refutation B6a: laws of a step a hundredth as long, where the order is seen."""
    true = laws.frozen_density
    monkeypatch.setattr(laws, "frozen_density", lambda target, a, beta, nodes: true(target, a / 100, beta, 5))
    assert verdict_of("B6a", settings=LONGER) is Verdict.HOLDS


def test_a_fixed_friction_costs_an_order():
    assert verdict_of("K5f", settings=LONGER) is claims()["K5f"].expected


def test_couplings_come_out_as_expected():
    assert verdict_of("B5b", settings=LONGER) is claims()["B5b"].expected


def test_orders_to_the_target_itself_break_b6(monkeypatch, fresh):
    """Falsifier of B6: distances to pi, where the claim says that the limit is a power of it."""
    true = laws.measured
    monkeypatch.setattr(laws, "measured", lambda steps, found, powers: true(steps, found, [1.0] * len(steps)))
    for part in ("constant_w2", "constant_kl", "adaptive_mixture"):
        assert verdict_of("B6", only=part) is Verdict.REFUTED


def test_a_biased_langevin_breaks_b6(monkeypatch, fresh):
    """A drift too long by a hundredth: the law tends to another temperature, and no order is left."""
    monkeypatch.setattr(laws, "langevin", lambda: langevin(factor=1.01))
    for part in ("langevin_w2", "langevin_kl"):
        assert verdict_of("B6", only=part) is not Verdict.HOLDS


def test_another_factor_breaks_the_gaussian_parts_of_b6(monkeypatch):
    """The law of half the damping, in the place of the fixed point."""
    true = checks.gaussian_law

    def halved(size):
        law = true(size)
        return law._replace(beta=law.beta / 2)

    monkeypatch.setattr(checks, "gaussian_law", halved)
    for part in ("adaptive_gaussian", "coefficient"):
        assert verdict_of("B6", only=part) is not Verdict.HOLDS
    monkeypatch.setattr(checks, "gaussian_law", lambda size: true(size)._replace(variance=true(size).variance * 4))
    assert verdict_of("B6", only="adaptive_limit") is not Verdict.HOLDS


def test_a_law_that_nears_the_target_would_break_b6(monkeypatch):
    monkeypatch.setattr(checks, "constant_ladder", lambda settings, beta: laws.langevin_ladder(settings))
    assert verdict_of("B6", only="leave") is Verdict.REFUTED


def test_one_draw_in_place_of_the_average_breaks_k5(monkeypatch, fresh):
    """Falsifier of K5: Langevin's own noise in the place of the mean of two draws."""

    def one_draw(state, score, noise, level, algebra):
        after, info = langevin()(state, score, noise, level, algebra)
        return after._replace(z=state.z), info

    monkeypatch.setattr(laws, "leimkuhler_matthews", one_draw)
    assert verdict_of("K5") is Verdict.REFUTED


def test_no_velocity_kept_breaks_k5f(monkeypatch, fresh):
    """Falsifier of K5f: without a memory the order is Leimkuhler-Matthews'."""
    monkeypatch.setattr(laws, "baoab", lambda kept: baoab(0.0))
    assert verdict_of("K5f", settings=LONGER) is Verdict.REFUTED


def test_a_rule_without_its_factor_starves_nothing(monkeypatch, fresh):
    """Falsifier of B5a: with the drift factor 1 in the place of (1 + beta)^2."""
    plain = lambda beta: 1.0  # noqa: E731
    rule = momentum_rule(adaptive(1e-9), factor=plain)
    true = laws.mean_field

    def uncooled(target, given, size, nodes, resolution):
        return true(target, rule, size, nodes, plain, resolution)

    monkeypatch.setattr(laws, "mean_field", uncooled)
    assert verdict_of("B5a", only="mass") is Verdict.REFUTED


def test_too_few_nodes_are_seen_in_b5a(monkeypatch):
    monkeypatch.setattr(starved, "kept", lambda resolution=0.5: 0.192 + 1e-3 * resolution)
    assert verdict_of("B5a", only="refined") is Verdict.REFUTED


def test_particles_that_share_no_damping_break_b5b(monkeypatch):
    """Falsifier of B5b: the two couplings exchanged."""
    true = starved.share
    exchanged = {Particles: PerSample, PerSample: Particles}
    monkeypatch.setattr(starved, "share", lambda settings, algebra: true(settings, exchanged[type(algebra)]()))
    for part in ("batch", "alone"):
        assert verdict_of("B5b", only=part, settings=LONGER) is Verdict.REFUTED


def test_a_coarse_grid_breaks_l1(monkeypatch, fresh):
    """Falsifier of L1: four nodes of the memory, and nodes in x three deviations of the kernel apart."""
    true = accuracy.stationary

    def coarse(target, step, size, memory=None, near=None, resolution=3.0):
        few = {} if memory is None else {"memory": memory._replace(nodes=4)}
        return true(target, step, size, near=near, resolution=3.0, **few)

    monkeypatch.setattr(accuracy, "stationary", coarse)
    assert verdict_of("L1", only="gaussian") is Verdict.REFUTED
    monkeypatch.setattr(accuracy, "stationary", true)
    monkeypatch.setattr(accuracy, "estimated", lambda *arguments: (coarse(*arguments), 1e-9))
    for part in ("phase", "estimate"):
        assert verdict_of("L1", only=part) is Verdict.REFUTED


def test_another_target_breaks_the_rest_of_l1(monkeypatch):
    """The grids' target a thousandth wider than the exact law's."""
    monkeypatch.setattr(accuracy, "Gaussian", lambda mean, variance: Gaussian(mean, variance * 1.001))
    for part in ("annealed", "mean_field"):
        assert verdict_of("L1", only=part) is Verdict.REFUTED


def test_distances_that_move_break_l1(monkeypatch):
    true = accuracy.position_distances
    monkeypatch.setattr(accuracy, "position_distances", lambda spacing: true(spacing) * (1 + 1e-6 * spacing))
    assert verdict_of("L1", only="position") is Verdict.REFUTED


def test_no_order_is_told_as_an_interval():
    """Where nothing is asymptotic the interval spans the local orders: inconclusive, not an error."""
    steps = [2.0**-k for k in range(5)]
    found = checks.ordered((steps, [1.0, 0.9, 0.4, 0.39, 0.01]))
    assert found.low < 0.1 and found.high > 5.0


def test_figures_are_written(tmp_path):
    drawn = sys.modules["analysis.orders.figures"].figures(quick_settings("orders"), tmp_path)
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)


def test_the_target_has_the_mass_it_should():
    assert half_line(laws.of_power(1.0)) == pytest.approx(0.30910005277926944, abs=1e-12)
