"""The exact law: the Gaussian distribution of a sampler on a Gaussian target, without sampling.

On a Gaussian target the score is affine, so that a step is affine in its inputs. In each
eigendirection of the target a vector is the row of its coefficients on the basis

    (1, the components of the last state, the draws of the step)

The algebra carries mean and covariance of these components from step to step, at a cost linear in
steps and directions. The norm is the exact expectation `E|v|` over all directions. If coefficients
depend on norms, the result is the mean-field limit (batch -> infinity) of the samples'
distribution; otherwise it holds for any batch.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws.expected_norm import expected_norm
from ams.rk45 import flow_rk45, ve_level
from ams.samplers.base import Info, State
from ams.samplers.loop import Program, last, run
from ams.samplers.scalars import FloatScalars
from ams.schedules import Level
from ams.targets import Covariance, Gaussian

Values = Sequence[float] | np.ndarray | Tensor
Row = Float[Tensor, "directions basis"]
_DRAWS = 2  # the most that one step takes


@functools.lru_cache(maxsize=64)
def _basis(directions: int, components: int) -> tuple[Row, ...]:
    """Return the rows of the components themselves; all steps share them, so they must not be
    changed.
    """
    basis = torch.eye(1 + components + _DRAWS, dtype=torch.float64)[1:-_DRAWS]
    return tuple(row.expand(directions, -1) for row in basis)


class Moments(NamedTuple):
    """Mean and variance of a vector in each direction: float64 tensors (directions,)."""

    mean: Tensor
    variance: Tensor


class GaussianLaw(FloatScalars):
    """The algebra of the exact law on a Gaussian target with covariance eigenvalues `variance` and
    mean `mean`.

    All arguments have one entry for each distinct direction; `multiplicity` counts how often it
    occurs. Raises ValueError for a variance that is not positive and for different lengths.
    """

    def __init__(
        self, variance: Values, mean: Values | float = 0.0, multiplicity: Values | float = 1.0
    ) -> None:
        self.variance = torch.as_tensor(variance, dtype=torch.float64)
        self.mean, self.multiplicity = (self._spread(v) for v in (mean, multiplicity))
        if not (self.variance > 0).all():
            raise ValueError(f"a target's variances must be positive, got {self.variance.tolist()}")
        self._forget()

    def _spread(self, values: Values | float) -> Tensor:
        given = torch.as_tensor(values, dtype=torch.float64)
        if given.ndim and given.shape != self.variance.shape:
            raise ValueError(f"{len(given)} values for {len(self.variance)} directions")
        return given.expand(self.variance.shape).clone()

    def _forget(self) -> None:
        """Make a basis without components of a state."""
        self._carry(
            self.variance.new_zeros(len(self.variance), 0),
            self.variance.new_zeros(len(self.variance), 0, 0),
        )

    def start_moments(self, mean: Values | float, variance: Values | float) -> Moments:
        """Return mean and variance of every direction. Raises ValueError for a variance that is
        negative or nan.
        """
        moments = Moments(self._spread(mean), self._spread(variance))
        if not (moments.variance >= 0).all():
            raise ValueError(
                f"a start's variances must be 0 or more, got {moments.variance.tolist()}"
            )
        return moments

    def start(self, mean: Values | float, variance: Values | float) -> State:
        """Return the state whose position has this mean and variance, and begin a run. Raises as
        `start_moments`.
        """
        self._forget()
        m, v = self.start_moments(mean, variance)
        row = torch.stack([m, v.sqrt(), *[torch.zeros_like(m)] * (_DRAWS - 1)], dim=1)
        return self.begin_step(State(row))

    def score(self, x: Row, level: Level) -> Row:
        """Return the score at a noise level, `-(x - scale mean) / (scale^2 variance + sigma^2)`."""
        slope = (self.variance * -(level.scale**2)).sub_(level.sigma**2).reciprocal_()
        s = x * slope[:, None]
        s[:, 0].addcmul_(slope, self.mean, value=-level.scale)
        return s

    def noise(self, x: Row) -> Row:
        """Return the basis vector of the step's next draw. Raises ValueError if a step draws
        more than twice.
        """
        if self._drawn == _DRAWS:
            raise ValueError(
                f"the exact law has room for {_DRAWS} draws a step, this step takes more"
            )
        z = torch.zeros_like(x)
        z[:, self._drawn - _DRAWS] = 1.0
        self._drawn += 1
        return z

    def combine(self, *terms: tuple[float, Row], over: Row | None = None) -> Row:
        """Return the linear combination of rows with floats as coefficients."""
        (c, v), *rest = terms
        total = v * c
        for c, v in rest:
            total.add_(v, alpha=c)
        return total

    def begin_step(self, state: State) -> State:
        """Compute mean and covariance of the components of `state`, and make them the new basis."""
        vectors = state.vectors()
        self._carry(*self._joint(torch.stack(vectors, dim=1)))
        return state.with_vectors(_basis(len(self.variance), len(vectors)))

    def _carry(self, mean: Tensor, covariance: Tensor) -> None:
        """Set mean and covariance of the basis and begin a step."""
        self._drawn, self._mean, self._covariance = 0, mean, covariance

    def _joint(self, rows: Float[Tensor, "directions n basis"]) -> tuple[Tensor, Tensor]:
        old, new = rows[..., 1:-_DRAWS], rows[..., -_DRAWS:]
        mean = torch.baddbmm(rows[..., :1], old, self._mean[..., None])[..., 0]
        covariance = torch.baddbmm(torch.bmm(new, new.mT), torch.bmm(old, self._covariance), old.mT)
        return mean, covariance  # `@` takes twice as long as bmm with few directions

    def transition(self, after: State) -> tuple[Tensor, Tensor, Tensor]:
        """Return `(c, M, q)` of the step `v -> c + M v + q z` that led to `after`, for a step of
        one draw.

        `v` are the vectors of the state in the order of `State.vectors`, the same before and after.
        Shapes: (directions, n), (directions, n, n), (directions, n).
        """
        rows = torch.stack(after.vectors(), dim=1)
        return rows[..., 0], rows[..., 1:-_DRAWS], rows[..., -_DRAWS]

    def set_stationary(self, state: State, after: State) -> State:
        """Give `state` the distribution that the step from `state` to `after` leaves invariant, and
        return `state`.

        Mean and covariance solve the linear systems `mu = c + M mu` and `C = M C M^T + q q^T`. Both
        states must have the same vectors. Raises ValueError unless all eigenvalues of every `M` are
        inside the unit circle.
        """
        shift, matrix, spread = self.transition(after)
        radius = torch.linalg.eigvals(matrix).abs().max().item()
        if not radius < 1.0:
            reason = f"spectral radius {radius:.6g} of the transition is not below 1"
            raise ValueError(f"no stationary distribution: {reason}")
        n = matrix.shape[-1]
        mean = torch.linalg.solve(torch.eye(n, dtype=torch.float64) - matrix, shift)
        product = torch.einsum("dij,dkl->dikjl", matrix, matrix).reshape(-1, n * n, n * n)
        source = torch.einsum("di,dk->dik", spread, spread).reshape(-1, n * n)
        covariance = torch.linalg.solve(torch.eye(n * n, dtype=torch.float64) - product, source)
        self._carry(mean, covariance.reshape(-1, n, n))
        return state

    def moments(self, vector: Row) -> Moments:
        """Return mean and variance in each direction of a vector of the last state or info."""
        mean, covariance = self._joint(vector[:, None, :])
        return Moments(mean[:, 0], covariance[:, 0, 0].clamp_min(0.0))

    def covariance(self, one: Row, other: Row) -> Float[Tensor, " directions"]:
        """Return the covariance in each direction of two vectors of the last state or info."""
        return self._joint(torch.stack([one, other], dim=1))[1][:, 0, 1]

    def norm(self, vector: Row) -> float:
        """Return the exact expectation `E|v|` over all directions with their multiplicities."""
        return expected_norm(*self.moments(vector), self.multiplicity)

    def finite(self, vector: Row) -> bool:
        """Return whether `E|v|^2` is finite."""
        mean, covariance = self._joint(vector[:, None, :])
        return math.isfinite((mean.square().sum() + covariance.sum()).item())

    def run(self, program: Program, start: State) -> Iterator[tuple[State, Info]]:
        """Yield `(state, info)` after each step of a program from `start`, with the score of
        this target.
        """
        return run(program, start, self.score, self.noise, self)

    def end(self, program: Program, start: State) -> tuple[State, Info]:
        """Return the last state and info of a program from `start`. Raises ValueError for an
        empty program.
        """
        return last(self.run(program, start))


def eigenlaw(target: Gaussian) -> GaussianLaw:
    """Return the exact law's algebra on `target`, with one direction for each eigenvector.

    In the eigenbasis of `C = Q diag(v) Q^T` the directions are independent, so that cost and memory
    are linear in the dimension. The start's covariance must be diagonal there, as every multiple of
    the identity is. A sample `x` has the coordinates `target.covariance.to_eigenbasis(x)`. Raises
    ValueError for a singular covariance.
    """
    variances, mean = target.covariance.variances, target.covariance.to_eigenbasis(target.mean)
    return GaussianLaw(variances.to(torch.float64), mean.to(torch.float64))


def rotated_back(target: Gaussian, moments: Moments) -> Gaussian:
    """Return the Gaussian in the space of `target` that has these moments in the directions of
    `eigenlaw(target)`.
    """
    mean, variance = (value.to(target.mean) for value in moments)
    centre = target.covariance.from_eigenbasis(mean).reshape(target.shape)
    return Gaussian(centre, Covariance(variance, target.covariance.basis))


def flowed(
    law: GaussianLaw,
    mean: Values | float,
    variance: Values | float,
    first: float,
    last: float,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    level_at: Callable[[float], Level] = ve_level,
) -> tuple[Moments, int]:
    """Transport N(mean, variance) from noise `first` to noise `last`; returns the moments and the
    NFE of the solver.

    The flow is affine, so that it transports the coefficients (m, s) of `m + s xi`, `xi ~ N(0, 1)`,
    like samples. The apply to means and standard deviations of all distinct directions. The other
    arguments are those of `flow_rk45`. Raises NotIntegrated if the solver fails, ValueError for a
    negative variance.
    """
    m, v = law.start_moments(mean, variance)
    end, evaluations = flow_rk45(
        torch.stack([m, v.sqrt()], dim=1), law.score, first, last, rtol, atol, level_at
    )
    return Moments(end[:, 0], end[:, 1].square()), evaluations
