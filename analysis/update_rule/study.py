"""What the group computes once: exact laws of annealed runs, of runs from far away and of
predictor-corrector runs.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ams import samplers
from ams.laws.gaussian import GaussianLaw
from ams.metrics import gaussian_kl
from ams.samplers import Info, State, Step
from ams.samplers.base import Algebra, Noise, Score, Vector
from ams.samplers.rules import MomentumCoefficient, Size, prescribed
from ams.schedules import VE, Level, annealed_levels, geometric_sigmas, ncsnv2_step, process_levels
from analysis.targets import stiff_gaussian
from analysis.update_rule.settings import Settings
from verdicts.studies import Array, Cell, cell

PROCESS, SNR = VE(sigma_min=0.01, sigma_max=50.0), 0.16
"""The authors' code, on images."""
LAGGED = ("Langevin, lagged norm", "adaptive, lagged norm")
LARGER = (1e-3, 1e-2)
"""The authors' delta, and ten times that."""
SMALLER = 2e-5
"""A step at which the authors' delta acts on the way from far away; at 1e-4 it does not."""
COUNTS = (10, 30, 50, 100)
"""Numbers of noise levels at which the correctors' KL is compared."""
ALONG = (20, 30, 100)
"""Numbers of noise levels at which the effective ratio is shown along the run."""


def momentum_step(coefficient: MomentumCoefficient, size: Size = prescribed) -> Step:
    """Return the momentum step of a coefficient's rule and a step size."""
    return samplers.momentum(samplers.momentum_rule(coefficient, size))


