"""Hostile and damaged bytes. Each payload is a pickle that would create the file that it is given, the canary."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ams.errors import UserError


def refusal(load: Callable[..., Any], content: bytes, what: str, *bound: int) -> str:
    """Return the one line with which `load` refuses bytes that are not `what`."""
    with pytest.raises(UserError) as refused:
        load(content, "it", *bound)
    line = str(refused.value)
    assert line.startswith(f"it: not a {what} (") and line.isprintable() and line.endswith("replace it by the original")
    return line


def text(value: str) -> bytes:
    """Return the opcode that pushes a string."""
    return pickle.BINUNICODE + struct.pack("<I", len(value.encode())) + value.encode()


def named(name: str) -> bytes:
    """Return the opcode that pushes what `module.name` names."""
    module, _, attribute = name.rpartition(".")
    return pickle.GLOBAL + f"{module}\n{attribute}\n".encode()


def called(name: str, *arguments: str) -> bytes:
    """Return the opcodes that call `name` with strings."""
    return named(name) + pickle.MARK + b"".join(map(text, arguments)) + pickle.TUPLE + pickle.REDUCE


def whole(*opcodes: bytes) -> bytes:
    return pickle.PROTO + b"\x02" + b"".join(opcodes) + pickle.STOP


def touch(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w')"


class Acts:
    """An object whose restoring runs a command."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return eval, (touch(self.canary),)


PAYLOADS: dict[str, Callable[[Path], bytes]] = {
    "os.system": lambda canary: whole(called("os.system", f"touch '{canary}'")),
    "eval": lambda canary: whole(called("builtins.eval", touch(canary))),
    "python 2 name": lambda canary: whole(called("__builtin__.eval", touch(canary))),
    "open": lambda canary: whole(called("io.open", str(canary), "w")),
    "bound method": lambda canary: pickle.dumps(Path.touch.__get__(canary), protocol=4),
    "nested": lambda canary: pickle.dumps([{"a": [(1, {"b": Acts(canary)})]}], protocol=2),
    "protocol 0": lambda canary: pickle.dumps(Acts(canary), protocol=0),
    "protocol 5": lambda canary: pickle.dumps([Acts(canary)], protocol=5),
    "inst": lambda canary: b"(S'" + touch(canary).replace("'", '"').encode() + b"'\nibuiltins\neval\n.",
    "obj": lambda canary: whole(pickle.MARK, named("builtins.eval"), text(touch(canary)), pickle.OBJ),
    "through functools": lambda canary: whole(called("functools.partial", touch(canary))),
    "extension": lambda canary: whole(pickle.EXT1, b"\x01"),
    "persistent": lambda canary: whole(text(touch(canary)), pickle.BINPERSID),
}
