r"""Where the states of a run are: at the noise level that the network is told, or at another one.

On data at a single point x0 the exact state is `scale x0 + sigma z`: its mean and its variance tell
where it is. From the state at one call, if it is where the network is told, a sampler's step leads
to

    A x + B x0 + w z            at            scale A + B,      sqrt((sigma A)^2 + w^2).

Steps of most methods are exact here, whatever their order. Those of others, as Euler's in time, are
off by a share of the step that falls with its length. A share that does not fall is a wrong level,
a wrong factor or a wrong noise, and the step with the largest one tells where to look in a refuted
sampler. So does a draw that acts in several steps.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck.affine_map import AFFINE, AffineMap, read_map
from samplercheck.coefficients import held_noise
from samplercheck.convergence import calls_a_step, past_start
from samplercheck.model import CLEAN, Recorded
from samplercheck.sampler import Sampler

STEPS = (40, 80)
FALLS, SEEN = 0.7, 0.02
"""A share of the step that falls by less from 40 to 80 steps, and is above `SEEN` with 80, is no
matter of length.
"""
MOST = 10.0  # lengths of a step: what is farther, or has no length, counts alike
# the share of a run at its end that is left out, as its start is: steps there lead to the data
END = 0.1
# the largest relative difference of a step's noise from that of its SDE, which is known to first
# order
AGREES = 0.2
ROUNDING = 1e-6  # a noise below it, relative, is none
SMALL = 1e-4  # of x0 and eps: below any threshold at which a library clips


class _Move(NamedTuple):
    """A step to the call `number`, `behind` calls after its first: where it ends, and the level
    that is passed there.

    `noise` is the step's, `expected` is that of the SDE, or that which would end it where it is
    told. `apart` is the distance between the two places, as a share of the step, in ln scale and ln
    sigma.
    """

    number: int
    behind: int
    at: tuple[float, float]
    passed: tuple[float, float]
    noise: float
    expected: float
    apart: float


def misplaced(sampler: Sampler) -> str:
    """Return in words where x is farthest from the level that the network is told, or which draw
    acts in several steps.

    Empty where there is neither, and where a run is not affine or its number of calls does not
    follow from its steps.
    """
    maps = [read_map(sampler, ONE_POINT, 2, steps) for steps in STEPS]
    calls = [len(map_.levels) for map_ in maps]
    each = calls_a_step(STEPS, calls)
    if each is None or maps[-1].defect > AFFINE:
        return ""
    if again := _acts_again(maps[-1], each):
        return again
    past = past_start(STEPS, calls)
    inner = [range(past + 1, int((1 - END) * count)) for count in calls]
    moves = [
        [move for move in _moves(map_, each, sampler.noise) if move.number in numbers]
        for map_, numbers in zip(maps, inner, strict=True)
    ]
    if not all(moves):
        return ""
    spread, level = spread_of(maps[-1], sampler.prior(STEPS[-1])), maps[-1].levels
    short, long = (max(those, key=lambda move: move.apart) for those in moves)
    if long.apart <= max(SEEN, FALLS * short.apart):
        return _behind(spread, level, inner[-1], each)
    first = long.number - long.behind
    if long.behind < each and _off(spread, level, long.number) < SEEN * _off(spread, level, first):
        return (
            f"{where(first, each)} x is at sigma {spread[first]:.4g}; the network is told "
            f"{level[first].sigma:.4g}"
        )
    text = (
        f"{where(long.number, each)} x is at {_level(long.at)}; the network is told "
        f"{_level(long.passed)}"
    )
    if long.noise < ROUNDING * long.passed[1]:
        return text
    if not sampler.noise:
        return (
            f"{text}; the step's noise is {long.noise:.4g}, with {long.expected:.4g} it would "
            "lead there"
        )
    # to end where it is told
    needed = math.sqrt(max(long.passed[1] ** 2 - long.at[1] ** 2 + long.noise**2, 0.0))
    if abs(long.noise - long.expected) < min(AGREES * long.expected, abs(needed - long.expected)):
        return f"{text}; the step's noise is right, so that its mean is not"
    return f"{text}; the step's noise is {long.noise:.4g}, expected {long.expected:.4g}"


def _behind(spread: Sequence[float], levels: Sequence[Level], numbers: range, each: int) -> str:
    """Return in words that at most calls x is at the level that the network is told at the next,
    empty if it is not.
    """
    ahead = [k for k in numbers if 0 < _off(spread, levels[1:], k) < SEEN * _off(spread, levels, k)]
    if 2 * len(ahead) < len(numbers):
        return ""
    k = ahead[-1]
    return (
        f"{where(k, each)} x is at sigma {spread[k]:.4g}; the network is told that of the call "
        "before"
    )


def where(number: int, each: int) -> str:
    """Return the place of a call in words: the one that ends a step, or one within it."""
    step, behind = divmod(number, each)
    return f"in step {step + 1}, call {behind + 1}," if behind or each > 1 else f"after step {step}"


def spread_of(map_: AffineMap, start: float) -> list[float]:
    """Return the standard deviation of x at each call and the end, from a start with this one."""
    return torch.hypot(start * map_.start[:, 1], map_.draws[:, :, 1].norm(dim=1)).tolist()


def _off(spread: Sequence[float], levels: Sequence[Level], number: int) -> float:
    """Return the distance of ln sigma at a call from the level that is passed there."""
    return abs(math.log(spread[number] / levels[number].sigma))


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return math.dist(tuple(map(math.log, one)), tuple(map(math.log, other)))


def _level(level: tuple[float, float]) -> str:
    return f"scale {level[0]:.4g}, sigma {level[1]:.4g}"


def _one_point(x: Tensor, level: Level) -> tuple[Tensor, Tensor]:
    """Return x0 and eps of data at one point, whose elements are `SMALL` and 0.

    Not by its score, as `Data.network` has it: x0 would be a difference that rounding spoils where
    x is far away.
    """
    x0 = SMALL * torch.tensor([1.0, 0.0], dtype=x.dtype).expand_as(x)
    return x0, (x - level.scale * x0) / level.sigma if level.sigma else torch.zeros_like(x)


def _carried(x: Tensor, level: Level) -> Tensor:
    (x0, eps), to = _one_point(x, level), level.next or CLEAN
    return to.scale * x0 + to.sigma * eps


ONE_POINT = Recorded(_one_point, consistency=_carried)


def _moves(map_: AffineMap, each: int, noise: float | None) -> list[_Move]:
    """Return the moves from the first call of each step to the later ones and to the next step."""
    moves = []
    for number in range(1, len(map_.levels)):
        first = (number - 1) // each * each
        before, after = map_.levels[first], map_.levels[number]
        if not (before.scale and before.sigma and after.scale and after.sigma):
            continue
        state, moved, draws = between(map_, first, number)
        mean, added, scale = (
            float(state) * before.sigma,
            float(draws.norm()),
            float(state * before.scale + moved),
        )
        at, passed = (scale, math.hypot(mean, added)), (after.scale, after.sigma)
        expected = math.sqrt(max(after.sigma**2 - mean**2, 0.0))
        if noise:
            expected = held_noise(before, after, noise)
        length = _distance(passed, (before.scale, before.sigma))
        apart = _distance(at, passed) / length if length and min(at) > 0 else MOST
        moves.append(_Move(number, number - first, at, passed, added, expected, min(apart, MOST)))
    return moves


def between(map_: AffineMap, first: int, last: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return A and B from one call to a later one, and the weights of the draws between them."""
    # 0/0 where each call forgets the state
    state = (map_.start[last, 1] / map_.start[first, 1]).nan_to_num(0.0)
    moved = (map_.offset[last, 0] - state * map_.offset[first, 0]) / SMALL
    return state, moved, (map_.draws[last] - state * map_.draws[first])[:, 1]


def _acts_again(map_: AffineMap, each: int) -> str:
    """Return in words which draw acts in several steps, if one does."""
    ends = range(each, len(map_.levels), each)
    if not map_.draws.shape[1] or not len(ends):
        return ""
    acts = torch.stack([between(map_, end - each, end)[2].abs() for end in ends])
    steps = (acts > ROUNDING * acts.max()).sum(0)
    return (
        f"draw {int(steps.argmax()) + 1} acts in several steps, as through a velocity"
        if steps.max() > 1
        else ""
    )
