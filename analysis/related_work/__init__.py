"""Neighbouring papers: inexact Langevin (N1), design of the variance-ve_level sampler (N2), a filter's gain (N3)."""

from __future__ import annotations

from pathlib import Path

from analysis.related_work import schedules
from analysis.related_work.drawing import draw_bound, draw_filter, draw_fixed_time, draw_relaxation, draw_schedules
from analysis.related_work.filter import (
    gain_one_is_best,
    no_gain_is_faster,
    stationary_gain,
    the_filter_hides_no_noise,
    the_filters_own_gain_is_slower,
    the_gain_costs,
)
from analysis.related_work.fixed_time import (
    a_fixed_time_is_better,
    exact_scores_forget_the_start,
    the_fall_is_geometric,
    the_flow_collects_the_error,
    the_gain_grows_like_the_logarithm,
    the_step_tends_to_the_diffusion,
)
from analysis.related_work.inexact import (
    a_constant_error_attains_it_at_large_powers,
    entropy_dissipates,
    no_ascent_breaks_the_bound,
    no_error_violates_the_bound,
    no_other_power_violates_it,
    the_bound_is_attained,
)
from analysis.related_work.mri import reconstruction_error
from analysis.related_work.path import (
    girsanov_is_the_formula,
    no_run_violates_the_bound,
    parts_from_the_samplers_own_kernel,
    the_bound_is_first_order,
    the_divergence_is_second_order,
)
from analysis.related_work.relaxation import noise_takes_the_barrier_away
from analysis.related_work.schedules import (
    edm_wins_on_a_wide_target,
    edm_wins_with_bad_scores,
    exponential_levels_collect_most_error,
    exponential_wins_with_good_scores,
    the_bounds_best_schedule_is_not_the_laws,
)
from analysis.related_work.settings import Settings
from verdicts import Figure, Table, save_figure

__all__ = [
    "Settings",
    "a_constant_error_attains_it_at_large_powers",
    "a_fixed_time_is_better",
    "draw_bound",
    "draw_filter",
    "draw_fixed_time",
    "draw_relaxation",
    "draw_schedules",
    "edm_wins_on_a_wide_target",
    "edm_wins_with_bad_scores",
    "entropy_dissipates",
    "exact_scores_forget_the_start",
    "exponential_levels_collect_most_error",
    "exponential_wins_with_good_scores",
    "figures",
    "gain_one_is_best",
    "girsanov_is_the_formula",
    "no_ascent_breaks_the_bound",
    "no_error_violates_the_bound",
    "no_gain_is_faster",
    "no_other_power_violates_it",
    "no_run_violates_the_bound",
    "noise_takes_the_barrier_away",
    "parts_from_the_samplers_own_kernel",
    "reconstruction_error",
    "stationary_gain",
    "tables",
    "the_bound_is_attained",
    "the_bound_is_first_order",
    "the_bounds_best_schedule_is_not_the_laws",
    "the_divergence_is_second_order",
    "the_fall_is_geometric",
    "the_filter_hides_no_noise",
    "the_filters_own_gain_is_slower",
    "the_flow_collects_the_error",
    "the_gain_costs",
    "the_gain_grows_like_the_logarithm",
    "the_step_tends_to_the_diffusion",
]


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_bound(settings),
            folder,
            "inexact_bound",
            r"Inexact Langevin on Gaussians, exact laws. Left: divergence at time $t$ against the bound of N1, random "
            r"affine score errors and starts, and after ascents towards it. Right: the stationary divergence over "
            r"its bound. With $L = C$ the worst error is $x/2 + b$, $b \to \infty$; with a larger power in the moment "
            r"a constant error, however small, attains it.",
            ("N1",),
        ),
        save_figure(
            draw_fixed_time(),
            folder,
            "fixed_time",
            r"Left: final $W_2$ against the time $T_1$ at which the forward process stops (root mean square over the "
            r"error's sign). The flow alone must take $T_1 \sim \log(1/|e|)$ and collects the score error on its way; "
            r"with Langevin at $T_1$ a short one is best. Right: what $T_1 = 0.5$ with Langevin gains over the best "
            r"$T_1$ without.",
            ("N1b",),
        ),
        save_figure(
            draw_relaxation(),
            folder,
            "relaxation",
            r"Why $T_1 > 0$: the relaxation time of Langevin (one over its generator's gap) on the mixture .3/.7 at "
            r"$-1/+1$, standard deviation 0.2, at time $T_1$ of the forward process. A little noise takes the barrier "
            r"away.",
            ("N1b",),
        ),
        save_figure(
            draw_schedules(settings),
            folder,
            "schedules",
            r"Left: KL(target $\|$ law) of the variance-ve_level sampler (lines; slope $-2$) and its path bound "
            r"(dashed; slope $-1$), exact scores, stiff target. The schedule that is best for the "
            r"bound is the worst for the law. Right: EDM's levels over the exponential ones' with a wrong score; below "
            r"1, EDM wins.",
            ("N2", "N2b"),
        ),
        save_figure(
            draw_filter(settings),
            folder,
            "filter_gain",
            r"Langevin along a filtered score with gain $K$ and memory $b$, exact law. Left: the stationary variance "
            r"(the target's is 1). Right: rate (1 less the spectral radius) at the step whose bias is 10 %. "
            r"$K = 1$ is Langevin; just below it the filter's own mode, of rate $1 - b$, may be the slower one.",
            ("N3",),
        ),
    ]


def tables(settings: Settings) -> list[Table]:
    """Return every outcome behind N2b."""
    return [schedules.table(settings)]
