"""Molecules from the authors' checkpoints and settings, fewer and in fewer steps: claims V13 (QM9) and V14 (ZINC250k).

Needs the extra `molecules`. The Frechet ChemNet distance depends on the sizes of the sets: they are equal, and real
against real is the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, NonNegativeInt, PositiveInt

from ams.data import smiles
from ams.statistics import Interval
from experiments.graphs.checkpoints import networks
from experiments.graphs.discrepancy import kernel_estimates
from experiments.graphs.generation import PUBLISHED, generate, shares
from experiments.graphs.molecules.nspdk import nspdk_kernel
from verdicts import Measurement, Table, Unavailable, check

if TYPE_CHECKING:
    from rdkit.Chem import RWMol

    from experiments.graphs.molecules.molecules import Quality

REAL = {"QM9": ("qm9-test", "qm9"), "ZINC250k": ("zinc250k-test", "zinc250k-valid")}
"""Of each set: what is compared with, and what a molecule is new against."""
FEWEST = 100
"""Molecules for a Frechet distance: of fewer its bias is most of it."""


class Settings(BaseModel):
    """Of each set: how many molecules, in how many steps, beside how many real ones.

    The molecules are shared among `seeds` runs, from `seed` on: a batch of the sampler holds those of one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    qm9: tuple[PositiveInt, PositiveInt, PositiveInt] = (500, 200, 500)
    zinc250k: tuple[PositiveInt, PositiveInt, PositiveInt] = (10, 1000, 100)
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405

    def of(self, name: str) -> Sizes:
        """Return the sizes of a set."""
        return Sizes(*getattr(self, name.lower()))


class Sizes(NamedTuple):
    """Molecules that are generated, their steps, and the real ones that they are compared with."""

    molecules: int
    steps: int
    real: int


class Row(NamedTuple):
    """A set's shares, and its distances with those of real molecules beside them (None where there are too few).

    `each` are the shares of every seed alone.
    """

    quality: Quality
    each: list[Quality]
    nspdk: Interval
    nspdk_real: Interval
    chemnet: float | None
    chemnet_real: float | None


@cache
def row(settings: Settings, name: str) -> Row:
    """Generate a set's molecules and judge them. Raises Unavailable, NonFiniteState."""
    if missing := [package for package in ("rdkit", "fcd") if find_spec(package) is None]:
        raise Unavailable(f"{', '.join(missing)} not installed: pip install 'ams[molecules]'")
    from experiments.graphs.molecules import molecules

    held, known = REAL[name]
    real, more = _real(settings, held, settings.of(name).real)
    parts = _generated(settings, name, _nodes(real))
    made, train = [molecule for part in parts for molecule in part], set(molecules.canonical(smiles(known)))
    whole = [one for molecule in made if (one := molecules.corrected(molecule)) is not None]
    told = [molecules.Chem.MolToSmiles(one) for one in whole]
    return Row(
        molecules.quality(made, train),
        [molecules.quality(part, train) for part in parts],
        _nspdk(settings, real, told),
        _nspdk(settings, real, more[: len(told)]),
        _chemnet(real, told),
        _chemnet(real, more),
    )


def _real(settings: Settings, name: str, count: int) -> tuple[list[str], list[str]]:
    """Return two disjoint sets of so many real molecules, drawn without replacement."""
    from experiments.graphs.molecules.molecules import canonical

    listed = smiles(name)
    order = np.random.default_rng(settings.seed).permutation(len(listed))
    drawn = canonical(listed[place] for place in order[: 3 * count].tolist())
    return drawn[:count], drawn[count : 2 * count]


def _nodes(real: Sequence[str]) -> list[int]:
    """Return the number of atoms of each molecule, hydrogens aside."""
    from experiments.graphs.molecules.molecules import parsed

    return [molecule.GetNumAtoms() for one in real if (molecule := parsed(one)) is not None]


def _generated(settings: Settings, name: str, nodes: Sequence[int]) -> list[list[RWMol]]:
    """Return molecules of the authors' checkpoint and sampler, by seed, their sizes drawn from `nodes`."""
    from experiments.graphs.molecules.molecules import ATOMS, assembled

    setting, size = PUBLISHED[name], settings.of(name)
    both, plan = networks(setting.checkpoint, setting.averaged), setting.plan(setting.pair, size.steps)
    side, made = setting.largest, []
    for number, count in enumerate(shares(size.molecules, settings.seeds)):
        seed = settings.seed + number
        drawn = np.random.default_rng(seed).choice(nodes, count)
        sizes = np.minimum(drawn, side).tolist()
        end, layout = generate(plan, both, setting.pair, sizes, setting.features, seed)
        made.append(assembled(layout.pad_rows(end.features, side), layout.pad_pairs(end.adjacency, side), ATOMS[name]))
    return made


