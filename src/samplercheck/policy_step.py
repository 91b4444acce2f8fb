r"""A step that states a density, as its library ships it, without an adapter.

Such a step draws `x' ~ N(mean, std^2)` from a state x and the network's output, and returns the
logarithm of the density of x'. With a stored x' (`prev`) it returns that of the stored one.
Arguments are known by their usual names (`ROLES`). Those without a default are flags, which are
switched on, or are given by `--set`. Results are known by how they answer to `prev` and to the
draw, and by their names, or those of the variables in the `return` statement.

A step beside a scheduler, or of one, gets its levels from it: from `sigmas`, or from the table
`alphas_cumprod`. Other steps get times t = sigma in x = (1 - t) x_0 + t z, evenly spaced and then
shifted, `t -> shift t / (1 + (shift - 1) t)`, as in Stable Diffusion 3.
"""

import ast
import copy
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck import adapters, entry_points
from samplercheck.answered_draws import Draws, NotMade, Unanswered, answered
from samplercheck.model import noise_level

SHAPES = ((3, 5, 7), (15, 7), (105,), (3, 1, 5, 7))
"""The shapes of a state that are tried: odd sizes tell a sum over some dimensions from a 2."""
ROWS = 4
"""The states of a batch."""
_NAMES = {
    "owner": "self scheduler noise_scheduler sched",
    "output": "model_output noise_pred model_pred pred prediction velocity v v_pred output out eps "
    "model_out net_out net_output v_t v_theta pred_v velocity_pred pred_noise noise_prediction",
    "x": "sample latents x x_t xt z latent sample_t state x_cur x_curr cur_sample current",
    "prev": "prev_sample prev prev_latents prev_latent x_prev prev_x next_sample next_latents "
    "next_latent x_next stored stored_sample action next_state given_sample x_stored",
    "next": "t_next sigma_next next_t next_sigma sigma_prev t_prev next_timestep prev_timestep s "
    "timestep_next timestep_prev next_time",
    "time": "timestep t sigma timesteps sigma_t t_cur t_curr cur_t sigma_cur time",
    "length": "dt step_size delta_t",
    "times": "sigmas sigma_schedule schedule",
    "index": "index step_index i k idx",
    "table": "alphas_cumprod alpha_bars alpha_bar alphas_bar",
    "betas": "betas",
}
ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}
"""What an argument is, by its usual names."""
AS_USED = {
    "eta": 0.3,
    "noise_level": 0.7,
    "sigma_max": 0.98,
    "device": "cpu",
    "generator": None,
}
"""What is given for arguments without a default. An eta whose default is 0 becomes 1."""
CONFIGURATION = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "clip_sample": False,
    "set_alpha_to_one": False,
}
"""The settings of Stable Diffusion's schedulers, of which each takes those that it knows."""
SCHEDULERS = (
    "diffusers.schedulers.scheduling_flow_match_euler_discrete:FlowMatchEulerDiscreteScheduler",
    "diffusers.schedulers.scheduling_ddim:DDIMScheduler",
)
"""The schedulers that are tried where an argument does not say which it is."""
TIMES = ("flow", "flow1000", "rising", "cosine", "vp", "linear")
"""The times that are tried of a step that is given some."""


TABLE = (1 - entry_points._betas(entry_points.USUAL)).cumprod(0)
"""The products of 1 - beta that a step gets that asks for them, of timesteps from 999 to 0."""


class Results(NamedTuple):
    """What a step returns: sample, mean and std (rows, ...), log-density (rows,).

    What it does not return is None.
    """

    sample: Any
    log_prob: Tensor
    mean: Any
    std: Any


