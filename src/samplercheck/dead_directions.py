r"""What a sampler leaves of noise in a direction in which the data have no variance, as images have
in most directions.

The data are one point here. Along their probability flow E[x_0 | x_t] and E[z | x_t] are constant,
so that a step which keeps one of them constant, or the velocity of a straight path `x_t = (1 - t)
x_0 + t z`, makes no error, however long it is: DDIM, exponential integrators, any Runge-Kutta or
multistep method on straight paths. Of a run that ends at the noise level 0 nothing is left then,
after any number of steps. Else the standard deviation that is left is

- the noise level at which the run ends, sigma / scale: of N steps even in t without the last one it
  is 1 / N;
- the error of a step that follows a curve: Euler's method in the time of a VP process leaves
  O(N^-1/2).

The targets of other checks have a standard deviation of 0.05 at the least, in which less noise than
that disappears.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from samplercheck.convergence import Data, Order, fitted, pushforward
from samplercheck.limits import Limit, limit_of
from samplercheck.sampler import Sampler

DEAD = 1e-9
"""The direction's standard deviation, in the data's scale: below rounding, and not 0, by which a
score divides.
"""
STEPS = (5, 10, 20, 40)


class DeadDirection(NamedTuple):
    """The standard deviation left in a direction without variance, by number of steps, in units of
    the data's scale.

    The runs begin at the library's own start. `order` is p where it falls as N^-p, None where
    nothing is left. `limit` is where it leads in many steps. That the mean is right is what other
    checks see.
    """

    left: dict[int, float]
    order: Order | None
    limit: Limit


def dead_direction(sampler: Sampler, steps: Sequence[int] = STEPS) -> DeadDirection:
    """Return what the sampler leaves. Raises NotMade where `steps` lack N, 2 N and 4 N for two
    N.
    """
    scale = sampler.data_std
    # Two directions, lest code drop a dimension of one element; one of them is reported.
    point = Data(*(torch.full((2,), size * scale, dtype=torch.float64) for size in (0.5, DEAD)))
    ends = []
    for count in steps:
        start = sampler.start(count, point.mean, point.std.square())
        _, variance = pushforward(sampler, point, count).law(-1, *start)
        ends.append(variance.sqrt()[:1] / scale)
    left = [float(end) for end in ends]
    return DeadDirection(
        dict(zip(steps, left, strict=True)), fitted(steps, left)[0], limit_of(steps, ends)
    )
