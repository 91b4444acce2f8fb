"""I2 to I4 and I6: what exact scores cannot show. A network errs, and a sampler meets its errors.

Distances are to held-out images, in pixel units. The cause of a gain is found by controls that
share start and noise with what they control.
"""

import math

import numpy as np

from ams.statistics import CONFIDENCE, ratio_interval
from ams_suite import measures
from experiments.images.pretrained import samplers, study, tuning
from experiments.images.pretrained.samplers import ADAPTIVE_CORRECTOR, PLAIN_CORRECTOR
from experiments.images.pretrained.settings import Settings
from verdicts import InsufficientData, Measurement


def values(settings: Settings, sampler: str, budget: int) -> list[float]:
    """Return the energy distances of a sampler's batches at the defaults."""
    return [batch.quality.energy for batch in study.results(settings, sampler, budget)]


def excess(
    settings: Settings, sampler: str, other: str, at: str = "side", against: str = "side"
) -> Measurement:
    """Return a sampler's energy distance minus another's (pixel units), paired by batch.

    Start and noise are common. The settings `at` and `against` have the budgets of the two.
    """
    budget = getattr(settings, at)
    distances = values(settings, sampler, budget)
    others = values(settings, other, getattr(settings, against))
    return measures.mean_difference(
        distances, others, CONFIDENCE, settings.seed, settings.batch, budget=budget
    )


def ratio(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's mean energy distance over another's at `side`, with Fieller's interval.

    Raises InsufficientData where the other's does not differ from 0: the ratio is then unbounded.
    """
    numerators = values(settings, sampler, settings.side)
    quotient = ratio_interval(numerators, values(settings, other, settings.side), CONFIDENCE)
    if not math.isfinite(quotient.high):
        raise InsufficientData(
            f"the energy distance of {other} does not differ from 0 over {quotient.n} batches, "
            "so no ratio to it is known: take more"
        )
    return measures.of_interval(quotient, settings.seed, settings.batch, budget=settings.side)


def energy_distance(settings: Settings, sampler: str, at: str = "side") -> Measurement:
    """Return a sampler's own energy distance (pixel units), at the budget that a setting has."""
    budget = getattr(settings, at)
    distances = values(settings, sampler, budget)
    return measures.mean_of(distances, CONFIDENCE, settings.seed, settings.batch, budget=budget)


def relative_gain(settings: Settings, worse: str, better: str, at: str = "side") -> Measurement:
    """Return (energy of `worse` - energy of `better`) / mean energy of `worse`, at one budget."""
    gain = excess(settings, worse, better, at, at)
    return over(gain, float(np.mean(values(settings, worse, getattr(settings, at)))))


def least_relative_gain(settings: Settings, worse: str, better: str) -> Measurement:
    """Return `relative_gain` at 20 to 100 evaluations: at the budget where its interval begins
    lowest.
    """
    gains = (relative_gain(settings, worse, better, at) for at in ("early", "side", "late"))
    return min(gains, key=lambda gain: gain.interval[0])


def over(gain: Measurement, size: float) -> Measurement:
    """Return a measurement and the ends of its interval over `size`."""
    low, high = gain.interval
    return gain.model_copy(
        update={"value": gain.value / size, "low": low / size, "high": high / size}
    )


def tuned_gain(
    settings: Settings, worse: str, better: str, budget: int, as_share: bool = False
) -> Measurement:
    """Return the energy distance of `worse` minus that of `better` (pixel units), paired, the mean
    over the choices.

    The interval goes from the lowest to the highest end of those of single choices: so it has what
    choosing moves. `as_share`: each choice's gain over the mean energy distance of `worse`.
    """
    gains, detail = [], dict[str, str]()
    pairs = zip(
        *(study.tuned_results(settings, name, budget) for name in (worse, better)), strict=True
    )
    for number, ((theirs, far), (ours, near)) in enumerate(pairs, 1):
        worst, best = ([batch.quality.energy for batch in batches] for batches in (far, near))
        gain = measures.mean_difference(worst, best, CONFIDENCE, settings.seed, settings.batch)
        gains.append(over(gain, float(np.mean(worst))) if as_share else gain)
        for name, chosen in ((worse, theirs), (better, ours)):
            detail[f"{name}, choice {number}"] = (
                f"factor {chosen.factor:g}, T {chosen.repeats}, snr {chosen.snr:g}"
            )
    return measures.over_choices(gains).model_copy(update={"detail": detail})


def tuned_hyperparameters_on_an_edge(settings: Settings) -> Measurement:
    """Count the chosen hyperparameters at an end of what was tried, natural bounds aside, over
    samplers and budgets.

    Langevin with twice the drift is left out: it is a rival, closer already than what it is
    compared with.
    """
    tuned = [run for run in study.tuned_runs(settings) if run[0] != samplers.DOUBLED]
    edges = [edge for run in tuned for edge in tuning.edges(*run)]
    return Measurement(value=len(edges), n=len(tuned) * tuning.CHOICES, detail={"edges": [*edges]})


def speed_up(settings: Settings, baseline: str, sampler: str, at: str = "side") -> Measurement:
    """Return the baseline's evaluations over the sampler's, for the energy distance that the
    sampler has.

    The setting `at` has the sampler's budget.
    """
    batches = study.results(settings, sampler, getattr(settings, at))
    energies = [batch.quality.energy for batch in batches]
    curve = study.energies(settings, baseline)
    spent = batches[-1].evaluations
    return measures.speed_up(energies, curve, spent, CONFIDENCE, settings.seed, settings.batch)


def share_of_gain(settings: Settings, control: str) -> Measurement:
    """Return the share of the adaptive corrector's gain over Langevin's that a control has: a ratio
    of means.

    Raises InsufficientData where the gain is not significant: any number may then be a share of it.
    """
    plain, whole, part = (
        np.array(values(settings, name, settings.side))
        for name in (PLAIN_CORRECTOR, ADAPTIVE_CORRECTOR, control)
    )
    share = ratio_interval(plain - part, plain - whole, CONFIDENCE)
    if not math.isfinite(share.low):
        raise InsufficientData(
            f"the corrector's gain does not differ from 0 over {share.n} batches, so no "
            "share of it is known: take more"
        )
    return measures.of_interval(share, settings.seed, settings.batch)


def share_of_gain_by_constant_factor(settings: Settings) -> Measurement:
    """Measure the share of the adaptive corrector's gain that its mean drift factor has, held
    constant, alone.
    """
    share = share_of_gain(settings, samplers.CONSTANT_FACTOR.name)
    factors = [factor for _, factor in study.rule(settings, ADAPTIVE_CORRECTOR)]
    return share.model_copy(update={"detail": {"factor": float(np.mean(factors))}})
