"""Molecules: from samples and SMILES, their validity and its correction, distances of sets, and
the claims on them.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ams.data import smiles
from ams.metrics import frechet_distance
from experiments.graphs.molecules import checks, study
from experiments.graphs.molecules.settings import Settings
from experiments.graphs.molecules.study import Sample, chemnet_distances, quality
from tests.claims import verdict_of
from verdicts import Unavailable
from verdicts.claims.schema import Verdict
from verdicts.studies import Memory, using

Chem = pytest.importorskip("rdkit.Chem")
from experiments.graphs.molecules import chemistry  # noqa: E402
from experiments.graphs.molecules.chemistry import assembled, corrected, fault  # noqa: E402

QM9 = chemistry.ATOMS["QM9"]


def sample(
    kinds: list[int], bonds: dict[tuple[int, int], float], nodes: int = 9
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sampled matrices of one molecule: a feature of 0.9 each, bonds as given."""
    features, adjacency = torch.full((1, nodes, 4), 0.1), torch.zeros(1, nodes, nodes)
    for node, kind in enumerate(kinds):
        features[0, node, kind] = 0.9
    for (u, v), order in bonds.items():
        adjacency[0, u, v] = adjacency[0, v, u] = order
    return features, adjacency


def one(kinds: list[int], bonds: dict[tuple[int, int], float]) -> Chem.RWMol:
    return assembled(*sample(kinds, bonds), QM9)[0]


def test_orders_are_rounded_and_nodes_without_feature_are_no_atoms():
    molecule = one([0, 0, 2], {(0, 1): 0.49, (1, 2): 1.49})
    assert Chem.MolToSmiles(molecule) == "C.CO"
    assert Chem.MolToSmiles(one([0, 1], {(0, 1): 2.5})) == "C#N"
    assert Chem.MolToSmiles(one([0, 2], {(0, 1): 1.5, (0, 5): 3.0})) == "C=O"  # node 5 is no atom
    assert one([], {}).GetNumAtoms() == 0


def test_one_bond_too_many_charges_nitrogen_and_oxygen():
    ammonium = one([1, 0, 0, 0, 0], {(0, node): 1.0 for node in range(1, 5)})
    assert fault(ammonium) is None
    assert Chem.MolToSmiles(ammonium) == "C[N+](C)(C)C"
    assert fault(one([2, 0, 0, 0], {(0, node): 1.0 for node in range(1, 4)})) is None
    assert fault(one([1, 0, 0], {(0, 1): 3.0, (0, 2): 2.0})) == 0  # two too many


def test_a_fault_is_corrected_at_the_highest_bond_and_the_largest_fragment_kept():
    fluorine = one([0, 3, 0, 0], {(0, 1): 2.0, (2, 3): 1.0, (1, 2): 1.0})
    assert fault(fluorine) == 1
    assert Chem.MolToSmiles(corrected(fluorine)) in {"CC", "CF"}
    carbon = one([0, 0, 0, 0], {(0, 1): 3.0, (0, 2): 2.0, (2, 3): 1.0})
    assert Chem.MolToSmiles(corrected(carbon)) == "C=C=CC"
    assert corrected(one([], {})) is None


def test_correction_leaves_what_is_valid_and_never_gives_what_is_not():
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(60, 9, 4, generator=generator)
    orders = 3 * torch.rand(60, 9, 9, generator=generator) ** 3
    for molecule in assembled(features, orders + orders.mT, QM9):
        made = corrected(molecule)
        assert made is None or fault(made) is None
        if fault(molecule) is None and made is not None:
            largest = max(Chem.MolToSmiles(molecule).split("."), key=len)
            assert Chem.MolToSmiles(made) == Chem.CanonSmiles(largest)


def test_the_smiles_of_the_corrected_molecule_is_empty_where_there_is_none():
    ethane, water, wrong = one([0, 0], {(0, 1): 1.0}), one([2], {}), one([3, 0], {(0, 1): 2.0})
    assert [*map(chemistry.corrected_smiles, (ethane, water, wrong, one([], {})))] == [
        "CC",
        "O",
        "CF",
        "",
    ]
    assert [fault(molecule) is None for molecule in (ethane, water, wrong)] == [True, True, False]


def test_smiles_that_are_refused_are_left_out():
    assert chemistry.canonical(["OCC", "C(C)(C)(C)(C)C", "", "C1CC1"]) == ["CCO", "C1CC1"]
    assert chemistry.parsed("no molecule") is None


def test_labels_are_elements_and_whole_orders():
    assert chemistry.labelled("C=O") == (("C", "O"), ((0, 1, 2),))
    assert {order for _, _, order in chemistry.labelled("c1ccccc1").bonds} == {1}


def test_most_of_a_registered_list_is_read(authors_files):
    assert len(chemistry.canonical(smiles("qm9-test")[:2000])) > 1980


