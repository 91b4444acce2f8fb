"""The path bound of the variance-exploding sampler, and the noise schedules that it and the sampler
itself prefer.

N2: the path bound of the variance-exploding sampler, its parts, and its order beside that of what
it bounds. `y' = y + (tau - tau') s(y) + sqrt(tau - tau') z` from noise `tau = sigma^2` to `tau'`
(the library's `reverse_sde`), on a Gaussian target with variances `v_i`. The exact reverse kernel
has the same mean and variance `(v + tau') (tau - tau') / (v + tau)`, so that with `d = (tau - tau')
/ (v + tau)` and a score error `e` the chains' divergence is, exactly,

    KL(p_{tau_0} || start) + sum_k [ sum_i (-d - log(1 - d)) / 2 + (tau_k - tau_{k+1}) E|e|^2 / 2 ]

initialisation + discretisation + score error. The last divergence KL(target || run) is no larger
(data processing). Without score error it is also Girsanov's of the paths, since the score is a
martingale along the reverse process: `E|s_tau - s_{tau_k}|^2 = 1/(v + tau) - 1/(v + tau_k)`.
Source: the setting is Wang, He and Tao's (arXiv 2406.12839).

N2b: exponential, EDM and path-optimal noise levels, with good scores and bad ones: where each wins,
by how much. Given N, the discretisation part of the path bound (claim N2) is a function of the
noise levels alone and is minimised here over them. A score part `sum_k (tau_k - tau_{k+1}) eps^2 /
tau_k` (a constant error of the predicted noise) is `sum_k (1 - tau_{k+1} / tau_k)` with the product
of the ratios fixed: by the inequality of arithmetic and geometric means the exponential schedule
has the *largest* of all, by a little: for N -> infinity all schedules have `log(tau_0 / tau_N)`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch
from scipy.optimize import minimize

from ams.laws import GaussianLaw, Moments
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import affine, last, one_step_per_level, reverse_sde, run
from ams.schedules import Level, geometric_sigmas, karras_sigmas, ve_levels
from ams.statistics import asymptotic_order
from ams_suite.measures import largest, named_extreme, of_order
from analysis.misspecified_score import ScoreError, marginal, noise_bias
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian
from related.design_space.noise_schedules.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, Cell, cell

HIGHEST, LOWEST = 80.0, 0.02
"""The first and last noise of N2's schedules: the last is below the smallest standard deviation,
0.032.
"""


class ExactRun(NamedTuple):
    """A run with exact scores and start: its path bound, KL(target || run) and KL(run ||
    target), in nats.
    """

    bound: float
    forward: float
    backward: float


def discretisation(tau: torch.Tensor, law: GaussianLaw) -> torch.Tensor:
    """Return `sum_k sum_i (-d - log(1 - d)) / 2` in nats, `d = (tau_k - tau_{k+1}) / (v_i +
    tau_k)`; differentiable.
    """
    d = -tau.diff()[:, None] / (tau[:-1, None] + law.variance)
    return -((d + torch.log1p(-d)) @ law.multiplicity).sum() / 2


def score_part(levels: Sequence[Level], law: GaussianLaw, error: ScoreError) -> float:
    """Return `sum_k (tau_k - tau_{k+1}) E|e_k|^2 / 2` in nats."""
    return sum(
        (level.sigma**2 - after.sigma**2)
        * float((law.multiplicity * error.power(law, level)).sum())
        / 2
        for level, after in pairwise(levels)
    )


def path_bound(
    levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments
) -> float:
    """Return the three parts' sum for a run over `levels` from `start`."""
    initialisation = gaussian_kl(*marginal(law, levels[0]), *start, law.multiplicity)
    return initialisation + steps_part(levels, law, error)


def steps_part(levels: Sequence[Level], law: GaussianLaw, error: ScoreError) -> float:
    """Return the sum of the discretisation's and the score error's part."""
    tau = torch.tensor([level.sigma**2 for level in levels], dtype=torch.float64)
    return float(discretisation(tau, law)) + score_part(levels, law, error)


def ended(levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments) -> Moments:
    """Return the moments of the sampler's run at the last noise level."""
    begin = law.start(start.mean.tolist(), start.variance.tolist())
    states = run(
        one_step_per_level(affine(reverse_sde), levels), begin, error.score(law), law.noise, law
    )
    return law.moments(last(states)[0].x)


def divergences(
    levels: Sequence[Level], law: GaussianLaw, error: ScoreError, start: Moments
) -> tuple[float, float]:
    """Return KL(target || run) and KL(run || target) at the last noise level, in nats."""
    return both_divergences(law, marginal(law, levels[-1]), ended(levels, law, error, start))


def both_divergences(law: GaussianLaw, own: Moments, end: Moments) -> tuple[float, float]:
    """Return `KL(own || end)` and `KL(end || own)` in nats."""
    return gaussian_kl(*own, *end, law.multiplicity), gaussian_kl(*end, *own, law.multiplicity)


