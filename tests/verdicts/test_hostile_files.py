"""Pipes, huge files, bombs and deep nesting in claims, records and kept cells end in one line,
at once.
"""

import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ams_suite.__main__ import main
from tests.verdicts.toy import kept_run
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.expected import expected_path, read_expected
from verdicts.records.files import NotCurrent, shown_json
from verdicts.records.record import Record, current_artefacts
from verdicts.safe_read import LARGEST, bytes_of, unpacked
from verdicts.studies.kept import SUFFIX, Archive

Hostile = Callable[[Path], object]


def huge(path: Path) -> None:
    """Make a file of 10 GiB that takes no room."""
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)


def of(content: bytes) -> Hostile:
    """Return what writes these bytes."""
    return lambda path: path.write_bytes(content)


FILES: dict[str, Hostile] = {"pipe": os.mkfifo, "huge": huge, "folder": Path.mkdir}
JSON = FILES | {"deep": of(b"[" * 10**6), "deep object": of(b'{"a":' * 10**5 + b"1" + b"}" * 10**5)}
TOML = FILES | {
    "deep": of(b"claim = " + b"[" * 10**5),
    "dotted": of(b"a." * 10**5 + b"a = 1"),
    "digits": of(b"a = 1" + b"0" * 10**5),
    "bytes": of(b"\xff\xfe"),
}
XZ = FILES | {
    "bomb": of(lzma.compress(bytes(LARGEST + 1), preset=0)),
    "bomb of lines": of(lzma.compress(b"\n" * LARGEST, preset=0)),
    "deep": of(lzma.compress(b"[" * 10**6)),
    "two streams": of(lzma.compress(b"") * 2),
    "no xz": of(b"x"),
}


def replaced(path: Path, hostile: Hostile) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    hostile(path)


@pytest.mark.parametrize("what", TOML)
@pytest.mark.parametrize("name", ["claims.toml", "config"])
def test_claims_and_sizes_end_in_one_line_and_exit_code_2(
    toy, monkeypatch, capsys, name: str, what: str
) -> None:
    path = toy.claims("alpha") if name == "claims.toml" else toy.root / "config/quick.toml"
    replaced(path, TOML[what])
    monkeypatch.chdir(toy.root)
    assert main(["list", "--profile", "quick"]) == 2
    said = capsys.readouterr().err
    assert (
        said.count("\n") == 1 and path.relative_to(toy.root).as_posix() in said and len(said) < 400
    ), said


@pytest.mark.parametrize("what", JSON)
def test_stored_values_end_in_one_line(toy, what: str) -> None:
    path = expected_path(toy.root, Profile.QUICK)
    kept_run("quick").write(path)
    replaced(path, JSON[what])
    with pytest.raises(UserError, match=r"paper/expected/quick\.json [^\n]{,300}\Z"):
        read_expected(toy.root, Profile.QUICK)


@pytest.mark.parametrize("what", [name for name in JSON if name != "folder"])
def test_a_record_of_that_kind_is_not_current_and_made_anew(session, what: str) -> None:
    assert session.run() == 0
    path = session.toy.record("A1")
    before = Record.read(path)
    replaced(path, JSON[what])
    with pytest.raises(NotCurrent, match=r"unreadable|damaged"):
        Record.read(path)
    assert shown_json(path) == {} and session.check() != 0
    assert session.run() == 0 and Record.read(path).verdict == before.verdict


@pytest.mark.parametrize("what", FILES)
def test_a_figure_of_that_kind_is_not_current(toy, what: str) -> None:
    workspace = toy.run_all()
    (group,) = [each for each in workspace.claims.group if each.id == "alpha"]
    path, parts = workspace.figures_path(group), workspace.figures_parts(group)
    figure = path.parent / next(iter(current_artefacts(path, parts).files))
    replaced(figure, FILES[what])
    with pytest.raises(NotCurrent, match=f"{figure.name} cannot be read"):
        current_artefacts(path, parts)


@pytest.mark.parametrize("what", XZ)
def test_kept_cells_of_that_kind_are_named_and_count_as_absent(tmp_path: Path, what: str) -> None:
    name = f"{'0' * 16}{SUFFIX}"
    replaced(tmp_path / "gamma" / name, XZ[what])
    archive = Archive(tmp_path, dict)
    assert archive.of_group("gamma") == {}
    (line,) = archive.damaged
    assert line.startswith(f"{name} of gamma is damaged (") and "\n" not in line


@pytest.mark.parametrize("what", ["pipe", "huge", "bomb"])
def test_documents_are_made_beside_kept_cells_of_that_kind(session, what: str) -> None:
    replaced(session.toy.root / f"paper/kept/alpha/{'0' * 16}{SUFFIX}", XZ[what])
    assert session.run() == 0 and session.check() == 0
    document = session.toy.folder() / "report.html"
    replaced(document, huge)
    assert session.check() != 0 and "report.html" in session.said


@pytest.mark.parametrize("what", JSON)
def test_runs_that_are_compared_end_in_one_line(tmp_path: Path, capsys, what: str) -> None:
    path = tmp_path / "ledger.json"
    replaced(path, JSON[what])
    assert main(["compare", str(path), str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_limit_counts_what_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert bytes_of(tmp_path / "file", 5) == b"12345" == unpacked(lzma.compress(b"12345"), 5)
    with pytest.raises(OSError, match="more than"):
        bytes_of(tmp_path / "file", 4)
    with pytest.raises(ValueError, match="unpacks to more than"):
        unpacked(lzma.compress(b"12345"), 4)
