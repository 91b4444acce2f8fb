"""Samplers: each step written once, over an algebra; one loop runs them all."""

from ams.samplers.affine import (
    Move,
    affine,
    ancestral,
    flow_euler,
    released_euler_maruyama,
    released_ve_reverse_diffusion,
    released_vp_reverse_diffusion,
    reverse_sde,
)
from ams.samplers.base import Algebra, Coefficients, Info, Noise, Rule, Score, State, Step
from ams.samplers.corrector import snr_of_last_momentum, snr_of_momentum, snr_of_score
from ams.samplers.heun import flow_heun
from ams.samplers.leimkuhler_matthews import leimkuhler_matthews
from ams.samplers.loop import (
    NonFiniteState,
    Program,
    annealed,
    denoise,
    denoised,
    downward,
    predictor_corrector,
    run,
    sample,
)
from ams.samplers.momentum import (
    adaptive,
    constant,
    damping_of,
    langevin,
    momentum,
    momentum_rule,
    prescribed,
    recorded,
    released_factor,
)
from ams.samplers.particles import Particles, PerSample

__all__ = [
    "Algebra",
    "Coefficients",
    "Info",
    "Move",
    "Noise",
    "NonFiniteState",
    "Particles",
    "PerSample",
    "Program",
    "Rule",
    "Score",
    "State",
    "Step",
    "adaptive",
    "affine",
    "ancestral",
    "annealed",
    "constant",
    "damping_of",
    "denoise",
    "denoised",
    "downward",
    "flow_euler",
    "flow_heun",
    "langevin",
    "leimkuhler_matthews",
    "momentum",
    "momentum_rule",
    "predictor_corrector",
    "prescribed",
    "recorded",
    "released_euler_maruyama",
    "released_factor",
    "released_ve_reverse_diffusion",
    "released_vp_reverse_diffusion",
    "reverse_sde",
    "run",
    "sample",
    "snr_of_last_momentum",
    "snr_of_momentum",
    "snr_of_score",
]
