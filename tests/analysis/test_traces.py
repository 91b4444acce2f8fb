from analysis.traces import checks as release
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict


def test_s1_holds():
    assert verdict_of("S1") is Verdict.HOLDS


def test_a_changed_step_leaves_the_trace(monkeypatch):
    """Falsifier of S1: the corrector's clip of 1e-4 replaced by the annealed form's 1e-2, and the factor dropped."""
    from ams.traces import replay

    monkeypatch.setattr(replay, "momentum_rule", lambda *given, **more: _unboosted(*given, **more))
    assert verdict_of("S1", only="annealed") is Verdict.REFUTED
    assert verdict_of("S1", only="corrected") is Verdict.REFUTED


def _unboosted(*given, **more):
    from ams.samplers import momentum_rule

    return momentum_rule(*given, **more, factor=lambda beta: 1 + beta)


def test_a_missing_trace_is_an_error(monkeypatch, tmp_path):
    import pytest

    monkeypatch.setattr(release, "TRACES", tmp_path)
    with pytest.raises(FileNotFoundError, match="restore it"):
        release.deviations("ncsn_*.npz")
