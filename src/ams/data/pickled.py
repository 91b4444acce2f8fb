"""A pickle read as data: a machine that imports nothing and calls nothing that a pickle names.

It is the standard library's unpickler (the one in Python, whose table of opcodes can be cut down, not the one in C).
A name in the stream (`os.system`) becomes a `Global`, an inert token, if it is among those the reader knows, and ends
the reading if not. An object becomes what the reader's own maker for that name returns; a state given to it is kept,
not applied. Keys are numbers and strings only, since hashing a deep tuple overflows the stack and hashing a shared
one takes exponential time. Memory is in proportion to the stream: the memo is a dict (the C unpickler's is an array,
so one byte can ask for gigabytes), and no opcode that is not listed here exists.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any, ClassVar, NamedTuple

LARGEST = 2**23
"""Bytes that a pickle may have: an opcode of one byte makes an object of a hundred."""

_VALUES = "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE SHORT_BINBYTES"
_CONTAINERS = "MARK EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS"
_SETS = "EMPTY_SET ADDITEMS"
_OBJECTS = "GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD BINPERSID"
_MACHINE = "PROTO FRAME STOP BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE"
_OPCODES = [getattr(pickle, name)[0] for name in f"{_VALUES} {_CONTAINERS} {_SETS} {_OBJECTS} {_MACHINE}".split()]


class Global(NamedTuple):
    """A name that a pickle mentions, `module.name`; not what it names."""

    name: str


class Record(dict[Any, Any]):
    """An object that a pickle describes: the name of its class, its arguments, entries and state, none interpreted."""

    def __init__(self, name: str, *arguments: object) -> None:
        super().__init__()
        self.name = name
        self.arguments = arguments
        self.state: Any = None

    def build(self, state: object) -> None:
        """Keep the state that the pickle gives the object. Raises ValueError for a second one, or an odd one."""
        if self.state is not None or type(state) not in (dict, tuple):
            raise ValueError(f"it gives {self.name} a state twice, or one that is no dictionary or tuple")
        self.state = state


Maker = Callable[..., object]


class Machine(pickle._Unpickler):
    """Reads one pickle from `stream`; `makers` are the names it knows, None for one that is mentioned, never made.

    `load` raises ValueError, or what an opcode meets in a damaged stream (KeyError, IndexError, EOFError, ...).
    """

    dispatch: ClassVar[dict[int, Any]] = {code: pickle._Unpickler.dispatch[code] for code in _OPCODES}
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, stream: IO[bytes], makers: Mapping[str, Maker | None]) -> None:
        super().__init__(stream)
        self.makers = makers

    def load(self) -> Any:
        """Return what the pickle describes."""
        try:
            return super().load()
        except KeyError as error:
            raise ValueError(f"opcode or memo entry {error} does not exist") from None

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return the token of a known name."""
        name = f"{module_name}.{global_name}"
        if name not in self.makers:
            raise ValueError(f"it names {name[:80]!r}, which no such file needs")
        return Global(name)

    def load_made(self) -> None:
        """REDUCE and NEWOBJ: let the maker of the name below the arguments make the object."""
        arguments = self.stack.pop()
        token = self.stack[-1]
        if type(token) is not Global or type(arguments) is not tuple:
            raise ValueError("it makes an object of something that has no name")
        maker = self.makers[token.name]
        if maker is None:
            raise ValueError(f"it calls {token.name}, which no such file does")
        self.stack[-1] = maker(*arguments)

    dispatch[pickle.REDUCE[0]] = load_made
    dispatch[pickle.NEWOBJ[0]] = load_made

    def load_build(self) -> None:
        """BUILD: hand the state to the record below it."""
        state = self.stack.pop()
        record = self.stack[-1]
        if not isinstance(record, Record):
            raise ValueError("it gives a state to something that has none")
        record.build(state)

    dispatch[pickle.BUILD[0]] = load_build

    def load_setitem(self) -> None:
        """SETITEM: one key and its value."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        """SETITEMS: the keys and values since the mark."""
        self._set(self.pop_mark())

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def _set(self, items: list[Any]) -> None:
        target, keys = self.stack[-1], items[::2]
        if not isinstance(target, dict) or any(type(key) not in (int, str) for key in keys):
            raise ValueError("it sets an entry of what is no dictionary, or under a key that is no number or string")
        target.update(zip(keys, items[1::2], strict=True))

    def load_additems(self) -> None:
        """ADDITEMS: the numbers since the mark."""
        items = self.pop_mark()
        if type(self.stack[-1]) is not set or any(type(item) is not int for item in items):
            raise ValueError("it adds to what is no set, or what is no number")
        self.stack[-1].update(items)

    dispatch[pickle.ADDITEMS[0]] = load_additems
