"""N1c to N1g: prediction-correction and the flow alone, each at its best setting, in equally many evaluations."""

from collections.abc import Callable, Mapping

from ams.statistics.tuning import optima_on_edge
from ams_suite.measures import named_extreme
from related.prediction_correction.equal_cost import BUDGET, FIXED, LARGE, Place, gaussian_w2s, tried
from related.prediction_correction.on_a_mixture import mixture_w2s
from related.prediction_correction.settings import Settings
from verdicts import Measurement

W2s = Mapping[Place, float]
TARGETS: dict[str, Callable[[Settings, float], dict[Place, float]]] = {"Gaussian": gaussian_w2s, "mixture": mixture_w2s}
"""By target, the final W2 of each setting for an error of the score."""
ANY_TIME = 1e-3
"""The least score error for which a T1 fixed in advance is claimed to suffice."""


def alone(w2s: W2s) -> Place:
    """Return the best T1 of the flow alone, as a setting without corrections."""
    return min((place for place in w2s if not place.corrections), key=w2s.__getitem__)


def corrected(w2s: W2s, t1: float | None = None) -> Place:
    """Return the best setting with corrections, at any T1 or at the given one."""
    tuned = (place for place in w2s if place.corrections and t1 in (None, place.t1))
    return min(tuned, key=w2s.__getitem__)


def gains(settings: Settings, target: str, least: float, t1: float | None = None) -> dict[str, float]:
    """Return W2 of the flow at its best T1 over the corrected run's, by score error of at least `least`."""
    ratios = {}
    for size in (size for size in settings.score_errors if size >= least):
        w2s = TARGETS[target](settings, size)
        ratios[f"{target}, |e| = {size:g}"] = w2s[alone(w2s)] / w2s[corrected(w2s, t1)]
    return ratios


def best_times(settings: Settings, target: str, choose: Callable[[W2s], Place]) -> list[float]:
    """Return the best T1 for each score error above 0."""
    return [choose(TARGETS[target](settings, size)).t1 for size in settings.score_errors if size]


def least_gain(settings: Settings, target: str) -> Measurement:
    """Return the least W2 of the flow over the corrected run's on a target, large score errors."""
    return named_extreme(gains(settings, target, LARGE), min)


def on_an_edge(settings: Settings, target: str) -> Measurement:
    """Count chosen T1 and K at an end of their grid; `BUDGET - 2` corrections are the most that leave the flow two."""
    chosen: dict[str, dict[str, dict[str, float]]] = {"corrected": {}, "alone": {}}
    for size in (size for size in settings.score_errors if size >= LARGE):
        w2s = TARGETS[target](settings, size)
        for name, place in (("corrected", corrected(w2s)), ("alone", alone(w2s))):
            chosen[name][f"{name}, |e| = {size:g}"] = {"T1": place.t1, "K": place.corrections}
    times = {"corrected": [t for t, counts in tried(settings) if counts != (0,) and t != FIXED]}
    times["alone"] = [t for t, counts in tried(settings) if counts == (0,)]
    edges = [
        edge
        for name, best in chosen.items()
        for edge in optima_on_edge({"T1": times[name], "K": settings.corrections}, best, [("K", BUDGET - 2), ("K", 0)])
    ]
    return Measurement(value=len(edges), n=2 * sum(map(len, chosen.values())), detail={"on an edge": [*edges]})


def spread_of_best_times_corrected(settings: Settings) -> Measurement:
    """Measure the largest best T1 over the least, corrected, score errors 1e-4 to 1e-1; the larger of two targets."""
    times = {name: best_times(settings, name, corrected) for name in TARGETS}
    return named_extreme({name: max(each) / min(each) for name, each in times.items()})


def growth_of_best_times_alone(settings: Settings) -> Measurement:
    """Measure the flow's best T1 at the least score error over that at the largest; the smaller of two targets."""
    times = {name: best_times(settings, name, alone) for name in TARGETS}
    return named_extreme({name: each[0] / each[-1] for name, each in times.items()}, min)


def least_gain_of_a_time_fixed_in_advance(settings: Settings) -> Measurement:
    """Measure the least W2 of the flow at its best T1 over that of T1 = 0.5 with its best K, score errors of 1e-3 on.

    The detail has the smaller errors too.
    """
    ratios = {name: ratio for target in TARGETS for name, ratio in gains(settings, target, ANY_TIME, FIXED).items()}
    below = {name: ratio for target in TARGETS for name, ratio in gains(settings, target, 0.0, FIXED).items()}
    return Measurement(value=min(ratios.values()), n=len(ratios), detail={**below})


def largest_cost_with_exact_scores(settings: Settings) -> Measurement:
    """Measure W2 of the corrected run over that of the flow, exact scores, each at its best; the larger of two."""
    return named_extreme({target: 1 / gains(settings, target, 0.0)[f"{target}, |e| = 0"] for target in TARGETS})


def envelope(w2s: W2s, kept: bool) -> list[tuple[float, float]]:
    """Return T1 with the least W2 there, over K above 0 or (not `kept`) for the flow alone, ascending."""
    least: dict[float, float] = {}
    for place, w2 in w2s.items():
        if bool(place.corrections) is kept:
            least[place.t1] = min(w2, least.get(place.t1, w2))
    return sorted(least.items())
