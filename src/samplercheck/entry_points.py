r"""A sampling function as its library ships it, without an adapter: `conform FILE.py:function
--network NAME`.

NAME is the function's parameter that takes the network. The other arguments are known by their
usual names (`ROLES`), keep their defaults, or are given by `--set`. The network is called as the
function likes; what it is told as time t, and what it returns, is one of these *conventions*,
written PREDICTION@TIME:

    sigma  x = x_0 + t z  x0, eps, score  k-diffusion, EDM, score_sde's VE
    flow  x = (1 - t) x_0 + t z  flow (z - x_0), x0  rectified flow, noise at t = 1
    flow1000 the same at t / 1000  flow  as of networks that embed timesteps
    rising  x = t x_0 + (1 - t) z  back (x_0 - z), x0  flow matching, noise at t = 0
    cosine   x = cos(pi t / 2) x_0 + sin(pi t / 2) z    v, eps, x0              v-diffusion
    vp       the VP SDE with beta from 0.1 to 20        eps, score, x0          score_sde's VP
    betas    timestep t of the betas that it is given   eps, x0, v              DDPM, DDIM
    linear  timestep t of 1000 betas, 1e-4 to 0.02  eps, x0, v  the same, where it makes its own

The convention is taken whose samples of a Gaussian end nearest to it, if they end near and those of
no other prediction or time nearly as near. It is a choice among formulas, not a test: the report
names it, `--convention` states another. A distilled network, consistency@TIME, is taken where the
samples end within `DISTILLED` of it, as only its own do. One that returns another prediction than
x0, as consistency-flow@flow, is taken alike, of a function that draws.

A network that is told two times, as a flow map, is read as PREDICTION@TIME,SECOND in the order in
which it is told them. SECOND is `to`, the time at which the step ends, or `step`, its length. It
returns `map`, the state there, or an average on the way, as average-flow@flow,to. It is taken like
a distilled one.
"""

import inspect
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.schedules import VP, Level
from samplercheck import adapters, arrays
from samplercheck.adapters import COUNTS, FIXED
from samplercheck.answered_draws import Draws, Shared, seeded
from samplercheck.convergence import two_targets
from samplercheck.errors import UserError, unknown
from samplercheck.judgement import end_distance
from samplercheck.model import Network, average, noise_level, one_value, predicted
from samplercheck.sampler import Sampler, driven, places, trajectory

OWN = "linear"  # the time of a scheduler with a table of its own, which is read in place of it
STEPS = 24
# W2 at the end of a run of STEPS steps in the convention that is taken, in the data's scale
NEAR = 1.0
DISTILLED = 0.02  # the same, of a distilled network
CARRIED = 0.05  # the same, of one that is told two times: what the start is off by stays
CLEARLY = 2.0  # that of any other for the same steps is at least so many times as large
NOISY = (
    0.99  # where times that it asks for begin: many methods divide by the scale, which is 0 at 1
)
HIGH, LOW = 10.0, 0.01  # the noise levels between which a function that asks for some gets them
# timesteps; rounding them costs an order, so that a function that takes betas gets more
USUAL, FINE = (
    1000,
    8000,
)

ROLES = {
    "start": (
        "x",
        "latents",
        "latent",
        "x_T",
        "xT",
        "x_t",
        "xt",
        "noise",
        "z",
        "init",
        "x_init",
        "img",
        "sample",
    ),
    "shape": ("shape", "size", "sample_shape", "data_shape", "batch_shape"),
    "rows": ("batch_size", "num_samples", "n_samples", "n_images"),
    "channels": ("channels", "num_channels", "img_channels", "in_channels"),
    "side": ("image_size", "img_size", "resolution", "height", "width"),
    "count": (*COUNTS, "N"),
    "sigmas": ("sigmas", "noise_levels"),
    "times": (
        "ts",
        "t_steps",
        "timesteps",
        "times",
        "time_steps",
        "t_span",
        "time_grid",
        "seq",
        "t",
    ),
    "betas": ("betas", "b"),
    "cumulative": ("alphas_cumprod", "alpha_bars", "alpha_bar", "alphas_bar"),
    "increments": ("noise_sampler",),
    "device": ("device",),
    "generator": ("generator",),
    "nothing": ("extra_args", "model_kwargs"),
}
"""What an argument is, by its usual names."""
NUMBERS = ("rows", "channels", "side", "count")
"""The roles of arguments that are numbers."""


