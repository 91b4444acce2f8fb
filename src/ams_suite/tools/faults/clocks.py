"""Clocks that are wrong, and that jump while a run is in progress."""

import time
from collections.abc import Iterator
from itertools import product
from random import Random

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.injection import Injection
from ams_suite.tools.faults.suite import Start

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
    """Which run made a result is known by the run's id, so that no time of day makes an older one look current."""
    reference = bench.quick
    for (name, seconds), first in product(MOVES.items(), (True, False)):
        out, moved = reference.place(), Start(Injection(seconds=seconds))
        one, two = (moved, Start()) if first else (Start(), moved)
        done = reference.suite.run(out, one)
        again = reference.suite.run(out, two)
        broken = [*reference.after(out, done, {reference.code}), *reference.after(out, again, {reference.code})]
        yield Try(f"{name}, {'first' if first else 'second'} run", again.code, (*broken, *reference.mended(out)))


@fault("The clock jumps (a minute to decades, both ways) between two of its readings in a run.", 24)
def jumping_clock(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """A jump changes no verdict and no value."""
    reference = bench.quick
    for number in range(tries):
        name, seconds = list(MOVES.items())[number % len(MOVES)]
        out, reading = reference.place(), moments.randrange(1, READINGS)
        done = reference.suite.run(out, Start(Injection(seconds=seconds, reading=reading)))
        broken = reference.after(out, done, {reference.code, 3})
        yield Try(f"{name} from reading {reading} on", done.code, (*broken, *reference.mended(out)))
