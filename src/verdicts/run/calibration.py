"""How fast a machine is: a fixed piece of work, timed."""

import time

REPEATS = 3


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
