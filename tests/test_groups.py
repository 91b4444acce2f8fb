"""What holds of every group: the texts of its claims are short, its settings fit each
configuration.

What a reader meets first is short: titles, statements and conditions. No size is negative or, where
something is needed, empty.
"""

import pytest
from pydantic import ValidationError

from analysis.adaptive import convergence
from tests.claims import BOTH_SIDES, ROOT, claims, one_sided, upheld
from verdicts.claims.loading import load_config
from verdicts.claims.schema import Profile
from verdicts.run.checks import settings_class

CLAIMS = claims()
GROUPS = {group.id: group for group in CLAIMS.group}
MAY_BE_ZERO = {"development", "held_out", "networks", "enclosed", "more", "past", "fresh"}
MAY_BE_EMPTY = {
    "line_tuned",
    "line_tuned_long",
    "every_long",
    "compared",
    "compared_long",
    "elsewhere",
    "tabulated",
    "drawn",
    "lasting",
    "shown",
    "once",
    "paces",
    "networks",
    "also",
    "problems",
}
LATER = {"digits", "mnist", "learned", "pretrained"}
"""Groups whose lists may be empty: what is not listed there is not run."""


def refused(group: str, field: str, value: object) -> bool:
    try:
        settings_class(GROUPS[group]).model_validate({field: value})
    except ValidationError as error:
        return error.errors()[0]["loc"][0] == field
    return False


@pytest.mark.parametrize("claim", CLAIMS.claim, ids=lambda claim: claim.id)
def test_the_texts_of_a_claim_are_short(claim):
    assert len(claim.title) <= 60
    assert len(claim.statement.split()) <= 40
    assert all(len(condition.split()) <= 25 for condition in claim.conditions)


def test_a_falsifier_of_a_refutation_sees_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that holds already, one that nothing alters, and a number that is scaled are each
    told.
    """
    node = next(claim.falsifier for claim in CLAIMS.claim if claim.id == "P1b")
    assert one_sided(node) == ["P1b"] and one_sided(f"{node}_else") == []
    with pytest.raises(AssertionError, match="A2 as it is"), upheld("A2"):
        pass
    with pytest.raises(AssertionError, match="P1b altered"), upheld("P1b"):
        pass
    with pytest.raises(AssertionError, match="what measures is replaced"), upheld("P1b"):
        monkeypatch.setattr(convergence, "bias", lambda u, beta=None: 0.0)
    assert one_sided(node) == ["P1b"]
    BOTH_SIDES.add("P1b")
    assert one_sided(node) == []


@pytest.mark.parametrize("profile", Profile)
def test_the_settings_of_every_profile_fit_their_groups(profile):
    config = load_config(ROOT, profile, CLAIMS)
    for name, group in GROUPS.items():
        settings_class(group).model_validate(config.settings_of(name))


@pytest.mark.parametrize("group", GROUPS)
def test_no_count_is_negative_and_no_list_that_is_needed_is_empty(group):
    for field, value in settings_class(GROUPS[group])():
        if type(value) is int:
            assert refused(group, field, -3), field
            assert "seed" in field or field in MAY_BE_ZERO or refused(group, field, 0), field
        if isinstance(value, tuple):
            assert field in MAY_BE_EMPTY or group in LATER or refused(group, field, ()), field
            if value and type(value[0]) is int:
                assert refused(group, field, (*value[1:], -4)), field