@cache
def _betas(count: int) -> Tensor:
    """Return 1000 linear betas on `count` timesteps; of few, whose betas would exceed 1, what they
    add up to.
    """
    betas = torch.linspace(1e-4, 0.02, count, dtype=torch.float64) * USUAL / count
    return betas if count >= USUAL else -torch.expm1(-betas)


@cache
def _ratios(count: int) -> np.ndarray:
    """Return sigma / scale at each timestep of `count`."""
    return (1 / (1 - _betas(count)).cumprod(0) - 1).sqrt().numpy()


def interpolated(ratios: np.ndarray, t: float, logarithmic: bool = False) -> Level:
    """Return the noise level of a timestep by interpolation of sigma / scale, or of its logarithm,
    at all timesteps.
    """
    there = float(np.interp(t, np.arange(len(ratios)), np.log(ratios) if logarithmic else ratios))
    ratio = math.exp(there) if logarithmic else there
    return noise_level(1 / math.hypot(1, ratio), ratio / math.hypot(1, ratio))


def _of_timestep(count: int, t: float) -> Level:
    """Return the noise level of a timestep of `count`."""
    return interpolated(_ratios(count), t)


class Time(NamedTuple):
    """A kind of time: its noise level, what networks that are told it return, and between what a
    run may begin.
    """

    level: Callable[[float], Level]
    predicts: tuple[str, ...]
    least: float
    most: float


TIMES = {
    "sigma": Time(lambda t: noise_level(1.0, t), ("x0", "eps", "score"), 1, inf),
    "flow": Time(lambda t: noise_level(1 - t, t), ("flow", "x0"), 0.9, 1),
    "flow1000": Time(lambda t: noise_level(1 - t / 1000, t / 1000), ("flow",), 900, 1000),
    "rising": Time(lambda t: noise_level(t, 1 - t), ("back", "x0"), 0, 0.1),
    "cosine": Time(
        lambda t: noise_level(math.cos(t * math.pi / 2), math.sin(t * math.pi / 2)),
        ("v", "eps", "x0"),
        0.9,
        1,
    ),
    "vp": Time(lambda t: noise_level(*VP().marginal(t)), ("eps", "score", "x0", "v"), 0.9, 1),
    "betas": Time(partial(_of_timestep, FINE), ("eps", "x0", "v"), USUAL / 2, FINE),
    "linear": Time(partial(_of_timestep, USUAL), ("eps", "x0", "v"), USUAL / 2, FINE),
}
CONVENTIONS = [
    f"{predict}@{time}"
    for time, kind in TIMES.items()
    for predict in (*kind.predicts, "consistency")
]
OF_A_DISTILLED = [
    f"consistency-{each}"
    for each in CONVENTIONS
    if not each.startswith(("x0", "back", "consistency"))
]
"""A distilled network that returns no x0. Tried of functions that draw: others end as near to the
data with these.
"""
SECOND = ("to", "step")
AVERAGES = {"flow": "flow", "flow1000": "flow", "rising": "back", "sigma": "eps"}
TWO_TIMES = [
    f"{predict}@{names}"
    for time in TIMES
    for predict in ("map", *(f"average-{name}" for name in [AVERAGES.get(time)] if name))
    for second in SECOND
    for names in (f"{time},{second}", f"{second},{time}")
]
"""Of networks that are told two times; tried where two numbers are told."""