def _nspdk(settings: Settings, real: Sequence[str], other: Sequence[str]) -> Interval:
    """Return the unbiased squared MMD in the NSPDK kernel. Raises ValueError for too few molecules."""
    from experiments.graphs.molecules.molecules import labelled, parsed

    listed = [labelled(molecule) for one in (*real, *other) if (molecule := parsed(one)) is not None]
    found = kernel_estimates(nspdk_kernel(listed), len(real), settings.seed).unbiased
    if found is None:
        raise ValueError(f"{len(other)} molecules say nothing about their law")
    return found


def _chemnet(real: Sequence[str], other: Sequence[str]) -> float | None:
    """Return the Frechet ChemNet distance at equal sizes, None for too few molecules."""
    from experiments.graphs.molecules.molecules import chemnet_distance

    size = min(len(real), len(other))
    return chemnet_distance(real[:size], other[:size]) if size >= FEWEST else None


def shared(settings: Settings, name: str, share: Interval, **detail: JsonValue) -> Measurement:
    """Return a share of a set's molecules as a measurement."""
    return Measurement(
        value=share.value,
        low=share.low,
        high=share.high,
        n=share.n,
        seeds=tuple(settings.seed + number for number in range(settings.seeds)),
        detail={"steps": settings.of(name).steps, **detail},
    )


def validity(settings: Settings, name: str) -> Measurement:
    """Return the share of a set's molecules that are valid without correction."""
    found = row(settings, name)
    return shared(settings, name, found.quality.validity, **_each([one.validity.value for one in found.each]))


def novelty(settings: Settings, name: str) -> Measurement:
    """Return the share of a set's different molecules that are not in the list of known ones."""
    found = row(settings, name)
    each = _each([one.novelty.value for one in found.each])
    return shared(settings, name, found.quality.novelty, uniqueness=found.quality.uniqueness, **each)


def _each(values: Sequence[float]) -> dict[str, JsonValue]:
    return {"each seed": [round(value, 4) for value in values]}


@check("V13.validity")
def qm9_is_valid(settings: Settings) -> Measurement:
    """Return the share of valid QM9 molecules."""
    return validity(settings, "QM9")


@check("V13.novelty")
def qm9_is_new(settings: Settings) -> Measurement:
    """Return the share of QM9 molecules that are not in QM9."""
    return novelty(settings, "QM9")


@check("V13.nspdk")
def qm9_is_near(settings: Settings) -> Measurement:
    """Return the squared NSPDK MMD of generated QM9 molecules; the detail has that of real ones."""
    found = row(settings, "QM9")
    distances = {"real against real": found.nspdk_real.value, "Frechet ChemNet": found.chemnet}
    return shared(settings, "QM9", found.nspdk, **distances, **{"Frechet ChemNet, real": found.chemnet_real})


@check("V14.validity")
def zinc_is_valid(settings: Settings) -> Measurement:
    """Return the share of valid ZINC250k molecules."""
    return validity(settings, "ZINC250k")


@check("V14.novelty")
def zinc_is_new(settings: Settings) -> Measurement:
    """Return the share of ZINC250k molecules that are not in the validation list."""
    return novelty(settings, "ZINC250k")


def tables(settings: Settings) -> list[Table]:
    """Return both sets' shares and distances."""
    rows = []
    for name in REAL:
        found, size = row(settings, name), settings.of(name)
        validity, novelty = found.quality.validity, found.quality.novelty
        shares = (validity.value, validity.low, validity.high, found.quality.uniqueness, novelty.value)
        chemnet = ("" if one is None else one for one in (found.chemnet, found.chemnet_real))
        rows.append((name, size.molecules, size.steps, *shares, found.nspdk.value, found.nspdk_real.value, *chemnet))
    caption = (
        "Molecules from the authors' checkpoints, fewer and in fewer steps than published: valid without correction "
        "(95 % Clopper-Pearson), different among all, not in the known list; unbiased squared NSPDK MMD and Frechet "
        f"ChemNet distance at equal sizes (none for fewer than {FEWEST}), and both for real molecules."
    )
    header = ("set", "molecules", "steps", "valid", "low", "high", "unique", "new", "NSPDK", "real", "FCD", "real FCD")
    return [Table(id="molecules", caption=caption, header=header, rows=tuple(rows), claims=("V13", "V14"))]
