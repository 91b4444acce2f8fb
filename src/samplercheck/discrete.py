r"""Discrete diffusion as an exact chain: the distribution of an unmasking sampler's samples,
without sampling.

The data are 6 sites of 3 values each, 729 states in all, of known probabilities. Noise acts on each
site alone: with probability t it is masked (*absorbing*) or drawn anew (*uniform*; both in D3PM,
arXiv 2107.03006; the ancestral step from absorbing noise in MDLM, arXiv 2406.07524). So the exact
network, p(x_0,i = k | x_t) for each site i, is a sum by Bayes' rule. A step from t to s moves each
site by itself given x_t. Its transition probabilities are products over sites, and the distribution
over all states follows without a random draw.

Since sites that change in one step do so independently, a right sampler is exact only in the limit:
its distance to the data in total variation falls as 1 / N with the number N of steps. A step of one
site alone makes no error.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from samplercheck.convergence import Order, fitted

SITES, VALUES = 6, 3
STEPS = (4, 6, 8, 12, 16, 24)

Step: TypeAlias = Callable[[Tensor, Tensor, float, float], Tensor]
"""`step(predicted, x, t, s)`: the probabilities (n, 6, states) of each site's next value, from `x`
(n, 6) at noise t.

`predicted` (n, 6, 3) is the exact network's output. There are three states of a site, or four, of
which 3 is the mask.
"""


class Chain(NamedTuple):
    """The total-variation distance of samples to the data by number of steps, its order, and why
    there is none.
    """

    distance: dict[int, float]
    order: Order | None
    why: str


def chain(
    step: Step, absorbing: bool, data: Float[Tensor, " 729"], steps: Sequence[int] = STEPS
) -> Chain:
    """Return the exact distance of the samples of `step` to the probabilities `data`, at N even
    steps from t = 1 to 0.

    A sample with masks left counts as wrong. Raises ValueError for transition probabilities that do
    not add up to 1.
    """
    x = torch.cartesian_prod(*[torch.arange(VALUES + absorbing)] * SITES)
    whole, cube = (x < VALUES).all(1), data.reshape([VALUES] * SITES)
    distances = {}
    for count in steps:
        p = _noised(cube, _site(1.0, absorbing)).flatten()
        for k in range(count, 0, -1):
            predicted = _posterior(cube, _site(k / count, absorbing))
            p = _moved(p, step(predicted, x, k / count, (k - 1) / count))
        distances[count] = (float((p[whole] - data).abs().sum()) + float(p[~whole].sum())) / 2
    return Chain(distances, *fitted(steps, list(distances.values())))


def _noised(p: Tensor, site: Tensor, but: int | None = None) -> Tensor:
    """Return `p` (3, ..., 3) with noise on each site, by P(x_t,i | x_0,i), but for one: that
    keeps its x_0,i.
    """
    for i in range(SITES):
        p = p if i == but else torch.tensordot(site, p, dims=([1], [i])).movedim(0, i)
    return p


def _site(t: float, absorbing: bool) -> Tensor:
    """Return P(x_t,i | x_0,i), of shape (states, 3), at noise t."""
    same, every = (
        torch.eye(VALUES, dtype=torch.float64),
        torch.ones(VALUES, VALUES, dtype=torch.float64),
    )
    return (
        torch.cat([(1 - t) * same, t * every[:1]])
        if absorbing
        else (1 - t) * same + t * every / VALUES
    )


def _posterior(data: Tensor, site: Tensor) -> Float[Tensor, "states sites values"]:
    """Return the exact network's output for every x_t; where x_t is impossible, any."""
    each = []
    for i in range(SITES):
        joint = _noised(data, site, but=i).movedim(i, -1).unsqueeze(i)
        joint = joint * site.reshape(*[-1 if j == i else 1 for j in range(SITES)], VALUES)
        each.append(joint.reshape(-1, VALUES))
    predicted = torch.stack(each, 1)
    total = predicted.sum(-1, keepdim=True)
    return torch.where(total > 0, predicted / total, 1 / VALUES)


def _moved(p: Tensor, sites: Tensor) -> Tensor:
    """Return the distribution after a step: the sum over x of p(x) times the product of its
    sites' probabilities.
    """
    if not torch.allclose(sites.sum(-1), torch.ones((), dtype=torch.float64)) or bool(
        (sites < 0).any()
    ):
        raise ValueError(
            "step returned numbers that are no probabilities: each site's are 0 "
            "or more and add up to 1"
        )
    halves = (
        reduce(lambda left, right: (left[:, :, None] * right[:, None]).flatten(1), half.unbind(1))
        for half in sites.split(SITES // 2, dim=1)
    )
    first, second = halves
    return ((p[:, None] * first).T @ second).flatten()
