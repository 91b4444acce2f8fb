"""What a module that is missing asks of the user: one line, with all that the library's own dependencies lack."""

from importlib.util import find_spec

BASE = ("torch", "numpy", "scipy", "tyro", "rich", "jaxtyping")
"""The dependencies of the library, by the names under which they are imported and installed."""


def advice(error: ModuleNotFoundError) -> str:
    """Return what is needed and how to install it: of a base dependency, each that is missing, in one command."""
    package = str(error.name).partition(".")[0]
    needed = [name for name in BASE if _is_missing(name)] if package in BASE else [package]
    return f"needs {', '.join(needed or [package])}: python -m pip install {' '.join(needed or [package])}"


def is_base(error: ModuleNotFoundError) -> bool:
    """Return whether the missing module is of a dependency of the library, not of the suite's."""
    return str(error.name).partition(".")[0] in BASE


def _is_missing(name: str) -> bool:
    try:
        return find_spec(name) is None
    except ModuleNotFoundError:
        return True
