"""Clocks that are wrong, and that jump while a run is in progress."""

import time
from collections.abc import Iterator
from random import Random

from tools.faults.fault import Attempt, Undisturbed, fault
from tools.faults.injection import Injection

DAY = 86400.0
MOVES = (60.0, 3652 * DAY, -3600.0, DAY - time.time())
"""Seconds by which a clock is moved: a minute or ten years ahead, an hour behind, to 1970."""
READINGS = 24  # of the clock, in a run of the small suite


@fault("The clock of a run is wrong, by a minute to decades, from its start or from one of its readings on.", 24)
def wrong_clock(suite: Undisturbed, moments: Random, tries: int) -> Iterator[Attempt]:
    """No verdict and no value is another, in that run or in the next, whose clock is right; then the other way round.

    Which run made a result is known by the run's id, so that no time of day makes an older one look current.
    """
    reference = suite.quick
    for number in range(tries):
        seconds, reading = MOVES[number % len(MOVES)], moments.choice((0, moments.randrange(1, READINGS)))
        out = reference.place()
        first = number // len(MOVES) % 2 == 0
        turns = (Injection(seconds=seconds, reading=reading), Injection())[:: 1 if first else -1]
        ends = [reference.suite.run(out, injection) for injection in turns]
        broken = [line for done in ends for line in reference.after(out, done, {reference.code, 3})]
        case = f"{seconds:+.0f} s from reading {reading} on, in the {'first' if first else 'second'} run"
        yield Attempt(case, ends[-1].code, (*broken, *reference.mended(out)))
