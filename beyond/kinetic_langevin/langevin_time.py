r"""K12: how much Langevin refreshment a run has had when it reaches the threshold, beside how many evaluations.

The *Langevin time* of a run is that of the reverse process' corrector, without unit: the sum over steps of `u = a /
sigma^2`, where overdamped Langevin of step `a` would relax a direction of variance `v >> sigma^2` by `u sigma^2 / v`.

- A kinetic step with momentum `e` relaxes it `(1 + e) / (1 - e)` times as fast as without momentum (K9a): the time is
  the sum of `u (1 + e) / (1 - e)`.
- A reverse SDE with retention `phi(v)` (module `exponential_multistep`) adds the noise `2 (kappa - 1) v^2 h` in a step
  h in log noise, as Langevin with `u = (kappa - 1) h` does: the time is `ln(phi(v_1) / phi(v_N)) - ln(v_1 / v_N)`,
  whatever the number of steps.
"""

import math

import numpy as np

from ams.samplers import presets
from ams.samplers.annealed_baoab import KineticParameters
from ams.samplers.corrected_descent import condition, corrector, critically_damped
from ams.samplers.exponential_multistep import ER_SDE, Retention, noisy
from ams.samplers.presets import SigmaRange
from ams_suite.measures import geometric_mean_ratio
from beyond.kinetic_langevin.family import THIRD, Kind
from beyond.kinetic_langevin.nfe_comparison import CONFIDENCE, evaluations
from beyond.kinetic_langevin.samplers import CRITICAL, MEMORYLESS, SAME_WITHOUT, SCHEDULES
from beyond.kinetic_langevin.settings import Settings
from beyond.kinetic_langevin.study import third
from verdicts import Measurement

HELD = {CRITICAL: presets.CRITICAL, MEMORYLESS: presets.MEMORYLESS}
REVERSE = {"SDE-DPM-Solver++": noisy(1.0), "SDE-DPM-Solver++(3M)": noisy(1.0), "ER-SDE-Solver-3": ER_SDE}
"""Samplers that follow one reverse SDE throughout, with its retention."""


def relaxation(parameters: KineticParameters) -> float:
    """Return the Langevin time of a kinetic step, `u (1 + e) / (1 - e)`."""
    u, e = parameters
    return u * (1.0 + e) / (1.0 - e)


def langevin_time(sampler: str, sigmas: SigmaRange, nfe: float) -> float:
    """Return the Langevin time of a run of a kinetic sampler or a held corrector on `nfe` evaluations."""
    if sampler in SCHEDULES:
        return nfe * relaxation(SCHEDULES[sampler](math.log(sigmas.first / sigmas.last) / nfe))
    held = HELD[sampler]
    sigma = min(held.sigma * sigmas.last, sigmas.first)
    e = critically_damped(condition(sigma, 1.0)) if sampler == CRITICAL else 0.0
    _, level = corrector(sigma, 1.0, e)
    return held.share * nfe * relaxation(KineticParameters(level.step / sigma**2, e))


def time_of_reverse_sde(retention: Retention, sigmas: SigmaRange) -> float:
    """Return the Langevin time of a reverse SDE between two noise levels."""
    first, last = (retention.log_phi(sigma) - math.log(sigma) for sigma in sigmas)
    return first - last


def times(settings: Settings, kind: Kind, sampler: str) -> np.ndarray:
    """Return the Langevin time to the threshold on each target; that of the largest budget where it is not reached."""
    counts = np.minimum(evaluations(settings, kind, sampler), settings.budget)
    return np.array([langevin_time(sampler, third(settings, kind).sigmas, count) for count in counts])


def time_ratio(settings: Settings, sampler: str, other: str) -> Measurement:
    """Return a sampler's Langevin time to the threshold over another's from a bad start."""
    ours, theirs = (times(settings, Kind.START, name) for name in (sampler, other))
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD)


def largest_share_of_time_of_a_reverse_sde(settings: Settings) -> Measurement:
    """Measure the largest Langevin time of a reverse SDE over what refreshment without momentum needs, on average."""
    sigmas, needed = third(settings, Kind.START).sigmas, times(settings, Kind.START, SAME_WITHOUT)
    reverse = {name: time_of_reverse_sde(each, sigmas) for name, each in REVERSE.items()}
    return geometric_mean_ratio(np.full(len(needed), max(reverse.values())), needed, CONFIDENCE, THIRD, **reverse)
