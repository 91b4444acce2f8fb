"""Stationary densities at one noise level as the step changes: what the chart of module `step_chart` shows."""

from typing import NamedTuple

import numpy as np

from ams.laws.meanfield import frozen_density, mean_field
from ams.laws.phase_space import stationary
from ams.metrics import line_w2
from ams.samplers import langevin
from analysis.orders.distances import RESOLUTION, RULE
from analysis.targets import of_power, two_modes
from verdicts.studies import cell

BETA = 0.8
"""Constant momentum's coefficient in figures."""
SMALLEST, DOUBLINGS = 5e-4, 6  # at larger steps constant momentum's density needs more nodes than are worth it
SIZES = tuple(SMALLEST * 2**k for k in range(DOUBLINGS + 1))
X = np.linspace(-2.75, 2.75, 67)
SAMPLERS = ("Langevin", "constant momentum", "adaptive momentum")


class AtStep(NamedTuple):
    """A stationary distribution: its density at `X`, and W2 to the target."""

    values: list[float]
    w2: float


@cell
def on_mixture(sampler: str, size: float) -> AtStep:
    """The stationary density of a sampler on the mixture at base step `size`, by its density in phase space."""
    near = of_power(0.6)
    if sampler == "Langevin":
        density = stationary(two_modes(), langevin(), size, near=near).density
    elif sampler == "constant momentum":
        density = frozen_density(two_modes(), size, BETA, 12 if size > 0.01 else 5, near=near).density
    else:
        density = mean_field(two_modes(), RULE, size, 6, resolution=RESOLUTION).stationary.density
    return AtStep(density.primitive().rate(X).tolist(), line_w2(density, of_power(1.0)))
