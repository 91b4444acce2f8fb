"""What the group computes: the outcome of each run of a sampler on the target with its exact score.

A run starts alike and draws the same noise in the same order, whatever the sampler, so that
differences are paired. Its samples are compared with the target at the last noise level. They are
coupled by nothing but norms over the batch, which vary by a thousandth, so groups of them are taken
as independent. A quantity that sampling biases has the pseudo-values `G T - (G - 1) T_{-g}` of the
groups: their mean has no bias of order 1/n, and is 0 for exact samples.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtr
from torch import Tensor

from ams.samplers.presets import SPECS, Hyperparameters
from ams.schedules import Level
from beyond.data_like.settings import CHOSEN, GROUPS, SAMPLERS, Settings
from beyond.data_like.targets import JUDGED, target
from experiments.images.runs import Problem, generator, run
from verdicts.studies import Cell, cell

DIRECTIONS = 48
"""Directions of the sliced distance."""
NODES = 4001
"""Nodes of its quantiles."""
Values = tuple[float, ...]


class Outcome(NamedTuple):
    """What is wrong with a run's samples, one value for each group.

    `sliced`: squared W2 along fixed random directions of the subspace, over the variance there
    (pseudo-values). `shares`: the modes' weights in the samples, by their posterior. `dead`: the
    variance in dead directions over the target's.
    """

    sliced: Values
    shares: tuple[Values, ...]
    dead: Values


@cell
def outcome(sampler: str, budget: int, samples: int, seed: int) -> Outcome:
    """The outcome of a sampler's run with its chosen hyperparameters."""
    return outcome_on(JUDGED, sampler, CHOSEN[sampler], budget, samples, seed)


def outcome_on(
    name: str, sampler: str, hyperparameters: Hyperparameters, budget: int, samples: int, seed: int
) -> Outcome:
    """Return the outcome of a sampler's run on the target of that name."""
    data = target(name)
    problem = Problem(data.mixture.score, data.mixture.shape, data.sigmas)
    draws = generator(seed, 0)
    return judged(name, run(problem, SPECS[sampler], budget, hyperparameters, samples, draws).x)


def judged(name: str, x: Float[Tensor, "n d"]) -> Outcome:
    """Return the outcome of samples at the last noise level, the groups in the order of the
    rows.
    """
    data = target(name)
    exact = data.mixture.marginal(Level(0, sigma=data.sigmas.last))
    posterior = exact.posterior(x, Level(0, sigma=0.0)).double()
    across = x[:, exact.m :].double().square().mean(1) / (posterior @ exact.residual.double())
    along = (x[:, : exact.m] @ _directions(name)).double().numpy()
    shares = posterior.reshape(GROUPS, -1, posterior.shape[1]).mean(1).T
    return Outcome(
        pseudo_values(len(x), lambda rows: _sliced(name, along[rows])),
        tuple(tuple(mode.tolist()) for mode in shares),
        tuple(across.reshape(GROUPS, -1).mean(1).tolist()),
    )


def pseudo_values(n: int, statistic: Callable[[np.ndarray], float]) -> Values:
    """Return `G T - (G - 1) T_{-g}` for a statistic T of rows, each of the G groups left out in
    turn.
    """
    groups, whole = np.arange(n).reshape(GROUPS, -1), statistic(np.arange(n))
    without = (statistic(np.delete(groups, g, axis=0).ravel()) for g in range(GROUPS))
    return tuple(GROUPS * whole - (GROUPS - 1) * other for other in without)


@cache
def _directions(name: str) -> Float[Tensor, "m directions"]:
    normal = torch.randn(
        target(name).mixture.m, DIRECTIONS, generator=torch.Generator().manual_seed(1)
    )
    return normal / normal.norm(dim=0)


@cache
def _quantiles(name: str, n: int) -> tuple[Float[np.ndarray, "n directions"], float]:
    """Return the target's quantiles at `(i + 1/2) / n` along each direction, and its mean
    variance along them.
    """
    data = target(name)
    mixture, directions = data.mixture.to(torch.float64), _directions(name).double()
    means = (mixture.means @ directions).numpy()
    inside = torch.einsum("kmr,mj->kjr", mixture.bases, directions).square()
    wider = torch.einsum("kjr,kr->kj", inside, mixture.variances - mixture.residual[:, None])
    deviations = (wider + mixture.residual[:, None] + data.sigmas.last**2).sqrt().numpy()
    weights, levels = mixture.weights.numpy()[:, None], (np.arange(n) + 0.5) / n
    columns = []
    for mean, deviation in zip(means.T[:, :, None], deviations.T[:, :, None], strict=True):
        nodes = np.linspace((mean - 6 * deviation).min(), (mean + 6 * deviation).max(), NODES)
        columns.append(
            np.interp(levels, (weights * ndtr((nodes - mean) / deviation)).sum(0), nodes)
        )
    variance = (weights * (deviations**2 + means**2)).sum(0) - (weights * means).sum(0) ** 2
    return np.stack(columns, axis=1), float(variance.mean())


def _sliced(name: str, along: Float[np.ndarray, "n directions"]) -> float:
    quantiles, variance = _quantiles(name, len(along))
    return float(np.square(np.sort(along, axis=0) - quantiles).mean() / variance)


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    for sampler in SAMPLERS:
        yield from (_cell(settings, sampler, budget) for budget in settings.budgets_of(sampler))


def value(settings: Settings, sampler: str, budget: int) -> Outcome:
    """Return the outcome of a run of the group."""
    run_of = _cell(settings, sampler, budget)
    result: Outcome = run_of.function(**run_of.arguments)
    return result


def _cell(settings: Settings, sampler: str, budget: int) -> Cell[Outcome]:
    return outcome.cell(sampler, budget, settings.samples_at(budget), settings.seed)
