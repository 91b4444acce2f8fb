"""A call in a process of its own: whatever code under test does, it ends that process alone.

This keeps mistakes apart. It is no defence against an author who means to deceive.
"""

import ctypes
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TAIL = 4000
"""How many of the last characters that a process prints are kept."""
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)")


class Ended(Exception):
    """A process that ended, or was ended, before it had a result: how, and the end of what it
    printed.
    """


def in_process(function: Callable[..., Any], *given: Any, seconds: float) -> tuple[Any, str]:
    """Return what `function(*given)` returns, as JSON has it, and the end of what the process
    printed.

    On Linux the process is forked, so that what is imported here is imported there. Processes that
    the function leaves end with it. Raises Ended where it has no result after `seconds`.
    """
    context: Any = get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    with TemporaryDirectory() as folder, receiver:
        printed = Path(folder, "printed")
        child = context.Process(target=_child, args=(sender, printed, function, given))
        child.start()
        sender.close()
        try:
            came = wait([receiver, child.sentinel], seconds)
            with suppress(EOFError, OSError, ValueError):
                if receiver.poll():
                    return json.loads(receiver.recv_bytes()), _read(printed)
            if came:
                child.join(1)
        finally:
            if hasattr(os, "killpg"):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid or 0, signal.SIGKILL)
            child.kill()
            child.join()
        code, said = child.exitcode or 0, _read(printed)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    if came:
        raise Ended(f"its process ended {how}, without a report", said)
    raise Ended(f"no report after {seconds:g} s: state more with --timeout", said)


def _child(
    sender: Connection, printed: Path, function: Callable[..., Any], given: tuple[Any, ...]
) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
    # the death of the process that asks, however it ends, ends this one
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    output = printed.open("w", buffering=1, encoding="utf-8", errors="replace")
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    sys.stdout = sys.stderr = output
    import torch

    torch.set_num_threads(1)  # the pool of threads of the process that was forked is not here
    sender.send_bytes(json.dumps(function(*given)).encode())


def _read(printed: Path) -> str:
    with suppress(OSError), printed.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
        return clean(file.read().decode(errors="replace")).strip()
    return ""


def clean(text: str) -> str:
    """Return a text without escape codes and control characters, but for ends of lines and tabs."""
    return "".join(each for each in _ESCAPES.sub("", text) if each.isprintable() or each in "\n\t")


@contextmanager
def silent() -> Iterator[None]:
    """Keep what code prints here, by whatever way, from standard output and standard error."""
    sys.stdout.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        try:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            for stream, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)
