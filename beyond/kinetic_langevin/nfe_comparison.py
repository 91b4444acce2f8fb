"""What the samplers compared need: evaluations on random Gaussians (K8), and errors on a mixture (K11).

K8: evaluations on the third family with exact scores, to KL / d = 1e-4 where nothing else is said.

A ratio is the geometric mean over targets of a ratio of evaluations, with Student's interval of its logarithm's mean:
the targets are independent draws from the family. Where a sampler never reaches the threshold, the largest budget
stands for its evaluations, so a ratio in its disfavour is a lower bound.

K8f and K8g ask for the most that momentum could save: chosen jointly with the refreshment, or for each noise level.
K8f: annealed BAOAB with `u = min(u0, 10 h)` and one `e`, over a grid of both. For each threshold the pair without
momentum and the pair with momentum are those of the fewest evaluations on the development family, exact scores. At
`u0 = 0` there is no refreshment, `e` has no effect, and the sampler is DPM-Solver++(2M): the grid's natural end.
K8g: at the refreshment of the tapered schedule, `e` of each noise level is chosen on the target itself, for each number
of evaluations, by minimising KL through the exact law. No rule that sets `e` for a noise level can know more.

K11: a mixture of two modes, whose score is not linear; no setting was chosen there. The modes at -1 and 1 have the
standard deviation 0.1 and the weights 0.3 and 0.7; runs lead from N(0, 20^2) to noise 0.02. Errors are KL(run || target
at the last noise level) in nats: exact on a grid or by moved quantiles where the sampler allows it, otherwise by
particles, with jackknife intervals of confidence 1 - 1e-6.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor

from ams.samplers import Program
from ams.samplers.annealed_baoab import TAPERED, KineticSchedule, annealed_baoab, fixed
from ams.samplers.presets import DEFAULT, SPECS, BuildProgram, Hyperparameters, SigmaRange, levels
from ams.statistics import CONFIDENCE, Interval
from ams_suite.measures import geometric_mean_ratio, of_interval
from analysis.annealed.mixture import line_run
from analysis.annealed.particles import Sizes
from beyond.kinetic_langevin import samplers
from beyond.kinetic_langevin.family import DEVELOPMENT, DIRECTIONS, THIRD, Family, Kind, Problem, family
from beyond.kinetic_langevin.samplers import (
    COMPARED,
    DECAYING,
    MOMENTUM,
    THRESHOLD,
    THRESHOLDS,
    errors_at_budgets,
    nfe_of_targets,
    one_step_of,
)
from beyond.kinetic_langevin.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, Cell, cell

KINDS = (Kind.EXACT, Kind.HIGH, Kind.START, Kind.SHIFT, Kind.LOW)
"""The kinds that samplers are compared on; hyperparameters are chosen on the first three."""
FOURTH = 730651
"""The seed of the family on which samplers are compared with scores that are wrong at low noise: that kind joined the
others when their results were known, and this family was first run after its bound was fixed."""
RATES = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
MOMENTA = (0.25, 0.5, 0.75)
WITHOUT, WITH = [(u, 0.0) for u in (0.0, *RATES)], list(product(RATES, MOMENTA))
"""The pairs `(u0, e)` of the grid, without momentum and with it."""
_TUNED_ON = Problem(Kind.EXACT, DEVELOPMENT, 24)
ITERATIONS = 60
"""Of L-BFGS, for each number of evaluations."""
FEW, MANY = 20, 60
"""Budgets in score evaluations on the mixture."""
ON_THE_MIXTURE = tuple(name for name in COMPARED if name in SPECS)
"""Without this group's own variants of annealed BAOAB, tapered at e = 0 and u = 1.9: both are as near as `NEAR`."""
NEAR = (MOMENTUM, "SDE-DPM-Solver++", "CLD, splitting")
"""What 160,000 particles hardly tell from annealed BAOAB, e = 0, at 20 evaluations with another seed."""
LATE = ("ancestral", "EDM stochastic")
"""What has more error than all others at 60 evaluations."""


def third(settings: Settings, kind: Kind) -> Problem:
    """Return the problem of a kind on the third family."""
    return Problem(kind, THIRD, settings.targets)


def judged(settings: Settings, kind: Kind) -> Problem:
    """Return the problem of a kind on which samplers are compared: the third family, of `low` the fourth."""
    return third(settings, kind)._replace(seed=FOURTH if kind is Kind.LOW else THIRD)


def development() -> list[Problem]:
    """Return the problems of the development family, of 24 targets, on which settings are chosen."""
    return [Problem(kind, DEVELOPMENT, 24) for kind in KINDS[:3]]


def evaluations(settings: Settings, kind: Kind, sampler: str, threshold: float = THRESHOLD) -> np.ndarray:
    """Return the evaluations that a sampler needs on each target; infinite where it never gets there."""
    return samplers.evaluations(sampler, judged(settings, kind), settings.budget, threshold)


