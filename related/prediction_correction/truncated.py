r"""N1: a truncated score makes the bound of N1 one that the mean square error alone decides.

Let the true score of `p` lie, at each x, in a known convex set K(x) of diameter at most M, and let
`s~(x)` be the nearest point of K(x) to the score `s(x)`. With `e = s - grad log p` and `e~ = s~ -
grad log p`:

1. `|e~| <= |e|`, since projection onto a convex set brings s no farther from a point of it, and
   `|e~| <= M`.
2. `exp(L y) <= 1 + y (exp(L M^2) - 1) / M^2` for y in [0, M^2], as the exponential is convex.
3. So `log E_p exp(L |e~|^2) <= log(1 + E_p|e~|^2 (exp(L M^2) - 1) / M^2)`, which goes into N1's
   bound on KL_t.

Here p is a mixture `sum_k w_k N(r a_k, s^2)`, `a_k` in [-1, 1]: the forward process at time T1 of
noisy points. Its score is `(r E[a|x] - x) / s^2` with `E[a|x]` in [-1, 1], so truncation clips the
denoised point, and `M = 2 r / s^2`. For two points `-(log p)'' >= 1/s^2 - r^2/s^4` (the variance of
a is at most 1), which where positive is one over the logarithmic Sobolev constant (Bakry and
Emery). The raw error is small where p is large and grows linearly beyond: its exponential moment is
infinite. `q_t` is on a grid: the generator of a diffusion on the line is symmetric in L^2 of its
own stationary density, a tridiagonal matrix as in `fixed_time.relaxation_time`, and its
eigenvectors give all times.

Source: proved here; that a bound in the mean square error suffices is the message of Pedrotti, Maas
and Mondelli (arXiv 2305.14164).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import logsumexp

from ams.schedules import VP
from ams_suite.measures import largest
from related.prediction_correction.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

POINTS, HALF_RANGE = 601, 9.0
"""Nodes of a grid, and half its range in standard deviations of a component, beyond the components'
means.
"""
SPREAD = 0.2
"""Of the data about their two points."""
FAR = 20.0
"""Half the range, in the same unit, over which a moment is first computed; then over twice that."""


class Problem(NamedTuple):
    """A two-mode mixture at time T1, an error of its score, a start N(mean, deviation^2), a time
    over C.
    """

    r: float
    s: float
    minority: float
    shift: float
    wave: tuple[float, float, float]
    slope: float
    beyond: float
    mean: float
    deviation: float
    times: float

    @property
    def constant(self) -> float:
        """Return the logarithmic Sobolev constant C by the curvature: `1 / (1/s^2 - r^2/s^4)`."""
        return self.s**4 / (self.s**2 - self.r**2)

    @property
    def width(self) -> float:
        """Return M, the most by which a truncated score can be wrong."""
        return 2 * self.r / self.s**2


class TruncationRatios(NamedTuple):
    """Of many problems: KL_t over the bound by the truncated moment, and over that by the mean
    square error; the mean square error after truncation over that before; the moment's logarithm
    over twice the range to that over the range, of the raw and of the truncated score; the mean
    square error after truncation.
    """

    moment: Array
    square: Array
    shrunk: Array
    raw: Array
    truncated: Array
    error: Array


def random_problem(draw: np.random.Generator) -> Problem:
    """Return a problem at random; the raw error's slope makes its exponential moment at L = C
    infinite.
    """
    r, sigma = VP(2.0, 2.0).marginal(draw.uniform(0.4, 1.5))
    s = math.hypot(sigma, SPREAD * r)
    edge = math.sqrt((1 - r**2 / s**2) / 2) / s**2  # the slope at which C slope^2 = 1 / (2 s^2)
    size = 10 ** draw.uniform(-2, -0.3)
    wave = size * draw.standard_normal(), draw.uniform(0.5, 4.0), draw.uniform(0, 2 * math.pi)
    linear = edge * draw.uniform(1.2, 3.0), s * draw.uniform(1.5, 3.5)
    start = draw.normal(0.0, 1.0), 10 ** draw.uniform(-0.5, 0.5)
    return Problem(
        r,
        s,
        draw.uniform(0.1, 0.5),
        size * draw.standard_normal(),
        wave,
        *linear,
        *start,
        10 ** draw.uniform(-1, 1),
    )


def log_density(case: Problem, x: np.ndarray) -> np.ndarray:
    """Return `log p` (nats), up to rounding normalised."""
    terms = [-((x - at * case.r) ** 2) / (2 * case.s**2) for at in (-1, 1)]
    weights = np.array([case.minority, 1 - case.minority])[:, None]
    return logsumexp(terms, axis=0, b=weights) - math.log(case.s * math.sqrt(2 * math.pi))


def true_score(case: Problem, x: np.ndarray) -> np.ndarray:
    """Return `(r E[a|x] - x) / s^2`."""
    odds = math.log((1 - case.minority) / case.minority) + 2 * case.r * x / case.s**2
    return (case.r * np.tanh(odds / 2) - x) / case.s**2


def raw_error(case: Problem, x: np.ndarray) -> np.ndarray:
    """Return a shift and a wave, and beyond a distance from 0 what grows linearly."""
    size, frequency, phase = case.wave
    tail = np.sign(x) * np.maximum(np.abs(x) - case.r - case.beyond, 0.0)
    return case.shift + size * np.sin(frequency * x + phase) + case.slope * tail


def truncated(case: Problem, x: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the score whose denoised point `(x + s^2 score) / r` is clipped to [-1, 1]."""
    return (case.r * np.clip((x + case.s**2 * score) / case.r, -1.0, 1.0) - x) / case.s**2


