"""What the group computes once: molecules from the authors' checkpoints, and how they compare with
real ones.

The Frechet ChemNet distance is biased upwards, by an amount that falls with the sizes of the sets.
So the sets have one size, and real molecules against real ones give the floor.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from typing import NamedTuple

import numpy as np

from ams.data import smiles
from ams.metrics import frechet_distance
from ams.statistics import Interval, proportion_interval
from experiments.graphs import generation
from experiments.graphs.discrepancy import unbiased_mmd
from experiments.graphs.generation import shares
from experiments.graphs.molecules.nspdk import nspdk_kernel
from experiments.graphs.molecules.settings import Settings
from experiments.graphs.samplers import Denoised
from verdicts import Unavailable
from verdicts.studies import Cell, cell

REAL: Mapping[str, tuple[str, str]] = {
    "QM9": ("qm9-test", "qm9"),
    "ZINC250k": ("zinc250k-test", "zinc250k-valid"),
}
"""For each set the registered list that it is compared with, and the list in which a new
molecule must not be.
"""
QM9 = "QM9"
"""The set of which this group's claim is."""
FEWEST = 100
"""Molecules for a Frechet distance: of fewer its bias is most of it."""
DATA = (
    *(name for names in REAL.values() for name in names),
    *(generation.PUBLISHED[n].checkpoint for n in REAL),
)


class Sample(NamedTuple):
    """The molecules of one run: whether each is valid without correction, and its corrected
    canonical SMILES.

    The SMILES is empty where no molecule is left.
    """

    valid: list[bool]
    smiles: list[str]


class Quality(NamedTuple):
    """Shares of generated molecules: valid without correction, different among all, not in the
    known list.
    """

    validity: Interval
    uniqueness: float
    novelty: Interval


class Comparison(NamedTuple):
    """A set's shares, those of every seed alone, and its distances beside those of real molecules.

    Distances are the squared NSPDK MMD, unbiased, and the Frechet ChemNet distance (None for too
    few molecules).
    """

    quality: Quality
    each: list[Quality]
    nspdk: Interval
    nspdk_real: Interval
    chemnet: float | None
    chemnet_real: float | None


@cell(data=DATA)
def generated(name: str, steps: int, count: int, seed: int, real: int, first_seed: int) -> Sample:
    """`count` molecules of the authors' checkpoint and sampler in one batch.

    Their numbers of atoms are those of `real` molecules, drawn with `first_seed`. Raises
    Unavailable, NonFiniteState.
    """
    refuse_without_packages()
    return sample(
        name,
        generation.published_samples(name, steps, atoms(name, count, seed, real, first_seed), seed),
    )


@cell(data=DATA)
def comparison(name: str, steps: int, parts: tuple[int, ...], real: int, seed: int) -> Comparison:
    """How the molecules of runs of `parts` molecules, with the seeds from `seed` on, compare with
    `real` real ones.

    Raises Unavailable, NonFiniteState.
    """
    samples = [
        generated(name, steps, count, seed + number, real, seed)
        for number, count in enumerate(parts)
    ]
    from experiments.graphs.molecules.chemistry import canonical

    whole = Sample(*(list(chain(*lists)) for lists in zip(*samples, strict=True)))
    known = set(whole.smiles).intersection(canonical(smiles(REAL[name][1])))
    reference, others = real_molecules(name, real, seed)
    made = [one for one in whole.smiles if one]
    nspdk = nspdk_distances(reference, (made, others[: len(made)]), seed)
    chemnet = chemnet_distances(reference, (made, others))
    each = [quality(one, known) for one in samples]
    return Comparison(quality(whole, known), each, nspdk[0], nspdk[1], chemnet[0], chemnet[1])


def refuse_without_packages() -> None:
    """Raise Unavailable where the extra `molecules` is not installed."""
    if missing := [package for package in ("rdkit", "fcd") if find_spec(package) is None]:
        absent, remedy = ", ".join(missing), "pip install '.[molecules]'"
        raise Unavailable(f"{absent} not installed: {remedy}", absent, remedy)