@cell
def largest_annealed_momentum(budget: int, repeats: int) -> float:
    """The largest momentum coefficient, unclipped, of adaptive momentum annealed on the stiff
    Gaussian.

    A run of `budget` evaluations, `repeats` of them at each noise level.
    """
    sigmas, law = geometric_sigmas(50.0, 0.02, budget // repeats), stiff_gaussian()
    levels = annealed_levels(sigmas, ncsnv2_step(sigmas, repeats))
    program = samplers.annealed(momentum_step(samplers.adaptive(0.0)), levels, repeats)
    run = law.run(program, law.start(0.0, 50.0**2))
    return max(float(info.coefficients.beta) for _, info in run if info.coefficients)


@cell
def means_on_the_way(delta: float, size: float = 1e-4) -> Array:
    """The mean after each eighth of `0.08 / size` steps of adaptive momentum, u = size, from 100
    s.d. away.
    """
    law, steps = GaussianLaw([1.0]), round(0.08 / size)
    program = [(momentum_step(samplers.adaptive(delta)), Level(0, sigma=0.0, step=size))] * steps
    states = enumerate(law.run(program, law.start(100.0, 1.0)), 1)
    return np.array(
        [law.moments(state.x).mean.item() for n, (state, _) in states if n % (steps // 8) == 0]
    )


CORRECTORS = {
    "Langevin": samplers.langevin(samplers.snr_of_score(SNR)),
    "Langevin, lagged norm": momentum_step(
        samplers.constant(0.0), samplers.snr_of_last_momentum(SNR)
    ),
    "adaptive, present norm": momentum_step(samplers.adaptive(1e-4), samplers.snr_of_momentum(SNR)),
    "adaptive, lagged norm": momentum_step(
        samplers.adaptive(1e-4), samplers.snr_of_last_momentum(SNR)
    ),
}
"""Langevin's and adaptive momentum's correctors, each with the present norm and with the lagged
one.
"""


class ScoreChange(NamedTuple):
    """Between two corrector calls: the second one's sigma; shares of `E|s_t - s_{t-1}|^2`, in the
    order of `PARTS`.

    `foreign` is the share of predictor and level taken together, `unexplained` what the parts' sum
    leaves of it.
    """

    sigma: float
    shares: tuple[float, ...]
    foreign: float
    unexplained: float


PARTS = (
    "own drift",
    "own noise",
    "predictor's drift",
    "predictor's noise",
    "change of noise level",
)


class CorrectorRun(NamedTuple):
    """KL(samples || target) after the last predictor mean, in nats; at each corrector call but the
    first `<s_t>/<m_{t-1}>` (of those with momentum) and the score's change (of the authors'
    adaptive corrector).
    """

    kl: float
    ratios: Array
    changes: list[ScoreChange]


@cell
def corrector_run(name: str, count: int) -> CorrectorRun:
    """A corrector's run over `count` levels on the stiff Gaussian, the authors' reverse diffusion
    between them.

    The parts of `s_t - s_{t-1} = -P (drift + noise + predictor's drift and noise) + (s_t - s(x_t at
    the last level))`, P the precision at the last level, overlap, so their shares need not add up
    to one.
    """
    step, law, norms, changes = CORRECTORS[name], stiff_gaussian(), [], []
    predictor = samplers.affine(samplers.authors_ve_reverse_diffusion(PROCESS, count))
    corrector, levels = (
        remembering(step) if name == LAGGED[1] else step,
        process_levels(PROCESS, count, 1e-5),
    )
    program = list(samplers.predictor_corrector(predictor, corrector, levels))
    states = law.run(program, law.start(0.0, PROCESS.sigma_max**2))
    for number, ((_, level), (state, info)) in enumerate(zip(program, states, strict=True)):
        end = info.mean
        if number % 2 == 0 and state.m is not None:
            norms.append((law.norm(state.s), law.norm(state.m)))
        elif number % 2 and name == LAGGED[1] and level.next:
            changes.append(_taken_apart(law, state, info, level, level.next))
    mean, variance = law.moments(end())
    ratios = np.array([s / m for (_, m), (s, _) in pairwise(norms)])
    return CorrectorRun(
        gaussian_kl(mean, variance, law.mean, law.variance, law.multiplicity), ratios, changes
    )


def remembering(corrector: Step) -> Step:
    """Return a momentum step that leaves the drift and the noise of its move in `z` and `p`."""

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after, info = corrector(state, score, noise, level, algebra)
        return after._replace(z=after.effective_drift * after.m, p=after.x - info.mean()), info

    return step


def _taken_apart(
    law: GaussianLaw, state: State, info: Info, level: Level, after: Level
) -> ScoreChange:
    """Return the parts of the score's change, from the state after the predictor's step at
    `level`.
    """
    old, new = law.score(state.x, level), law.score(state.x, after)
    moves = [state.z, state.p, info.mean() - info.at, state.x - info.mean()]
    parts = [old - law.score(state.x - move, level) for move in moves] + [new - old]
    total, foreign = new - state.s, sum(parts[2:])
    rest = total - sum(parts)
    whole, *squares = (_second_moment(law, each) for each in (total, *parts, foreign, rest))
    *shares, foreign_share, unexplained = (square / whole for square in squares)
    return ScoreChange(after.sigma, tuple(shares), foreign_share, unexplained)


def _second_moment(law: GaussianLaw, vector: Vector) -> float:
    mean, variance = law.moments(vector)
    return float((law.multiplicity * (mean.square() + variance)).sum())


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and the notebook read."""
    yield from (
        largest_annealed_momentum.cell(budget, settings.repeats) for budget in settings.budgets
    )
    extremes = {min(settings.deltas), max(settings.deltas)}
    yield from (means_on_the_way.cell(delta) for delta in sorted(extremes | {*LARGER}))
    yield from (means_on_the_way.cell(delta, SMALLER) for delta in sorted(extremes))
    runs = {(name, count) for name in CORRECTORS for count in COUNTS}
    runs |= {(name, count) for name in LAGGED for count in settings.levels} | {
        (LAGGED[0], count) for count in ALONG
    }
    yield from (corrector_run.cell(*run) for run in sorted(runs))
