"""Samplers that compute in NumPy or JAX, run as if they computed in PyTorch.

A function is of NumPy or JAX if its module imports that and no PyTorch. Its arguments and its
network take and return arrays of its own kind. Its normal draws are asked of `torch.randn`, which
`answered_draws` answers; a generator that is seeded has a state of that seed, and a key of JAX is a
seed. JAX runs in float64 without compilation, since compiled code draws once for all runs. What is
traced all the same is not answered.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any, NoReturn
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from samplercheck.answered_draws import Unanswered

SOURCES = ("rng", "generator", "random_state", "key", "rng_key", "prng_key", "prng")
"""The parameters that get a source of random numbers."""
_NORMAL = ("normal", "standard_normal", "randn")
_NO_DRAWS = {
    *("bit_generator", "spawn", "seed", "get_state", "set_state", "default_rng", "PRNGKey"),
    *("key", "split", "fold_in", "key_data", "wrap_key_data", "key_impl", "clone"),
    *("Generator", "RandomState", "BitGenerator", "SeedSequence", "get_bit_generator"),
    *("set_bit_generator", "MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"),
}


def _normal(size: Any, source: torch.Generator | None = None) -> np.ndarray:
    """Return normal draws of a shape, as `torch.randn` does."""
    shape = () if size is None else tuple(np.atleast_1d(size).tolist())
    return torch.randn(shape, dtype=torch.float64, generator=source).numpy()


def _source(seed: object) -> torch.Generator | None:
    """Return a generator in a state of this seed; None for one that is not seeded."""
    if seed is None:
        return None
    stated = repr(getattr(seed, "state", seed))
    number = int.from_bytes(sha256(stated.encode()).digest()[:7])
    return torch.Generator().manual_seed(number)


def _refused(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise Unanswered(f"{name}: the kit answers normal draws alone")

    return refuse


def _others(place: object) -> dict[str, Callable[..., NoReturn]]:
    """Return what takes the place of the other draws of a class or a module."""
    kept = {*_NORMAL, *_NO_DRAWS}
    names = (name for name in dir(place) if name[0] != "_" and name not in kept)
    return {
        name: _refused(name)
        for name in names
        if callable(getattr(place, name)) and not isinstance(getattr(place, name), type)
    }


class _Source:
    """A source of random numbers of NumPy whose normal draws are PyTorch's."""

    def __init__(self, seed: object = None) -> None:
        super().__init__(np.random.PCG64(0))  # type: ignore[call-arg]
        self.source = _source(seed)

    def standard_normal(self, size: Any = None, *_: Any, **__: Any) -> np.ndarray:
        """Return normal draws of a shape."""
        return _normal(size, self.source)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> np.ndarray:
        """Return normal draws with a mean and a spread."""
        shape = np.broadcast(loc, scale).shape if size is None else size
        return np.asarray(loc + scale * _normal(shape, self.source))

    def randn(self, *shape: int) -> np.ndarray:
        """Return normal draws of a shape."""
        return _normal(shape, self.source)


_CLASSES = (np.random.Generator, np.random.RandomState)
_Generator, _State = (type(kind.__name__, (_Source, kind), _others(kind)) for kind in _CLASSES)


@contextmanager
def _numpy(module: ModuleType) -> Iterator[tuple[Callable[[Tensor], Any], Any]]:
    """Answer NumPy's draws; yield what makes an array, and a source of random numbers."""
    made: dict[str, Any] = {"default_rng": _Generator, "Generator": _Generator}
    one = _State()
    made |= {"RandomState": _State, **{name: getattr(one, name) for name in _NORMAL}}
    with _in_place(np.random, made | _others(np.random), module, _Generator()):
        yield Tensor.numpy, _Generator()


