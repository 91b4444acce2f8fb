"""Predictor-corrector with one part of the released corrector at a time: what its gain over Langevin's is due to.

The released adaptive corrector differs from Langevin's in three ways: its step comes from the *previous* level's norm,
it averages scores, and it multiplies the drift by `(1 + beta)^2` while the noise stays. Each control keeps some of it.
"""

from __future__ import annotations

import torch
from ams.samplers.catalogue import Hyperparameters, corrected

from ams.samplers import (
    Particles,
    State,
    adaptive,
    constant,
    langevin,
    momentum,
    momentum_rule,
    snr_of_last_momentum,
    snr_of_score,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers import run as steps
from ams.samplers.noise_sources import generated
from experiments.images.runs import ENTRANTS, Entrant, Subject, started

WHOLE, NONE = "PC, adaptive", "PC, Langevin"
LAGGED, DRIFT, HEATED, DROPPED, MATCHED = (
    "PC, lagged norm alone",
    "PC, drift alone",
    "PC, noise corrected",
    "PC, factor dropped",
    "PC, constant factor",
)


CONTROLS: dict[str, Entrant] = {
    LAGGED: Entrant(
        corrected(lambda c: momentum(momentum_rule(constant(0.0), snr_of_last_momentum(c.snr), factor=unit_factor)))
    ),
    DRIFT: Entrant(
        corrected(lambda c: momentum(without_averaging(momentum_rule(adaptive(1e-4), snr_of_score(c.snr)))))
    ),
    HEATED: Entrant(
        corrected(lambda c: momentum(with_corrected_noise(momentum_rule(adaptive(1e-4), snr_of_last_momentum(c.snr)))))
    ),
    DROPPED: Entrant(
        corrected(lambda c: momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(c.snr), factor=unit_factor)))
    ),
}


def matched(factor: float) -> Entrant:
    """Langevin's corrector with its drift times a constant, its step from its own norm."""
    return Entrant(corrected(lambda c: langevin(snr_of_score(c.snr), factor=factor)))


def mean_factor(subject: Subject, budget: int, choice: Hyperparameters, size: int, draws: torch.Generator) -> float:
    """Return the mean of `A / a` over the released corrector's calls in one run."""
    program, algebra = ENTRANTS[WHOLE].program(subject.ends, budget, choice), Particles()
    states = steps(program, State(started(subject, size, draws)), subject.score, generated(draws), algebra)
    factors = [info.coefficients.drift / info.coefficients.step for _, info in states if info.coefficients]
    return float(sum(factors) / len(factors))
