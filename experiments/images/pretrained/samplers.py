"""The samplers by the part that they play in the group's claims, and controls of the adaptive
corrector.

The adaptive corrector of the authors' code differs from Langevin's in three ways: its step size
comes from the norm at the *previous* noise level, it averages scores, and it multiplies the drift
by `(1 + beta)^2` while the noise stays. Each control keeps some of these parts, to show what the
corrector's gain is due to.
"""

from collections.abc import Callable
from functools import partial

from ams import samplers as steps
from ams.samplers import (
    Rule,
    adaptive,
    constant,
    momentum_rule,
    snr_of_last_momentum as of_last,
    snr_of_score,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.samplers.presets import COMPARED, SPECS, Family, SamplerSpec, corrected
from ams.samplers.rules import Size

BASELINE, PAPER, ANCESTRAL = "annealed Langevin", "adaptive momentum", "ancestral"
PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR = "PC, Langevin", "PC, adaptive"
DOUBLED = "Langevin, drift x2"
"""Annealed Langevin with twice the drift, the noise as it is: what I3b compares with adaptive
momentum.
"""
MAIN = (BASELINE, PAPER, PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR, ANCESTRAL)
TUNED = (*MAIN, DOUBLED)
OTHERS = tuple(name for name in COMPARED if name not in (*MAIN, DOUBLED))
COUPLED = (PAPER, ADAPTIVE_CORRECTOR)
"""Those whose norms are means over the batch."""
CLIP = 1e-4
"""Of `beta <= 1 - delta` in the authors' corrector."""
_adaptive = partial(momentum_rule, adaptive(CLIP))


def _control(
    name: str, rule: Callable[[Size], Rule], size: Callable[[float], Size] = of_last
) -> SamplerSpec:
    return SamplerSpec(
        name, Family.PREDICTOR_CORRECTOR, corrected(lambda h: steps.momentum(rule(size(h.snr))))
    )


LAGGED_NORM = _control(
    "PC, lagged norm alone", lambda size: momentum_rule(constant(0.0), size, unit_factor)
)
DRIFT_FACTOR = _control(
    "PC, drift alone", lambda size: without_averaging(_adaptive(size)), snr_of_score
)
CORRECTED_NOISE = _control(
    "PC, noise corrected", lambda size: with_corrected_noise(_adaptive(size))
)
NO_FACTOR = _control("PC, factor dropped", lambda size: _adaptive(size, unit_factor))
_langevin = corrected(lambda h: steps.langevin(snr_of_score(h.snr), factor=h.drift_scale))
CONSTANT_FACTOR = SamplerSpec("PC, constant factor", Family.PREDICTOR_CORRECTOR, _langevin)
"""Langevin's corrector with its drift times `drift_scale`: in the study, the adaptive corrector's
mean factor.
"""

CONTROLS = (LAGGED_NORM, DRIFT_FACTOR, CORRECTED_NOISE, NO_FACTOR, CONSTANT_FACTOR)
BY_NAME = {**SPECS, **{spec.name: spec for spec in CONTROLS}}
"""Every sampler of the group."""
