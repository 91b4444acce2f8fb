"""Contraction: each claim's verdict, the change that flips it, and the sums behind the bounds."""

import ast
import inspect
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sympy as sp

from ams.enclosures import Undecided
from ams.laws.contraction import Chain
from ams.laws.symbolic import b, symbolic_step
from ams.samplers import constant, momentum, momentum_rule, unit_factor
from analysis.momentum.closed_forms import contraction
from analysis.momentum.transition import exact_transition
from beyond.contraction import adaptive, checks, enclosed
from beyond.contraction.loop import NOTHING, Loop, summed
from beyond.contraction.settings import Settings
from tests.claims import claims, refuted, verdict_of
from verdicts import Measurement


@pytest.mark.parametrize("claim", [claim.id for claim in claims().of_group("contraction")])
def test_claims_hold(claim):
    assert verdict_of(claim) == "holds"


def test_the_transition_is_that_of_the_step():
    for beta, u in ((0.0, 0.5), (0.4, 0.1), (0.9, 0.01)):
        assert (
            np.abs(Chain(beta, u, 0.1, 1.0).transition(1.0) - exact_transition(u, beta)).max()
            < 1e-12
        )


def test_the_region_ends_where_the_notebook_says():
    for beta in (0.1, 0.4, 0.9):
        edge = 2 * (1 - beta) / (1 + beta) ** 3
        assert (
            Chain(beta, 0.999 * edge, 1e-9, 1.0).rate
            < 1
            < Chain(beta, 1.001 * edge, 1e-9, 1.0).rate
        )
        assert all(Chain(beta, 0.999 * edge, m, 1.0).rate < 1 for m in np.linspace(0.001, 1.0, 500))


def test_no_quadratic_form_is_made_up_where_none_shrinks():
    with pytest.raises(ValueError, match="no quadratic form"):
        _ = Chain(0.9, 0.1, 1e-4, 1.0).metric


@pytest.mark.parametrize(
    ("beta", "step", "form"), [(0.0, 0.5, (1.0, 1.0)), (0.0, 1.95, (1.0, -1.0))]
)
def test_a_form_shrinks_by_the_least_rate_of_langevin(beta, step, form):
    """The notebook's form, on either side of the best step `2 / (L + m)`."""
    chain, q = Chain(beta, step, 0.1, 1.0), 1e-3
    end = chain.smallest if form[1] > 0 else chain.largest
    across = form[1] * q * end / chain.rate
    metric = np.array([[1.0, across], [across, q]])
    excess = [t.T @ metric @ t - chain.rate**2 * metric for t in map(chain.transition, (0.1, 1.0))]
    assert (
        np.linalg.eigvalsh(metric)[0] > 0
        and max(np.linalg.eigvalsh(each)[-1] for each in excess) < 1e-12
    )


def test_no_form_shrinks_by_the_least_rate_at_langevins_best_step():
    """Each form grows by more than its own size allows at an end; the larger the rate, the
    larger q may be.
    """
    chain = Chain(0.0, 2 / 1.1, 0.1, 1.0)
    ends = [chain.transition(curvature) for curvature in (0.1, 1.0)]

    def excess(metric: np.ndarray, rate: float) -> float:
        return max(np.linalg.eigvalsh(end.T @ metric @ end - rate**2 * metric)[-1] for end in ends)

    for q in np.geomspace(1e-6, 1.0, 13):
        for share in np.linspace(-0.99, 0.99, 67):
            across = share * math.sqrt(q)
            assert excess(np.array([[1.0, across], [across, q]]), chain.rate) > 1e-3 * q
    assert excess(np.diag([1.0, 1e-3]), 1.01 * chain.rate) < 0


def test_no_other_form_shrinks_faster():
    """Forms on a grid, at a chain whose disc does not touch the ellipse at a vertex."""
    chain = Chain(0.4, 0.5, 0.01, 1.0)
    ends = [chain.transition(curvature) for curvature in (0.01, 1.0)]
    best = math.inf
    for skew in np.linspace(-0.99, 0.99, 67):
        for size in np.geomspace(0.05, 20.0, 121):
            root = np.linalg.cholesky([[1.0, skew * size], [skew * size, size**2]]).T
            best = min(
                best, max(np.linalg.norm(root @ end @ np.linalg.inv(root), 2) for end in ends)
            )
    assert chain.rate <= best <= chain.rate + 2e-3


