r"""The weight of each output of the network in a step, read off a run, and what the nearest known
method has there.

The network here ignores its input: its k-th output is a small number in element k and zero
elsewhere, so that element k of the states is their response to that output alone. Outputs are given
in the prediction of which a method combines fewest. With `v = sigma / scale`, `lambda = -ln v` and
noise eta, kappa = 1 + eta^2, the exact step then is

    eps    y = x / scale     y' = y + kappa int eps dv
    x0     u = x / sigma
           u' = exp((1 - kappa) h) u + kappa int x0 exp((1 - kappa) lambda' + kappa l) dl
    flow   x (eta = 0)       x' = x + int flow dt,     t = sigma, where scale + sigma = 1

and a step's weights, in units of that integral of 1, are compared with those of the polynomial
through the same outputs: as a function of lambda, v or t (DEIS; Adams and Bashforth; Heun), or with
the integral in lambda (DPM-Solver++(2M)). Where these agree and a step makes one draw (eta = 1),
its weight is compared with the nearer of

    sigma' sqrt(1 - exp(-2 h))     (the exact step with x0 held)
    sqrt(1 - (scale / scale')^2)   (the larger variance)

or, of a variance-exploding process, scale' sqrt(v^2 - v'^2) (reverse diffusion) in place of the
last.

For a refuted sampler the weight that is farthest from the nearest method's tells where to look.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import count, product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.answered_draws import Draws
from samplercheck.convergence import calls_a_step, past_start, ratio
from samplercheck.model import Recorded
from samplercheck.sampler import Sampler, trajectory

STEPS = (16, 20)
"""Of the runs: the second one is read, the first tells how many calls a step makes."""
STATE, NOISE = -1, -2
SMALL = 1e-4  # of an output: below any threshold at which a library clips
# a weight that counts; two that agree; outputs that a step combines at most
SEEN, SAME, MOST = (
    1e-7,
    1e-6,
    4,
)
_NODES, _GAUSS = np.polynomial.legendre.leggauss(16)
Function = Callable[[np.ndarray], np.ndarray]
VARIABLES: dict[str, Function] = {
    "lambda": lambda lam: lam,
    "v": lambda lam: np.exp(-lam),
    "t": lambda lam: 1 / (1 + np.exp(lam)),
}
PREDICTIONS = ("eps", "x0", "flow")
INVERTED, REVERSED = "as if the ratio of two steps were inverted", "as if paired in reverse"
PAIR, FEWEST = 2, 3
"""Outputs of which the ratio of two steps is weighted; steps that tell a slip."""
SMALLEST = 24
"""The largest denominator of a fraction that a person writes."""


class Weight(NamedTuple):
    """In `step`, from 1 on, the weight of the output `back` calls before the last one, beside the
    `expected` one.

    `back` is `STATE` for the state's own weight, `NOISE` for that of the draw. `method` has the
    expected one. `slip` says how the weights of all steps follow from expected ones, where that is
    known.
    """

    step: int
    back: int
    got: float
    expected: float
    method: str
    slip: str = ""

    def text(self) -> str:
        """Return it in words."""
        many = "s" if self.back > 1 else ""
        of = {NOISE: "the noise", STATE: "the state", 0: "the last output"}.get(
            self.back, f"the output {self.back} call{many} back"
        )
        words = (
            f"step {self.step}: weight of {of} {_shown(self.got)}, expected "
            f"{_shown(self.expected)} ({self.method})"
        )
        return f"{words}; {self.slip}" if self.slip else words


class _Step(NamedTuple):
    """A step between two noise levels: the levels of its outputs, the newest last.

    `start` is the number of the last step of the run's start. The outputs are so many calls `back`.
    `weights` are that of the state, which is `kept` in the exact step, then those of the outputs.
    `noise` has the weight of the draws and those of both rules.
    """

    number: int
    start: int
    ends: tuple[float, float]
    nodes: list[float]
    back: list[int]
    kept: float
    weights: np.ndarray
    noise: tuple[float, float, float]


def explained(worst: Weight | None) -> bool:
    """Return whether a weight tells of a slip, and not of a method that is not known."""
    return worst is not None and (worst.back == NOISE or bool(worst.slip))


def worst_weight(sampler: Sampler) -> Weight | None:
    """Return the weight that is farthest from that of the nearest method, None where all agree or
    none can be read.

    Steps past the start are looked at first, since a right start may be of another method, and then
    all of them.
    """
    noise = 1.0 if sampler.noise is None else sampler.noise
    if noise not in (0.0, 1.0):
        return None
    read = {prediction: _read(sampler, prediction, 1 + noise) for prediction in PREDICTIONS}
    inner = {
        name: [step for step in steps if step.number > step.start] for name, steps in read.items()
    }
    worst = _farthest(inner, noise) or _farthest(read, noise)
    return worst if sampler.noise is not None or (worst and worst.back == NOISE) else None


def _farthest(read: dict[str, list[_Step]], noise: float) -> Weight | None:
    """Return the weight that is farthest from that of the nearest method, among the steps as read
    by prediction.

    The nearest method is one with which all agree. Else it has the same weights in each step if
    these do, then small fractions where the step has some, then most that agree, then the least
    sum of differences.
    """
    kappa, tried = 1 + noise, list[_Tried]()
    for prediction, steps in read.items():
        methods = product(densities(prediction, kappa).items(), VARIABLES) if steps else ()
        for (name, density), variable in methods:
            expected = [_expected(step, density, VARIABLES[variable]) for step in steps]
            apart = [
                np.abs(step.weights - other) for step, other in zip(steps, expected, strict=True)
            ]
            every = np.concatenate(apart)
            if np.isfinite(every).all():
                method = f"int {prediction} {name}, polynomial in {variable}"
                vary = _vary([step.weights for step in steps]), _vary(expected)
                share = float((every < SAME).mean())
                written = _of_fractions([*expected, *(step.weights for step in steps)])
                kind = share < 1, vary[0] != vary[1], vary[0], not written
                rank = (*kind, -share, float(every.sum()))
                slip = _slip(steps, expected, VARIABLES[variable]) if share < 1 else ""
                tried.append(_Tried(rank, method, steps, expected, apart, slip))
    if not tried:
        return None
    nearest = min(tried, key=lambda one: one.rank)
    if nearest.rank[0]:
        nearest = next(
            (one for one in sorted(tried, key=lambda one: one.rank) if one.slip), nearest
        )
    else:
        return _worst_noise(nearest.steps) if noise else None
    _, method, steps, expected, apart, slip = nearest
    at = max(range(len(steps)), key=lambda i: float(apart[i].max()))
    place = int(apart[at].argmax())
    back = steps[at].back[place - 1] if place else STATE
    return Weight(
        steps[at].number,
        back,
        float(steps[at].weights[place]),
        float(expected[at][place]),
        method,
        slip,
    )


class _Tried(NamedTuple):
    """A method, its rank as the nearest one, its weights beside those of the steps, and the slip
    that explains them.
    """

    rank: tuple[bool, bool, bool, bool, float, float]
    method: str
    steps: list[_Step]
    expected: list[np.ndarray]
    apart: list[np.ndarray]
    slip: str


def _slip(steps: list[_Step], expected: list[np.ndarray], variable: Function) -> str:
    """Return in words the slip by which a method has all weights of the steps, empty where there is
    none.
    """
    several = [
        (step, other) for step, other in zip(steps, expected, strict=True) if len(step.nodes) > 1
    ]
    if len(several) < FEWEST:
        return ""

    def inverted(step: _Step, other: np.ndarray) -> np.ndarray:
        before, now, after = variable(np.array([*step.nodes, step.ends[1]]))
        # a step that calls at its own end, as Heun's, has no next step whose ratio it could have
        old = other[1] * ((now - before) / (after - now)) ** 2 if after != now else math.nan
        return np.array([other[0], old, other[1] + other[2] - old])

    def in_reverse(_: _Step, other: np.ndarray) -> np.ndarray:
        return np.concatenate([other[:1], other[:0:-1]])

    slips: dict[str, Callable[[_Step, np.ndarray], np.ndarray]] = {REVERSED: in_reverse}
    if all(len(step.nodes) == PAIR for step, _ in several):
        slips[INVERTED] = inverted
    for words, slipped in slips.items():
        if all(np.abs(of[0].weights - slipped(*of)).max() < SAME for of in several):
            return words
    return ""


def _of_fractions(weights: Sequence[np.ndarray]) -> bool:
    """Return whether all weights are small fractions, as a person writes them: 1/2 or 0.6."""
    every = {float(weight) for each in weights for weight in each.round(9)}
    return all(abs(Fraction(one).limit_denominator(SMALLEST) - one) < SAME for one in every)


def _vary(weights: Sequence[np.ndarray]) -> bool:
    return len({tuple(each.round(6)) for each in weights}) > 1


def _worst_noise(steps: list[_Step]) -> Weight | None:
    """Return the weight of a draw that is farthest from the nearer rule's, None where all agree or
    none was drawn.
    """
    steps = [step for step in steps if step.noise[0]]
    if not steps:
        return None
    weights = np.array([step.noise for step in steps])
    apart = np.abs(weights[:, :1] / weights[:, 1:] - 1)
    rule = int(apart.max(0).argmin())
    at = int(apart[:, rule].argmax())
    if apart[at, rule] < SAME:
        return None
    got, expected = float(weights[at, 0]), float(weights[at, 1 + rule])
    return Weight(steps[at].number, NOISE, got, expected, ("x0 held", "the larger variance")[rule])


def densities(prediction: str, kappa: float) -> dict[str, Function]:
    """Return the integrals of a prediction by their names, each as a density in lambda."""
    if prediction == "x0":
        return {"d exp(lambda)": lambda lam: np.exp(kappa * lam), "d lambda": np.ones_like}
    if prediction == "eps":
        return {"dv": lambda lam: np.exp(-lam)}
    return {"dt": lambda lam: np.exp(lam) / (1 + np.exp(lam)) ** 2}


def _run(sampler: Sampler, prediction: str, steps: int, width: int) -> list[tuple[Level, Tensor]]:
    """Return level and input (3, width) of each call of a run; sample 1 starts at `SMALL`, sample 2
    draws it.
    """
    start, asked = torch.zeros(3, width, dtype=torch.float64), Draws()
    start[1] = SMALL

    def drawn(_: int, shape: torch.Size) -> Tensor:
        value = torch.zeros(3, width, dtype=torch.float64)
        value[2] = SMALL
        return value.reshape(shape)

    calls = trajectory(sampler, _impulses(prediction), start, steps, asked).calls
    if steps - 1 <= asked.normals <= steps and not asked.times:
        calls = trajectory(sampler, _impulses(prediction), start, steps, Draws(drawn)).calls
    return [(call.level, call.x) for call in calls]


def _read(sampler: Sampler, prediction: str, kappa: float) -> list[_Step]:
    """Return the steps of a run by their weights, none where most of them combine more than `MOST`
    outputs.

    None either where a run's number of calls depends on its values, as with step-size control.
    """
    short, long = (len(_run(sampler, prediction, steps, 1)) for steps in STEPS)
    each = calls_a_step(STEPS, (short, long)) or 1
    calls, read = _run(sampler, prediction, STEPS[-1], long), []
    start = past_start(STEPS, (short, long)) // each
    if len(calls) != long or (prediction == "flow" and not linear([level for level, _ in calls])):
        return []
    for number, i in enumerate(range(0, len(calls) - each, each), 1):
        (before, x), (after, x_next) = calls[i], calls[i + each]
        if not (before.scale and before.sigma and after.scale and after.sigma) or ratio(
            after
        ) >= ratio(before):
            continue
        y, y_next = x / unit(before, prediction), x_next / unit(after, prediction)
        kept = float((y_next[1] - y_next[0])[0] / (y[1] - y[0])[0])
        weights = (
            (y_next[0] - kept * y[0]).numpy() / SMALL / whole(before, after, prediction, kappa)
        )
        used, newest = np.flatnonzero(np.abs(weights) > SEEN), i + each - 1
        # a method that leaves it out has a stale one in its place
        if len(used) and newest not in used:
            used = np.append(used[1:], newest)
        if 0 < len(used) <= MOST and math.isfinite(kept):
            ends = -math.log(ratio(before)), -math.log(ratio(after))
            exact = math.exp((1 - kappa) * (ends[1] - ends[0])) if prediction == "x0" else 1.0
            nodes = [
                -math.log(ratio(calls[k][0])) if calls[k][0].scale else -math.inf for k in used
            ]
            drawn = (
                float((y_next[2] - y_next[0] - kept * (y[2] - y[0]))[0])
                / SMALL
                * unit(after, prediction)
            )
            held = held_noise(before, after)
            diffused = after.scale * math.sqrt(ratio(before) ** 2 - ratio(after) ** 2)
            larger = (
                math.sqrt(1 - (before.scale / after.scale) ** 2)
                if before.scale < after.scale
                else diffused
            )
            noise = abs(drawn), held, larger if prediction == "x0" else diffused
            back, all_weights = (newest - used).tolist(), np.array([kept, *weights[used]])
            read.append(_Step(number, start, ends, nodes, back, exact, all_weights, noise))
    return read if 2 * each * len(read) > len(calls) else []


def held_noise(before: Level, after: Level, noise: float = 1.0) -> float:
    """Return the noise of the exact step with x0 held, of the reverse SDE with noise eta: `1 -
    exp(-2 eta^2 h)`.
    """
    return after.sigma * math.sqrt(
        abs(math.expm1(2 * noise**2 * math.log(ratio(after) / ratio(before))))
    )


def _impulses(prediction: str) -> Recorded:
    """Return the network whose k-th output, of one run, is `SMALL` in element k."""
    numbers = count()

    def pair(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        value, number = torch.zeros_like(x), next(numbers)
        if number < x.shape[1]:
            value[:, number] = SMALL
        match prediction:
            case "eps":
                return (x - level.sigma * value) / level.scale if level.scale else torch.zeros_like(
                    x
                ), value
            case "x0":
                return value, (
                    x - level.scale * value
                ) / level.sigma if level.sigma else torch.zeros_like(x)
            case _:
                return x - level.sigma * value, x + level.scale * value

    return Recorded(pair)


def linear(levels: Sequence[Level]) -> bool:
    """Return whether scale and sigma add up to 1, as a velocity's time assumes."""
    return all(abs(level.scale + level.sigma - 1) <= SAME for level in levels)


