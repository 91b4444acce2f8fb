"""R4 and R5: the authors' image corrector in a predictor-corrector run, by the exact law on the stiff Gaussian.

R4: alone, a sampler's `s_t - s_{t-1}` is the score's response to its last move. Here it also holds the corrector's own
noise, the predictor's move and a change of noise level. R5: the step `a_t = 2 (snr <z>/<m_{t-1}>)^2` is sized by the
momentum's norm before its update, one level behind: Song's rule with `snr <s_t>/<m_{t-1}>` in the place of snr. The
control is plain Langevin with the lagged norm (momentum with b = 0).
"""

import numpy as np

from ams.laws.symbolic import Norm, Symbols, a, m, s, x, z
from ams.samplers import State, snr_of_last_momentum, snr_of_score
from ams.schedules import Level
from analysis.proofs import left_over
from analysis.update_rule import study
from analysis.update_rule.checks import SNR
from analysis.update_rule.settings import Settings
from analysis.update_rule.study import LAGGED
from verdicts import Measurement


def score_changes(count: int) -> list[study.ScoreChange]:
    """Return the score's changes in the run of the authors' adaptive corrector over `count` noise levels."""
    return study.corrector_run(LAGGED[1], count).changes


def largest_share_left_unexplained(settings: Settings) -> Measurement:
    """Measure the largest share of `E|s_t - s_{t-1}|^2` that the five parts leave unexplained, over the runs."""
    shares = [change.unexplained for count in settings.levels for change in score_changes(count)]
    return Measurement(value=max(shares), n=len(shares))


def largest_share_of_the_own_drift(settings: Settings) -> Measurement:
    """Measure the largest share of `E|s_t - s_{t-1}|^2` that the corrector's own drift has; curvature shows there."""
    largest = {count: max(change.shares[0] for change in score_changes(count)) for count in settings.levels}
    detail = {f"{count} noise levels": share for count, share in largest.items()}
    return Measurement(value=max(largest.values()), n=sum(settings.levels), detail=detail)


def least_share_of_predictor_and_level(settings: Settings) -> Measurement:
    """Measure the least share of predictor and level change together, 30 noise levels, while sigma is above 0.1."""
    shares = [change.foreign for change in score_changes(30) if change.sigma > 0.1]
    return Measurement(value=min(shares), n=len(shares))


def terms_left_of_the_lagged_size(settings: Settings) -> Measurement:
    """Count the terms left of the lagged size minus Song's with `snr <s>/<m_{t-1}>`, for any homogeneous norm."""
    algebra, level, state = Symbols(), Level(0, sigma=0.0, step=a), State(x, m, s)
    score = algebra.score(x, level)
    lagged = snr_of_last_momentum(SNR)(state, score, z, 0, level, algebra)
    return left_over(lagged - snr_of_score(SNR * Norm(score) / Norm(m))(state, score, z, 0, level, algebra))


def calls_below_the_stated_ratio(settings: Settings) -> Measurement:
    """Count the corrector calls at which `<s_t>/<m_{t-1}>` is below 1, over the control's runs."""
    ratios = np.concatenate([study.corrector_run(LAGGED[0], count).ratios for count in settings.levels])
    return Measurement(value=int((ratios < 1.0).sum()), n=len(ratios))


def mean_ratio(name: str, settings: Settings, at: int = 30) -> Measurement:
    """Return the geometric mean over a run of the ratio of steps, at `at` noise levels; the detail has others."""
    counts = sorted({at, *settings.levels})
    means = {count: float(np.exp(np.log(study.corrector_run(name, count).ratios).mean())) for count in counts}
    return Measurement(
        value=means[at], n=at - 1, detail={f"{count} noise levels": mean for count, mean in means.items()}
    )


def control_s_share_of_the_gain(settings: Settings) -> Measurement:
    """Measure the lagged control's share of adaptive momentum's gain in KL over Langevin, at 30 noise levels."""
    divergences = {f"KL, {name}": study.corrector_run(name, 30).kl for name in study.CORRECTORS}
    return Measurement(value=share_of_the_gain(30), detail=divergences)


def gain_of_adaptive_momentum_at_100(settings: Settings) -> Measurement:
    """Measure Langevin's KL less that of the authors' adaptive corrector, at 100 noise levels (nats)."""
    plain, _, _, lagged = (study.corrector_run(name, 100).kl for name in study.CORRECTORS)
    return Measurement(value=plain - lagged, unit="nats")


def share_of_the_gain(count: int) -> float:
    """Return which share of the lagged norm's gain in KL the control has, at a number of noise levels."""
    plain, control, _, lagged = (study.corrector_run(name, count).kl for name in study.CORRECTORS)
    return (plain - control) / (plain - lagged)
