"""Proofs: what remains of an identity, and numbers in balls, which can prove nothing but what
the exact law gives.
"""

from typing import NamedTuple

import pytest
import sympy as sp

from ams.enclosures import Undecided
from analysis.annealed import enclosed as annealed
from analysis.annealed.nfe_to_threshold import KL, SpeedUp
from analysis.annealed.settings import Settings
from analysis.momentum import enclosed as momentum
from analysis.proofs import Expression, left_over
from tests.claims import _group, claims, quick_settings
from verdicts import Measurement
from verdicts.run.checks import Checks
from verdicts.studies import cell

B = sp.Symbol("b", positive=True)


def test_left_over_counts_what_does_not_vanish() -> None:
    x = sp.Symbol("x")
    assert left_over((x + 1) ** 2 - x**2 - 2 * x - 1).value == 0
    assert left_over(sp.sqrt(x**2 + 2 * x + 1) - sp.sqrt((x + 1) ** 2)).value == 0
    assert left_over(x**2 - x).value > 0 and left_over(x - x, sp.Integer(3)).value == 1


class Pair(NamedTuple):
    matrix: Expression
    root: Expression


@cell
def derived() -> Pair:
    return Pair(sp.Matrix([[B, 1 / B], [sp.Rational(1, 3), 0]]), sp.sqrt(B**2 - B))


def test_expressions_are_read_back_with_their_assumptions() -> None:
    read = derived.decode(derived.encode(derived.wrapped()))
    assert read.matrix == derived.wrapped().matrix and read.root == derived.wrapped().root
    assert all(symbol.is_positive for symbol in read.matrix.free_symbols)


GROUPS = ("adaptive", "contraction", "momentum")
PROVED = [
    check
    for group in GROUPS
    for claim in claims().of_group(group)
    for check in claim.check
    if check.enclosed
]


@pytest.mark.parametrize("check", PROVED, ids=lambda check: check.id)
def test_a_number_is_proved(check):
    group = claims().claim_of(check.id).group
    measured = Checks(_group(group), quick_settings(group)).measured(check)
    proof = measured.enclosure
    assert proof and proof.bits >= 128 and proof.seconds > 0.0
    assert proof.high - proof.low <= max(1e-9 * abs(measured.value), 1e-15)


def test_at_least_forty_seven_checks_are_proved():
    assert (
        sum(check.enclosed is not None for claim in claims().claim for check in claim.check) >= 47
    )


def test_a_speed_up_is_proved_between_two_budgets_and_no_other_is():
    settings = Settings()
    annealed.prove(KL, settings, SpeedUp(20, 1.25, 1.25))
    for other in (1.0, 1.5):
        with pytest.raises(Undecided, match="enough"):
            annealed.prove(KL, settings, SpeedUp(20, other, other))


def test_a_number_that_moved_is_not_proved(monkeypatch):
    check = next(each for each in PROVED if each.id == "G5.w2")
    proof = momentum.limiting_w2
    monkeypatch.setattr(
        momentum, "limiting_w2", lambda settings: proof(settings).model_copy(update={"value": 0.4})
    )
    with pytest.raises(ValueError, match="not that of its proof"):
        Checks(_group("momentum"), quick_settings("momentum")).measured(check)


def test_without_a_proof_the_number_stands_alone(monkeypatch):
    check = next(each for each in PROVED if each.id == "G5.w2")
    monkeypatch.setattr(momentum, "limiting_w2", lambda settings: None)
    measured = Checks(_group("momentum"), quick_settings("momentum")).measured(check)
    assert isinstance(measured, Measurement) and measured.enclosure is None
