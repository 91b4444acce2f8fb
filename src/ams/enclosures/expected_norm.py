r"""Enclosures of the expected norm `E|g|` of a Gaussian vector, `g ~ N(mu, diag v)`, direction i
repeated n_i times.

**One direction** (n times): `E|g| = sqrt(2 v) Gamma((n+1)/2) / Gamma(n/2) 1F1(-1/2; n/2; -n mu^2 /
(2 v))`.

**Several directions.** With `Q = |g|^2`, `phi(t) = E exp(-t Q)` and `t = exp(y)`,

    E|g| = (1 / sqrt pi) int F(y) dy,    F(y) = t^(1/2) (-phi'(t)),    phi = P^(-1/2) exp(-t N / P),
    P = prod_i (1 + 2 v_i t)^n_i,    N / P = sum_i n_i mu_i^2 / (1 + 2 v_i t).

*Trapezoidal rule.* On the line `y + ib`, `|b| <= a < pi/2`, put `r = exp(y) cos b`. Then `|1 + 2 v
t| >= 1 + 2 v r`, and the exponent's real part is at most that at r: `Re t/(1 + 2 v t) >= r/(1 + 2 v
r)`, whose cross product differs by `2 v |t|^2 sin^2 b >= 0`. So `|F(y + ib)| <= (cos b)^(-1/2) F(ln
r)`, and `int |F(y + ib)| dy <= (cos a)^(-1/2) I` for `I = sqrt(pi) E|g|`. By Trefethen and Weideman
(SIAM Review 56, 2014, theorem 5.1) the infinite sum with spacing h has

    |h sum F - I| <= 2 (cos a)^(-1/2) I / (exp(2 pi a / h) - 1),    whatever the dimension, the variances and the mean.

*Left of the first node.* `-phi'(t) = E[Q exp(-t Q)]`, whose Taylor polynomial errs by at most its
next term: the infinite sum of each power of t is geometric. *Right of the last node T.* `q exp(-t
q) <= 2 exp(-t q / 2) / (e t)`, so `-phi'(t) <= 2 phi(T/2) / (e t)` for t >= T, a geometric sum
again.
"""

import functools
import math
from collections.abc import Sequence

from flint import arb, arb_poly, arb_series, ctx

from ams.enclosures.balls import Undecided

_STRIP = 1.5  # a, below pi/2
_FIRST = -5.0  # of y, where E Q is in [1/2, 2)
_PER_MOMENT = 6  # bits that a further term of the Taylor polynomial gains
_BLOCK = 16  # nodes at once


