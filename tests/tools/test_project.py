"""What the project's files declare is so: requirements, pins with their files at an index, budgets
of code lines.

Files that name requirements agree. Of each pinned release the index's files are listed, or it is
named. Each house keeps to its budget, and files in git are few.
"""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ams_suite.lock import CHECKSUMS, LOCK, Pin, checksums, pins
from tests.verdicts.toy import REPOSITORY
from tools import mass, pin, run
from tools.mass import Mass, houses, tokens
from verdicts.errors import UserError

DECLARED = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, TOOL = DECLARED["project"], DECLARED["tool"]
EXTRAS = PROJECT["optional-dependencies"]
BASE = [Requirement(line) for line in PROJECT["dependencies"] + EXTRAS["suite"]]
ON_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
LEFT_TO_PIP = {"latex2mathml", "typst", "efficientnet-lite-pytorch"}
PIN = Pin("Tiny_Thing", "1.0")
SHA = "ab" * 32


def locked() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in wanted}


def test_every_requirement_is_pinned_within_its_range_and_torch_is_not() -> None:
    known = locked()
    for wanted in BASE + [
        Requirement(line) for extra in ("test", "paper") for line in EXTRAS[extra]
    ]:
        pin = next(iter(known[canonicalize_name(wanted.name)].specifier))
        assert (pin.operator == "==") == (wanted.name != "torch"), wanted
        assert pin.operator != "==" or wanted.specifier.contains(pin.version), wanted


def test_conda_is_asked_for_the_same_ranges() -> None:
    *listed, pip = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    assert pip == {"pip": ["--only-binary=:all:", "-e .[suite]"]}, "which adds the rest, as wheels"
    for wanted in BASE:
        name = canonicalize_name(wanted.name)
        entry = f"{ON_CONDA.get(name, name)} {wanted.specifier}"
        assert (entry in listed) == (name not in LEFT_TO_PIP), entry


def brought(requirements: Iterable[Requirement], found: set[str]) -> set[str]:
    """Add to `found` the distributions that requirements bring, as they are installed here, and
    return it.

    What torch brings is left out: it differs with the build.
    """
    for wanted in requirements:
        name = canonicalize_name(wanted.name)
        extras = wanted.extras or {""}
        marker = wanted.marker
        if name in found or not (
            marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
        ):
            continue
        found.add(name)
        with suppress(PackageNotFoundError):
            brought(map(Requirement, requires(name) or ()), found)
    return found


def test_the_set_up_brings_few_packages() -> None:
    listed = brought(BASE + list(map(Requirement, EXTRAS["molecules"])), {"torch"})
    assert len(listed) <= TOOL["set-up"]["limit"], sorted(listed)


def test_the_oldest_python_is_the_same_everywhere() -> None:
    script = (REPOSITORY / "reproduce.sh").read_text()
    assert PROJECT["requires-python"] == ">=3.11"
    assert set(re.findall(r"(3\.\d+) or later", script)) == {"3.11"}
    assert "for PYTHON in python3 python3.13 python3.12 python3.11 python; do" in script
    assert "- python >=3.11," in (REPOSITORY / "environment.yml").read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", ["reproduce.sh", ".ci/run", ".ci/bounds"])
