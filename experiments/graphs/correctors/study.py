"""What the group computes once: graphs and molecules of every sampler, their rows, and differences
between samplers.

All samplers of a seed start from common noise and meet it, so differences are paired; a batch of
coupled graphs is one unit. Graphs are compared with the authors' test set by the mean of degree,
clustering and orbit kernels, molecules with real ones by the NSPDK kernel. Distances are unbiased
squared MMDs. Estimates as published are biased, and here at the size of the test set, whatever the
number of graphs.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np

from ams.data import smiles
from ams.metrics.mmd import Kernel
from ams.statistics import Interval
from experiments.graphs import discrepancy
from experiments.graphs.correctors.configurations import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    JUDGED,
    LANGEVIN,
    MOLECULES,
    PREDICTOR,
    PUBLISHED_ROWS,
    Preset,
    plan,
    samplers_of,
)
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.data import from_graph6, published, sizes, thresholded, to_graph6, trimmed
from experiments.graphs.gdss_tables import rows
from experiments.graphs.gdss_tables.study import TableRow, compared
from experiments.graphs.generation import PUBLISHED, drawn
from experiments.graphs.graph_comparison.sampling import coupling_of
from experiments.graphs.graph_layout import Layout
from experiments.graphs.intervals import stretched
from experiments.graphs.molecules import study as molecules
from experiments.graphs.molecules.nspdk import Molecule, nspdk_kernel
from experiments.graphs.molecules.study import Quality, Sample
from experiments.graphs.samplers import Denoised
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from verdicts.studies import Array, Cell, Kept, cell

DATA = (
    *(name for name in PUBLISHED_ROWS if name not in MOLECULES),
    *(listed for name in MOLECULES for listed in molecules.REAL[name]),
    *(PUBLISHED[name].checkpoint for name in PUBLISHED_ROWS),
)
TO_PUBLISHED = ("ENZYMES",)
"""Sets of graphs whose published row is compared here; two others are those of claim V10."""
PLACED = {"community_small": (50, 100)}
"""Steps at which evaluations are compared, by set: elsewhere more of them hardly help Langevin."""
NOTHING = Molecule(("",), ())
"""A molecule of which correction left nothing: like itself alone."""
CHANGED = 1e-3
"""The share of graphs or molecules that another instruction set may change; see
`tests/test_kept.py`.
"""
SECONDS = {
    "community_small": 0.012,
    "ego_small": 0.012,
    "ENZYMES": 0.13,
    "QM9": 0.1,
    "ZINC250k": 0.15,
    "grid": 0.3,
}
"""Seconds that one evaluation for all of an outcome's graphs takes one core with AVX2."""
SEEN = 9
"""The seed of bootstraps: one for all sets and samplers, so that they differ by their graphs alone.
"""


class Common(NamedTuple):
    """What all runs on a set share: graphs a seed, graphs a batch, real molecules (0 for graphs),
    the first seed.
    """

    name: str
    graphs: int
    batch: int
    real: int
    seed: int


class SamplerRun(NamedTuple):
    """A sampler, its score evaluations, and the number of its seeds."""

    sampler: str
    evaluations: int
    seeds: int


class RunDistances(NamedTuple):
    """A run's distance to the reference (unbiased), and the published estimate of each statistic
    (graphs alone).
    """

    distance: Interval
    entries: list[Interval]


def seconds_of(common: Common, evaluations: int, **others: object) -> float:
    """Return about how long an outcome takes one core, in seconds."""
    return SECONDS[common.name] * evaluations


@cell(data=DATA, kept=Kept("correctors.outcome", changed=CHANGED, seconds=seconds_of))
def outcome(common: Common, sampler: str, evaluations: int, number: int) -> Sample:
    """A sampler's graphs of one seed, as graph6 without isolated nodes (all count as valid), or
    molecules as SMILES.

    Raises DataUnavailable, Unavailable and NonFiniteState.
    """
    name, seed = common.name, common.seed + number
    if name in MOLECULES:
        molecules.refuse_without_packages()
        nodes = molecules.atoms(name, common.graphs, seed, common.real, common.seed)
        return molecules.sample(
            name, generated(name, sampler, evaluations, nodes, common.batch, seed)
        )
    nodes = sizes(published(name).train, common.graphs, seed)
    made = generated(name, sampler, evaluations, nodes, common.batch, seed).adjacency
    return Sample(
        [True] * len(nodes), [to_graph6(trimmed(graph)) for graph in thresholded(made, nodes)]
    )