MESHES: dict[str, Callable[[Tensor], Any]] = {
    "": lambda at: len(at) - 1,
    "falling": lambda at: NOISY * (1 - at),
    "rising": lambda at: 1 - NOISY * (1 - at),
    "timesteps": lambda at: list(range(0, FINE, FINE // (len(at) - 1))),
}
"""What a function gets that asks for steps or times: their number, times, or timesteps where it
takes betas.
"""
TABLES = ("betas", "cumulative")
NEEDED = {"start": {"start", "shape", "rows"}, "count": {"count", "sigmas", "times", *TABLES}}
"""What a function has one of: where none is known by its name, the first that must be given is
taken for it.
"""
STATES = (
    "sample",
    "samples",
    "x",
    "x_t",
    "xt",
    "img",
    "image",
    "images",
    "latents",
    "prev_sample",
    "state",
)
"""The keys of what is returned that may hold the state."""
METHODS = (
    "sample",
    "__call__",
    "forward",
    "generate",
    "p_sample_loop",
    "sample_loop",
    "run",
    "solve",
    "integrate",
)
"""The methods of a class that may sample, the first that it has is taken."""
_OWN = (
    "set it with --set NAME=VALUE, or write run(network, x, steps, draws) as "
    "docs/sampler_adapters.md shows"
)


class Model(torch.nn.Module):
    """The network as the function sees it; it has the attributes that EDM's samplers read."""

    sigma_min, sigma_max, sigma_data = 0.002, 80.0, 1.0
    img_channels = img_resolution = 1
    round_sigma = staticmethod(torch.as_tensor)

    def __init__(self, answer: Callable[..., Tensor], count: int | None = 1) -> None:
        super().__init__()
        # of the numbers that it is told, so many are passed on; all if None
        self.answer, self.count = (
            answer,
            count,
        )
        self.weight = torch.nn.Parameter(torch.zeros(1))  # of which samplers read type and device

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Answer for the largest tensor at the first other numbers, whatever their order and
        names.
        """
        values = [*args, *kwargs.values()]
        x = max((value for value in values if isinstance(value, Tensor)), key=torch.Tensor.numel)
        others = (value for value in values if value is not x)
        numbers = [
            each
            for each in others
            if isinstance(each, (int, float)) or (isinstance(each, Tensor) and each.numel())
        ]
        if len(numbers) < (self.count or 1):
            raise TypeError(
                f"the network is told {len(numbers)} times: only functions whose network "
                "takes one can be read"
            )
        return self.answer(x, *numbers[: self.count])


def _parts(convention: str) -> tuple[str, str, list[str]]:
    """Return the prediction of a convention, the kind of its time, and all that the network is
    told.
    """
    predict, _, times = convention.partition("@")
    names = times.split(",")
    return predict, next((name for name in names if name not in SECOND), ""), names


def distilled(convention: str) -> float:
    """Return how near to the data a network that leaps along the flow must end, 0 where a
    convention is of no such.
    """
    return (
        CARRIED if "," in convention else DISTILLED if convention.startswith("consistency") else 0.0
    )


def model_of(
    network: Network, convention: str, level: Callable[[float], Level] | None = None
) -> Model:
    """Return the network as a convention has it, `level` of a time in place of the convention's if
    it is given.
    """
    predict, kind, names = _parts(convention)
    level_of = level or TIMES[kind].level

    def answer(x: Tensor, *times: Any) -> Tensor:
        given = dict(zip(names, map(one_value, times), strict=True))
        at = level_of(given[kind])
        if predict.startswith("consistency-"):
            x0 = network("consistency", x, at)
            return predicted(
                predict.removeprefix("consistency-"), x0, (x - at.scale * x0) / at.sigma, at
            )
        if len(names) > 1:
            ahead = abs(given.get("step", 0)) * (1 if kind == "rising" else -1)
            to = level_of(given.get("to", given[kind] + ahead))
            if predict == "map":
                return network("consistency", x, at._replace(next=to))
            return average(network, x, at, to) * (-1 if predict == "average-back" else 1)
        return -network("flow", x, at) if predict == "back" else network(predict, x, at)

    return Model(answer, len(names))


class _Probe(NamedTuple):
    """The first call of the network: what the start is multiplied by, and the times that are
    told.
    """

    gain: float
    times: list[float]


@dataclass(frozen=True)
class Function:
    """A sampling function, the parameter that takes its network, what is set of the others, and the
    times it gets.
    """

    call: Callable[..., Any]
    network: str
    settings: dict[str, Any]
    times: str = (
        ""  # one of MESHES for what is a number of steps or times, the number itself where empty
    )
    shape: tuple[int, ...] | None = None  # of a state, (1, 1, d) if it is None

    @cached_property
    def roles(self) -> dict[str, str]:
        """Return the role of each parameter that is known. Raises UserError for one that is not
        there or not known.
        """
        parameters = inspect.signature(self.call).parameters
        for name in (self.network, *self.settings):
            if name not in parameters:
                raise unknown(f"parameter of {self.call.__name__}", name, parameters)
        if fixed := [
            name for name in self.settings if name in COUNTS or _role(parameters[name]) == "count"
        ]:
            raise UserError(FIXED.format(fixed[0]))
        roles = {
            name: _role(one)
            for name, one in parameters.items()
            if name not in (self.network, *self.settings)
        }
        counts = [name for name, role in roles.items() if role == "count"]
        if grids := [name for name in counts if len(counts) > 1 and name in ROLES["times"]]:
            roles |= dict.fromkeys(grids, "")  # of training, and kept
        elif len(counts) > 1 and "n" in roles:
            roles["n"] = "rows"
        various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        for name, role in roles.items():
            one = parameters[name]
            if not role and one.default is one.empty and one.kind not in various:
                missing = [each for each, of in NEEDED.items() if not {*roles.values()} & of]
                if not missing:
                    raise UserError(
                        f"{self.call.__name__} needs {name!r}, and what it is is not known: {_OWN}"
                    )
                roles[name] = missing[0]  # by its place: the start comes before the number of steps
        known = set(roles.values())
        if not known & NEEDED["start"]:
            raise UserError(
                f"{self.call.__name__} takes neither a start nor a shape of its samples: {_OWN}"
            )
        if not known & NEEDED["count"]:
            raise UserError(
                f"{self.call.__name__} takes neither a number of steps nor noise levels: {_OWN}"
            )
        # by the function itself, from the number
        made = {name for name in ("sigmas", "times") if "count" in known}
        return {
            name: role
            for name, role in roles.items()
            if role
            and not (role in made and parameters[name].default is not parameters[name].empty)
        }

    @property
    def each_beta(self) -> bool:
        """Whether it takes betas and no number of steps or times: then each of the betas is a
        step.
        """
        return not {*self.roles.values()} & {"count", "sigmas", "times"}

    def end(
        self,
        model: Model,
        x: Tensor,
        steps: int,
        draws: Draws,
        uneven: bool = False,
        again: bool = False,
    ) -> Tensor:
        """Return the end of a run of `steps` steps from `x` (rows, 1, 1, d), which replaces a start
        that it draws.

        With `again` it is that of a second run of one object.
        """
        kind = torch.get_default_dtype()
        roles = set(self.roles.values())
        betas = _betas(steps if self.each_beta else FINE)
        if "start" not in roles:
            draws.start = x
        values: dict[str, Callable[[], Any]] = {
            "start": lambda: x,
            "shape": lambda: tuple(x.shape),
            "rows": lambda: len(x),
            "channels": lambda: x.shape[1] if self.shape else x[0].numel(),
            "side": lambda: x.shape[-1] if self.shape else 1,
            "count": lambda: MESHES[self.times](places(steps, uneven).to(kind)),
            "sigmas": lambda: torch.cat(
                [HIGH * (LOW / HIGH) ** places(steps - 1, uneven), torch.zeros(1)]
            ).to(kind),
            "times": lambda: MESHES[self.times](places(steps, uneven).to(kind)),
            "betas": lambda: betas.to(kind),
            "cumulative": lambda: (1 - betas).cumprod(0).to(kind),
            "increments": lambda: lambda a, b: draws.increment(a, b, x.shape),
            "device": lambda: "cpu",
            "generator": lambda: torch,
            "nothing": dict,
        }
        given = {name: values[role]() for name, role in self.roles.items()}
        call = self.call.again if again else self.call  # type: ignore[attr-defined]
        before = x.clone()
        end = last_state(call(**{self.network: model}, **given, **self.settings), before).reshape(
            x.shape
        )
        draws.overwritten |= not torch.equal(x, before)
        return end

    def probe(self, steps: int) -> _Probe:
        """Return what the first call of the network shows, from a start of ones."""
        numbers: list[list[float]] = []

        def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
            def answer(x: Tensor, *times: Any) -> Tensor:
                numbers.append([one_value(time) for time in times])
                return network("x0", x, noise_level(1.0, 1.0))

            return self.end(Model(answer, None), x, steps, draws)

        probing = Sampler(self.call.__name__, "", run, lambda steps: 1.0, shape=self.shape)
        start = torch.ones(2, 8, dtype=torch.float64)
        calls = trajectory(probing, two_targets(1.0).network(), start, steps, Draws(), most=1).calls
        if not calls or not (gain := float(calls[0].x.mean())):
            raise UserError(
                f"{self.call.__name__} calls its network not once, or at what does not "
                "depend on its start"
            )
        return _Probe(gain, numbers[0])

    def sampler(self, name: str, convention: str) -> Sampler:
        """Return the sampler whose network is read by a convention."""
        _, time, times = _parts(convention)
        probe = cache(self.probe)  # once for each number of steps

        def level(t: float, steps: int) -> Level:
            if self.each_beta:
                return _of_timestep(steps, t)
            own = getattr(self.call, "ratios", None)
            return interpolated(own, t) if own is not None and time == OWN else TIMES[time].level(t)

        def run(
            network: Network,
            x: Tensor,
            steps: int,
            draws: Draws,
            uneven: bool = False,
            again: bool = False,
        ) -> Tensor:
            model = model_of(network, convention, partial(level, steps=steps))
            return self.end(model, x / probe(steps).gain, steps, draws, uneven, again)

        def prior(steps: int) -> float:
            first = probe(steps)
            if not (time == "sigma" and first.gain == 1 and "start" in self.roles.values()):
                return abs(first.gain)
            # levels that are asked for begin at `HIGH`, whatever is added before the first call
            asked = "sigmas" in self.roles.values()
            return HIGH if asked else level(first.times[times.index(time)], steps).sigma

        outside = self.times in ("falling", "rising") or "sigmas" in self.roles.values()
        uneven = partial(run, uneven=True) if outside else None
        read = f"as it is, from noise to data, its network read as {convention}"
        if time == OWN:
            own = getattr(self.call, "ratios", None) is not None
            read += f" of {'its own table' if own else '1000 betas from 0.0001 to 0.02'}"
        kept = hasattr(self.call, "again") and "start" in self.roles.values()
        again = partial(run, again=True) if kept else None
        return Sampler(name, read, run, prior, uneven=uneven, shape=self.shape, again=again)


def of_class(kind: type, method: str = "") -> Callable[..., Any]:
    """Return the function that makes an object of a class and calls a method, by default one of
    `METHODS`.

    It has the parameters of both; one that both have goes to both. Raises UserError where there is
    no such method.
    """
    own = {
        name: value
        for base in reversed(kind.__mro__)
        if base not in NO_SAMPLER
        for name, value in vars(base).items()
    }
    method = method or next((name for name in METHODS if inspect.isfunction(own.get(name))), "")
    if not method:
        known = ", ".join(
            name
            for name, value in own.items()
            if inspect.isfunction(value) and not name.startswith("_")
        )
        raise UserError(
            f"{kind.__name__}: which method samples is not known: write "
            f"{kind.__name__}.METHOD, of {known}"
        )
    made = _parameters(kind)
    asked = dict(list(_parameters(getattr(kind, method)).items())[1:])  # but for self

    def call(runs: int = 1, **given: Any) -> Any:
        sampler = kind(**{name: given[name] for name in made if name in given})
        for _ in range(runs):
            returned = getattr(sampler, method)(
                **{name: given[name] for name in asked if name in given}
            )
            returned = [*returned] if isinstance(returned, Iterator) else returned
        return returned

    both = {
        name: min(made.get(name, one), one, key=lambda each: each.default is not each.empty)
        for name, one in (made | asked).items()
    }
    call.again = partial(call, runs=2)  # type: ignore[attr-defined]
    return _called(call, f"{kind.__name__}.{method}", both)


NO_SAMPLER = (object, torch.nn.Module)


def _parameters(call: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a call, but for those of any name."""
    various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: one
        for name, one in inspect.signature(call).parameters.items()
        if one.kind not in various
    }


def _called(
    call: Callable[..., Any], name: str, parameters: dict[str, inspect.Parameter]
) -> Callable[..., Any]:
    """Return a function of keywords as one of this name with these parameters."""
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters.values()]
    call.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    call.__name__ = name
    return call


