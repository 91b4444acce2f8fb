"""What is installed into the environment that is made, from which files, and what becomes of one
that is not right.

What goes wrong on other people's machines ends in one clear line and exit code 2, or is got round.
A pinned release is installed from a file that the lock lists, or the set-up stops.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shell.conftest import INSTALL

pytestmark = pytest.mark.shell


def made(checkout, *arguments: str, **variables: str):
    """Make the environment by a first run, and see that it went well."""
    done = checkout.run(*arguments, **variables)
    assert done.code == 0 and (checkout.venv / ".ams-suite").exists()
    return done


def extras(done) -> list[str]:
    """Return the extras that a run has installed, or tried to, in its order."""
    head = "pip: installing the extra "
    return [
        line.removeprefix(head).split()[0]
        for line in done.err.splitlines()
        if line.startswith(head)
    ]


def test_a_virtual_environment_is_made_once(checkout) -> None:
    checkout.variables["PYTHONDONTWRITEBYTECODE"] = "1"
    first = made(checkout)
    assert first.child["PYTHONDONTWRITEBYTECODE"] is None, (
        "its modules are compiled once, not by each process"
    )
    assert (
        f"environment: making {checkout.venv}, since {checkout.bin}/python3 lacks pip" in first.err
    )
    assert (checkout.venv / "finished").exists()
    (call,) = checkout.pip_calls
    assert (
        f"-c {checkout.root}/constraints.txt" in call
        and f"-r {checkout.venv}/requirements.txt" in call
    )
    assert "--no-index" not in call and "extra-index" not in call
    second = checkout.run(PATH=f"{checkout.venv}/bin:{checkout.bin}")
    assert (second.err, len(checkout.pip_calls)) == ("", 1), "also where it is active"
    assert first.child["python"] == second.child["python"] == str(checkout.venv / "bin/python")


@pytest.mark.parametrize(
    ("words", "added"),
    [
        (["--profile=quick"], ["molecules"]),
        ([], ["molecules", "conformance", "k-diffusion"]),
        (["--profile", "full"], ["molecules", "conformance", "survey", "k-diffusion"]),
        (["--profile", "paper", "--cluster", "slurm"], ["molecules", "paper"]),
        (["bench"], ["bench", "molecules", "k-diffusion"]),
        (["docs"], ["docs", "molecules"]),
        (["certify"], ["test", "molecules"]),
        (["test"], ["test", "molecules"]),
    ],
)
def test_each_command_and_profile_has_its_extras(
    checkout, words: list[str], added: list[str]
) -> None:
    lacking = "molecules conformance survey k-diffusion paper"
    assert extras(checkout.run(*words, LACKING=lacking)) == ["suite", *added]
    assert [("--no-deps" in call) for call in checkout.pip_calls[1:]] == [
        name == "k-diffusion" for name in added
    ]
    if "full" in words:
        assert extras(checkout.run(*words, LACKING=lacking)) == [], "they are there"


def test_the_default_profile_has_what_a_gpu_needs(checkout) -> None:
    checkout.stub("nvidia-smi", "exit 0")
    assert extras(checkout.run(LACKING="paper")) == ["suite", "paper"]
    assert extras(checkout.run("test", LACKING="paper")) == ["test"]


def test_without_an_optional_extra_the_rest_runs(checkout) -> None:
    lacking = "echo ERROR: No matching distribution found for rdkit==1"
    checkout.pip(f'grep -q rdkit "$place/requirements.txt" && {lacking} && exit 1; {INSTALL}')
    for _ in range(2):
        done = checkout.run(LACKING="molecules")
        assert done.code == 0
        assert (
            "the extra molecules cannot be had here, so rows that need it are not run: no rdkit==1"
            in done.err
        )


def test_without_the_extra_test_there_are_no_tests_and_the_environment_stays(checkout) -> None:
    checkout.pip(f'grep -q pytest "$place/requirements.txt" && exit 1; {INSTALL}')
    made(checkout)
    done = checkout.run("test")
    assert done.code == 2 and done.err.endswith(f"Log: {checkout.venv}/setup-test.log\n")
    assert checkout.run().err == ""


@pytest.mark.parametrize("fault", ["other pins", "unfinished", "python is gone", "lacks", "moved"])
def test_one_that_is_not_right_is_made_anew(checkout, fault: str) -> None:
    made(checkout)
    (checkout.venv / "leftover").touch()
    if fault == "other pins":
        with (checkout.root / "constraints.txt").open("a") as file:
            file.write("# another\n")
    elif fault == "unfinished":
        (checkout.venv / ".ams-suite").unlink()
    elif fault == "python is gone":
        (checkout.venv / "bin/python").unlink()
    elif fault == "lacks":
        (checkout.venv / "installed").write_text("numpy")
    else:
        checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "environment: making" in made(checkout).err and not (checkout.venv / "leftover").exists()


@pytest.mark.parametrize("extra", ["suite", "paper"])
def test_two_at_once_make_it_once(checkout, extra: str) -> None:
    checkout.pip(f"sleep 0.5; {INSTALL}")
    if extra == "paper":
        made(checkout)
    calls = len(checkout.pip_calls)
    environment = checkout.environment(LACKING=extra)
    command, streams = (
        checkout.command("--profile", "paper"),
        {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE},
    )
    running = [subprocess.Popen(command, env=environment, **streams) for _ in range(2)]
    ends = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert len(checkout.pip_calls) == calls + 1
    assert sum(b"another run is at work" in err for err in ends) == 1


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGTERM, 5), (signal.SIGKILL, 1)])
def test_a_killed_setup_is_not_taken_for_complete(
    checkout, number: signal.Signals, seconds: int
) -> None:
    """A signal that can be caught ends pip and what it started as well."""
    pids = checkout.root / "pids"
    checkout.pip(
        f"[ -e {pids} ] || {{ sleep {seconds} & echo $$ $! >{pids}_; cp {pids}_ "
        f"{pids}; wait; }}; {INSTALL}"
    )
    process = subprocess.Popen(
        checkout.command(), env=checkout.environment(), stderr=subprocess.DEVNULL
    )
    while not pids.exists():
        time.sleep(0.02)
    os.kill(process.pid, number)
    assert process.wait() == (-9 if number == signal.SIGKILL else 130)
    until = time.monotonic() + 3  # before the sleep ends by itself
    while number == signal.SIGTERM and any(alive(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not (checkout.venv / ".ams-suite").exists()
    assert "environment: making" in made(checkout).err and len(checkout.pip_calls) == 2


def test_torchs_own_index_is_asked_for_torch_alone(checkout) -> None:
    made(checkout, CPU_INDEX="https://cpu")
    first, second = checkout.pip_calls
    assert "--index-url https://cpu" in first and "--no-deps" in first and "torch.txt" in first
    assert (checkout.venv / "torch.txt").read_text() == "torch>=2.6\n"
    assert "https://cpu" not in second and "requirements.txt" in second
    checkout.run("bench", LACKING="bench", CPU_INDEX="https://cpu")
    third, fourth = checkout.pip_calls[2:]
    assert "--index-url https://cpu" in third and "--no-deps" not in third, (
        "torchvision's build is that of torch's"
    )
    assert (checkout.venv / "torch.txt").read_text() == "torch>=2.6\ntorchvision>=0.15\n"
    assert "https://cpu" not in fourth
    checkout.run(
        "--profile", "paper", "--cluster", "slurm", LACKING="paper", CPU_INDEX="https://cpu"
    )
    assert "https://cpu" not in checkout.pip_calls[4], (
        "the nodes have the GPU that this machine lacks"
    )


def test_another_package_from_torchs_index_stops_the_set_up(checkout) -> None:
    another = reported("rich-plus", "1.0", "rich_plus-1.0-py3-none-any.whl", "0" * 64)
    told = complaint(checkout.run(PIP_REPORT=another, CPU_INDEX="https://cpu"))
    assert "torch's index gave rich-plus 1.0, and may serve torch and torchvision alone" in told
    assert not (checkout.venv / ".ams-suite").exists()


def test_wheels_alone_are_installed(checkout) -> None:
    made(checkout, "--profile", "quick")
    assert all("--only-binary :all:" in call for call in checkout.pip_calls)


UNMET = "ERROR: No matching distribution found for rich==15.0.0"
WITHHELD = "ERROR: ResolutionImpossible\n  The user requested (constraint) rich==15.0.0"


@pytest.mark.parametrize("log", [UNMET, WITHHELD])
def test_a_pin_that_is_withheld_is_named_and_ends_the_set_up_unless_ranges_are_asked_for(
    checkout, log: str
) -> None:
    checkout.pip(f"case \"$*\" in *constraints.txt*) printf '{log}' >&2; exit 1 ;; esac; {INSTALL}")
    told = complaint(checkout.run())
    assert "no rich==15.0.0 for Python 3." in told and len(checkout.pip_calls) == 1
    assert ("AMS_RANGES=1" in told) is (log == WITHHELD)
    asked = made(checkout, AMS_RANGES="1")
    assert "any release in the ranges of pyproject.toml is taken, as AMS_RANGES asks" in asked.err
    assert "constraints.txt" not in checkout.pip_calls[1]
    assert checkout.run(AMS_RANGES="1").err == ""
    assert "no rich==15.0.0" in complaint(checkout.run()), (
        "without the word, an environment of ranges is not used"
    )


def test_offline_asks_no_index(checkout) -> None:
    done = made(checkout, "--offline")
    assert (done.child["arguments"], done.child["AMS_OFFLINE"]) == (["reproduce"], "1")
    assert "--no-index" in checkout.pip_calls[0]


NO_ENSUREPIP = (
    'echo "The virtual environment was not created successfully because '
    'ensurepip is not available."; exit 1'
)


def complaint(done) -> str:
    """The last line of a run that ended with exit code 2, which must be the script's own."""
    assert done.code == 2
    last = done.err.splitlines()[-1]
    assert last.startswith("reproduce.sh: ")
    return last.removeprefix("reproduce.sh: ")


