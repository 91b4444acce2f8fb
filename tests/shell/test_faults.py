"""What goes wrong on other people's machines: each fault ends in one clear line and exit code 2, or is got round."""

import re
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.shell

NO_ENSUREPIP = 'echo "The virtual environment was not created successfully because ensurepip is not available."; exit 1'


def complaint(done) -> str:
    """The last line of a run that ended with exit code 2, which must be the script's own."""
    assert done.code == 2
    last = done.err.splitlines()[-1]
    assert last.startswith("reproduce.sh: ")
    return last.removeprefix("reproduce.sh: ")


# --- Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.7.18", "3.8.10", "3.10.13"])
def test_a_python_too_old_is_named_with_its_place(checkout, version: str) -> None:
    checkout.python(version=version)
    told = complaint(checkout.run())
    assert told.startswith(f"Python 3.11 or later is needed, {checkout.bin}/python3 is {version}")


def test_a_python_that_prints_its_version_to_any_question(checkout) -> None:
    checkout.stub("python3", "echo Python 3.8.10")
    assert f"{checkout.bin}/python3 is 3.8.10" in complaint(checkout.run())


def test_no_python_at_all(checkout) -> None:
    (checkout.bin / "python3").unlink()
    assert complaint(checkout.run()) == "no Python on PATH: install Python 3.11 or later"


def test_a_later_python_beside_an_old_one_serves(checkout) -> None:
    checkout.python(version="3.8.10")
    checkout.python("python3.12", version="3.12.1")
    assert checkout.run().code == 0


def test_no_venv_module(checkout) -> None:
    checkout.python(venv=NO_ENSUREPIP)
    told = complaint(checkout.run())
    minor = f"3.{sys.version_info.minor}"  # of the Python behind the stub, which reads the log
    assert f"no venv module; on Debian or Ubuntu: apt-get install python{minor}-venv" in told
    assert told.endswith(f"Log: {checkout.venv}/setup.log")


def test_another_python_is_tried_where_one_has_no_venv(checkout) -> None:
    checkout.python(venv=NO_ENSUREPIP)
    checkout.python("python3.12", version="3.12.1")
    done = checkout.run()
    assert done.code == 0
    assert f"{checkout.bin}/python3: this Python has no venv module" in done.err


# --- conda --------------------------------------------------------------------------------------------------

CONDA = """
case "$1" in
  search) @SEARCH@ ;;
  env) mkdir -p "$4/bin" && cat "@TEMPLATE@" >"$4/bin/python" && chmod +x "$4/bin/python" && @THEN@ ;;
esac
"""


def conda(checkout, name: str = "conda", *, search: str = "exit 0", then: str = 'touch "$4/installed"') -> None:
    template = str(checkout.bin.parent / "venv-python")
    checkout.stub(name, CONDA, SEARCH=search, THEN=then, TEMPLATE=template)


@pytest.mark.parametrize("name", ["conda", "mamba"])
def test_conda_that_works_is_enough(checkout, name: str) -> None:
    conda(checkout, name)
    for _ in range(2):
        done = checkout.run("--profile", "quick")
        assert done.child["python"] == str(checkout.venv / "conda/bin/python")
    assert checkout.pip_calls == []


def test_conda_serves_where_python_is_too_old(checkout) -> None:
    checkout.python(version="3.8.10")
    conda(checkout)
    assert checkout.run().code == 0


def test_pip_adds_to_conda_what_it_lacks_and_pins_nothing(checkout) -> None:
    conda(checkout, then="true")
    assert checkout.run("--profile", "quick").code == 0
    assert len(checkout.pip_calls) == 1 and "constraints.txt" not in checkout.pip_calls[0]


@pytest.mark.parametrize(("profile", "added"), [("quick", False), ("cpu", True)])
def test_other_libraries_are_added_where_a_profile_surveys_them(checkout, profile: str, added: bool) -> None:
    assert checkout.run("--profile", profile, NO_PEER="1").code == 0
    assert any("--no-deps" in call and "k-diffusion" in call for call in checkout.pip_calls) == added


@pytest.mark.parametrize("part", [{"search": "echo CondaHTTPError; exit 7"}, {"then": "echo Unsolvable; exit 7"}])
def test_conda_that_fails_is_told_in_a_line(checkout, part: dict[str, str]) -> None:
    conda(checkout, **part)
    done = checkout.run()
    assert done.child["python"] == str(checkout.venv / "bin/python")
    assert "conda: failed with exit code 7; going on with pip" in done.err
    assert not (checkout.venv / "conda").exists()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_conda_that_hangs_is_ended_with_its_children(checkout) -> None:
    pids = checkout.root.parent / "pids"
    conda(checkout, search=f"trap '' TERM; sleep 600 & echo $$ $! >'{pids}'; wait; wait")
    began = time.monotonic()
    done = checkout.run(AMS_CONDA_TIMEOUT="1")
    assert done.code == 0 and time.monotonic() - began < 15
    assert "conda: did not answer within 1 s and was ended; going on with pip" in done.err
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


# --- pip ----------------------------------------------------------------------------------------------------

READ_ONLY = "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: 'x'"
CONFLICT = "ERROR: ResolutionImpossible: for help visit"


@pytest.mark.parametrize(("line", "told"), [(READ_ONLY, "cannot be written"), (CONFLICT, "the requirements conflict")])
def test_pip_failures_are_explained(checkout, line: str, told: str) -> None:
    checkout.pip(f'echo "{line}" >&2; exit 1')
    said = complaint(checkout.run())
    assert said.startswith("the environment cannot be made: ") and told in said
    assert said.endswith(f"Log: {checkout.venv}/setup.log") and line in (checkout.venv / "setup.log").read_text()


def test_offline_without_packages_says_that_no_index_was_asked(checkout) -> None:
    checkout.pip('echo "ERROR: No matching distribution found for torch>=2.3" >&2; exit 1')
    assert "(--offline: no index was asked): no torch>=2.3 for Python" in complaint(checkout.run("--offline"))


def test_an_index_that_cannot_be_reached(with_real_pip) -> None:
    told = complaint(with_real_pip.run(PIP_INDEX_URL="http://127.0.0.1:9/simple"))
    assert told.startswith("the environment cannot be made: the package index cannot be reached")


def test_an_index_without_the_package(with_real_pip, tmp_path: Path) -> None:
    empty = tmp_path / "wheels"
    empty.mkdir()
    told = complaint(with_real_pip.run(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(empty)))
    assert re.match(r"the environment cannot be made: no torch>=2\.\d+ for Python 3\.", told), told


def test_a_disk_that_is_full(with_real_pip, tiny_disk: Path) -> None:
    assert "the disk is full; free about 3 GB" in complaint(with_real_pip.run(AMS_ENV=str(tiny_disk)))
