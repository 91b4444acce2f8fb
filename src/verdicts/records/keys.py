"""The key of a record: the hash of everything that its values depend on, part by part.

A record whose key differs from the present one is stale; the parts tell why.
"""

from collections.abc import Iterator
from typing import Self

from verdicts.records.files import canonical_json, sha256_of
from verdicts.validation import Frozen


class KeyParts(Frozen):
    """What a result depends on, as digests: `entry` (its entries in the claims file), `config` (its group's part),
    `sources` and `data` by name, the class of device."""

    entry: str
    config: str
    sources: dict[str, str]
    data: dict[str, str]
    device: str

    @property
    def key(self) -> str:
        """Return the sha256 over all parts."""
        return sha256_of(canonical_json(self.model_dump()))

    def changes_since(self, old: Self) -> str:
        """Say in words what differs from `old` (empty if nothing does)."""
        return ", ".join(_changes(old, self))


def _changes(old: KeyParts, new: KeyParts) -> Iterator[str]:
    if old.entry != new.entry:
        yield "its entry in the claims file changed"
    if old.config != new.config:
        yield "its settings changed"
    yield from _changed_names(old.sources, new.sources)
    yield from _changed_names(old.data, new.data)
    if old.device != new.device:
        yield f"device was {old.device}, is {new.device}"


def _changed_names(old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    """Yield at most two changed names and a count of the rest."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    yield from (f"{name} changed" for name in names[:2])
    if len(names) > 2:
        yield f"{len(names) - 2} more files changed"