def truncated_error(case: Problem, x: np.ndarray) -> np.ndarray:
    """Return what the truncated score is wrong by."""
    exact = true_score(case, x)
    return truncated(case, x, exact + raw_error(case, x)) - exact


def log_moment(case: Problem, error: np.ndarray, x: np.ndarray) -> float:
    """Return `log int p exp(C e^2)` over the range of x, by the trapezoidal rule."""
    return float(logsumexp(log_density(case, x) + case.constant * error**2)) + math.log(x[1] - x[0])


def grid(case: Problem, deviations: float, points: int = POINTS) -> np.ndarray:
    """Return nodes up to so many standard `deviations` beyond the modes."""
    end = case.r + deviations * case.s
    return np.linspace(-end, end, points)


def divergence_at(case: Problem, points: int = POINTS) -> tuple[float, float]:
    """Return KL of the start, and of the diffusion along the truncated score at its time, to p
    (nats), on a grid.
    """
    x = grid(case, HALF_RANGE, points)
    spacing, middle = x[1] - x[0], (x[1:] + x[:-1]) / 2
    # of log of its stationary density
    rise = spacing * (true_score(case, middle) + truncated_error(case, middle))
    up = np.exp(rise / 2)
    diagonal = np.append(up, 0.0) + np.append(0.0, 1 / up)
    values, vectors = eigh_tridiagonal(diagonal / spacing**2, -np.ones(points - 1) / spacing**2)
    root = np.append(0.0, np.cumsum(rise)) / 2
    root = np.exp(root - root.max())
    begin = np.exp(-(((x - case.mean) / case.deviation) ** 2) / 2)
    begin /= begin.sum()
    decayed = np.exp(-np.maximum(values, 0.0) * case.times * case.constant) * (
        vectors.T @ (begin / root)
    )
    p = np.exp(log_density(case, x))
    return _relative_entropy(begin, p), _relative_entropy(root * (vectors @ decayed), p)


def _relative_entropy(q: np.ndarray, p: np.ndarray) -> float:
    q, p = (np.maximum(each, 1e-300) / each.sum() for each in (q, p))
    return float(np.sum(q * np.log(q / p) - q + p))


def bounds(case: Problem, start: float) -> tuple[float, float, float]:
    """Return N1's bound at L = C by the truncated moment, by the mean square error, and that
    error.
    """
    x = grid(case, HALF_RANGE)
    error = truncated_error(case, x)
    square = float(np.sum(np.exp(log_density(case, x)) * error**2)) * (x[1] - x[0])
    left, most = math.exp(-case.times / 2), case.width**2
    by_square = math.log1p(square * math.expm1(case.constant * most) / most)
    by_moment = log_moment(case, error, x)
    return left * start + (1 - left) * by_moment, left * start + (1 - left) * by_square, square


def growth(case: Problem, error: Callable[[Problem, np.ndarray], np.ndarray]) -> float:
    """Return the moment's logarithm over twice the range over that over the range, of an error of
    the score.
    """
    near, far = (
        log_moment(case, error(case, x), x)
        for x in (grid(case, FAR, 8001), grid(case, 2 * FAR, 16001))
    )
    return far / near


@cell
def random_cases(count: int, seed: int) -> TruncationRatios:
    """What random problems give."""
    draw, rows = np.random.default_rng(seed), []
    for _ in range(count):
        case = random_problem(draw)
        start, end = divergence_at(case)
        by_moment, by_square, square = bounds(case, start)
        x = grid(case, HALF_RANGE)
        before = float(np.sum(np.exp(log_density(case, x)) * raw_error(case, x) ** 2)) * (
            x[1] - x[0]
        )
        grown = (growth(case, error) for error in (raw_error, truncated_error))
        rows.append((end / by_moment, end / by_square, square / before, *grown, square))
    return TruncationRatios(*np.transpose(rows))


def least_growth_of_the_raw_moment(settings: Settings) -> Measurement:
    """Measure the least ratio of the raw error's log moment over twice a range to that over the
    range.
    """
    ratios = random_cases(settings.truncated, settings.seed).raw
    return Measurement(value=float(ratios.min()), n=len(ratios), seeds=(settings.seed,))


def largest_ratio(settings: Settings, of: str) -> Measurement:
    """Return the largest of a ratio of `TruncationRatios`, random problems; the detail has the
    least and the median.
    """
    ratios = getattr(random_cases(settings.truncated, settings.seed), of)
    return largest(
        ratios, settings.seed, least=float(ratios.min()), median=float(np.median(ratios))
    )
