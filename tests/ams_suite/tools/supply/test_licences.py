"""A licence is read off metadata as an SPDX expression, and allowed or named with what is wrong."""

from email.message import Message
from pathlib import Path

import pytest

from ams_suite.lock import LOCK, names
from ams_suite.tools.supply.licences import Policy, installed, judged, licence_of, permitted
from verdicts.errors import UserError

POLICY = Policy.read()
ALLOWED = frozenset({"MIT", "Apache-2.0"})


class Made:
    """A distribution with this metadata."""

    version = "1.0"

    def __init__(self, **fields: str | list[str]) -> None:
        self.metadata = Message()
        for name, values in ({"Name": "made"} | fields).items():
            for value in [values] if isinstance(values, str) else values:
                self.metadata[name.replace("_", "-")] = value


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", True),
        ("(MIT AND GPL-3.0-only) OR ISC", False),
        ("Apache-2.0 WITH LLVM-exception AND MIT", True),
        ("(Apache-2.0 WITH LLVM-exception)", True),
        ("MIT OR GPL-2.0-only AND ISC", True),  # AND binds more
    ],
)
def test_an_expression_is_met_or_not(expression: str, fits: bool) -> None:
    assert permitted(expression, ALLOWED) is fits


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "mit and BSD-3-Clause", "License": "GPL"}, "MIT AND BSD-3-Clause"),
        ({"License": "BSD 3-Clause License\n\nCopyright"}, "BSD-3-Clause"),
        ({"License": "Copyright of many words", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved"}, None),
        (
            {"Classifier": ["License :: OSI Approved :: BSD License", "License :: OSI Approved :: MIT License"]},
            "LicenseRef-BSD AND MIT",
        ),
        ({"Classifier": ["License :: OSI Approved :: MIT License", "License :: Other :: Own"]}, None),
        ({}, None),
        ({"Name": "Conda.Inject"}, "MIT"),
    ],
)
def test_the_most_exact_field_that_is_understood_counts(fields, licence: str | None) -> None:
    found = licence_of(Made(**fields), POLICY)
    assert found == licence or set(found.split(" AND ")) == set(licence.split(" AND "))


def test_what_is_unknown_or_not_allowed_is_named() -> None:
    assert judged(Made(License="MIT"), POLICY).problem == ""
    assert judged(Made(License_Expression="AGPL-3.0-only"), POLICY).problem == "AGPL-3.0-only is not allowed"
    assert judged(Made(License="Own words"), POLICY).problem == "unknown licence: its metadata says Own words"
    assert "says nothing" in judged(Made(), POLICY).problem
    assert judged(Made(Name="docutils"), POLICY).problem == ""  # by its exception
    assert "GPL-3.0-or-later" not in POLICY.allowed


def test_every_pinned_distribution_that_is_installed_has_an_allowed_licence() -> None:
    found = [judged(each, POLICY) for each in installed(names(LOCK.read_text()))]
    assert len(found) > 50 and [each for each in found if each.problem] == []


def test_every_statement_by_hand_is_needed_and_of_the_lock() -> None:
    assert set(POLICY.distributions) <= set(names(LOCK.read_text()))
    without = POLICY.model_copy(update={"distributions": {}})
    for each in installed(POLICY.distributions):
        assert judged(each, without).problem, each.metadata["Name"]


def test_a_policy_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("alowed = []")
    for path in (tmp_path / "own.toml", tmp_path / "none.toml"):
        with pytest.raises(UserError, match=path.name):
            Policy.read(path)
