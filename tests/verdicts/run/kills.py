"""Kill the profile `quick` at random.

    python -m tests.verdicts.run.kills [--times N] [--mean S] [--seed N] [--only ID ...]

An undisturbed run comes first. Then the same run is killed (SIGKILL, the whole process group) after an exponentially
distributed time (of `--mean` seconds, else a quarter of the undisturbed run's), checked and started again, until it
ends; and again from nothing, until there were as many kills as asked for. After each kill no record may be damaged:
every fault found is one of work not yet done. Each run that ends must have the undisturbed ledger, but for time
fields. Exit code 1, with the difference named, where it has not.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro

from ams_suite.project import PROJECT
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace, find_root
from verdicts.run.publish import faults

TIME_FIELDS = frozenset({"started", "seconds", "peak_mib", "computed"})
NOT_DONE = ("no record", "missing")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""As `reproduce.sh` sets them: on a busy machine threads that wait for one another take several times as long."""


def timeless(value: Any) -> Any:
    """Drop what may differ between two runs of the same work."""
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name not in TIME_FIELDS}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def ledger(out: Path, profile: str = Profile.QUICK) -> Any:
    """Return the ledger of a folder of results, without times."""
    return timeless(json.loads((out / profile / "ledger.json").read_text(encoding="utf-8")))


class Kills:
    """A repository's quick profile, run into `folder`; `seed` fixes the moments."""

    def __init__(self, root: Path, folder: Path, only: Sequence[str], seed: int) -> None:
        self.root, self.folder, self.only = root, folder, only
        self.moments = random.Random(seed)

    def start(self, out: Path) -> subprocess.Popen[bytes]:
        """Start a run as the leader of a process group of its own."""
        command = [sys.executable, "-m", "ams_suite", "reproduce", "--profile", "quick", "--out", str(out)]
        command += ["--only", *self.only] if self.only else []
        return subprocess.Popen(
            command, cwd=self.root, env=ONE_THREAD | os.environ, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def undisturbed(self) -> tuple[Any, float, int]:
        """Return the ledger, the seconds and the exit code of a run that nothing disturbs."""
        begin = time.monotonic()
        code = self.start(self.folder / "undisturbed").wait()
        return ledger(self.folder / "undisturbed"), time.monotonic() - begin, code

    def killed(self, out: Path, mean: float) -> bool:
        """Kill a run after an exponential time of this mean; return whether it was still at work."""
        run = self.start(out)
        try:
            run.wait(self.moments.expovariate(1.0 / mean))
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            return True
        return False

    def damaged(self, out: Path) -> list[str]:
        """Return the results that a kill has spoilt: what is not current for another reason than not being done."""
        workspace = Workspace.open(self.root, Profile.QUICK, out, PROJECT)
        found = faults(workspace, tuple(self.only))
        return [f"{name}: {reason}" for name, reason in found if not any(word in reason for word in NOT_DONE)]


def kill(root: Path, folder: Path, times: int, only: Sequence[str], seed: int, mean: float | None = None) -> list[str]:
    """Kill `times` times, after `mean` seconds on average; return what went wrong, a line each."""
    kills = Kills(root, folder, only, seed)
    expected, seconds, code = kills.undisturbed()
    mean = mean or seconds / 4
    print(f"undisturbed: {seconds:.1f} s, exit code {code}; kills after {mean:.1f} s on average", flush=True)
    wrong, done, runs = [], 0, 0
    while done < times:
        out = folder / f"run{runs}"
        while done < times and kills.killed(out, mean):
            done += 1
            spoilt = kills.damaged(out)
            print(f"kill {done} of {times}, run {runs}: {len(spoilt)} results damaged", flush=True)
            wrong += spoilt
        if kills.start(out).wait() != code or ledger(out) != expected:
            wrong.append(f"run {runs}: another exit code or ledger than undisturbed, in {out}")
        runs += 1
        if not wrong:
            shutil.rmtree(out)
    print(f"{done} kills in {runs} runs: {len(wrong)} faults", flush=True)
    return wrong


def main(times: int = 20, mean: float | None = None, seed: int = 0, only: tuple[str, ...] = ()) -> int:
    """Kill the profile `quick` at random; return 0 where nothing was lost and nothing is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="kills"))
    print(f"results in {folder}", flush=True)
    wrong = kill(find_root(Path.cwd()), folder, times, only, seed, mean)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
