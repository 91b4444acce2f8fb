r"""N1: inexact Langevin `dX = (grad log p + e)(X) dt + sqrt 2 dW`, its bound in KL, and errors that
try to exceed it.

Let `p` satisfy a logarithmic Sobolev inequality `KL(q || p) <= (C / 2) I(q | p)`, `I = E_q |grad
log (q / p)|^2` (a Gaussian does with `C` its largest variance). Entropy dissipates, errors feed it,
Donsker and Varadhan bound what they feed:

    d/dt KL = -I + E_q <e, grad log (q/p)> <= -I / 2 + E_q |e|^2 / 2 <= -KL / C + (KL + log E_p
    exp(L |e|^2)) / (2 L)

for any `L > C / 2`, so that by Gronwall, with `r = 1 / C - 1 / (2 L)`,

    KL_t <= exp(-r t) KL_0 + (1 - exp(-r t)) log E_p exp(L |e|^2) / (2 L / C - 1)

`L = C` is the bound of claim N1. On `p = N(0, diag V)` with an affine error `e(x) = A x + b` the
diffusion is Gaussian at all times and both sides are closed forms: no sampling. Source: proved
here; the setting is that of Pedrotti, Maas and Mondelli (arXiv 2305.14164).
"""

from typing import NamedTuple

import numpy as np
import sympy as sp
from jaxtyping import Float
from scipy.linalg import expm

from ams_suite.measures import largest
from analysis.proofs import left_over
from related.prediction_correction.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

Batch = Float[np.ndarray, " n"]
Vectors = Float[np.ndarray, "n d"]
Matrices = Float[np.ndarray, "n d d"]


class InexactDiffusions(NamedTuple):
    """Rows: targets `N(0, diag variance)`, score errors `e(x) = tilt x + shift`, starts N(mean,
    covariance), times.
    """

    variance: Vectors
    tilt: Matrices
    shift: Vectors
    mean: Vectors
    covariance: Matrices
    time: Batch

    @property
    def constant(self) -> Batch:
        """Return the logarithmic Sobolev constant `C`: the largest variance."""
        return self.variance.max(axis=1)


class Tightness(NamedTuple):
    """Of many cases: the bound on `KL_t` in nats, and `KL_t` over it."""

    bound: Array
    ratio: Array


def diffused(case: InexactDiffusions) -> InexactDiffusions:
    """Return the cases with the inexact diffusions' distributions at their times in the place of
    the starts.

    With `K = diag(1/V) - A`: mean `M + exp(-K t) (m_0 - M)`, `M = K^-1 b`; covariance `S + exp(-K
    t) (S_0 - S) exp(-K t)^T`, `K S + S K^T = 2 I`.
    """
    n, d = case.variance.shape
    drift = np.eye(d) / case.variance[:, None, :] - case.tilt
    both = np.einsum("nij,kl->nikjl", drift, np.eye(d)) + np.einsum(
        "ij,nkl->nikjl", np.eye(d), drift
    )
    source = np.broadcast_to(2.0 * np.eye(d).reshape(-1, 1), (n, d * d, 1))
    end = np.linalg.solve(both.reshape(n, d * d, d * d), source).reshape(n, d, d)
    rest = np.linalg.solve(drift, case.shift[..., None])[..., 0]
    decay = expm(-drift * case.time[:, None, None])
    mean = rest + np.einsum("nij,nj->ni", decay, case.mean - rest)
    return case._replace(mean=mean, covariance=end + decay @ (case.covariance - end) @ decay.mT)


def divergence(case: InexactDiffusions) -> Batch:
    """Return KL(start || target) in nats, by eigenvalues of `V^-1/2 S V^-1/2 - 1`: no
    cancellation.
    """
    root = np.sqrt(case.variance)
    excess = case.covariance / (root[:, :, None] * root[:, None, :]) - np.eye(root.shape[1])
    u = np.linalg.eigvalsh((excess + excess.mT) / 2)
    return ((u - np.log1p(u)).sum(axis=1) + (case.mean**2 / case.variance).sum(axis=1)) / 2