@pytest.mark.parametrize("there", ["an old one", "none", "one that answers anything"])
def test_without_a_python_that_serves_the_command_of_conda_is_named(checkout, there: str) -> None:
    (checkout.bin / "python3").unlink()
    if there == "an old one":
        checkout.old_python()
    elif there != "none":
        checkout.stub("python3", "echo Python 3.8.10")
    told = complaint(checkout.run())
    assert told.startswith(
        "no Python of 3.11 or later on PATH: install one, or make an environment with conda"
    )
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


READ_ONLY = (
    "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: 'x'"
)
CONFLICT = "ERROR: ResolutionImpossible: for help visit"


@pytest.mark.parametrize(
    ("line", "told"), [(READ_ONLY, "cannot be written"), (CONFLICT, "the requirements conflict")]
)
def test_pip_failures_are_explained(checkout, line: str, told: str) -> None:
    checkout.pip(f'echo "{line}" >&2; exit 1')
    said = complaint(checkout.run())
    assert said.startswith("the environment cannot be made: ") and told in said
    assert len(checkout.pip_calls) == 1
    log = checkout.venv / "setup-suite.log"
    assert said.endswith(f"Log: {log}") and line in log.read_text()


def test_offline_without_packages_says_that_no_index_was_asked(checkout) -> None:
    checkout.pip('echo "ERROR: No matching distribution found for torch>=2.3" >&2; exit 1')
    assert "(--offline: no index was asked): no torch>=2.3 for Python" in complaint(
        checkout.run("--offline")
    )


