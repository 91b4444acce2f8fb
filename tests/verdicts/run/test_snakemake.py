"""Snakemake as the driver's child, and the Snakefile that it reads."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.verdicts.run.test_runner_faults import wait_for
from tests.verdicts.toy import Toy
from verdicts.run.slurm import PARENT, die_with

DRIVER = """
import os, subprocess, sys
from verdicts.run.slurm import PARENT
command = [sys.executable, "-c", "import os, time; from verdicts.run.slurm import die_with; "
           f"die_with(int(os.environ['{PARENT}'])); print(os.getpid(), flush=True); time.sleep(60)"]
subprocess.run(command, env=os.environ | {PARENT: str(os.getpid())})
"""


def test_the_snakefile_is_not_for_use_by_hand(tmp_path):
    done = Toy.make(tmp_path).python("-m", "snakemake", "--cores", "1")
    assert done.returncode != 0
    assert "not for use by hand: bash reproduce.sh --cluster slurm --profile PROFILE" in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="another system's kernel does not end children")
def test_the_child_ends_with_its_driver(tmp_path):
    streams = {"stdout": subprocess.PIPE, "text": True, "env": Toy(tmp_path, "").environment()}
    with subprocess.Popen([sys.executable, "-c", DRIVER], **streams) as driver:
        child = psutil.Process(int(driver.stdout.readline()))
        driver.send_signal(signal.SIGKILL)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_child_whose_driver_has_gone_does_not_begin():
    with pytest.raises(SystemExit, match="the driver has ended"):
        die_with(-1)
    assert PARENT not in os.environ
