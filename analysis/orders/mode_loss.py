"""B5a and B5b: how much of the minority mode adaptive momentum preserves, at one noise level and a small step."""

import torch

from ams.metrics import half_line
from ams.samplers import Particles, PerSample, adaptive, momentum, momentum_rule, sample
from ams.schedules import Level
from ams.statistics import plan_margin
from ams.targets import CLEAN
from analysis.orders.distances import RESOLUTION, MeanFieldDensity, adaptive_density
from analysis.orders.settings import Settings
from analysis.targets import of_power, two_modes
from verdicts import Measurement
from verdicts.studies import cell

STEP, NODES = 0.005, 8
"""The step, and the nodes of the momentum in the mean field."""
RESOLUTIONS = (RESOLUTION, 0.35)
_TRACE = 0.003  # of the start in the mass left of 0, after 3000 steps: the slowest mode's


def mean_field_density(resolution: float = RESOLUTION) -> MeanFieldDensity:
    """Return adaptive momentum's mean field at a = 0.005, at a spacing of nodes."""
    return adaptive_density(STEP, NODES, resolution)


def minority_mass_in_the_mean_field(settings: Settings) -> Measurement:
    """Measure the mass left of 0 of adaptive momentum's mean field at a = 0.005; the target has 0.309 there."""
    beta, left, _, _ = mean_field_density()
    masses = {"pi": half_line(of_power(1.0)), "pi^c": half_line(of_power((1 + beta) ** 2))}
    return Measurement(value=left, detail={"momentum coefficient": beta, **masses})


def change_of_minority_mass_on_finer_nodes(settings: Settings) -> Measurement:
    """Measure the change of the mean field's mass left of 0 from a spacing of nodes of 0.5 to 0.35 deviations."""
    coarse, fine = map(mean_field_density, RESOLUTIONS)
    return Measurement(value=abs(coarse.left - fine.left))


@cell
def particle_mass(coupled: bool, particles: int, steps: int, seed: int) -> float:
    """The share of particles left of 0 after steps from draws of the target; `coupled`: norms are the batch's."""
    generator = torch.Generator().manual_seed(seed)
    start = two_modes().sample(particles, CLEAN, generator)
    program = [(momentum(momentum_rule(adaptive(1e-3))), Level(0, sigma=0.0, step=STEP))] * steps
    algebra = Particles() if coupled else PerSample()
    return float((sample(program, start, two_modes().score, generator, algebra)[0].x < 0).double().mean())


def excess_mass(settings: Settings, coupled: bool) -> Measurement:
    """Return the particles' mass left of 0 less the mean field's; half of the tempered target's effect must be seen.

    A batch couples its particles through the momentum coefficient alone, which does not decide who is in which mode:
    they count as independent.
    """
    n, exact = settings.particles, mean_field_density().left
    mass = particle_mass(coupled, n, settings.particle_steps, settings.seed)
    effect = (half_line(of_power(1.0)) - exact) / 2
    margin = plan_margin((exact * (1 - exact) / n) ** 0.5, effect=effect, bias=_TRACE)
    return Measurement(value=mass - exact, n=n, seeds=(settings.seed,), detail={"mass": mass, **margin.detail()})