@dataclass(frozen=True)
class Step:
    """A step as its library ships it, at its settings.

    `call()` is that of a new object. `owner` is the class of the scheduler that it reads; None is
    no scheduler, `object` the object itself. `times` is the kind of time that it takes, of `each`
    row or one for all. `layout` has the keys of `Results`, `draws` says that it draws. What draws
    nothing has the spread std, times the root of a step's length if it is `rooted`. Each of a run
    of `steps` steps is judged. The name `torch.float32` stands for float64 where the step `asserts`
    that type.
    """

    call: Callable[[], Any]
    owner: Any
    roles: dict[str, str]
    settings: dict[str, Any]
    shape: tuple[int, ...]
    shift: float
    each: bool
    times: str
    steps: int
    asserts: bool = False
    layout: tuple[str, ...] = ()
    draws: bool = True
    rooted: bool = False

    def begin(self, steps: int) -> "Rollout":
        """Return a run of `steps` steps from noise to data."""
        call, even = self.call(), torch.linspace(1, 0, steps + 1, dtype=torch.float64)
        if self.owner is None:
            sigma = self.shift * even / (1 + (self.shift - 1) * even)
            time = {
                "flow": sigma,
                "flow1000": 1000 * sigma,
                "rising": 1 - sigma,
                "linear": (999 * even).round().long(),
            }.get(self.times, even)
            level = entry_points.TIMES[self.times].level
            return Rollout(self, call, None, [level(t) for t in time.tolist()], time)
        owner = call.__self__ if self.owner is object else _new(self.owner, {"shift": self.shift})
        table = entry_points._cumulative(owner)
        if table is None and "sigmas" in entry_points._parameters(owner.set_timesteps):
            owner.set_timesteps(sigmas=even[:-1].tolist())
        else:
            owner.set_timesteps(steps)
        if table is None:
            scales = [(1 - s, s) for s in torch.as_tensor(owner.sigmas).tolist()]
        else:
            last = torch.as_tensor(getattr(owner, "final_alpha_cumprod", 1.0)).reshape(1)
            squares = torch.cat([table[torch.as_tensor(owner.timesteps).long()], last]).tolist()
            scales = [(a**0.5, (1 - a) ** 0.5) for a in squares]
        times = torch.as_tensor(owner.timesteps)
        levels = [noise_level(*each) for each in scales]
        return Rollout(self, call, owner, levels, torch.cat([times, times[:1] * 0]))


@dataclass
class Rollout:
    """A run of a step: the call of its object, its scheduler, levels and times.

    `half` says whether the last step computed in half precision.
    """

    step: Step
    call: Any
    owner: Any
    levels: list[Level]
    times: Tensor
    half: bool = False

    def copy(self) -> "Rollout":
        """Return the run with a copy of its object, whose state later calls change by itself."""
        call, owner = copy.deepcopy((self.call, self.owner))
        return replace(self, call=call, owner=owner)

    def root(self, k: int) -> float:
        """Return the root of a step's length in sigma."""
        return abs(self.levels[k].sigma - self.levels[k + 1].sigma) ** 0.5

    def raw(
        self,
        k: int,
        x: Tensor,
        output: Tensor,
        prev: Tensor | None = None,
        draw: Tensor | float | None = 0.0,
        widen: bool = True,
        grad: bool = False,
    ) -> dict[str, Tensor]:
        """Return the results of step `k` by name.

        Its normal numbers are `draw`; None leaves them as they are. Raises what the step raises.
        """
        time, ahead = (
            time.expand(len(x)) if self.step.each else time for time in self.times[k : k + 2]
        )
        values = {
            "owner": self.owner,
            "output": output,
            "x": x.clone(),
            "prev": prev,
            "time": time,
            "next": ahead,
            "length": ahead - time,
            "times": self.times,
            "index": k,
            "table": TABLE,
            "betas": 1 - TABLE / torch.cat([TABLE[:1] ** 0, TABLE[:-1]]),
        }
        given = {name: values[role] for name, role in self.step.roles.items()} | self.step.settings
        asserts = self.step.asserts and widen
        types = patch.object(torch, "float32", torch.float64) if asserts else nullcontext()
        if draw is None:
            with types:
                return self._named(self.call(**given))
        value = torch.zeros(x.shape, dtype=torch.float64) + draw
        draws = Draws(lambda j, shape: value.reshape(shape))
        with answered(draws, len(x), widen, x[0].numel()), torch.set_grad_enabled(grad), types:
            results = self._named(self.call(**given))
        self.half = draws.narrow
        if draws.normals > 1:
            raise NotMade("it draws more than once a step")
        return results

    def _named(self, returned: Any) -> dict[str, Tensor]:
        """Return results that are numbers by name: keys, fields, variables of a `return`."""
        if isinstance(returned, (tuple, list)):
            function = getattr(self.call, "__func__", self.call)
            tuples = getattr(returned, "_fields", ()), *_returned(function)
            names = (each for each in tuples if len({*each}) == len(returned))
            places = map(str, range(len(returned)))
            returned = dict(zip(next(names, places), returned, strict=True))
        results = returned if isinstance(returned, Mapping) else vars(returned)
        return {
            key: torch.as_tensor(value)
            for key, value in results.items()
            if isinstance(value, (Tensor, float, int))
        }

    def __call__(
        self, k: int, x: Tensor, output: Tensor, prev: Tensor | None = None, **options: Any
    ) -> Results:
        """Return the results of step `k`; of one that draws nothing a draw from what it states."""
        if prev is None and not self.step.draws:
            stated = self(k, x, output, x, **options)
            std = stated.std * (self.root(k) if self.step.rooted else 1)
            draw = options.get("draw", 0.0)
            prev = stated.mean + std * (torch.randn_like(x) if draw is None else draw)
        values = self.raw(k, x, output, prev, **options)
        sample, log_prob, mean, std = (values.get(key) for key in self.step.layout)
        rows = torch.tensor(math.nan) if log_prob is None else log_prob
        rows = (rows.expand(len(x)) if rows.numel() == 1 else rows).reshape(len(x), -1).sum(1)
        wide = None if std is None else _wide(std, x)
        return Results(prev if sample is None else sample, rows, mean, wide)


