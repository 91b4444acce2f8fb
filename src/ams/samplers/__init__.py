"""Samplers: each step written once, over an algebra; one loop runs them all; `presets` has a
record of each.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.samplers.affine_transitions import (
    AffineTransition,
    Kernel,
    affine,
    ancestral,
    authors_euler_maruyama,
    authors_ve_reverse_diffusion,
    authors_vp_reverse_diffusion,
    consistent,
    flow_euler,
    reverse_sde,
)
from ams.samplers.annealed_baoab import TAPERED, KineticParameters, annealed_baoab, fixed
from ams.samplers.base import Algebra, Coefficients, Info, Noise, Rule, Score, State, Step
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.edm import edm_stochastic, flow_heun
from ams.samplers.kinetic import (
    bao,
    baoab,
    baoab_positions,
    exponential_euler,
    leimkuhler_matthews,
    obabo,
    sghmc,
    splitting,
)
from ams.samplers.loop import (
    NonFiniteState,
    Program,
    annealed,
    denoise,
    denoised,
    last,
    one_step_per_level,
    predictor_corrector,
    run,
    sample,
    spent,
)
from ams.samplers.particles import Batches, Particles, PerSample
from ams.samplers.rules import (
    adaptive,
    authors_factor,
    constant,
    critical_momentum,
    filtered,
    langevin,
    memoryless,
    momentum,
    momentum_rule,
    prescribed,
    recorded,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
    unit_factor,
    wiener_gain,
    with_corrected_noise,
    without_averaging,
)
