"""Samplers: each step written once, over an algebra; one loop runs them all."""

from ams.samplers.ablations import unit_factor, with_corrected_noise, without_averaging
from ams.samplers.affine_transitions import (
    Kernel,
    Move,
    affine,
    ancestral,
    flow_euler,
    released_euler_maruyama,
    released_ve_reverse_diffusion,
    released_vp_reverse_diffusion,
    reverse_sde,
)
from ams.samplers.annealed_baoab import Pace, Passage, crossing, isothermal, paced, stirred, tapered, tapering
from ams.samplers.base import Algebra, Coefficients, Info, Noise, Rule, Score, State, Step
from ams.samplers.consistent_annealed import consistent
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.edm import edm_stochastic
from ams.samplers.filtered import filtered, wiener_gain
from ams.samplers.heun import flow_heun
from ams.samplers.kinetic import bao, baoab, baoab_positions, exponential_euler, obabo, sghmc, splitting
from ams.samplers.leimkuhler_matthews import leimkuhler_matthews
from ams.samplers.loop import (
    NonFiniteState,
    Program,
    annealed,
    denoise,
    denoised,
    downward,
    last,
    predictor_corrector,
    run,
    sample,
)
from ams.samplers.particles import Particles, PerSample
from ams.samplers.rk45 import NotIntegrated, exploding, flow_rk45, preserving
from ams.samplers.rules import (
    adaptive,
    constant,
    damping_of,
    forgetful,
    langevin,
    momentum,
    momentum_rule,
    prescribed,
    recorded,
    released_factor,
)
from ams.samplers.snr_step_size import snr_of_last_momentum, snr_of_momentum, snr_of_score

__all__ = [
    "Algebra",
    "Coefficients",
    "Info",
    "Kernel",
    "Move",
    "Noise",
    "NonFiniteState",
    "NotIntegrated",
    "Pace",
    "Particles",
    "Passage",
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
    "bao",
    "baoab",
    "baoab_positions",
    "consistent",
    "constant",
    "crossing",
    "damping_of",
    "denoise",
    "denoised",
    "downward",
    "dpm_solver",
    "edm_stochastic",
    "exploding",
    "exponential_euler",
    "filtered",
    "flow_euler",
    "flow_heun",
    "flow_rk45",
    "forgetful",
    "isothermal",
    "langevin",
    "last",
    "leimkuhler_matthews",
    "momentum",
    "momentum_rule",
    "obabo",
    "paced",
    "predictor_corrector",
    "prescribed",
    "preserving",
    "recorded",
    "released_euler_maruyama",
    "released_factor",
    "released_ve_reverse_diffusion",
    "released_vp_reverse_diffusion",
    "reverse_sde",
    "run",
    "sample",
    "sghmc",
    "snr_of_last_momentum",
    "snr_of_momentum",
    "snr_of_score",
    "splitting",
    "stirred",
    "tapered",
    "tapering",
    "unit_factor",
    "wiener_gain",
    "with_corrected_noise",
    "without_averaging",
]
