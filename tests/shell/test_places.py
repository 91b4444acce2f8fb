"""Checkouts in odd places, and environments that must go elsewhere."""

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
    assert len(checkout.pip_calls) == 1 and (checkout.venv / "finished").exists()


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


def test_ams_env_names_the_place_and_checkouts_do_not_share_it(copy_of, tmp_path: Path) -> None:
    places = set()
    for name in ("one", "two"):
        checkout = copy_of(name)
        checkout.python()
        places.add(checkout.run(AMS_ENV="environments", cwd=tmp_path).child["python"])
        assert not checkout.venv.exists()
    assert len(places) == 2 and all(place.startswith(f"{tmp_path}/environments/") for place in places)


@pytest.mark.usefixtures("needs_git")
def test_git_ignores_links_to_an_environment_and_to_results(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shutil.copy(REPOSITORY / ".gitignore", tmp_path)
    for name in (".venv", "results"):
        (tmp_path / name).symlink_to("/")
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert status.stdout == "?? .gitignore\n"


def test_a_place_that_cannot_be_made(checkout, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = checkout.run(AMS_ENV="file", cwd=tmp_path)
    told = f"{tmp_path}/file{checkout.root} cannot be written: name another folder with AMS_ENV"
    assert (done.code, done.err) == (2, f"reproduce.sh: {told}\n")


def test_a_read_only_checkout_keeps_its_environment_in_the_cache(read_only) -> None:
    cache = read_only.root.parent / "cache"
    for _ in range(2):
        done = read_only.run("--out", "results", XDG_CACHE_HOME=str(cache))
        assert done.child["python"].startswith(f"{cache}/ams-suite/")
        assert f"{read_only.venv} does not serve, and was not made here or cannot be written" in done.err
    assert len(read_only.pip_calls) == 1
    del read_only.variables["HOME"]
    done = read_only.run()
    assert done.code == 2 and done.err.endswith("cannot be written: name another folder with AMS_ENV\n")


def test_a_venv_made_by_hand_is_used_if_it_serves_and_else_left_alone(checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    checkout.python("complete", complete=True).rename(checkout.venv / "bin/python")
    before = sorted(checkout.venv.rglob("*"))
    assert checkout.run().child["python"] == str(checkout.venv / "bin/python")
    (checkout.venv / "bin/python").write_text("")
    done = checkout.run()
    assert done.child["python"].startswith(f"{checkout.variables['HOME']}/.cache/ams-suite/")
    assert f"{checkout.venv} does not serve, and was not made here" in done.err
    assert sorted(checkout.venv.rglob("*")) == before


def test_an_empty_venv_is_another_run_that_has_not_made_its_lock_yet(checkout) -> None:
    checkout.venv.mkdir()
    done = checkout.run()
    assert done.child["python"] == str(checkout.venv / "bin/python") and "left as it is" not in done.err


def test_a_link_to_the_venv_of_another_checkout_leaves_that_as_it_is(checkout, copy_of) -> None:
    theirs = copy_of("theirs")
    assert checkout.run().code == theirs.run().code == 0
    shutil.rmtree(checkout.venv)
    checkout.venv.symlink_to(theirs.venv)
    before = {path: path.stat().st_mtime_ns for path in theirs.venv.rglob("*")}
    assert checkout.run().child["python"] == str(checkout.venv / "bin/python")
    (checkout.root / "constraints.txt").write_text("# another\n")
    assert checkout.run("test").code == 0 and "left as it is" in checkout.run("test").err
    assert {path: path.stat().st_mtime_ns for path in theirs.venv.rglob("*")} == before
