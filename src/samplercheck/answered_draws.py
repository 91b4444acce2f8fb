"""Every draw of a sampler answered by the kit, and its arithmetic kept in float64, without a change
to its code.

`answered` is a context in which PyTorch's normal draws (`randn`, `randn_like`, `normal`, `normal_`,
with any generator) come from a `Draws`. A library that asks for increments of a Brownian path by
time (torchsde's tree) gets them from `Draws.increment`: intervals that overlap share the path
between them, so that they are not independent.

A normal draw has one row a sample. Additional leading dimensions are so many draws, as of a run
that draws all its noise before its first step. Draws of one sample each, as with a generator a
sample, are the rows of one draw: as many as there are samples must follow each other between two
calls of the network, or else samples share one.

`Draws` first counts: with `kind` None it answers zeros and notes what was asked.
`Draws.after(first, kind)` then knows the number of independent normal variables, each with its own
index.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Variable: TypeAlias = Callable[[int, torch.Size], Tensor]
"""`variable(k, shape)`: the value of the k-th independent standard normal variable, one row a
sample, in float64.
"""

_NARROW = (torch.float32, torch.float16, torch.bfloat16)
_BY_NAME = dict.fromkeys(
    ("torch.HalfTensor", "torch.BFloat16Tensor", "torch.FloatTensor"), torch.float64
)
_IN_PLACE = ("uniform", "random", "bernoulli", "exponential", "cauchy", "log_normal", "geometric")
_OTHER = {
    *(
        torch.rand,
        torch.rand_like,
        torch.randint,
        torch.randint_like,
        torch.randperm,
        torch.poisson,
        torch.binomial,
    ),
    *(torch.multinomial, torch.Tensor.multinomial, torch.bernoulli, torch.Tensor.bernoulli),
    *(getattr(torch.Tensor, f"{name}_") for name in _IN_PLACE),
}
# Bound here: code under test may put functions of its own in PyTorch's place, which call these.
_RANDN, _RANDN_LIKE, _OF_MOMENTS, _IN_A_TENSOR = (
    torch.randn,
    torch.randn_like,
    torch.normal,
    torch.Tensor.normal_,
)
DRAWS = {each.__name__ for each in (*_OTHER, _RANDN, _RANDN_LIKE, _OF_MOMENTS, _IN_A_TENSOR)} | {
    "standard_normal"
}
"""The names of functions that draw, in PyTorch and in NumPy."""


class NotMade(ValueError):
    """A check that cannot be made of a sampler; the message says why. The report is then
    inconclusive.
    """


class Unanswered(NotMade):
    """A draw that the kit cannot answer: not normal, or without one row a sample."""


class Shared(Unanswered):
    """A normal draw without one row a sample: the samples of a batch share it. `check` is what it
    refutes.
    """

    check = "rows independent"


class Repeated(Shared):
    """A normal draw from a generator in the state of an earlier draw, as of one that is seeded anew
    in each step.
    """

    check = "draws independent"


class Untimed(Unanswered):
    """An increment of a Brownian path whose times are not known yet."""


class Draws:
    """The draws of one run. Without `variable` all are zero, and the run counts them."""

    def __init__(self, variable: Variable | None = None, breaks: Sequence[float] = ()) -> None:
        self.variable, self.breaks = variable, list(breaks)
        self.normals = 0
        self.dtype = torch.float64  # of the run that asks
        self.narrow = (
            False  # whether a run that is not widened computed something in half precision
        )
        self.overwritten = False  # whether the code changed the start that it was given
        self.start: Tensor | None = (
            None  # what answers the first draw, of a code that draws its own start
        )
        self.samples: tuple[
            Tensor, ...
        ] = ()  # the values of draws that are asked for sample by sample
        # of the first of them, and how many samples have theirs
        self.shape, self.row = (
            torch.Size(),
            0,
        )
        self.times: set[float] = set()
        self.path: dict[float, Tensor] = {}
        # of generators at their draws, by checksum: a state has 5 kB
        self.states: set[bytes] = set()

    @property
    def count(self) -> int:
        """Return the number of independent variables: normal draws so far, and pieces of the
        Brownian path.
        """
        return self.normals + max(len(self.times) - 1, 0)

    def normal(self, shape: torch.Size, rows: int, width: int | None = None) -> Tensor:
        """Return the next normal draw of a batch of `rows` samples with `width` elements, any
        number if it is None.

        Raises Shared where samples share it, Unanswered where elements do or where it is not known
        whose it is.
        """
        if self.start is not None and self.start.numel() == shape.numel():
            value, self.start = self.start.reshape(shape), None
            return value
        sizes = [shape[i + 1 :].numel() for i in range(len(shape))]
        if width is None:
            whole = 0 if shape and shape[0] == rows else None
        else:
            whole = next(
                (i for i, size in enumerate(shape) if (size, sizes[i]) == (rows, width)), None
            )
        if whole is not None:
            self.close(rows)
            return self._next(shape[:whole].numel(), shape[whole:]).reshape(shape)
        if width is not None and shape and shape[-1] == width:
            return self._of_one_sample(shape, rows, width)
        if shape and shape[0] == rows:
            raise Unanswered(
                f"a normal draw of shape {tuple(shape)} for {rows} samples of {width} "
                "elements: the elements of a "
                "sample share it; draw one number for each"
            )
        raise Shared(_shared(shape, rows))

    def close(self, rows: int) -> None:
        """End a draw that was asked for sample by sample. Raises Shared unless each of the samples
        had its own.
        """
        if self.row not in (0, rows):
            raise Shared(_shared(self.shape, rows))
        self.row = 0

    def _next(self, count: int, shape: torch.Size) -> Tensor:
        """Return the next `count` draws of this shape, one after the other in the first
        dimension.
        """
        # Pieces of the path come first, so that the counts of both kinds need not be known
        # together.
        first = self.normals + max(len(self.breaks) - 1, 0)
        self.normals += count
        return torch.stack([self._value(first + k, shape) for k in range(count)])

    def _of_one_sample(self, shape: torch.Size, rows: int, width: int) -> Tensor:
        """Return the values of the next sample, that of the first one for as many draws as `shape`
        has.
        """
        if self.row == rows:
            raise Unanswered(
                f"more than {rows} normal draws of shape {tuple(shape)} for {rows} samples "
                "between two calls of the "
                "network: it is not known whose they are; draw noise of the shape of x"
            )
        if not self.row:
            self.shape, self.samples = (
                shape,
                self._next(shape[:-1].numel(), torch.Size((rows, width))).unbind(1),
            )
        self.row += 1
        return self.samples[self.row - 1].reshape(shape)

    def increment(self, start: float | Tensor, end: float | Tensor, shape: torch.Size) -> Tensor:
        """Return `(W(end) - W(start)) / sqrt|end - start|` of one Brownian path W, zero on an empty
        interval.

        Times may be tensors of one value. The result has the type of the run, so that a run in
        float32 stays one. Raises Untimed unless a run before counted.
        """
        start, end = float(start), float(end)  # equal tensors are different members of a set
        self.times |= {start, end}
        if self.variable is None or start == end:
            return torch.zeros(shape, dtype=self.dtype)
        if not self.path and self.breaks:
            pieces = [
                math.sqrt(b - a) * self.variable(k, shape)
                for k, (a, b) in enumerate(pairwise(self.breaks))
            ]
            values = torch.stack([torch.zeros_like(pieces[0]), *pieces]).cumsum(0)
            self.path = dict(zip(self.breaks, values, strict=True))
        if not {start, end} <= self.path.keys():
            raise Untimed("an increment of a Brownian path at a time that no run has counted")
        value = (self.path[end] - self.path[start]).reshape(shape) / math.sqrt(abs(end - start))
        return value.to(self.dtype)

    def again(self, variable: Variable) -> "Draws":
        """Return the draws of another run of the sampler that asked this one, with values."""
        return Draws(variable, sorted(self.times))

    def _value(self, number: int, shape: torch.Size) -> Tensor:
        return (
            torch.zeros(shape, dtype=torch.float64)
            if self.variable is None
            else self.variable(number, shape)
        )


def _shared(shape: Sequence[int], rows: int) -> str:
    return f"a normal draw of shape {tuple(shape)} for a batch of {rows}: one row a sample expected"


def seeded(rows: int, width: int, seed: int = 0) -> Variable:
    """Return independent normal variables, each fixed by the seed and its number."""

    def variable(
        k: int, shape: torch.Size
    ) -> Tensor:  # by NumPy, since PyTorch's draws may be those answered here
        return torch.from_numpy(
            np.random.default_rng((seed, k)).standard_normal((rows, width))
        ).reshape(shape)

    return variable


class _Answered(TorchFunctionMode):
    """The mode of `answered`: normal draws from `draws`, and every result of lower precision
    widened if `widen`.
    """

    def __init__(self, draws: Draws, rows: int, widen: bool, width: int | None) -> None:
        super().__init__()
        self.draws, self.rows, self.widen, self.width = draws, rows, widen, width

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _OTHER:
            raise Unanswered(f"{func.__name__}: the kit answers normal draws alone")
        if func in (_RANDN, _RANDN_LIKE, _OF_MOMENTS, _IN_A_TENSOR):
            value, out = self._drawn(func, args, kwargs), kwargs.get("out")
            return value if out is None else out.copy_(value)
        if not self.widen:
            out = func(*args, **kwargs)
            self.draws.narrow |= any(
                isinstance(each, Tensor) and each.dtype in _NARROW[1:] for each in (out, *args)
            )
            return out
        if torch.dtype in map(type, args):  # this runs for every operation of a run
            args = tuple(torch.float64 if _narrow(value) else value for value in args)
        if kwargs:
            kwargs = {
                name: torch.float64 if _narrow(value) else value for name, value in kwargs.items()
            }
        if func is torch.Tensor.type and args[1:]:
            args = (args[0], _BY_NAME.get(args[1], args[1]))
        if func in (torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16):
            return args[0].double()
        out = func(*args, **kwargs)
        return out.double() if isinstance(out, Tensor) and out.dtype in _NARROW else out

    def _drawn(self, func: Any, args: Any, kwargs: Any) -> Tensor:
        if isinstance(generator := kwargs.get("generator"), torch.Generator):
            if (
                state := sha256(generator.get_state().numpy().tobytes()).digest()
            ) in self.draws.states:
                raise Repeated(
                    "two normal draws of a run come from a generator in one state, so that "
                    "they are equal"
                )
            self.draws.states.add(state)
            torch.empty(1).uniform_(generator=generator)
        if func is _RANDN:
            size = kwargs.get(
                "size", args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            )
            return self._typed(torch.Size(size), kwargs.get("dtype"))
        if func is _RANDN_LIKE:
            return self._typed(args[0].shape, kwargs.get("dtype") or args[0].dtype)
        if func is _OF_MOMENTS:
            return self._normal(*args, **kwargs)
        given = {**dict(zip(("mean", "std"), args[1:], strict=False)), **kwargs}
        mean, std = given.get("mean", 0.0), given.get("std", 1.0)
        return args[0].copy_(mean + std * self._typed(args[0].shape, args[0].dtype))

    def _typed(self, shape: torch.Size, dtype: torch.dtype | None) -> Tensor:
        value = self.draws.normal(shape, self.rows, self.width)
        return value if self.widen else value.to(dtype or torch.get_default_dtype())

    def _normal(
        self, mean: Any = 0.0, std: Any = 1.0, size: Any = None, dtype: Any = None, **_: Any
    ) -> Tensor:
        shape = (
            torch.Size(size)
            if size is not None
            else torch.broadcast_shapes(
                *(value.shape for value in (mean, std) if isinstance(value, Tensor))
            )
        )
        return mean + std * self._typed(shape, dtype)


def _narrow(value: Any) -> bool:
    return isinstance(value, torch.dtype) and value in _NARROW


@contextlib.contextmanager
def answered(
    draws: Draws,
    rows: int,
    widen: bool = True,
    width: int | None = None,
    levels: torch.dtype | None = None,
) -> Iterator[None]:
    """Answer all normal draws of a batch of `rows` samples from `draws`; with `widen`, keep float64
    throughout.

    `width` is the number of elements of a sample; None for one draw of any shape with one row a
    sample.

    `levels` is PyTorch's default type meanwhile, if it is given. To widen, this type and NumPy's
    names `float32` and `float16` stand for float64. Other random draws raise Unanswered.
    """
    narrow = torch.get_default_dtype(), np.float32, np.float16
    if levels or widen:
        torch.set_default_dtype(levels or torch.float64)
    if widen:
        np.float32 = np.float16 = np.float64  # type: ignore[assignment]
    try:
        with torch.no_grad(), _Answered(draws, rows, widen, width):
            yield
    finally:
        torch.set_default_dtype(narrow[0])
        np.float32, np.float16 = narrow[1:]
