"""Samplers of seven image repositories, at their defaults unless the name says more.

- crowsonkb/v-diffusion-pytorch: functions of a v network at times of the cosine schedule, on its
  spliced steps.
- openai/guided-diffusion: loops over a subset of about 8000 timesteps here, with `clip_denoised`
  off.
- openai/consistency_models: functions of a denoiser at Karras' noise levels, as `karras_sample`
  calls them, one of a consistency function; its own clamp of the samples to [-1, 1] is left out.
- CompVis/latent-diffusion: DDIM and PLMS over a subset of about 8000 timesteps here, with betas of
  its `linear` kind.
- NVlabs/edm2: EDM's sampler, without guidance.
- baofff/U-ViT: Euler-Maruyama for its reverse SDE and probability flow.
- willisma/SiT: Euler's ODE solver and the SDE solvers, of a velocity network on the linear path.
  Its default for the ODE, dopri5, is left out: it passes the network times above 1, which are no
  noise levels.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from samplercheck import entry_points
from samplercheck.answered_draws import Draws
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler, places
from survey.sources import COMMITS, code, first_word, importable, sampler

V, GUIDED, CONSISTENCY = (
    "crowsonkb/v-diffusion-pytorch",
    "openai/guided-diffusion",
    "openai/consistency_models",
)
LATENT, EDM2, UVIT, SIT = "CompVis/latent-diffusion", "NVlabs/edm2", "baofff/U-ViT", "willisma/SiT"
FINE = 8000  # timesteps, in place of 1000: their number is an argument of the code
SIGMA_MIN, SIGMA_MAX = 0.002, 80.0  # the defaults of `karras_sample`


def _v_diffusion(kind: str, order: int, **more: float) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws, uneven: bool = False) -> Tensor:
        sampling = code(V, "diffusion/sampling.py")

        def model(x: Tensor, t: Tensor) -> Tensor:
            return network("v", x, noise_level(*sampling.utils.t_to_alpha_sigma(t.double())))

        falling = (1 - places(steps, uneven))[:-1].to(torch.get_default_dtype())
        times = sampling.utils.get_spliced_ddpm_cosine_schedule(falling)
        return getattr(sampling, first_word(kind))(model, x, times, extra_args={}, **more)

    return sampler(
        V, kind, run, order=order, noise=more.get("eta", 0.0), uneven=partial(run, uneven=True)
    )


def _eps(network: Network, betas: Tensor) -> Callable[..., Tensor]:
    """Return a network that is told timesteps of these betas."""
    left = (1 - betas).cumprod(0)
    return lambda x, t, *_: network(
        "eps", x, noise_level(left[t[0]].sqrt(), (1 - left[t[0]]).sqrt())
    )


def _guided_diffusion(
    kind: str, noise: float, respacing: str = "", small: bool = False, **more: Any
) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        timesteps = FINE // steps * steps
        script = code(GUIDED, "guided_diffusion/script_util.py")
        made = script.create_gaussian_diffusion(
            steps=timesteps, timestep_respacing=f"{respacing}{steps}", sigma_small=small
        )
        model = _eps(
            network, torch.as_tensor(script.gd.get_named_beta_schedule("linear", timesteps))
        )
        loop = getattr(made, first_word(kind))
        return loop(model, x.shape, noise=x, clip_denoised=False, device="cpu", **more)

    return sampler(GUIDED, kind, run, order=1, noise=noise)


def _consistency_models(
    kind: str, order: int | None, noise: float | None = 0.0, **more: Any
) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        diffusion = code(CONSISTENCY, "cm/karras_diffusion.py", "piq", "mpi4py", "blobfile")
        levels = steps + (kind == "sample_progdist")  # which leaves out the last one, 0
        sigmas = diffusion.get_sigmas_karras(levels, SIGMA_MIN, SIGMA_MAX)
        distilled = kind == "stochastic_iterative_sampler"
        asked = {"ts": range(steps + 1), "steps": steps + 1} if distilled else more
        model = entry_points.model_of(network, "consistency@sigma" if distilled else "x0@sigma")
        return getattr(diffusion, first_word(kind))(
            model, x, sigmas, diffusion.get_generator("dummy"), **asked
        )

    return sampler(CONSISTENCY, kind, run, SIGMA_MAX, order=order, noise=noise, data_std=0.5)


def _latent_diffusion(kind: str, order: int, eta: float = 0.0) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        importable(LATENT)  # its files import each other by the name of the package
        util, name = code(LATENT, "ldm/modules/diffusionmodules/util.py"), first_word(kind)
        timesteps = FINE // steps * steps
        scale = 1000 / timesteps
        betas = torch.as_tensor(
            util.make_beta_schedule("linear", timesteps, 1e-4 * scale, 2e-2 * scale)
        )
        left = (1 - betas).cumprod(0).to(torch.get_default_dtype())
        model = SimpleNamespace(
            num_timesteps=timesteps, betas=betas, device="cpu", alphas_cumprod=left
        )
        model.alphas_cumprod_prev, model.apply_model = (
            torch.cat([torch.ones(1), left[:-1]]),
            _eps(network, betas),
        )
        made = getattr(
            code(LATENT, f"ldm/models/diffusion/{name.removesuffix('Sampler').lower()}.py"), name
        )(model)
        made.register_buffer = partial(setattr, made)  # its own moves all tensors to a GPU
        return made.sample(steps, len(x), x.shape[1:], x_T=x, eta=eta, verbose=False)[0]

    return sampler(LATENT, kind, run, order=order, noise=eta)


def _edm2(kind: str, order: int | None, noise: float | None = 0.0, **settings: Any) -> Sampler:
    edm_sampler = code(
        EDM2, "generate_images.py", "dnnlib", "torch_utils", "tqdm", "click"
    ).edm_sampler
    known = {"labels": None, "gnet": None} | settings
    asked = entry_points.load(edm_sampler, f"{EDM2}:{kind}", "net", known, "x0@sigma")
    return replace(asked, version=COMMITS[EDM2][:8], order=order, noise=noise, data_std=0.5)


def _u_vit(kind: str, solved: str, process: str = "vpsde") -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        module = code(UVIT, "sde.py", "absl")
        sde = module.get_sde(process)

        def model(x: Tensor, labels: Tensor) -> Tensor:
            t = labels[:1].double() / 999
            return network("eps", x, noise_level(sde.cum_alpha(t).sqrt(), sde.cum_beta(t).sqrt()))

        reverse = getattr(module, solved)(module.ScoreModel(model, "noise_pred", sde))
        return module.euler_maruyama(reverse, x, steps)

    return sampler(UVIT, kind, run, order=1, noise=float(solved == "ReverseSDE"))


def _sit(kind: str, order: int | None, noise: float | None = 0.0, **settings: Any) -> Sampler:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        transport = code(SIT, "transport/__init__.py")
        made = transport.Sampler(transport.create_transport())
        solve = getattr(made, first_word(kind))(num_steps=steps, **settings)
        return solve(x, lambda x, t: -network("flow", x, noise_level(t, 1 - t)))[-1]

    return sampler(SIT, kind, run, order=order, noise=noise)


# the form that the repository's script takes
_SIGMA: dict[str, Any] = {
    "noise": None,
    "diffusion_form": "sigma",
}
SAMPLERS: dict[str, dict[str, Callable[[str], Sampler]]] = {
    V: {
        "sample": partial(_v_diffusion, order=1, eta=0.0),
        "sample eta=1": partial(_v_diffusion, order=1, eta=1.0),
        **{f"{kind}_sample": partial(_v_diffusion, order=4) for kind in ("prk", "plms", "iplms")},
        **{f"{kind}_sample": partial(_v_diffusion, order=2) for kind in ("pie", "plms2")},
    },
    GUIDED: {
        "p_sample_loop": partial(_guided_diffusion, noise=1.0),
        "p_sample_loop sigma_small": partial(_guided_diffusion, noise=1.0, small=True),
        "ddim_sample_loop": partial(_guided_diffusion, noise=0.0, respacing="ddim"),
        "ddim_sample_loop eta=1": partial(_guided_diffusion, noise=1.0, respacing="ddim", eta=1.0),
    },
    CONSISTENCY: {
        **{f"sample_{kind}": partial(_consistency_models, order=2) for kind in ("heun", "dpm")},
        **{
            f"sample_{kind}": partial(_consistency_models, order=1)
            for kind in ("euler", "progdist")
        },
        "sample_heun s_churn=10": partial(
            _consistency_models, order=None, noise=None, s_churn=10.0
        ),
        "sample_euler_ancestral": partial(_consistency_models, order=1, noise=1.0),
        "stochastic_iterative_sampler": partial(_consistency_models, order=None, noise=None),
    },
    LATENT: {
        "DDIMSampler": partial(_latent_diffusion, order=1),
        "DDIMSampler eta=1": partial(_latent_diffusion, order=1, eta=1.0),
        "PLMSSampler": partial(_latent_diffusion, order=4),
    },
    EDM2: {
        "edm_sampler": partial(_edm2, order=2),
        "edm_sampler S_churn=40": partial(_edm2, order=None, noise=None, S_churn=40),
    },
    UVIT: {
        "euler_maruyama SDE": partial(_u_vit, solved="ReverseSDE"),
        "euler_maruyama ODE": partial(_u_vit, solved="ODE"),
        "euler_maruyama SDE vpsde_cosine": partial(
            _u_vit, solved="ReverseSDE", process="vpsde_cosine"
        ),
    },
    SIT: {
        "sample_ode euler": partial(_sit, order=1, sampling_method="euler"),
        "sample_sde": partial(_sit, order=1, noise=1.0),
        "sample_sde sigma": partial(_sit, order=1, **_SIGMA),
        "sample_sde sigma Heun": partial(_sit, order=None, sampling_method="Heun", **_SIGMA),
    },
}