def test_chemnet_tells_sets_apart():
    """With the package `fcd`: a set is at distance 0 from itself, and far from alkanes."""
    pytest.importorskip("fcd")
    ring = [f"c1ccc({'C' * n}O)cc1" for n in range(1, 13)]
    chain = ["C" * n for n in range(1, 13)]
    first, second = chemistry.chemnet_features(ring), chemistry.chemnet_features(chain)
    assert (
        frechet_distance(first, first) == pytest.approx(0.0, abs=1e-4)
        and frechet_distance(first, second) > 10
    )


def test_the_chemnet_distance_is_the_frechet_distance_of_its_features(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.standard_normal((120, 5)) + shift) for shift in (0, 1))
    monkeypatch.setattr(
        chemistry, "chemnet_features", lambda listed: {"a": a, "b": b}[listed[0]][: len(listed)]
    )
    few, many = chemnet_distances(["a"] * 110, (["b"] * 100, ["b"] * 120))
    assert few == pytest.approx(frechet_distance(a[:100], b[:100]), rel=1e-12)
    assert many == pytest.approx(frechet_distance(a[:110], b[:110]), rel=1e-12)


SETTINGS = Settings(samples=40, steps=10, real=40)
ENDS = ("O", "N", "F", "C=O", "C#N", "OC", "NC", "C(C)O", "C=C", "C(=O)O")
NEW_ENDS = ("C(F)F", "C(F)O", "SC", "C(F)N", "C(F)CO", "C(F)CN", "OCF", "NCF", "OCO", "NCN")
CHAINS = ["C" * n + end for n in range(1, 11) for end in ENDS]
"""A hundred small molecules: the real ones here."""
NEW = ["C" * n + end for n in range(1, 7) for end in NEW_ENDS]
SHARES = ("V13.validity", "V13.novelty")
Put = Callable[..., None]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch):
    """Return a function that puts molecules in the place of generated ones; lists are our own;
    ChemNet is not asked.
    """
    pytest.importorskip("fcd")
    monkeypatch.setattr(study, "smiles", lambda name: CHAINS)
    monkeypatch.setattr(study, "chemnet_distances", lambda reference, sets: [1.0 for _ in sets])

    def place(listed: list[str], valid: bool = True) -> None:
        canonical = [Chem.CanonSmiles(one) for one in listed]
        half = len(canonical) // 2
        halves = canonical[:half], canonical[half:]
        parts = {
            seed: Sample([valid] * half, each)
            for seed, each in zip((2405, 2406), halves, strict=True)
        }
        monkeypatch.setattr(
            study, "generated", lambda name, steps, count, seed, real, first_seed: parts[seed]
        )

    return place


def verdict(name: str) -> Verdict:
    with using(Memory()):
        return verdict_of(name.split(".")[0], name, SETTINGS)


def test_bad_molecules_break_v13(put: Put) -> None:
    """Falsifier of V13: invalid molecules; known ones; one molecule sixty times."""
    put(NEW)
    assert set(map(verdict, SHARES)) == {Verdict.HOLDS}
    put(CHAINS[:60])
    assert verdict("V13.novelty") is Verdict.REFUTED
    put(np.random.default_rng(0).permutation(CHAINS)[:60].tolist())
    assert verdict("V13.nspdk") is not Verdict.REFUTED
    put(NEW, valid=False)
    assert verdict("V13.validity") is Verdict.REFUTED
    put(["BrC(Br)(Br)Br"] * 60)
    assert verdict("V13.nspdk") is Verdict.REFUTED


def test_each_seed_is_in_the_detail(put: Put, fresh_cells: None) -> None:
    put([*CHAINS[:20], *NEW[:20]])
    measured = checks.novelty(SETTINGS)
    assert (
        measured.value == 0.5
        and measured.detail["each seed"] == [0.0, 1.0]
        and measured.seeds == (2405, 2406)
    )


def test_quality_counts_valid_different_and_new() -> None:
    shares = quality(Sample([True, True, True, False], ["CC", "CC", "O", "CF"]), known={"O"})
    assert shares.validity.value == shares.uniqueness == 3 / 4
    assert shares.novelty.value == pytest.approx(2 / 3) and shares.novelty.n == 3
    with pytest.raises(ValueError, match="no molecule"):
        quality(Sample([False], [""]), known=set())


def test_without_the_extra_nothing_is_run(
    monkeypatch: pytest.MonkeyPatch, fresh_cells: None
) -> None:
    monkeypatch.setattr(study, "find_spec", lambda name: None)
    with pytest.raises(
        Unavailable, match=r"rdkit, fcd not installed: pip install '\.\[molecules\]'"
    ):
        study.comparison_of(SETTINGS)


def test_molecules_from_the_authors_files(authors_files: None, fresh_cells: None) -> None:
    """Five QM9 molecules in four steps: as many as asked for, made of its atoms."""
    samples = [study.generated("QM9", 4, count, 2405, 40, 2405) for count in (3, 2)]
    assert (
        [len(sample.valid) for sample in samples]
        == [len(sample.smiles) for sample in samples]
        == [3, 2]
    )
    molecules = [Chem.MolFromSmiles(one) for sample in samples for one in sample.smiles]
    assert {atom.GetAtomicNum() for molecule in molecules for atom in molecule.GetAtoms()} <= {
        6,
        7,
        8,
        9,
    }
