"""`conform`: all checks of one sampler, from fewer steps first and from twice as many where these
do not decide.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
import torch

from ams.metrics.gaussian import gaussian_w2
from ams.schedules import Level
from samplercheck.affine_map import AFFINE, read_map
from samplercheck.answered_draws import Draws, NotMade, Shared
from samplercheck.coefficients import explained, worst_weight
from samplercheck.convergence import (
    EVERY,
    FEW_STEPS,
    STEPS,
    Convergence,
    Data,
    Order,
    converge,
    exact_start,
    pushforward,
    two_targets,
)
from samplercheck.dead_directions import DeadDirection, dead_direction
from samplercheck.error_constant import NOTED_ABOVE, error_constant
from samplercheck.invariants import Finding, fewest_steps, invariants, measured
from samplercheck.limits import Limit
from samplercheck.nonlinear import Distribution, Transport, distribution, transport, transport_steps
from samplercheck.order_conditions import OrderConditions, order_conditions
from samplercheck.outliers import outliers
from samplercheck.placement import misplaced
from samplercheck.report import END, Report, below, largest_limit, of_checks, reached
from samplercheck.restored import restored
from samplercheck.sampler import Sampler, trajectory
from samplercheck.verdict_words import REFUTED

DISTILLED_STEPS = (2, *FEW_STEPS)
FEW = 1e-3
"""Numbers of steps in each of which a distilled network's samples are judged, and their largest W2
to the data.
"""
STARTS = 21
"""Noise levels that are tried for the start of an inversion."""
T = TypeVar("T")
Ordered = TypeVar("Ordered", OrderConditions, Transport)


@restored()
def conform(
    sampler: Sampler,
    settings: dict[str, Any] | None = None,
    steps: tuple[int, ...] = STEPS,
    data: Data | None = None,
    expected_failed_checks: dict[str, str] | None = None,
    used: int = FEW_STEPS[-1],
) -> Report:
    """Return the report on a sampler, on the Gaussian target `data`, by default that of
    `two_targets`.

    `expected_failed_checks` has the checks that are expected to be refuted, each with the reason.
    `used` is the number of steps in which its users run it, in which *outliers* are looked for.
    What a sampler raises is not caught, but for a check that cannot be made. Raises UserError for a
    check that does not exist.
    """
    expected = of_checks(expected_failed_checks or {})
    began, trouble = time.perf_counter(), []

    def tried(check: Callable[[], T]) -> T | None:
        try:
            return check()
        except NotMade as reason:
            trouble.append(str(reason))
            return None

    def settled(check: Callable[[tuple[int, ...]], Ordered]) -> Ordered | None:
        """Return the check from `steps`, or from twice as many where its order is not reached with
        these.
        """
        result = tried(lambda: check(steps))
        if result is None or reached(result.order, sampler.order):
            return result
        longer = tried(lambda: check(twice)) or result
        return longer._replace(order=confirmed_order(result.order, longer.order))

    twice = tuple(2 * count for count in steps)
    data = data or two_targets(sampler.data_std)
    if sampler.inverted and sampler.begins is None:
        sampler = tried(lambda: _started(sampler, data, twice)) or sampler
    least, raised = fewest_steps(sampler, FEW_STEPS[0])
    try:
        sampler = measured(sampler)
        findings = invariants(sampler)
    except Shared as reason:
        findings = {reason.check: Finding(False, 1.0, 0.0, str(reason))}
    coupled = findings.get(Shared.check) or next(iter(findings.values()))
    # Where the samples of a batch share coefficients that depend on them all, superposition holds
    # and says nothing.
    readable = coupled.holds or sampler.mean_field is not None
    convergence = tried(lambda: _converged(sampler, data, steps)) if readable else None
    defect = max(convergence[1] if convergence else 0.0, 0.0 if coupled.holds else coupled.value)
    curve = convergence[0] if convergence and convergence[1] <= AFFINE else None
    known = curve.states if curve else EVERY
    conditions: OrderConditions | None = None
    uneven: OrderConditions | None = None
    if sampler.noise is not None:
        conditions = settled(partial(order_conditions, sampler, known=known))
        if sampler.uneven is not None and sampler.noise == 0:
            uneven = settled(
                partial(order_conditions, replace(sampler, run=sampler.uneven), known=known)
            )
    mixture: Transport | Distribution | None
    if sampler.noise == 0:
        mixture = moved = settled(partial(transport, sampler, known=known))
        # Steps whose own order is refuted decide; where it is not, the run's may be that of its
        # start.
        own = conditions.order if conditions else None
        if (
            moved
            and own
            and not below(own, sampler.order)
            and not reached(moved.order, sampler.order)
        ):
            if below(moved.order, sampler.order):  # the order that a start leaves may show late
                longest = transport(sampler, tuple(2 * count for count in twice), known=known)
                moved = moved._replace(order=confirmed_order(moved.order, longest.order))
            surely = reached(own, sampler.order)
            mixture = moved._replace(
                of_steps=transport_steps(sampler, twice, known=known, surely=surely)
            )
    else:
        mixture = tried(lambda: distribution(sampler))
    few = (
        {
            count: end_distance(sampler, data, count)
            for count in sorted({max(each, least) for each in FEW_STEPS})
        }
        if curve
        else {}
    )
    constant = tried(lambda: error_constant(sampler, data)) if curve else None
    dead = tried(lambda: _dead(sampler, least, steps)) if curve else None
    if raised:
        findings["fewest steps"] = Finding(True, least, math.inf, raised)
    if curve and not sampler.mean_field:
        carried = tried(lambda: _few_steps(sampler, data))
        few_calls = {
            "outliers": tried(lambda: outliers(sampler, max(used, least), carried is not None))
        }
        few_calls["few steps"] = carried
        findings |= {name: finding for name, finding in few_calls.items() if finding}
    report = Report(
        sampler.name,
        sampler.version,
        settings or {},
        sampler.order,
        sampler.noise,
        curve,
        conditions,
        mixture,
        defect,
        few,
        findings,
        time.perf_counter() - began,
        tuple(dict.fromkeys(trouble)),
        constant=constant,
        rounding=sampler.rounding((FEW_STEPS[-1], steps[-1])) if sampler.rounding else "",
        uneven=uneven,
        dead=dead,
        expected=expected,
    )
    if report.verdict == REFUTED:
        report = replace(report, place=_hint(misplaced, sampler) or "")
    worst, large = _hint(worst_weight, sampler), constant is not None and constant > NOTED_ABOVE
    # on even steps a ratio of two is 1, and no slip shows
    if sampler.uneven and not explained(worst):
        other = _hint(worst_weight, replace(sampler, run=sampler.uneven))
        worst = other if explained(other) else worst
    shown = large or report.verdict == REFUTED or explained(worst)
    return replace(report, worst=worst) if shown else report


def _started(sampler: Sampler, data: Data, steps: tuple[int, ...]) -> Sampler:
    """Return an inversion that begins at the noise level that fits best, from none to the least
    that is passed first.

    Codes take an image for clean, or for one with the noise of a table's first entry, whatever
    level they pass first.
    """
    maps = {count: read_map(sampler, data.network(), len(data.mean), count) for count in steps}
    first = min((map_.levels[0] for map_ in maps.values()), key=lambda level: level.scale)

    def begun(share: float) -> Level:
        return Level(
            0, sigma=(1 - share) * sampler.prior(1) + share * first.sigma, scale=share * first.scale
        )

    def limit(level: Level) -> float:
        return converge(sampler, data, steps, lambda *of: replace(maps[of[-1]], begins=level))[
            0
        ].limit.value

    best = min(map(begun, np.linspace(0, 1, STARTS)), key=limit)
    return replace(sampler, begins=lambda steps: best)


def _hint(read: Callable[[Sampler], T], sampler: Sampler) -> T | None:
    """Return what is read off a sampler, None where nothing can be: it is a hint, and decides
    nothing.
    """
    try:
        return read(sampler)
    except (NotMade, ArithmeticError, ValueError, RuntimeError):
        return None


def _few_steps(sampler: Sampler, data: Data) -> Finding | None:
    """Return the finding on W2 between end and data from the exact start, None unless the network
    is distilled.

    A consistency function takes x at any noise level to the data in one call, and noise added to
    these gives the exact marginal of the next level: multistep consistency sampling (arXiv
    2303.01469) is exact in each number of steps, up to rounding. Noise of variance t^2 - e^2, as of
    data that have the least level e, moves a standard deviation s by e^2 / 2 s at most: 0.001 for e
    = 0.01 and the target's 0.05, which `FEW` allows.
    """
    at, distances = torch.zeros(2, len(data.mean), dtype=torch.float64), dict[int, float]()
    if not trajectory(sampler, data.network(), at, FEW_STEPS[-1], Draws()).distilled:
        return None
    least, _ = fewest_steps(sampler, DISTILLED_STEPS[0])
    for count in (each for each in DISTILLED_STEPS if each >= least):
        map_ = pushforward(sampler, data, count)
        mean, variance = map_.law(-1, *exact_start(map_, data))
        distances[count] = (
            gaussian_w2(mean, variance, data.mean, data.std.square()) / sampler.data_std
        )
    worst, each = (
        max(distances.values()),
        ", ".join(f"{value:.2g} after {count}" for count, value in distances.items()),
    )
    why = (
        f"W2 to the data from the exact start: {each} steps, at most {FEW:g} allowed of a "
        "distilled network"
    )
    return Finding(worst <= FEW, worst, FEW, why)


def _dead(sampler: Sampler, least: int, steps: tuple[int, ...]) -> DeadDirection:
    """Return what is left in a dead direction, its limit from `steps` too where it is not surely
    within `END`.
    """
    result = dead_direction(sampler, [least * 2**k for k in range(4)])
    if result.limit.most <= END:
        return result
    return result._replace(
        limit=confirmed_limit(result.limit, dead_direction(sampler, steps).limit, END)
    )


def _converged(sampler: Sampler, data: Data, steps: tuple[int, ...]) -> tuple[Convergence, float]:
    """Return the convergence, from twice as many steps where these are too few for an order, or
    refute a limit.
    """
    read = cache(pushforward)  # most numbers of steps are among those of the longer runs too
    result, defect = converge(sampler, data, steps, read)
    allowed = largest_limit(result)
    fails = result.limit.most > allowed or result.end.least > END
    if defect > AFFINE or (reached(result.order, sampler.order) and not fails):
        return result, defect
    longer, defect = converge(sampler, data, tuple(2 * count for count in steps), read)
    limit = confirmed_limit(result.limit, longer.limit, allowed)
    return longer._replace(
        order=confirmed_order(result.order, longer.order),
        limit=longer.nested
        if limit.least <= allowed < limit.most and longer.nested.most <= allowed
        else limit,
        end=confirmed_limit(result.end, longer.end, END),
    ), defect


def confirmed_order(short: Order | None, long: Order | None) -> Order | None:
    """Return the order from longer runs; where it rises from that of shorter runs, it may do so
    once more.
    """
    if short is None or long is None:
        return long
    return long._replace(high=max(long.high, 2 * long.value - short.value))


def confirmed_limit(short: Limit, long: Limit, allowed: float) -> Limit:
    """Return the limit from longer runs. Unless it is within `allowed`, its error has the change
    from shorter runs.
    """
    return (
        long
        if long.most <= allowed
        else Limit(long.value, max(long.error, abs(long.value - short.value)))
    )


def end_distance(sampler: Sampler, data: Data, steps: int) -> float:
    """Return W2 between the end of a run, from the start that the library draws, and the data, in
    the data's scale.
    """
    return end_of(sampler, data, steps)[1]


def end_of(sampler: Sampler, data: Data, steps: int) -> tuple[int, float]:
    """Return the network calls of a run, and the `end_distance` of its end."""
    start = sampler.start(steps, data.mean, data.std.square())
    run = pushforward(sampler, data, steps)
    mean, variance = run.law(-1, *start)
    if not bool(variance.isfinite().all()):
        return len(run.levels), math.inf
    return len(run.levels), gaussian_w2(
        mean, variance, data.mean, data.std.square()
    ) / sampler.data_std
