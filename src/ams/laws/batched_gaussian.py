"""Several exact laws at once: a grid of step sizes, noise levels or ratios is one run on copies of
the directions.

A number that differs between runs is a *column*: a scalar with a value for each direction, constant
over the directions of one run. Norms are those of each run, so that adaptive rules act on each run
alone.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ams.laws.expected_norm import expected_norms
from ams.laws.gaussian import GaussianLaw, Moments, Row
from ams.samplers.base import Scalar
from ams.samplers.loop import Program
from ams.samplers.scalars import ColumnScalars
from ams.schedules import Level


class BatchedGaussian(ColumnScalars, GaussianLaw):
    """The algebra of `runs` exact laws on one Gaussian target, with `runs` times as many
    directions.
    """

    def __init__(self, law: GaussianLaw, runs: int) -> None:
        """Stack `runs` copies of the target of `law`."""
        super().__init__(
            law.variance.repeat(runs), law.mean.repeat(runs), law.multiplicity.repeat(runs)
        )
        self.single, self.runs = law, runs

    def column(self, values: Sequence[float]) -> Float[Tensor, " directions"]:
        """Return one value for each run as a scalar of this algebra. Raises ValueError for
        another number of values.
        """
        if len(values) != self.runs:
            raise ValueError(f"{len(values)} values for {self.runs} runs")
        return torch.tensor(values, dtype=torch.float64).repeat_interleave(
            len(self.single.variance)
        )

    def level(self, levels: Sequence[Level]) -> Level:
        """Return a noise level without successor; its sigma and step are columns of one noise
        level of each run.
        """
        sigma, step = (
            self.column([getattr(level, name) for level in levels]) for name in ("sigma", "step")
        )
        return Level(levels[0].number, sigma=sigma, step=step)  # type: ignore[arg-type]

    def program(self, programs: Sequence[Program]) -> Program:
        """Return the program that runs all `programs`, which have the same steps. ValueError for
        other lengths.
        """
        pairs = zip(*programs, strict=True)
        return [
            (of_each_run[0][0], self.level([level for _, level in of_each_run]))
            for of_each_run in pairs
        ]

    def of_each_run(self, vector: Row) -> Moments:
        """Return the moments of a vector of the last step, as tensors (runs, directions of the
        target).
        """
        return Moments(*(part.reshape(self.runs, -1) for part in self.moments(vector)))

    def combine(self, *terms: tuple[Scalar, Row], over: Row | None = None) -> Row:
        """Return the linear combination of coefficient rows, by floats and columns."""
        (c, v), *rest = terms
        total = v * (c[:, None] if isinstance(c, Tensor) else c)
        for c, v in rest:
            total.addcmul_(v, c[:, None]) if isinstance(c, Tensor) else total.add_(v, alpha=c)
        return total

    def norm(self, vector: Row) -> Float[Tensor, " directions"]:  # type: ignore[override]
        """Return the column of `E|v|` of each run."""
        norms = expected_norms(*self.of_each_run(vector), self.single.multiplicity)
        return norms.repeat_interleave(len(self.single.variance))

    def finite(self, vector: Row) -> bool:
        """Return True: a diverging run does not affect the others, and its moments show that it
        diverges.
        """
        return True
