"""Samplers: each step written once, over an algebra; one loop runs them all; `presets` has a record of each."""

from ams.samplers.ablations import (
    unit_factor as unit_factor,
    with_corrected_noise as with_corrected_noise,
    without_averaging as without_averaging,
)
from ams.samplers.affine_transitions import (
    AffineTransition as AffineTransition,
    Kernel as Kernel,
    affine as affine,
    ancestral as ancestral,
    authors_euler_maruyama as authors_euler_maruyama,
    authors_ve_reverse_diffusion as authors_ve_reverse_diffusion,
    authors_vp_reverse_diffusion as authors_vp_reverse_diffusion,
    flow_euler as flow_euler,
    reverse_sde as reverse_sde,
)
from ams.samplers.annealed_baoab import (
    TAPERED as TAPERED,
    KineticParameters as KineticParameters,
    KineticSchedule as KineticSchedule,
    StepCoefficients as StepCoefficients,
    annealed_baoab as annealed_baoab,
    fixed as fixed,
    level_transition as level_transition,
    tapered as tapered,
)
from ams.samplers.base import (
    Algebra as Algebra,
    Coefficients as Coefficients,
    Info as Info,
    Noise as Noise,
    Rule as Rule,
    Score as Score,
    State as State,
    Step as Step,
)
from ams.samplers.consistent_annealed import consistent as consistent
from ams.samplers.dpm_solver import dpm_solver as dpm_solver
from ams.samplers.edm import edm_stochastic as edm_stochastic
from ams.samplers.filtered import filtered as filtered, wiener_gain as wiener_gain
from ams.samplers.heun import flow_heun as flow_heun
from ams.samplers.kinetic import (
    bao as bao,
    baoab as baoab,
    baoab_positions as baoab_positions,
    exponential_euler as exponential_euler,
    obabo as obabo,
    sghmc as sghmc,
    splitting as splitting,
)
from ams.samplers.leimkuhler_matthews import leimkuhler_matthews as leimkuhler_matthews
from ams.samplers.loop import (
    NonFiniteState as NonFiniteState,
    Program as Program,
    annealed as annealed,
    denoise as denoise,
    denoised as denoised,
    last as last,
    one_step_per_level as one_step_per_level,
    predictor_corrector as predictor_corrector,
    run as run,
    sample as sample,
    spent as spent,
)
from ams.samplers.particles import Particles as Particles, PerSample as PerSample
from ams.samplers.rk45 import (
    NotIntegrated as NotIntegrated,
    flow_rk45 as flow_rk45,
    ve_level as ve_level,
    vp_level as vp_level,
)
from ams.samplers.rules import (
    adaptive as adaptive,
    authors_factor as authors_factor,
    constant as constant,
    critical_momentum as critical_momentum,
    langevin as langevin,
    memoryless as memoryless,
    momentum as momentum,
    momentum_rule as momentum_rule,
    prescribed as prescribed,
    recorded as recorded,
)
from ams.samplers.snr_step_size import (
    snr_of_last_momentum as snr_of_last_momentum,
    snr_of_momentum as snr_of_momentum,
    snr_of_score as snr_of_score,
)