def mean_evaluations(settings: Settings, kind: Kind, sampler: str, threshold: float = THRESHOLD) -> float:
    """Return the geometric mean over targets, where the largest budget stands for a run that fails."""
    counts = np.minimum(evaluations(settings, kind, sampler, threshold), settings.budget)
    return float(np.exp(np.log(counts).mean()))


def nfe_ratio(settings: Settings, kind: Kind, sampler: str, other: str, threshold: float = THRESHOLD) -> Measurement:
    """Return a sampler's evaluations over another's, the geometric mean over targets with its interval."""
    counts = {name: evaluations(settings, kind, name, threshold) for name in (sampler, other)}
    ours, theirs = (np.minimum(counts[name], settings.budget) for name in (sampler, other))
    never = {f"targets that {name} never reaches": int(np.isinf(count).sum()) for name, count in counts.items()}
    return geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD, **never)


def targets_reached(settings: Settings, kind: Kind, names: tuple[str, ...]) -> Measurement:
    """Return how many runs, one per sampler and target, reach the threshold within the largest budget."""
    counts = {name: int(np.isfinite(evaluations(settings, kind, name)).sum()) for name in names}
    n = settings.targets * len(names)
    return Measurement(value=sum(counts.values()), n=n, seeds=(THIRD,), detail=dict(counts))


def nfe_ratio_of_noiseless_method_at_coarse_thresholds(settings: Settings) -> Measurement:
    """Measure DEIS-4's evaluations over SA-Solver's at tau 1 to 1e-3 or 1e-4, the larger ratio, with exact scores."""
    ratios = [nfe_ratio(settings, Kind.EXACT, "DEIS-4", "SA-Solver, tau 1", each) for each in THRESHOLDS[:2]]
    return max(ratios, key=lambda ratio: ratio.value)


def nfe_ratio_of_noiseless_method_at_finest_threshold(settings: Settings) -> Measurement:
    """Measure DEIS-4's evaluations over SA-Solver's at tau 1 to 1e-6, with exact scores; the detail has 1e-5."""
    finer, finest = (nfe_ratio(settings, Kind.EXACT, "DEIS-4", "SA-Solver, tau 1", each) for each in THRESHOLDS[2:])
    detail = {**finest.detail, "ratio to 1e-5": [finer.value, finer.low, finer.high]}
    return finest.model_copy(update={"detail": detail})


def targets_where_momentum_needs_fewer(settings: Settings) -> Measurement:
    """Measure on how many targets some `e` of 1/4, 1/2, 3/4, 0.9 needs fewer evaluations than `e = 0`."""
    counts = {e: evaluations(settings, Kind.EXACT, name) for e, name in ({0.0: DECAYING} | samplers.MOMENTA).items()}
    fewer = np.any([count < counts[0.0] for count in counts.values()], axis=0)
    means = {f"e = {e:g}": float(np.exp(np.log(count).mean())) for e, count in counts.items()}
    return Measurement(value=int(fewer.sum()), n=len(fewer), seeds=(THIRD,), detail=dict(means))


def least_nfe_ratio_over_refreshment_and_momentum(settings: Settings) -> Measurement:
    """Measure the evaluations of the best pair `(u0, e)` with momentum over those of the best without, exact scores.

    The least of the ratios to 1e-4, 1e-5 and 1e-6.
    """
    ratios = []
    for threshold in THRESHOLDS[1:]:
        groups = {"with": WITH, "without": WITHOUT}
        best = {name: best_pair(pairs, settings.budget, threshold) for name, pairs in groups.items()}
        problem, budget = third(settings, Kind.EXACT), settings.budget
        ours, theirs = (pair_evaluations(best[name], problem, budget, threshold) for name in groups)
        pairs: dict[str, JsonValue] = {f"(u0, e) {name} momentum": [*pair] for name, pair in best.items()}
        ratios.append(geometric_mean_ratio(ours, theirs, CONFIDENCE, THIRD, threshold=threshold, **pairs))
    return min(ratios, key=lambda ratio: ratio.value)


def nfe_ratio_of_oracle(settings: Settings, kind: Kind, other: str) -> Measurement:
    """Return the evaluations with the best `e` per noise level over another sampler's."""
    errors = oracle_curve(third(settings, kind), settings.budget)
    ours, theirs = samplers.nfe_of_targets(errors, THRESHOLD), evaluations(settings, kind, other)
    both = np.minimum(ours, settings.budget), np.minimum(theirs, settings.budget)
    return geometric_mean_ratio(*both, CONFIDENCE, THIRD)


@cell
def pair_curve(u: float, e: float, problem: Problem, largest: int) -> Array:
    """KL / d of annealed BAOAB's runs with `u0` and `e` (nats); rows and columns as in `errors_at_budgets`."""
    return errors_at_budgets(one_step_of(fixed(e, most=u)), problem, largest, THRESHOLDS[-1])


