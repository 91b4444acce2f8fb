"""Reading the rule: R1 to R5 and P3, decided by algebra on the sampler's own steps and by the exact law."""

from analysis.update_rule.checks import (
    adjacency_is_plain_langevin,
    adjacency_matches_bit_for_bit,
    blown_up_score_is_smooth_to_it,
    damping_after,
    first_move_is_the_exception,
    lower_clip_never_acts,
    noise_stays_outside_the_momentum,
    rule_is_symmetric,
    step_size_cancels,
    symbolic_ratio,
    zero_over_zero,
)
from analysis.update_rule.clip import (
    a_larger_delta_matters,
    delta_hardly_matters_from_far_away,
    delta_leaves_the_annealed_law,
    delta_leaves_the_stationary_law,
    stationary_variance,
)
from analysis.update_rule.corrector import (
    at_few_levels_others_decide,
    own_drift_is_a_small_part,
    parts_are_all_there_is,
    shares,
)
from analysis.update_rule.figures import (
    draw_lag,
    draw_parts,
    draw_rule,
    figures,
)
from analysis.update_rule.lag import (
    control_has_much_of_the_gain,
    effective_ratio,
    effective_ratio_at_few_levels,
    effective_ratio_is_never_smaller,
    effective_ratio_of_adaptive,
    final_kl,
    lag_is_another_ratio,
)
from analysis.update_rule.settings import (
    Settings,
)

__all__ = [
    "Settings",
    "a_larger_delta_matters",
    "adjacency_is_plain_langevin",
    "adjacency_matches_bit_for_bit",
    "at_few_levels_others_decide",
    "blown_up_score_is_smooth_to_it",
    "control_has_much_of_the_gain",
    "damping_after",
    "delta_hardly_matters_from_far_away",
    "delta_leaves_the_annealed_law",
    "delta_leaves_the_stationary_law",
    "draw_lag",
    "draw_parts",
    "draw_rule",
    "effective_ratio",
    "effective_ratio_at_few_levels",
    "effective_ratio_is_never_smaller",
    "effective_ratio_of_adaptive",
    "figures",
    "final_kl",
    "first_move_is_the_exception",
    "lag_is_another_ratio",
    "lower_clip_never_acts",
    "noise_stays_outside_the_momentum",
    "own_drift_is_a_small_part",
    "parts_are_all_there_is",
    "rule_is_symmetric",
    "shares",
    "stationary_variance",
    "step_size_cancels",
    "symbolic_ratio",
    "zero_over_zero",
]
