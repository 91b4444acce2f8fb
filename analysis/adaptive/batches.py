r"""A5, the experiment: many batches of B samples at once, each with a damping of its own.

The rms deviation of beta from the mean field is compared with the linearised constant (module `linearisation`). The
law's bias is far below the noise of one run, so batches of size B and 2B share their draws: to first order the damping
of a batch is the mean of its halves', what is left of the difference is of the bias's own order, and `E_B - E_2B`
halves with each doubling if the bias is `O(1/B)`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from pydantic import JsonValue
from scipy import stats
from torch import Tensor

from ams.samplers import PerSample, State, run
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams.statistics import SUITE_FALSE_ALARM, Interval, mean_interval, plan_margin
from analysis.adaptive.fixed_point import STEP, stationary_damping
from analysis.adaptive.linearisation import fluctuation
from analysis.adaptive.settings import Settings
from verdicts import Measurement, check

U = 0.05
_SHARE = 0.01 * SUITE_FALSE_ALARM  # of each check here
_LINEARISATION = 0.008  # what it leaves of the ratio, at B = 16; less at any size above
_NEXT_ORDER = 0.04  # of the order of the bias, from terms in 1/B^2 at B = 8
_BURN = 60  # steps from the stationary variance of b = 0: the slowest mode shrinks by 0.81 a step at this u


class Batches(PerSample):
    """Rows in batches of `size`: `<v>` is a batch's mean norm, in each of its rows."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def norm(self, vector: Tensor) -> Tensor:
        """Return the column of the batches' mean norms."""
        means = torch.linalg.vector_norm(vector, dim=1).reshape(-1, self._size).mean(1, keepdim=True)
        return means.expand(-1, self._size).reshape(-1, 1)


def observed(batch: int, dimension: int, groups: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, per group, the mean over steps of `(beta - mean field)^2` and of `lam |x|^2 / d`."""
    generator, beta = torch.Generator().manual_seed(seed), stationary_damping(U)
    start = torch.randn(groups * batch, dimension, dtype=torch.float64, generator=generator)
    program = [(STEP, Level(0, sigma=0.0, step=U))] * (_BURN + steps)
    states = run(program, State(start), lambda at, level: -at, generated(generator), Batches(batch))
    squares, spread = np.zeros(groups), np.zeros(groups)
    for number, (state, info) in enumerate(states):
        if number >= _BURN and info.coefficients:
            squares += (info.coefficients.beta[::batch, 0] - beta).square().numpy() / steps
            spread += state.x.square().reshape(groups, -1).mean(1).numpy() / steps
    return squares, spread


@cache
def ratio(batch: int, dimension: int, settings: Settings) -> Interval:
    """Return `sd(beta) sqrt B` over its linearised constant, with an interval from independent groups."""
    groups = max(64, 2**16 // (batch * dimension))
    squares, _ = observed(batch, dimension, groups, settings.group_steps // groups, settings.seed)
    scale = batch / fluctuation(U, dimension) ** 2
    value, low, high, _ = mean_interval(scale * squares, 1 - _SHARE / 8)
    return Interval(value**0.5, max(low, 0.0) ** 0.5, high**0.5, groups)


def _farthest(ratios: dict[str, Interval], seed: int) -> Measurement:
    """Return the largest `|ratio - 1|`, an estimate: the margin that it needs is in the detail (of a ratio near 1)."""
    worst = max(abs(r.value - 1) for r in ratios.values())
    error = max((r.high - r.low) / (2 * r.value * stats.t.isf(_SHARE / 16, r.n - 1)) for r in ratios.values())
    planned = plan_margin(error, effect=0.05, share=_SHARE / 8 / SUITE_FALSE_ALARM, bias=_LINEARISATION)
    detail: dict[str, JsonValue] = {**{name: r.value for name, r in ratios.items()}, **planned.detail()}
    return Measurement(value=worst, n=sum(r.n for r in ratios.values()), seeds=(seed,), detail=detail)


@check("A5.constant")
def deviation_falls_as_the_root_of_the_batch(settings: Settings) -> Measurement:
    """Return how far `sd(beta) sqrt B` is from the linearised constant, over the batch sizes, d = 2, u = 0.05."""
    return _farthest({f"B = {batch}": ratio(batch, 2, settings) for batch in settings.batches}, settings.seed)


@check("A5.single")
def one_sample_in_many_dimensions(settings: Settings) -> Measurement:
    """Return how far `sd(beta) sqrt d` of one sample is from its limit for large d, over the dimensions, u = 0.05."""
    limit = fluctuation(U, np.inf)
    found = {}
    for dimension in settings.dimensions:
        scale = fluctuation(U, dimension) * dimension**0.5 / limit
        value, low, high, n = ratio(1, dimension, settings)
        found[f"d = {dimension}"] = Interval(scale * value, scale * low, scale * high, n)
    return _farthest(found, settings.seed)


@cache
def coupled(settings: Settings, particles: int = 2**13) -> np.ndarray:
    """Return `lam |x|^2 / d` per block of particles (rows) and batch size (columns), the draws shared, d = 2."""
    blocks, columns = particles // max(settings.coupled_batches), []
    for batch in settings.coupled_batches:
        _, spread = observed(batch, 2, particles // batch, settings.coupled_steps, settings.seed)
        columns.append(spread.reshape(blocks, -1).mean(1))
    return np.stack(columns, axis=1)


@check("A5.bias")
def bias_falls_with_the_batch(settings: Settings) -> Measurement:
    """Return the order in 1/B of `E_2B lam Var x - E_B lam Var x`, u = 0.05, d = 2; its standard error by jackknife."""
    means = coupled(settings)
    batches = np.array(settings.coupled_batches[:-1])

    def order(rows: np.ndarray) -> float:
        return -float(np.polyfit(np.log(batches), np.log(np.diff(rows.mean(0))), 1)[0])

    n = len(means)
    left_out = np.array([order(np.delete(means, i, axis=0)) for i in range(n)])
    planned = plan_margin(float(np.sqrt((n - 1) * left_out.var())), effect=0.25, bias=_NEXT_ORDER)
    bias = (2 * batches * np.diff(means.mean(0))).tolist()
    detail: dict[str, JsonValue] = dict(zip((f"B E, B = {b}" for b in batches), bias, strict=True))
    return Measurement(value=order(means), n=n, seeds=(settings.seed,), detail={**detail, **planned.detail()})