@cell
def oracle_curve(problem: Problem, largest: int) -> Array:
    """KL / d of annealed BAOAB's runs with the best `e` per noise level (nats), to 1e-4, from 14 evaluations on."""
    return errors_at_budgets(oracle(problem), problem, largest, THRESHOLD, fewest=14)


def oracle(problem: Problem) -> BuildProgram:
    """Return the programs whose `e` minimises KL at each noise level of each target; L-BFGS starts at `e = 0.3`.

    In the unbounded variable `theta`, `e` is `theta^2 / (1 + theta^2)`.
    """
    targets = family(problem)

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        theta = torch.full((budget, targets.runs), (3 / 7) ** 0.5, dtype=torch.float64, requires_grad=True)
        search = torch.optim.LBFGS([theta], max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            search.zero_grad()
            error = targets.kl(with_momenta(targets, theta, sigmas), sigmas).log().sum()
            error.backward()
            return error

        search.step(loss)
        return with_momenta(targets, theta.detach(), sigmas)

    return program


def with_momenta(targets: Family, theta: Tensor, sigmas: SigmaRange) -> Program:
    """Return the tapered run with `e` of each noise level (a row of `theta`) and each target (a column)."""

    def schedule(e: Tensor) -> KineticSchedule:
        return lambda h: TAPERED(h)._replace(e=e)  # type: ignore[arg-type]

    momenta = (theta.square() / (1 + theta.square())).repeat_interleave(DIRECTIONS, dim=1)
    schedules = (annealed_baoab(schedule(e)) for e in momenta)
    return list(zip(schedules, levels(sigmas, len(theta) + 1, 0.0), strict=False))


def pair_evaluations(pair: tuple[float, float], problem: Problem, largest: int, threshold: float) -> np.ndarray:
    """Return the evaluations with a pair `(u0, e)` on each target of a problem, at most the largest budget."""
    return np.minimum(nfe_of_targets(pair_curve(*pair, problem, largest), threshold), largest)


def best_pair(pairs: list[tuple[float, float]], largest: int, threshold: float) -> tuple[float, float]:
    """Return the pair `(u0, e)` of the fewest evaluations on the development family, by their geometric mean."""
    return min(pairs, key=lambda pair: float(np.log(pair_evaluations(pair, _TUNED_ON, largest, threshold)).mean()))


def optimal_momentum_cells(settings: Settings) -> Iterator[Cell]:
    """Yield the cells of K8f and K8g, for the problems with exact scores and with a bad start that judge."""
    exact, start = (third(settings, kind) for kind in (Kind.EXACT, Kind.START))
    for problem in (_TUNED_ON, exact):
        yield from (pair_curve.cell(*pair, problem, settings.budget) for pair in (*WITHOUT, *WITH))
    yield from (oracle_curve.cell(problem, settings.budget) for problem in (exact, start))


def _sizes(settings: Settings) -> Sizes:
    return Sizes(settings.mixture_batch, 64, 20_000, settings.seed)


def mixture_cells(settings: Settings) -> Iterator[Cell]:
    """Yield the runs on the mixture."""
    yield from (line_run.cell(name, n, DEFAULT, _sizes(settings)) for name, n in product(ON_THE_MIXTURE, (FEW, MANY)))


def mixture_kl(settings: Settings, sampler: str, budget: int) -> Interval:
    """Return KL of a sampler's run at a budget (nats), a point where it is exact."""
    return line_run(sampler, budget, DEFAULT, _sizes(settings)).errors.kl


def least_excess(settings: Settings, names: tuple[str, ...], sampler: str) -> Measurement:
    """Return the least KL of some samplers less that of another one at 20 evaluations, an interval by both ends."""
    ours, theirs = mixture_kl(settings, sampler, FEW), {name: mixture_kl(settings, name, FEW) for name in names}
    least = min(theirs, key=lambda name: theirs[name].low)
    value, low, high, n = theirs[least]
    excess = Interval(value - ours.value, low - ours.high, high - ours.low, n)
    return of_interval(excess, settings.seed, unit="nats", least=least)


def least_excess_of_another_sampler(settings: Settings) -> Measurement:
    """Measure the least KL of other samplers less that of annealed BAOAB, e = 0, at 20 evaluations."""
    return least_excess(settings, tuple(name for name in ON_THE_MIXTURE if name not in (DECAYING, *NEAR)), DECAYING)


def largest_error_at_many_evaluations(settings: Settings) -> Measurement:
    """Measure the largest KL at 60 evaluations over all samplers but ancestral sampling and EDM's."""
    all_of = {name: mixture_kl(settings, name, MANY) for name in ON_THE_MIXTURE if name not in LATE}
    worst = max(all_of, key=lambda name: all_of[name].value)
    return of_interval(all_of[worst], settings.seed, unit="nats", largest=worst)
