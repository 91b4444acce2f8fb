r"""N2b: exponential, EDM and path-optimal levels, with good scores and bad ones: where each wins, and by how much.

Given N, the discretisation part of the path bound (module `path`) is a function of the levels alone and is minimised
here over them. A score part `sum_k (tau_k - tau_{k+1}) eps^2 / tau_k` (a constant error of the predicted noise) is
`sum_k (1 - tau_{k+1} / tau_k)` with the product of the ratios fixed: by the inequality of arithmetic and geometric
means the exponential schedule has the *largest* of all, by a little: for N -> infinity all schedules have `log(tau_0
/ tau_N)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from ams.laws import GaussianLaw, Moments
from ams.laws.batched_gaussian import BatchedGaussian
from ams.metrics import gaussian_w2
from ams.schedules import geometric_sigmas, karras_sigmas, ve_levels
from analysis.related_work.misspecified_score import ScoreError, noise_bias, score_bias, stacked, too_large
from analysis.related_work.path import (
    HIGHEST,
    LOWEST,
    both_divergences,
    discretisation,
    ended,
    marginal,
    path_bound,
    score_part,
)
from analysis.related_work.settings import Settings
from analysis.targets import stiff_gaussian
from verdicts import Measurement, Table, check

Schedule = Callable[[int, str], np.ndarray]
MODELS: dict[str, Callable[[float, int], ScoreError]] = {
    "noise off by a vector": noise_bias,
    "score off by a vector": score_bias,
    "score too large": too_large,
}
TARGETS: dict[str, GaussianLaw] = {
    "stiff": stiff_gaussian(),
    "power law": GaussianLaw(1.0 / np.arange(1, 33) ** 2, mean=0.1),
    "one variance": GaussianLaw([0.25], mean=0.5, multiplicity=16),
    "wide": GaussianLaw(np.logspace(2.0, -1.0, 16), mean=0.5),
}
"""Targets far narrower than the first noise, 80, but for the wide one: its largest standard deviation is 10."""
NARROW = ("stiff", "power law", "one variance")


class Cell(NamedTuple):
    """What is varied: target, model and size of the score error, N."""

    target: str
    model: str
    size: float
    steps: int


class Outcome(NamedTuple):
    """What a run of N steps ends with: both divergences (nats), W2, and the path bound."""

    target_law: float
    law_target: float
    w2: float
    bound: float


def exponential(count: int, target: str = "") -> np.ndarray:
    """Return N steps' levels in geometric progression."""
    return geometric_sigmas(HIGHEST, LOWEST, count + 1)


def edm(count: int, target: str = "") -> np.ndarray:
    """Return N steps' levels of EDM, rho = 7."""
    return karras_sigmas(HIGHEST, LOWEST, count + 1)


@cache
def path_optimal(count: int, target: str) -> np.ndarray:
    """Return the levels that minimise the discretisation part on a target, from the exponential ones (L-BFGS).

    The steps' shares of `log(tau_0 / tau_N)` are a softmax of N free numbers, so that levels always fall.
    """
    law, drop = TARGETS[target], 2.0 * np.log(LOWEST / HIGHEST)

    def tau_of(free: torch.Tensor) -> torch.Tensor:
        fallen = torch.cat([torch.zeros(1).double(), free.softmax(0).cumsum(0)])
        return HIGHEST**2 * torch.exp(drop * fallen)

    def objective(free: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.tensor(free, requires_grad=True)
        value = discretisation(tau_of(at), law)
        (slope,) = torch.autograd.grad(value, at)
        return value.item(), slope.numpy()

    found = minimize(objective, np.zeros(count), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-13})
    return tau_of(torch.tensor(found.x)).sqrt().numpy()


SCHEDULES: dict[str, Schedule] = {"exponential": exponential, "EDM": edm, "path-optimal": path_optimal}


def outcomes_of(law: GaussianLaw, sigmas: np.ndarray, errors: Sequence[ScoreError]) -> list[Outcome]:
    """Return what the sampler ends with over these levels for each score error, all in one run.

    It starts from the target's own law at the first level.
    """
    levels, many = ve_levels(sigmas), BatchedGaussian(law, len(errors))
    start, own = (marginal(law, level.sigma) for level in (levels[0], levels[-1]))
    found = ended(levels, many, stacked(errors, len(law.variance)), marginal(many, levels[0].sigma))
    ends = [Moments(*parts) for parts in zip(*(part.chunk(len(errors)) for part in found), strict=True)]
    return [
        Outcome(
            *both_divergences(law, own, end),
            gaussian_w2(*end, *own, law.multiplicity),
            path_bound(levels, law, error, start),
        )
        for end, error in zip(ends, errors, strict=True)
    ]


