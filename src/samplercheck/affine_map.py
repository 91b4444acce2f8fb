"""The affine map of a sampler, read off one batch, and the exact law that follows from it.

On a Gaussian target the exact score is affine. A sampler whose coefficients do not depend on its
samples then returns

    x = offset + start x_T + sum_k draws_k z_k          in every eigendirection of the target,

and so is the input of each of its network calls. A batch of impulses reads the map: row 0 has start
and draws 0, row 1 starts at 1, row k + 2 has draw k equal to 1. Two last rows, random throughout,
must be what the map predicts: their difference is the *superposition defect*, zero up to rounding
for an affine sampler. One is of a usual size, the other `FAR` times as large: states of so many
standard deviations of the data, as far as any clamp that samples could meet. Mean and variance
follow exactly.
"""

from contextlib import suppress
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ams.schedules import Level
from samplercheck.answered_draws import Draws, NotMade, Unanswered
from samplercheck.model import Recorded
from samplercheck.sampler import Sampler, trajectory

AFFINE = 1e-6
"""A larger superposition defect, relative, is a sampler that is not affine."""
FAR = 6.0
"""Standard deviations from which the far row starts, and the size of its draws."""


@dataclass(frozen=True)
class AffineMap:
    """The map at each point of a run: the inputs of its network calls, then its end.

    `levels` are the noise levels that were passed with the calls; `begins` is that of the start
    where it is stated. `defect` is the largest superposition defect of the end in units of that
    random row's size, of the worse one.
    """

    levels: list[Level]
    offset: Float[Tensor, "points d"]
    start: Float[Tensor, "points d"]
    draws: Float[Tensor, "points draws d"]
    defect: float
    begins: Level | None = None

    def law(
        self, point: int, mean: Tensor | float, variance: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance (d,) at a point for a start `x_T ~ N(mean, variance)`; -1 is the
        end.
        """
        spread = self.draws[point].square().sum(0)
        return self.offset[point] + self.start[point] * mean, self.start[
            point
        ].square() * variance + spread

    def exact_start(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distribution of `x_T` for which the first call's input has exactly the mean
        and variance given.

        It is the marginal at the noise level that the sampler itself passes first, in the unit of
        its own start. Raises NotMade as `moved_by_start`.
        """
        gain = moved_by_start(self.start[0])
        return (mean - self.offset[0]) / gain, (
            variance - self.draws[0].square().sum(0)
        ) / gain.square()


def moved_by_start(gain: Tensor) -> Tensor:
    """Return `gain`, the response of the first network call to a unit start. Raises NotMade where
    there is none.
    """
    if not gain.all():
        raise NotMade(
            "the first network call does not depend on the start `x` that the kit gives: "
            "begin there"
        )
    return gain


def read_map(
    sampler: Sampler, network: Recorded, width: int, steps: int, seed: int = 0, draws: int = 0
) -> AffineMap:
    """Return the affine map of a run of `steps` steps in `width` directions.

    A sampler that draws runs twice, unless it makes no more than `draws` draws: the first run
    counts them. Some draw though they use no noise.
    """
    asked = Draws()
    asked.normals = draws
    if draws or sampler.noise == 0:
        with suppress(Unanswered):
            return _read(sampler, network, width, steps, seed, asked)
    trajectory(sampler, network, torch.zeros(2, width, dtype=torch.float64), steps, asked)
    return _read(sampler, network, width, steps, seed, asked)


def _read(
    sampler: Sampler, network: Recorded, width: int, steps: int, seed: int, asked: Draws
) -> AffineMap:
    """Return the map of a run that makes the draws that `asked` counted, and the defect of the
    random row.

    Raises Unanswered if it makes more draws.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.zeros(asked.count + 4, width, dtype=torch.float64)
    x[1], x[-2] = (
        1.0,
        sampler.prior(steps) * torch.randn(width, dtype=torch.float64, generator=generator),
    )
    x[-1] = FAR * sampler.prior(steps) * x[-2].sign()
    near = torch.randn(asked.count, width, dtype=torch.float64, generator=generator)
    last = torch.stack([near, FAR * near], 1)

    def impulses(k: int, shape: torch.Size) -> Tensor:
        if k >= asked.count:
            raise Unanswered(f"draw {k + 1} of a run that was to draw {asked.count} times")
        value = torch.zeros(len(x), width, dtype=torch.float64)
        value[k + 2], value[-2:] = 1.0, last[k]
        return value.reshape(shape)

    path = trajectory(sampler, network, x, steps, asked.again(impulses))
    points = torch.stack([*(call.x for call in path.calls), path.end])
    offset, gain, responses = (
        points[:, 0],
        points[:, 1] - points[:, 0],
        points[:, 2:-2] - points[:, :1],
    )
    predicted = offset[-1] + gain[-1] * x[-2:] + (responses[-1].unsqueeze(1) * last).sum(0)
    size = points[-1, -2:].abs().amax(1).clamp_min(1e-300)
    defect = float(((points[-1, -2:] - predicted).abs().amax(1) / size).max())
    begins = sampler.begins and sampler.begins(steps)
    return AffineMap([call.level for call in path.calls], offset, gain, responses, defect, begins)
