r"""A5: batches of B samples, each with a momentum coefficient of its own, against the mean field.

The rms deviation of `b_t` from the mean field's is compared with the linearised constant (module `linearisation`). The
distribution's bias is far below the noise of one run, so batches of size B and 2B share their draws: to first order the
`b_t` of a batch is the mean of its halves', what is left of the difference is of the bias's own order, and `E_B - E_2B`
halves with each doubling if the bias is `O(1/B)`.
"""

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue
from scipy import stats

from ams.statistics import SUITE_FALSE_ALARM, Interval, mean_interval, plan_margin
from analysis.adaptive import linearisation, study
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import U
from verdicts import Measurement, check

_SHARE = 0.01 * SUITE_FALSE_ALARM  # of each check here
_LINEARISATION = 0.008  # what it leaves of the ratio, at B = 16; less at any size above
_NEXT_ORDER = 0.04  # of the order of the bias, from terms in 1/B^2 at B = 8


def ratio(batch: int, dimension: int, settings: Settings) -> Interval:
    """Return `sd(b_t) sqrt B` over its linearised constant, with an interval from independent batches."""
    squares = study.momentum_fluctuations(*study.fluctuating(settings, batch, dimension))
    scale = batch / linearisation.fluctuation(U, dimension) ** 2
    value, low, high, n = mean_interval(scale * squares, 1 - _SHARE / 8)
    return Interval(value**0.5, max(low, 0.0) ** 0.5, high**0.5, n)


def _farthest(ratios: Mapping[str, Interval], seed: int) -> Measurement:
    """Return the largest `|ratio - 1|`, an estimate: the margin that it needs is in the detail (of a ratio near 1)."""
    worst = max(abs(r.value - 1) for r in ratios.values())
    error = max((r.high - r.low) / (2 * r.value * stats.t.isf(_SHARE / 16, r.n - 1)) for r in ratios.values())
    planned = plan_margin(error, effect=0.05, share=_SHARE / 8 / SUITE_FALSE_ALARM, bias=_LINEARISATION)
    detail: dict[str, JsonValue] = {**{name: r.value for name, r in ratios.items()}, **planned.detail()}
    return Measurement(value=worst, n=sum(r.n for r in ratios.values()), seeds=(seed,), detail=detail)


@check("A5.constant")
def largest_error_of_the_fluctuation_over_batch_sizes(settings: Settings) -> Measurement:
    """Measure how far `sd(b_t) sqrt B` is from the linearised constant, over the batch sizes, d = 2, u = 0.05."""
    return _farthest({f"B = {batch}": ratio(batch, 2, settings) for batch in settings.batches}, settings.seed)


@check("A5.single")
def largest_error_of_one_sample_s_fluctuation(settings: Settings) -> Measurement:
    """Measure how far `sd(b_t) sqrt d` of one sample is from its limit for large d, over the dimensions, u = 0.05."""
    limit, ratios = linearisation.fluctuation(U, np.inf), {}
    for d in settings.dimensions:
        scale = linearisation.fluctuation(U, d) * d**0.5 / limit
        value, low, high, n = ratio(1, d, settings)
        ratios[f"d = {d}"] = Interval(scale * value, scale * low, scale * high, n)
    return _farthest(ratios, settings.seed)


@check("A5.bias")
def order_of_the_variance_s_bias(settings: Settings) -> Measurement:
    """Measure the order in 1/B of `E_2B lam Var x - E_B lam Var x`, u = 0.05, d = 2; standard error by jackknife."""
    sizes = settings.coupled_batches
    means = study.variances_by_batch_size(sizes, settings.coupled_steps, settings.seed)
    batches = np.array(sizes[:-1])

    def order(rows: np.ndarray) -> float:
        return -float(np.polyfit(np.log(batches), np.log(np.diff(rows.mean(0))), 1)[0])

    n = len(means)
    left_out = np.array([order(np.delete(means, i, axis=0)) for i in range(n)])
    planned = plan_margin(float(np.sqrt((n - 1) * left_out.var())), effect=0.25, bias=_NEXT_ORDER)
    bias = (2 * batches * np.diff(means.mean(0))).tolist()
    detail = {f"B E, B = {batch}": each for batch, each in zip(batches, bias, strict=True)}
    return Measurement(value=order(means), n=n, seeds=(settings.seed,), detail={**detail, **planned.detail()})