@cache
def outcomes(settings: Settings) -> dict[tuple[Cell, str], Outcome]:
    """Return the outcome for each cell and schedule."""
    kinds = [(model, size) for model in MODELS for size in settings.sizes]
    found = {}
    for target, law in TARGETS.items():
        errors = [MODELS[model](size, len(law.variance)) for model, size in kinds]
        for count in settings.budgets:
            for name, schedule in SCHEDULES.items():
                ends = outcomes_of(law, schedule(count, target), errors)
                found.update({(Cell(target, *kind, count), name): end for kind, end in zip(kinds, ends, strict=True)})
    return found


def compared(settings: Settings, one: str, other: str) -> dict[Cell, float]:
    """Return KL(target || law) of one schedule over the other's, by cell."""
    found = outcomes(settings)
    cells = dict.fromkeys(cell for cell, _ in found)
    return {cell: found[cell, one].target_law / found[cell, other].target_law for cell in cells}


def with_exact_scores(ratios: dict[Cell, float], targets: Sequence[str]) -> dict[str, float]:
    """Return the ratios of the named targets at size 0, by target and N."""
    model = next(iter(MODELS))
    exact = [cell for cell in ratios if cell[1:3] == (model, 0.0) and cell.target in targets]
    return {f"{cell.target}, N = {cell.steps}": ratios[cell] for cell in exact}


@check("N2b.good")
def exponential_wins_with_good_scores(settings: Settings) -> Measurement:
    """Return the largest KL(target || law) of the exponential schedule over EDM's: exact scores, narrow targets."""
    return _largest(with_exact_scores(compared(settings, "exponential", "EDM"), NARROW))


@check("N2b.wide")
def edm_wins_on_a_wide_target(settings: Settings) -> Measurement:
    """Return the largest KL of EDM's levels over the exponential ones': exact scores, the wide target."""
    return _largest(with_exact_scores(compared(settings, "EDM", "exponential"), ["wide"]))


@check("N2b.bad")
def edm_wins_with_bad_scores(settings: Settings) -> Measurement:
    """Return the largest KL of EDM's levels over the exponential ones' at the largest error and N, over targets."""
    ratios = compared(settings, "EDM", "exponential")
    worst = [cell for cell in ratios if (cell.size, cell.steps) == (max(settings.sizes), max(settings.budgets))]
    return _largest({f"{cell.target}, {cell.model}": ratios[cell] for cell in worst})


@check("N2b.optimal")
def the_bounds_best_schedule_is_not_the_laws(settings: Settings) -> Measurement:
    """Return the smallest KL of the path-optimal schedule over the exponential one's and EDM's: exact scores."""
    ratios = {
        f"{rival}, {name}": ratio
        for rival in ("exponential", "EDM")
        for name, ratio in with_exact_scores(compared(settings, "path-optimal", rival), list(TARGETS)).items()
    }
    return Measurement(value=min(ratios.values()), n=len(ratios), detail={**ratios})


def _largest(ratios: dict[str, float]) -> Measurement:
    return Measurement(value=max(ratios.values()), n=len(ratios), detail={**ratios})


@check("N2b.cause")
def exponential_levels_collect_most_error(settings: Settings) -> Measurement:
    """Return the largest score part of random levels over the exponential ones', noise off by a vector, equal N."""
    draw, ratios = np.random.default_rng(settings.seed), []
    law, error = GaussianLaw([1.0]), noise_bias(1.0, 1)
    for _ in range(settings.cases):
        inner = np.exp(draw.uniform(np.log(LOWEST), np.log(HIGHEST), draw.integers(1, 30)))
        free = ve_levels([HIGHEST, *np.sort(inner)[::-1], LOWEST])
        plain = ve_levels(exponential(len(free) - 1))
        ratios.append(score_part(free, law, error) / score_part(plain, law, error))
    return Measurement(value=max(ratios), n=len(ratios), seeds=(settings.seed,))


def table(settings: Settings) -> Table:
    """Return every outcome: a row a cell and schedule."""
    found = outcomes(settings)
    return Table(
        id="schedules",
        caption="Schedules of the variance-ve_level sampler on Gaussians, exact laws; divergences in nats.",
        header=(
            *("target", "score error", "size", "$N$", "levels"),
            *(r"KL(target $\|$ law)", r"KL(law $\|$ target)", "$W_2$", "path bound"),
        ),
        rows=tuple((*cell, name, *(float(value) for value in end)) for (cell, name), end in found.items()),
        claims=("N2", "N2b"),
    )