def expected_norm(
    mean: Sequence[arb], variance: Sequence[arb], multiplicity: Sequence[int], bits: int
) -> arb:
    """Return a ball that contains `E|g|`; with several directions the quadrature adds about
    `2^-bits` of it.

    It is computed at the middles of the balls. By a coupling `|E|g| - E|g'||` is at most the W2
    distance of both.
    """
    if len(mean) == 1 and isinstance(variance[0], arb_series):
        return _of_one(mean[0], variance[0], multiplicity[0])
    live = [
        (m.mid(), max(v.mid(), arb(0)), n)
        for m, v, n in zip(mean, variance, multiplicity, strict=True)
    ]
    off = sum(
        (n * _moved(m, v) for m, v, n in zip(mean, variance, multiplicity, strict=True)), arb(0)
    )
    if not off.is_finite():
        raise Undecided("the distribution is enclosed too widely for a norm")
    around = off.upper().sqrt() * arb(0, 1)
    if len(live) == 1:
        return _of_one(*live[0]) + around
    second = sum((n * (v + m * m) for m, v, n in live), arb(0))
    shift = 2 * round(math.log2(float(second)) / 2)  # an exact unit, so that E Q is near 1
    unit = arb(2) ** -shift
    scaled = [(n, v * unit, n * m * m * unit) for m, v, n in live]
    return arb(2) ** (shift // 2) * _of_several(scaled, bits) + around


def _moved(mean: arb, variance: arb) -> arb:
    """Return a bound of the squared W2 distance to the middle: `(sqrt v - sqrt w)^2 <= min(|v -
    w|, (v - w)^2 / w)`.
    """
    radius, middle = variance.rad(), max(variance.mid(), arb(0))
    return mean.rad() ** 2 + (radius * radius / middle if middle > radius else radius)


def _of_one(mean: arb | arb_series, variance: arb | arb_series, count: int) -> arb:
    """Return the closed form; of a series, whose mean must be exactly 0, without 1F1."""
    half = arb(count) / 2
    size = (variance * 2).sqrt() * _gamma_ratio(count)
    if isinstance(mean, arb_series) and not any(mean.coeffs()):
        return size
    return size * (mean * mean * -count / (variance * 2)).hypgeom_1f1(arb(-0.5), half)


@functools.lru_cache(maxsize=64)
def _gamma_ratio_at(count: int, bits: int) -> arb:
    half = arb(count) / 2
    return ((half + arb(0.5)).lgamma() - half.lgamma()).exp()


def _gamma_ratio(count: int) -> arb:
    """Return `Gamma((n+1)/2) / Gamma(n/2)`."""
    return _gamma_ratio_at(count, ctx.prec)


@functools.lru_cache(maxsize=1024)
def _nodes(block: int, bits: int, prec: int) -> tuple[arb, list[arb], list[arb]]:
    """Return the spacing h, and `t` and `t^(1/2)` at the nodes of a block."""
    h = 2 * arb.pi() * _STRIP / (arb(bits + 3) * arb.const_log2())
    roots = [((_FIRST + h * k) / 2).exp() for k in range(block * _BLOCK, (block + 1) * _BLOCK)]
    return h, [root * root for root in roots], roots


def _of_several(directions: Sequence[tuple[int, arb, arb]], bits: int) -> arb:
    """Return `E|g|` from `(n_i, v_i, n_i mu_i^2)` with `E Q` near 1."""
    p, top = arb_poly([1]), arb_poly([0])
    for n, v, square in directions:
        line = arb_poly([1, 2 * v])
        p, top = p * line**n, top * line**n + square * p * line ** (n - 1)
    slopes = p.derivative(), top.derivative()
    h, (first, *_), (first_root, *_) = _nodes(0, bits, ctx.prec)
    terms = 2 + bits // _PER_MOMENT
    total, block, small = _left(directions, h, first, first_root, terms), 0, arb(2) ** -bits
    while True:
        _, nodes, roots = _nodes(block, bits, ctx.prec)
        values = zip(
            *(polynomial.evaluate(nodes, "iter") for polynomial in (p, top, *slopes)), strict=True
        )
        for t, root, (value, above, slope, above_slope) in zip(nodes, roots, values, strict=True):
            share = above / value
            falling = slope / (2 * value) + share + t * (above_slope - share * slope) / value
            total += root * falling * (-t * share).exp() * value.rsqrt()
        if (rest := _right(p, top, nodes[-1], h)) < small:
            whole = h * (total + rest * arb(0.5, 0.5)) / arb.pi().sqrt()
            off = 2 * arb(_STRIP).cos().rsqrt() / ((2 * arb.pi() * _STRIP / h).exp() - 1)
            return whole / (1 + off * arb(0, 1))
        block += 1


def _left(
    directions: Sequence[tuple[int, arb, arb]], h: arb, first: arb, root: arb, terms: int
) -> arb:
    """Return the sum of F over all nodes left of the first: moments of Q from its cumulants,
    geometric sums.
    """
    orders = range(1, terms + 2)
    cumulants, powers = list[arb](), [arb(1)] * len(directions)  # of each direction, v^(j-1)
    for j in orders:
        whole = sum(
            (power * (n * v + j * s) for power, (n, v, s) in zip(powers, directions, strict=True)),
            arb(0),
        )
        cumulants.append(2 ** (j - 1) * math.factorial(j - 1) * whole)
        powers = [power * v for power, (_, v, _) in zip(powers, directions, strict=True)]
    moments = [arb(1)]
    for j in orders:
        moments.append(
            sum((math.comb(j - 1, k) * cumulants[k] * moments[j - 1 - k] for k in range(j)), arb(0))
        )
    total = arb(0)
    for j in range(terms + 1):
        ratio = (-h * (arb(j) + arb(0.5))).exp()
        term = moments[j + 1] / math.factorial(j) * root * first**j * ratio / (1 - ratio)
        total += (-1) ** j * term if j < terms else term * arb(0, 1)
    return total


def _right(p: arb_poly, top: arb_poly, last: arb, h: arb) -> arb:
    """Return an upper bound of the sum of F over all nodes right of the last."""
    half = last / 2
    value, ratio = p(half), (-h / 2).exp()
    phi = (-half * top(half) / value).exp() * value.rsqrt()
    return (2 * phi / arb(1).exp() * last.rsqrt() * ratio / (1 - ratio)).upper()
