"""What goes wrong on other people's machines: each fault ends in one clear line and exit code 2, or is got round."""

import sys

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


@pytest.mark.parametrize("there", ["an old one", "none", "one that answers anything"])
def test_without_a_python_that_serves_the_command_of_conda_is_named(checkout, there: str) -> None:
    (checkout.bin / "python3").unlink()
    if there == "an old one":
        checkout.old_python()
    elif there != "none":
        checkout.stub("python3", "echo Python 3.8.10")
    told = complaint(checkout.run())
    assert told.startswith("no Python of 3.11 or later on PATH: install one, or make an environment with conda")
    assert told.endswith(" or mamba: mamba env create -f environment.yml && mamba activate ams")


def test_a_later_python_beside_an_old_one_serves(checkout) -> None:
    checkout.old_python()
    checkout.python("python3.12")
    assert checkout.run().code == 0


def test_no_venv_module(checkout) -> None:
    checkout.python(venv=NO_ENSUREPIP)
    told = complaint(checkout.run())
    minor = f"3.{sys.version_info.minor}"  # of the Python behind the stub, which reads the log
    assert f"no venv module; on Debian or Ubuntu: apt-get install python{minor}-venv" in told
    assert told.endswith(f"Log: {checkout.venv}/setup.log")


# --- pip ----------------------------------------------------------------------------------------------------

READ_ONLY = "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: 'x'"
CONFLICT = "ERROR: ResolutionImpossible: for help visit"


@pytest.mark.parametrize(
    ("line", "told", "tries"), [(READ_ONLY, "cannot be written", 1), (CONFLICT, "the requirements conflict", 2)]
)
def test_pip_failures_are_explained(checkout, line: str, told: str, tries: int) -> None:
    checkout.pip(f'echo "{line}" >&2; exit 1')
    said = complaint(checkout.run())
    assert said.startswith("the environment cannot be made: ") and told in said
    assert len(checkout.pip_calls) == tries, "the ranges are tried where the pins may be at fault"
    log = checkout.venv / "setup-suite.log"
    assert said.endswith(f"Log: {log}") and line in log.read_text()


def test_offline_without_packages_says_that_no_index_was_asked(checkout) -> None:
    checkout.pip('echo "ERROR: No matching distribution found for torch>=2.3" >&2; exit 1')
    assert "(--offline: no index was asked): no torch>=2.3 for Python" in complaint(checkout.run("--offline"))


def test_an_index_that_cannot_be_reached(with_real_pip) -> None:
    told = complaint(with_real_pip.run(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1"))
    assert told.startswith("the environment cannot be made: the package index cannot be reached")
