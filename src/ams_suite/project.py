"""What the engine is told of this suite: its data, its devices, its command."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from ams.data.registry import registered
from verdicts.records.workspace import Project


def accelerator() -> str | None:
    """Return the name of the CUDA device that torch finds, None where there is none.

    torch is imported only where there is a driver, so that a no is quick.
    """
    if not (
        Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or shutil.which("nvidia-smi")
    ):
        return None
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def threads() -> int:
    """Return how many threads torch uses; before it is imported, the number of cores."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else os.cpu_count() or 1


def instructions() -> str:
    """Return the instruction set that torch uses; before it is imported, none."""
    torch = sys.modules.get("torch")
    return str(torch.backends.cpu.get_cpu_capability()) if torch else ""


def use_threads(count: int) -> None:
    """Let this process compute with so many threads, whatever the environment said when torch
    was imported.
    """
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
    with suppress(ImportError):
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        threadpool_limits(count)


PROJECT = Project(
    registered=registered,
    accelerator=accelerator,
    threads=threads,
    use_threads=use_threads,
    instructions=instructions,
    packages=("torch", "numpy", "scipy", "sympy", "scikit-learn", "matplotlib"),
    numerics=("torch",),
    place="ams_suite.project:PROJECT",
    command="ams",
)
