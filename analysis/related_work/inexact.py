r"""N1: inexact Langevin `dX = (grad log p + e)(X) dt + sqrt 2 dW`, its bound in KL, and the laws that try to break it.

Let `p` satisfy a logarithmic Sobolev inequality `KL(q || p) <= (C / 2) I(q | p)`, `I = E_q |grad log (q / p)|^2` (a
Gaussian does with `C` its largest variance). Entropy dissipates, errors feed it, Donsker and Varadhan bound what they
feed:

    d/dt KL = -I + E_q <e, grad log (q/p)> <= -I / 2 + E_q |e|^2 / 2 <= -KL / C + (KL + log E_p exp(L |e|^2)) / (2 L)

for any `L > C / 2`, so that by Gronwall, with `r = 1 / C - 1 / (2 L)`,

    KL_t <= exp(-r t) KL_0 + (1 - exp(-r t)) log E_p exp(L |e|^2) / (2 L / C - 1)

`L = C` is the bound of claim N1. On `p = N(0, diag V)` with an affine error `e(x) = A x + b` the diffusion's law is
Gaussian at all times and both sides are closed forms: no sampling. Source: proved here; the setting is that of
Pedrotti, Maas and Mondelli (arXiv 2305.14164).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import sympy as sp
from jaxtyping import Float
from pydantic import JsonValue
from scipy.linalg import expm

from analysis.proofs import left_over
from analysis.related_work.settings import Settings
from verdicts import Measurement, check

Batch = Float[np.ndarray, " n"]
Vectors = Float[np.ndarray, "n d"]
Matrices = Float[np.ndarray, "n d d"]


class Problem(NamedTuple):
    """Targets `N(0, diag variance)` and score errors `e(x) = tilt x + shift`, a row each."""

    variance: Vectors
    tilt: Matrices
    shift: Vectors

    @property
    def constant(self) -> Batch:
        """Return the logarithmic Sobolev constant `C`: the largest variance."""
        return self.variance.max(axis=1)


class Law(NamedTuple):
    """Gaussian laws, a row each."""

    mean: Vectors
    covariance: Matrices


class Case(NamedTuple):
    """What the bound is asked about: problems, the laws that the diffusions start from, and times."""

    problem: Problem
    start: Law
    time: Batch


def diffused(case: Case) -> Law:
    """Return the laws of the inexact diffusions at their times.

    With `K = diag(1/V) - A`: mean `M + exp(-K t) (m_0 - M)`, `M = K^-1 b`; covariance `S + exp(-K t) (S_0 - S) exp(-K
    t)^T`, `K S + S K^T = 2 I`.
    """
    (variance, tilt, shift), start, time = case
    n, d = variance.shape
    pull = np.eye(d) / variance[:, None, :] - tilt
    both = np.einsum("nij,kl->nikjl", pull, np.eye(d)) + np.einsum("ij,nkl->nikjl", np.eye(d), pull)
    source = np.broadcast_to(2.0 * np.eye(d).reshape(-1, 1), (n, d * d, 1))
    end = np.linalg.solve(both.reshape(n, d * d, d * d), source).reshape(n, d, d)
    rest = np.linalg.solve(pull, shift[..., None])[..., 0]
    decay = expm(-pull * time[:, None, None])
    mean = rest + np.einsum("nij,nj->ni", decay, start.mean - rest)
    return Law(mean, end + decay @ (start.covariance - end) @ decay.mT)


def entropy(law: Law, variance: Vectors) -> Batch:
    """Return `KL(law || N(0, diag variance))` in nats, by eigenvalues of `V^-1/2 S V^-1/2 - 1`: no cancellation."""
    root = np.sqrt(variance)
    excess = law.covariance / (root[:, :, None] * root[:, None, :]) - np.eye(variance.shape[1])
    u = np.linalg.eigvalsh((excess + excess.mT) / 2)
    return ((u - np.log1p(u)).sum(axis=1) + (law.mean**2 / variance).sum(axis=1)) / 2


def log_moment(problem: Problem, power: Batch) -> Batch:
    """Return `log E_p exp(power |e|^2)`, infinite where the moment is.

    With `G = 1 - 2 power A V A^T`: `-log det G / 2 + power b^T G^-1 b`.
    """
    root = problem.tilt * np.sqrt(problem.variance)[:, None, :]
    values, vectors = np.linalg.eigh(root @ root.mT)
    room = 1.0 - 2.0 * power[:, None] * values
    along = np.einsum("nji,nj->ni", vectors, problem.shift) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (power[:, None] * along / room - np.log(room) / 2).sum(axis=1)
    return np.where((room > 0).all(axis=1), found, np.inf)


def bound(case: Case, power: Batch | None = None) -> Batch:
    """Return the bound on `KL_t`; `power` is L, by default C (claim N1), and must exceed C / 2."""
    problem, start, time = case
    c = problem.constant
    chosen = c if power is None else power
    left = np.exp(-time * (1 / c - 1 / (2 * chosen)))
    fed = log_moment(problem, chosen) / (2 * chosen / c - 1)
    return left * entropy(start, problem.variance) + (1 - left) * fed


def tightness(case: Case, power: Batch | None = None) -> Batch:
    """Return `KL_t` over its bound."""
    return entropy(diffused(case), case.problem.variance) / bound(case, power)


def random_cases(count: int, seed: int, dimension: int = 3) -> Case:
    """Return cases at random: spectra over three decades, error matrices up to the edge of a finite moment.

    A third of the errors are symmetric (gradients), a third rotations of the target (which keep it), a third general;
    starts are full Gaussians, 100 times too cold to 100 times too hot; times from C / 100 to 100 C.
    """
    draw = np.random.default_rng(seed)
    variance = 10 ** draw.uniform(-2, 1, (count, dimension))
    c = variance.max(axis=1)
    tilt = draw.standard_normal((count, dimension, dimension))
    tilt[::3] += tilt[::3].mT
    tilt[1::3] = (tilt[1::3] - tilt[1::3].mT) / variance[1::3, None, :]
    shift = draw.standard_normal((count, dimension)) * (10 ** draw.uniform(-3, 1, count) / np.sqrt(c))[:, None]
    problem = at_edge(Problem(variance, tilt, shift), np.sqrt(draw.uniform(0, 1, count)))
    root = (
        draw.standard_normal((count, dimension, dimension))
        * np.sqrt(10 ** draw.uniform(-2, 2, count) * c)[:, None, None]
    )
    mean = draw.standard_normal((count, dimension)) * (10 ** draw.uniform(-2, 1, count) * np.sqrt(c))[:, None]
    return Case(problem, Law(mean, root @ root.mT), c * 10 ** draw.uniform(-2, 2, count))


def at_edge(problem: Problem, share: Batch) -> Problem:
    """Scale each error's matrix so that `2 C |A V^1/2|^2 = share^2`: at 1 the moment at `L = C` ceases to be finite."""
    size = np.linalg.norm(problem.tilt * np.sqrt(problem.variance)[:, None, :], 2, axis=(1, 2))
    wanted = 0.999 * share / np.sqrt(2 * problem.constant)
    return problem._replace(tilt=problem.tilt * (wanted / size)[:, None, None])


