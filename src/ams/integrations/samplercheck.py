"""The samplers of `ams.samplers.presets` for the kit, by their names there, as the library `ams`.

Settings: `sigma_max` (20) and `sigma_min` (0.02) are the ends of the noise levels; all others are
fields of `Hyperparameters`, with the values of the code published with arXiv 2405.13726. `steps` is
the number of noise levels of an annealed sampler, the most network calls of any other: a step of
`TWO_CALLS` makes two. At a fixed number of steps per noise level, more noise levels do not remove
an annealed sampler's lag: its limit differs from its target, for Langevin as one over that number.

An order is stated where its source states one: UniPC-p has p + 1, SA-Solver with noise 1 (in the
strong sense).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ams import __version__
from ams.laws.gaussian import GaussianLaw
from ams.samplers.base import State, Step
from ams.samplers.loop import Program, last, run as run_program
from ams.samplers.particles import Particles
from ams.samplers.presets import AUTHORS, COMPARED, RIVALS, SPECS, Family, SigmaRange
from ams.schedules import Level
from samplercheck.adapters import OTHERS, Adapter
from samplercheck.answered_draws import Draws
from samplercheck.model import Network
from samplercheck.sampler import Sampler

STATED = {  # order, noise
    "Euler ODE": (1, 0.0),
    "Heun ODE": (2, 0.0),
    "DPM-Solver++": (2, 0.0),
    "SDE-DPM-Solver++": (None, 1.0),
    "reverse diffusion": (None, 1.0),
    "ancestral": (None, 1.0),
    "DEIS-2": (2, 0.0),
    "DEIS-3": (3, 0.0),
    "DEIS-4": (4, 0.0),
    "UniPC-2": (3, 0.0),
    "UniPC-3": (4, 0.0),
    "SDE-DPM-Solver++(3M)": (None, 1.0),
    "ER-SDE-Solver-3": (3, None),
    "SA-Solver, tau 1": (1, None),
    "SA-Solver, tau 0.2": (1, None),
}
TWO_CALLS = ("Heun ODE", "EDM stochastic")


def names() -> list[str]:
    """Return the names of the samplers that a program runs."""
    return [*COMPARED, *RIVALS]


def load(name: str, settings: dict[str, Any]) -> Sampler:
    """Return a sampler of the suite."""
    settings = dict(settings)
    sigmas = SigmaRange(
        float(settings.pop("sigma_max", 20.0)), float(settings.pop("sigma_min", 0.02))
    )
    spec, hyperparameters = SPECS[name], AUTHORS._replace(**settings)
    calls = hyperparameters.repeats if spec.family is Family.ANNEALED else 1
    each, counted = 2 if name in TWO_CALLS else 1, spec.family is not Family.PREDICTOR_CORRECTOR
    order, noise = STATED.get(name, (None, None))

    def program(steps: int) -> Program:
        return spec.build(sigmas, steps * calls, hyperparameters)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def score(x: Tensor, level: Level) -> Tensor:
            return network("score", x, level)

        return last(
            run_program(program(steps), State(x), score, torch.randn_like, spec.coupling())
        )[0].x

    def mean_field(steps: int, mean: Tensor, variance: Tensor) -> MeanField:
        return MeanField(list(program(steps)), mean, variance)

    coupled = name.startswith(("adaptive", "PC")) and spec.coupling is Particles
    return Sampler(
        f"ams:{name}",
        __version__,
        run,
        lambda steps: sigmas.first,
        order,
        noise,
        evaluations=(lambda steps: steps // each * each * calls) if counted else None,
        coupling="its norms are means over the batch, as in the authors' code" if coupled else "",
        mean_field=mean_field if coupled else None,
    )


OTHERS["ams"] = Adapter(names, load)


class MeanField:
    """The exact law of a program of steps of `ams.samplers`, with one call each, on a Gaussian
    target.

    It is the limit of large batches (mean field) of a sampler whose coefficients depend on the
    norms of its batch. Its methods are those of `samplercheck.affine_map.AffineMap`, which it
    stands for.
    """

    defect = 0.0

    def __init__(
        self, program: Sequence[tuple[Step, Level]], mean: Tensor, variance: Tensor
    ) -> None:
        self.levels = [level for _, level in program]
        self._size, gaussian = mean.shape, GaussianLaw(variance, mean)

        @lru_cache(maxsize=2)
        def moments(
            mean: tuple[float, ...], variance: tuple[float, ...]
        ) -> list[tuple[Tensor, Tensor]]:
            steps = gaussian.run(program, gaussian.start(mean, variance))
            path = [(state.x, gaussian.moments(info.at)) for state, info in steps]
            return [*(at for _, at in path), gaussian.moments(path[-1][0])]

        self._moments = moments

    def law(
        self, point: int, mean: Tensor | float, variance: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance (d,) at a call for a start with this mean and variance; -1 is
        the end.
        """

        def values(given: Tensor | float) -> tuple[float, ...]:
            return tuple(torch.as_tensor(given, dtype=torch.float64).expand(self._size).tolist())

        return self._moments(values(mean), values(variance))[point]

    def exact_start(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return both: the first call is at the start."""
        return mean, variance
