"""What surrounds a run changes nothing: variables, locale, encoding, hash seed, umask, Python's flags, another run."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verdicts.toy import Toy, with_study
from tools.faults.requirements import OF_THE_RUN, files_of

pytestmark = pytest.mark.slow
WORDS = ("-m", "ams_suite", "reproduce", "--jobs", "2", "--profile")
# Each run has as many of them at once as do not hide one another
SURROUNDINGS: dict[str, tuple[dict[str, str | None], int, tuple[str, ...]]] = {
    "nothing is known of the user": (
        {"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "0"},
        0o000,
        ("-O",),
    ),
    "no folder can be written": (
        {"HOME": "/proc", "TMPDIR": "/nowhere", "LC_ALL": "xx_YY.nonsense", "PYTHONIOENCODING": "ascii"},
        0o027,
        ("-B", "-u"),
    ),
    "home is a file": (
        {"HOME": "/etc/passwd", "USER": None, "LOGNAME": None, "PATH": "", "LC_ALL": "C", "PYTHONHASHSEED": "4321"},
        0o077,
        ("-X", "dev", "-X", "utf8=0"),
    ),
    "names of what is not there": (
        {"MPLBACKEND": "gone", "SNAKEMAKE_PROFILE": "gone", "TZ": "Nowhere/None", "TERM": "dumb", "COLUMNS": "1"}
        | {"PYTHONIOENCODING": "utf-16"},
        0o022,
        (),
    ),
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = with_study(tmp_path_factory.mktemp("toy"))
    for profile in ("quick", "cpu"):
        ran(toy, "undisturbed", profile=profile)
    return toy


def start(toy: Toy, out: str, *flags: str, profile="cpu", variables=None, before=lambda: None) -> subprocess.Popen:
    environment = {name: value for name, value in (toy.environment() | (variables or {})).items() if value is not None}
    command = [sys.executable, *flags, *WORDS, profile, "--out", out]
    return subprocess.Popen(
        command, cwd=toy.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=before
    )


def ran(toy: Toy, out: str, *flags: str, **more) -> None:
    run = start(toy, out, *flags, **more)
    said = run.communicate()[1]
    assert run.returncode == 0 and b"Traceback" not in said, said


def results(toy: Toy, out: str, profile: str = "cpu") -> dict[str, object]:
    files = files_of(toy.root / out, profile)
    return {name: content for name, content in files.items() if not OF_THE_RUN.fullmatch(name)}


@pytest.mark.parametrize(("variables", "mask", "flags"), SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_whatever_variables_umask_and_flags_are(toy: Toy, tmp_path: Path, variables, mask, flags) -> None:
    ran(toy, str(tmp_path), *flags, variables=variables, before=lambda: os.umask(mask))
    assert results(toy, str(tmp_path)) == results(toy, "undisturbed")


@pytest.mark.parametrize(
    ("kind", "limit"), [(resource.RLIMIT_NOFILE, 24), (resource.RLIMIT_CPU, 1), (resource.RLIMIT_STACK, 256 << 10)]
)
def test_what_a_limit_keeps_from_ending_the_next_run_goes_on_with(toy: Toy, tmp_path: Path, kind, limit) -> None:
    limited = lambda: resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))  # noqa: E731
    run = start(toy, str(tmp_path), before=limited)
    said = run.communicate()[1]
    assert run.returncode in (0, 2, 3, -24, -9), said
    assert b"Traceback" not in said
    ran(toy, str(tmp_path))
    assert results(toy, str(tmp_path)) == results(toy, "undisturbed")


def test_two_profiles_that_share_cells_run_at_once_in_one_folder(toy: Toy, tmp_path: Path) -> None:
    runs = [start(toy, str(tmp_path), profile=profile) for profile in ("quick", "cpu")]
    assert [(run.communicate(), run.returncode)[1] for run in runs] == [0, 0]
    for profile in ("quick", "cpu"):
        assert results(toy, str(tmp_path), profile) == results(toy, "undisturbed", profile)
