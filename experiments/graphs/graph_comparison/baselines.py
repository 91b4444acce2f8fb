"""The samplers that are compared on graphs: Euler-Maruyama, alone or with a corrector before each of its steps.

A corrector costs as many score evaluations as the predictor, so the predictor alone takes twice the steps for the same
evaluations. (An evaluation here is one of both networks.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from experiments.graphs import samplers
from experiments.graphs.generation import END
from experiments.graphs.samplers import Correctors, Run, corrected, euler_maruyama, predicted
from experiments.graphs.systems import Pair

Build: TypeAlias = Callable[[float, float], Correctors]
"""`build(snr, scale_eps)`: the correctors of both states."""


class Contender(NamedTuple):
    """A sampler: its corrector, None for none.

    `alone`: a graph's step is found from its own norms, not its batch's. `full`: the noise is not scaled, a control.
    """

    corrector: Build | None
    alone: bool = False
    full: bool = False

    @property
    def evaluations(self) -> int:
        """Return the score evaluations of a step."""
        return 1 if self.corrector is None else 2

    def plan(self, pair: Pair, steps: int, snr: float, scale_eps: float) -> Run:
        """Return the run in so many steps of the predictor."""
        if self.corrector is None:
            return predicted(pair, euler_maruyama, steps, END)
        built = self.corrector(snr, 1.0 if self.full else scale_eps)
        return corrected(pair, euler_maruyama, built, steps, END)


PREDICTOR = "predictor alone"
LANGEVIN = "PC, Langevin"
FULL = "PC, Langevin, full noise"
ADAPTIVE = "PC, adaptive"
DESCRIBED = "PC, adaptive in both"
CONSTANT = "PC, constant"
CONSTANT_IN_BOTH = "PC, constant in both"
AVERAGED = "PC, Leimkuhler-Matthews"
ALONE = "PC, adaptive, each alone"

CONTENDERS: Mapping[str, Contender] = {
    PREDICTOR: Contender(None),
    LANGEVIN: Contender(samplers.langevin_corrector),
    FULL: Contender(samplers.langevin_corrector, full=True),
    ADAPTIVE: Contender(samplers.released_adaptive),
    DESCRIBED: Contender(samplers.described_adaptive),
    CONSTANT: Contender(samplers.released_constant),
    CONSTANT_IN_BOTH: Contender(samplers.described_constant),
    AVERAGED: Contender(samplers.averaged_noise_corrector),
    ALONE: Contender(samplers.described_adaptive, alone=True),
}
"""`PC, adaptive` and `PC, constant` are as released: the adjacency's momentum is lost. `in both`: as described."""
