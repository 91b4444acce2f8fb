"""The type checker of the tests, for jaxtyping's import hook: an int is a float."""

from collections.abc import Callable
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with its check; a closure, which is made in each run, has none where
    checks are off.
    """
    closure = "<locals>" in function.__qualname__
    return function if closure and jaxtyping.config.jaxtyping_disable else _checked(function)
