"""Proofs of P2's, B1's and B2's numbers: annealed runs on the stiff Gaussian in ball arithmetic, at
deciding budgets.

A speed-up at a budget is proved by three runs: annealed Langevin's error is above adaptive
momentum's at one of its budgets, and not at the next. Which budgets those are, and that no smaller
budget is enough, says the exact law in float64. So a number of the curve is proved at the budgets
that decide it, which the query's detail names.
"""

from functools import lru_cache
from typing import Any

from ams.enclosures import BITS, Ball, BallLaw, Undecided, ball, lifted, lifted_level, precision
from ams.enclosures.mean_field import run_mean_field
from ams.samplers import adaptive, momentum_rule
from ams.samplers.presets import DEFAULT, SPECS
from ams_suite import queries
from ams_suite.enclosed import proved, proved_between
from analysis.annealed.gaussian import SIGMAS, at_last_level
from analysis.annealed.settings import BASELINE, PAPER, Settings
from analysis.targets import stiff_gaussian
from verdicts import Measurement
from verdicts.studies.table import RunTable

NORM_BITS = 56


def bits_for(budget: int) -> int:
    """Return the precision of a run, whose bounds may grow by a tenth of a bit a step."""
    return BITS + budget // 8


@lru_cache(maxsize=64)
def errors(sampler: str, budget: int) -> dict[str, Ball]:
    """Return KL and W2 of an annealed sampler's run at the defaults, by the names of their
    columns.
    """
    with precision(bits_for(budget)):
        law, program = (
            BallLaw(stiff_gaussian(), NORM_BITS),
            SPECS[sampler].build(SIGMAS, budget, DEFAULT),
        )
        start = law.start(0.0, SIGMAS.first**2)
        if sampler == PAPER:
            rule, levels = (
                momentum_rule(adaptive(ball(DEFAULT.delta))),
                [lifted_level(level) for _, level in program],
            )
            *_, end = run_mean_field(law, rule, levels, start)
            moments = end.moments()
        else:
            moments = law.moments(law.end(lifted(program), start)[0].x)
        target = BallLaw(at_last_level())
        return {"kl": target.kl(*moments), "w2": target.w2(*moments)}


def prove(table: RunTable, number: str, budget: int, low: float, high: float) -> None:
    """Raise Undecided unless balls show the speed-up at a budget, between two budgets of
    annealed Langevin.
    """
    budgets = table.choices("budget", sampler=BASELINE)
    enough = round(high * budget) if high < queries.UNREACHED else None
    before = max((each for each in budgets if enough is None or each < enough), default=None)
    error = errors(PAPER, budget)[number]
    if before is not None and not errors(BASELINE, before)[number] > error:
        raise Undecided(f"{number}: {before} evaluations may be enough for the error at {budget}")
    if enough is not None and errors(BASELINE, enough)[number] > error:
        raise Undecided(f"{number}: {enough} evaluations are not enough for the error at {budget}")


def speed_up(
    measured: Measurement, table: RunTable, settings: Settings, number: str = "", **asked: Any
) -> Measurement | None:
    """Prove a number of the curve of speed-ups at the defaults by those at the budgets that
    decide it.
    """
    number, decisive = str(measured.detail.get("number", number)), _decisive(measured)
    if max(decisive) > settings.enclosed:
        return None
    for budget in decisive:
        point = queries.speed_up(table, number, asked["sampler"], budget, asked["spacing"])
        prove(table, number, budget, *point.interval)
    return proved_between(*measured.interval, bits_for(decisive[-1]), proved_at=decisive)


def _decisive(measured: Measurement) -> list[int]:
    """Return the budgets, ascending, that decide a query's number, as its detail has them."""
    at: Any = measured.detail["budget"]
    return [at] if isinstance(at, int) else sorted(at)


def kl(
    measured: Measurement,
    settings: Settings,
    budget: int = 0,
    **asked: Any,
) -> Measurement | None:
    """Prove adaptive momentum's KL at a budget, by default that at which it is least."""
    budget = budget or _decisive(measured)[0]
    if budget > settings.enclosed:
        return None
    return proved(errors(PAPER, budget)["kl"], bits_for(budget))


def budget_of_least_kl(
    measured: Measurement,
    settings: Settings,
    **asked: Any,
) -> Measurement | None:
    """Prove that adaptive momentum's KL is less at a budget than at those before and after."""
    (least,) = _decisive(measured)
    if least > settings.enclosed:
        return None
    before, after = least - DEFAULT.repeats, least + DEFAULT.repeats
    if any(errors(PAPER, each)["kl"] < errors(PAPER, least)["kl"] for each in (before, after)):
        raise Undecided(f"the least KL is not at {least} evaluations")
    return proved_between(least, least, bits_for(least), proved_at=[before, least, after])


def kl_ratio(measured: Measurement, settings: Settings, **asked: Any) -> Measurement | None:
    """Prove the ratio of annealed Langevin's KL at the two neighbouring budgets at which it is
    largest.
    """
    if not settings.enclosed:
        return None
    before, after = _decisive(measured)
    ratio = errors(BASELINE, after)["kl"] / errors(BASELINE, before)["kl"]
    return proved(ratio, bits_for(after), proved_at=[before, after])
