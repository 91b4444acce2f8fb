"""Modules that code under test imports and a sampler does not use: `stub` puts empty ones in
their place.
"""

import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn, TypeVar

from samplercheck.errors import UserError

T = TypeVar("T")


class _Absent:
    """Whatever an empty module is asked for: annotations and bases of classes may name it, and a
    call raises.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise UserError(
            f"{self._name} is called, which --stub left out: install it and leave out that --stub"
        )

    def __getattr__(self, key: str) -> "_Absent":
        if key.startswith("__"):
            raise AttributeError(key)
        return _Absent(f"{self._name}.{key}")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return ()

    def __getitem__(self, _: Any) -> "_Absent":
        return self

    __or__ = __ror__ = __getitem__


class _Empty(ModuleType):
    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, key: str) -> _Absent:
        return _Absent.__getattr__(_Absent(self.__name__), key)


class _Finder(MetaPathFinder, Loader):
    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        named = any(f"{fullname}.".startswith(f"{name}.") for name in self.names)
        return ModuleSpec(fullname, self, is_package=True) if named else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


_FINDER = _Finder()


def stub(*names: str) -> None:
    """Put empty modules in place of those named and all within them, from now on; what is
    imported stays as it is.
    """
    _FINDER.names += names
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def complete(source: str, load: Callable[[], T]) -> T:
    """Return what `load()` returns, which imports `source`. Raises UserError that names all
    modules it lacks.
    """
    before, missing = {*sys.modules}, list[str]()
    try:
        while True:
            try:
                result = load()
                break
            except ModuleNotFoundError as error:
                name = str(error.name)
                top = name.partition(".")[0]
                lacking = name if top.startswith("_sampler_files") or find_spec(top) else top
                if lacking in missing or top.startswith("_sampler_files"):
                    raise
                missing.append(lacking)
                stub(lacking)
            except Exception:  # by what an empty module cannot do
                if not missing:
                    raise
                break
    finally:
        _FINDER.names = _FINDER.names[: len(_FINDER.names) - len(missing)]
        if missing:
            for each in {*sys.modules} - before:
                held = (sys.modules[each], *vars(sys.modules[each]).values())
                if any(isinstance(value, (_Absent, _Empty)) for value in held):
                    del sys.modules[each]
    if not missing:
        return result
    options = " ".join(f"--stub {name}" for name in missing)
    raise UserError(
        f"{source} needs {', '.join(missing)}: python -m pip install "
        f"{' '.join(missing)}; for a module of the same "
        "repository put its folder on PYTHONPATH; what sampling does not "
        f"use may be empty: {options}"
    )
