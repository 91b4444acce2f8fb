"""Weights that `torch.save` wrote, in its zip format or its older one.

Two locks, since one has been picked before. First the file's pickle is read as a description (`ams.data.pickled`):
every name it mentions, and every tensor's extent against the bytes that are there, before any is allocated. Then the
library's own reader, restricted to weights, loads it; of a zip archive it sees a copy that holds exactly the entries
that were checked, so no second reading of a forged directory is possible.
"""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from typing import Any, NamedTuple

from ams.data.pickled import LARGEST as LARGEST_PICKLE
from ams.data.pickled import Global, Machine, Maker, Record
from ams.data.safe_read import LARGEST, entries, guarded

_SIZES = {
    "Float": 4,
    "Double": 8,
    "Half": 2,
    "BFloat16": 2,
    "Long": 8,
    "Int": 4,
    "Short": 2,
    "Char": 1,
    "Byte": 1,
    "Bool": 1,
}
_STORAGES = {f"torch.{kind}Storage": size for kind, size in _SIZES.items()}
_OLD = b"\x80\x02\x8a\x0a"  # the older format begins with a pickled number of ten bytes
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Storage(NamedTuple):
    """A run of `length` numbers of one `kind`, which tensors are views of."""

    kind: str
    key: str
    length: int

    @property
    def size(self) -> int:
        """Return its bytes."""
        return self.length * _STORAGES[self.kind]


def load_weights(content: bytes, where: str, largest: int = LARGEST) -> Any:
    """Return the dictionary or list in a file of weights, tensors on the CPU; an `easydict.EasyDict` as an OrderedDict.

    Raises UserError, one line that names `where`: for damage, another format, more than `largest` bytes, a name
    that no file of weights needs, a tensor that reaches beyond its storage.
    """
    with guarded(where, "a file of weights"):
        if content.startswith(b"PK"):
            return _loaded(_archive(content, largest))
        if content.startswith(_OLD) and len(content) <= largest:
            return _loaded(_stream(content))
        raise ValueError("neither a zip archive nor the older format of torch.save, or too large")


def _loaded(content: bytes) -> Any:
    """Return what the library reads from bytes that were checked."""
    import torch

    renamed: list[Any] = [(OrderedDict, "easydict.EasyDict")]
    with torch.serialization.safe_globals(renamed):
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _archive(content: bytes, largest: int) -> bytes:
    """Check a zip archive; return one of the same pickle and storages, and nothing else. Raises ValueError."""
    held = entries(content, largest)
    roots = [name.removesuffix("data.pkl") for name in held if name.endswith("/data.pkl")]
    if len(roots) != 1 or held.get(f"{roots[0]}byteorder", b"little") != b"little":
        raise ValueError("it holds no weights, or not one set, or in the other byte order")
    pickled = held[f"{roots[0]}data.pkl"]
    if len(pickled) > LARGEST_PICKLE:
        raise ValueError(f"its pickle has more than {LARGEST_PICKLE} bytes")
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as archive:
        archive.writestr("weights/data.pkl", pickled)
        archive.writestr("weights/version", "3\n")
        archive.writestr("weights/byteorder", "little")
        for storage in _Description(io.BytesIO(pickled)).storages():
            data = held[f"{roots[0]}data/{storage.key}"]
            if len(data) != storage.size:
                raise ValueError(f"storage {storage.key[:60]} claims {storage.size} bytes, {len(data)} are there")
            archive.writestr(f"weights/data/{storage.key}", data)
    return copy.getvalue()


def _stream(content: bytes) -> bytes:
    """Check a file of the older format: three pickles of a preamble, the weights, their keys, then the storages."""
    stream = io.BytesIO(content[:LARGEST_PICKLE])
    magic, protocol, system = (Machine(stream, {}).load() for _ in range(3))
    if (magic, protocol) != (_MAGIC, _PROTOCOL) or system["little_endian"] is not True:
        raise ValueError("its preamble is not that of torch.save on a little-endian machine")
    storages = _Description(stream).storages()
    keys = Machine(stream, {}).load()
    claimed, there = sum(8 + storage.size for storage in storages), len(content) - stream.tell()
    if sorted(keys) != sorted(storage.key for storage in storages) or claimed != there:
        raise ValueError(f"its storages claim {claimed} bytes, {there} are there")
    return content


class _Description(Machine):
    """Reads the pickle of a file of weights, and what it claims of storages."""

    def __init__(self, stream: io.BytesIO) -> None:
        makers: dict[str, Maker | None] = {
            "collections.OrderedDict": _Ordered,
            "easydict.EasyDict": _Ordered,
            "torch._utils._rebuild_tensor_v2": _tensor,
        }
        super().__init__(stream, makers | dict.fromkeys(_STORAGES))
        self.claims: dict[str, _Storage] = {}

    def storages(self) -> list[_Storage]:
        """Return the storages that the pickle claims. Raises ValueError for what no file of weights needs."""
        if not isinstance(self.load(), dict | list):
            raise ValueError("it holds no dictionary and no list")
        return list(self.claims.values())

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the storage that a persistent id claims."""
        name, kind, key, _, count, *view = pid
        if name != "storage" or type(kind) is not Global or any(view):
            raise ValueError("a persistent id that is no storage")
        if type(key) is not str or type(count) is not int or count < 0:
            raise ValueError("a storage without a key or a count")
        found = _Storage(kind.name, key, count)
        if self.claims.setdefault(key, found) != found:
            raise ValueError(f"storage {key[:60]} is claimed in two ways")
        return found


class _Ordered(Record):
    """An OrderedDict, which is made empty."""

    def __init__(self) -> None:
        super().__init__("OrderedDict")

    def build(self, state: Any) -> None:
        """Refuse a state that would hide a method of the dictionary to which the library applies it."""
        super().build(state)
        if any(type(key) is not str or hasattr(OrderedDict, key) for key in state):
            raise ValueError("it gives a dictionary a state that hides a method")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, gradient: Any, hooks: Any) -> _Storage:
    """Return the storage of a tensor that is wholly within it, each number once."""
    if type(storage) is not _Storage or type(gradient) is not bool or not isinstance(hooks, _Ordered) or hooks:
        raise ValueError("a tensor is rebuilt from its storage, extent and no hooks")
    if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in (offset, *shape, *strides)):
        raise ValueError("a tensor's extent is not in whole numbers")
    numbers, last = 1, offset
    for length, stride in zip(shape, strides, strict=True):
        numbers *= length
        last += (length - 1) * stride
    if numbers and (last >= storage.length or numbers > storage.length):
        raise ValueError(f"a tensor of shape {tuple(shape)} reaches beyond the {storage.length} numbers of its storage")
    return storage