def of_scheduler(kind: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., Tensor]:
    """Return the loop that runs a scheduler of diffusers' form, as a function of its network.

    `kind(**settings)` has `set_timesteps`, `timesteps`, `step`, and perhaps `scale_model_input` and
    `init_noise_sigma`, the factor on a start of unit variance. Where it has `alphas_cumprod`, or
    the same by another usual name, its timesteps are read by that table.
    """

    def loop(model: Model, x: Tensor, steps: int) -> Tensor:
        return once(kind(**settings), model, x, steps)

    def again(model: Model, x: Tensor, steps: int) -> Tensor:
        scheduler = kind(**settings)
        once(scheduler, model, x, steps)
        return once(scheduler, model, x, steps)

    def once(scheduler: Any, model: Model, x: Tensor, steps: int) -> Tensor:
        scheduler.set_timesteps(steps)
        x = x * getattr(scheduler, "init_noise_sigma", 1.0)
        for t in scheduler.timesteps:
            value = (
                scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            )
            after = scheduler.step(model(value, t), t, x)
            after = getattr(after, "prev_sample", after)
            x = after if isinstance(after, Tensor) else after[0]
        return x

    loop.__name__, loop.again = kind.__name__, again  # type: ignore[attr-defined]
    if (own := _cumulative(kind(**settings))) is not None:
        loop.ratios = (1 / own - 1).sqrt().numpy()  # type: ignore[attr-defined]
    return loop


