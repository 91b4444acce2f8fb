"""The suite's samplers as samplers of azula (https://github.com/probabilists/azula), for any of
its denoisers.
"""

from typing import Any

import torch
from azula.denoise import Denoiser
from azula.sample import Sampler
from torch import Tensor

from ams.integrations.programs import algebra, program, walk
from ams.samplers.base import State
from ams.samplers.presets import DEFAULT, Hyperparameters
from ams.schedules import Level


class AMSSampler(Sampler):
    """A method of `ams.integrations.programs`, such as `adaptive momentum`.

    An annealed method calls the denoiser `hyperparameters.repeats` times at each of the `steps`
    times. With `per_sample` the samples of a batch do not interact. Other arguments are those of
    azula's `Sampler`.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        method: str,
        hyperparameters: Hyperparameters = DEFAULT,
        per_sample: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.denoiser, self.method = denoiser, method
        self.hyperparameters, self.per_sample = hyperparameters, per_sample

    @torch.no_grad()
    def __call__(self, x: Tensor, **kwargs: Any) -> Tensor:
        """Return the end of a run from the noisy tensor `x`; `kwargs` are passed to the
        denoiser.
        """
        times = self.timesteps.to(device=x.device)
        scales, sigmas = self.denoiser.schedule(times)

        def denoiser(y: Tensor, level: Level) -> Tensor:
            return self.denoiser(scales[level.number] * y, times[level.number], **kwargs).mean

        pairs = program(self.method, (sigmas / scales).tolist(), self.hyperparameters)
        steps = walk(
            pairs, State(x / scales[0]), denoiser, torch.randn_like, algebra(self.per_sample)
        )
        for _ in self.progress_bar(range(len(pairs))):
            state, _ = next(steps)
        return scales[-1] * state.x
