"""What is run on each data set, and what is measured of each sampler's graphs or molecules, all
seeds together.

All samplers of a seed start from common noise and meet it, so differences are paired; a batch of
coupled graphs is one unit. Graphs are compared with the authors' test set by the mean of degree,
clustering and orbit kernels, molecules with real ones by the NSPDK kernel. Squared MMDs are
unbiased. Estimates as published are biased, and here at the size of the test set, whatever the
number of graphs.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ams.data import smiles
from ams.metrics.mmd import Kernel
from ams.statistics import Interval
from ams.statistics.bootstrap import BootstrapEstimate
from experiments.graphs.correctors.configurations import (
    JUDGED,
    MOLECULES,
    PUBLISHED_ROWS,
    plan,
    samplers_of,
)
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.data import from_graph6, published, sizes, thresholded, to_graph6, trimmed
from experiments.graphs.discrepancy import mmd_estimate, moved
from experiments.graphs.gdss_tables import rows
from experiments.graphs.gdss_tables.study import TableRow, compared
from experiments.graphs.generation import PUBLISHED, drawn
from experiments.graphs.graph_comparison.sampling import coupling_of
from experiments.graphs.graph_layout import Layout
from experiments.graphs.intervals import lengthened
from experiments.graphs.molecules import study as molecules
from experiments.graphs.molecules.nspdk import Molecule, nspdk_kernel
from experiments.graphs.molecules.study import Sample
from experiments.graphs.samplers import Denoised
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from verdicts.studies import Kept, cell
from verdicts.studies.table import Rows, RunTable

DATA = (
    *(name for name in PUBLISHED_ROWS if name not in MOLECULES),
    *(listed for name in MOLECULES for listed in molecules.REAL[name]),
    *(PUBLISHED[name].checkpoint for name in PUBLISHED_ROWS),
)
TO_PUBLISHED = ("ENZYMES",)
"""Sets of graphs whose published row is compared here; two others are those of claim V10."""
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
"""The seed of bootstraps: one for all sets and samplers, so that they differ by their graphs
alone.
"""


class Common(NamedTuple):
    """What all runs on a set share: graphs a seed, graphs a batch, real molecules (0 for
    graphs), the first seed.
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


class Numbers(NamedTuple):
    """What is measured of so many graphs or molecules of so many seeds: their squared MMD to real
    ones.

    Of graphs the published estimate of each statistic. Of molecules the shares that are valid
    without correction, different among all, not in the list of known ones; the Frechet ChemNet
    distance, where it is asked for.
    """

    graphs: int
    seeds: int
    mmd: BootstrapEstimate
    degree: Interval | None = None
    cluster: Interval | None = None
    orbit: Interval | None = None
    validity: Interval | None = None
    uniqueness: float | None = None
    novelty: Interval | None = None
    chemnet: float | None = None


def runs(settings: Settings) -> Iterator[Rows]:
    """Yield the rows: every sampler and budget of each set, and the published row beside that of
    its run.
    """
    for name, own in settings.sets():
        common = Common(
            name, own.graphs, own.batch, own.real if name in MOLECULES else 0, settings.seed
        )
        for run in runs_of(name, own):
            made = tuple(
                outcome.cell(common, run.sampler, run.evaluations, number)
                for number in range(run.seeds)
            )
            chemnet = name in MOLECULES and settings.chemnet and run.evaluations == 2 * JUDGED
            labels: dict[str, Any] = {
                "data": name,
                "sampler": run.sampler,
                "budget": run.evaluations,
            }
            one = measure.cell(common, run, chemnet)
            yield Rows(labels, one, seed=settings.seed, rests_on=made, place=0)
            if name in TO_PUBLISHED and own.published and run[:2] == PUBLISHED_ROWS[name][:2]:
                row = published_row.cell(common, run, settings.draws)
                yield Rows({"data": name, "row": "published"}, row, seed=settings.seed, place=0)


def table_of(settings: Settings) -> RunTable:
    """Return the group's table."""
    return RunTable(tuple(runs(settings)))


