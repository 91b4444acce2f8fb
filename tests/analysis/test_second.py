"""The second implementation beside this one: that a handicap, a wrong count and a lost digit are
seen.
"""

from dataclasses import replace

from pytest import MonkeyPatch

from ams.samplers import Program
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from analysis.annealed.settings import BASELINE
from analysis.rounding import second
from tests.claims import ROOT, measured, refuted
from verdicts.claims.schema import Profile
from verdicts.records.expected import read_expected
from verdicts.studies import Memory, using

CURVES = ("P2.kl_first", "P2.kl_last", "P2.kl_most", "P2.kl_50", "P2.w2_overtaken", "B1.langevin")


def stored(monkeypatch: MonkeyPatch) -> None:
    """Let the numbers of P2 and B1 that are stored stand for the second implementation's, which
    takes a minute.
    """
    kept = read_expected(ROOT, Profile.CPU)
    assert kept is not None
    checks = {name: check for claim in kept.claims.values() for name, check in claim.checks.items()}
    monkeypatch.setattr(second, "theirs", lambda: {name: checks[name].value for name in CURVES})


def test_a_handicapped_baseline_is_seen(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of S2: the annealed Langevin of this implementation has steps that are 5 % too
    short.
    """
    stored(monkeypatch)
    assert measured("S2.digits").value > 9.0
    assert measured("S2.counts").value == 0.0
    fair = SPECS[BASELINE]

    def handicapped(sigmas: SigmaRange, budget: int, setting: Hyperparameters) -> Program:
        return fair.build(sigmas, budget, setting._replace(factor=0.95 * setting.factor))

    monkeypatch.setitem(SPECS, BASELINE, replace(fair, program=handicapped))
    with using(Memory()):
        assert refuted("S2", "digits", "counts")


def test_a_digit_that_differs_is_counted_and_what_vanishes_is_not() -> None:
    """The difference is relative, but for two numbers that are nothing but rounding."""
    assert second.difference(2.0, 2.0 + 4e-9) > 1.9e-9
    assert second.difference(1e-16, 7e-13) == 0.0
    assert second.difference(0.0, 1e-8) == 1.0
