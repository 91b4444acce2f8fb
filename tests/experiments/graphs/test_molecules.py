"""Claims on molecules: made molecules in the place of generated ones, and what flips the verdicts."""

from __future__ import annotations

import pytest

from ams.errors import DataUnavailable
from experiments.graphs.molecules import checks as chemistry
from experiments.graphs.molecules.checks import Settings, row
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

Chem = pytest.importorskip("rdkit.Chem")
pytest.importorskip("fcd")

SETTINGS = Settings(qm9=(40, 10, 40), zinc250k=(40, 10, 40))
ENDS = ("O", "N", "F", "C=O", "C#N", "OC", "NC", "C(C)O", "C=C", "C(=O)O")
NEW_ENDS = ("C(F)F", "C(F)O", "SC", "C(F)N", "C(F)CO", "C(F)CN", "OCF", "NCF", "OCO", "NCN")
CHAINS = ["C" * n + end for n in range(1, 11) for end in ENDS]
"""A hundred small molecules: what is real here."""
NEW = ["C" * n + end for n in range(1, 5) for end in NEW_ENDS]
CHECKS = [("V13", ".validity"), ("V13", ".novelty"), ("V14", ".validity"), ("V14", ".novelty")]


def editable(smiles: str, broken: bool = False):
    molecule = Chem.RWMol(Chem.MolFromSmiles(smiles))
    if broken:
        for _ in range(5):
            molecule.AddBond(0, molecule.AddAtom(Chem.Atom(6)), Chem.BondType.SINGLE)
    return molecule


@pytest.fixture(autouse=True)
def _lists(monkeypatch: pytest.MonkeyPatch):
    """Have lists of our own in the place of the registered ones; nothing is remembered; ChemNet is not asked."""
    monkeypatch.setattr(chemistry, "smiles", lambda name: CHAINS)
    monkeypatch.setattr(chemistry, "_chemnet", lambda real, other: 1.0)
    row.cache_clear()
    yield
    row.cache_clear()


def put(monkeypatch: pytest.MonkeyPatch, listed: list[str], broken: bool = False) -> None:
    row.cache_clear()
    made = [editable(smiles, broken) for smiles in listed]
    monkeypatch.setattr(chemistry, "_generated", lambda settings, name, nodes: [made[:20], made[20:]])


def test_bad_molecules_break_v13_and_v14(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V13 and V14: carbons of five bonds; known molecules; one molecule forty times."""
    put(monkeypatch, NEW)
    assert {verdict_of(claim, only, SETTINGS) for claim, only in CHECKS} == {Verdict.HOLDS}
    put(monkeypatch, CHAINS[:40])
    assert {verdict_of(claim, ".novelty", SETTINGS) for claim in ("V13", "V14")} == {Verdict.REFUTED}
    known = chemistry.np.random.default_rng(0).permutation(CHAINS)[:40].tolist()
    put(monkeypatch, known)
    assert verdict_of("V13", ".nspdk", SETTINGS) is not Verdict.REFUTED
    put(monkeypatch, NEW, broken=True)
    assert {verdict_of(claim, ".validity", SETTINGS) for claim in ("V13", "V14")} == {Verdict.REFUTED}
    put(monkeypatch, ["BrC(Br)(Br)Br"] * 40)
    assert verdict_of("V13", ".nspdk", SETTINGS) is Verdict.REFUTED


def test_the_table_holds_both_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, NEW)
    (table,) = chemistry.tables(SETTINGS)
    assert [line[0] for line in table.rows] == ["QM9", "ZINC250k"]
    assert all(line[3] == line[6] == line[7] == 1.0 for line in table.rows), "valid, unique, new"


def test_each_seed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, [*CHAINS[:20], *NEW[:20]])
    found = chemistry.zinc_is_new(SETTINGS)
    assert found.value == 0.5 and found.detail["each seed"] == [0.0, 1.0] and found.seeds == (2405, 2406)


def test_without_the_extra_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chemistry, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"rdkit, fcd not installed: pip install 'ams\[molecules\]'"):
        row(SETTINGS, "QM9")


def test_few_molecules_have_no_frechet_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert chemistry._chemnet(CHAINS, NEW) is None


def test_molecules_from_the_authors_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five QM9 molecules in four steps: made of its atoms, of the sizes that were drawn."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    settings = Settings(qm9=(5, 4, 40))
    try:
        made = chemistry._generated(settings, "QM9", [3, 4])
    except DataUnavailable as absence:
        pytest.skip(str(absence))
    assert [len(part) for part in made] == [3, 2]
    assert all(molecule.GetNumAtoms() <= 4 for part in made for molecule in part)
    assert {atom.GetAtomicNum() for part in made for molecule in part for atom in molecule.GetAtoms()} <= {6, 7, 8, 9}