def generated(
    name: str, sampler: str, evaluations: int, nodes: Sequence[int], batch: int, seed: int
) -> Denoised:
    """Return samples of graphs of `nodes` nodes with norms averaged over batches of `batch`, in the
    caller's order.
    """
    setting, layout, own = PUBLISHED[name], Layout.of(nodes), plan(name, sampler, evaluations)
    return drawn(setting, setting.networks(), own, layout, seed, coupling_of(layout, batch))


@cell(data=DATA)
def kernel(common: Common, pool: tuple[SamplerRun, ...]) -> Array:
    """The kernel of the reference, then of the runs of a pool, seed by seed: each is looked at
    once.
    """
    return kernel_among(common, pool)


def kernel_among(common: Common, pool: tuple[SamplerRun, ...]) -> Kernel:
    """Return the kernel of the reference, then of the runs of a pool, seed by seed."""
    lines = [line for run in pool for listed in lines_of(common, run) for line in listed]
    return kernel_of(common, [*reference_of(common), *lines])


def block(
    common: Common, pool: tuple[SamplerRun, ...], runs: Sequence[SamplerRun], seeds: int
) -> tuple[Kernel, int]:
    """Return the part of a pool's kernel that has the reference, then the first `seeds` seeds of
    each of these runs.

    Beside it stands how many rows the reference has: those that the pool's runs leave.
    """
    whole = kernel(common, pool) if len(pool) > len(runs) else kernel_among(common, pool)
    each = units_of(common, range(common.graphs))
    first = len(whole) - each * sum(run.seeds for run in pool)
    starts = accumulate((run.seeds * each for run in pool), initial=first)
    start = dict(zip(pool, starts, strict=False))
    rows = [*range(first), *(start[run] + place for run in runs for place in range(seeds * each))]
    return whole[np.ix_(rows, rows)], first


@cell(data=DATA)
def row(common: Common, run: SamplerRun, pool: tuple[SamplerRun, ...] = ()) -> RunDistances:
    """A run's distance to real graphs or molecules, and its columns of the published table.

    `pool` has the runs, itself among them, whose kernel is computed together; none: it alone.
    """
    k, first = block(common, pool or (run,), [run], run.seeds)
    distance = stretched(discrepancy.unbiased_mmd(k, first, SEEN))
    if common.name in MOLECULES:
        return RunDistances(distance, [])
    return RunDistances(
        distance, as_published(reference_of(common), list(chain(*lines_of(common, run))))
    )


@cell(data=DATA)
def chemnet(common: Common, runs: tuple[SamplerRun, ...]) -> list[float | None]:
    """The Frechet ChemNet distance of each run to real molecules, None for one of few molecules."""
    sets = [[line for line in chain(*lines_of(common, run)) if line] for run in runs]
    return molecules.chemnet_distances(reference_of(common), sets)


@cell(data=DATA)
def published_row(common: Common, run: SamplerRun, draws: int) -> TableRow:
    """The published row of a set of graphs beside that of a run, over the floor of real graphs."""
    made = [[from_graph6(line) for line in lines] for lines in lines_of(common, run)]
    return compared(common.name, made, draws, common.seed)


@cell(data=DATA)
def known(common: Common, runs: tuple[SamplerRun, ...]) -> list[str]:
    """The molecules of all runs on a set that are in the list of known ones, in order of their
    SMILES.
    """
    from experiments.graphs.molecules.chemistry import canonical

    made = {line for run in runs for lines in lines_of(common, run) for line in lines}
    return sorted(made.intersection(canonical(smiles(molecules.REAL[common.name][1]))))


