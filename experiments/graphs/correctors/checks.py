"""V15 to V21: what adaptive momentum gains on each set of graphs and molecules."""

import math
from collections.abc import Sequence

from pydantic import JsonValue

from ams.statistics import Interval
from experiments.graphs.correctors import study
from experiments.graphs.correctors.configurations import (
    JUDGED,
    PUBLISHED_MOLECULES,
    PUBLISHED_ROWS,
)
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import PAIRS, Common
from experiments.graphs.discrepancy import Difference
from experiments.graphs.intervals import QUANTILE, farthest, over_seeds, smallest_seen
from verdicts import InsufficientData, Measurement, Unavailable

DIGITS = {"valid": 0.00005, "NSPDK": 0.0005}
"""Half the last printed digit."""


def sizes_of(settings: Settings, name: str) -> SetSizes:
    """Return a set's sizes. Raises Unavailable for a set that is not run."""
    if (sizes := settings.of(name)) is None:
        raise Unavailable(
            f"{name} is not run at this profile's sizes: groups.correctors.{name.lower()} "
            "in its file"
        )
    return sizes


def gain_of(settings: Settings, name: str, pair: str) -> Difference:
    """Return what the first of a pair of samplers (`PAIRS`) gains on the second on a set, at the
    judged steps.
    """
    sizes = sizes_of(settings, name)
    nearer, farther = (study.run_at(sizes, sampler) for sampler in PAIRS[pair])
    pool = study.pool_of(name, sizes, nearer, farther)
    return study.gain(study.common_of(settings, name, sizes), nearer, farther, pool)


def brought_by_corrector(settings: Settings, name: str) -> Interval:
    """Return what Langevin's corrector takes off the predictor's squared MMD at equal evaluations.

    It is the gain of adaptive momentum on the predictor alone less that on Langevin's corrector.
    So its value is exact, and its interval, from the ends of both, is rather too long.
    """
    alone = gain_of(settings, name, "predictor").interval
    corrected = gain_of(settings, name, "langevin").interval
    low, high = alone.low - corrected.high, alone.high - corrected.low
    return Interval(alone.value - corrected.value, low, high, min(alone.n, corrected.n))


def measured(
    settings: Settings, sizes: SetSizes, interval: Interval, **detail: JsonValue
) -> Measurement:
    """Return an interval at the judged steps as a measurement, with the graphs and seeds that it is
    from.
    """
    about: dict[str, JsonValue] = {
        "graphs": sizes.more * sizes.graphs,
        "evaluations": 2 * JUDGED,
        "smallest difference resolved": round((interval.high - interval.low) / 2, 4),
        **detail,
    }
    return over_seeds(interval, settings.seed, sizes.more, **about)


def measured_gain(settings: Settings, name: str, pair: str) -> Measurement:
    """Return a set's gain in squared MMD as a measurement."""
    difference = gain_of(settings, name, pair)
    detail: dict[str, JsonValue] = {
        "each seed": [round(value, 4) for value in difference.seeds],
        "brought by Langevin's corrector": round(brought_by_corrector(settings, name).value, 5),
    }
    return measured(settings, sizes_of(settings, name), difference.interval, **detail)


def gain_not_excluded(settings: Settings, name: str) -> Measurement:
    """Return the largest gain on Langevin's corrector that is not excluded, over what that brings.

    Its interval is that of what the corrector brings. Raises InsufficientData where that is not
    clearly positive.
    """
    largest = gain_of(settings, name, "langevin").interval.high
    brought = brought_by_corrector(settings, name)
    if brought.low <= 0:
        raise InsufficientData(f"{name}: Langevin's corrector brings nothing that is clear")
    low, high = sorted(largest / end for end in (brought.low, brought.high))
    share = Interval(largest / brought.value, low, high, brought.n)
    return measured(settings, sizes_of(settings, name), share)


def evaluations_of_langevin(settings: Settings, name: str, steps: int) -> Measurement:
    """Return the evaluations of Langevin's corrector over adaptive momentum's at equal squared MMD.

    Adaptive momentum makes `steps` steps. Langevin's squared MMD is taken as linear in the
    logarithm of its evaluations. Raises Unavailable where a set is not run in `steps` and in more.
    """
    sizes = sizes_of(settings, name)
    if (runs := study.runs_of_place(sizes, steps)) is None:
        setting = f"groups.correctors.{name.lower()}.steps"
        raise Unavailable(f"{name} is not run in {steps} steps and in more: {setting}")
    _, near, far = runs
    place = study.place(study.common_of(settings, name, sizes), *runs)
    ratio = far.evaluations / near.evaluations
    value, low, high = (ratio**exponent for exponent in place[:3])
    detail = {"evaluations": near.evaluations, "graphs": near.seeds * sizes.graphs}
    return over_seeds(Interval(value, low, high, place.n), settings.seed, near.seeds, **detail)


def published_run(settings: Settings, name: str) -> tuple[SetSizes, Common, study.SamplerRun]:
    """Return a set's sizes and the run of its published row. Raises Unavailable where it is not
    run.
    """
    sizes = sizes_of(settings, name)
    if (run := study.published_run(name, sizes)) is None:
        raise Unavailable(
            f"the published row of {name} is not run: groups.correctors.{name.lower()}.published"
        )
    return sizes, study.common_of(settings, name, sizes), run


def stray_of_graphs(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors the published MMDs of a set are from ours, the largest of
    three (as V10).
    """
    sizes, common, run = published_run(settings, name)
    row = study.published_row(common, run, settings.draws)
    detail: dict[str, JsonValue] = {entry.statistic: entry.text() for entry in row.entries}
    if row.false_alarms is not None:
        detail["correct rows left undecided"] = round(row.false_alarms, 3)
    return _stray(settings, sizes, run, row.strays(), detail)


def stray_of_molecules(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors published validity and NSPDK MMD are from ours, the larger.

    The error is that of our interval, of a published row of 10,000 molecules (ours, scaled) and of
    the last digit.
    """
    sizes, common, run = published_run(settings, name)
    validity = study.quality_of(common, run, study.runs_of(name, sizes)).validity
    ours = {"valid": validity, "NSPDK": study.row_of(settings, name, run).distance}
    strays, detail = list[float](), dict[str, JsonValue]()
    for quantity, (value, low, high, _) in ours.items():
        error = (high - low) / (2 * QUANTILE)
        error = math.hypot(
            error,
            error * math.sqrt(run.seeds * sizes.graphs / PUBLISHED_MOLECULES),
            DIGITS[quantity],
        )
        stated = PUBLISHED_ROWS[name].values[quantity]
        strays.append(abs(stated - value) / error)
        detail[quantity] = (
            f"published {stated:g}, ours {value:.4f} [{low:.4f}, {high:.4f}], standard "
            f"error {error:.4f}, smallest "
            f"effect seen {smallest_seen(len(ours)) * error:.4f}"
        )
    return _stray(settings, sizes, run, strays, detail)


def _stray(
    settings: Settings,
    sizes: SetSizes,
    run: study.SamplerRun,
    strays: Sequence[float],
    detail: dict[str, JsonValue],
) -> Measurement:
    about: dict[str, JsonValue] = {"sampler": run.sampler, "steps": 1000, **detail}
    return over_seeds(farthest(strays, run.seeds * sizes.graphs), settings.seed, run.seeds, **about)
