"""Reading the rule: each claim's verdict, and the break that flips it."""

import pytest
import sympy as sp

from ams.samplers import constant, memoryless, rules, snr_of_momentum
from analysis.proofs import left_over
from analysis.update_rule import checks as reading
from analysis.update_rule import corrector, lag
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("identifier", ["R1", "R2", "R3", "R4", "R5", "P3"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_left_over_counts_what_does_not_vanish():
    x = sp.Symbol("x")
    assert left_over((x + 1) ** 2 - x**2 - 2 * x - 1).value == 0
    assert left_over(x**2 - x).value > 0
    assert left_over(x - x, sp.Integer(3)).value == 1


def test_a_stale_step_breaks_r1(monkeypatch):
    """Falsifier of R1: the ratio forgets A_{t-1}, as if the last move had been the bare momentum."""

    def stale(delta):
        def damping(state, s, algebra):
            change = algebra.combine((1, s), (-1, state.s))
            return 0, algebra.norm(change) / (state.effective_drift * algebra.norm(state.m))

        return damping

    monkeypatch.setattr(reading, "adaptive", lambda delta=0: stale(delta))
    assert verdict_of("R1") is Verdict.REFUTED


def test_an_asymmetric_rule_breaks_r2(monkeypatch):
    """Falsifier of R2: the square is dropped, and with it the symmetry and the sign."""
    monkeypatch.setattr(reading, "critical_momentum", lambda rho: (1 - rho) / (1 + rho))
    monkeypatch.setattr(rules, "critical_momentum", lambda rho: (1 - rho) / (1 + rho))
    assert verdict_of("R2", only="symmetry") is Verdict.REFUTED
    assert verdict_of("R2", only="lower_clip") is Verdict.REFUTED


def test_a_rule_that_sees_the_blow_up_breaks_r2(monkeypatch):
    monkeypatch.setattr(rules, "critical_momentum", lambda rho: 1 / (1 + rho))
    assert verdict_of("R2", only="blow_up") is Verdict.REFUTED


def test_a_corrector_that_remembers_breaks_r3(monkeypatch):
    """Falsifier of R3: the move is stored, as the paper describes."""
    monkeypatch.setattr(reading, "memoryless", lambda step: step)
    assert verdict_of("R3", only="bitwise") is Verdict.REFUTED
    monkeypatch.setattr(reading, "adaptive", lambda delta: constant(sp.Rational(1, 2)))
    assert verdict_of("R3", only="adjacency") is Verdict.REFUTED


def test_noise_in_the_momentum_breaks_r3(monkeypatch):
    def kinetic(rule_of_step):
        def step(state, score, noise, level, algebra):
            s, z = score(state.x, level), noise(state.x)
            m = algebra.combine((sp.Rational(9, 10), state.m), (sp.Rational(1, 10), s), (1, z))
            return state._replace(x=algebra.combine((1, state.x), (level.step, m)), m=m), None

        return step

    monkeypatch.setattr(reading, "momentum", kinetic)
    assert verdict_of("R3", only="noise_outside") is Verdict.REFUTED


def test_a_clip_that_bites_refutes_p3():
    """Falsifier of P3: with deltas up to 0.9 the clip is a hyperparameter, and each part of the claim sees it."""
    settings = quick_settings("rule").model_copy(update={"deltas": (1e-6, 0.9)})
    for part in ("stationary", "annealed", "far_start"):
        assert verdict_of("P3", only=part, settings=settings) is Verdict.REFUTED


def test_forgetful_is_the_library_s_own():
    assert reading.memoryless is memoryless


def test_a_lost_part_breaks_r4(monkeypatch):
    """Falsifier of R4: the corrector's drift is lost, and the parts no longer add up to the score's change."""
    corrector.shares.cache_clear()
    true = corrector.remembering

    def forgetting(step):
        def lossy(*given):
            after, info = true(step)(*given)
            return after._replace(z=after.p), info

        return lossy

    monkeypatch.setattr(corrector, "remembering", forgetting)
    assert verdict_of("R4", only="sum") is Verdict.REFUTED
    corrector.shares.cache_clear()


def test_a_drift_that_decides_breaks_r4(monkeypatch):
    """Steps without the injected noise, a predictor that hardly moves: the ratio then is about the corrector's move."""
    true = corrector.shares
    quiet = [p._replace(shares=(0.9, *p.shares[1:]), foreign=0.1) for p in true(30)]
    monkeypatch.setattr(corrector, "shares", lambda count: quiet)
    for part in ("drift", "foreign"):
        assert verdict_of("R4", only=part) is Verdict.REFUTED


def test_a_present_norm_breaks_r5(monkeypatch):
    """Falsifier of R5: sized by the updated momentum's norm, the control is plain Langevin and gains nothing."""
    for cached in (lag.final_kl, lag.effective_ratio):
        cached.cache_clear()
    true = lag.controls()
    monkeypatch.setattr(lag, "controls", lambda: {**true, "Langevin, lagged norm": true["Langevin"]})
    assert verdict_of("R5", only="control") is Verdict.REFUTED
    for cached in (lag.final_kl, lag.effective_ratio):
        cached.cache_clear()
    monkeypatch.setattr(lag, "snr_of_last_momentum", snr_of_momentum)
    assert verdict_of("R5", only="disguise") is Verdict.REFUTED


def test_a_ratio_that_shrinks_breaks_r5(monkeypatch):
    true = lag.effective_ratio
    monkeypatch.setattr(lag, "effective_ratio", lambda name, count: 1 / true(name, count))
    for part in ("grows", "size", "size_adaptive"):
        assert verdict_of("R5", only=part) is Verdict.REFUTED


def test_figures_are_written(tmp_path):
    drawn = rule.figures(quick_settings("rule"), tmp_path)
    assert [figure.file.name for figure in drawn] == ["rule.svg", "score_change.svg", "lagged_norm.svg"]
    assert all(figure.file.stat().st_size > 10_000 for figure in drawn)
