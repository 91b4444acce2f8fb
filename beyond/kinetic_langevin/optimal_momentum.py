r"""K8f, K8g: the most that momentum could save: chosen jointly with the refreshment, or for each noise level.

K8f: annealed BAOAB with `u = min(u0, 10 h)` and one `e`, over a grid of both. For each threshold the pair without
momentum and the pair with momentum are those of the fewest evaluations on the development family, exact scores. At
`u0 = 0` there is no refreshment, `e` has no effect, and the sampler is DPM-Solver++(2M): the grid's natural end.

K8g: at the refreshment of the tapered schedule, `e` of each noise level is chosen on the target itself, for each number
of evaluations, by minimising KL through the exact law. No rule that sets `e` for a noise level can know more.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from torch import Tensor

from ams.samplers import Program
from ams.samplers.annealed_baoab import TAPERED, KineticSchedule, annealed_baoab, fixed
from ams.samplers.presets import BuildProgram, Hyperparameters, SigmaRange, levels
from beyond.kinetic_langevin.family import DEVELOPMENT, DIRECTIONS, Family, Kind, Problem, family
from beyond.kinetic_langevin.samplers import THRESHOLD, THRESHOLDS, errors_at_budgets, nfe_of_targets, one_step_of
from verdicts.studies import Array, Cell, cell

RATES = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
MOMENTA = (0.25, 0.5, 0.75)
WITHOUT, WITH = [(u, 0.0) for u in (0.0, *RATES)], list(product(RATES, MOMENTA))
"""The pairs `(u0, e)` of the grid, without momentum and with it."""
_TUNED_ON = Problem(Kind.EXACT, DEVELOPMENT, 24)
ITERATIONS = 60
"""Of L-BFGS, for each number of evaluations."""


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


def cells(exact: Problem, start: Problem, largest: int) -> Iterator[Cell]:
    """Yield the cells of K8f and K8g, for the problems with exact scores and with a bad start that judge."""
    for problem in (_TUNED_ON, exact):
        yield from (pair_curve.cell(*pair, problem, largest) for pair in (*WITHOUT, *WITH))
    yield from (oracle_curve.cell(problem, largest) for problem in (exact, start))
