"""Settings of every group: each configuration fits; no size is negative or, where something is needed, empty."""

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError

from verdicts.claims.loading import load_claims, load_config
from verdicts.claims.schema import Profile

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = load_claims(ROOT)
MODULES = {group.id: group.module for group in CLAIMS.group}
MAY_BE_EMPTY = {"tabulated", "drawn", "lasting", "once", "paces", "networks", "also"}
LATER = {"digits", "mnist", "network", "pretrained", "denoiser"}
"""Groups whose lists may be empty: what is not listed there is not run."""


def refused(group: str, field: str, value: object) -> bool:
    try:
        import_module(MODULES[group]).Settings.model_validate({field: value})
    except ValidationError as error:
        return error.errors()[0]["loc"][0] == field
    return False


@pytest.mark.parametrize("profile", Profile)
def test_the_settings_of_every_profile_fit_their_groups(profile):
    config = load_config(ROOT, profile, CLAIMS)
    for group in CLAIMS.group:
        import_module(group.module).Settings.model_validate(config.settings_of(group.id))


@pytest.mark.parametrize("group", MODULES)
def test_no_count_is_negative_and_no_list_that_is_needed_is_empty(group):
    for field, value in import_module(MODULES[group]).Settings():
        if type(value) is int:
            assert refused(group, field, -3), field
            assert "seed" in field or field in ("development", "held_out", "past") or refused(group, field, 0), field
        if isinstance(value, tuple):
            assert field in MAY_BE_EMPTY or group in LATER or refused(group, field, ()), field
            if value and type(value[0]) is int:
                assert refused(group, field, (*value[1:], -4)), field