def runs_of(name: str, own: SetSizes) -> list[SamplerRun]:
    """Return the runs on a set, in the table's order, and that of the published row where it is
    asked for.
    """
    seeds = {
        (sampler.name, 2 * steps): own.seeds_at(steps)
        for sampler in samplers_of(name)
        for steps in sorted(own.steps)
    }
    if own.published:
        seeds.setdefault(PUBLISHED_ROWS[name][:2], own.published)
    return [SamplerRun(*run, count) for run, count in seeds.items()]


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
    """Return samples of graphs of `nodes` nodes with norms averaged over batches of `batch`, in
    the caller's order.
    """
    setting, layout, own = PUBLISHED[name], Layout.of(nodes), plan(name, sampler, evaluations)
    return drawn(setting, setting.networks(), own, layout, seed, coupling_of(layout, batch))


def outcomes_of(common: Common, run: SamplerRun) -> list[Sample]:
    """Return a run's outcome for each seed."""
    return [outcome(common, run.sampler, run.evaluations, number) for number in range(run.seeds)]


@cell(data=DATA)
def measure(common: Common, run: SamplerRun, chemnet: bool) -> list[Numbers]:
    """What is measured of a run's graphs or molecules; `chemnet`: their Frechet ChemNet distance
    too.
    """
    whole = Sample(*(list(chain(*lists)) for lists in zip(*outcomes_of(common, run), strict=True)))
    numbers = (
        of_molecules(common, whole, chemnet)
        if common.name in MOLECULES
        else of_graphs(common, whole.smiles)
    )
    return [Numbers(len(whole.smiles), run.seeds, **numbers)]


def of_graphs(common: Common, lines: Sequence[str]) -> dict[str, Any]:
    """Return what is measured of graphs, by name; statistics are as published, of sets as large
    as the test set.
    """
    test = published(common.name).test
    pool, size = [*test, *map(from_graph6, lines)], len(test)
    kernels = {statistic.name: statistic.kernel(pool) for statistic in STATISTICS}
    numbers: dict[str, Any] = {
        "mmd": distance(np.mean([*kernels.values()], axis=0), size, common.batch)
    }
    for name, k in kernels.items():
        (value,) = rows.means_of_parts(k, size, size, [len(lines)])
        numbers[name] = moved(distance(k, size, common.batch).interval(), value)
    return numbers


def of_molecules(common: Common, made: Sample, chemnet: bool) -> dict[str, Any]:
    """Return what is measured of molecules, by name; their kernel is of batches."""
    from experiments.graphs.molecules.chemistry import labelled

    reference = molecules.real_molecules(common.name, common.real, common.seed)[0]
    lines = [*reference, *made.smiles]
    parsed = {line: labelled(line) if line else NOTHING for line in dict.fromkeys(lines)}
    k = nspdk_kernel([parsed[line] for line in lines], common.batch)
    there = [line for line in made.smiles if line]
    return {
        "mmd": distance(k, len(reference) // common.batch, 1),
        **molecules.quality(made, set(known(common.name)))._asdict(),
        "chemnet": molecules.chemnet_distances(reference, [there])[0] if chemnet else None,
    }


def distance(k: Kernel, first: int, together: int) -> BootstrapEstimate:
    """Return the squared MMD to the `first` of a pool; `together` of the others are one unit."""
    return lengthened(mmd_estimate(k, first, SEEN, together))


@cell(data=DATA)
def known(name: str) -> list[str]:
    """The molecules in the list of known ones, as canonical SMILES."""
    from experiments.graphs.molecules.chemistry import canonical

    return canonical(smiles(molecules.REAL[name][1]))


@cell(data=DATA)
def published_row(common: Common, run: SamplerRun, draws: int) -> list[TableRow]:
    """The published row of a set of graphs beside that of a run, over the floor of real graphs."""
    made = [[from_graph6(line) for line in one.smiles] for one in outcomes_of(common, run)]
    return [compared(common.name, made, draws, common.seed)]