@contextmanager
def _jax(module: ModuleType) -> Iterator[tuple[Callable[[Tensor], Any], Any]]:
    """Answer JAX's draws; yield what makes an array, and a key."""
    jax: Any = importlib.import_module("jax")
    batching: Any = importlib.import_module("jax.custom_batching")

    def drawn(key: Any, shape: Any) -> Any:
        if isinstance(key, jax.core.Tracer):
            raise Unanswered(_TRACED)
        return jax.numpy.asarray(_normal(shape, _source(np.asarray(jax.random.key_data(key)))))

    def normal(key: Any, shape: Any = (), dtype: Any = None) -> Any:
        if type(key).__name__ != "BatchTracer":
            return drawn(key, shape)
        # of a key a sample, under vmap: what is traced is the shape alone
        draw = batching.custom_vmap(lambda key: jax.numpy.zeros(shape))
        draw.def_vmap(lambda size, _, keys: (drawn(keys, (size, *shape)), True))
        return draw(key)

    with (
        jax.enable_x64(True),
        jax.disable_jit(),
        patch.object(jax.numpy, "float32", jax.numpy.float64),
        patch.multiple(np, float32=_FLOAT32, float16=_FLOAT16),
        _in_place(jax.random, {"normal": normal, **_others(jax.random)}, module),
    ):
        yield (lambda x: jax.numpy.asarray(x.numpy())), jax.random.PRNGKey(0)


# JAX computes sums of NumPy's float16 in float32, of whatever type that name is meanwhile.
_FLOAT32, _FLOAT16 = np.float32, np.float16
_TRACED = "it is traced, as under grad, where no draw is answered: compute on arrays"
KINDS = {"jax": _jax, "numpy": _numpy}
"""What answers the draws of each library."""


@contextmanager
def _in_place(
    random: ModuleType, made: dict[str, Any], module: ModuleType, source: Any = None
) -> Iterator[None]:
    """Put functions in the place of a library's, where a module has them or objects of them."""
    ours = {id(getattr(random, name)): value for name, value in made.items()}
    own = {name: ours[id(value)] for name, value in vars(module).items() if id(value) in ours}
    own |= {name: source for name, value in vars(module).items() if isinstance(value, _CLASSES)}
    with patch.multiple(random, **made), patch.dict(vars(module), own):
        yield


def library(call: Any) -> str:
    """Return the library in whose arrays a function computes, empty for PyTorch."""
    known = vars(sys.modules.get(call.__module__, sys)).values()
    parts = (each for each in known if inspect.ismodule(each) or inspect.isroutine(each))
    names = {each.__name__ if inspect.ismodule(each) else each.__module__ or "" for each in parts}
    roots = {name.partition(".")[0] for name in names}
    return "" if "torch" in roots else next((name for name in KINDS if name in roots), "")


def of_tensors(call: Callable[..., Any], kind: str, module: str) -> Callable[..., Any]:
    """Return a function of arrays, which a module has, as one of tensors.

    It has the same parameters but for `SOURCES`, which it gets.
    """
    parameters = inspect.signature(call).parameters
    asked = [one for name, one in parameters.items() if name not in SOURCES]

    def run(function: Callable[..., Any], **given: Any) -> Any:
        with KINDS[kind](sys.modules[module]) as (array, source):
            values = {name: _array(value, array) for name, value in given.items()}
            values |= dict.fromkeys(parameters.keys() & {*SOURCES}, source)
            try:
                returned = function(**values)
                return _tensors([*returned] if isinstance(returned, Iterator) else returned)
            except Unanswered as reason:  # without what JAX adds to it
                raise type(reason)(*reason.args) from None

    made = partial(run, call)
    made.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]
    made.__name__ = call.__name__  # type: ignore[attr-defined]
    if hasattr(call, "again"):
        made.again = partial(run, call.again)  # type: ignore[attr-defined]
    return made


def _array(value: Any, array: Callable[[Tensor], Any]) -> Any:
    """Return a tensor, or the tensors that a network takes and returns, as arrays."""
    if isinstance(value, torch.nn.Module):
        return lambda *args, **named: array(value(*_tensors(args), **_tensors(named)))
    return array(value) if isinstance(value, Tensor) else value


def _tensors(value: Any) -> Any:
    """Return arrays, alone or in lists and dictionaries, as tensors. Raises Unanswered for one that
    is traced.
    """
    if isinstance(value, (tuple, list)):
        return tuple(map(_tensors, value)) if isinstance(value, tuple) else [*map(_tensors, value)]
    if isinstance(value, Mapping):
        return {key: _tensors(each) for key, each in value.items()}
    if not hasattr(value, "__array__") or isinstance(value, Tensor):
        return value
    try:
        return torch.as_tensor(np.array(value))
    except Exception as error:
        raise Unanswered(_TRACED) from error