def squared_change(now: sp.Expr, before: sp.Expr, shared: sp.Expr) -> sp.Expr:
    """Return `E |Y / now - Y_- / before|^2` for variances `now`, `before` and covariance
    `shared`: of the score.
    """
    return 1 / now - 2 * shared / (now * before) + 1 / before


def remainder_of_girsanovs_integral(settings: Settings) -> Measurement:
    """Measure the operations left in the integral over a step of the score's mean squared change,
    less the formula.

    Along the reverse process Y at `t < T` is `Y_t ~ N(0, v + t)`, `Y_T = Y_t + noise`, so `E Y_t
    Y_T = v + t`.
    """
    v, t, low, high = sp.symbols("v t t_1 t_0", positive=True)
    change = squared_change(v + t, v + high, v + t)
    integral = sp.integrate(sp.simplify(change), (t, low, high))
    d = (high - low) / (v + high)
    term = -d - sp.log((v + low) / (v + high))
    return left_over(sp.expand_log(integral - term, force=True), (1 - d) - (v + low) / (v + high))


def random_error(draw: np.random.Generator, directions: int) -> ScoreError:
    """Return a score wrong by a random factor (0.5 to 1.5) and a random shift in the predicted
    noise.
    """
    shift, factor = torch.as_tensor(draw.standard_normal(directions)), float(draw.uniform(0.5, 1.5))
    size = 10 ** draw.uniform(-3, 0)
    return ScoreError(lambda level: size * shift / level.sigma, factor)


def largest_error_of_one_steps_parts(settings: Settings) -> Measurement:
    """Measure the largest relative error of one step's parts against the divergence of its own
    kernel, random cases.
    """
    draw, errors = np.random.default_rng(settings.seed), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigma = 10 ** draw.uniform(-2, 2)
        levels = ve_levels([sigma, sigma * draw.uniform(0.2, 0.9)])
        error = random_error(draw, 3)
        errors.append(
            abs(
                kernel_divergence(levels[0], levels[1], law, error) / steps_part(levels, law, error)
                - 1
            )
        )
    return largest(errors, settings.seed)


def kernel_divergence(level: Level, after: Level, law: GaussianLaw, error: ScoreError) -> float:
    """Return the mean over the target's marginal at `level` of KL(exact reverse kernel || the
    step's kernel).
    """
    state = law.start(0.0, 1.0)
    moved, _ = affine(reverse_sde)(state, error.score(law), law.noise, level, law)
    constant, matrix, spread = law.transition(moved)
    own = marginal(law, level).variance
    slope = marginal(law, after).variance / (law.variance + level.sigma**2)
    width = slope * (level.sigma**2 - after.sigma**2)
    shift = constant[:, 0] + (matrix[:, 0, 0] - 1) * law.mean
    square = (matrix[:, 0, 0] - slope) ** 2 * own + shift**2
    ratio = width / spread[:, 0] ** 2
    return float((ratio - 1 - ratio.log() + square / spread[:, 0] ** 2).sum()) / 2


def largest_divergence_over_path_bound(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) over the path bound: random spectra, noise levels,
    score errors, starts.
    """
    draw, ratios = np.random.default_rng(settings.seed + 1), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        sigmas = np.sort(10 ** draw.uniform(-2, 2, draw.integers(2, 20)))[::-1]
        start = Moments(torch.zeros(3).double(), torch.full((3,), sigmas[0] ** 2).double())
        case = ve_levels(sigmas), law, random_error(draw, 3), start
        ratios.append(np.array(divergences(*case)) / path_bound(*case))
    forward, backward = np.transpose(ratios)
    above = {"runs with KL(run || target) above the bound": int((backward > 1).sum())}
    return largest(forward, settings.seed + 1, median=float(np.median(forward)), **above)


@cell
def exact_run(count: int) -> ExactRun:
    """Path bound and divergences of `count` geometric steps on the stiff Gaussian, exact scores
    and start.
    """
    law, levels = stiff_gaussian(), ve_levels(geometric_sigmas(HIGHEST, LOWEST, count + 1))
    case = levels, law, ScoreError(), marginal(law, levels[0])
    return ExactRun(path_bound(*case), *divergences(*case))


def order_of_path_bound(settings: Settings) -> Measurement:
    """Measure the order in 1/N of the path bound, exact scores, geometric noise levels, stiff
    Gaussian.
    """
    bounds = [exact_run(count).bound for count in settings.counts]
    return of_order(asymptotic_order([1 / count for count in settings.counts], bounds))


def order_of_divergence(settings: Settings) -> Measurement:
    """Measure the order in 1/N of KL(target || run), exact scores, geometric noise levels, stiff
    Gaussian.
    """
    _, *values = zip(*(exact_run(count) for count in settings.counts), strict=True)
    forward, backward = (
        asymptotic_order([1 / count for count in settings.counts], each) for each in values
    )
    return of_order(forward, other_direction=backward.value)


MODELS: dict[str, Callable[[float, int], ScoreError]] = {
    "noise off by a vector": noise_bias,
    "score off by a vector": lambda size, d: ScoreError(
        lambda level: torch.full((d,), size / d**0.5)
    ),
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
"""Targets far narrower than the first noise, 80, but for the wide one: its largest standard
deviation is 10.
"""
NARROW = ("stiff", "power law", "one variance")


class EndDivergences(NamedTuple):
    """What a run ends with: KL(target || run) and KL(run || target) in nats, W2, and the path
    bound.
    """

    forward: float
    backward: float
    w2: float
    bound: float


@cell
def path_optimal(count: int, target: str) -> Array:
    """The noise levels that minimise the discretisation part on a target, from the exponential ones
    (L-BFGS).

    The steps' shares of `log(tau_0 / tau_N)` are a softmax of N free numbers, so that noise levels
    always fall.
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

    best = minimize(
        objective,
        np.zeros(count),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000, "ftol": 1e-13},
    )
    return tau_of(torch.tensor(best.x)).sqrt().numpy()


