"""Snakemake as a child that ends with its driver, however that dies: `python -m verdicts.run.snakemake`.

Left alone, it would go on submitting jobs for a run that nobody watches.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PARENT = "VERDICTS_DRIVER"
SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies; end it if `parent` is dead already. Linux alone has it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the driver has ended")


def main(arguments: Sequence[str]) -> None:
    """Hand the arguments to Snakemake, which exits."""
    die_with(int(os.environ.pop(PARENT)))
    from snakemake.cli import main as snakemake

    snakemake(list(arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
