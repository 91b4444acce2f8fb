r"""Facts on a run that its limit forgets: noted, with the step, since a method may have them by
design.

All are read on data at one point (`placement`), where most deterministic steps are exact, whatever
their order:

- a step leads along the process to another level than the network is passed next. On a variance-
  preserving process, or a straight path, Euler's method in time leaves the process; a step of DDIM
  to a wrong level stays on it. Of a variance-exploding one the scale is 1 everywhere, so that any
  step stays on it;
- x is exact at a third of the calls or more, as after a step, and off at the others, as within one,
  or after new noise;
- one noise level is passed in fewer calls than most, where these make two or more (Heun's method);
- the level of the end falls as steps are added, or that of the first call rises: a step is missing;
- noise is added after the last call, and less of it in more steps, as of a step that adds none;
- a network that is passed two times is passed one twice: it returns the derivative there, no step.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from ams.schedules import Level
from samplercheck.affine_map import AffineMap
from samplercheck.convergence import ratio
from samplercheck.placement import between, where
from samplercheck.stated_levels import end_level

PARTLY, FAR = 1 / 3, 0.1
"""The least share of exact calls beside which others are noted that are off by more, as a
logarithm.
"""
OFF = 0.02
"""What moves a first level or an end: its logarithm, or what is added in the data's scale."""
ON, ASIDE = 1e-5, 0.005
"""How near the process a step leads that stays on it; the logarithm of a factor that is noted
there.
"""
MOVES = 0.8
"""With twice the steps the level of the end is this part of it or less, where a step is missing."""


class PointRun(NamedTuple):
    """A run of `steps` steps on data at one point, `longer` one of twice as many, `each` its calls
    a step.

    `views` have ln(sigma of x / the level passed) by call, in three readings. `unit` is the data's
    standard deviation of an inversion, else 1; `scale` is that of the sampler's data. `one_start`:
    the library's start is the same in any number of steps. `distilled`: its network is a
    consistency function, of which each end is judged.
    """

    steps: int
    map_: AffineMap
    longer: AffineMap
    views: Sequence[dict[int, float]]
    each: int
    unit: float
    scale: float
    one_start: bool
    distilled: bool


def departures(run: PointRun) -> str:
    """Return the first of the facts in words, empty where there is none."""
    drawn = bool(run.map_.draws[:, :, 1].norm() > 0)
    return next(filter(None, _facts(run, drawn)), "")


def _facts(run: PointRun, drawn: bool) -> Iterator[str]:
    yield _equal_times(run.map_.levels)
    if not drawn:
        yield _fewer_calls(run)
        yield _aside(run)
    if not run.distilled:
        yield _partly(run)
    yield _first_level(run) if run.one_start else ""
    yield _last_step(run)
    yield _last_draw(run)


def _equal_times(levels: Sequence[Level]) -> str:
    twice = [level for level in levels if level.next and ratio(level.next) == ratio(level)]
    words = (
        f"{len(twice)} of {len(levels)} calls pass the network one time twice: no step is asked for"
    )
    return words if twice else ""


def _fewer_calls(run: PointRun) -> str:
    """Return in words which level past the first is passed in fewer calls than most, of those with
    noise.

    Not the last one, where all steps make as many calls or the run ends at it: a stage that closes
    the last step.
    """
    levels, end = run.map_.levels, end_level(run.map_)
    equal = groupby(float(f"{ratio(level):.9g}") for level in levels)
    counts = [len(list(calls)) for level, calls in equal if level]
    usual = max(set(counts), key=counts.count)
    closed = len(levels) % run.steps == 0 or (
        end and abs(ratio(end) - ratio(levels[-1])) <= ON * ratio(end)
    )
    fewer = [
        step
        for step, count in enumerate(counts[: -1 if closed else None])
        if step and count < usual
    ]
    if 2 * counts.count(usual) <= len(counts) or not fewer:
        return ""
    return (
        f"level {fewer[-1] + 1} of {len(counts)} is passed in "
        f"{counts[fewer[-1]]} call, most in {usual}"
    )


def _aside(run: PointRun) -> str:
    """Return in words the step that leads farthest along the process from the level passed next."""
    curve = _process(run.map_.levels, run.unit)
    if curve is None:
        return ""
    count = len(run.map_.levels)
    places = (range(1 + place, count, run.each) for place in range(run.each))
    return max((_farthest(run, curve, calls) for calls in places), default=(0.0, ""))[1]


