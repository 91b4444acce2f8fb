r"""A corrector held at one noise level, then a fast descent: what a wrong start, or wrong scores at
high noise, needs.

The run descends from the first noise level to `sigma_c`, takes Langevin steps there, whose scores
are trusted, and descends to the last one. On a Gaussian with variances up to `v_max` the precisions
at `sigma_c` lie in

    m = 1 / (v_max + sigma_c^2)  to  L = 1 / sigma_c^2,      kappa = L / m = 1 + v_max / sigma_c^2.

The steps are BAOAB's, whose stationary variance has no bias, of size `a = 2 / (L + m)`. Without
momentum (`e = 0`, Leimkuhler-Matthews) the slowest direction contracts by `(kappa - 1) / (kappa +
1)` a step. With the momentum of critical damping, `e = ((sqrt kappa - 1) / (sqrt kappa + 1))^2`, by
`(sqrt kappa - 1) / (sqrt kappa + 1)` (claim K2): an error falls to a share eps in about `(sqrt
kappa / 2) ln(1 / eps)` evaluations instead of `(kappa / 2) ln(1 / eps)`.

The scheme without momentum, corrections at one noise level before a deterministic descent, is
prediction-correction (Pedrotti, Maas and Mondelli, arXiv 2305.14164).
"""

import math
from collections.abc import Iterable

from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.samplers.kinetic import baoab
from ams.samplers.loop import Program, one_step_per_level
from ams.schedules import Level, geometric_sigmas, ve_levels


def condition(sigma: float, largest_variance: float) -> float:
    """Return `kappa = 1 + v_max / sigma^2`, the condition number of the target at noise `sigma`."""
    return 1.0 + largest_variance / sigma**2


def critically_damped(kappa: float) -> float:
    """Return `e = ((sqrt kappa - 1) / (sqrt kappa + 1))^2`, the momentum kept per step."""
    return ((math.sqrt(kappa) - 1.0) / (math.sqrt(kappa) + 1.0)) ** 2


def corrector(sigma: float, largest_variance: float, e: float) -> tuple[Step, Level]:
    """Return the step of BAOAB at noise `sigma`, of size `2 / (L + m)`, and its level."""
    kappa = condition(sigma, largest_variance)
    return baoab(e), Level(0, sigma=sigma, step=2.0 * sigma**2 * kappa / (kappa + 1.0))


def beginning(step: Step) -> Step:
    """Return the step that forgets all but the position first: the first one of its kind in a
    run of several kinds.
    """

    def first(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        return step(State(state.x), score, noise, level, algebra)

    return first


def descent_between(descent: Step, start: float, end: float, steps: int) -> Program:
    """Return so many steps of a descent on geometric noise levels."""
    return (
        one_step_per_level(descent, ve_levels(geometric_sigmas(start, end, steps + 1)))
        if steps
        else []
    )


def joined(parts: Iterable[Program]) -> Program:
    """Return the parts of a run in order; each begins from the position alone."""
    program: list[tuple[Step, Level]] = []
    for part in parts:
        pairs = list(part)
        program += [(beginning(pairs[0][0]), pairs[0][1]), *pairs[1:]] if pairs else []
    return program


def corrected_descent(
    descent: Step,
    sigmas: tuple[float, float, float],
    budget: int,
    share: float,
    variance: float,
    e: float,
    coarse: float = 1.0,
) -> Program:
    """Return a run of `budget` evaluations from the first noise level over `sigma` to the last, the
    three `sigmas`.

    `descent` takes one evaluation. A `share` of the evaluations corrects at `sigma`, for a target
    of variances up to `variance`. The others descend in geometric noise levels, whose steps in log
    noise are `coarse` times longer above `sigma` than below; at least one each where there is a way
    to go.
    """
    first, sigma, last = sigmas
    corrections = min(max(round(share * budget), 0), budget - 2)
    steps = budget - corrections
    ahead, below = math.log(first / sigma) / coarse, math.log(sigma / last)
    above = ahead / (ahead + below)
    down = min(max(round(above * steps), 1), steps - 1) if above > 0.0 else 0
    return joined(
        [
            descent_between(descent, first, sigma, down),
            [corrector(sigma, variance, e)] * corrections,
            descent_between(descent, sigma, last, steps - down),
        ]
    )
