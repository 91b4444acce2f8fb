r"""Calls at which x is not at the noise level that the network is told, where it is at nearly all
others.

On data at one point x0 the exact state is `scale x0 + sigma z`. DDIM, exponential integrators, the
posterior's draws, Runge-Kutta and multistep methods are exact there in any number of steps, up to
rounding (`placement`). A variance times four at one step, or one wrong entry of a table, vanishes
from orders and limits with many steps. Here it is the factor

    f = standard deviation of x at a call / sigma that the network is told,

1 where x is exact. It is taken along the whole run; from the call before, whose x is taken as
exact; and from the first call of the step before. With A the weight of the state in between and w
those of the draws since, the last two are

    f = sqrt((A sigma_before)^2 + |w|^2) / sigma.

In a deterministic run an error stays in x, and one in a draw fades slowly: from the call before it
shows once. Stages that share a step's draws are right along the run. So the view counts in which
most calls are exact. Where these are `MOST` of all, the sampler is exact by its method, and a call
that is off by more than `SEEN` is refuted. A method that is approximate there is off at most calls,
by a factor that falls smoothly with the length of the steps: it is told, and no verdict. With many
steps most of its calls are near too, but more of them lie between `EXACT` and `SEEN` than beyond. A
single call that is off `ALONE` times as far as both of its neighbours is then noted.

No level is told at the end. A run that is exact ends at no higher a level than that at which the
network was last told.
"""

import math

from samplercheck.affine_map import AFFINE, AffineMap, moved_by_start, read_map
from samplercheck.convergence import calls_a_step, ratio
from samplercheck.departures import PointRun, departures
from samplercheck.invariants import Finding
from samplercheck.placement import ONE_POINT, between, spread_of, where
from samplercheck.sampler import Sampler
from samplercheck.stated_levels import end_level

MOST, ALONE = 0.8, 10.0
"""The share of calls at which a method is exact that is exact by its construction; what no
smooth error does.
"""
EXACT, SEEN = 1e-6, 5e-3
"""The logarithm of a factor that rounding explains, with room, and that of an error."""


def outliers(sampler: Sampler, steps: int, distilled: bool = False) -> Finding | None:
    """Return the finding on the calls of a run that are off, its value the largest factor.

    It is not judged where it is only noted; None where a run is not affine, or none of its levels
    has noise.
    """
    map_, longer = (read_map(sampler, ONE_POINT, 2, count) for count in (steps, 2 * steps))
    each = calls_a_step((steps, 2 * steps), (len(map_.levels), len(longer.levels))) or 1
    views = [_along(map_), *(_since(map_, block) for block in sorted({1, each}))]
    if map_.defect > AFFINE or not all(views):
        return None
    if map_.begins:  # is stated, so that the first call can be off
        views[1:] = [view | {0: views[0][0]} for view in views[1:] if 0 in views[0]]
    last, end = ratio(map_.levels[-1]), end_level(map_)
    if end and ratio(end) > last > 0:
        for view in views:
            view[len(map_.levels)] = math.log(ratio(end) / last)

    def share(view: dict[int, float], within: float) -> float:
        return sum(abs(one) <= within for one in view.values()) / len(view)

    view = max(views, key=lambda view: (share(view, EXACT), share(view, SEEN)))
    exact, off = share(view, EXACT), [call for call in view if abs(view[call]) > SEEN]
    sure = exact >= MOST and len(off) >= len(view) * (1 - exact) / 2
    if not sure:
        view = max(views, key=lambda view: share(view, SEEN))
        beside = {
            k: max(abs(view.get(k - 1, math.inf)), abs(view.get(k + 1, math.inf)), SEEN / ALONE)
            for k in view
        }
        off = [k for k in view if share(view, SEEN) >= MOST and abs(view[k]) > ALONE * beside[k]]
    view = view if off else views[0]
    at = max(off or view, key=lambda call: abs(view[call]))
    factor = math.exp(min(view[at], 700.0))
    where_ = "at the end" if at == len(map_.levels) else where(at, each)
    why = (
        f"sigma of x over the level told, on data at one point, in {steps} steps: "
        f"{factor:.4g} {where_.rstrip(',')}"
    )
    if off:
        why += (
            f", off by more than {SEEN:.1%} at {len(off)} of {len(view)} "
            f"calls, exact at {exact:.0%}"
        )
        rounded = sampler.rounding and sampler.rounding((steps,))
        return Finding(False if sure and not rounded else None, factor, 1 + SEEN, why)
    unit = sampler.prior(steps) if sampler.inverted else 1.0
    one_start = sampler.prior(steps) == sampler.prior(2 * steps)
    if departs := departures(
        PointRun(steps, map_, longer, views, each, unit, sampler.data_std, one_start, distilled)
    ):
        return Finding(None, factor, math.inf, f"on data at one point, in {steps} steps: {departs}")
    words = "" if exact == 1 else " at most: not exact by its method, not judged"
    return Finding(True, factor, math.inf, why + words)


def _along(map_: AffineMap) -> dict[int, float]:
    """Return ln f at each call along the run from its exact start."""
    first = map_.begins or map_.levels[0]
    gain = 1.0 if map_.begins else float(moved_by_start(map_.start[0])[1])
    drawn = 0.0 if map_.begins else float(map_.draws[0, :, 1].norm())
    spread = spread_of(map_, math.sqrt(max(first.sigma**2 - drawn**2, 0.0)) / gain)
    return {
        k: _logarithm(spread[k], level.sigma) for k, level in enumerate(map_.levels) if level.sigma
    }


def _since(map_: AffineMap, block: int) -> dict[int, float]:
    """Return ln f at each call whose x follows from the first call of its block of calls."""
    view = {}
    for call in range(1, len(map_.levels)):
        before, sigma = (call - 1) // block * block, map_.levels[call].sigma
        if sigma and map_.levels[before].sigma:
            state, _, draws = between(map_, before, call)
            view[call] = _logarithm(
                math.hypot(float(state) * map_.levels[before].sigma, float(draws.norm())), sigma
            )
    return view


def _logarithm(spread: float, sigma: float) -> float:
    return math.log(spread / sigma) if spread > 0 and sigma > 0 else math.inf
