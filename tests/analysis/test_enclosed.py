"""Proofs of the claims' numbers: each agrees with the exact law in float64, and cannot prove anything else."""

import pytest

from ams.enclosures import Undecided
from analysis.annealed import enclosed as annealed
from analysis.annealed.nfe_to_threshold import KL, SpeedUp
from analysis.annealed.settings import Settings
from analysis.momentum import enclosed as momentum
from tests.claims import _group, claims, quick_settings
from verdicts import Measurement
from verdicts.run.checks import Checks

GROUPS = ("adaptive", "contraction", "momentum")
PROVED = [check for group in GROUPS for claim in claims().of_group(group) for check in claim.check if check.enclosed]


@pytest.mark.parametrize("check", PROVED, ids=lambda check: check.id)
def test_a_number_is_proved(check):
    group = claims().claim_of(check.id).group
    measured = Checks(_group(group), quick_settings(group)).measured(check)
    proof = measured.enclosure
    assert proof and proof.bits >= 128 and proof.seconds > 0.0
    assert proof.high - proof.low <= max(1e-9 * abs(measured.value), 1e-15)


def test_at_least_sixty_checks_are_proved():
    assert sum(check.enclosed is not None for claim in claims().claim for check in claim.check) >= 60


def test_a_speed_up_is_proved_between_two_budgets_and_no_other_is():
    settings = Settings()
    annealed.prove(KL, settings, SpeedUp(20, 1.25, 1.25))
    for other in (1.0, 1.5):
        with pytest.raises(Undecided, match="enough"):
            annealed.prove(KL, settings, SpeedUp(20, other, other))


def test_a_number_that_moved_is_not_proved(monkeypatch):
    check = next(each for each in PROVED if each.id == "G5.w2")
    proof = momentum.limiting_w2
    monkeypatch.setattr(momentum, "limiting_w2", lambda settings: proof(settings).model_copy(update={"value": 0.4}))
    with pytest.raises(ValueError, match="not that of its proof"):
        Checks(_group("momentum"), quick_settings("momentum")).measured(check)


def test_without_a_proof_the_number_stands_alone(monkeypatch):
    check = next(each for each in PROVED if each.id == "G5.w2")
    monkeypatch.setattr(momentum, "limiting_w2", lambda settings: None)
    measured = Checks(_group("momentum"), quick_settings("momentum")).measured(check)
    assert isinstance(measured, Measurement) and measured.enclosure is None
