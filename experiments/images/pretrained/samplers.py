"""The samplers by the part that they play in the group's claims, and controls of the adaptive corrector.

The adaptive corrector of the authors' code differs from Langevin's in three ways: its step size comes from the norm at
the *previous* noise level, it averages scores, and it multiplies the drift by `(1 + beta)^2` while the noise stays.
Each control keeps some of these parts, to show what the corrector's gain is due to.
"""

from collections.abc import Callable

from ams.samplers import (
    Step,
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
from ams.samplers.presets import COMPARED, SPECS, Family, Hyperparameters, SamplerSpec, corrected

BASELINE, PAPER, ANCESTRAL = "annealed Langevin", "adaptive momentum", "ancestral"
PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR = "PC, Langevin", "PC, adaptive"
TUNED = (BASELINE, PAPER, PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR)
MAIN = (*TUNED, ANCESTRAL)
SOLVER, KINETIC = "SDE-DPM-Solver++", "annealed BAOAB, e = 1/2"
"""What I9 compares: a solver without momentum, and a sampler that keeps momentum from step to step."""
OTHERS = tuple(name for name in COMPARED if name not in (*MAIN, SOLVER, KINETIC))
COUPLED = (PAPER, ADAPTIVE_CORRECTOR)
"""Those whose norms are means over the batch."""
CLIP = 1e-4
"""Of `beta <= 1 - delta` in the authors' corrector."""


def _control(name: str, colour: str, marker: str, line: str, step: Callable[[Hyperparameters], Step]) -> SamplerSpec:
    return SamplerSpec(name, Family.PREDICTOR_CORRECTOR, colour, marker, line, corrected(step))


LAGGED_NORM = _control(
    *("PC, lagged norm alone", "#56B4E9", "o", "--"),
    lambda h: momentum(momentum_rule(constant(0.0), snr_of_last_momentum(h.snr), factor=unit_factor)),
)
DRIFT_FACTOR = _control(
    *("PC, drift alone", "#000000", "<", "--"),
    lambda h: momentum(without_averaging(momentum_rule(adaptive(CLIP), snr_of_score(h.snr)))),
)
CORRECTED_NOISE = _control(
    *("PC, noise corrected", "#009E73", "h", "--"),
    lambda h: momentum(with_corrected_noise(momentum_rule(adaptive(CLIP), snr_of_last_momentum(h.snr)))),
)
NO_FACTOR = _control(
    *("PC, factor dropped", "#CC79A7", ">", ":"),
    lambda h: momentum(momentum_rule(adaptive(CLIP), snr_of_last_momentum(h.snr), factor=unit_factor)),
)
CONSTANT_FACTOR = _control(
    *("PC, constant factor", "#56B4E9", "D", ":"),
    lambda h: langevin(snr_of_score(h.snr), factor=h.drift_scale),
)
"""Langevin's corrector with its drift times `drift_scale`: in the study, the adaptive corrector's mean factor."""

CONTROLS = (LAGGED_NORM, DRIFT_FACTOR, CORRECTED_NOISE, NO_FACTOR, CONSTANT_FACTOR)
BY_NAME = {**SPECS, **{spec.name: spec for spec in CONTROLS}}
"""Every sampler of the group."""
