"""Predictors and correctors of score_sde_pytorch (https://github.com/yang-song/score_sde_pytorch), by its own loop.

Names are those of the predictors in its registry. Settings: `sde` is `vp` (default), `subvp` or `ve`; `corrector` is
`none` (default), `langevin` or `ald`, with `snr` (0.16) and `n_steps` (1); `probability_flow` and `denoise` are
arguments of its `get_pc_sampler`. The network is the continuous one of its score models: of `vp` and `subvp` it returns
eps at time t, of `ve` the score at the noise level that it is passed.
"""

from typing import Any

import torch
from torch import Tensor

from ams.errors import UserError, unknown
from samplercheck.answered_draws import Draws
from samplercheck.entry_points import Model
from samplercheck.model import Network, noise_level
from samplercheck.sampler import Sampler
from survey.by_file.registered import module, version

SDES = {"vp": ("VPSDE", 1e-3), "subvp": ("subVPSDE", 1e-3), "ve": ("VESDE", 1e-5)}
"""Each process with its class and the time at which its configurations end a run."""
PREDICTORS = ("euler_maruyama", "reverse_diffusion", "ancestral_sampling")
CORRECTORS = ("none", "langevin", "ald")
OWN = ("sde", "corrector", "snr", "n_steps", "probability_flow", "denoise")


def names() -> list[str]:
    """Return the names of the predictors."""
    return list(PREDICTORS)


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a predictor, with a corrector if one is set. Raises UserError for a setting that is not there."""
    for key in settings:
        if key not in OWN:
            raise unknown("setting of score-sde", key, OWN)
    process, corrector = str(settings.pop("sde", "vp")), str(settings.pop("corrector", "none"))
    for kind, given, known in (("sde", process, tuple(SDES)), ("corrector", corrector, CORRECTORS)):
        if given not in known:
            raise unknown(kind, given, known)
    if name == "ancestral_sampling" and (process == "subvp" or settings.get("probability_flow")):
        raise UserError("ancestral_sampling: score_sde_pytorch has it for the reverse SDE of vp and ve alone")
    snr, flow = float(settings.pop("snr", 0.16)), bool(settings.get("probability_flow", False))
    code, library = module("score-sde"), module("score-sde-lib")
    kind, end = SDES[process]

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def answer(x: Tensor, labels: Tensor) -> Tensor:  # 999 t, of `ve` the noise level
            if process == "ve":
                return network("score", x, noise_level(1.0, labels))
            scale, sigma = sde.marginal_prob(torch.ones_like(x[:, :1, :1, :1]), labels / 999)
            return network("eps", x, noise_level(scale, sigma))

        sde = getattr(library, kind)(N=steps)
        sde.prior_sampling = lambda shape: x
        chosen = code.get_predictor(name), code.get_corrector(corrector)
        options = {"snr": snr, "continuous": True, "eps": end, "device": "cpu", **settings}
        sampler = code.get_pc_sampler(sde, x.shape, *chosen, lambda x: x, **options)
        return sampler(Model(answer))[0]

    return Sampler(
        f"score-sde:{name}",
        version("score-sde"),
        run,
        lambda steps: 50.0 if process == "ve" else 1.0,
        order=1 if corrector == "none" else None,
        noise=None if corrector != "none" else 0.0 if flow else 1.0,
        coupling="its norms are means over the batch" if corrector == "langevin" else "",
    )
