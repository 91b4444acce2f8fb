"""V15 to V20: what adaptive momentum gains on each set of graphs and molecules, and over all of them."""

import math
from collections.abc import Sequence

from pydantic import JsonValue

from ams.statistics import Interval
from experiments.graphs.correctors import study
from experiments.graphs.correctors.configurations import ADAPTIVE, JUDGED, LANGEVIN, PUBLISHED_MOLECULES, PUBLISHED_ROWS
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import PAIRS, Common
from experiments.graphs.discrepancy import Difference
from experiments.graphs.intervals import (
    QUANTILE,
    combined,
    farthest,
    over_seeds,
    resolved_by_holm,
    smallest_seen,
    standardised,
)
from verdicts import Measurement, Unavailable

DIGITS = {"valid": 0.00005, "NSPDK": 0.0005}
"""Half the last printed digit."""


def sizes_of(settings: Settings, name: str) -> SetSizes:
    """Return a set's sizes. Raises Unavailable for a set that is not run."""
    if (sizes := settings.of(name)) is None:
        raise Unavailable(f"{name} is not run at this profile's sizes: groups.correctors.{name.lower()} in its file")
    return sizes


def gain_of(settings: Settings, name: str, pair: str) -> Difference:
    """Return what the first of a pair of samplers (`PAIRS`) gains on the second on a set, at the judged steps."""
    sizes = sizes_of(settings, name)
    nearer, farther = (study.run_at(sizes, sampler) for sampler in PAIRS[pair])
    return study.gain(study.common_of(settings, name, sizes), nearer, farther)


def measured(settings: Settings, sizes: SetSizes, interval: Interval, **detail: JsonValue) -> Measurement:
    """Return an interval at the judged steps as a measurement, with the graphs and seeds that it is from."""
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
    each: JsonValue = [round(value, 4) for value in difference.seeds]
    return measured(settings, sizes_of(settings, name), difference.interval, **{"each seed": each})


def over_sets(settings: Settings, pair: str) -> Measurement:
    """Return Stouffer's Z of the gains of all sets that are run; the detail names the sets that Holm's method finds."""
    names = [name for name, _ in settings.sets()]
    gains = [gain_of(settings, name, pair).interval for name in names]
    each = [standardised(gain) for gain in gains]
    of_sets = dict(zip(names, zip(each, resolved_by_holm(each), strict=True), strict=True))
    whole = combined(gains)
    detail: dict[str, JsonValue] = {f"Z of {name}": round(z, 2) for name, (z, _) in of_sets.items()}
    detail["nearer (Holm)"] = [name for name, (z, resolved) in of_sets.items() if resolved and z > 0]
    detail["farther (Holm)"] = [name for name, (z, resolved) in of_sets.items() if resolved and z < 0]
    detail["smallest mean gain resolved, in standard errors of a set"] = round(QUANTILE / math.sqrt(whole.n), 2)
    return over_seeds(whole, settings.seed, max(sizes.more for _, sizes in settings.sets()), **detail)


def validity_gain(settings: Settings, name: str) -> Measurement:
    """Return the share valid with adaptive momentum less that with Langevin, at the judged steps."""
    sizes = sizes_of(settings, name)
    common, runs = study.common_of(settings, name, sizes), [study.run_at(sizes, one) for one in (ADAPTIVE, LANGEVIN)]
    shares = {run.sampler: _share(common, run) for run in runs}
    return measured(settings, sizes, study.validity_gain(common, *runs), **shares)


def _share(common: Common, run: study.SamplerRun) -> float:
    valid = [one for sample in study.outcomes_of(common, run) for one in sample.valid]
    return round(sum(valid) / len(valid), 4)


def published_run(settings: Settings, name: str) -> tuple[SetSizes, Common, study.SamplerRun]:
    """Return a set's sizes and the run of its published row. Raises Unavailable where it is not run."""
    sizes = sizes_of(settings, name)
    if (run := study.published_run(name, sizes)) is None:
        raise Unavailable(f"the published row of {name} is not run: groups.correctors.{name.lower()}.published")
    return sizes, study.common_of(settings, name, sizes), run


def stray_of_graphs(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors the published MMDs of a set are from ours, the largest of three (as V10)."""
    sizes, common, run = published_run(settings, name)
    row = study.published_row(common, run, settings.draws)
    detail: dict[str, JsonValue] = {entry.statistic: entry.text() for entry in row.entries}
    if row.false_alarms is not None:
        detail["correct rows left undecided"] = round(row.false_alarms, 3)
    return _stray(settings, sizes, run, row.strays(), detail)


def stray_of_molecules(settings: Settings, name: str) -> Measurement:
    """Return how many standard errors published validity and NSPDK MMD are from ours, the larger.

    The error is that of our interval, of a published row of 10,000 molecules (ours, scaled) and of the last digit.
    """
    sizes, common, run = published_run(settings, name)
    validity = study.quality_of(common, run, study.runs_of(name, sizes)).validity
    ours, strays, detail = {"valid": validity, "NSPDK": study.row(common, run).distance}, [], dict[str, JsonValue]()
    for quantity, (value, low, high, _) in ours.items():
        error = (high - low) / (2 * QUANTILE)
        error = math.hypot(error, error * math.sqrt(run.seeds * sizes.graphs / PUBLISHED_MOLECULES), DIGITS[quantity])
        stated = PUBLISHED_ROWS[name].values[quantity]
        strays.append(abs(stated - value) / error)
        detail[quantity] = (
            f"published {stated:g}, ours {value:.4f} [{low:.4f}, {high:.4f}], standard error {error:.4f}, smallest "
            f"effect seen {smallest_seen(len(ours)) * error:.4f}"
        )
    return _stray(settings, sizes, run, strays, detail)


def _stray(
    settings: Settings, sizes: SetSizes, run: study.SamplerRun, strays: Sequence[float], detail: dict[str, JsonValue]
) -> Measurement:
    about: dict[str, JsonValue] = {"sampler": run.sampler, "steps": 1000, **detail}
    return over_seeds(farthest(strays, run.seeds * sizes.graphs), settings.seed, run.seeds, **about)
