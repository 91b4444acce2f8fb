"""Molecules from the authors' checkpoints and settings, in fewer steps and numbers: claims W4 (QM9) and W5 (ZINC250k).

Needs the extra `molecules`. The Frechet ChemNet distance depends on the sizes of the sets: they are equal, and real
against real is the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from ams.data import smiles
from ams.inference import Interval
from ams.ledger import Unavailable
from experiments.graphs.checkpoints import networks
from experiments.graphs.discrepancy import kernel_estimates
from experiments.graphs.generation import PUBLISHED, generate
from experiments.graphs.nspdk import nspdk_kernel

if TYPE_CHECKING:
    from experiments.graphs.molecules import Quality

REAL = {"QM9": ("qm9-test", "qm9"), "ZINC250k": ("zinc250k-test", "zinc250k-valid")}
"""Of each set: what is compared with, and what a molecule is new against."""
FEWEST = 100
"""Molecules for a Frechet distance: of fewer its bias is most of it."""


class Settings(BaseModel):
    """Of each set: how many molecules, in how many steps; `compared`: real ones beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    qm9: tuple[int, int] = (500, 200)
    zinc250k: tuple[int, int] = (10, 1000)
    compared: int = 500
    seed: int = 2405

    def of(self, name: str) -> tuple[int, int]:
        """Return molecules and steps of a set."""
        count, steps = getattr(self, name.lower())
        return int(count), int(steps)


class Row(NamedTuple):
    """A set's shares, and its distances with those of real molecules beside them (None where there are too few)."""

    quality: Quality
    nspdk: Interval
    nspdk_real: Interval
    chemnet: float | None
    chemnet_real: float | None


@cache
def row(settings: Settings, name: str) -> Row:
    """Generate a set's molecules and judge them. Raises Unavailable, NonFiniteState."""
    if missing := [package for package in ("rdkit", "fcd") if find_spec(package) is None]:
        raise Unavailable(f"{', '.join(missing)} not installed: pip install 'ams[molecules]'")
    from experiments.graphs import molecules

    count, _ = settings.of(name)
    held, known = REAL[name]
    real, more = _real(settings, held, count)
    made = _generated(settings, name, _nodes(real))
    whole = [one for molecule in made if (one := molecules.corrected(molecule)) is not None]
    told = [molecules.Chem.MolToSmiles(one) for one in whole]
    return Row(
        molecules.quality(made, set(molecules.canonical(smiles(known)))),
        _nspdk(settings, real, told),
        _nspdk(settings, real, more[: len(told)]),
        _chemnet(real, told),
        _chemnet(real, more),
    )


def _real(settings: Settings, name: str, count: int) -> tuple[list[str], list[str]]:
    """Return two disjoint sets of real molecules, drawn without replacement: the first the larger of both sizes."""
    from experiments.graphs.molecules import canonical

    listed = smiles(name)
    order = np.random.default_rng(settings.seed).permutation(len(listed))
    compared = max(count, settings.compared)
    drawn = canonical(listed[place] for place in order[: 3 * compared].tolist())
    return drawn[:compared], drawn[compared : 2 * compared]


def _nodes(real: Sequence[str]) -> list[int]:
    """Return the number of atoms of each molecule, hydrogens aside."""
    from experiments.graphs.molecules import parsed

    return [molecule.GetNumAtoms() for one in real if (molecule := parsed(one)) is not None]


def _generated(settings: Settings, name: str, nodes: Sequence[int]) -> list:
    """Return molecules as the authors' checkpoint and sampler make them, of the first numbers of atoms."""
    from experiments.graphs.molecules import ATOMS, assembled

    setting, (count, steps) = PUBLISHED[name], settings.of(name)
    both = networks(setting.checkpoint, setting.averaged)
    plan = setting.plan(setting.pair, steps)
    sizes = [min(size, setting.largest) for size in nodes[:count]]
    end, layout = generate(plan, both, setting.pair, sizes, setting.features, settings.seed)
    side = setting.largest
    return assembled(layout.pad_rows(end.features, side), layout.pad_pairs(end.adjacency, side), ATOMS[name])


def _nspdk(settings: Settings, real: Sequence[str], other: Sequence[str]) -> Interval:
    """Return the unbiased squared MMD in the NSPDK kernel. Raises ValueError for too few molecules."""
    from experiments.graphs.molecules import labelled, parsed

    listed = [labelled(molecule) for one in (*real, *other) if (molecule := parsed(one)) is not None]
    found = kernel_estimates(nspdk_kernel(listed), len(real), settings.seed).unbiased
    if found is None:
        raise ValueError(f"{len(other)} molecules say nothing about their law")
    return found


def _chemnet(real: Sequence[str], other: Sequence[str]) -> float | None:
    """Return the Frechet ChemNet distance at equal sizes, None for too few molecules."""
    from experiments.graphs.molecules import chemnet_distance

    size = min(len(real), len(other))
    return chemnet_distance(real[:size], other[:size]) if size >= FEWEST else None
