"""RunOptions of convergence on the mixture, by exact laws on grids: B6, K5, what the laws are worth (L1), one level of B5.

Each stationary law is the one that the sampler's own step leaves alone; nothing here is sampled but B5b.
"""

from analysis.orders.accuracy import (
    annealed_law_on_a_gaussian,
    estimate_bounds_the_error,
    mean_field_on_a_gaussian,
    phase_law_is_refined,
    position_law_is_refined,
    stationary_laws_on_a_gaussian,
)
from analysis.orders.checks import (
    adaptive_on_the_gaussian,
    adaptive_on_the_mixture,
    adaptive_to_the_fourth_power,
    averaged_kl,
    averaged_w2,
    coefficient_on_the_gaussian,
    constant_kl,
    constant_w2,
    kinetic_w2,
    langevin_kl,
    langevin_w2,
    momentum_leaves_the_target,
    order_at_moderate_steps,
)
from analysis.orders.figures import draw_densities, draw_departure, draw_orders, figures
from analysis.orders.mode_loss import (
    alone_is_starved_further,
    mass_does_not_depend_on_the_nodes,
    minority_is_starved,
    one_batch_is_the_mean_field,
)
from analysis.orders.settings import Settings

__all__ = [
    "Settings",
    "adaptive_on_the_gaussian",
    "adaptive_on_the_mixture",
    "adaptive_to_the_fourth_power",
    "alone_is_starved_further",
    "annealed_law_on_a_gaussian",
    "averaged_kl",
    "averaged_w2",
    "coefficient_on_the_gaussian",
    "constant_kl",
    "constant_w2",
    "draw_densities",
    "draw_departure",
    "draw_orders",
    "estimate_bounds_the_error",
    "figures",
    "kinetic_w2",
    "langevin_kl",
    "langevin_w2",
    "mass_does_not_depend_on_the_nodes",
    "mean_field_on_a_gaussian",
    "minority_is_starved",
    "momentum_leaves_the_target",
    "one_batch_is_the_mean_field",
    "order_at_moderate_steps",
    "phase_law_is_refined",
    "position_law_is_refined",
    "stationary_laws_on_a_gaussian",
]
