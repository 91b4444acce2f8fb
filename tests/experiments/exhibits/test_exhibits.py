"""The list of the authors' configurations, the costs that follow from it, and their tables."""

import re
from pathlib import Path

import pytest

from experiments.exhibits import checks, figures, study
from experiments.exhibits.configurations import Configuration, Kind, Listed, listed
from experiments.exhibits.settings import Settings
from experiments.exhibits.study import Cost
from experiments.graphs.data import published
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES
from tests.claims import claims, verdict_of
from verdicts.claims.schema import Verdict

SETTINGS = Settings()
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


@pytest.fixture(autouse=True)
def claims_that_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (checks, figures):
        monkeypatch.setattr(module, "all_claims", claims)


def changed(name: str, **values: object) -> Listed:
    """Return the list with one entry's values changed."""
    entries = [
        each.model_copy(update=values) if each.id == name else each
        for each in listed().configuration
    ]
    return listed().model_copy(update={"configuration": tuple(entries)})


def without(name: str) -> Listed:
    entries = tuple(each for each in listed().configuration if each.id != name)
    return listed().model_copy(update={"configuration": entries})


def asked(name: str, options: str) -> Listed:
    """Return the list with one entry's command changed."""
    return changed(name, command=f"bash reproduce.sh {options}")


MISFITS = {
    "a graph set that is left out": ("covered", without("grid")),
    "a network that is left out": ("covered", without("cifar10_ddpmpp")),
    "another snr of a graph corrector": ("values", changed("grid", snr=0.16)),
    "another scale of its noise": ("values", changed("community_small", scale_eps=0.6)),
    "another snr of S4": ("values", changed("ENZYMES", snr=0.1)),
    "another process": ("values", changed("QM9", processes=("VP 0.1 1", "VE 0.1 1"))),
    "fewer nodes": ("values", changed("grid", side=300)),
    "a corrector that does not run": ("values", changed("ego_small", evaluations=2)),
    "another snr of images": ("values", changed("cifar10_ncsnpp", snr=0.17)),
    "another resolution": ("values", changed("church256_ncsnpp", side=128)),
    "a claim that does not exist": ("named", changed("celebahq256_ncsnpp", claims=("X99",))),
    "a group that does not exist": ("named", changed("celeba64_ncsnpp", here=("faces",))),
    "an option that does not exist": ("commands", asked("QM9", "--profil cpu --only V13")),
    "a profile that does not decide it": ("commands", asked("grid", "--profile cpu --only V19a")),
    "a claim that is not known": ("commands", asked("QM9", "--profile cpu --only V99")),
    "no claim at all": ("commands", asked("QM9", "--profile cpu")),
    "no profile": ("commands", asked("QM9", "--only V13")),
    "another program": ("commands", changed("QM9", command="python sample.py")),
}  # fmt: skip


@pytest.mark.parametrize("misfit", MISFITS)
def test_an_entry_that_does_not_fit_breaks_e1(monkeypatch: pytest.MonkeyPatch, misfit: str) -> None:
    """Falsifier of E1: each check sees the misfit that is its own, and no other check does."""
    part, entries = MISFITS[misfit]
    monkeypatch.setattr(checks, "listed", lambda: entries)
    for each in ("covered", "values", "named", "commands"):
        assert verdict_of("E1", f"E1.{each}", SETTINGS) is (REFUTED if each == part else HOLDS), (
            each
        )


def test_a_network_costs_what_it_is_counted_at() -> None:
    """The published number of parameters of NCSN++ and DDPM++ on CIFAR-10 is 62 to 63 millions."""
    names = ("cifar10_ddpmpp_continuous", "cifar10_ncsnpp_continuous")
    vp, ve = (study.image_cost.wrapped(ARCHITECTURES[name], 32) for name in names)
    assert (vp.parameters, ve.parameters) == (61_804_419, 62_758_915)
    assert 21e9 < vp.flops < ve.flops < 22e9


def test_quantiles_are_evenly_spaced() -> None:
    assert study.quantiles([5, 1, 2, 4, 3], 1) == [3]
    assert study.quantiles(range(100), 4) == [12, 37, 62, 87]
    assert study.quantiles([7], 3) == [7, 7, 7]


@pytest.mark.parametrize(
    ("molecule", "count"),
    [("C", 1), ("Clc1ccc(Br)cc1", 8), ("C[C@@H](N)C(=O)[O-]", 6), ("[nH]1cccc1", 5)],
)
def test_atoms_of_a_molecule(molecule: str, count: int) -> None:
    assert study.atoms(molecule) == count


