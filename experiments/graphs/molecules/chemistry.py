"""Molecules: from sampled matrices and from SMILES, with validity, correction, and distances of
sets.

Needs the extra `molecules` (RDKit; `fcd` for ChemNet). Conventions are those of the published
evaluation (GDSS, arXiv 2202.02514): atoms where a feature exceeds 1/2, bonds of order 0 to 3 by
rounding, a charge at a nitrogen or oxygen with one bond too many. A molecule is valid *without
correction* if every valence is then permitted. All others are corrected: the highest bond of the
first atom at fault is lowered until no atom is at fault, and the largest fragment stays.
Uniqueness, novelty and distances are of corrected molecules.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from rdkit import Chem, rdBase
from torch import Tensor

from experiments.graphs.molecules.nspdk import Molecule

ATOMS: Mapping[str, tuple[int, ...]] = {
    "QM9": (6, 7, 8, 9),
    "ZINC250k": (6, 7, 8, 9, 15, 16, 17, 35, 53),
}
"""The atomic number of each node feature, by data set."""

_BONDS = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
_CHARGED = {7: 3, 8: 2}
"""Atomic numbers that take a charge where they have one bond more than this."""


def assembled(
    features: Float[Tensor, "b n f"], adjacency: Float[Tensor, "b n n"], atoms: Sequence[int]
) -> list[Chem.RWMol]:
    """Return the molecules of samples, not corrected; a node without a feature is no atom."""
    kinds = features.cpu().numpy() > 0.5
    orders = np.sum([adjacency.cpu().numpy() >= half for half in (0.5, 1.5, 2.5)], axis=0)
    return [_molecule(*one, atoms) for one in zip(kinds, orders, strict=True)]


def _molecule(
    kinds: Bool[np.ndarray, "n f"], orders: Int[np.ndarray, "n n"], atoms: Sequence[int]
) -> Chem.RWMol:
    """Return one molecule, its bonds added row by row; a node of several features is the first of
    them.

    The charge is given as soon as a bond makes the excess, if no earlier atom is at fault: later
    bonds do not undo it.
    """
    present = kinds.any(1)
    molecule = Chem.RWMol()
    for kind in kinds[present].argmax(1).tolist():
        molecule.AddAtom(Chem.Atom(atoms[kind]))
    lower = np.tril(orders[present][:, present], -1)
    for u, v in np.argwhere(lower).tolist():
        molecule.AddBond(u, v, _BONDS[int(lower[u, v])])
        if (place := fault(molecule)) is not None:
            _charge(molecule.GetAtomWithIdx(place))
    return molecule


def _charge(atom: Chem.Atom) -> None:
    """Charge an atom that can be charged where it has one bond too many."""
    valence = sum(int(bond.GetBondType()) for bond in atom.GetBonds())
    if valence - 1 == _CHARGED.get(atom.GetAtomicNum()):
        atom.SetFormalCharge(1)


def fault(molecule: Chem.Mol) -> int | None:
    """Return the first atom whose valence is not permitted, None where all are."""
    with rdBase.BlockLogs():
        for problem in Chem.DetectChemistryProblems(
            molecule, Chem.SanitizeFlags.SANITIZE_PROPERTIES
        ):
            return int(problem.GetAtomIdx())
    return None


def corrected(molecule: Chem.RWMol) -> Chem.Mol | None:
    """Return the largest fragment once all valences are permitted; None if there is no atom, or
    RDKit refuses it.
    """
    made = Chem.RWMol(molecule)
    while (atom := fault(made)) is not None:
        bond = max(made.GetAtomWithIdx(atom).GetBonds(), key=lambda one: int(one.GetBondType()))
        ends, order = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()), int(bond.GetBondType())
        made.RemoveBond(*ends)
        if order > 1:
            made.AddBond(*ends, _BONDS[order - 1])
    return parsed(max(Chem.MolToSmiles(made).split("."), key=len))


def corrected_smiles(molecule: Chem.RWMol) -> str:
    """Return the canonical SMILES of the corrected molecule, empty where there is none."""
    whole = corrected(molecule)
    return "" if whole is None else Chem.MolToSmiles(whole)


def parsed(smiles: str) -> Chem.Mol | None:
    """Return the molecule of a SMILES, None for one that RDKit refuses or that has no atom."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def canonical(smiles: Iterable[str]) -> list[str]:
    """Return RDKit's canonical SMILES; those that it refuses (61 of the 13,301 of `qm9-test`)
    are left out.
    """
    return [Chem.MolToSmiles(molecule) for one in smiles if (molecule := parsed(one)) is not None]


def labelled(smiles: str) -> Molecule:
    """Return the graph of a molecule for the NSPDK kernel: elements and whole orders of bonds."""
    molecule = Chem.MolFromSmiles(smiles)
    atoms = map(molecule.GetAtomWithIdx, range(molecule.GetNumAtoms()))
    bonds = map(molecule.GetBondWithIdx, range(molecule.GetNumBonds()))
    return Molecule(
        tuple(atom.GetSymbol() for atom in atoms),
        tuple(
            (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), int(bond.GetBondTypeAsDouble()))
            for bond in bonds
        ),
    )


def chemnet_features(smiles: Sequence[str]) -> Float[Tensor, "n 512"]:
    """Return the last hidden layer of ChemNet (Preuer et al. 2018) for each molecule, on the CPU: 3
    ms a molecule.

    ChemNet and its weights are those of the package `fcd`.
    """
    import fcd

    features = fcd.get_predictions(fcd.load_ref_model(), list(smiles), n_jobs=0, device="cpu")
    return torch.from_numpy(features)