@cache
def _returned(function: Any) -> list[list[str]]:
    """Return the names in each tuple that a function returns."""
    with suppress(OSError, TypeError, SyntaxError):
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
        return [
            [ast.unparse(name) for name in node.value.elts]
            for node in ast.walk(tree)
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        ]
    return []


def _wide(value: Tensor, x: Tensor) -> Tensor:
    """Return a number, or one of each row, in the shape of x."""
    rows = value.reshape(-1, *[1] * (x.dim() - 1))
    return (rows if value.dim() == 1 else value).expand_as(x)


def _new(kind: Callable[..., Any], settings: dict[str, Any], method: str = "") -> Any:
    """Return an object of a class, or its method."""
    known, given = entry_points._parameters(kind), CONFIGURATION | settings
    made = kind(**{key: value for key, value in given.items() if key in known})
    return getattr(made, method) if method else made


def of(
    target: Any,
    settings: dict[str, Any] | None = None,
    convention: str | None = None,
    shape: tuple[int, ...] | None = None,
    steps: int = 10,
) -> Step:
    """Return the step of a function, or of a method of a class, in the first form that runs.

    Raises NotMade where no argument is known as the network's output, the state or a stored sample,
    or no result as a log-density; else what the first form raises.
    """
    given = dict(settings or {})
    shift, trouble = float(given.get("shift", 3.0)), list[Exception]()
    calls: list[Callable[[], Any]] = [lambda: target]
    if isinstance(target, type):
        own = (name for name in dir(target) if inspect.isfunction(getattr(target, name)))
        calls = [partial(_new, target, given, name) for name in own if name[:2] != "__"]
    times = (convention or "").rpartition("@")[2]
    forms = [
        Step(call, owner, roles, taken, size, shift, each, time, steps)
        for call in calls
        for owner, roles, taken in _known(target, call, given)
        for size in ([shape] if shape else SHAPES)
        for each in (True, False)
        for time in ([times] if times else ["linear"] if "table" in roles.values() else TIMES)
    ]
    for asserts, finite, form in product((False, True), (True, False), forms):
        try:
            return _laid_out(replace(form, asserts=asserts), finite)
        except Unanswered:
            raise
        except Exception as error:
            trouble.append(error)
    wanted = "write a function step(model_output, t, t_next, x, prev=None) around it"
    reason = next(
        (one for one in trouble if isinstance(one, NotMade)), [*trouble, NotMade(wanted)][0]
    )
    if isinstance(target, type):
        reason.add_note(f"the object is made, and nothing else is called: {wanted}")
    raise reason


