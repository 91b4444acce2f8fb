"""What a module that is missing asks of the user: one line, with all that the library's own
dependencies lack.
"""

from importlib.util import find_spec

BASE = ("torch", "numpy", "scipy", "tyro", "rich", "jaxtyping")
"""The dependencies of the library, by the names under which they are imported and installed."""


def advice(error: ModuleNotFoundError) -> str:
    """Return what is needed and how to install it: of a base dependency, each that is missing,
    in one command.
    """
    package = str(error.name).partition(".")[0]
    missing = [name for name in BASE if find_spec(name) is None]
    needed = missing if package in BASE and missing else [package]
    return f"needs {', '.join(needed)}: python -m pip install {' '.join(needed)}"


def is_base(error: ModuleNotFoundError) -> bool:
    """Return whether the missing module is of a dependency of the library, not of the suite's."""
    return str(error.name).partition(".")[0] in BASE