def log_moment(case: InexactDiffusions, power: Batch) -> Batch:
    """Return `log E_p exp(power |e|^2)`, infinite where the moment is.

    With `G = 1 - 2 power A V A^T`: `-log det G / 2 + power b^T G^-1 b`.
    """
    root = case.tilt * np.sqrt(case.variance)[:, None, :]
    values, vectors = np.linalg.eigh(root @ root.mT)
    room = 1.0 - 2.0 * power[:, None] * values
    along = np.einsum("nji,nj->ni", vectors, case.shift) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        moment = (power[:, None] * along / room - np.log(room) / 2).sum(axis=1)
    return np.where((room > 0).all(axis=1), moment, np.inf)


def bound(case: InexactDiffusions, power: Batch | None = None) -> Batch:
    """Return the bound on `KL_t`; `power` is L, by default C (claim N1), and must exceed C / 2."""
    c = case.constant
    chosen = c if power is None else power
    left = np.exp(-case.time * (1 / c - 1 / (2 * chosen)))
    fed = log_moment(case, chosen) / (2 * chosen / c - 1)
    return left * divergence(case) + (1 - left) * fed


def tightness(case: InexactDiffusions, power: Batch | None = None) -> Tightness:
    """Return the bound and `KL_t` over it."""
    limit = bound(case, power)
    return Tightness(limit, divergence(diffused(case)) / limit)


def random_cases(count: int, seed: int, dimension: int = 3) -> InexactDiffusions:
    """Return cases at random: spectra over three decades, error matrices up to the edge of a finite
    moment at L = C.

    A third of the errors are symmetric (gradients), a third rotations of the target (which leave it
    invariant), a third general; starts are full Gaussians of 0.01 to 100 times the largest
    variance; times from C / 100 to 100 C.
    """
    draw = np.random.default_rng(seed)
    variance = 10 ** draw.uniform(-2, 1, (count, dimension))
    c = variance.max(axis=1)
    tilt = draw.standard_normal((count, dimension, dimension))
    tilt[::3] += tilt[::3].mT
    tilt[1::3] = (tilt[1::3] - tilt[1::3].mT) / variance[1::3, None, :]
    shift = (
        draw.standard_normal((count, dimension))
        * (10 ** draw.uniform(-3, 1, count) / np.sqrt(c))[:, None]
    )
    size = np.linalg.norm(tilt * np.sqrt(variance)[:, None, :], 2, axis=(1, 2))
    # of the size: there the moment ceases to be
    edge = 0.999 * np.sqrt(draw.uniform(0, 1, count)) / np.sqrt(2 * c)
    root = draw.standard_normal((count, dimension, dimension))
    root *= np.sqrt(10 ** draw.uniform(-2, 2, count) * c)[:, None, None]
    mean = (
        draw.standard_normal((count, dimension))
        * (10 ** draw.uniform(-2, 1, count) * np.sqrt(c))[:, None]
    )
    time = c * 10 ** draw.uniform(-2, 2, count)
    return InexactDiffusions(
        variance, tilt * (edge / size)[:, None, None], shift, mean, root @ root.mT, time
    )


def flux(q: sp.Expr, p: sp.Expr, e: sp.Expr, at: sp.Symbol) -> sp.Expr:
    """Return the Fokker-Planck flux `J = q' - ((log p)' + e) q` of inexact Langevin, `dq/dt =
    J'`.
    """
    return sp.diff(q, at) - (sp.diff(sp.log(p), at) + e) * q


def remainder_of_entropy_dissipation(settings: Settings) -> Measurement:
    """Measure the operations left in the rate of KL, `-I + E_q e (log q/p)'`, and in Young's
    square, any q, p, e.

    With the flux `J`, `d/dt int q log(q/p) = int log(q/p) J'`, whose integrand differs by
    `(log(q/p) J)'`.
    """
    at = sp.Symbol("x", real=True)
    q, p, e = (sp.Function(name, positive=name != "e")(at) for name in ("q", "p", "e"))
    ratio, current = sp.log(q / p), flux(q, p, e, at)
    g = sp.diff(ratio, at)
    rate = ratio * sp.diff(current, at) - sp.diff(ratio * current, at)
    return left_over(
        rate - (-q * g**2 + q * e * g),
        -(g**2) + e * g - (-(g**2) / 2 + e**2 / 2 - (g - e) ** 2 / 2),
    )


@cell
def random_tightness(count: int, seed: int) -> Tightness:
    """The bound and the divergence over it, of random cases at `L = C`."""
    return tightness(random_cases(count, seed))


