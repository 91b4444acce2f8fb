"""What a reader meets first is short: titles, statements and conditions of all claims."""

import pytest

from tests.claims import claims

CLAIMS = {claim.id: claim for claim in claims().claim}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_title_has_at_most_60_characters(claim):
    assert len(CLAIMS[claim].title) <= 60


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_statement_has_at_most_40_words(claim):
    assert len(CLAIMS[claim].statement.split()) <= 40


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_condition_has_at_most_25_words(claim):
    assert all(len(condition.split()) <= 25 for condition in CLAIMS[claim].conditions)
