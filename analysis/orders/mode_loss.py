"""B5a and B5b: how much of the minority mode adaptive momentum keeps, at one level and a small step."""

from __future__ import annotations

import torch
from pydantic import JsonValue

from ams.samplers import Particles, PerSample, adaptive, momentum, momentum_rule, sample
from ams.schedules import Level
from ams.statistics import Margin, plan_margin
from ams.targets import CLEAN
from analysis.orders.laws import adaptive_law, mass_left, of_power
from analysis.orders.settings import Settings
from analysis.targets import two_modes
from verdicts import Measurement, check

STEP = 0.005
_NODES = 8  # of the momentum
_TRACE = 0.003  # of the start in the mass left of 0, after 3000 steps: the slowest mode's


def kept(resolution: float = 0.5) -> float:
    """Return the mass left of 0 of adaptive momentum's mean-field law at a = 0.005, at a spacing of nodes."""
    return mass_left(adaptive_law(STEP, _NODES, resolution).stationary.density)


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


def share(settings: Settings, algebra: Particles) -> float:
    """Return the share of particles left of 0 after `particle_steps` steps from draws of the target."""
    generator = torch.Generator().manual_seed(settings.seed)
    start = two_modes().sample(settings.particles, CLEAN, generator)
    program = [(momentum(momentum_rule(adaptive(1e-3))), Level(0, sigma=0.0, step=STEP))] * settings.particle_steps
    at = sample(program, start, two_modes().score, generator, algebra)[0].x
    return float((at < 0).double().mean())


def planned(settings: Settings, expected: float) -> Margin:
    """Return the margin of a share near `expected`, of independent particles: half of cooling's effect must be seen.

    A batch couples its particles through the damping alone, which takes no part in whose mode is whose.
    """
    error = (expected * (1 - expected) / settings.particles) ** 0.5
    return plan_margin(error, effect=(mass_left(of_power(1.0)) - kept()) / 2, bias=_TRACE)


@check("B5b.batch")
def one_batch_is_the_mean_field(settings: Settings) -> Measurement:
    """Return the share left of 0 of one batch of particles less the mean field's mass."""
    found, law = share(settings, Particles()), kept()
    detail: dict[str, JsonValue] = {"share": found, **planned(settings, law).detail()}
    return Measurement(value=found - law, n=settings.particles, seeds=(settings.seed,), detail=detail)


@check("B5b.alone")
def alone_is_starved_further(settings: Settings) -> Measurement:
    """Return the same where each particle has norms, and a damping, of its own."""
    found, law = share(settings, PerSample()), kept()
    detail: dict[str, JsonValue] = {"share": found, **planned(settings, law).detail()}
    return Measurement(value=found - law, n=settings.particles, seeds=(settings.seed,), detail=detail)