SCHEDULES: dict[str, Callable[[int, str], np.ndarray]] = {
    "exponential": lambda count, target: geometric_sigmas(HIGHEST, LOWEST, count + 1),
    "EDM": lambda count, target: karras_sigmas(HIGHEST, LOWEST, count + 1),
    "path-optimal": path_optimal,
}
"""The noise levels of N steps, by schedule; EDM's at rho = 7."""


@cell
def outcomes(
    target: str, schedule: str, count: int, sizes: tuple[float, ...]
) -> dict[str, list[EndDivergences]]:
    """What N steps end with, for each model and size of the score error.

    They start from the target's own distribution at the first noise level.
    """
    law, levels = TARGETS[target], ve_levels(SCHEDULES[schedule](count, target))
    start, own = marginal(law, levels[0]), marginal(law, levels[-1])

    def outcome(error: ScoreError) -> EndDivergences:
        end, bound = ended(levels, law, error, start), path_bound(levels, law, error, start)
        return EndDivergences(
            *both_divergences(law, own, end), gaussian_w2(*end, *own, law.multiplicity), bound
        )

    d = len(law.variance)
    return {name: [outcome(model(size, d)) for size in sizes] for name, model in MODELS.items()}


def kl_ratio(
    settings: Settings, one: str, other: str, target: str, model: str, size: float, count: int
) -> float:
    """Return KL(target || run) of one schedule over another's."""
    place = settings.sizes.index(size)
    ours, theirs = (
        outcomes(target, name, count, settings.sizes)[model][place].forward for name in (one, other)
    )
    return ours / theirs


def exact_ratios(
    settings: Settings, one: str, other: str, targets: Iterable[str]
) -> dict[str, float]:
    """Return KL(target || run) of one schedule over another's with exact scores, by target and
    N.
    """
    cases = [(target, count) for target in targets for count in settings.budgets]
    return {
        f"{t}, N = {count}": kl_ratio(settings, one, other, t, SHOWN, 0.0, count)
        for t, count in cases
    }


def largest_ratio(settings: Settings, one: str, other: str, targets: Iterable[str]) -> Measurement:
    """Return the largest KL(target || run) of one schedule over another's with exact scores."""
    return named_extreme(exact_ratios(settings, one, other, targets))


def largest_kl_ratio_of_edm_with_bad_scores(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) of EDM's noise levels over exponential ones, largest
    score error and N.
    """
    pair, worst = ("EDM", "exponential"), (max(settings.sizes), max(settings.budgets))
    cases = [(target, model) for target in TARGETS for model in MODELS]
    return named_extreme(
        {f"{t}, {model}": kl_ratio(settings, *pair, t, model, *worst) for t, model in cases}
    )


def least_kl_ratio_of_path_optimal_levels(settings: Settings) -> Measurement:
    """Measure the least KL(target || run) of path-optimal noise levels over exponential and
    EDM's: exact scores.
    """
    ratios = {
        f"{other}, {case}": ratio
        for other in ("exponential", "EDM")
        for case, ratio in exact_ratios(settings, "path-optimal", other, TARGETS).items()
    }
    return named_extreme(ratios, min)


def largest_score_part_of_random_levels(settings: Settings) -> Measurement:
    """Measure the largest score part of random noise levels over exponential ones, equal N,
    noise off by a vector.
    """
    draw, ratios = np.random.default_rng(settings.seed), []
    law, error = GaussianLaw([1.0]), noise_bias(1.0, 1)
    for _ in range(settings.cases):
        inner = np.exp(draw.uniform(np.log(LOWEST), np.log(HIGHEST), draw.integers(1, 30)))
        free = ve_levels([HIGHEST, *np.sort(inner)[::-1], LOWEST])
        plain = ve_levels(geometric_sigmas(HIGHEST, LOWEST, len(free)))
        ratios.append(score_part(free, law, error) / score_part(plain, law, error))
    return largest(ratios, settings.seed)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that the checks and the figure read."""
    yield from (exact_run.cell(count) for count in settings.counts)
    for target in TARGETS:
        for count in settings.budgets:
            yield from (outcomes.cell(target, name, count, settings.sizes) for name in SCHEDULES)
