"""A key changes with each of its parts, and says which."""

import pytest

from verdicts.records.keys import KeyParts

PARTS = KeyParts(entry="e", config="c", sources={"a.py": "1", "b.py": "2"}, data={"d": "3"}, device="cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry": "E"}, "its entry in the claims file changed"),
        ({"config": "C"}, "its settings changed"),
        ({"sources": {"a.py": "1", "b.py": "9"}}, "b.py changed"),
        ({"sources": {"a.py": "1"}}, "b.py changed"),
        ({"data": {"d": "4"}}, "d changed"),
        ({"device": "cuda"}, "device was cpu, is cuda"),
    ],
)
def test_every_part_enters_and_is_named(change, words):
    new = PARTS.model_copy(update=change)
    assert new.key != PARTS.key and new.changes_since(PARTS) == words


def test_many_changes_are_counted():
    new = PARTS.model_copy(update={"sources": dict.fromkeys("abcd", "x") | PARTS.sources})
    assert new.changes_since(PARTS) == "a changed, b changed, 2 more files changed"


def test_the_same_parts_give_the_same_key_in_any_order():
    turned = PARTS.model_copy(update={"sources": dict(reversed(PARTS.sources.items()))})
    assert turned.key == PARTS.key and turned.changes_since(PARTS) == ""
