"""Runs of one graph sampler in two formulations: packed (real nodes and pairs alone) and padded, as published.

Both run the same loop and steps from equal starts with equally much noise. Padded, a state is (batch, N, F) and
(batch, N, N), with N the data set's largest graph. Weights too small to matter are zero in both formulations: as
published, subnormal products make the padded one up to twice as slow again.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ams.data import weights
from ams.samplers import Particles
from experiments.benchmarks import padded_networks as padded
from experiments.benchmarks.settings import Settings
from experiments.graphs.bundled_networks import OWN, own_networks, own_split
from experiments.graphs.checkpoints import Networks, tensors_of, without_dust
from experiments.graphs.data import published, sizes
from experiments.graphs.generation import PUBLISHED, Setting, halves
from experiments.graphs.graph_layout import Layout
from experiments.graphs.samplers import Denoised, Half, coupled, denoised_end
from experiments.graphs.systems import CoupledScore, scores, scores_of

GraphSampling = Callable[[], Denoised]


class Problem(NamedTuple):
    """A data set's published sampler in `steps` steps, its networks, and the numbers of nodes of a batch."""

    setting: Setting
    networks: Networks
    sizes: tuple[int, ...]
    steps: int
    seed: int


def published_problem(name: str, batch: int, steps: int, seed: int) -> Problem:
    """Return a data set's problem with the authors' networks; graphs have the sizes of random training graphs.

    Raises DataUnavailable without the files.
    """
    setting = PUBLISHED[name]
    drawn = tuple(sizes(published(name).train, batch, seed))
    return Problem(setting, setting.networks(), drawn, steps, seed)


def own_problem(batch: int, settings: Settings) -> Problem:
    """Return the problem of community_small with the suite's own networks, which need no file."""
    drawn = tuple(sizes(own_split().train, batch, settings.seed))
    return Problem(OWN, own_networks(), drawn, settings.graph_steps, settings.seed)


def _sampled(problem: Problem, features: Half, adjacency: Half) -> Denoised:
    return denoised_end(coupled(problem.setting.plan(problem.steps), features, adjacency))


def packed_run(problem: Problem) -> GraphSampling:
    """Return a run on packed graphs."""
    layout = Layout.of(problem.sizes)
    both = scores(problem.networks, problem.setting.pair, layout)
    return lambda: _sampled(problem, *halves(both, layout, problem.setting.features, problem.seed))


def padded_run(problem: Problem) -> GraphSampling:
    """Return a run on padded graphs: norms are over whole padded samples."""
    side, width = problem.setting.largest, problem.setting.features
    real = (torch.arange(side) < torch.tensor(problem.sizes)[:, None]).float()
    both = padded_scores(problem.setting, real)
    shapes = (len(real), side, width), (len(real), side, side)

    def run() -> Denoised:
        generator = torch.Generator().manual_seed(problem.seed)

        def rows(x: Tensor) -> Tensor:
            return padded.mask_rows(torch.empty_like(x).normal_(generator=generator), real)

        def pairs(x: Tensor) -> Tensor:
            return padded.mask_pairs(padded.symmetric(torch.empty_like(x).normal_(generator=generator)), real)

        features, adjacency = (
            Half(noise(torch.empty(shape)), score, noise, Particles())
            for shape, score, noise in zip(shapes, both, (rows, pairs), strict=True)
        )
        return _sampled(problem, features, adjacency)

    return run


def published_tensors(setting: Setting) -> list[dict[str, Tensor]]:
    """Return the tensors of the features network and of the adjacency network, by their published names."""
    content = weights(setting.checkpoint)
    both = [tensors_of(content, part, setting.averaged) for part in ("x", "adj")]
    return [{name: without_dust(tensor) for name, tensor in named.items()} for named in both]


def padded_scores(setting: Setting, real: Tensor) -> tuple[CoupledScore, CoupledScore]:
    """Return the scores of features and adjacency in the padded formulation."""
    features, adjacency = published_tensors(setting)
    return scores_of(
        partial(padded.features_network, real=real, parameters=features),
        partial(padded.adjacency_network, real=real, parameters=adjacency),
        setting.pair,
    )