def test_a_changed_step_breaks_h1(monkeypatch):
    whole = Chain.transition
    monkeypatch.setattr(Chain, "transition", lambda chain, curvature: whole(chain, 1.1 * curvature))
    assert refuted("H1", "inequality", "gaussian")


def test_a_form_without_room_for_its_rounding_is_not_proved(monkeypatch):
    monkeypatch.setattr(Chain, "_form_rate", Chain.slack_rate)
    assert refuted("H1", "inequality")
    monkeypatch.setattr(Chain, "metric", np.diag([1.0, -1.0]))
    with pytest.raises(Undecided, match="no positive quadratic form"):
        enclosed.violation(Chain(0.4, 0.1, 0.1, 1.0))


def test_a_gaussian_rate_would_break_h1b(monkeypatch):
    monkeypatch.setattr(Chain, "rate", Chain.gaussian_rate)
    assert verdict_of("H1b") == "refuted"
    assert contraction(np.array([1.0, 100.0]) * 0.01, 0.67).max() < 99 / 101


def test_a_forgotten_defect_breaks_h3a(monkeypatch):
    whole = Chain.distance_if_smooth
    monkeypatch.setattr(
        Chain, "distance_if_smooth", lambda chain, *given: whole(chain, *given) / 10
    )
    assert refuted("H3a", "gaussian", "mixture", "uninformative")
    monkeypatch.setattr(Chain, "distance_if_smooth", lambda chain, *_: 100 * chain.step**0.5)
    assert refuted("H3a", "order", "informative")
    with pytest.raises(ValueError, match="no bound of order a"):
        whole(Chain(0.9, 0.1, 0.9, 1.0), 1, 0.0)


def test_another_drift_breaks_h3as_lines(monkeypatch):
    other = momentum(momentum_rule(constant(b), factor=unit_factor))
    monkeypatch.setattr(checks, "symbolic_step", lambda step, state: symbolic_step(other, state))
    assert refuted("H3a", "lines")


def test_a_forgotten_factor_breaks_h4(monkeypatch):
    whole = Chain.error_constant.fget
    monkeypatch.setattr(
        Chain, "error_constant", property(lambda chain: whole(chain) * (1 - chain.beta))
    )
    assert verdict_of("H4") == "refuted"


def test_sums_over_time_are_bounded_within_two_per_cent():
    generator = np.random.default_rng(0)
    matrix, rows = generator.uniform(-0.6, 0.6, (5, 2, 2)), generator.standard_normal((3, 5, 1, 2))
    matrix[0] = np.diag([0.999, 0.5])
    exact, covariance = np.zeros(3), np.tile(np.eye(2), (5, 1, 1))
    bound = summed(matrix, covariance, rows)
    for _ in range(30_000):
        exact += np.sqrt((rows @ covariance @ rows.mT).sum(axis=(1, 2, 3)))
        covariance = matrix @ covariance @ matrix.mT
    assert (exact <= bound * (1 + 1e-8)).all() and (bound <= 1.02 * exact).all()