def _known(
    target: Any, call: Callable[[], Any], given: dict[str, Any]
) -> Iterator[tuple[Any, dict[str, str], dict[str, Any]]]:
    """Yield what a call may take: a scheduler, the roles of arguments, the values of others."""
    parameters = entry_points._parameters(call())
    roles = {name: ROLES[name] for name in parameters if name in ROLES and name not in given}
    if not {"output", "x", "prev"} <= {*roles.values()}:
        return
    taken = {key: value for key, value in given.items() if key in parameters}
    owners: list[Any] = [object if adapters.is_scheduler(target) else None]
    for name, one in parameters.items():
        if roles.get(name) == "owner":
            asked = adapters.is_scheduler(one.annotation)
            owners = [one.annotation] if asked else [*map(adapters.function, SCHEDULERS)]
        elif name not in roles | taken and one.default is one.empty:
            taken[name] = AS_USED.get(name, True)
        elif name == "eta" and not one.default:
            taken.setdefault(name, 1.0)
    for owner in owners:
        yield owner, roles, taken


def normal(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Return fixed standard normal numbers in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def _laid_out(step: Step, finite: bool) -> Step:
    """Return the step with the keys of its results, as its second step answers.

    The sample moves with the draw, the log-density with `prev`. Raises NotMade where no result is a
    log-density, or it is not finite where it is to be.
    """
    run, shape = step.begin(step.steps), (ROWS, *step.shape)
    x, output, one, other = (normal(seed, shape) for seed in range(4))
    drawn, unit, why = dict[str, Tensor](), dict[str, Tensor](), ""
    try:
        run.raw(0, x, output)
        drawn, unit = (run.copy().raw(1, x, output, draw=draw) for draw in (0.0, 1.0))
    except Unanswered:
        raise
    except Exception as error:  # it needs a stored sample
        drawn, why = {}, f"{error!r:.150}"
    first, second = (run.copy().raw(1, x, output, prev) for prev in (one, other))
    spreads = {key: unit[key] - value for key, value in drawn.items()}
    moved = (key for key, value in spreads.items() if value.shape == x.shape and value.any())
    sample = next(moved, "")
    if drawn and not sample:
        raise NotMade(
            "its second step draws nothing: state the noise, as --set eta=1, or what its network "
            "returns and which times it takes, as --convention eps@linear"
        )
    left = {key: value.numel() for key, value in first.items() if key != sample}
    still = {
        key: _same(first[key], second[key])
        for key, size in left.items()
        if size == 1 or not size % ROWS
    }
    answers = [key for key in still if "log" in key or not still[key]]
    if not answers:
        raise NotMade("it returns no log-density: no result answers to the stored sample")
    log_prob = min(answers, key=lambda key: (still[key], "log" not in key, first[key].numel()))
    if finite and not bool(first[log_prob].isfinite().all()):
        raise NotMade("its log-density is not finite")
    del still[log_prob]

    def like(word: str, value: Tensor | None) -> str:
        """Return the key with this word, else the one whose result has this value."""
        alike = (
            key
            for key in still
            if value is not None
            and left[key] in (1, ROWS, x.numel())
            and _same(_wide(first[key], x), value)
        )
        return next((key for key in still if word in key), next(alike, ""))

    layout = sample, log_prob, like("mean", drawn.get(sample)), like("std", spreads.get(sample))
    if not drawn and not all(layout[2:]):
        raise NotMade(f"it draws nothing, and returns no mean and std; to draw raises {why}")
    return replace(step, layout=layout, draws=bool(drawn))


def _same(one: Tensor, other: Tensor) -> bool:
    """Return whether results are finite and agree up to rounding."""
    return bool(((one - other).abs() <= 1e-6 * other.abs().max()).all())
