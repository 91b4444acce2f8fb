"""What the group computes once: the outcome of each run, and of the trials that chose the hyperparameters.

A run starts alike and draws the same noise in the same order, whatever the sampler, so that differences are paired. Its
samples are compared with the target at the last noise level. They are coupled by nothing but norms over the batch,
which vary by a thousandth, so groups of them are taken as independent. A quantity that sampling biases has the
pseudo-values `G T - (G - 1) T_{-g}` of the groups: their mean has no bias of order 1/n, and is 0 for exact samples.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtr
from torch import Tensor

from ams.samplers import NonFiniteState
from ams.samplers.presets import SPECS, Hyperparameters
from ams.schedules import Level
from ams.targets.low_rank_mixture import LowRankMixture
from beyond.data_like.scores import score
from beyond.data_like.settings import (
    BASELINE,
    CHOSEN,
    CONTROL,
    DEVELOPMENT,
    EQUAL,
    ERRORS,
    GROUPS,
    HEADLINE,
    LONG,
    PAPER,
    SAMPLERS,
    ScoreError,
    Settings,
    trials,
)
from beyond.data_like.targets import DATA, DataLike, target
from experiments.images.runs import Problem, generator, run
from verdicts.studies import Cell, Kept, cell

DIRECTIONS, NODES, FREQUENT = 48, 4001, 0.05
"""Directions of the sliced distance, nodes of its quantiles, the least weight of a mode whose shape is judged."""
EXACT = "fresh draws"
Values = tuple[float, ...]


class Outcome(NamedTuple):
    """The errors of a run's samples, one value for each group; infinite where the run diverges.

    `sliced`: squared W2 along fixed random directions of the subspace, over the variance there (pseudo-values).
    `modes`: squared W2 of each frequent mode's principal coordinates, as Gaussians direction by direction, over the
    mode's variance there, by weight (pseudo-values). `shares`: the modes' weights in the samples, by their posterior.
    `dead`: the variance in dead directions over the target's.
    """

    sliced: Values
    modes: Values
    shares: tuple[Values, ...]
    dead: Values


def alike(kept: Outcome, anew: Outcome) -> float:
    """Return 1 where two outcomes differ by rounding alone, else 0.

    Rounding may move a sample at the border of two modes, so the means over groups are compared: within a tenth of the
    larger, or of 0.1. Both diverge, or neither does.
    """
    ours, theirs = (np.array([np.mean(one.sliced), np.mean(one.dead), *np.mean(one.shares, 1)]) for one in (kept, anew))
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return float(np.array_equal(ours, theirs))
    return float((np.abs(ours - theirs) <= 0.1 * np.maximum(np.abs(ours), 0.1)).all())


@cell(kept=Kept("data_like.outcome", test=alike))
def outcome(name: str, error: ScoreError, sampler: str, budget: int, samples: int, seed: int) -> Outcome:
    """The outcome of a sampler's run with its chosen hyperparameters, or of fresh draws, on a target of no data."""
    return _outcome(name, error, sampler, budget, samples, seed, CHOSEN.get(sampler))


@cell(data=(DATA["MNIST"],), kept=Kept("data_like.mnist_outcome", test=alike))
def mnist_outcome(name: str, error: ScoreError, sampler: str, budget: int, samples: int, seed: int) -> Outcome:
    """The outcome of a sampler's run, or of fresh draws, on the fit to MNIST."""
    return _outcome(name, error, sampler, budget, samples, seed, CHOSEN.get(sampler))


@cell(data=(DATA["CIFAR-10"],), kept=Kept("data_like.cifar_outcome", test=alike))
def cifar_outcome(name: str, error: ScoreError, sampler: str, budget: int, samples: int, seed: int) -> Outcome:
    """The outcome of a sampler's run, or of fresh draws, on the fit to CIFAR-10."""
    return _outcome(name, error, sampler, budget, samples, seed, CHOSEN.get(sampler))


@cell(kept=Kept("data_like.trial", test=alike))
def trial(sampler: str, hyperparameters: Hyperparameters, samples: int, seed: int) -> Outcome:
    """The outcome of a sampler's run on the development target with its exact score, at 50 evaluations."""
    return _outcome(DEVELOPMENT, ERRORS[0], sampler, HEADLINE, samples, seed, hyperparameters)


def _outcome(
    name: str, error: ScoreError, sampler: str, budget: int, samples: int, seed: int, chosen: Hyperparameters | None
) -> Outcome:
    data, draws = target(name), generator(seed, 0 if sampler != EXACT else 1)
    if chosen is None:
        return judged(name, data.mixture.sample(samples, Level(0, sigma=data.sigmas.last), draws))
    problem = Problem(score(name, error), data.mixture.shape, data.sigmas)
    try:
        return judged(name, run(problem, SPECS[sampler], budget, chosen, samples, draws).x)
    except NonFiniteState:
        lost = (float("inf"),) * GROUPS
        return Outcome(lost, lost, (lost,) * len(data.mixture.weights), lost)


