"""Proofs of P2's, B1's and B2's numbers: annealed runs on the stiff Gaussian in ball arithmetic, at
deciding budgets.

A speed-up at a budget is proved by three runs: annealed Langevin's error is above adaptive
momentum's at one of its budgets, and not at the next. Which budgets those are, and that no smaller
budget is enough, says the exact law in float64. So a feature of the curve is proved at its own
budget and, where it is an end, at the budget before or after.
"""

from functools import lru_cache
from itertools import pairwise

from ams.enclosures import BITS, Ball, BallLaw, Undecided, ball, lifted, lifted_level, precision
from ams.enclosures.mean_field import run_mean_field
from ams.samplers import adaptive, momentum_rule
from ams.samplers.presets import DEFAULT, SPECS
from ams_suite.enclosed import proved, proved_between
from analysis.annealed import checks
from analysis.annealed.gaussian import SIGMAS, at_last_level
from analysis.annealed.nfe_to_threshold import KL, W2, Criterion, SpeedUp, curve, speed_ups
from analysis.annealed.settings import BASELINE, PAPER, Settings
from analysis.targets import stiff_gaussian
from verdicts import Measurement

ENDS = {
    "first of at least 2": -1,
    "last of at least 2": 1,
    "first never reached": -1,
    "last never reached": 1,
    "overtaken": -1,
}
"""On which side of a feature's budget it stops."""
NORM_BITS = 56


def bits_for(budget: int) -> int:
    """Return the precision of a run, whose bounds may grow by a tenth of a bit a step."""
    return BITS + budget // 8


@lru_cache(maxsize=64)
def errors(sampler: str, budget: int) -> dict[str, Ball]:
    """Return KL and W2 of an annealed sampler's run at the defaults, by the names of their
    criteria.
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
        return {KL.name: target.kl(*moments), W2.name: target.w2(*moments)}


def prove(case: Criterion, settings: Settings, point: SpeedUp) -> None:
    """Raise Undecided unless balls show the speed-up at a budget, between two budgets of
    annealed Langevin.
    """
    budgets = case.budgets(settings, BASELINE)
    enough = round(point.high * point.budget) if point.high < checks.CEILING else None
    before = (
        budgets[-1]
        if enough is None
        else max((each for each in budgets if each < enough), default=None)
    )
    error = errors(PAPER, point.budget)[case.name]
    if before is not None and not errors(BASELINE, before)[case.name] > error:
        raise Undecided(
            f"{case.name}: {before} evaluations may be enough for the error at {point.budget}"
        )
    if enough is not None and errors(BASELINE, enough)[case.name] > error:
        raise Undecided(
            f"{case.name}: {enough} evaluations are not enough for the error at {point.budget}"
        )


def of_curve(settings: Settings, feature: str, by: str) -> Measurement | None:
    """Prove a feature of the speed-ups on the stiff Gaussian at the defaults, as
    `checks.of_curve` measures it.
    """
    case = checks.CASES[by, "on it"]
    points, shown = speed_ups(case, settings), checks.of_curve(settings, feature, by)
    place = [point.budget for point in points].index(
        int(str(shown.detail.get("NFE", round(shown.value))))
    )
    decisive = {place, place + ENDS.get(feature, 0)}
    if max(points[each].budget for each in decisive) > settings.enclosed:
        return None
    for each in decisive:
        prove(case, settings, points[each])
    return proved_between(
        *shown.interval,
        bits_for(points[place].budget),
        proved_at=[points[each].budget for each in sorted(decisive)],
    )


def least_speed_up_up_to_150_evaluations(settings: Settings) -> Measurement | None:
    """Prove the least of the speed-ups at 20 to 150 evaluations, at the budget at which it is."""
    points = [
        (case, each)
        for case in (KL, W2)
        for each in speed_ups(case, settings)
        if each.budget <= 150
    ]
    case, least = min(points, key=lambda point: point[1].high)
    if least.budget > settings.enclosed:
        return None
    prove(case, settings, least)
    return proved_between(
        least.high, least.high, bits_for(least.budget), proved_at=[least.budget], by=case.name
    )


def speed_up_at_largest_budget(settings: Settings) -> Measurement | None:
    """Prove the speed-up by KL at the largest budget."""
    last = speed_ups(KL, settings)[-1]
    if last.budget > settings.enclosed:
        return None
    prove(KL, settings, last)
    return proved_between(last.low, last.high, bits_for(last.budget), proved_at=[last.budget])


def least_kl_of_adaptive_momentum(settings: Settings) -> Measurement | None:
    """Prove adaptive momentum's KL at the budget at which it is least."""
    return _kl(settings, int(checks.budget_of_least_kl(settings).value))


def kl_at_largest_budget(settings: Settings) -> Measurement | None:
    """Prove adaptive momentum's KL at its largest budget."""
    return _kl(settings, max(KL.budgets(settings, PAPER)))


def _kl(settings: Settings, budget: int) -> Measurement | None:
    return (
        proved(errors(PAPER, budget)[KL.name], bits_for(budget))
        if budget <= settings.enclosed
        else None
    )


def budget_of_least_kl(settings: Settings) -> Measurement | None:
    """Prove that adaptive momentum's KL at the budget of its minimum is less than at the budgets
    before and after.
    """
    least = int(checks.budget_of_least_kl(settings).value)
    if least > settings.enclosed:
        return None
    before, after = least - DEFAULT.repeats, least + DEFAULT.repeats
    if any(
        errors(PAPER, each)[KL.name] < errors(PAPER, least)[KL.name] for each in (before, after)
    ):
        raise Undecided(f"the least KL is not at {least} evaluations")
    return proved_between(least, least, bits_for(least), proved_at=[before, least, after])


def largest_kl_ratio_of_neighbouring_budgets(settings: Settings) -> Measurement | None:
    """Prove the ratio of annealed Langevin's KL at the two neighbouring budgets at which it is
    largest.
    """
    if not settings.enclosed:
        return None
    pairs = pairwise(curve(KL, settings, BASELINE))
    (before, _), (after, _) = max(pairs, key=lambda pair: pair[1][1] / pair[0][1])
    ratio = errors(BASELINE, after)[KL.name] / errors(BASELINE, before)[KL.name]
    return proved(ratio, bits_for(after), proved_at=[before, after])
