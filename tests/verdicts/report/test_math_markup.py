"""Formulas found in the plain text of quantities, and only there."""

import pytest

from tests.verdicts.toy import REPOSITORY
from verdicts.claims.loading import load_claims
from verdicts.report.blocks import pieces
from verdicts.report.math_markup import spelled
from verdicts.report.typeset import typeset


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("rho_1 minus a/(a + eps)", r"$\rho_{1}$ minus a/(a + $\epsilon$)"),
        ("E|s_t - s_{t-1}|^2", "E|$s_{t}$ - $s_{t-1}$|${}^{2}$"),
        ("(1 - sqrt b)^4 lam Var x", r"(1 - $\sqrt{b}$)${}^{4}$ $\lambda$ Var x"),
        ("1 - r ~ kappa^-p", r"1 - r ~ $\kappa^{-p}$"),
        ("W2 to pi^c as u -> 0", r"$W_2$ to $\pi^{c}$ as u → 0"),
        ("sqrt kappa <= 3", r"$\sqrt{\kappa}$ ≤ 3"),
    ],
)
def test_formulas_are_marked(plain, marked):
    assert spelled(plain) == marked


@pytest.mark.parametrize("text", ["community_small, 100 steps", "`beta_1` and $x^2$", "float32 to float64", "epsilons"])
def test_words_code_and_formulas_stay(text):
    assert spelled(text) == text


def test_every_quantity_is_set_by_both_documents():
    for claim in load_claims(REPOSITORY).claim:
        for check in claim.check:
            marked = spelled(check.quantity)
            unread = "<code>" in typeset(marked) or any("code" in piece for piece in pieces(marked))
            assert unread == ("`" in check.quantity), check.id
