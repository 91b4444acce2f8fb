"""The suite's samplers as one scheduler of diffusers (https://github.com/huggingface/diffusers).

    pipeline.scheduler = AMSScheduler.from_config(pipeline.scheduler.config, method="adaptive
    momentum")

It takes the place of DDIM's or DDPM's: samples have unit scale, `x = r x_0 + sigma z` with `r^2 +
sigma^2 = 1`, and the network predicts noise, data or v. The noise levels `sigma / r` are geometric
between those of the last and the first training timestep, or EDM's with exponent `rho`; timesteps
between two of training are real numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from ams.errors import UserError
from ams.integrations.programs import algebra, calls_per_level, program, walk
from ams.samplers.base import State
from ams.samplers.presets import Hyperparameters, SigmaRange, levels


@dataclass
class AMSSchedulerOutput(BaseOutput):
    """The next sample, and the denoised sample that the network's output predicts."""

    prev_sample: Tensor
    pred_original_sample: Tensor | None = None


class AMSScheduler(SchedulerMixin, ConfigMixin):
    """A scheduler that runs a `method` of `ams.integrations.programs`, such as `adaptive momentum`.

    A method that takes T steps at each noise level (`repeats`) has `order` T: a pipeline calls its
    network T times in each of its `num_inference_steps`. `factor`, `delta` and `extra` are those of
    `ams.samplers.presets`. The norms of adaptive momentum are means over the batch, as in the
    authors' code, unless `per_sample`. The other arguments are those of diffusers' `DDIMScheduler`.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 1e-4,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | np.ndarray | None = None,
        prediction_type: str = "epsilon",
        method: str = "adaptive momentum",
        repeats: int = 5,
        factor: float = 1.0,
        delta: float = 1e-3,
        extra: float = 1.0,
        rho: float = 0.0,
        per_sample: bool = False,
    ) -> None:
        trained = DDPMScheduler(
            num_train_timesteps, beta_start, beta_end, beta_schedule, trained_betas
        )
        # In float64: in float32 the least noise level is off by 8e-5 of itself, and the step sizes
        # follow from it.
        products = np.cumprod(1 - trained.betas.double().numpy())
        self.alphas_cumprod = torch.tensor(products, dtype=torch.float32)
        self._trained = np.sqrt(1 / products - 1)
        self._hyperparameters = Hyperparameters(
            repeats=repeats, factor=factor, delta=delta, extra=extra
        )
        self.order, self.init_noise_sigma = calls_per_level(method, self._hyperparameters), 1.0
        self.set_timesteps(num_train_timesteps // self.order)

    def __len__(self) -> int:
        return self.config.num_train_timesteps

    def set_timesteps(
        self, num_inference_steps: int, device: str | torch.device | None = None
    ) -> None:
        """Begin a run with so many noise levels above 0."""
        ends, config = SigmaRange(float(self._trained[-1]), float(self._trained[0])), self.config
        sigmas = [level.sigma for level in levels(ends, num_inference_steps, config.rho)] + [0.0]
        self._pairs = program(config.method, sigmas, self._hyperparameters)
        noise = np.array([level.sigma for _, level in self._pairs])
        times = np.interp(noise, self._trained, np.arange(len(self._trained)))
        self.timesteps = torch.tensor(times, dtype=torch.float32, device=device)
        self.num_inference_steps = num_inference_steps
        self.set_begin_index(None)

    def set_begin_index(self, begin_index: int | None = 0) -> None:
        """Begin a run at an entry of `timesteps`; None takes it from the first timestep of the
        run.
        """
        self.begin_index, self.step_index = begin_index, begin_index
        self._state, self._algebra = State(None), algebra(self.config.per_sample)

    def index_for_timestep(self, timestep: float | Tensor) -> int:
        """Return the first entry of `timesteps` that is nearest to a timestep."""
        return int((self.timesteps - float(timestep)).abs().argmin())

    def scale_model_input(self, sample: Tensor, timestep: Any = None) -> Tensor:
        """Return the sample, which has unit scale already."""
        return sample

    def step(
        self,
        model_output: Tensor,
        timestep: float | Tensor,
        sample: Tensor,
        generator: torch.Generator | list[torch.Generator] | None = None,
        return_dict: bool = True,
    ) -> AMSSchedulerOutput | tuple[Tensor, Tensor]:
        """Return the next sample from the network's output at `sample`, computed in float32 at
        least.
        """
        if self.step_index is None:
            self.step_index = self.index_for_timestep(timestep)
        pair = self._pairs[self.step_index]
        precision = torch.promote_types(sample.dtype, torch.float32)
        x, output = sample.to(precision), model_output.to(precision)
        scale, sigma = _unit(pair[1].sigma)
        denoised = self._denoised(x, output, scale, sigma)

        def noise(y: Tensor) -> Tensor:
            return randn_tensor(y.shape, generator=generator, device=y.device, dtype=y.dtype)

        state = self._state._replace(x=x / scale)
        ((self._state, _),) = walk([pair], state, lambda y, level: denoised, noise, self._algebra)
        self.step_index += 1
        after = self._pairs[self.step_index][1].sigma if self.step_index < len(self._pairs) else 0.0
        result = (_unit(after)[0] * self._state.x).to(sample.dtype)
        return AMSSchedulerOutput(result, denoised) if return_dict else (result, denoised)

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Return noisy samples at `timesteps`, one for each sample or one for all, as
        image-to-image pipelines need.
        """
        times = timesteps.detach().cpu().double().numpy()
        v = torch.as_tensor(np.interp(times, np.arange(len(self._trained)), self._trained)).to(
            original_samples
        )
        scale, sigma = _unit(v.reshape(-1, *[1] * (original_samples.ndim - 1)))
        return scale * original_samples + sigma * noise

    def _denoised(self, x: Tensor, output: Tensor, scale: float, sigma: float) -> Tensor:
        match self.config.prediction_type:
            case "epsilon":
                return (x - sigma * output) / scale
            case "sample":
                return output
            case "v_prediction":
                return scale * x - sigma * output
        raise UserError(
            f"prediction_type {self.config.prediction_type!r}: expected "
            "epsilon, sample or v_prediction"
        )


def _unit(v: Any) -> tuple[Any, Any]:
    """Return `(r, sigma)` with `sigma / r = v` and `r^2 + sigma^2 = 1`."""
    scale = (1 + v**2) ** -0.5
    return scale, v * scale
