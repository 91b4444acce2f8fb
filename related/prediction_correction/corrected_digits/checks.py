"""The checks of N1i and N1j: one ratio, two bounds."""

import math

from ams.statistics import CONFIDENCE, Interval, ratio_interval
from ams_suite.measures import of_interval
from related.prediction_correction.corrected_digits import study
from related.prediction_correction.corrected_digits.settings import Settings
from verdicts import Measurement


def gain(settings: Settings) -> Measurement:
    """Return the root of the ratio of mean energy distances, flow alone over corrected, with
    Fieller's interval.
    """
    alone, corrected = (study.energies(settings, run) for run in ("alone", "corrected"))
    ratio = ratio_interval(alone, corrected, CONFIDENCE)
    value, low, high = (math.sqrt(max(end, 0.0)) for end in ratio[:3])
    return of_interval(Interval(value, low, high, ratio.n), settings.seed, settings.batch)
