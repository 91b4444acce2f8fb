"""Checkouts in odd places, and environments that must go elsewhere."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shell.conftest import REPOSITORY

pytestmark = pytest.mark.shell


@pytest.mark.parametrize("name", ["a checkout, with spaces", "día – Überprüfung 検証", "-dash", 'it\'s $HOME `x` "q"'])
def test_any_name_of_the_checkout(copy_of, name: str) -> None:
    checkout = copy_of(name)
    checkout.python()
    first, second = checkout.run(), checkout.run()
    assert first.child["cwd"] == second.child["cwd"] == str(checkout.root)
    assert len(checkout.pip_calls) == 1


def test_a_colon_cannot_be(copy_of) -> None:
    checkout = copy_of("a:b")
    done = checkout.run()
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "cannot hold a colon; move the checkout" in done.err


def test_through_links_from_another_folder(checkout, tmp_path: Path) -> None:
    checkout.python(complete=True)
    links = tmp_path / "links"
    links.mkdir()
    (links / "relative").symlink_to("../checkout/reproduce.sh")
    (links / "twice").symlink_to(links / "relative")
    done = checkout.run(command=[str(checkout.bin / "bash"), "twice"], cwd=links, CDPATH="/")
    assert done.child["cwd"] == str(checkout.root)


def test_without_home_or_checkout_the_temporary_folder_serves(checkout) -> None:
    del checkout.variables["HOME"]
    (checkout.venv / "theirs").mkdir(parents=True)
    place = checkout.run().child["python"]
    assert place.startswith(f"{checkout.variables['TMPDIR']}/ams-suite-")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_temporary_folder_that_another_user_made_is_not_used(checkout) -> None:
    del checkout.variables["HOME"]
    (checkout.venv / "theirs").mkdir(parents=True)
    trap = Path(checkout.variables["TMPDIR"]) / "ams-suite-0"
    trap.mkdir(mode=0o777)
    os.chown(trap, 65534, 65534)
    done = checkout.run()
    assert (done.code, done.err.splitlines()[-1].startswith("reproduce.sh: no place for an environment")) == (2, True)


@pytest.mark.parametrize("given", ["environments", "absolute"])
def test_ams_env_names_the_place(checkout, given: str) -> None:
    named = given if given == "environments" else str(checkout.root.parent / given)
    python = checkout.run(AMS_ENV=named, cwd=checkout.root.parent).child["python"]
    assert python.startswith(f"{checkout.root.parent}/{given}/")
    assert not checkout.venv.exists()


def test_ams_env_that_cannot_be_made(checkout) -> None:
    (checkout.root.parent / "file").touch()
    done = checkout.run(AMS_ENV="file")
    assert (done.code, done.err) == (2, "reproduce.sh: AMS_ENV=file cannot be written: name another folder\n")


def test_checkouts_do_not_share_a_place(copy_of) -> None:
    places = set()
    for name in ("one", "two"):
        checkout = copy_of(name)
        checkout.python()
        places.add(checkout.run(AMS_ENV="environments").child["python"])
    assert len(places) == 2


def test_a_read_only_checkout_asks_for_a_place_for_results(read_only) -> None:
    done = read_only.run("--profile", "quick")
    assert done.code == 2
    assert done.err == f"reproduce.sh: {read_only.root} is read-only: name a folder for the results, --out DIR\n"


def test_a_read_only_checkout_keeps_its_environment_in_the_cache(read_only) -> None:
    cache = read_only.root.parent / "cache"
    for _ in range(2):
        done = read_only.run("--out", "results", XDG_CACHE_HOME=str(cache))
        assert done.child["python"].startswith(f"{cache}/ams-suite/") and done.child["PYTHONDONTWRITEBYTECODE"] == "1"
        assert "is read-only, so the environment goes elsewhere" in done.err
    assert len(read_only.pip_calls) == 1


def test_a_read_only_checkout_can_be_listed(read_only) -> None:
    assert read_only.run("--check").code == 0


@pytest.mark.usefixtures("needs_git")
def test_git_ignores_links_to_an_environment_and_to_results(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shutil.copy(REPOSITORY / ".gitignore", tmp_path)
    for name in (".venv", "results"):
        (tmp_path / name).symlink_to("/")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert status.stdout == "?? .gitignore\n"
