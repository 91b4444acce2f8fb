"""How fast a machine is: a fixed piece of work, timed.

As a program it does that work for a while and prints what it took each time, by the clock; several
at once show what the cores of a machine are worth while all of them are at work.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 3
WHILE = 0.6
"""Seconds for which the program works: long enough that several, begun at once, overlap."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def _piece() -> None:
    import numpy as np

    matrix = np.full((200, 200), 0.5)
    sum(n * n for n in range(500_000))
    for _ in range(20):
        np.linalg.eigvalsh(matrix @ matrix)


def calibrated() -> float:
    """Return the CPU seconds of the piece of work, the least of a few, in a second or so."""
    taken = []
    for _ in range(REPEATS):
        begin = time.process_time()
        _piece()
        taken.append(time.process_time() - begin)
    return round(min(taken), 4)


def clocked(jobs: int) -> float:
    """Return the seconds by the clock that the piece takes each of `jobs` processes that do it at
    once.

    CPU seconds are blind to what keeps a run of as many jobs waiting: other programs, a quota, a
    core that is two in name. A process that fails counts for nothing; where all do, the CPU seconds
    of this one stand for them.
    """
    command, environment = [sys.executable, str(Path(__file__))], os.environ | ONE_THREAD
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(jobs)
    ]
    printed = [process.communicate()[0] for process in started]
    taken = [
        float(text)
        for text, process in zip(printed, started, strict=True)
        if process.returncode == 0
    ]
    return sum(taken) / len(taken) if taken else calibrated()


def main() -> None:
    """Do the piece of work for a while, and print its mean time."""
    _piece()  # the first imports what it needs
    begin, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begin) < WHILE or not count:
        _piece()
        count += 1
    sys.stdout.write(f"{elapsed / count}\n")


if __name__ == "__main__":
    main()
