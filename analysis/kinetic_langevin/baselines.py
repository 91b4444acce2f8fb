r"""Who is compared in K8 and K9, at which settings, and how many evaluations each needs.

Every sampler but annealed Langevin and adaptive momentum goes down geometric levels, one step each; those two take
T = 5 steps at each level, of the size that NCSNv2's rule finds. EDM's own levels (rho = 7) needed more evaluations of
every sampler on the development family. Settings other than the published ones were chosen on that family alone:

    TAPERED        `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`: the least geometric mean over exact, high and start
    stirred        `u = 1.9`, `e = 0`: without memory, the least on start as on high
    steady         the TAPERED pace without its memory: `u = 1.8 q`, `e = 0`
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

from ams.samplers import (
    TAPERED,
    KineticParameters,
    Program,
    Step,
    adaptive,
    affine,
    ancestral,
    annealed,
    annealed_baoab,
    critical_momentum,
    dpm_solver,
    edm_stochastic,
    fixed,
    flow_heun,
    langevin,
    momentum,
    momentum_rule,
    one_step_per_level,
    tapered,
)
from ams.samplers.annealed_baoab import KineticParameters, KineticSchedule
from ams.schedules import Level, annealed_levels, geometric_sigmas, ncsnv2_step, ve_levels
from analysis.kinetic_langevin.family import Arena

Entrant: TypeAlias = Callable[[Arena, int], Program]
"""The program of a run in an arena with at most that many evaluations."""


def descending(step: Callable[[int], Step], cost: int = 1) -> Entrant:
    """One step a level, at `cost` evaluations; `step` is told how many steps there are."""
    return lambda arena, budget: one_step_per_level(step(budget // cost), levels(arena, budget // cost))


def levels(arena: Arena, steps: int) -> list[Level]:
    """Return `steps + 1` geometric levels from the arena's first noise to its last."""
    return ve_levels(geometric_sigmas(arena.first, arena.last, steps + 1))


def stationed(step: Step, repeats: int = 5) -> Entrant:
    """`repeats` steps a level of NCSNv2's size."""

    def program(arena: Arena, budget: int) -> Program:
        sigmas = geometric_sigmas(arena.first, arena.last, max(budget // repeats, 2))
        return annealed(step, annealed_levels(sigmas, ncsnv2_step(sigmas, repeats)), repeats)

    return program


def critically_damped(arena: Arena, budget: int) -> Program:
    """The steady pace with `e` by K2's formula from the exact mean curvature of each target at each level."""
    d = len(arena.family.single.variance)

    def at(level: Level) -> Step:
        precision = 1.0 / (arena.family.variance + level.sigma**2)
        mean = precision.reshape(-1, d).mean(1).repeat_interleave(d)

        def pacing(h: float) -> KineticParameters:
            u = TAPERED(h).u * level.sigma**2 * mean
            return TAPERED(h)._replace(kept=critical_momentum((u / (2.0 - u)).sqrt()))

        return annealed_baoab(pacing)

    return [(at(level), level) for level in levels(arena, budget) if level.next]


def kept_throughout(kept: float) -> Entrant:
    """The isothermal sampler with one `e` for every step."""
    return descending(lambda n: annealed_baoab(fixed(kept)))


def at_pace(pacing: KineticSchedule) -> Entrant:
    """The isothermal sampler at a pace."""
    return descending(lambda n: annealed_baoab(pacing))


MEMORY = "annealed BAOAB, tapered"
ENTRANTS: dict[str, Entrant] = {
    MEMORY: at_pace(TAPERED),
    "annealed BAOAB, tapered, e = 0": at_pace(tapered(kept=0.0)),
    "annealed BAOAB, u = 1.9": descending(lambda n: annealed_baoab(lambda h: KineticParameters(1.9, 0.0))),
    "annealed BAOAB, e = 0": kept_throughout(0.0),
    "annealed BAOAB, e = 1/2": kept_throughout(0.5),
    "annealed BAOAB, e adaptive": critically_damped,
    "DPM-Solver++": descending(lambda n: dpm_solver(0.0)),
    "SDE-DPM-Solver++": descending(lambda n: dpm_solver(1.0)),
    "Heun ODE": descending(lambda n: flow_heun, cost=2),
    "EDM stochastic": descending(edm_stochastic, cost=2),
    "ancestral": descending(lambda n: affine(ancestral)),
    "annealed Langevin": stationed(langevin()),
    "adaptive momentum": stationed(momentum(momentum_rule(adaptive()))),
}


def budgets(most: int) -> list[int]:
    """Return 10, 14, 20, 28, ...: geometric, two in an octave, up to `most`."""
    return [round(10 * 2 ** (k / 2)) for k in range(math.floor(2 * math.log2(most / 10) + 1e-9) + 1)]


def divergences(entrant: Entrant, arena: Arena, budget: int) -> torch.Tensor:
    """Return KL / d of each target; infinite where the run diverged."""
    return arena.family.divergence(entrant(arena, budget), arena.first, arena.last).nan_to_num(nan=math.inf)


def needed(reached: Callable[[int], torch.Tensor], threshold: float, most: int) -> np.ndarray:
    """Return the evaluations at which KL / d of each target first is `threshold`; infinite beyond `most`.

    `reached(budget)` is that KL / d, a value a target. Interpolated between budgets, on logarithms of both.
    """
    grid, rows = [], []
    for budget in budgets(most):
        grid.append(math.log(budget))
        rows.append(reached(budget).log().numpy())
        if (np.min(rows, axis=0) <= math.log(threshold)).all():
            break
    return np.array([_crossing(np.array(grid), column, math.log(threshold)) for column in np.transpose(rows)])


def _crossing(grid: np.ndarray, values: np.ndarray, level: float) -> float:
    below = np.flatnonzero(values <= level)
    if not len(below):
        return math.inf
    i = int(below[0])
    if i == 0 or not math.isfinite(values[i - 1]):
        return math.exp(grid[i])
    share = (values[i - 1] - level) / (values[i - 1] - values[i])
    return math.exp(grid[i - 1] + share * (grid[i] - grid[i - 1]))
