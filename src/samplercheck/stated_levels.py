"""The noise levels of a run, against those that a library states: where the network is called, and
where the run ends.

An index into a table of timesteps that is off by one is a common error of samplers. Mostly it
vanishes with many steps, as a method's own error does, so that only a statement of its author tells
it from a method. What the network is told is read off a run. The end is judged on data at one
point, where most steps are exact, whatever their order: where the last call's x is at the level
that the network is told.
"""

import math
from collections.abc import Sequence

from ams.schedules import Level
from samplercheck.affine_map import AFFINE, AffineMap, read_map
from samplercheck.convergence import ratio
from samplercheck.placement import ONE_POINT, SMALL, spread_of
from samplercheck.sampler import Sampler

ALLOWED = 1e-3
"""The largest difference from a stated noise level: of a call relative, of the end in the data's
scale.
"""


def levels_of(sampler: Sampler, steps: int) -> list[float]:
    """Return the noise levels sigma / scale of a run: what the network is passed at each call, and
    that of the end.

    The end's is NaN where `end_level` does not know it.
    """
    map_ = read_map(sampler, ONE_POINT, 2, steps)
    end = end_level(map_)
    return [*map(ratio, map_.levels), math.nan if end is None else ratio(end)]


def end_level(map_: AffineMap) -> Level | None:
    """Return the end's noise level; None where a run is not affine, or x not at the level passed
    last.
    """
    first, last = map_.levels[0], map_.levels[-1]
    unit = first.scale * SMALL / map_.start[0, 0]
    spread = spread_of(map_, first.sigma / float(map_.start[0, 1]))
    if map_.defect > AFFINE or abs(spread[-2] - last.sigma) > ALLOWED * last.sigma:
        return None
    return Level(
        0, sigma=spread[-1], scale=float(map_.offset[-1, 0] + unit * map_.start[-1, 0]) / SMALL
    )


def farthest(
    levels: Sequence[float], stated: Sequence[float], steps: int, name: str = "sigma / scale"
) -> tuple[float, str]:
    """Return the largest difference of a run's noise levels from those stated, and in words where
    it is; `name` says what of them is compared.

    An end that is stated as NaN, or not known, is not compared.
    """
    *passed, end = levels
    if len(passed) + 1 != len(stated):
        return (
            math.inf,
            f"{len(passed)} calls in {steps} steps, noise levels of {len(stated) - 1} stated",
        )
    places = [f"call {k + 1}" for k in range(len(passed))] + ["end"]
    apart = [_apart(*pair) for pair in zip(passed, stated, strict=False)]
    apart.append(0.0 if math.isnan(end - stated[-1]) else abs(end - stated[-1]))
    k = max(range(len(apart)), key=apart.__getitem__)
    return (
        apart[k],
        f"of {steps} steps, {places[k]}: {name} {[*passed, end][k]:.4g}, stated {stated[k]:.4g}",
    )


def time_of(
    levels: Sequence[Level], stated: Sequence[float]
) -> tuple[list[float], list[float], str]:
    """Return the noise levels that the network is passed and those stated as the code has them,
    and the name of that quantity.

    It is t of a flow (sigma = t, scale = 1 - t), and sigma / scale of others: near t = 1 one
    rounding of t moves sigma / scale by far more.
    """
    passed = [ratio(level) for level in levels]
    if any(abs(level.sigma + level.scale - 1.0) > ALLOWED * level.scale for level in levels):
        return passed, [*stated], "sigma / scale"
    first, second = (
        [1.0 / (1.0 + 1.0 / v) if v else 0.0 for v in each] for each in (passed, stated)
    )
    return first, second, "t"


def _apart(passed: float, stated: float) -> float:
    """Return the relative difference; infinite where what is passed is not a number."""
    apart = 0.0 if passed == stated else abs(passed - stated) / (min(passed, stated) or ALLOWED)
    return math.inf if math.isnan(apart) else apart
