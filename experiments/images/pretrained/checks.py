"""I1 to I9, I12 and I13: what exact scores cannot show. A network errs, and a sampler meets its errors.

Distances are to held-out images, in pixel units. The cause of a gain is found by controls that share start and noise
with what they control.
"""

import math
from collections.abc import Sequence

import numpy as np

from ams.statistics import CONFIDENCE, ratio_interval
from ams_suite import measures
from experiments.images.pretrained import runs, samplers, study, tuning
from experiments.images.pretrained.samplers import ADAPTIVE_CORRECTOR, ANCESTRAL, BASELINE, PAPER, PLAIN_CORRECTOR
from experiments.images.pretrained.settings import Settings
from verdicts import InsufficientData, Measurement


def values(settings: Settings, sampler: str, budget: int, quantity: str = "energy") -> list[float]:
    """Return a quantity of `Quality` of a sampler's batches at the defaults."""
    return [getattr(batch.quality, quantity) for batch in study.results(settings, sampler, budget)]


def difference(settings: Settings, worse: str, better: str, budget: int, quantity: str = "energy") -> Measurement:
    """Return a quantity of `worse` minus that of `better`, paired by batch: start and noise are common."""
    one, other = (values(settings, name, budget, quantity) for name in (worse, better))
    return measures.mean_difference(one, other, CONFIDENCE, settings.seed, settings.batch, budget=budget)


def excess(settings: Settings, sampler: str, other: str, at: str = "side") -> Measurement:
    """Return a sampler's energy distance minus another's (pixel units), at the budget that a setting has."""
    return difference(settings, sampler, other, getattr(settings, at))


def denoising_loss(settings: Settings) -> Measurement:
    """Measure the denoising loss of the network, the mean over times and test images; interval over images."""
    return measures.mean_of(
        runs.denoising_loss(settings.setup, settings.images, settings.times).tolist(), CONFIDENCE, settings.seed
    )


def residual_noise(settings: Settings, steps: str) -> Measurement:
    """Return the noise on blank pixels after the tutorial's sampler, the mean over its samples.

    Its steps are few ("noisy") or many ("clean").
    """
    residuals = runs.tutorial_residuals(settings.setup, getattr(settings, steps), settings.tutorial)
    return measures.mean_of(residuals, CONFIDENCE, settings.seed, least=min(residuals))


def least_relative_gain(settings: Settings, worse: str, better: str) -> Measurement:
    """Return (energy of `worse` - energy of `better`) / mean energy of `worse`, at 20 to 100 evaluations.

    Of the budgets the one where the interval begins lowest.
    """
    gains = []
    for budget in (budget for budget in settings.budgets if budget <= 100):
        gain, size = difference(settings, worse, better, budget), float(np.mean(values(settings, worse, budget)))
        gains.append(over(gain, size))
    return min(gains, key=lambda gain: gain.interval[0])


def over(gain: Measurement, size: float) -> Measurement:
    """Return a measurement and the ends of its interval over `size`."""
    low, high = gain.interval
    return gain.model_copy(update={"value": gain.value / size, "low": low / size, "high": high / size})


def tuned_gain(settings: Settings, worse: str, better: str, budget: int, as_share: bool = False) -> Measurement:
    """Return the energy distance of `worse` minus that of `better` (pixel units), paired, the mean over the choices.

    The interval goes from the lowest to the highest end of those of single choices: so it has what choosing moves.
    `as_share`: each choice's gain over the mean energy distance of `worse`.
    """
    gains, detail = [], dict[str, str]()
    pairs = zip(*(study.tuned_results(settings, name, budget) for name in (worse, better)), strict=True)
    for number, ((theirs, far), (ours, near)) in enumerate(pairs, 1):
        worst, best = ([batch.quality.energy for batch in batches] for batches in (far, near))
        gain = measures.mean_difference(worst, best, CONFIDENCE, settings.seed, settings.batch)
        gains.append(over(gain, float(np.mean(worst))) if as_share else gain)
        for name, chosen in ((worse, theirs), (better, ours)):
            detail[f"{name}, choice {number}"] = f"factor {chosen.factor:g}, T {chosen.repeats}, snr {chosen.snr:g}"
    return measures.over_choices(gains).model_copy(update={"detail": detail})


def tuned_hyperparameters_on_an_edge(settings: Settings) -> Measurement:
    """Count the chosen hyperparameters at an end of what was tried, natural bounds aside, over samplers and budgets."""
    tuned = study.tuned_runs(settings)
    edges = [edge for run in tuned for edge in tuning.edges(*run)]
    return Measurement(value=len(edges), n=len(tuned) * tuning.CHOICES, detail={"edges": [*edges]})


