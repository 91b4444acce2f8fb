"""A sampler under test: what an adapter returns, an inversion made one, and a run of it with every
draw answered.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from inspect import signature
from io import StringIO
from itertools import pairwise
from numbers import Integral, Real
from typing import NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.answered_draws import Draws, Untimed, Variable, answered
from samplercheck.errors import UserError
from samplercheck.model import Call, Enough, Network, Recorded, noise_level, predicted

LEAST = 8
"""The elements of the kit's states, at most; a state of a fixed shape has so many or more."""
Run: TypeAlias = Callable[[Network, Tensor, int, Draws], Tensor]
"""`run(network, x, steps, draws)`: the end of a run of `steps` steps that starts at `x`, of shape
(rows, *shape).

`draws` is for libraries that take a source of noise by time; all other draws are answered without
it.
"""


class Pushforward(Protocol):
    """The distributions along a run as functions of that of its start, as
    `samplercheck.affine_map.AffineMap`.
    """

    @property
    def levels(self) -> list[Level]:
        """Return the noise levels that were passed to the network."""

    @property
    def defect(self) -> float:
        """Return the superposition defect."""

    def law(
        self, point: int, mean: Tensor | float, variance: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance (d,) at a call for a start with this mean and variance; -1 is
        the end.
        """

    def exact_start(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the start for which the first call's input has exactly the mean and variance
        given.
        """


class Expected(float):
    """A noise that is expected of a sampler and not stated by its author: whether it draws is
    measured.
    """


class Types(NamedTuple):
    """The types in which a sampler runs: of x, of what the network returns (x's own if None), and
    of noise levels.

    `levels` is PyTorch's default type in the run, in which code makes its tables: float32 if it is
    None.
    """

    state: torch.dtype
    network: torch.dtype | None = None
    levels: torch.dtype | None = None

    def __str__(self) -> str:
        """Return the types in words."""
        named = {name: kind for name, kind in self._asdict().items() if kind is not None}
        return ", ".join(
            f"{name} {str(kind).removeprefix('torch.')}" for name, kind in named.items()
        )


@dataclass(frozen=True)
class Sampler:
    """A sampler as its library ships it, at one setting.

    `prior(steps)` is the standard deviation of the start that the library tells its users to draw.
    `begins(steps)` is the noise level at which the start is the data, as of images to images; None
    for a start of noise alone, or one that the kit chooses, of a run that is `inverted`. `order` is
    the order that its documentation states, None if it states none. `noise` is 0 for an ODE solver
    and 1 for a solver of the reverse SDE (eta of the family between them), None for one whose noise
    varies along the run. What is only `Expected` gives way to what is measured: 0 where no draw
    moves the end, None where one does and 0 is expected. `data_std` is the data's scale that the
    library assumes. `evaluations(steps)` is the number of network calls that the library states,
    None if it states none. `coupling` is the reason for which the samples of a batch depend on each
    other by design; `mean_field(steps, mean, variance)` then has the limit of large batches on a
    Gaussian target, if it is known. `uneven` is `run` on noise levels at `places(steps,
    uneven=True)`, of code that takes its levels from outside. `levels(steps)` are the noise levels
    sigma / scale that the library states: of each network call of a run, and last of its end.
    `fewest` is the least number of steps that it states to work. `rounding(counts)` says in words,
    for runs of so many steps, how far the noise levels that the network is passed are from those of
    the formulas, where a library rounds them; empty where they agree. `types` are those that users
    run it in, None for float32 and bfloat16. `again` is `run` on an object that has made one, None
    where there is none. `shape` is that of a state, as (3, 32, 32), where the code takes no other:
    the kit's elements are repeated to fill it. States have the shape (1, 1, d) if it is None.
    """

    name: str
    version: str
    run: Run
    prior: Callable[[int], float]
    order: int | None = None
    noise: float | None = Expected(0.0)
    data_std: float = 1.0
    evaluations: Callable[[int], int] | None = None
    coupling: str = ""
    mean_field: Callable[[int, Tensor, Tensor], Pushforward] | None = None
    uneven: Run | None = None
    rounding: Callable[[Sequence[int]], str] | None = None
    levels: Callable[[int], Sequence[float]] | None = None
    fewest: int | None = None
    begins: Callable[[int], Level] | None = None
    inverted: bool = False
    types: Types | None = None
    again: Run | None = None
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Raise TypeError where `run` does not take the four arguments, or another field is of the
        wrong kind.
        """
        if not callable(self.prior):
            raise TypeError(
                f"prior is {self.prior!r:.60}: expected a function, as lambda steps: 80.0"
            )
        for name in ("order", "fewest"):
            if not (
                (given := getattr(self, name)) is None
                or (isinstance(given, Integral) and int(given) > 0)
            ):
                raise TypeError(
                    f"{name} is {given!r:.60}: expected a whole number above 0, or None"
                )
        if self.noise is not None and not (isinstance(self.noise, Real) and self.noise >= 0):
            raise TypeError(f"noise is {self.noise!r:.60}: expected a number, 0 or more, or None")
        if not (isinstance(self.data_std, Real) and self.data_std > 0):
            raise TypeError(f"data_std is {self.data_std!r:.60}: expected a number above 0")
        callables = (
            ("evaluations", "2 * steps"),
            ("levels", "[80.0, 0.0]"),
            ("begins", "noise_level(1.0, 0.5)"),
        )
        for name, value in callables:
            if not ((given := getattr(self, name)) is None or callable(given)):
                raise TypeError(
                    f"{name} is {given!r:.60}: expected a function, as lambda steps: {value}"
                )
        if self.shape is not None and not (min(self.shape) > 0 and math.prod(self.shape) >= LEAST):
            raise TypeError(
                f"shape is {self.shape}: expected the sizes of one state of {LEAST} "
                "elements or more"
            )
        if not callable(self.run):
            raise TypeError(
                f"run is {self.run!r:.60}: expected a function run(network, x, steps, draws)"
            )
        with suppress(ValueError):  # of what has no signature to be read
            taken = signature(self.run)
            try:
                taken.bind("network", "x", "steps", "draws")
            except TypeError:
                raise TypeError(
                    f"run takes {taken}: it is called as run(network, x, steps, draws)"
                ) from None

    def start(self, steps: int, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of the start that the library draws, for data with this mean and
        variance.
        """
        level = self.begins(steps) if self.begins else Level(0, sigma=self.prior(steps), scale=0.0)
        return level.scale * mean, level.scale**2 * variance + level.sigma**2

    def shaped(self, rows: Tensor) -> Tensor:
        """Return flat rows (n, d) in the shape of images, (n, 1, 1, d), or repeated in the shape
        that is stated.
        """
        if self.shape is None:
            return rows.reshape(len(rows), 1, 1, -1)
        size = math.prod(self.shape)
        return rows.repeat(1, -(-size // rows.shape[1]))[:, :size].reshape(len(rows), *self.shape)


def _copies(x: Tensor, width: int) -> Tensor:
    """Return the copies (k, n, d) of flat rows in states `x`; what the last one lacks is that of
    the first.
    """
    flat = x.reshape(len(x), -1)
    lacking = -flat.shape[1] % width
    return (
        torch.cat([flat, flat[:, width - lacking : width]], 1)
        .reshape(len(x), -1, width)
        .transpose(0, 1)
    )


def _of_copies(network: Recorded, width: int) -> Network:
    """Return the network of states that repeat `width` elements; of its calls the first copies are
    recorded.
    """
    others = replace(network, most=None, rows=None, calls=[])

    def call(predict: str, x: Tensor, level: Level) -> Tensor:
        with torch._C.DisableTorchFunction():
            copies = _copies(x, width)
            out = network(predict, copies[0], level)
            if torch.equal(copies, copies[:1].expand_as(copies)):
                out = out.expand_as(copies)
            else:
                out = others(predict, copies.flatten(0, 1), level).reshape(copies.shape)
            return out.transpose(0, 1).flatten(1)[:, : x[0].numel()].reshape(x.shape)

    return call


def stated(sampler: Sampler, order: int | None, kind: str | None) -> Sampler:
    """Return a sampler with the order and the kind ("ode", "sde", "churn") that its user states, if
    any.

    Raises UserError for another kind.
    """
    noise = {"ode": 0.0, "sde": float(sampler.noise or 1.0), "churn": None}
    if kind is not None and kind not in noise:
        raise UserError(f"kind {kind!r}: expected one of {', '.join(noise)}")
    order = sampler.order if order is None else order
    return replace(sampler, order=order, noise=sampler.noise if kind is None else noise[kind])


def inversion(sampler: Sampler, data_std: float = 0.5) -> Sampler:
    """Return an inversion, which leads from data to noise, as a sampler: data and noise change
    places.

    The run begins at data, of standard deviation `data_std` (that of images in [-1, 1]). Where
    `begins` does not state their noise level, it is the one that fits, from none to the least that
    is passed first: codes take an image for clean, or for one with the noise of a table's first
    entry. In `x = scale x_0 + sigma z` the noise z then has the target's distribution, and `x_0 /
    data_std` is standard normal. All that is asked of a sampler of the flow is so asked of its
    inversion. What its end keeps of the data counts as noise that is left, and its report speaks of
    scale and sigma in their new places.
    """

    def exchange(level: Level) -> Level:
        return noise_level(level.sigma, data_std * level.scale)

    def exchanged(network: Network) -> Network:
        def call(predict: str, x: Tensor, level: Level) -> Tensor:
            at = exchange(level)
            if at.sigma:
                noise = network("x0", x, at)
                data = (x - at.scale * noise) / at.sigma
            else:
                noise, data = x / at.scale, network("eps", x, at)
            return predicted(predict, data_std * data, noise, level)

        return call

    def of(run: Run) -> Run:
        return lambda network, x, steps, draws: run(exchanged(network), x, steps, draws)

    begins, stated = sampler.begins, sampler.levels
    return replace(
        sampler,
        name=f"{sampler.name} (data and noise exchanged)",
        run=of(sampler.run),
        uneven=sampler.uneven and of(sampler.uneven),
        again=sampler.again and of(sampler.again),
        prior=lambda steps: data_std,
        begins=begins and (lambda steps: exchange(begins(steps))),
        inverted=True,
        levels=stated
        and (lambda steps: [data_std / level if level else math.inf for level in stated(steps)]),
    )


def places(steps: int, uneven: bool = False) -> Tensor:
    """Return the places of `steps` steps in a run, from 0 to 1: even, or every other one three
    times as long.
    """
    gaps = torch.ones(steps, dtype=torch.float64)
    gaps[::2] *= 3 if uneven else 1
    return torch.cat([torch.zeros(1, dtype=torch.float64), gaps.cumsum(0) / gaps.sum()])


class Path(NamedTuple):
    """A run: the calls of the network and the end, in flat rows of float64.

    `narrow` says that a run that is not widened computed something in half precision, `distilled`
    that the network was asked for a consistency function, `overwritten` that the code changed the
    start that it was given.
    """

    calls: list[Call]
    end: Tensor
    narrow: bool = False
    distilled: bool = False
    overwritten: bool = False


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: the tensors of a run are so small that a second one multiplies
    its time.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def trajectory(
    sampler: Sampler,
    network: Recorded,
    x: Tensor,
    steps: int,
    draws: Draws,
    types: Types | None = None,
    most: int | None = None,
) -> Path:
    """Run the sampler from the flat rows `x` (n, d) in float64, or in `types` as its users do.

    With `most` the run ends after so many calls, and its end is empty. What a library prints on its
    way is dropped.
    """
    # A copy, since a sampler may change its start in place.
    fresh = Recorded(
        network.pair, most, len(x), network.consistency, returns=types and types.network
    )
    start = sampler.shaped(x.to(types.state if types else x.dtype, copy=True))
    draws.dtype, width, variable = start.dtype, x.shape[1], draws.variable
    asked: Network = fresh
    if sampler.shape:
        asked = _of_copies(fresh, width)
        if variable:
            one = torch.Size((len(x), width))
            draws.variable = lambda k, shape: sampler.shaped(variable(k, one)).reshape(shape)

    def closing(predict: str, x: Tensor, level: Level) -> Tensor:
        draws.close(len(start))
        return asked(predict, x, level)

    closing.__qualname__ = "network"  # what Python says of a call with other arguments
    try:
        with (
            answered(draws, len(x), types is None, start[0].numel(), types and types.levels),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            end = sampler.run(closing, start, steps, draws)
            draws.close(len(start))
    except Enough:
        return Path(fresh.calls, x[:0])
    except Exception as error:
        equal = [k for k, (a, b) in enumerate(pairwise(fresh.calls), 1) if a.level == b.level]
        made = len(fresh.calls)
        # not the stages of steps of several calls
        if equal and (made == 2 or len(equal) <= made / 4):
            error.add_note(
                f"of {steps} steps, calls {equal[0]} and {equal[0] + 1} pass one noise "
                "level: length 0"
            )
        raise
    if not isinstance(end, Tensor) or not end.is_floating_point() or _sizes(end) != _sizes(start):
        returned = f"{end!r:.60}"
        if isinstance(end, Tensor):
            returned = f"a tensor of shape {tuple(end.shape)} and type {end.dtype}"
        raise TypeError(
            f"run returned {returned}, expected a tensor of shape {tuple(start.shape)}, of "
            "real numbers"
        )
    # of a state that repeats its elements, the one that is off
    copies = _copies(end.double(), width)
    off = (copies - copies[0]).nan_to_num(0).abs().amax((1, 2)).argmax()
    return Path(fresh.calls, copies[off], draws.narrow, fresh.distilled, draws.overwritten)


def _sizes(x: Tensor) -> list[int]:
    return [size for size in x.shape if size != 1]


def driven(
    sampler: Sampler,
    network: Recorded,
    x: Tensor,
    steps: int,
    variable: Variable,
    types: Types | None = None,
) -> Path:
    """Run the sampler with the values `variable` of its draws; one on a Brownian path runs first
    for its times.
    """
    try:
        return trajectory(sampler, network, x, steps, Draws(variable), types)
    except Untimed:
        counting = Draws()  # of each run, since the times depend on the type
        trajectory(sampler, network, x[:2], steps, counting, types)
        return trajectory(sampler, network, x, steps, counting.again(variable), types)