def unit(level: Level, prediction: str) -> float:
    """Return the number by which a state is divided in the equation of a prediction."""
    return {"eps": level.scale, "x0": level.sigma, "flow": 1.0}[prediction]


def whole(before: Level, after: Level, prediction: str, kappa: float) -> float:
    """Return the exact integral of a step for an output of 1."""
    if prediction == "flow":
        return after.sigma - before.sigma
    start, end = ratio(before), ratio(after)
    return kappa * (end - start) if prediction == "eps" else (1 - (end / start) ** kappa) / end


def _expected(step: _Step, density: Function, variable: Function) -> np.ndarray:
    """Return the weights of the state and of the outputs; not finite where two outputs coincide."""
    return np.array([step.kept, *interpolation(step.ends, step.nodes, density, variable)])


def interpolation(
    ends: tuple[float, float], nodes: Sequence[float], density: Function, variable: Function
) -> np.ndarray:
    """Return the weights of outputs at `nodes` in lambda, by the polynomial through them,
    integrated between `ends`.
    """
    start, end = ends
    lam = (start + end) / 2 + (end - start) / 2 * _NODES
    measure, at = _GAUSS * density(lam), variable(lam)
    places, values = variable(np.array(nodes)), np.ones((len(nodes), len(lam)))
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, place in enumerate(places):
            for other in np.delete(places, k):
                values[k] *= (at - other) / (place - other)
        return np.asarray(values @ measure / measure.sum())


def _shown(value: float) -> str:
    """Return a number, as a fraction where it is a simple one."""
    simple = Fraction(value).limit_denominator(96)
    return str(simple) if abs(simple - Fraction(value)) < SEEN else f"{value:.4g}"
