r"""R4: what the rule's numerator holds in a predictor-corrector run.

Alone, a sampler's `s_t - s_{t-1}` is the score's response to its last move. In a corrector there lie between the two
scores the corrector's own drift and noise, the predictor's drift and noise, and a change of noise level:

    s_t - s_{t-1} = -P (drift + noise + predictor's drift + predictor's noise) + (s_t - s(x_t at the last level)),

`P` the precision at the last level. On a Gaussian target the exact law holds each part as a vector of its own; they
overlap, so their shares of `E|s_t - s_{t-1}|^2` need not add up to one.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pydantic import JsonValue

from ams.laws.gaussian import GaussianLaw
from ams.samplers import (
    Info,
    Program,
    State,
    Step,
    adaptive,
    affine,
    authors_ve_reverse_diffusion,
    momentum,
    momentum_rule,
    predictor_corrector,
    snr_of_last_momentum,
)
from ams.samplers.base import Algebra, Noise, Score, Vector
from ams.schedules import VE, Level, process_levels
from analysis.targets import stiff_gaussian
from analysis.update_rule.settings import Settings
from verdicts import Measurement, check

PROCESS = VE(sigma_min=0.01, sigma_max=50.0)  # the release's, on images
SNR = 0.16
LABELS = ("own drift", "own noise", "predictor's drift", "predictor's noise", "change of level")


class Parts(NamedTuple):
    """Between two corrector calls: the second one's sigma; shares of `E|s_t - s_{t-1}|^2`, in the order of `LABELS`.

    `foreign` is the share of predictor and level taken together, `unexplained` what the parts' sum leaves of it.
    """

    sigma: float
    shares: tuple[float, ...]
    foreign: float
    unexplained: float


def program_of(corrector: Step, count: int) -> Program:
    """Return the released predictor-corrector run over `count` levels, reverse diffusion between them."""
    predictor = affine(authors_ve_reverse_diffusion(PROCESS, count))
    return predictor_corrector(predictor, corrector, process_levels(PROCESS, count, 1e-5))


def remembering(corrector: Step) -> Step:
    """Return a momentum step that leaves the drift and the noise of its move in `z` and `p`."""

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        after, info = corrector(state, score, noise, level, algebra)
        moved = algebra.combine((1.0, after.x), (-1.0, info.mean()))
        return after._replace(z=algebra.combine((after.effective_drift, after.m)), p=moved), info

    return step


def taken_apart(law: GaussianLaw, state: State, info: Info, level: Level, following: Level) -> Parts:
    """Return the parts of the score's change, from the state after the predictor's step at `level`."""
    old, new = law.score(state.x, level), law.score(state.x, following)
    moves = [state.z, state.p, _less(law, info.mean(), info.at), _less(law, state.x, info.mean())]
    parts = [_less(law, old, law.score(_less(law, state.x, move), level)) for move in moves] + [_less(law, new, old)]
    total = _less(law, new, state.s)
    whole = _second_moment(law, total)
    foreign = law.combine(*((1.0, part) for part in parts[2:]))
    rest = _less(law, total, law.combine(*((1.0, part) for part in parts)))
    shares = tuple(_second_moment(law, part) / whole for part in parts)
    return Parts(following.sigma, shares, _second_moment(law, foreign) / whole, _second_moment(law, rest) / whole)


def _less(law: GaussianLaw, one: Vector, other: Vector) -> Vector:
    return law.combine((1.0, one), (-1.0, other))


def _second_moment(law: GaussianLaw, vector: Vector) -> float:
    mean, variance = law.moments(vector)
    return float((law.multiplicity * (mean.square() + variance)).sum())


@cache
def shares(count: int) -> list[Parts]:
    """Return the parts at every corrector call but the first, released adaptive corrector on the stiff Gaussian."""
    corrector = remembering(momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(SNR))))
    law, program = stiff_gaussian(), list(program_of(corrector, count))
    states = zip(program, law.run(program, law.start(0.0, PROCESS.sigma_max**2)), strict=True)
    return [
        taken_apart(law, state, info, level, level.next)
        for number, ((_, level), (state, info)) in enumerate(states)
        if number % 2 and level.next
    ]


@check("R4.sum")
def parts_are_all_there_is(settings: Settings) -> Measurement:
    """Return the largest share of `E|s_t - s_{t-1}|^2` that the five parts leave unexplained, over the runs."""
    runs = [part.unexplained for count in settings.levels for part in shares(count)]
    return Measurement(value=max(runs), n=len(runs))


@check("R4.drift")
def own_drift_is_a_small_part(settings: Settings) -> Measurement:
    """Return the largest share of the corrector's own drift: the part that speaks of curvature along the move."""
    largest = {count: max(part.shares[0] for part in shares(count)) for count in settings.levels}
    by_count: dict[str, JsonValue] = {f"{count} levels": share for count, share in largest.items()}
    return Measurement(value=max(largest.values()), n=sum(settings.levels), detail=by_count)


@check("R4.foreign")
def at_few_levels_others_decide(settings: Settings) -> Measurement:
    """Return the least share of predictor and level together at 30 levels, while sigma is above 0.1."""
    runs = [part.foreign for part in shares(30) if part.sigma > 0.1]
    return Measurement(value=min(runs), n=len(runs))