def _cumulative(scheduler: object) -> Tensor | None:
    """Return the products of 1 - beta that a scheduler has, by their usual names."""
    tables = (getattr(scheduler, name, None) for name in ROLES["cumulative"])
    known = (one for one in tables if isinstance(one, (Tensor, np.ndarray, list, tuple)))
    return next((torch.as_tensor(one).double() for one in known), None)


class _End(NamedTuple):
    """Where a run ends that is read by a convention: W2 to the data."""

    distance: float
    convention: str
    mesh: str
    sampler: Sampler


def load(
    call: Callable[..., Any],
    name: str,
    network: str = "",
    settings: dict[str, Any] | None = None,
    convention: str | None = None,
    shape: tuple[int, ...] | None = None,
) -> Sampler:
    """Return the sampler of a function, a class or an object, by the convention that is stated or
    that fits.

    `network` is its parameter that takes the network; a scheduler's class has none.

    Raises UserError for parameters that are not there or not known, an unknown convention, and
    where none fits or several do; what the function raises with every convention is raised.
    """
    if convention is not None and convention not in (
        known := [*CONVENTIONS, *OF_A_DISTILLED, *TWO_TIMES]
    ):
        raise unknown("convention", convention, known)
    if not network and adapters.is_scheduler(call):
        made = adapters.of_scheduler(call, name, settings or {}, convention)
        return replace(made, shape=shape)
    kind, module = arrays.library(call), call.__module__
    if isinstance(call, type):
        call = of_class(call)
    elif not hasattr(call, "__name__"):  # an object that can be called
        call = _called(partial(call), type(call).__name__, _parameters(call))
    if kind:
        call = arrays.of_tensors(call, kind, module)
    function = Function(call, network, settings or {}, shape=shape)
    roles, trouble, ends = set(function.roles.values()), [], list[_End]()
    meshes = ["timesteps"] if roles & {*TABLES} else ["falling", "rising"]
    for mesh in ["", *meshes] if "count" in roles else [*meshes, ""] if "times" in roles else [""]:
        asked = replace(function, times=mesh)
        try:
            times = asked.probe(STEPS).times
        except Exception as error:
            trouble.append(error)
            continue
        for each in [convention] if convention else _possible(times, roles, asked.each_beta):
            sampler = asked.sampler(name, each)
            try:
                ends.append(
                    _End(end_distance(sampler, two_targets(1.0), STEPS), each, mesh, sampler)
                )
            except Shared:
                return sampler  # refuted by any convention
            except Exception as error:
                trouble.append(error)
    if not ends:
        raise trouble[0]
    ends.sort(key=attrgetter("distance"))
    likely = [each for each in ends if each.distance < (distilled(each.convention) or inf)]
    best, *rest = ends if convention else likely or ends
    sampler, others = best.sampler, [each.distance for each in rest if each.mesh == best.mesh]
    if not convention and (
        not best.distance < NEAR or min(others, default=inf) < CLEARLY * best.distance
    ):
        near = "; ".join(
            f"{each.convention} (ends {each.distance:.2g} from the data)" for each in ends[:3]
        )
        raise UserError(
            f"what the network of {name} is told and returns is not clear: {near}; "
            "--convention PREDICTION@TIME "
            f"states it, one of {', '.join(CONVENTIONS)}"
        )
    x, exact = torch.zeros(2, 8, dtype=torch.float64), two_targets(1.0).network()
    silent, drawn = (
        trajectory(sampler, exact, x, STEPS, Draws()),
        driven(sampler, exact, x, STEPS, seeded(2, 8)),
    )
    still = torch.equal(silent.end, drawn.end) and not distilled(best.convention)
    if not (still or convention) and (other := f"consistency-{best.convention}") in OF_A_DISTILLED:
        leaping = replace(function, times=best.mesh).sampler(name, other)
        sampler = leaping if end_distance(leaping, two_targets(1.0), STEPS) < DISTILLED else sampler
    return replace(sampler, noise=0.0 if still else None)


