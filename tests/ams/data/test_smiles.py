"""Lists of molecules: what the registry says is what is read, and nothing else."""

import hashlib
from pathlib import Path

import pytest

from ams.data import MOLECULES, MoleculeList, smiles
from ams.data import loaders as loaders_module
from ams.data.files import File
from ams.errors import DataUnavailable, UserError

LISTED = b"CCO\nc1ccccc1\nN#N"


def entry(count: int) -> MoleculeList:
    sha256 = hashlib.sha256(LISTED).hexdigest()
    file = File("molecules/toy.txt", sha256, len(LISTED))
    return MoleculeList(
        title="toy", count=count, contents=sha256, files=(file,), licence="none", origin="here", obtain="make it"
    )


def give(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(loaders_module, "MOLECULES", {"toy": entry(count)})
    monkeypatch.setattr(loaders_module, "read", lambda name: (Path("toy.txt"), entry(count).files[0], LISTED))


def test_a_line_is_a_molecule_with_or_without_a_last_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 3)
    assert smiles("toy") == ["CCO", "c1ccccc1", "N#N"]


def test_another_number_or_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, 2)
    with pytest.raises(UserError, match="3 molecules, expected 2"):
        smiles("toy")
    with pytest.raises(UserError, match="unknown list of molecules"):
        smiles("caffeine")


@pytest.mark.parametrize("name", MOLECULES)
def test_registered_lists_are_read_where_they_are(name: str) -> None:
    try:
        listed = smiles(name)
    except DataUnavailable as missing:
        pytest.skip(str(missing))
    assert len(listed) == MOLECULES[name].count
    assert all(listed)
