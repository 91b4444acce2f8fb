"""Clocks that are wrong, and that jump while a run is in progress."""

import time
from collections.abc import Iterator
from itertools import product
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.injection import Injection
from ams_suite.tools.faults.subject import Start

DAY = 86400.0
MOVES = {
    "a minute ahead": 60.0,
    "ten years ahead": 3652 * DAY,
    "an hour behind": -3600.0,
    "in 1970": DAY - time.time(),
}
"""Seconds by which a clock is moved."""
READINGS = 24  # of the clock, in a run of the small suite


@fault("The clock is wrong by a minute to decades for one run, then right again; and the other way round.", 0)
def wrong_clock(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """What was made with it is never taken for what a later run made."""
    truth = bench.quick
    for (name, seconds), first in product(MOVES.items(), (True, False)):
        out, moved = truth.place(), Start(Injection(seconds=seconds))
        one, two = (moved, Start()) if first else (Start(), moved)
        done = truth.subject.run(out, one)
        again = truth.subject.run(out, two)
        broken = [*truth.after(out, done, {truth.code}), *truth.after(out, again, {truth.code})]
        yield Try(f"{name}, {'first' if first else 'second'} run", again.code, (*broken, *truth.mended(out)))


@fault("The clock jumps (a minute to decades, both ways) between two of its readings in a run.", 24)
def jumping_clock(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The verdicts and values are those that they are."""
    truth = bench.quick
    for number in range(tries):
        name, seconds = list(MOVES.items())[number % len(MOVES)]
        out, reading = truth.place(), moments.randrange(1, READINGS)
        done = truth.subject.run(out, Start(Injection(seconds=seconds, reading=reading)))
        broken = truth.after(out, done, {truth.code, 3})
        yield Try(f"{name} from reading {reading} on", done.code, (*broken, *truth.mended(out)))
