"""The expected Euclidean norm of a Gaussian vector with any variances, by one integral.

For `Q = |g|^2`, `g ~ N(mu, diag v)`, Frullani's identity `sqrt(Q) = (1 / 2 sqrt(pi)) int (1 -
e^{-tQ}) t^{-3/2} dt` and an integration by parts give

    E|g| = (1 / sqrt(pi)) int_0^inf t^{-1/2} (-phi'(t)) dt,        phi(t) = E exp(-t Q)

    log phi(t)        = -sum_i n_i [ log(1 + 2 v_i t) / 2 + mu_i^2 t / (1 + 2 v_i t) ]
    -phi'(t) / phi(t) =  sum_i n_i [ v_i / (1 + 2 v_i t) + mu_i^2 / (1 + 2 v_i t)^2 ]

with `n_i` the multiplicity of direction `i`. The integrand is analytic. With `t = exp(y - exp(-y))
/ E Q` it decays double exponentially to the left and exponentially to the right, so that the
trapezoidal rule converges geometrically (Takahasi and Mori, Publ. RIMS 9, 1974).
"""

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

Directions = Float[Tensor, " directions"]
Vectors = Float[Tensor, "vectors directions"]
_SPACING = 0.125
_LEFT = -4.75  # first node: t^(1/2) = exp(-exp(4.75) / 2) = 1e-25
_FALL = (
    84.0  # divided by (dimensions + 1): the y at which equal variances have an integrand of 1e-18
)
# added to it for unequal variances, with few and with many directions
_MARGIN_FEW, _MARGIN_MANY = (
    8.0,
    4.0,
)
_FEW = 256  # directions
_NEGLIGIBLE = 1e-18  # the term on the right after which all terms are left out
_FAR = 200.0
_BLOCK = 2**16  # nodes times directions at once: half a megabyte, which fits a core's cache
# the range of E|g|^2 in which squares neither overflow nor underflow
_SMALL, _LARGE = (
    1e-200,
    1e200,
)


def expected_norm(mean: Directions, variance: Directions, multiplicity: Directions) -> float:
    """Return `E|g|` of `g ~ N(mean, diag variance)`, with direction `i` repeated `multiplicity_i`
    times (float64).

    The relative error is below 1e-12. Zero variances are allowed. All-zero input gives 0,
    non-finite input nan.
    """
    square = mean.square()
    second = ((variance + square) @ multiplicity).item()
    if _SMALL < second < _LARGE:
        return (
            math.sqrt(second)
            * _of_unit_square(square / second, variance / second, multiplicity).item()
        )
    unit = max(mean.abs().max().item(), variance.max().sqrt().item())
    if math.isnan(second) or not 0.0 < unit < math.inf:
        return 0.0 if second == unit == 0.0 else math.nan
    return unit * expected_norm(mean / unit, variance / unit / unit, multiplicity)


def expected_norms(
    mean: Vectors, variance: Vectors, multiplicity: Directions
) -> Float[Tensor, " vectors"]:
    """Return `expected_norm` of several vectors: with few directions, twenty vectors take as long
    as five calls.
    """
    unit = torch.maximum(mean.abs().amax(1), variance.amax(1).sqrt())
    usual = (unit > 0.0) & (unit < math.inf)
    result = torch.where(unit == 0.0, 0.0, torch.full_like(unit, math.nan))
    if usual.any():
        size = unit[usual, None]
        square, scaled = (mean[usual] / size).square(), variance[usual] / size / size
        second = ((scaled + square) @ multiplicity)[:, None]
        norms = _of_unit_square(square / second, scaled / second, multiplicity)
        result[usual] = unit[usual] * second[:, 0].sqrt() * norms
    return result


def _of_unit_square(shift: Tensor, v: Tensor, n: Tensor) -> Tensor:
    """Return `E|g|` of vectors with `E|g|^2 = 1`, from squared means and variances (*vectors,
    directions).
    """
    shifted, start, total = bool(shift.any()), 0, torch.zeros(())
    margin = _MARGIN_FEW if n.numel() <= _FEW else _MARGIN_MANY
    end = math.ceil((_FALL / (1.0 + n.sum().item()) + margin - _LEFT) / _SPACING)
    while True:
        t, weight, last = _nodes(start, end)
        terms = _terms(t, v, shift if shifted else None, n)
        total = total + terms @ weight
        if _LEFT + _SPACING * end > _FAR or last * terms[..., -1].max().item() < _NEGLIGIBLE:
            return total * (_SPACING / math.sqrt(math.pi))
        start, end = end, 2 * end


@functools.lru_cache(maxsize=64)
def _nodes(start: int, end: int) -> tuple[Tensor, Tensor, float]:
    """Return the nodes `t` with numbers `start` to `end`, their weights `t^(-1/2) dt / dy`, and the
    last weight.
    """
    y = _LEFT + _SPACING * torch.arange(start, end, dtype=torch.float64)
    log_t = y - torch.exp(-y)
    weight = torch.exp(0.5 * log_t) * (1.0 + torch.exp(-y))
    return torch.exp(log_t), weight, weight[-1].item()


def _terms(t: Tensor, v: Tensor, shift: Tensor | None, n: Tensor) -> Tensor:
    """Return `-phi'` (*vectors, nodes). Beyond its peak it falls faster than `t^(-1/2)`. `shift` is
    None for 0.
    """
    directions = n.numel()  # six times as fast as `len`, which runs in Python
    width = max(1, _BLOCK * directions // (t.numel() * v.numel()))
    blocks = [slice(first, first + width) for first in range(0, directions, width)]
    parts = [
        _transform(t, v[..., b], None if shift is None else shift[..., b], n[b]) for b in blocks
    ]
    log_phi, rate = (functools.reduce(Tensor.add_, part) for part in zip(*parts, strict=True))
    return log_phi.exp_().mul_(rate)


def _transform(t: Tensor, v: Tensor, shift: Tensor | None, n: Tensor) -> tuple[Tensor, Tensor]:
    """Return `log phi(t)` and `-phi'(t) / phi(t)`, both (*vectors, nodes)."""
    ratio = t[:, None] * (v + v)[..., None, :]
    log_phi = torch.log1p(ratio) @ (-0.5 * n)
    inverse = ratio.add_(1.0).reciprocal_()
    rate = _over_directions(inverse, n * v)
    if shift is not None:
        weight = n * shift
        log_phi -= t * _over_directions(inverse, weight)
        rate += _over_directions(inverse.square_(), weight)
    return log_phi, rate


def _over_directions(factors: Tensor, weight: Tensor) -> Tensor:
    """Return the sums over directions of `factors` (nodes by directions), weighted for one vector
    or for each.
    """
    return factors @ weight if weight.ndim == 1 else torch.bmm(weight[:, None, :], factors.mT)[:, 0]
