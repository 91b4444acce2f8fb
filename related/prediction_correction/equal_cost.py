r"""N1c and N1d: prediction-correction at equal cost: K of N evaluations correct at T1, the others
run the flow back.

Forward Ornstein-Uhlenbeck process, in `y = x / scale` with noise `v^2 = exp(2 T1) - 1`. A run
starts from the process's stationary distribution, `y ~ N(0, 1 + v^2)`, takes K steps of the
corrector of `ams.samplers` (Leimkuhler-Matthews, at half the step of its fastest contraction, since
its bias grows as the step's square), and the other N - K evaluations of UniPC-3 on geometric noise
levels down to `LAST`. K = 0 is the flow alone. The score is wrong by a constant `e` at all times,
in units of x; each error is measured with both signs: root mean square W2 to the target at the last
noise level. Both methods have their best T1 and K on the very problem: no sampler could know them.

Source: the scheme is that of Pedrotti, Maas and Mondelli (arXiv 2305.14164); what it gains at equal
cost is computed here.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from ams.laws import GaussianLaw
from ams.metrics import gaussian_w2
from ams.samplers import Program, Step, last, run
from ams.samplers.corrected_descent import corrector, descent_between, joined
from ams.samplers.exponential_multistep import exponential_multistep, unipc
from ams.schedules import Level
from analysis.misspecified_score import ScoreError
from related.prediction_correction import fixed_time
from related.prediction_correction.settings import Settings
from verdicts.studies import Array, cell

BUDGET, LAST = 40, 0.01
"""The evaluations N, and the last noise level, small beside the targets' standard deviations."""
FLOW = exponential_multistep(unipc(3))
"""One step of the flow: one evaluation."""
LARGE = 1e-2
"""The least score error |e| that is called large."""
FIXED = 0.5
"""A T1 that no error of the score chooses: that of N1b."""
CORRECTED, ALONE = (0.03, 3.0), (0.5, 20.0)
"""The range of T1 that is tried with corrections, and for the flow alone."""
SHARE_OF_STEP = 0.5
"""The corrector's step over that of its fastest contraction."""


class Place(NamedTuple):
    """A setting of the method: T1 and K."""

    t1: float
    corrections: int


def noise_at(t1: float) -> float:
    """Return `v = sqrt(exp(2 T1) - 1)`, the noise over the scale at time T1."""
    return math.sqrt(math.expm1(2 * t1))


def tried(settings: Settings) -> list[tuple[float, tuple[int, ...]]]:
    """Return each T1 that is tried with the corrections that are tried there: none for the flow
    alone.
    """
    ours, theirs = (
        np.geomspace(*CORRECTED, settings.times),
        np.geomspace(*ALONE, 3 * settings.times),
    )
    return [(float(t), settings.corrections) for t in [FIXED, *ours]] + [
        (float(t), (0,)) for t in theirs
    ]


def held(v: float, largest_variance: float) -> tuple[Step, Level]:
    """Return the corrector's step at noise `v` and its level."""
    step, level = corrector(v, largest_variance, 0.0)
    return step, level._replace(step=SHARE_OF_STEP * level.step)


def program(t1: float, corrections: int, largest_variance: float) -> Program:
    """Return a run of `BUDGET` evaluations with `corrections` at T1, for a target of variances
    up to the largest.
    """
    v = noise_at(t1)
    return joined(
        [
            [held(v, largest_variance)] * corrections,
            descent_between(FLOW, v, LAST, BUDGET - corrections),
        ]
    )


def in_y(size: float | torch.Tensor, level: Level) -> float | torch.Tensor:
    """Return the error of the score in y for one of `size` in x: `size / sqrt(1 + v^2)`."""
    return size / math.sqrt(1.0 + level.sigma**2)


@cell
def gaussian_runs(t1: float, counts: tuple[int, ...]) -> Array:
    """Rows by K of `counts`: the final W2 of the Gaussian of N1b with exact scores, and what |e| =
    1 adds to the mean.

    Directions are independent, so that twice the directions, half of them with the error, give both
    in one run.
    """
    law = fixed_time.target()
    error = torch.cat([0 * law.mean, fixed_time.even_error(law, 1.0)])
    twice = GaussianLaw(law.variance.repeat(2), law.mean.repeat(2))
    wrong = ScoreError(lambda level: in_y(error, level)).score(twice)
    rows = []
    for corrections in counts:
        start = twice.start(0.0, 1.0 + noise_at(t1) ** 2)
        states = run(
            program(t1, corrections, float(law.variance.max())), start, wrong, twice.noise, twice
        )
        mean, variance = twice.moments(last(states)[0].x)
        exact, shifted = mean.chunk(2)
        base = gaussian_w2(exact, variance.chunk(2)[0], law.mean, law.variance + LAST**2)
        rows.append((base, float((shifted - exact).norm())))
    return np.array(rows)


def gaussian_w2s(settings: Settings, size: float) -> dict[Place, float]:
    """Return the final W2 on the Gaussian by T1 and K, root mean square over the error's sign."""
    return {
        Place(t1, corrections): math.hypot(base, size * response)
        for t1, counts in tried(settings)
        for corrections, (base, response) in zip(counts, gaussian_runs(t1, counts), strict=True)
    }