@cell(data=DATA)
def gain(
    common: Common, nearer: SamplerRun, farther: SamplerRun, pool: tuple[SamplerRun, ...]
) -> discrepancy.Difference:
    """How much nearer to the reference one run of a pool is than another, in squared MMD; a batch
    of both is a unit.
    """
    seeds = min(nearer.seeds, farther.seeds)
    k, first = block(common, pool, [nearer, farther], seeds)
    parts, together = (
        [units_of(common, range(common.graphs))] * seeds,
        units_of(common, range(common.batch)),
    )
    difference = discrepancy.kernel_difference(k, first, parts, SEEN, together)
    return difference._replace(interval=stretched(difference.interval))


@cell(data=DATA)
def place(common: Common, ours: SamplerRun, near: SamplerRun, far: SamplerRun) -> Interval:
    """Where a run's squared MMD lies between two others': 0 at that of `near`, 1 at that of
    `far`.
    """
    runs, reference = (ours, near, far), reference_of(common)
    lines = [line for run in runs for listed in lines_of(common, run) for line in listed]
    sizes = [run.seeds * units_of(common, range(common.graphs)) for run in runs]
    k, first = kernel_of(common, [*reference, *lines]), units_of(common, reference)
    together = units_of(common, range(common.batch))
    return stretched(discrepancy.kernel_place(k, first, sizes, SEEN, together))


def outcomes_of(common: Common, run: SamplerRun) -> list[Sample]:
    """Return a run's outcome for each seed."""
    return [outcome(common, run.sampler, run.evaluations, number) for number in range(run.seeds)]


def lines_of(common: Common, run: SamplerRun) -> list[list[str]]:
    """Return a run's graphs or molecules for each seed, a line each."""
    return [one.smiles for one in outcomes_of(common, run)]


def reference_of(common: Common) -> list[str]:
    """Return what a set is compared with: the authors' test set, or real molecules."""
    if common.name in MOLECULES:
        return molecules.real_molecules(common.name, common.real, common.seed)[0]
    return [to_graph6(graph) for graph in published(common.name).test]


def kernel_of(common: Common, lines: Sequence[str]) -> Kernel:
    """Return the kernel of every pair of graphs, mean of three statistics, or NSPDK of every pair
    of batches.
    """
    if common.name not in MOLECULES:
        return discrepancy.mean_kernel(STATISTICS, [from_graph6(line) for line in lines])
    from experiments.graphs.molecules.chemistry import labelled

    molecules_of = {line: labelled(line) if line else NOTHING for line in dict.fromkeys(lines)}
    return nspdk_kernel([molecules_of[line] for line in lines], common.batch)


def units_of(common: Common, lines: Sequence[Any]) -> int:
    """Return how many rows of `kernel_of` so many lines have."""
    return len(lines) // common.batch if common.name in MOLECULES else len(lines)


def as_published(reference: Sequence[str], lines: Sequence[str]) -> list[Interval]:
    """Return the published (biased) estimate of each statistic at the size of the reference, with
    its interval.
    """
    first, pool = len(reference), [from_graph6(line) for line in (*reference, *lines)]
    entries = []
    for statistic in STATISTICS:
        k = statistic.kernel(pool)
        (value,) = rows.means_of_parts(k, first, first, [len(lines)])
        entries.append(
            discrepancy.moved(stretched(discrepancy.unbiased_mmd(k, first, SEEN)), value)
        )
    return entries


def quality_of(common: Common, run: SamplerRun, runs: Sequence[SamplerRun]) -> Quality:
    """Return the shares of a run's molecules: valid without correction, different among all, not in
    the known list.

    `runs` are all runs on the set, whose molecules are looked up together.
    """
    whole = Sample(*(list(chain(*lists)) for lists in zip(*outcomes_of(common, run), strict=True)))
    return molecules.quality(whole, set(known(common, tuple(runs))))


def common_of(settings: Settings, name: str, sizes: SetSizes) -> Common:
    """Return what all runs on a set share."""
    return Common(
        name, sizes.graphs, sizes.batch, sizes.real if name in MOLECULES else 0, settings.seed
    )


