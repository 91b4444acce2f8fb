"""Pickles that would act if anything ran them: each would create the file that it is given, the canary."""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path

Payload = Callable[[Path], bytes]


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


EMPTY = named("networkx.classes.graph.Graph") + pickle.EMPTY_TUPLE + pickle.NEWOBJ

PAYLOADS: dict[str, Payload] = {
    "os.system": lambda canary: whole(called("os.system", f"touch '{canary}'")),
    "posix.system": lambda canary: whole(called("posix.system", f"touch '{canary}'")),
    "eval": lambda canary: whole(called("builtins.eval", touch(canary))),
    "python 2 name": lambda canary: whole(called("__builtin__.eval", touch(canary))),
    "open": lambda canary: whole(called("io.open", str(canary), "w")),
    "bound method": lambda canary: pickle.dumps(Path.touch.__get__(canary), protocol=4),
    "nested": lambda canary: pickle.dumps([{"a": [(1, {"b": Acts(canary)})]}], protocol=2),
    "protocol 0": lambda canary: pickle.dumps(Acts(canary), protocol=0),
    "protocol 5": lambda canary: pickle.dumps([Acts(canary)], protocol=5),
    "inst": lambda canary: b"(S'" + touch(canary).replace("'", '"').encode() + b"'\nibuiltins\neval\n.",
    "obj": lambda canary: whole(pickle.MARK, named("builtins.eval"), text(touch(canary)), pickle.OBJ),
    "through a state": lambda canary: whole(
        EMPTY,
        pickle.EMPTY_DICT,
        text("__setstate__"),
        named("builtins.eval"),
        pickle.SETITEM,
        pickle.BUILD,
        text(touch(canary)),
        pickle.BUILD,
    ),
    "through a factory": lambda canary: whole(called("builtins.dict", touch(canary))),
    "through functools": lambda canary: whole(called("functools.partial", touch(canary))),
    "extension": lambda canary: whole(pickle.EXT1, b"\x01"),
    "persistent": lambda canary: whole(text(touch(canary)), pickle.BINPERSID),
}

DEEP = pickle.EMPTY_TUPLE + pickle.TUPLE1 * 200_000
SHARED = pickle.EMPTY_TUPLE + b"".join(
    pickle.BINPUT + b"\x00" + pickle.BINGET + b"\x00" + pickle.TUPLE2 for _ in range(100)
)

BOMBS: dict[str, bytes] = {
    "memo of 2^32 entries": whole(pickle.NONE, pickle.LONG_BINPUT, b"\xff\xff\xff\xff", pickle.BINGET, b"\x07"),
    "bytes of 2^62": whole(pickle.BINBYTES8, struct.pack("<Q", 2**62)),
    "frame of 2^62": b"\x80\x04" + pickle.FRAME + struct.pack("<Q", 2**62),
    "string of 2^32": whole(pickle.BINUNICODE, b"\xff\xff\xff\xff"),
    "a hash that overflows the stack": whole(pickle.EMPTY_DICT, DEEP, pickle.NONE, pickle.SETITEM),
    "a hash that takes for ever": whole(pickle.EMPTY_DICT, SHARED, pickle.NONE, pickle.SETITEM),
    "a set that takes for ever": whole(pickle.EMPTY_SET, pickle.MARK, SHARED, pickle.ADDITEMS),
    "bytearray of 2^40": whole(
        named("builtins.bytearray"), pickle.LONG1, b"\x06", bytes(5), b"\x01", pickle.TUPLE1, pickle.REDUCE
    ),
    "no memo": whole(pickle.BINGET, b"\x00"),
    "no mark": whole(pickle.TUPLE),
    "no end": pickle.PROTO + b"\x02" + pickle.NONE,
    "deep": whole(DEEP),
}