def speed_up(settings: Settings, baseline: str, sampler: str) -> Measurement:
    """Return the baseline's evaluations over the sampler's, for the energy distance that the sampler has at `side`."""
    ours = study.results(settings, sampler, settings.side)
    energies, spent = [batch.quality.energy for batch in ours], ours[-1].evaluations
    curve = study.energies(settings, baseline)
    return measures.speed_up(energies, curve, spent, CONFIDENCE, settings.seed, settings.batch)


def energy_distance_of_ancestral_sampling(settings: Settings) -> Measurement:
    """Measure ancestral sampling's own energy distance at 50 evaluations (pixel units)."""
    distances = values(settings, ANCESTRAL, settings.side)
    return measures.mean_of(distances, CONFIDENCE, settings.seed, settings.batch, budget=settings.side)


def variance_ratio_lost_to_momentum(settings: Settings) -> Measurement:
    """Measure annealed Langevin's minus adaptive momentum's variance ratio on blank pixels, at the largest budget."""
    return difference(settings, BASELINE, PAPER, max(settings.budgets), "variance_ratio")


def variance_ratio_of_held_out_images(settings: Settings) -> Measurement:
    """Measure the variance ratio of held-out images that carry the last noise level's noise: 1 if calibrated."""
    ratios = [quality.variance_ratio for quality in runs.held_out_quality(settings.setup, settings.batches)]
    return measures.mean_of(ratios, CONFIDENCE, settings.seed, settings.batch)


def share_of_gain(settings: Settings, control: str) -> Measurement:
    """Return the share of the adaptive corrector's gain over Langevin's that a control has: a ratio of means.

    Raises InsufficientData where the gain is not significant: any number may then be a share of it.
    """
    plain, whole, part = (
        np.array(values(settings, name, settings.side)) for name in (PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR, control)
    )
    share = ratio_interval(plain - part, plain - whole, CONFIDENCE)
    if not math.isfinite(share.low):
        raise InsufficientData(
            f"the corrector's gain does not differ from 0 over {share.n} batches, so no share of it is known: take more"
        )
    return measures.of_interval(share, settings.seed, settings.batch)


def share_of_gain_by_constant_factor(settings: Settings) -> Measurement:
    """Measure the share of the adaptive corrector's gain that its mean drift factor has, held constant, alone."""
    share = share_of_gain(settings, samplers.CONSTANT_FACTOR.name)
    factors = [factor for _, factor in study.rule(settings, ADAPTIVE_CORRECTOR)]
    return share.model_copy(update={"detail": {"factor": float(np.mean(factors))}})


def moved_by_batch_mates(settings: Settings, sampler: str) -> Measurement:
    """Return the root mean square by which samples move when the rest of their batch is exchanged (pixel units).

    The mean over batches.
    """
    moved = [study.read(one) for one in study.exchanges(settings, sampler)]
    values, largest = [one.root_mean_square for one in moved], max(one.largest for one in moved)
    return measures.mean_of(values, CONFIDENCE, settings.seed, runs.OWN, largest=largest)


def effect_of_the_batch_with_norms_per_sample(settings: Settings) -> Measurement:
    """Measure the largest pixel change with norms per sample, when the rest of the batch changes or is left out."""
    moved = [study.read(study.exchanges(settings, f"{name}, per sample", 1)[0]) for name in samplers.COUPLED]
    largest = max(max(one.largest, one.largest_alone) for one in moved)
    return Measurement(value=largest, n=runs.OWN, seeds=(settings.seed,))


def excess_of_the_critically_damped_corrector(settings: Settings) -> Measurement:
    """Measure the critically damped corrector's energy distance minus a rival's at equal NFE, 20 or 100: the least."""
    others = (*samplers.FAST, samplers.MEMORYLESS)
    least = [least_excess(settings, samplers.CRITICAL, at, at, others) for at in ("early", "late")]
    return min(least, key=lambda excess: excess.interval[0])


def least_excess(
    settings: Settings,
    sampler: str,
    at: str,
    against: str,
    others: Sequence[str] = samplers.FAST,
    fresh: bool = False,
    looks: int = 1,
) -> Measurement:
    """Return a sampler's energy distance minus that of another one (pixel units): of all, where it begins lowest.

    The settings `at` and `against` have the budgets of the one and of the others. Batches are `fresh`, or those that
    all comparisons share; where these were looked at more than once, the interval misses less often by that factor.
    """
    results, budget = study.fresh_results if fresh else study.results, getattr(settings, at)
    confidence, excesses = (looks - 1 + CONFIDENCE) / looks, []
    for name in others:
        runs_made = results(settings, sampler, budget), results(settings, name, getattr(settings, against))
        pairs = [(ours.quality.energy, theirs.quality.energy) for ours, theirs in zip(*runs_made, strict=False)]
        ours, theirs = zip(*pairs, strict=True)
        of_both = (ours, theirs, confidence, settings.seed, settings.batch)
        excesses.append(measures.mean_difference(*of_both, rival=name, budget=budget))
    return min(excesses, key=lambda excess: excess.interval[0])
