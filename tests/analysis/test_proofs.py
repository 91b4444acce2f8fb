"""Proofs: what remains of an identity, and numbers in balls, which can prove nothing but what
the exact law gives.
"""

from typing import NamedTuple

import pytest
import sympy as sp

from ams.enclosures import Undecided
from analysis.annealed import enclosed as annealed, study
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
    table = study.table(Settings())
    annealed.prove(table, "kl", 20, 1.25, 1.25)
    for other in (1.0, 1.5):
        with pytest.raises(Undecided, match="enough"):
            annealed.prove(table, "kl", 20, other, other)


def test_what_decides_a_number_is_proved_up_to_the_largest_budget_asked_for():
    table, pair = study.table(Settings()), ("annealed Langevin", "adaptive momentum")
    asked = {"number": "kl", "sampler": pair, "spacing": 5}
    first = Measurement(value=25.0, detail={"budget": [25, 20]})
    proof = annealed.speed_up(first, table, Settings(), **asked)
    assert proof and (proof.value, proof.detail["proved_at"]) == (25.0, [20, 25])
    assert annealed.speed_up(first, table, Settings(enclosed=20), **asked) is None
    with pytest.raises(Undecided, match="the least KL is not at 25"):
        annealed.budget_of_least_kl(Measurement(value=25.0, detail={"budget": 25}), Settings())


def test_a_proof_is_told_what_was_measured():
    """It proves the KL at the budget at which the query found the least."""
    check = next(
        each
        for claim in claims().of_group("annealed")
        for each in claim.check
        if each.id == "B1.minimum"
    )
    settings = quick_settings("annealed").model_copy(update={"every": (20, 25), "enclosed": 25})
    asked = check.model_copy(
        update={"arguments": {**check.arguments, "over": {"budget": [20, 25]}}}
    )
    measured = Checks(_group("annealed"), settings).measured(asked)
    assert measured.detail["budget"] == 25 and measured.enclosure and measured.enclosure.bits >= 128


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