def _possible(times: list[float], roles: set[str], each_beta: bool) -> list[str]:
    """Return the conventions in which a run may begin at times that are told first."""
    other = "linear" if roles & {*TABLES} else "betas"
    begins = [
        {name for name, kind in TIMES.items() if name != other and kind.least <= t <= kind.most}
        for t in times
    ]

    def fits(convention: str) -> bool:
        _, kind, names = _parts(convention)
        return len(names) <= len(times) and kind in (
            {"betas"} if each_beta else begins[names.index(kind)]
        )

    return [each for each in (*CONVENTIONS, *TWO_TIMES) if fits(each)]


def _role(parameter: inspect.Parameter) -> str:
    """Return what an argument is, by its name; times that are a whole number are a number of steps.

    One whose default is a number keeps it, where what the name usually is would be none.
    """
    role = next((role for role, names in ROLES.items() if parameter.name in names), "")
    if role in ("generator", "nothing") and parameter.default is not parameter.empty:
        return ""
    whole = parameter.annotation in (int, "int") or isinstance(parameter.default, int)
    if role == "times" and whole:
        return "count"
    return "" if role not in NUMBERS and isinstance(parameter.default, (int, float)) else role


def last_state(returned: Any, x: Tensor) -> Tensor:
    """Return the end of a run from what a function returned: a state, the last of several, the
    first state of a pair.

    States may be yielded, and a dictionary may hold one by a key of `STATES`. Raises TypeError for
    anything else.
    """
    while not (isinstance(returned, Tensor) and returned.numel() == x.numel()):
        inner = returned
        if isinstance(returned, Iterator):
            inner = next(iter(deque(returned, maxlen=1)), None)
        elif isinstance(returned, Mapping):
            inner = next((returned[key] for key in STATES if key in returned), None)
        elif isinstance(returned, (tuple, list, Tensor)) and len(returned):
            states = [
                each for each in returned if isinstance(each, Tensor) and each.numel() == x.numel()
            ]
            inner = (states or returned)[0] if isinstance(returned, tuple) else returned[-1]
        if inner is returned or inner is None:
            raise TypeError(
                f"the function returned {returned!r:.60}: a tensor of {tuple(x.shape)} expected"
            )
        returned = inner
    return returned