def _farthest(
    run: PointRun, curve: Callable[[Level], float], calls: Sequence[int]
) -> tuple[float, str]:
    """Return how far the farthest of these calls is from its level, and in words.

    It is 0 where one of them is not on the process.
    """
    at, apart = curve(run.map_.levels[0]), dict[int, tuple[float, float, float]]()
    for call in calls:
        first = (call - 1) // run.each * run.each
        before, after = run.map_.levels[first], run.map_.levels[call]
        state, moved, _ = between(run.map_, first, call)
        scale = float(state) * before.scale + float(moved)
        here = Level(0, sigma=abs(float(state)) * before.sigma, scale=scale)
        if min(before.sigma, before.scale, after.sigma, after.scale, here.sigma, here.scale) <= 0:
            continue
        if abs(curve(here) - at) > ON * at:
            return 0.0, ""
        apart[call] = abs(math.log(ratio(here) / ratio(after))), ratio(here), ratio(after)
    call = max(apart, key=lambda call: apart[call][0], default=0)
    if not call or apart[call][0] <= ASIDE:
        return 0.0, ""
    off, here_, passed = apart[call]
    many = sum(one > ASIDE for one, *_ in apart.values())
    words = f"{where(call, run.each)} x is at sigma / scale {here_:.4g}, and the network is passed"
    return (
        off,
        f"{words} {passed:.4g}; so, by more than {ASIDE:.1%}, at {many} of {len(apart)} such calls",
    )


def _process(levels: Sequence[Level], unit: float) -> Callable[[Level], float] | None:
    """Return what is constant along the levels: scale, sigma, their sum or that of squares, or
    None.
    """

    def scale(level: Level) -> float:
        return level.scale

    def sigma(level: Level) -> float:
        return level.sigma

    def total(level: Level) -> float:
        return level.scale + level.sigma / unit

    def norm(level: Level) -> float:
        return math.hypot(level.scale, level.sigma / unit)

    for constant in (scale, sigma, total, norm):
        values = [constant(level) for level in levels]
        if max(values) - min(values) <= ON * max(values):
            return constant
    return None


def _partly(run: PointRun) -> str:
    """Return in words the call that is farthest off, where x is exact at many others."""

    def exact(view: dict[int, float]) -> int:
        return sum(abs(one) <= ON for one in view.values())

    view = max(run.views, key=exact)
    off = [call for call in view if abs(view[call]) > FAR and call < len(run.map_.levels)]
    if exact(view) < PARTLY * len(view) or not off:
        return ""
    call = max(off, key=lambda call: abs(view[call]))
    words = (
        f"{where(call, run.each)} sigma of x is {math.exp(view[call]):.4g} times the level passed"
    )
    return f"{words}, off at {len(off)} calls, exact at {exact(view)} of {len(view)}"


def _first_level(run: PointRun) -> str:
    """Return in words how the first call's level rises where the number of steps is doubled."""
    first, longer = ratio(run.map_.levels[0]), ratio(run.longer.levels[0])
    if not (0 < first < math.inf and first * math.exp(OFF) < longer < math.inf):
        return ""
    words = f"the first call is passed sigma / scale {first:.4g}, with twice the steps {longer:.4g}"
    return f"{words}, from one start: as if a first step were missing"


def _last_step(run: PointRun) -> str:
    """Return in words how the end's level moves where the number of steps is doubled."""
    end, longer = end_level(run.map_), end_level(run.longer)
    if (
        end is None
        or longer is None
        or min(end.scale, longer.scale) <= 0
        or not run.map_.levels[-1].sigma
    ):
        return ""  # at no noise the network knows nothing of it, and a stage there leaves some
    noise, noise_longer = ratio(end), ratio(longer)
    if noise > ON and noise_longer < MOVES * noise:
        words = f"the end has sigma / scale {noise:.4g}, with twice the steps {noise_longer:.4g}"
    elif abs(math.log(end.scale)) > OFF and abs(math.log(longer.scale)) < MOVES * abs(
        math.log(end.scale)
    ):
        words = f"the end has scale {end.scale:.4g}, with twice the steps {longer.scale:.4g}"
    else:
        return ""
    return f"{words}: as if a last step were missing"


def _last_draw(run: PointRun) -> str:
    """Return in words the noise that is added after the last call, and less of it in more steps."""

    def added(map_: AffineMap) -> float:
        before, after = map_.draws[-2, :, 1], map_.draws[-1, :, 1]
        return float(after[before == 0].norm()) / run.scale

    last, longer = added(run.map_), added(run.longer)
    if last <= OFF or longer >= MOVES * last:
        return ""
    return (
        f"noise of {last:.4g} of the data's scale is added after the last call, with "
        f"twice the steps {longer:.4g}"
    )