def flux(q: sp.Expr, p: sp.Expr, e: sp.Expr, at: sp.Symbol) -> sp.Expr:
    """Return the Fokker-Planck flux `J = q' - ((log p)' + e) q` of inexact Langevin, `dq/dt = J'`."""
    return sp.diff(q, at) - (sp.diff(sp.log(p), at) + e) * q


@check("N1.dissipation")
def entropy_dissipates(settings: Settings) -> Measurement:
    """SymPy, for arbitrary densities q, p and error e on the line: the rate of KL is `-I + E_q e (log q/p)'`.

    With the flux `J`, `d/dt int q log(q/p) = int log(q/p) J'`, and the integrand differs from `-q
    g^2 + q e g`, `g = (log q/p)'`, by `(log(q/p) J)'`; the second identity is the square that Young's inequality
    leaves.
    """
    at = sp.Symbol("x", real=True)
    q, p, e = (sp.Function(name, positive=name != "e")(at) for name in ("q", "p", "e"))
    ratio, current = sp.log(q / p), flux(q, p, e, at)
    g = sp.diff(ratio, at)
    rate = ratio * sp.diff(current, at) - sp.diff(ratio * current, at)
    return left_over(rate - (-q * g**2 + q * e * g), -(g**2) + e * g - (-(g**2) / 2 + e**2 / 2 - (g - e) ** 2 / 2))


@check("N1.bound")
def no_error_violates_the_bound(settings: Settings) -> Measurement:
    """Return the largest KL_t over its bound, random cases."""
    found = tightness(random_cases(settings.errors, settings.seed))
    levels = (0.1, 0.5, 0.9, 0.99)
    detail: dict[str, JsonValue] = {f"quantile {level:g}": float(np.quantile(found, level)) for level in levels}
    return Measurement(value=found.max(), n=len(found), seeds=(settings.seed,), detail=detail)