@pytest.mark.parametrize(
    "sign", [lambda n: 1, lambda n: -1, lambda n: (-1) ** n, lambda n: (-1) ** (n // 7)]
)
def test_what_changed_coefficients_leave_is_within_the_responses(sign):
    """Exact second moments of a kick, and random starts, with the coefficient at an end of its
    range at each step.
    """
    loop, delta = adaptive.log_spaced(1e-3, 10.0), 0.03
    b, rate, lam, growth = (
        loop.beta,
        loop.rate,
        np.array(loop.precisions),
        loop.growth(delta) / loop.rate,
    )
    free, forced, d = loop._free(growth, delta), loop._forced(growth, delta), delta * sign(0)
    own, sums = np.ones((len(lam), 2)), np.zeros(3)
    position = (
        loop.step * lam[:, None] * ((1 + b + d) ** 2 * own + (2 * (1 + b) + d) * loop.matrix[:, 1])
    )
    kick = np.stack([position, own], axis=1)
    left, start = (
        kick @ loop.covariance @ kick.mT,
        np.random.default_rng(0).standard_normal((len(lam), 2, 30)),
    )
    start, moved = start / np.linalg.norm(start, axis=0), left[:, 0, 0]
    for n in range(1, 3000):
        score, momentum, move = (
            math.sqrt(each.sum()) for each in (left[:, 0, 0], left[:, 1, 1], moved)
        )
        sums += np.array([score, momentum, move + loop.ratio * momentum]) / rate**n
        step, drift = (
            loop.transition(b + delta * sign(n)),
            loop.step * lam * (1 + b + delta * sign(n)) ** 2,
        )
        left, start = step @ left @ step.mT, step @ start
        score, momentum, move = np.linalg.norm(
            [*start.swapaxes(0, 1), drift[:, None] * start[:, 1]], axis=1
        )
        assert (
            np.stack([score, momentum, move + loop.ratio * momentum], 1) <= free * rate**n
        ).all()
        moved = drift**2 * left[:, 1, 1]
    assert (sums <= forced).all() and (forced <= 2 * sums).all()


@pytest.mark.parametrize("line", ["momentum_rule", "transition"])
def test_a_change_in_any_line_is_left_over(monkeypatch, line):
    changed = {
        "momentum_rule": lambda rule: momentum_rule(rule, factor=unit_factor),
        "transition": lambda *_: sp.eye(2),
    }
    monkeypatch.setattr(adaptive, line, changed[line])
    assert adaptive.terms_left_of_the_difference().value > 0


def test_a_search_finds_no_larger_gain_near_the_farthest_spectra():
    generator, known = np.random.default_rng(1), adaptive.largest_gain(Settings(spectra=1)).value
    for decades, count in adaptive.FARTHEST * 10:
        moved = np.append(0.0, decades[1:] + generator.uniform(-0.3, 0.3, len(decades) - 1))
        others = tuple(np.array(count) * generator.uniform(0.5, 2.0, len(count)))
        assert Loop(adaptive.MOST, tuple(10**-moved), 0.0, others).gain < known + 0.02


def test_a_check_without_bounds_is_no_evidence():
    with pytest.raises(ArithmeticError, match="the theorem shows nothing"):
        adaptive._share(adaptive.log_spaced(0.1, 10.0, 0.0), np.random.default_rng(0), 10)


def test_gains_above_one_give_no_bounds():
    assert adaptive.log_spaced(0.1, 10.0, 0.0).gain > 1
    assert adaptive.log_spaced(0.1, 10.0, 0.0).bounds == NOTHING


def test_a_direction_that_oscillates_is_refused():
    with pytest.raises(ValueError, match="a direction oscillates"):
        Loop(0.9, (1.0,))


def test_a_smaller_slope_breaks_h2(monkeypatch):
    monkeypatch.setattr(Loop, "_slope", lambda loop, moved: 0.03)
    assert refuted("H2", "bounds")


def test_a_growth_without_its_first_order_breaks_h2(monkeypatch):
    whole = Loop.growth
    monkeypatch.setattr(
        Loop,
        "growth",
        lambda loop, delta: whole(loop, 0.0) + (whole(loop, delta) - whole(loop, 0.0)) / 2,
    )
    assert adaptive.largest_share_of_the_growth(Settings(spectra=5)).value > 1.1


PROOFS = (
    checks.terms_left_of_the_identities,
    checks.terms_left_of_the_region,
    checks.terms_left_of_the_comparison_with_langevin,
    adaptive.terms_left_of_the_difference,
    checks.terms_left_of_the_moved_chain,
)


def broken(proof: Callable[[], Measurement]) -> Iterator[float]:
    """Yield the terms left with the outermost sign of each line, in turn, changed."""
    tree = ast.parse(inspect.getsource(proof))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef) and isinstance(function.body[-1], ast.Return)
    lines = function.body[-1].value
    assert isinstance(lines, ast.Call)
    for line in lines.args:
        nodes = (node for node in ast.walk(line) if isinstance(node, ast.BinOp))
        outermost = next(node for node in nodes if isinstance(node.op, ast.Add | ast.Sub))
        sign = outermost.op
        outermost.op = ast.Sub() if isinstance(sign, ast.Add) else ast.Add()
        module = dict(vars(inspect.getmodule(proof)))
        exec(compile(tree, "changed", "exec"), module)
        yield module[proof.__name__]().value
        outermost.op = sign


@pytest.mark.parametrize("proof", PROOFS)
def test_another_sign_breaks_each_line(proof: Callable[[], Measurement]) -> None:
    assert proof().value == 0
    values = list(broken(proof))
    assert len(values) > 1 and min(values) > 0
