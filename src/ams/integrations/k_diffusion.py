"""The suite's samplers in the form of k-diffusion (https://github.com/crowsonkb/k-diffusion):
functions of a denoiser.

`model(x, sigma, **extra_args)` returns the denoised point, `sigmas` fall to 0. A method that takes
T steps at each noise level (`repeats`) calls the model T times for each of them.
`noise_sampler(sigma, sigma_next)` must return a new draw at every call, also of equal arguments, as
k-diffusion's default does and a Brownian tree does not. `callback` gets the dictionary of
k-diffusion; its `i` counts calls of the model.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ams.integrations.programs import algebra, program, walk
from ams.samplers.base import State
from ams.samplers.presets import AUTHORS, DEFAULT, Hyperparameters
from ams.schedules import Level


@torch.no_grad()
def sample(
    method: str,
    model: Callable[..., Tensor],
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], None] | None = None,
    disable: bool | None = None,
    noise_sampler: Callable[[Tensor, Tensor], Tensor] | None = None,
    hyperparameters: Hyperparameters = DEFAULT,
    per_sample: bool = False,
) -> Tensor:
    """Return the end of a run of a method of `ams.integrations.programs`; with `per_sample`
    samples do not interact.
    """
    current: dict[str, Any] = {}

    def denoiser(y: Tensor, level: Level) -> Tensor:
        sigma = sigmas[level.number]
        denoised = model(y, sigma * y.new_ones([len(y)]), **(extra_args or {}))
        current.update(
            x=y, sigma=sigma, sigma_hat=sigma, denoised=denoised, next=sigmas[level.number + 1]
        )
        return denoised

    def noise(y: Tensor) -> Tensor:
        return (
            torch.randn_like(y)
            if noise_sampler is None
            else noise_sampler(current["sigma"], current["next"])
        )

    pairs = program(method, sigmas.tolist(), hyperparameters)
    steps = walk(pairs, State(x), denoiser, noise, algebra(per_sample))
    for i, (state, _) in enumerate(tqdm(steps, total=len(pairs), disable=disable)):  # noqa: B007 - the last is the end
        if callback is not None:
            callback({"i": i, **current})
    return state.x


sample_annealed_langevin = partial(sample, "annealed Langevin")
"""Annealed Langevin, `repeats` steps at each noise level; arguments as `sample` from the model
on.
"""
sample_adaptive_momentum = partial(sample, "adaptive momentum", hyperparameters=AUTHORS)
"""Adaptive momentum with the hyperparameters of the authors' code; arguments as `sample` from
the model on.
"""
sample_adaptive_momentum_corrected = partial(
    sample, "adaptive, noise corrected", hyperparameters=AUTHORS
)
"""Adaptive momentum with noise that fits its drift (claim G7); arguments as `sample` from the
model on.
"""
sample_annealed_baoab = partial(sample, "annealed BAOAB, tapered")
"""Annealed BAOAB, tapered, one call a noise level; arguments as `sample` from the model on."""