@check("N1.power")
def no_other_power_violates_it(settings: Settings) -> Measurement:
    """Return the same with powers `L` at random in `(C / 2, 5 C)`, where the moment at L is finite."""
    case = random_cases(settings.errors, settings.seed + 1)
    power = case.problem.constant * np.random.default_rng(settings.seed).uniform(0.501, 5.0, settings.errors)
    finite = np.isfinite(log_moment(case.problem, power))
    found = tightness(case, power)[finite]
    return Measurement(value=found.max(), n=len(found), seeds=(settings.seed,))


def climbed(settings: Settings) -> tuple[Case, Batch]:
    """Climb in tightness from random errors: `ascents` random changes of error and start, each kept where it helps.

    Times stay at `C` and above, since at time 0 the bound is met by anything. Returns the cases and their tightness.
    """
    draw = np.random.default_rng(settings.seed + 2)
    case = random_cases(settings.climbers, settings.seed + 2)
    case = case._replace(time=np.maximum(case.time, case.problem.constant))
    best = tightness(case)
    for _ in range(settings.ascents):
        tried = _nearby(case, draw)
        found = tightness(tried)
        better = found > best
        best = np.where(better, found, best)
        case = _merged(better, tried, case)
    return case, best


def _nearby(case: Case, draw: np.random.Generator) -> Case:
    """Return cases a random change away in error and start, the moment still finite."""
    problem, start, time = case
    n, d = problem.shift.shape
    size = np.power(10.0, draw.uniform(-2, 0, n))
    turn = size[:, None, None] * draw.standard_normal((n, d, d)) / problem.constant[:, None, None]
    shift = problem.shift * np.exp(size * draw.standard_normal(n))[:, None]
    shift = shift + size[:, None] * np.linalg.norm(shift, axis=1, keepdims=True) * draw.standard_normal((n, d))
    moved = Problem(problem.variance, problem.tilt + turn, shift)
    inside = np.isfinite(log_moment(moved, problem.constant))
    moved = moved._replace(tilt=np.where(inside[:, None, None], moved.tilt, problem.tilt))
    mean = start.mean * np.exp(size * draw.standard_normal(n))[:, None]
    heat = np.exp(size * draw.standard_normal(n))[:, None, None]
    return Case(moved, Law(mean, start.covariance * heat), time)


def _merged(chosen: np.ndarray, one: Case, other: Case) -> Case:
    """Return the rows of `one` where chosen, else those of `other`."""

    def rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    problem = Problem(*(rows(a, b) for a, b in zip(one.problem, other.problem, strict=True)))
    start = Law(*(rows(a, b) for a, b in zip(one.start, other.start, strict=True)))
    return Case(problem, start, rows(one.time, other.time))


@check("N1.adversarial")
def no_ascent_breaks_the_bound(settings: Settings) -> Measurement:
    """Return the largest tightness that the ascents reach."""
    _, best = climbed(settings)
    detail: dict[str, JsonValue] = {"median reached": float(np.median(best))}
    return Measurement(value=best.max(), n=settings.climbers, seeds=(settings.seed + 2,), detail=detail)


def worst_case(shift: float) -> Case:
    """Return the case that attains the bound as `shift` grows: `e(x) = x / 2 + shift` on N(0, 1), t -> infinity."""
    one = np.ones((1, 1))
    return Case(Problem(one, 0.5 * one[..., None], shift * one), Law(0 * one, one[..., None]), np.array([200.0]))


@check("N1.sharp")
def the_bound_is_attained(settings: Settings) -> Measurement:
    """Return the tightness of the worst case at a shift of 100: no smaller constant would do."""
    return Measurement(value=tightness(worst_case(100.0)).item())


@check("N1.constant_error")
def a_constant_error_attains_it_at_large_powers(settings: Settings) -> Measurement:
    """Return the tightness of `e = b` along the widest direction at `L = 1e4 C`, t -> infinity: small errors too."""
    case = random_cases(50, settings.seed + 3)
    c = case.problem.constant
    widest = (case.problem.variance == c[:, None]) * np.linalg.norm(case.problem.shift, axis=1, keepdims=True)
    problem = Problem(case.problem.variance, 0 * case.problem.tilt, widest)
    found = tightness(Case(problem, case.start, 200 * c), 1e4 * c)
    return Measurement(value=found.min(), n=50, seeds=(settings.seed + 3,))
