"""Which environment is taken or made, and what is done to one that is not right."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shell.conftest import INSTALL

pytestmark = pytest.mark.shell

SLOW_INSTALL = 'sleep 1; touch "$place/installed"'


def made(checkout, *arguments: str) -> None:
    """Make the environment by a first run, and see that it went well."""
    assert checkout.run(*arguments).code == 0 and (checkout.venv / ".ams-suite").exists()


def test_a_virtual_environment_is_made_once(checkout) -> None:
    first, second = checkout.run(), checkout.run()
    assert first.child["python"] == second.child["python"] == str(checkout.venv / "bin/python")
    assert len(checkout.pip_calls) == 1
    assert f"-r {checkout.venv}/requirements.txt -c {checkout.root}/constraints.txt" in checkout.pip_calls[0]
    assert "making" in first.err
    assert f"environment: {checkout.venv}/bin/python (3." in first.err and second.err == ""


def test_what_molecules_need_is_added_once(checkout) -> None:
    first, second = (checkout.run(MOLECULES="rdkit (absent)") for _ in range(2))
    assert first.code == second.code == 0
    assert len(checkout.pip_calls) == 2 and "--only-binary rdkit" in checkout.pip_calls[1]
    assert "adding RDKit" in first.err and "adding RDKit" not in second.err


def test_without_what_molecules_need_the_rest_runs(checkout) -> None:
    checkout.pip('case "$*" in *rdkit*) exit 1 ;; esac; touch "$place/installed"')
    done = checkout.run(MOLECULES="rdkit (absent)")
    assert done.code == 0 and "rows on molecules are not run" in done.err


def test_what_the_gpu_profile_needs_is_added_when_it_is_asked_for(checkout) -> None:
    made(checkout)
    for arguments in (("--profile", "gpu"), ("--profile=gpu",)):
        done = checkout.run(*arguments, "--check")
        assert done.code == 0 and ("adding diffusers" in done.err) is (arguments[0] == "--profile")
    assert len(checkout.pip_calls) == 2 and f"-c {checkout.root}/constraints.txt" in checkout.pip_calls[1]
    assert "diffusers" in (checkout.venv / "requirements.txt").read_text()


@pytest.mark.parametrize(("device", "cuda", "added"), [(True, "0", True), (True, "1", False), (False, "0", False)])
def test_the_default_profile_has_it_where_cuda_works(checkout, device: bool, cuda: str, added: bool) -> None:
    if device:
        checkout.stub("nvidia-smi", "exit 0")
    done = checkout.run(NO_CUDA=cuda)
    assert done.code == 0 and ("adding diffusers" in done.err) is added
    assert "adding diffusers" not in checkout.run("test", NO_CUDA=cuda).err
    assert "adding diffusers" not in checkout.run("--profile", "cpu", NO_CUDA=cuda).err


def test_without_what_the_gpu_profile_needs_the_rest_runs(checkout) -> None:
    checkout.pip('! grep -q diffusers "$place/requirements.txt" || exit 1; touch "$place/installed"')
    made(checkout)
    assert "adding diffusers" not in checkout.run("--profile", "gpu", "--offline").err
    done = checkout.run("--profile", "gpu")
    assert done.code == 0 and "so rows on them are not run" in done.err


def test_what_is_made_finds_the_checkout_from_anywhere(checkout) -> None:
    made(checkout)
    paths = (checkout.venv / "site/ams-suite.pth").read_text()
    assert paths == f"{checkout.root}/src\n{checkout.root}\n"
    command = [str(checkout.venv / "bin/ams"), "law", "--step", "1"]
    assert checkout.run(command=command, PYTHONPATH=str(checkout.root / "src")).child["arguments"] == command[1:]


def test_the_extra_is_added_when_tests_are_asked_for(checkout) -> None:
    wanted = checkout.venv / "requirements.txt"
    made(checkout)
    assert "torch" in wanted.read_text() and "pytest" not in wanted.read_text()
    for _ in range(2):
        assert checkout.run("test", "-q").out == "pytest: -m pytest -q\n"
        assert len(checkout.pip_calls) == 2 and "pytest" in wanted.read_text()


def test_other_constraints_bring_it_up_to_date_in_place(checkout) -> None:
    made(checkout)
    kept = checkout.venv / "kept"
    kept.touch()
    with (checkout.root / "constraints.txt").open("a") as file:
        file.write("# another\n")
    done = checkout.run()
    assert (done.code, len(checkout.pip_calls), kept.exists()) == (0, 2, True)
    assert "up to date" in done.err
    assert "up to date" not in checkout.run().err


def test_a_failed_update_leaves_what_was_there(checkout) -> None:
    made(checkout)
    python = checkout.venv / "bin/python"
    works = python.read_text()
    python.write_text(works.replace('cat "$place"/requirements.txt', "exit 1; cat"))
    before = (checkout.root / "pyproject.toml").read_text()
    (checkout.root / "pyproject.toml").write_text(before + "# another\n")
    assert checkout.run().code == 2
    (checkout.root / "pyproject.toml").write_text(before)
    assert checkout.run().code == 0


def test_an_unfinished_one_is_made_anew(checkout) -> None:
    made(checkout)
    (checkout.venv / ".ams-suite").unlink()
    (checkout.venv / "leftover").touch()
    done = checkout.run()
    assert (done.code, (checkout.venv / "leftover").exists()) == (0, False)
    assert "unfinished or was moved, so it is made anew" in done.err


def test_one_whose_python_is_gone_is_made_anew(checkout) -> None:
    made(checkout)
    (checkout.venv / "bin/python").unlink()
    assert checkout.run().code == 0 and len(checkout.pip_calls) == 2


def test_a_moved_checkout_gets_a_new_one(checkout) -> None:
    made(checkout)
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "was moved" in checkout.run().err
    assert str(checkout.root) in (checkout.venv / "site/ams-suite.pth").read_text()


def test_somebody_elses_venv_is_used_if_it_serves(checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    checkout.python("complete", complete=True)
    (checkout.bin / "complete").rename(checkout.venv / "bin/python")
    before = sorted(checkout.venv.rglob("*"))
    assert checkout.run().child["python"] == str(checkout.venv / "bin/python")
    assert sorted(checkout.venv.rglob("*")) == before


def test_somebody_elses_venv_is_left_alone_if_it_does_not(checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    (checkout.venv / "theirs").touch()
    done = checkout.run()
    assert f"{checkout.venv} was not made here and does not serve" in done.err
    assert done.child["python"].startswith(f"{checkout.variables['HOME']}/.cache/ams-suite/")
    assert {path.name for path in checkout.venv.iterdir()} == {"bin", "theirs"}


def test_a_link_to_the_venv_of_another_checkout_leaves_that_as_it_is(checkout) -> None:
    made(checkout)
    theirs = checkout.root.with_name("theirs")
    shutil.copytree(checkout.root, theirs, symlinks=True)
    shutil.rmtree(theirs / ".venv")
    checkout.venv.rename(theirs / ".venv")
    stamp = theirs / ".venv" / ".ams-suite"
    stamp.write_text(stamp.read_text().replace(str(checkout.root), str(theirs)))
    checkout.venv.symlink_to(theirs / ".venv")
    before = {path: path.stat().st_mtime_ns for path in (theirs / ".venv").rglob("*")}
    done = checkout.run()
    assert done.code == 0 and "is made" not in done.err
    assert {path: path.stat().st_mtime_ns for path in (theirs / ".venv").rglob("*")} == before


def test_a_newer_python_serves_if_no_tested_one_is_there(checkout) -> None:
    checkout.python(version="3.15.0")
    checkout.python("python3.12", version="3.12.1")
    assert f"with {checkout.bin}/python3.12 (3.12.1)" in checkout.run().err
    (checkout.bin / "python3.12").unlink()
    (checkout.venv / ".ams-suite").unlink()
    assert f"with {checkout.bin}/python3 (3.15.0)" in checkout.run().err


def test_two_at_once_make_it_once(checkout) -> None:
    checkout.pip(SLOW_INSTALL)
    running = [
        subprocess.Popen(checkout.command(), env=checkout.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert len(checkout.pip_calls) == 1
    assert sum(b"another run is making" in err for _, err in ends) == 1


def test_two_at_once_add_once_what_a_profile_needs(checkout) -> None:
    checkout.pip(f"sleep 1; {INSTALL}")
    made(checkout)
    command, streams = checkout.command("--profile", "gpu", "--check"), {"stdout": subprocess.DEVNULL}
    running = [subprocess.Popen(command, env=checkout.environment(), **streams) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert sum("constraints.txt" in call and "requirements.txt" in call for call in checkout.pip_calls[1:]) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_setup_is_not_taken_for_complete(checkout, number: signal.Signals) -> None:
    checkout.pip(f'touch "{checkout.root}/started"; {SLOW_INSTALL}')
    process = subprocess.Popen(
        checkout.command(), env=checkout.environment(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not (checkout.root / "started").exists():
        time.sleep(0.02)
    os.killpg(process.pid, number)
    process.wait()
    assert not (checkout.venv / ".ams-suite").exists()
    done = checkout.run()
    assert (done.code, len(checkout.pip_calls)) == (0, 2)
    assert "unfinished" in done.err


def test_without_a_gpu_the_cpu_build_is_asked_for(checkout) -> None:
    cpu = "--extra-index-url https://download.pytorch.org/whl/cpu"

    def asked(**variables: str) -> bool:
        (checkout.venv / ".ams-suite").unlink(missing_ok=True)
        assert checkout.run(**variables).code == 0
        return cpu in checkout.pip_calls[-1]

    assert asked(NO_CPU_INDEX="0") == (sys.platform == "linux") and not asked(NO_CPU_INDEX="1")
    assert not asked(NO_CPU_INDEX="0", PIP_SETTINGS="global.index-url='https://mirror'")
    checkout.stub("nvidia-smi", "exit 0")
    assert not asked(NO_CPU_INDEX="0")


def test_unmet_pins_give_way_to_ranges(checkout) -> None:
    unmet = "ERROR: No matching distribution found for rich==15.0.0"
    checkout.pip(f'case "$*" in *constraints.txt*) echo "{unmet}" >&2; exit 1 ;; esac; touch "$place/installed"')
    done = checkout.run()
    assert (done.code, len(checkout.pip_calls)) == (0, 2)
    assert "pip: the pins cannot be met (no rich==15.0.0 for Python 3." in done.err


def test_offline_asks_no_index(checkout) -> None:
    checkout.stub("conda", "touch asked")
    done = checkout.run("--offline", NO_CPU_INDEX="0")
    assert done.child["arguments"] == ["reproduce", "--offline"]
    assert "--no-index" in checkout.pip_calls[0] and "extra-index" not in checkout.pip_calls[0]
    assert "conda: --offline" in done.err and not Path(checkout.root.parent / "asked").exists()
