"""N10d to N10l: steps to a fixed loss, SGDF over its rivals, each at its tuned rate; and the tuning itself."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np

from ams.statistics import CONFIDENCE
from ams.statistics.tuning import optima_on_edge
from ams_suite.measures import geometric_mean_ratio
from related.gradient_filter.optimisers.descents import (
    FILTER,
    OPTIMISERS,
    Descent,
    curve,
)
from related.gradient_filter.optimisers.rates import BUDGETS, mean_steps, rate, steps_to_threshold, tried
from related.gradient_filter.optimisers.settings import Settings
from verdicts import InsufficientData, Measurement, Unavailable


def runs(settings: Settings, problem: str, optimiser: str) -> list[Descent]:
    """Return the judged runs of an optimiser, at its tuned rate, one a seed. Raises Unavailable."""
    if problem not in settings.problems:
        raise Unavailable(f"{problem}: this profile does not descend it")
    budget, chosen = BUDGETS[problem], rate(problem, optimiser)
    first = settings.seed + budget.later
    seeds = range(first, first + settings.seeds)
    return [Descent(problem, optimiser, chosen, budget.steps, budget.every, 0.0, seed) for seed in seeds]


def steps(settings: Settings, problem: str, optimiser: str) -> np.ndarray:
    """Return the steps to the problem's loss of each seed; infinite for a run that does not reach it."""
    threshold = BUDGETS[problem].threshold
    return np.array([steps_to_threshold(run, threshold) for run in runs(settings, problem, optimiser)])


def final_loss(settings: Settings, problem: str, optimiser: str) -> float:
    """Return the median over seeds of the loss that is read last."""
    return float(np.median([curve(run)[-1] for run in runs(settings, problem, optimiser)]))


def step_ratio(settings: Settings, problem: str, rival: str, confidence: float, ours: str = FILTER) -> Measurement:
    """Return the steps of `ours` over a rival's, geometric mean over seeds, paired by start and batches.

    A run that does not reach the loss counts with all of its steps: the ratio is then nearer to 1 than it is. Raises
    InsufficientData where, at a seed, neither reaches it.
    """
    one, other = (steps(settings, problem, name) for name in (ours, rival))
    if not np.isfinite(np.minimum(one, other)).all():
        raise InsufficientData(f"{problem}: at some seed neither {ours} nor {rival} reaches the loss")
    unreached = {name: int(np.isinf(each).sum()) for name, each in ((ours, one), (rival, other))}
    most = BUDGETS[problem].steps
    return geometric_mean_ratio(
        np.minimum(one, most),
        np.minimum(other, most),
        confidence,
        settings.seed,
        rival=rival,
        unreached=dict(unreached),
        **{f"last loss, {name}": final_loss(settings, problem, name) for name in (ours, rival)},
    )


def hardest(settings: Settings, problem: str, rivals: Sequence[str]) -> Measurement:
    """Return the ratio of steps over the rival that says most against SGDF; their miss is shared among the rivals.

    That is the one whose interval begins last above 1, and if none does so the one whose interval ends last.
    """
    confidence = 1 - (1 - CONFIDENCE) / len(rivals)
    ratios = [step_ratio(settings, problem, rival, confidence) for rival in rivals]
    worst = max(ratios, key=lambda ratio: (max(ratio.interval[0], 1.0), ratio.interval[1]))
    others = {f"over {name}": ratio.value for name, ratio in zip(rivals, ratios, strict=True)}
    return worst.model_copy(update={"detail": {**worst.detail, **others}})


def best_rates(settings: Settings) -> dict[tuple[str, str], float]:
    """Return the rate with the fewest steps on the seeds of development, by problem and optimiser.

    Raises Unavailable.
    """
    if not settings.tuned:
        raise Unavailable("this profile does not repeat the search for the rates")
    pairs = product(settings.problems, OPTIMISERS)
    return {pair: min(tried(*pair), key=partial(mean_steps, *pair)) for pair in pairs}


def rates_on_an_edge(settings: Settings) -> Measurement:
    """Count the tuned rates at an end of their grid of seven."""
    edges = [
        place
        for pair, chosen in best_rates(settings).items()
        for place in optima_on_edge({"rate": tried(*pair)}, {", ".join(pair): {"rate": chosen}})
    ]
    return Measurement(value=len(edges), detail={"on an edge": [*edges]})


def rates_that_are_not_the_best(settings: Settings) -> Measurement:
    """Count the rates of judged runs that are not the best on the seeds of development."""
    best = best_rates(settings)
    others = [
        f"{', '.join(pair)}: {rate(*pair):g}, best {chosen:g}" for pair, chosen in best.items() if rate(*pair) != chosen
    ]
    return Measurement(value=len(others), n=len(best), detail={"others": [*others]})
