"""Samplers: each step written once, over an algebra; one loop runs them all; `presets` has a record of each."""

from ams.samplers.ablations import (
    unit_factor as unit_factor,
)
from ams.samplers.ablations import (
    with_corrected_noise as with_corrected_noise,
)
from ams.samplers.ablations import (
    without_averaging as without_averaging,
)
from ams.samplers.affine_transitions import (
    AffineTransition as AffineTransition,
)
from ams.samplers.affine_transitions import (
    Kernel as Kernel,
)
from ams.samplers.affine_transitions import (
    affine as affine,
)
from ams.samplers.affine_transitions import (
    ancestral as ancestral,
)
from ams.samplers.affine_transitions import (
    authors_euler_maruyama as authors_euler_maruyama,
)
from ams.samplers.affine_transitions import (
    authors_ve_reverse_diffusion as authors_ve_reverse_diffusion,
)
from ams.samplers.affine_transitions import (
    authors_vp_reverse_diffusion as authors_vp_reverse_diffusion,
)
from ams.samplers.affine_transitions import (
    flow_euler as flow_euler,
)
from ams.samplers.affine_transitions import (
    reverse_sde as reverse_sde,
)
from ams.samplers.annealed_baoab import (
    TAPERED as TAPERED,
)
from ams.samplers.annealed_baoab import (
    KineticParameters as KineticParameters,
)
from ams.samplers.annealed_baoab import (
    KineticSchedule as KineticSchedule,
)
from ams.samplers.annealed_baoab import (
    StepCoefficients as StepCoefficients,
)
from ams.samplers.annealed_baoab import (
    annealed_baoab as annealed_baoab,
)
from ams.samplers.annealed_baoab import (
    fixed as fixed,
)
from ams.samplers.annealed_baoab import (
    level_transition as level_transition,
)
from ams.samplers.annealed_baoab import (
    tapered as tapered,
)
from ams.samplers.base import (
    Algebra as Algebra,
)
from ams.samplers.base import (
    Coefficients as Coefficients,
)
from ams.samplers.base import (
    Info as Info,
)
from ams.samplers.base import (
    Noise as Noise,
)
from ams.samplers.base import (
    Rule as Rule,
)
from ams.samplers.base import (
    Score as Score,
)
from ams.samplers.base import (
    State as State,
)
from ams.samplers.base import (
    Step as Step,
)
from ams.samplers.consistent_annealed import consistent as consistent
from ams.samplers.dpm_solver import dpm_solver as dpm_solver
from ams.samplers.edm import edm_stochastic as edm_stochastic
from ams.samplers.filtered import filtered as filtered
from ams.samplers.filtered import wiener_gain as wiener_gain
from ams.samplers.heun import flow_heun as flow_heun
from ams.samplers.kinetic import (
    bao as bao,
)
from ams.samplers.kinetic import (
    baoab as baoab,
)
from ams.samplers.kinetic import (
    baoab_positions as baoab_positions,
)
from ams.samplers.kinetic import (
    exponential_euler as exponential_euler,
)
from ams.samplers.kinetic import (
    obabo as obabo,
)
from ams.samplers.kinetic import (
    sghmc as sghmc,
)
from ams.samplers.kinetic import (
    splitting as splitting,
)
from ams.samplers.leimkuhler_matthews import leimkuhler_matthews as leimkuhler_matthews
from ams.samplers.loop import (
    NonFiniteState as NonFiniteState,
)
from ams.samplers.loop import (
    Program as Program,
)
from ams.samplers.loop import (
    annealed as annealed,
)
from ams.samplers.loop import (
    denoise as denoise,
)
from ams.samplers.loop import (
    denoised as denoised,
)
from ams.samplers.loop import (
    last as last,
)
from ams.samplers.loop import (
    one_step_per_level as one_step_per_level,
)
from ams.samplers.loop import (
    predictor_corrector as predictor_corrector,
)
from ams.samplers.loop import (
    run as run,
)
from ams.samplers.loop import (
    sample as sample,
)
from ams.samplers.loop import (
    spent as spent,
)
from ams.samplers.particles import Particles as Particles
from ams.samplers.particles import PerSample as PerSample
from ams.samplers.rk45 import (
    NotIntegrated as NotIntegrated,
)
from ams.samplers.rk45 import (
    flow_rk45 as flow_rk45,
)
from ams.samplers.rk45 import (
    ve_level as ve_level,
)
from ams.samplers.rk45 import (
    vp_level as vp_level,
)
from ams.samplers.rules import (
    adaptive as adaptive,
)
from ams.samplers.rules import (
    authors_factor as authors_factor,
)
from ams.samplers.rules import (
    constant as constant,
)
from ams.samplers.rules import (
    critical_momentum as critical_momentum,
)
from ams.samplers.rules import (
    langevin as langevin,
)
from ams.samplers.rules import (
    memoryless as memoryless,
)
from ams.samplers.rules import (
    momentum as momentum,
)
from ams.samplers.rules import (
    momentum_rule as momentum_rule,
)
from ams.samplers.rules import (
    prescribed as prescribed,
)
from ams.samplers.rules import (
    recorded as recorded,
)
from ams.samplers.snr_step_size import (
    snr_of_last_momentum as snr_of_last_momentum,
)
from ams.samplers.snr_step_size import (
    snr_of_momentum as snr_of_momentum,
)
from ams.samplers.snr_step_size import (
    snr_of_score as snr_of_score,
)
