"""The group's tables: one shaped like the published ones, every cell with its cost, and the configurations."""

from collections.abc import Iterator
from typing import Any

from ams.statistics import CONFIDENCE, Interval
from ams_suite.drawn import tabled
from experiments.graphs.correctors import study
from experiments.graphs.correctors.configurations import (
    CONFIGURATIONS,
    JUDGED,
    MOLECULES,
    NAMES,
    PUBLISHED_MOLECULES,
    PUBLISHED_ROWS,
    SAMPLERS,
    STATISTICS,
    STEPS,
    samplers_of,
)
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import SamplerRun
from verdicts import Table
from verdicts.records.figures import TableCell

CLAIMS = ("V15", "V16", "V16a", "V17", "V17a", "V17b", "V18", "V18a", "V19", "V19a", "V20", "V20a")
NOT_RUN, NONE = "not run", ""
TEST_SET = {"community_small": 20, "ego_small": 40, "ENZYMES": 117, "grid": 20, "QM9": 1000, "ZINC250k": 1000}
"""How many graphs or molecules the hours of a cell that is not run are for: the published test set's, or 1000."""
SHARES = ("valid", "unique", "new", "NSPDK", "FCD")
"""Columns of a set of molecules."""
CELLS = ("set", "sampler", "evaluations", "steps", "n", "seeds", "squared MMD", "low", "high", "not run", "hours")
CONFIGURED = ("set", "predictor", "snr", "noise scale", "noise scale, momentum", "deviation: GDSS has")


def tables(settings: Settings) -> list[Table]:
    """Return the published tables' shape (graphs, molecules), every cell, and the configurations."""
    values: dict[str, Any] = {"evaluations": 2 * JUDGED, "confidence": f"{CONFIDENCE:.0%}"}
    return [
        tabled(graphs_correctors, ("set", "sampler", "n, seeds", *STATISTICS), CLAIMS, settings, **values),
        tabled(molecules_correctors, ("set", "sampler", "n, seeds", *SHARES), CLAIMS, settings, **values),
        tabled(graphs_correctors_cells, CELLS, CLAIMS, settings),
        tabled(graphs_correctors_configurations, CONFIGURED, CLAIMS),
    ]


def text_of(interval: Interval) -> str:
    """Return a value with its interval, as a table has it."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def columns_of(settings: Settings, name: str, sizes: SetSizes, run: SamplerRun) -> dict[str, str]:
    """Return a run's columns of the published table, by name."""
    common = study.common_of(settings, name, sizes)
    row = study.row(common, run)
    if name not in MOLECULES:
        return {kind: text_of(entry) for kind, entry in zip(STATISTICS, row.entries, strict=True)}
    validity, uniqueness, novelty = study.quality_of(common, run, study.runs_of(name, sizes))
    chemnet = NONE if row.chemnet is None else f"{row.chemnet:.2f}"
    shares = (text_of(validity), f"{uniqueness:.3f}", text_of(novelty), text_of(row.distance), chemnet)
    return dict(zip(SHARES, shares, strict=True))


def graphs_correctors(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler after {evaluations} score evaluations, each with its {confidence} interval, and below them GDSS's
    published row (1000 steps of its own sampler). Squared MMDs to the authors' test set, as published (biased, for sets
    of its size). A set that is not run at this profile says so; graphs_correctors_cells has its command.
    """
    for name in (name for name in NAMES if name not in MOLECULES):
        yield from _block(settings, name, STATISTICS)


def molecules_correctors(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler after {evaluations} score evaluations, each with its {confidence} interval, and below them GDSS's
    published row (1000 steps of its own sampler). Molecules: valid without correction; different among all; not in the
    known list; squared NSPDK MMD (unbiased) and Frechet ChemNet distance (none for fewer than 100 molecules) to real
    ones. Uniqueness and the Frechet distance have no interval.
    """
    for name in MOLECULES:
        yield from _block(settings, name, SHARES)


def _block(settings: Settings, name: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield a set's rows: every sampler, then the published one."""
    sizes = settings.of(name)
    for sampler in samplers_of(name):
        if sizes is None:
            yield (name, sampler.name, *[NOT_RUN] * (1 + len(kinds)))
        else:
            columns = columns_of(settings, name, sizes, study.run_at(sizes, sampler))
            yield (name, sampler.name, f"{sizes.more * sizes.graphs}, {sizes.more}", *(columns[kind] for kind in kinds))
    values = PUBLISHED_ROWS[name].values
    stated = (f"{values[kind]:g}" if kind in values else NONE for kind in kinds)
    yield (name, "GDSS, published", str(PUBLISHED_MOLECULES if name in MOLECULES else TEST_SET[name]), *stated)


def graphs_correctors_cells(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Every sampler, set and budget, and what is not run with the command that would fill it and its processor hours on
    one thread, for as many graphs as the published test set has (1000 molecules). steps: of the sampler itself. Squared
    MMD: unbiased, mean of three statistics or NSPDK.
    """
    for name in NAMES:
        yield from _cells_of(settings, name)


def _cells_of(settings: Settings, name: str) -> Iterator[tuple[TableCell, ...]]:
    sizes, there = settings.of(name), set[int]()
    if sizes:
        runs = study.runs_of(name, sizes)
        yield from (_made(settings, name, sizes, run) for run in runs)
        there = {run.evaluations for run in runs}
    for budget in (2 * steps for steps in STEPS if not sizes or steps not in sizes.steps):
        count = "all others" if budget in there else f"all {len(samplers_of(name))}"
        command = f"ams correct-graphs {name} {budget} --graphs {TEST_SET[name]}"
        yield (name, count, budget, *[NONE] * 6, command, round(hours_of(name, budget), 3))


def _made(settings: Settings, name: str, sizes: SetSizes, run: SamplerRun) -> tuple[TableCell, ...]:
    value, low, high, _ = study.row(study.common_of(settings, name, sizes), run).distance
    steps, n = run.evaluations // SAMPLERS[run.sampler].evaluations, run.seeds * sizes.graphs
    return (name, run.sampler, run.evaluations, steps, n, run.seeds, value, low, high, NONE, NONE)


def hours_of(name: str, evaluations: int) -> float:
    """Return the processor hours of all samplers of a set, each with so many evaluations of a whole test set."""
    return CONFIGURATIONS[name].rate * evaluations * len(samplers_of(name)) * TEST_SET[name] / 3600


def graphs_correctors_configurations() -> Iterator[tuple[TableCell, ...]]:
    """What the correctors are run with: predictor, snr and noise scale of GDSS's configuration; the noise scale in the
    configuration of the authors of adaptive momentum, where it is known (run as a sampler of its own); and what GDSS's
    configuration has instead.
    """
    for name in NAMES:
        own = CONFIGURATIONS[name]
        momentum = "not known" if own.momentum is None else f"{own.momentum:g}"
        predictor = own.predictor.__name__.replace("_", " ")
        yield name, predictor, own.snr, own.scale_eps, momentum, own.difference or "none"