def atoms(name: str, count: int, seed: int, real: int, first_seed: int) -> list[int]:
    """Return the numbers of atoms of `count` molecules to generate: those of `real` ones, drawn
    with replacement.
    """
    from experiments.graphs.molecules.chemistry import parsed

    nodes = [
        molecule.GetNumAtoms()
        for one in real_molecules(name, real, first_seed)[0]
        if (molecule := parsed(one))
    ]
    drawn = np.random.default_rng(seed).choice(nodes, count)
    return [int(size) for size in np.minimum(drawn, generation.PUBLISHED[name].largest)]


def sample(name: str, made: Denoised) -> Sample:
    """Return the molecules of sampled matrices, with their validity before correction."""
    from experiments.graphs.molecules.chemistry import ATOMS, assembled, corrected_smiles, fault

    molecules = assembled(*made, ATOMS[name])
    return Sample(
        [fault(one) is None for one in molecules], [corrected_smiles(one) for one in molecules]
    )


def real_molecules(name: str, count: int, seed: int) -> tuple[list[str], list[str]]:
    """Return two disjoint sets of `count` real molecules as canonical SMILES, drawn without
    replacement.
    """
    from experiments.graphs.molecules.chemistry import canonical

    listed = smiles(REAL[name][0])
    order = np.random.default_rng(seed).permutation(len(listed))
    drawn = canonical(listed[place] for place in order[: 3 * count].tolist())
    return drawn[:count], drawn[count : 2 * count]


def quality(sample: Sample, known: set[str]) -> Quality:
    """Return the shares of a sample; `known` holds those of its molecules that are not new.

    Uniqueness is a share of the corrected molecules, novelty of the different ones. Raises
    ValueError where there is none.
    """
    whole = [one for one in sample.smiles if one]
    if not whole:
        raise ValueError("no molecule that has an atom: the shares of none are not defined")
    different = set(whole)
    novelty = proportion_interval(len(different - known), len(different))
    return Quality(
        proportion_interval(sum(sample.valid), len(sample.valid)),
        len(different) / len(whole),
        novelty,
    )


def nspdk_distances(
    reference: Sequence[str], sets: Sequence[Sequence[str]], seed: int
) -> list[Interval]:
    """Return the unbiased squared NSPDK MMD of each set to the reference. Raises ValueError for
    too few molecules.
    """
    from experiments.graphs.molecules.chemistry import labelled

    kernels = [nspdk_kernel([labelled(one) for one in (*reference, *listed)]) for listed in sets]
    return [unbiased_mmd(k, len(reference), seed) for k in kernels]


def chemnet_distances(
    reference: Sequence[str], sets: Sequence[Sequence[str]]
) -> list[float | None]:
    """Return the Frechet ChemNet distance of each set to as many of the reference, None for too
    few molecules.
    """
    from experiments.graphs.molecules.chemistry import chemnet_features

    sizes = [min(len(reference), len(listed)) for listed in sets]
    if max(sizes) < FEWEST:
        return [None] * len(sizes)
    first = chemnet_features(reference[: max(sizes)])
    return [
        frechet_distance(first[:size], chemnet_features(listed[:size])) if size >= FEWEST else None
        for size, listed in zip(sizes, sets, strict=True)
    ]


def comparison_of(settings: Settings) -> Comparison:
    """Return how QM9's molecules of the settings' sizes compare with real ones."""
    return comparison(QM9, settings.steps, parts_of(settings), settings.real, settings.seed)


def parts_of(settings: Settings) -> tuple[int, ...]:
    """Return how many molecules each run makes."""
    return tuple(shares(settings.samples, settings.seeds))


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks and the table read."""
    steps, real, seed = settings.steps, settings.real, settings.seed
    for number, count in enumerate(parts_of(settings)):
        yield generated.cell(QM9, steps, count, seed + number, real, seed)
    yield comparison.cell(QM9, steps, parts_of(settings), real, seed)