def largest_divergence_over_bound(settings: Settings) -> Measurement:
    """Measure the largest KL_t over its bound, over random score errors, starts and times."""
    ratio = random_tightness(settings.errors, settings.seed).ratio
    quantiles = {
        f"quantile {level:g}": float(np.quantile(ratio, level)) for level in (0.1, 0.5, 0.9, 0.99)
    }
    return largest(ratio, settings.seed, **quantiles)


def largest_divergence_over_bound_at_random_powers(settings: Settings) -> Measurement:
    """Measure the largest KL_t over its bound with a random power `L` in `(C / 2, 5 C)` of a finite
    moment.
    """
    case = random_cases(settings.errors, settings.seed + 1)
    power = case.constant * np.random.default_rng(settings.seed).uniform(
        0.501, 5.0, settings.errors
    )
    finite = np.isfinite(log_moment(case, power))
    return largest(tightness(case, power).ratio[finite], settings.seed)


@cell
def ascended(climbers: int, ascents: int, seed: int) -> Tightness:
    """Climb in tightness from random errors: `ascents` random changes of error and start, each kept
    where it helps.

    Times stay at `C` and above, since at time 0 the bound is met by anything.
    """
    draw = np.random.default_rng(seed)
    case = random_cases(climbers, seed)
    case = case._replace(time=np.maximum(case.time, case.constant))
    best = tightness(case).ratio
    for _ in range(ascents):
        tried = _nearby(case, draw)
        ratio = tightness(tried).ratio
        better = ratio > best
        best = np.where(better, ratio, best)
        rows = zip(tried, case, strict=True)
        case = InexactDiffusions(
            *(np.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old) for new, old in rows)
        )
    return Tightness(bound(case), best)


def _nearby(case: InexactDiffusions, draw: np.random.Generator) -> InexactDiffusions:
    """Return cases a random change away in error and start, the moment still finite."""
    n, d = case.shift.shape
    size = np.power(10.0, draw.uniform(-2, 0, n))
    turn = size[:, None, None] * draw.standard_normal((n, d, d)) / case.constant[:, None, None]
    shift = case.shift * np.exp(size * draw.standard_normal(n))[:, None]
    shift = shift + size[:, None] * np.linalg.norm(
        shift, axis=1, keepdims=True
    ) * draw.standard_normal((n, d))
    inside = np.isfinite(
        log_moment(case._replace(tilt=case.tilt + turn, shift=shift), case.constant)
    )
    tilt = np.where(inside[:, None, None], case.tilt + turn, case.tilt)
    mean = case.mean * np.exp(size * draw.standard_normal(n))[:, None]
    scale = np.exp(size * draw.standard_normal(n))[:, None, None]
    return case._replace(tilt=tilt, shift=shift, mean=mean, covariance=case.covariance * scale)


def largest_divergence_over_bound_after_ascents(settings: Settings) -> Measurement:
    """Measure the largest KL_t over its bound that ascents in score error and start reach, at times
    C and above.
    """
    ratio = ascended(settings.climbers, settings.ascents, settings.seed + 2).ratio
    return largest(ratio, settings.seed + 2, **{"median reached": float(np.median(ratio))})


def worst_case(shift: float, tilt: float = 0.5) -> InexactDiffusions:
    """Return the error `e(x) = tilt x + shift` on N(0, 1), t -> infinity; at 1/2 it attains the
    bound as b grows.
    """
    one = np.ones((1, 1))
    return InexactDiffusions(
        one, tilt * one[..., None], shift * one, 0 * one, one[..., None], np.array([200.0])
    )


def stationary_divergence_over_bound_of_worst_case(settings: Settings) -> Measurement:
    """Measure the stationary KL over its bound for the score error `x / 2 + 100` on N(0, 1)."""
    return Measurement(value=tightness(worst_case(100.0)).ratio.item())


def least_divergence_over_bound_of_constant_errors(settings: Settings) -> Measurement:
    """Measure the least stationary KL over its bound at `L = 1e4 C`, constant errors along the
    widest direction.
    """
    case = random_cases(50, settings.seed + 3)
    c = case.constant
    widest = (case.variance == c[:, None]) * np.linalg.norm(case.shift, axis=1, keepdims=True)
    ratio = tightness(case._replace(tilt=0 * case.tilt, shift=widest, time=200 * c), 1e4 * c).ratio
    return Measurement(value=ratio.min(), n=50, seeds=(settings.seed + 3,))
