"""B5a and B5b: how much of the minority mode adaptive momentum keeps, at one level and a small step."""

from __future__ import annotations

import torch

from ams.inference import SUITE_FALSE_ALARM, proportion_interval
from ams.ledger import Measurement, check
from ams.noise import Level
from ams.samplers import Particles, PerSample, adaptive, momentum, momentum_rule, sample
from ams.targets import CLEAN
from analysis.orders.laws import adaptive_law, mass_left, of_power
from analysis.orders.settings import Settings
from analysis.targets import two_modes

STEP = 0.005
_NODES = 8  # of the momentum
_SHARE = 0.01  # of the suite's false-alarm budget, each


def kept(resolution: float = 0.5) -> float:
    """Return the mass left of 0 of adaptive momentum's mean-field law at a = 0.005, at a spacing of nodes."""
    return mass_left(adaptive_law(STEP, _NODES, resolution).law.density)


@check("B5a.mass")
def minority_is_starved(settings: Settings) -> Measurement:
    """Return the mass left of 0 in the mean field: the target has 0.309."""
    found = adaptive_law(STEP, _NODES)
    cooled = mass_left(of_power((1 + found.beta) ** 2))
    return Measurement(value=kept(), detail={"damping": found.beta, "pi": mass_left(of_power(1.0)), "pi^c": cooled})


@check("B5a.refined")
def mass_does_not_depend_on_the_nodes(settings: Settings) -> Measurement:
    """Return by how much that mass changes from a spacing of 0.5 to one of 0.35 deviations."""
    return Measurement(value=abs(kept() - kept(0.35)))


def share(settings: Settings, algebra: Particles) -> Measurement:
    """Return the share of particles left of 0 after `particle_steps` steps from the target, Clopper-Pearson."""
    generator = torch.Generator().manual_seed(settings.seed)
    start = two_modes().sample(settings.particles, CLEAN, generator)
    program = [(momentum(momentum_rule(adaptive(1e-3))), Level(0, sigma=0.0, step=STEP))] * settings.particle_steps
    at = sample(program, start, two_modes().score, generator, algebra)[0].x
    found = proportion_interval(int((at < 0).sum()), len(at), 1 - _SHARE * SUITE_FALSE_ALARM)
    return Measurement(value=found.value, low=found.low, high=found.high, n=len(at), seeds=(settings.seed,))


@check("B5b.batch")
def one_batch_is_the_mean_field(settings: Settings) -> Measurement:
    """Return the share left of 0 of one batch of particles less the mean field's mass."""
    found, law = share(settings, Particles()), kept()
    low, high = found.interval
    return found.model_copy(update={"value": found.value - law, "low": low - law, "high": high - law})


@check("B5b.alone")
def alone_is_starved_further(settings: Settings) -> Measurement:
    """Return the share left of 0 where each particle has norms, and a damping, of its own."""
    return share(settings, PerSample())
