r"""N2b: exponential, EDM and path-optimal noise levels, with good scores and bad ones: where each wins, by how much.

Given N, the discretisation part of the path bound (claim N2) is a function of the noise levels alone and is
minimised here over them. A score part `sum_k (tau_k - tau_{k+1}) eps^2 / tau_k` (a constant error of the predicted
noise) is `sum_k (1 - tau_{k+1} / tau_k)` with the product of the ratios fixed: by the inequality of arithmetic and
geometric means the exponential schedule has the *largest* of all, by a little: for N -> infinity all schedules have
`log(tau_0 / tau_N)`.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from ams.laws import GaussianLaw
from ams.metrics import gaussian_w2
from ams.schedules import geometric_sigmas, karras_sigmas, ve_levels
from ams_suite.measures import largest, named_extreme
from analysis.misspecified_score import ScoreError, marginal, noise_bias
from analysis.targets import stiff_gaussian
from related.design_space.noise_schedules import path
from related.design_space.noise_schedules.path import HIGHEST, LOWEST
from related.design_space.noise_schedules.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

MODELS: dict[str, Callable[[float, int], ScoreError]] = {
    "noise off by a vector": noise_bias,
    "score off by a vector": lambda size, d: ScoreError(lambda level: torch.full((d,), size / d**0.5)),
    "score too large": lambda size, d: ScoreError(factor=1.0 + size),
}
"""The score's error of a size in d directions, by model."""
SHOWN = "noise off by a vector"
TARGETS: dict[str, GaussianLaw] = {
    "stiff": stiff_gaussian(),
    "power law": GaussianLaw(1.0 / np.arange(1, 33) ** 2, mean=0.1),
    "one variance": GaussianLaw([0.25], mean=0.5, multiplicity=16),
    "wide": GaussianLaw(np.logspace(2.0, -1.0, 16), mean=0.5),
}
"""Targets far narrower than the first noise, 80, but for the wide one: its largest standard deviation is 10."""
NARROW = ("stiff", "power law", "one variance")


class EndDivergences(NamedTuple):
    """What a run ends with: KL(target || run) and KL(run || target) in nats, W2, and the path bound."""

    forward: float
    backward: float
    w2: float
    bound: float


@cell
def path_optimal(count: int, target: str) -> Array:
    """The noise levels that minimise the discretisation part on a target, from the exponential ones (L-BFGS).

    The steps' shares of `log(tau_0 / tau_N)` are a softmax of N free numbers, so that noise levels always fall.
    """
    law, drop = TARGETS[target], 2.0 * np.log(LOWEST / HIGHEST)

    def tau_of(free: torch.Tensor) -> torch.Tensor:
        fallen = torch.cat([torch.zeros(1).double(), free.softmax(0).cumsum(0)])
        return HIGHEST**2 * torch.exp(drop * fallen)

    def objective(free: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.tensor(free, requires_grad=True)
        value = path.discretisation(tau_of(at), law)
        (slope,) = torch.autograd.grad(value, at)
        return value.item(), slope.numpy()

    best = minimize(objective, np.zeros(count), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-13})
    return tau_of(torch.tensor(best.x)).sqrt().numpy()


SCHEDULES: dict[str, Callable[[int, str], np.ndarray]] = {
    "exponential": lambda count, target: geometric_sigmas(HIGHEST, LOWEST, count + 1),
    "EDM": lambda count, target: karras_sigmas(HIGHEST, LOWEST, count + 1),
    "path-optimal": path_optimal,
}
"""The noise levels of N steps, by schedule; EDM's at rho = 7."""


@cell
def outcomes(target: str, schedule: str, count: int, sizes: tuple[float, ...]) -> dict[str, list[EndDivergences]]:
    """What N steps end with, for each model and size of the score error.

    They start from the target's own distribution at the first noise level.
    """
    law, levels = TARGETS[target], ve_levels(SCHEDULES[schedule](count, target))
    start, own = marginal(law, levels[0]), marginal(law, levels[-1])

    def outcome(error: ScoreError) -> EndDivergences:
        end, bound = path.ended(levels, law, error, start), path.path_bound(levels, law, error, start)
        return EndDivergences(*path.both_divergences(law, own, end), gaussian_w2(*end, *own, law.multiplicity), bound)

    d = len(law.variance)
    return {name: [outcome(model(size, d)) for size in sizes] for name, model in MODELS.items()}


def kl_ratio(settings: Settings, one: str, other: str, target: str, model: str, size: float, count: int) -> float:
    """Return KL(target || run) of one schedule over another's."""
    place = settings.sizes.index(size)
    ours, theirs = (outcomes(target, name, count, settings.sizes)[model][place].forward for name in (one, other))
    return ours / theirs


def exact_ratios(settings: Settings, one: str, other: str, targets: Iterable[str]) -> dict[str, float]:
    """Return KL(target || run) of one schedule over another's with exact scores, by target and N."""
    cases = [(target, count) for target in targets for count in settings.budgets]
    return {f"{t}, N = {count}": kl_ratio(settings, one, other, t, SHOWN, 0.0, count) for t, count in cases}


def largest_ratio(settings: Settings, one: str, other: str, targets: Iterable[str]) -> Measurement:
    """Return the largest KL(target || run) of one schedule over another's with exact scores."""
    return named_extreme(exact_ratios(settings, one, other, targets))


def largest_kl_ratio_of_edm_with_bad_scores(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) of EDM's noise levels over exponential ones, largest score error and N."""
    pair, worst = ("EDM", "exponential"), (max(settings.sizes), max(settings.budgets))
    cases = [(target, model) for target in TARGETS for model in MODELS]
    return named_extreme({f"{t}, {model}": kl_ratio(settings, *pair, t, model, *worst) for t, model in cases})


def least_kl_ratio_of_path_optimal_levels(settings: Settings) -> Measurement:
    """Measure the least KL(target || run) of path-optimal noise levels over exponential and EDM's: exact scores."""
    ratios = {
        f"{other}, {case}": ratio
        for other in ("exponential", "EDM")
        for case, ratio in exact_ratios(settings, "path-optimal", other, TARGETS).items()
    }
    return named_extreme(ratios, min)


def largest_score_part_of_random_levels(settings: Settings) -> Measurement:
    """Measure the largest score part of random noise levels over exponential ones, equal N, noise off by a vector."""
    draw, ratios = np.random.default_rng(settings.seed), []
    law, error = GaussianLaw([1.0]), noise_bias(1.0, 1)
    for _ in range(settings.cases):
        inner = np.exp(draw.uniform(np.log(LOWEST), np.log(HIGHEST), draw.integers(1, 30)))
        free = ve_levels([HIGHEST, *np.sort(inner)[::-1], LOWEST])
        plain = ve_levels(geometric_sigmas(HIGHEST, LOWEST, len(free)))
        ratios.append(path.score_part(free, law, error) / path.score_part(plain, law, error))
    return largest(ratios, settings.seed)
