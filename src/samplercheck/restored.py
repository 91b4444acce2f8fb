"""What code under test may change in its process, as the caller had it: a test is one of many in
a suite.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from samplercheck.answered_draws import DRAWS
from samplercheck.sampler import one_thread

_OWNERS = (torch, torch.Tensor, np.random, random)
_MISSING = object()


@contextmanager
def restored() -> Iterator[None]:
    """Restore random states, functions that draw, types, modes and the number of threads, after
    an exception too.
    """
    functions = [
        (owner, name, vars(owner).get(name, _MISSING)) for owner in _OWNERS for name in DRAWS
    ]
    names, dtype = (np.float32, np.float16), torch.get_default_dtype()
    states, errors, grad = (
        (random.getstate(), np.random.get_state()),
        np.geterr(),
        torch.is_grad_enabled(),
    )  # noqa: NPY002
    mode = _determinism()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    try:
        with torch.random.fork_rng(devices), one_thread():
            yield
    finally:
        for owner, name, value in functions:
            if value is not vars(owner).get(name, _MISSING):
                delattr(owner, name) if value is _MISSING else setattr(owner, name, value)
        np.float32, np.float16 = names
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        np.seterr(**errors)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if _determinism() != mode:  # the call imports PyTorch's compiler
            torch.use_deterministic_algorithms(mode[0], warn_only=mode[1])


def _determinism() -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