def judged(name: str, x: Float[Tensor, "n d"]) -> Outcome:
    """Return the outcome of samples at the last noise level, the groups in the order of the rows."""
    data = target(name)
    exact = data.mixture.marginal(Level(0, sigma=data.sigmas.last))
    posterior = exact.posterior(x, Level(0, sigma=0.0)).double()
    across = x[:, exact.m :].double().square().mean(1) / (posterior @ exact.residual.double())
    along = (x[:, : exact.m] @ _directions(name)).double().numpy()
    shares = posterior.reshape(GROUPS, -1, posterior.shape[1]).mean(1).T
    return Outcome(
        pseudo_values(len(x), lambda rows: _sliced(name, along[rows])),
        pseudo_values(len(x), lambda rows: _of_modes(exact, x[rows], posterior[rows])),
        tuple(tuple(mode.tolist()) for mode in shares),
        tuple(across.reshape(GROUPS, -1).mean(1).tolist()),
    )


def pseudo_values(n: int, statistic: Callable[[np.ndarray], float]) -> Values:
    """Return `G T - (G - 1) T_{-g}` for a statistic T of rows, each of the G groups left out in turn."""
    groups, whole = np.arange(n).reshape(GROUPS, -1), statistic(np.arange(n))
    without = (statistic(np.delete(groups, g, axis=0).ravel()) for g in range(GROUPS))
    return tuple(GROUPS * whole - (GROUPS - 1) * other for other in without)


@cache
def _directions(name: str) -> Float[Tensor, "m directions"]:
    normal = torch.randn(target(name).mixture.m, DIRECTIONS, generator=torch.Generator().manual_seed(1))
    return normal / normal.norm(dim=0)


@cache
def _quantiles(name: str, n: int) -> tuple[Float[np.ndarray, "n directions"], float]:
    """Return the target's quantiles at `(i + 1/2) / n` along each direction, and its mean variance along them."""
    data: DataLike = target(name)
    mixture, directions = data.mixture.to(torch.float64), _directions(name).double()
    means = (mixture.means @ directions).numpy()
    inside = torch.einsum("kmr,mj->kjr", mixture.bases, directions).square()
    wider = torch.einsum("kjr,kr->kj", inside, mixture.variances - mixture.residual[:, None])
    deviations = (wider + mixture.residual[:, None] + data.sigmas.last**2).sqrt().numpy()
    weights, levels = mixture.weights.numpy()[:, None], (np.arange(n) + 0.5) / n
    columns = []
    for mean, deviation in zip(means.T[:, :, None], deviations.T[:, :, None], strict=True):
        nodes = np.linspace((mean - 6 * deviation).min(), (mean + 6 * deviation).max(), NODES)
        columns.append(np.interp(levels, (weights * ndtr((nodes - mean) / deviation)).sum(0), nodes))
    variance = (weights * (deviations**2 + means**2)).sum(0) - (weights * means).sum(0) ** 2
    return np.stack(columns, axis=1), float(variance.mean())


def _sliced(name: str, along: Float[np.ndarray, "n directions"]) -> float:
    quantiles, variance = _quantiles(name, len(along))
    return float(np.square(np.sort(along, axis=0) - quantiles).mean() / variance)


def _of_modes(exact: LowRankMixture, x: Float[Tensor, "n d"], posterior: Float[Tensor, "n k"]) -> float:
    """Return the frequent modes' squared W2 over their variance, by weight; a mode without two samples counts 1."""
    total, mode = 0.0, posterior.argmax(1)
    frequent = [k for k, weight in enumerate(exact.weights.tolist()) if weight >= FREQUENT]
    for k in frequent:
        own = ((x[mode == k, : exact.m] - exact.means[k]) @ exact.bases[k]).double()
        if len(own) < 2:
            total += float(exact.weights[k])
            continue
        spread = own.std(0) - exact.variances[k].double().sqrt()
        error = (own.mean(0).square() + spread.square()).sum() / exact.variances[k].sum()
        total += float(exact.weights[k] * error)
    return total / float(exact.weights[frequent].sum())


def run_of(settings: Settings, name: str, error: ScoreError, sampler: str, budget: int) -> Cell[Outcome]:
    """Return the cell of a run of the group; fresh draws are as many as samples at 50 evaluations."""
    function = {"MNIST": mnist_outcome, "CIFAR-10": cifar_outcome}.get(name, outcome)
    samples = settings.samples_at(budget or HEADLINE, error == ERRORS[0] and sampler in (BASELINE, PAPER))
    return function.cell(name, error, sampler, budget, samples, settings.seed)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read, the longest last."""
    for sampler in SAMPLERS:
        yield from (trial.cell(sampler, h, settings.samples_at(HEADLINE), settings.seed) for h in trials(sampler))
    exact = ERRORS[0]
    yield run_of(settings, "synthetic", exact, CONTROL, HEADLINE)
    yield from (run_of(settings, EQUAL, exact, sampler, HEADLINE) for sampler in (BASELINE, PAPER))
    for name in settings.targets:
        yield run_of(settings, name, exact, EXACT, 0)
        yield from (run_of(settings, name, exact, sampler, LONG) for sampler in (BASELINE, PAPER))
    short = sorted(settings.budgets, key=lambda budget: (budget > 100, budget != HEADLINE, budget))
    for budget, error, name in product(short, ERRORS, settings.targets):
        yield from (run_of(settings, name, error, sampler, budget) for sampler in SAMPLERS)


def value(settings: Settings, name: str, error: ScoreError, sampler: str, budget: int) -> Outcome:
    """Return the outcome of a run of the group."""
    run = run_of(settings, name, error, sampler, budget)
    result: Outcome = run.function(**run.arguments)
    return result
