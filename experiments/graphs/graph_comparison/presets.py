"""The samplers that are compared on graphs: Euler-Maruyama, alone or with a corrector before each
of its steps.

A corrector takes as many score evaluations as the predictor, so the predictor alone makes twice the
steps with the same evaluations. (An evaluation here is one of both networks.)
"""

from dataclasses import dataclass
from functools import partial

from experiments.graphs import samplers
from experiments.graphs.generation import END
from experiments.graphs.samplers import Corrector, CoupledProgram, Predictor, euler_maruyama
from experiments.graphs.systems import Pair


@dataclass(frozen=True)
class Preset:
    """A sampler of graphs; `corrector` is None for the predictor alone.

    `per_graph`: a graph's step size is found from its own norms, not from its batch's. `noise` is
    the scale of the noise where it is not GDSS's own for this data set (1: not scaled, a control).
    """

    name: str
    corrector: Corrector | None = None
    per_graph: bool = False
    noise: float | None = None

    @property
    def evaluations(self) -> int:
        """Return the score evaluations of a step."""
        return 1 if self.corrector is None else 2

    def plan(
        self,
        pair: Pair,
        steps: int,
        snr: float,
        scale_eps: float,
        predictor: Predictor = euler_maruyama,
    ) -> CoupledProgram:
        """Return the run in so many steps of the predictor."""
        correctors = self.corrector and self.corrector(snr, self.noise or scale_eps)
        return samplers.planned(pair, predictor, steps, END, correctors)


_ADAPTIVE, _CONSTANT = (
    partial(samplers.authors_momentum, one) for one in (samplers.ADAPTIVE, samplers.CONSTANT)
)
_ADAPTIVE_IN_BOTH = partial(samplers.momentum_in_both, samplers.ADAPTIVE)

PREDICTOR = Preset("predictor alone")
LANGEVIN = Preset("PC, Langevin", samplers.langevin)
ADAPTIVE = Preset("PC, adaptive", _ADAPTIVE)
LANGEVIN_LESS = Preset("PC, Langevin, noise 0.6", samplers.langevin, noise=0.6)
ADAPTIVE_LESS = Preset("PC, adaptive, noise 0.6", _ADAPTIVE, noise=0.6)
ADAPTIVE_IN_BOTH = Preset("PC, adaptive in both", _ADAPTIVE_IN_BOTH)

_ALL = (
    PREDICTOR,
    LANGEVIN,
    Preset("PC, Langevin, full noise", samplers.langevin, noise=1.0),
    LANGEVIN_LESS,
    ADAPTIVE,
    ADAPTIVE_LESS,
    ADAPTIVE_IN_BOTH,
    Preset("PC, constant", _CONSTANT),
    Preset("PC, constant in both", partial(samplers.momentum_in_both, samplers.CONSTANT)),
    Preset("PC, Leimkuhler-Matthews", samplers.leimkuhler_matthews),
    Preset("PC, adaptive, each alone", _ADAPTIVE_IN_BOTH, per_graph=True),
)

SAMPLERS = {sampler.name: sampler for sampler in _ALL}
"""Every sampler by its name. `PC, adaptive` and `PC, constant` are those of the authors' code,
which loses the adjacency's momentum; those named `in both` have momentum in both states, the form
that their code appears to intend. GDSS's configuration of community_small scales the noise by 0.7,
the authors' configuration with momentum by 0.6.
"""
