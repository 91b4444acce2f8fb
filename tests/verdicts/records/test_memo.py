"""Texts that are kept: made once by one version of their maker, only those in use, and nothing damaged is shown."""

import pytest

from verdicts.records import memo
from verdicts.records.memo import remembered, remembering

CALLS: list[str] = []


@remembered("pydantic")
def doubled(text: str) -> str:
    CALLS.append(text)
    return 2 * text


@pytest.fixture
def made(tmp_path):
    """Return a function that doubles texts inside `remembering`, and returns those that were made for it."""

    def run(*texts: str) -> list[str]:
        CALLS.clear()
        with remembering(tmp_path / "memo.json"):
            assert [doubled(text) for text in texts] == [2 * text for text in texts]
        return list(CALLS)

    return run


def test_a_text_is_made_once_and_kept_while_it_is_used(made) -> None:
    assert made("a", "b", "a") == ["a", "b"] and made("a", "b") == []
    assert made("a") == [] and made("a", "b") == ["b"], "what was not used is not kept"


def test_it_is_made_anew_by_another_version_or_where_the_file_is_damaged(made, tmp_path, monkeypatch) -> None:
    made("a")
    (tmp_path / "memo.json").write_bytes((tmp_path / "memo.json").read_bytes().replace(b'"aa"', b'"ab"'))
    assert made("a") == ["a"] and made("a") == []
    monkeypatch.setattr(memo, "version", lambda name: "another")
    assert made("a") == ["a"]


def test_outside_nothing_is_kept_and_no_folder_is_made_for_it(tmp_path) -> None:
    CALLS.clear()
    assert doubled("a") == doubled("a") and CALLS == ["a", "a"]
    with remembering(tmp_path / "none" / "memo.json"):
        doubled("a")
    assert not (tmp_path / "none").exists()
