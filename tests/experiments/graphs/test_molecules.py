"""Claims on molecules: made molecules in the place of generated ones, and what flips the verdicts."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.graphs.molecules import checks, study
from experiments.graphs.molecules.settings import Settings
from experiments.graphs.molecules.study import Sample, quality
from tests.claims import verdict_of
from verdicts import Unavailable
from verdicts.claims.schema import Verdict
from verdicts.studies import Memory, using

Chem = pytest.importorskip("rdkit.Chem")
pytest.importorskip("fcd")

SETTINGS = Settings(qm9=(40, 10, 40), zinc250k=(40, 10, 40))
ENDS = ("O", "N", "F", "C=O", "C#N", "OC", "NC", "C(C)O", "C=C", "C(=O)O")
NEW_ENDS = ("C(F)F", "C(F)O", "SC", "C(F)N", "C(F)CO", "C(F)CN", "OCF", "NCF", "OCO", "NCN")
CHAINS = ["C" * n + end for n in range(1, 11) for end in ENDS]
"""A hundred small molecules: the real ones here."""
NEW = ["C" * n + end for n in range(1, 7) for end in NEW_ENDS]
SHARES = ("V13.validity", "V13.novelty", "V14.validity", "V14.novelty")
Put = Callable[..., None]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch):
    """Return a function that puts molecules in the place of generated ones; lists are our own; ChemNet is not asked."""
    monkeypatch.setattr(study, "smiles", lambda name: CHAINS)
    monkeypatch.setattr(study, "chemnet_distances", lambda reference, sets: [1.0 for _ in sets])

    def place(listed: list[str], valid: bool = True) -> None:
        canonical = [Chem.CanonSmiles(one) for one in listed]
        half = len(canonical) // 2
        halves = canonical[:half], canonical[half:]
        parts = {seed: Sample([valid] * half, each) for seed, each in zip((2405, 2406), halves, strict=True)}
        monkeypatch.setattr(study, "generated", lambda name, steps, count, seed, real, first_seed: parts[seed])

    return place


def verdict(name: str) -> Verdict:
    with using(Memory()):
        return verdict_of(name.split(".")[0], name, SETTINGS)


def test_bad_molecules_break_v13_and_v14(put: Put) -> None:
    """Falsifier of V13 and V14: invalid molecules; known ones; one molecule sixty times."""
    put(NEW)
    assert set(map(verdict, SHARES)) == {Verdict.HOLDS}
    put(CHAINS[:60])
    assert {verdict("V13.novelty"), verdict("V14.novelty")} == {Verdict.REFUTED}
    put(np.random.default_rng(0).permutation(CHAINS)[:60].tolist())
    assert verdict("V13.nspdk") is not Verdict.REFUTED
    put(NEW, valid=False)
    assert {verdict("V13.validity"), verdict("V14.validity")} == {Verdict.REFUTED}
    put(["BrC(Br)(Br)Br"] * 60)
    assert verdict("V13.nspdk") is Verdict.REFUTED


def test_each_seed_is_in_the_detail(put: Put, fresh_cells: None) -> None:
    put([*CHAINS[:20], *NEW[:20]])
    measured = checks.novelty(SETTINGS, "ZINC250k")
    assert measured.value == 0.5 and measured.detail["each seed"] == [0.0, 1.0] and measured.seeds == (2405, 2406)


def test_quality_counts_valid_different_and_new() -> None:
    shares = quality(Sample([True, True, True, False], ["CC", "CC", "O", "CF"]), known={"O"})
    assert shares.validity.value == shares.uniqueness == 3 / 4
    assert shares.novelty.value == pytest.approx(2 / 3) and shares.novelty.n == 3
    with pytest.raises(ValueError, match="no molecule"):
        quality(Sample([False], [""]), known=set())


def test_without_the_extra_nothing_is_run(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    monkeypatch.setattr(study, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"rdkit, fcd not installed: pip install 'ams-suite\[molecules\]'"):
        study.comparison_of(SETTINGS, "QM9")


def test_molecules_from_the_authors_files(authors_files: None, fresh_cells: None) -> None:
    """Five QM9 molecules in four steps: as many as asked for, made of its atoms."""
    samples = [study.generated("QM9", 4, count, 2405, 40, 2405) for count in (3, 2)]
    assert [len(sample.valid) for sample in samples] == [len(sample.smiles) for sample in samples] == [3, 2]
    molecules = [Chem.MolFromSmiles(one) for sample in samples for one in sample.smiles]
    assert {atom.GetAtomicNum() for molecule in molecules for atom in molecule.GetAtoms()} <= {6, 7, 8, 9}
