"""Several exact laws in one: runs that differ in their numbers, not in their steps, share every operation.

A grid of step sizes, noise levels or signal-to-noise ratios is one run of the law on `runs` copies of the target's
directions. What differs between runs is a *column*, a value per direction and constant over those of one run: a
scalar of the algebra like any other. Norms stay those of one run, so adaptive rules decide for each run alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws.expected_norm import expected_norms
from ams.laws.gaussian import GaussianLaw, Moments, Row
from ams.samplers.base import Scalar
from ams.samplers.loop import Program
from ams.schedules import Level


class BatchedGaussian(GaussianLaw):
    """`runs` laws on one Gaussian target: a Gaussian law with that many times as many directions."""

    def __init__(self, law: GaussianLaw, runs: int) -> None:
        """Stack `runs` copies of `law`, which itself is only read."""
        super().__init__(law.variance.repeat(runs), law.mean.repeat(runs), law.multiplicity.repeat(runs))
        self.single, self.runs = law, runs

    def column(self, values: Sequence[float]) -> Float[Tensor, " directions"]:
        """Return one value a run as a scalar of this algebra. Raises ValueError unless there are as many as runs."""
        if len(values) != self.runs:
            raise ValueError(f"{len(values)} values for {self.runs} runs")
        return torch.tensor(values, dtype=torch.float64).repeat_interleave(len(self.single.variance))

    def level(self, levels: Sequence[Level]) -> Level:
        """Return a level whose sigma and step are columns, one value from each run's own; no successor."""
        sigma, step = (self.column([getattr(level, name) for level in levels]) for name in ("sigma", "step"))
        return Level(levels[0].number, sigma=sigma, step=step)  # type: ignore[arg-type]

    def program(self, programs: Sequence[Program]) -> Program:
        """Return the one program that runs all `programs`, in which the same step comes in the same place.

        Raises ValueError for programs of different lengths.
        """
        places = zip(*programs, strict=True)
        return [(place[0][0], self.level([level for _, level in place])) for place in places]

    def of_each_run(self, vector: Row) -> Moments:
        """Return the moments of a vector of the last step, tensors (runs, directions of the target)."""
        found = self.moments(vector)
        return Moments(*(part.reshape(self.runs, -1) for part in found))

    def combine(self, *terms: tuple[Scalar, Row], over: Row | None = None) -> Row:
        """Return the linear combination of coefficient rows, by floats and columns."""
        (c, v), *rest = terms
        total = v * (c[:, None] if isinstance(c, Tensor) else c)
        for c, v in rest:
            total.addcmul_(v, c[:, None]) if isinstance(c, Tensor) else total.add_(v, alpha=c)
        return total

    def norm(self, vector: Row) -> Float[Tensor, " directions"]:  # type: ignore[override]
        """Return `E|v|` of each run as a column."""
        norms = expected_norms(*self.of_each_run(vector), self.single.multiplicity)
        return norms.repeat_interleave(len(self.single.variance))

    def sqrt(self, scalar: Scalar) -> Scalar:
        """Return the square root of a float or a column."""
        return scalar**0.5

    def divide(self, numerator: Scalar, denominator: Scalar) -> Scalar:
        """Return the quotient: tensors follow IEEE."""
        return numerator / denominator

    def clip(self, scalar: Scalar, low: float, high: float) -> Scalar:
        """Return the clipped column, `high` where it is not a number."""
        return torch.nan_to_num(scalar, nan=high).clamp(low, high)

    def finite(self, vector: Row) -> bool:
        """Return True: a run that diverges leaves the others alone, and its own moments tell."""
        return True
