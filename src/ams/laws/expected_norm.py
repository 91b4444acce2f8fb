r"""The expected Euclidean norm of a Gaussian vector, by one integral.

For `Q = |g|^2`, `g ~ N(mu, diag v)`, Frullani's identity `sqrt(Q) = (1 / 2 sqrt(pi)) int (1 - e^{-tQ}) t^{-3/2} dt`
and an integration by parts give

    E|g| = (1 / sqrt(pi)) int_0^inf t^{-1/2} (-phi'(t)) dt,        phi(t) = E exp(-t Q)

    log phi(t)        = -sum_i n_i [ log(1 + 2 v_i t) / 2 + mu_i^2 t / (1 + 2 v_i t) ]
    -phi'(t) / phi(t) =  sum_i n_i [ v_i / (1 + 2 v_i t) + mu_i^2 / (1 + 2 v_i t)^2 ]

with `n_i` the multiplicity of direction `i`. The integrand is analytic; with `t = exp(y - exp(-y)) / E Q` it decays
double exponentially to the left and exponentially to the right, so the trapezoidal rule converges geometrically
(Takahasi and Mori, Publ. RIMS 9, 1974). Closed forms exist where all `v_i` agree; tests compare with them.
"""

from __future__ import annotations

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

_SPACING = 0.125
_LEFT = -4.75  # t^(1/2) = exp(-exp(4.75) / 2) here: 1e-25
_FALL = 84.0  # over dimensions + 1: where directions of one variance have fallen to 1e-18
_RESERVE, _LITTLE = 8.0, 4.0  # added for variances that differ: with few directions, with many
_FEW = 256  # so many directions cost less than a second look
_NEGLIGIBLE = 1e-18  # a term that may be left out on the right, with all that follow
_FAR = 200.0


def expected_norm(
    mean: Float[Tensor, " directions"],
    variance: Float[Tensor, " directions"],
    multiplicity: Float[Tensor, " directions"],
) -> float:
    """Return `E|g|` for `g ~ N(mean, diag variance)`, direction `i` repeated `multiplicity_i` times (float64).

    Relative error below 1e-12. Zero variances are allowed; all-zero input gives 0, non-finite input nan.
    """
    unit = max(mean.abs().max().item(), variance.max().sqrt().item())
    if not 0.0 < unit < math.inf:
        return 0.0 if unit == 0.0 else math.nan
    return unit * _of_unit_size(mean / unit, variance / unit / unit, multiplicity).item()


def expected_norms(
    mean: Float[Tensor, "vectors directions"],
    variance: Float[Tensor, "vectors directions"],
    multiplicity: Float[Tensor, " directions"],
) -> Float[Tensor, " vectors"]:
    """Return `expected_norm` of several vectors at once: twenty take the time of five."""
    unit = torch.maximum(mean.abs().amax(1), variance.amax(1).sqrt())
    usual = (unit > 0.0) & (unit < math.inf)
    found = torch.where(unit == 0.0, 0.0, torch.full_like(unit, math.nan))
    if usual.any():
        size = unit[usual, None]
        scaled = mean[usual] / size, variance[usual] / size / size
        found[usual] = unit[usual] * _of_unit_size(*scaled, multiplicity)
    return found


def _of_unit_size(mean: Tensor, variance: Tensor, n: Tensor) -> Tensor:
    """Return `E|g|` of vectors whose largest mean or deviation is 1; directions last, any dimensions before."""
    second = ((variance + mean.square()) @ n)[..., None]
    scaled = variance / second, mean.square() / second, n
    total, start = torch.zeros_like(second[..., 0]), 0
    reserve = _RESERVE if len(n) <= _FEW else _LITTLE
    end = math.ceil((_FALL / (1.0 + n.sum().item()) + reserve - _LEFT) / _SPACING)
    while True:
        terms = _terms(*_nodes(start, end), *scaled)
        total += terms.sum(-1)
        if _LEFT + _SPACING * end > _FAR or bool((terms[..., -1] < _NEGLIGIBLE).all()):
            return torch.sqrt(second[..., 0] / math.pi) * _SPACING * total
        start, end = end, 2 * end


@functools.lru_cache(maxsize=64)
def _nodes(start: int, end: int) -> tuple[Tensor, Tensor]:
    """Return the nodes `t` from number `start` to `end`, and `t^(1/2) (dt / dy) / t`: the same for every vector."""
    y = _LEFT + _SPACING * torch.arange(start, end, dtype=torch.float64)
    log_t = y - torch.exp(-y)
    return torch.exp(log_t), torch.exp(0.5 * log_t) * (1.0 + torch.exp(-y))


def _terms(t: Tensor, weight: Tensor, v: Tensor, shift: Tensor, n: Tensor) -> Tensor:
    """Return the integrand at the nodes; past its peak its logarithm falls faster than `-log(t) / 2`."""
    log_phi, rate = _transform(t, v, shift, n)
    return torch.exp(log_phi).mul_(rate).mul_(weight)


def _transform(t: Tensor, v: Tensor, shift: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
    """Return `log phi(t)` and `-phi'(t) / phi(t)` at the nodes `t`, the last dimension of both."""
    damped = t[:, None] * (2.0 * v)[..., None, :]
    exponent = torch.log1p(damped).mul_(0.5)
    inverse = damped.add_(1.0).reciprocal_()
    shifted = inverse * shift[..., None, :]
    log_phi = -(exponent @ n) - t * (shifted @ n)
    return log_phi, (inverse @ (n * v)[..., None])[..., 0] + shifted.mul_(inverse) @ n