def run_at(sizes: SetSizes, sampler: Preset, steps: int = JUDGED) -> SamplerRun:
    """Return a sampler's run with the evaluations of so many steps of a predictor with a
    corrector.
    """
    return SamplerRun(sampler.name, 2 * steps, sizes.seeds_at(steps))


def runs_of(name: str, sizes: SetSizes) -> list[SamplerRun]:
    """Return the runs on a set, in the table's order; the published row's where it is not one of
    them comes last.
    """
    listed = [
        run_at(sizes, sampler, steps)
        for sampler in samplers_of(name)
        for steps in sorted(sizes.steps)
    ]
    own = published_run(name, sizes)
    return listed if own is None or own in listed else [*listed, own]


def judged_runs(name: str, sizes: SetSizes) -> tuple[SamplerRun, ...]:
    """Return the run of every sampler at the judged steps."""
    return tuple(run_at(sizes, sampler) for sampler in samplers_of(name))


def pool_of(name: str, sizes: SetSizes, *runs: SamplerRun) -> tuple[SamplerRun, ...]:
    """Return the runs whose kernel is computed with that of these: of molecules all judged ones,
    else these alone.
    """
    judged = judged_runs(name, sizes)
    return judged if name in MOLECULES and set(runs) <= set(judged) else runs


def row_of(settings: Settings, name: str, run: SamplerRun) -> RunDistances:
    """Return a run's distances, from the cells. Raises what these raise."""
    sizes = settings.of(name)
    assert sizes is not None
    return row(common_of(settings, name, sizes), run, pool_of(name, sizes, run))


def published_run(name: str, sizes: SetSizes) -> SamplerRun | None:
    """Return the run of the published row, None where it is not asked for; as many seeds as the
    table has there.
    """
    if not sizes.published:
        return None
    sampler, evaluations, _ = PUBLISHED_ROWS[name]
    seeds = sizes.seeds_at(evaluations // 2) if evaluations // 2 in sizes.steps else sizes.published
    return SamplerRun(sampler, evaluations, seeds)


def runs_of_place(sizes: SetSizes, steps: int) -> tuple[SamplerRun, SamplerRun, SamplerRun] | None:
    """Return the runs of adaptive momentum and Langevin in `steps`, and of Langevin in the next
    more.

    Returns None where one of them is not run.
    """
    later = [more for more in sizes.steps if more > steps]
    if steps not in sizes.steps or not later:
        return None
    near, far = (run_at(sizes, LANGEVIN, number) for number in (steps, min(later)))
    return run_at(sizes, ADAPTIVE, steps), near, far


PAIRS = {
    "langevin": (ADAPTIVE, LANGEVIN),
    "predictor": (ADAPTIVE, PREDICTOR),
    "intended": (ADAPTIVE_IN_BOTH, LANGEVIN),
}
"""What claims compare at the judged steps: the nearer sampler, as claimed, and the farther one."""


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    for name, each in settings.sets():
        common, runs = common_of(settings, name, each), runs_of(name, each)
        for run in runs:
            yield from (
                outcome.cell(common, run.sampler, run.evaluations, number)
                for number in range(run.seeds)
            )
        if name in MOLECULES:
            yield kernel.cell(common, judged_runs(name, each))
        yield from (row.cell(common, run, pool_of(name, each, run)) for run in runs)
        if name in MOLECULES:
            yield known.cell(common, tuple(runs))
            if settings.chemnet:
                yield chemnet.cell(common, judged_runs(name, each))
        elif name in TO_PUBLISHED and (own := published_run(name, each)) is not None:
            yield published_row.cell(common, own, settings.draws)
        for nearer, farther in PAIRS.values():
            pair = run_at(each, nearer), run_at(each, farther)
            yield gain.cell(common, *pair, pool_of(name, each, *pair))
        for steps in PLACED.get(name, ()):
            if (compared_runs := runs_of_place(each, steps)) is not None:
                yield place.cell(common, *compared_runs)