def test_shellcheck_is_content(script: str) -> None:
    done = subprocess.run(["shellcheck", "-x", REPOSITORY / script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of an index that serves it; a folder answers with its
    index.html.
    """

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


def files(folder: Path, *names: str, hashes: dict[str, str] | None = None) -> None:
    place = folder / "simple/tiny-thing/index.html"
    place.parent.mkdir(parents=True)
    given = {"sha256": SHA} if hashes is None else hashes
    place.write_text(json.dumps({"files": [{"filename": name, "hashes": given} for name in names]}))


def test_files_of_the_release_that_a_platform_can_use_are_listed(served) -> None:
    folder, address = served
    kept = [
        "tiny_thing-1.0-cp311-cp311-manylinux2014_x86_64.whl",
        "tiny_thing-1.0-cp38-abi3-macosx_11_0_arm64.whl",
    ]
    kept += ["tiny_thing-1.0-py3-none-any.whl", "tiny_thing-1.0.tar.gz"]
    left = [
        "tiny_thing-1.0-cp311-cp311-win_amd64.whl",
        "tiny_thing-1.0-cp39-cp39-manylinux2014_x86_64.whl",
    ]
    left += [
        "tiny_thing-1.0.1.tar.gz",
        "tiny_thing-1.0.egg",
        "tiny_thing-1.0-cp313-cp313t-macosx_11_0_arm64.whl",
    ]
    files(folder, *left, *reversed(kept))
    assert list(pin.listing([PIN], address)) == [f"{SHA}  {name}" for name in kept]


@pytest.mark.parametrize(
    ("names", "hashes"), [((), None), (("tiny_thing-1.0.tar.gz",), {}), (("other-1.tar.gz",), None)]
)
def test_an_index_without_the_release_or_its_checksum_is_named(served, names, hashes) -> None:
    folder, address = served
    files(folder, *names, hashes=hashes)
    with pytest.raises(UserError, match=r"Tiny_Thing==1\.0: .* has no file of it, or no sha256"):
        list(pin.listing([PIN], address))


def test_an_index_that_does_not_answer_or_answers_otherwise_is_named(served) -> None:
    folder, address = served
    with pytest.raises(UserError, match="has no list of its files"):
        list(pin.listing([PIN], address))
    files(folder)
    (folder / "simple/tiny-thing/index.html").write_text("<html>")
    with pytest.raises(UserError, match="has no list of its files"):
        list(pin.listing([PIN], address))
    with pytest.raises(UserError, match="has no list of its files"):
        list(pin.listing([PIN], "http://127.0.0.1:9/simple"))


def test_every_pin_has_listed_files_and_every_file_a_pin() -> None:
    pinned, listed = pins(LOCK.read_text()).values(), checksums(CHECKSUMS.read_text())
    of = {file: [each for each in pinned if pin.is_of(file, each)] for file in listed}
    assert [file for file, known in of.items() if not known] == [], (
        "after a change of the lock: python -m tools.pin"
    )
    assert {each for known in of.values() for each in known} == set(pinned)
    assert not any(pin.is_of(file, PIN) for file in listed)


def test_the_list_is_written_whole_or_not_at_all(
    served, tmp_path: Path, monkeypatch, capsys
) -> None:
    folder, address = served
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/")
    (tmp_path / "lock").write_text("Tiny_Thing==1.0\ntorch>=2\n")
    monkeypatch.setattr(pin, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(pin, "CHECKSUMS", tmp_path / "sums")
    assert run(pin.PinFiles, []) == 2 and not (tmp_path / "sums").exists()
    assert "has no list of its files" in capsys.readouterr().err
    files(folder, "tiny_thing-1.0.tar.gz")
    assert run(pin.PinFiles, []) == 0
    assert checksums((tmp_path / "sums").read_text()) == {"tiny_thing-1.0.tar.gz": SHA}


TEXT = '''"""A module."""

import os
from sys import (
    path,  # a comment in an import
)

# a comment
def one():
    """Say.

    More.
    """
    return """text
    of two lines"""  # code


class Two:
    "Its docstring."

    x = "no docstring"
    "a text that is code"
'''


def test_tokens_are_not_of_comments_docstrings_imports_or_line_ends() -> None:
    of_function, of_class = 7, 7  # def one ( ) : return ""; class Two : x = "" ""
    assert tokens(TEXT) == of_function + of_class
    assert tokens("") == 0 and tokens("x = (\n    1\n)\n\n# y\n") == tokens("x = (1)") == 5


def test_every_house_keeps_to_its_budget() -> None:
    above = [
        house for house in houses(REPOSITORY) if not 0 < house.size <= house.limit >= house.target
    ]
    assert above == [], "python -m tools.mass"


def test_every_package_has_a_budget() -> None:
    packages = {
        path.parent.relative_to(REPOSITORY).as_posix()
        for path in REPOSITORY.glob("src/*/__init__.py")
    }
    of_houses = {place for budget in TOOL["budgets"].values() for place in budget["of"]}
    assert {
        *packages,
        "analysis",
        "experiments",
        "related",
        "beyond",
        "survey",
        "tools",
        "tests",
    } <= of_houses


def test_files_in_git_are_few() -> None:
    done = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no checkout with git")
    assert len(done.stdout.splitlines()) <= TOOL["tracked-files"]["limit"]


def test_a_house_above_its_budget_is_1_and_named(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "two.py").write_text("z = 3\n")
    (tmp_path / "one/b.py").write_text("left = 'out'\n")
    of = '[tool.budgets]\none = { of = ["o*", "two.py"], but = ["one/b.py"], '
    of += "limit = LIMIT, target = 2 }\n"
    monkeypatch.setattr(mass, "ROOT", tmp_path)
    for limit, code, end in (
        (9, 0, "9 tokens of 9, target 2"),
        (8, 1, "9 tokens of 8, target 2  ABOVE ITS BUDGET"),
    ):
        (tmp_path / "pyproject.toml").write_text(of.replace("LIMIT", str(limit)))
        assert Mass()() == code
        assert capsys.readouterr().out.rstrip().endswith(end)
