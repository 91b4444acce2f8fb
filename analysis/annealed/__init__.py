"""Annealed runs: the paper's speed-up (P2), where it holds, what it is due to, and against whom (B1 to B5).

Two targets: a stiff Gaussian in 16 dimensions, where every sampler's law is exact, and a mixture on the line, by grid
law, transport or particles. Budgets are counted in score evaluations (NFE).
"""

from __future__ import annotations

from analysis.annealed.checks import (
    a_larger_drift_gains_more,
    averaging_alone_gains_nothing,
    averaging_alone_gains_nothing_tuned,
    budget_of_the_least_error,
    corrected_noise_gains_nothing_tuned,
    drift_alone_keeps_the_gain,
    error_at_the_largest_budget,
    gain_at_the_largest_budget,
    gain_on_the_mixture,
    langevin_falls,
    largest_gain_anywhere,
    largest_gain_at_the_defaults,
    largest_gain_when_tuned,
    least_error_of_the_released_rule,
    least_gain_anywhere,
    least_gain_at_the_defaults,
    least_gain_when_tuned,
    rivals_at_the_defaults,
    rivals_on_the_mixture,
    rivals_when_tuned,
    the_whole_rule_gains,
)
from analysis.annealed.drawing import (
    draw_batch,
    draw_delta,
    draw_errors,
    draw_line,
    draw_repeats,
    draw_snr,
    draw_steps,
)
from analysis.annealed.figures import figures, tables
from analysis.annealed.mode_loss import (
    adaptive_momentum_starves,
    estimated_divergence_agrees_with_the_grid,
    langevin_does_not_starve,
    larger_drift_starves,
    particles_agree_with_the_grid,
)
from analysis.annealed.settings import CAUSES, OTHERS, RIVALS, Settings

__all__ = [
    "CAUSES",
    "OTHERS",
    "RIVALS",
    "Settings",
    "a_larger_drift_gains_more",
    "adaptive_momentum_starves",
    "averaging_alone_gains_nothing",
    "averaging_alone_gains_nothing_tuned",
    "budget_of_the_least_error",
    "corrected_noise_gains_nothing_tuned",
    "draw_batch",
    "draw_delta",
    "draw_errors",
    "draw_line",
    "draw_repeats",
    "draw_snr",
    "draw_steps",
    "drift_alone_keeps_the_gain",
    "error_at_the_largest_budget",
    "estimated_divergence_agrees_with_the_grid",
    "figures",
    "gain_at_the_largest_budget",
    "gain_on_the_mixture",
    "langevin_does_not_starve",
    "langevin_falls",
    "larger_drift_starves",
    "largest_gain_anywhere",
    "largest_gain_at_the_defaults",
    "largest_gain_when_tuned",
    "least_error_of_the_released_rule",
    "least_gain_anywhere",
    "least_gain_at_the_defaults",
    "least_gain_when_tuned",
    "particles_agree_with_the_grid",
    "rivals_at_the_defaults",
    "rivals_on_the_mixture",
    "rivals_when_tuned",
    "tables",
    "the_whole_rule_gains",
]