def cost(settings: Settings, entry: Configuration) -> Cost | None:
    return Cost(10, 4e9) if entry.architecture or entry.is_of_graphs else None


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(study, "cost", cost)
    return {table.id: table for table in figures.tables(SETTINGS)}


def test_the_four_public_checkpoints_have_their_file_named(tables) -> None:
    needed = {
        row[2][:2]: row[4] for row in tables["exhibits"].rows if row[2].startswith("X") and row[4]
    }
    targets = {claim.id: claim.target for claim in claims().of_group("colour")}
    assert sorted(needed) == ["X1", "X2", "X3", "X4"]
    for name, file in needed.items():
        assert checks.NETWORK.search(file)[0] in targets[name]


def test_costs_are_samples_times_evaluations_times_the_operations(tables) -> None:
    row = next(row for row in tables["exhibit_costs"].rows if row[0].startswith("LSUN church 256"))
    assert row[2:] == (4.0, 50_000, 4000, 22.2)


def test_the_grid_is_each_sampler_with_each_budget(tables) -> None:
    """At 4 GFLOP an evaluation and 10^13 a second, 2000 evaluations of an image take 0.8 s."""
    rows = {row[0]: row for row in tables["exhibit_grid"].rows}
    evaluations = 4 * 50_000 * (20 + 50 + 100 + 200 + 500 + 2000)
    row = rows["CIFAR-10, NCSN++ (VE)"]
    assert row[:4] == ("CIFAR-10, NCSN++ (VE)", 256, 4 * 6 * 196, evaluations)
    assert row[4] == pytest.approx(evaluations * 4e-4 / 3600, 5e-3)
    assert row[5] == pytest.approx(256 * 0.8 / 3600, rel=5e-3)
    assert rows["all"][3] == pytest.approx(
        sum(each[3] for name, each in rows.items() if name != "all"), rel=5e-3
    )


@pytest.mark.parametrize(("gpus", "hours"), [(1, 9.0), (2, 5.0), (4, 3.0)])
def test_cells_go_to_gpus_the_longest_first(gpus: int, hours: float) -> None:
    assert figures.hours_on([1.0, 3.0, 2.0, 1.0, 2.0], gpus) == hours


def test_every_cell_of_the_image_table_says_how_it_stands(tables) -> None:
    table = tables["exhibit_images"]
    cells = [cell for row in table.rows for cell in row[2:-1]]
    assert len(table.rows) == 5 * 4 + 3 * 3 and len(cells) == 29 * 6
    told = re.compile(
        r"^(\d+: )?(measured: \w+|scaled: [\w, ]+|not run: ([\d.]+ GPU-h|cost unknown))$"
    )
    assert not [cell for cell in cells if not told.match(str(cell))]
    kinds = {
        kind
        for kind in ("measured", "scaled", "not run")
        if any(kind in str(cell) for cell in cells)
    }
    # no configuration of this repository names a network's file
    assert kinds == {
        "scaled",
        "not run",
    }


def test_a_network_that_the_configuration_names_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(study, "cost", cost)
    overlay = tmp_path / "own.toml"
    entry = '{ path = "w.pth", sha256 = "0", reference = "cifar10-test" }'
    overlay.write_text(
        f'profile = "paper"\n[groups.colour]\nnetworks = {{ cifar10_ncsnpp_continuous = '
        f"{entry} }}\n"
    )
    monkeypatch.setenv("VERDICTS_CONFIG", str(overlay))
    rows = list(
        figures.exhibit_images(
            SETTINGS, {each.id: cost(SETTINGS, each) for each in listed().configuration}
        )
    )
    measured = {row[:2] for row in rows if any("measured: colour" in str(cell) for cell in row)}
    assert measured == {
        ("CIFAR-10, NCSN++ (VE)", "PC, Langevin"),
        ("CIFAR-10, NCSN++ (VE)", "PC, adaptive"),
    }


def test_a_graph_sets_networks_are_counted_on_its_sizes(authors_files: None) -> None:
    counted = study.graph_cost.wrapped("community_small", 3)
    assert counted.flops > 1e6
    assert counted.parameters > 1e5


def test_published_rows_are_of_as_many_graphs_as_the_test_set_has(authors_files: None) -> None:
    for entry in listed().of_graphs():
        if entry.id not in study.MOLECULES:
            assert entry.samples == len(published(entry.id).test), entry.id


def test_what_is_not_known_is_left_out_and_said() -> None:
    """An entry without a value says so in words; none has a value in place of it."""
    for entry in listed().configuration:
        if entry.samples is None or (entry.architecture is None and entry.kind is not Kind.GRAPH):
            assert entry.unknown, entry.id