def test_an_index_that_cannot_be_reached(with_real_pip) -> None:
    told = complaint(with_real_pip.run(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1"))
    assert told.startswith("the environment cannot be made: the package index cannot be reached")


def reported(name: str, version: str, file: str, sha256: str) -> str:
    """What pip reports of one installed file."""
    place = {"url": f"https://index/{file}", "archive_info": {"hash": f"sha256={sha256}"}}
    return json.dumps(
        {"install": [{"metadata": {"name": name, "version": version}, "download_info": place}]}
    )


ALTERED = reported("rich", "15.0.0", "rich-15.0.0-py3-none-any.whl", "0" * 64)


def test_a_pinned_release_from_another_file_stops_the_set_up(checkout) -> None:
    said = complaint(checkout.run(PIP_REPORT=ALTERED))
    assert said.startswith(
        "the environment is not used, since a file is not the one that was pinned: rich 15.0.0: "
    )
    assert (
        "ranges" not in said
        and len(checkout.pip_calls) == 1
        and not (checkout.venv / ".ams-suite").exists()
    )
    assert checkout.run().code == 0 and len(checkout.pip_calls) == 2  # made anew


def test_an_extra_from_another_file_stops_the_run(checkout) -> None:
    assert checkout.run().code == 0
    assert "rich 15.0.0" in complaint(
        checkout.run("--profile", "paper", PIP_REPORT=ALTERED, LACKING="paper")
    )
    assert not (checkout.venv / ".ams-suite").exists()
