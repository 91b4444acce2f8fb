"""Predictor-corrector with one part of the adaptive corrector at a time: what its gain over Langevin's is due to.

The adaptive corrector of the authors' code differs from Langevin's in three ways: its step size comes from the norm at
the *previous* noise level, it averages scores, and it multiplies the drift by `(1 + beta)^2` while the noise stays.
Each control keeps some of these parts.
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
from ams.samplers.presets import SPECS, Family, Hyperparameters, SamplerSpec, corrected
from experiments.images.pretrained.settings import ADAPTIVE_CORRECTOR, PLAIN_CORRECTOR

_CLIP = 1e-4
"""Of `beta <= 1 - delta` in the authors' corrector."""


def _control(name: str, corrector: Callable[[Hyperparameters], Step], *look: str) -> SamplerSpec:
    """Return a control; `look` is its colour, marker and line."""
    return SamplerSpec(name, Family.PREDICTOR_CORRECTOR, *look, corrected(corrector))


LAGGED_NORM = _control(
    "PC, lagged norm alone",
    lambda h: momentum(momentum_rule(constant(0.0), snr_of_last_momentum(h.snr), factor=unit_factor)),
    *("#56B4E9", "o", "--"),
)
DRIFT_FACTOR = _control(
    "PC, drift alone",
    lambda h: momentum(without_averaging(momentum_rule(adaptive(_CLIP), snr_of_score(h.snr)))),
    *("#000000", "<", "--"),
)
CORRECTED_NOISE = _control(
    "PC, noise corrected",
    lambda h: momentum(with_corrected_noise(momentum_rule(adaptive(_CLIP), snr_of_last_momentum(h.snr)))),
    *("#009E73", "h", "--"),
)
NO_FACTOR = _control(
    "PC, factor dropped",
    lambda h: momentum(momentum_rule(adaptive(_CLIP), snr_of_last_momentum(h.snr), factor=unit_factor)),
    *("#CC79A7", ">", ":"),
)
CONSTANT_FACTOR = _control(
    "PC, constant factor",
    lambda h: langevin(snr_of_score(h.snr), factor=h.drift_scale),
    *("#56B4E9", "D", ":"),
)
"""Langevin's corrector with its drift times `drift_scale`: in the study, the adaptive corrector's mean factor."""

CONTROLS = (LAGGED_NORM, DRIFT_FACTOR, CORRECTED_NOISE, NO_FACTOR, CONSTANT_FACTOR)
SAMPLERS = {**SPECS, **{spec.name: spec for spec in CONTROLS}}
"""Every sampler of the group by its name."""
CORRECTORS = (SPECS[PLAIN_CORRECTOR], SPECS[ADAPTIVE_CORRECTOR], *CONTROLS)
