r"""The samplers that K8 and K9 compare, and how many evaluations each needs on every target of a problem.

Every sampler but annealed Langevin and adaptive momentum takes one step from each geometric noise level to the next;
those two take T = 5 steps per noise level, of NCSNv2's size. EDM's own noise levels (rho = 7) need more evaluations of
every sampler on the development family. Hyperparameters other than the published ones are chosen on that family alone:

    tapered          `u = 1.8 q`, `e = min(0.8, q)`, `q = exp(-4 h)`: the least geometric mean over exact, high, start
    tapered, e = 0   its refreshment without its momentum: `u = 1.8 q`, `e = 0`
    u = 1.9          `u = 1.9`, `e = 0`: without momentum, the least on start as on high
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ams.samplers import Info, Noise, Score, State, Step, critical_momentum
from ams.samplers.annealed_baoab import TAPERED, KineticParameters, annealed_baoab, fixed, tapered
from ams.samplers.presets import ADAPTIVE, LANGEVIN, SPECS, SamplerSpec, step_per_level
from ams.schedules import Level
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from analysis.kinetic_langevin.family import Problem, family
from verdicts.studies import Array, cell

DECAYING, DECAYING_HALF = "annealed BAOAB, e = 0", "annealed BAOAB, e = 1/2"
MOMENTUM, SAME_WITHOUT = "annealed BAOAB, tapered", "annealed BAOAB, tapered, e = 0"
BEST_WITHOUT, CURVATURE = "annealed BAOAB, u = 1.9", "annealed BAOAB, e from curvature"
PUBLISHED = ("DPM-Solver++", "SDE-DPM-Solver++", "Heun ODE", "EDM stochastic", "ancestral")
ANNEALED = (LANGEVIN.name, ADAPTIVE.name)
COMPARED = (MOMENTUM, SAME_WITHOUT, BEST_WITHOUT, DECAYING, DECAYING_HALF, CURVATURE, *PUBLISHED)
THRESHOLD = 1e-4
"""Of KL / d (nats), to which evaluations are counted."""
MOMENTA = {e: f"annealed BAOAB, e = {name}" for e, name in {0.25: "1/4", 0.5: "1/2", 0.75: "3/4", 0.9: "9/10"}.items()}
"""Annealed BAOAB at one momentum for every step, by that momentum."""


def with_critical_momentum(state: State, score: Score, noise: Noise, level: Level, law: Any) -> tuple[State, Info]:
    """The tapered step with `e` by K2's formula, from each target's exact mean curvature at the noise level."""
    curvature = law.mean_curvature(level)

    def schedule(h: float) -> KineticParameters:
        u = TAPERED(h).u * level.sigma**2 * curvature
        return TAPERED(h)._replace(e=critical_momentum((u / (2.0 - u)).sqrt()))

    return annealed_baoab(schedule)(state, score, noise, level, law)


def _baoab(name: str, step: Step, marker: str = "", line: str = "-") -> SamplerSpec:
    program = step_per_level(lambda hyperparameters, steps: step)
    return replace(SPECS[DECAYING], name=name, program=program, colour="#56B4E9", marker=marker, line=line)


def tapered_sampler(rate: float, most: float, e: float) -> SamplerSpec:
    """Return annealed BAOAB with `u = most q`, `min(e, q)`, `q = exp(-rate h)`."""
    return _baoab(f"tapered, {rate:g}, {most:g}, {e:g}", annealed_baoab(tapered(rate, most, e)))


_OWN = (
    _baoab(SAME_WITHOUT, annealed_baoab(tapered(e=0.0)), "v", "-."),
    _baoab(BEST_WITHOUT, annealed_baoab(lambda h: KineticParameters(1.9, 0.0)), "^", ":"),
    _baoab(CURVATURE, with_critical_momentum),
    *(_baoab(name, annealed_baoab(fixed(e))) for e, name in MOMENTA.items() if name not in SPECS),
)
SAMPLERS = SPECS | {spec.name: spec for spec in _OWN}
"""The suite's samplers and this group's own, by name."""


@cell
def divergences(sampler: str, problem: Problem, budget: int) -> Array:
    """KL / d of a sampler's run at a budget, on each target of a problem (nats)."""
    return family(problem).divergence(SAMPLERS[sampler].build(problem.sigmas, budget), problem.sigmas)


@cell
def evaluations(sampler: str, problem: Problem, largest: int) -> Array:
    """The evaluations that a sampler needs on each target; infinite where it does not reach the threshold."""
    return nfe_of_targets(partial(divergences, sampler, problem), largest)


@cell
def tapered_evaluations(rate: float, most: float, e: float, problem: Problem, largest: int) -> Array:
    """The evaluations that a tapered schedule needs on each target; infinite where it does not reach the threshold."""
    spec, targets, sigmas = tapered_sampler(rate, most, e), family(problem), problem.sigmas
    return nfe_of_targets(lambda budget: targets.divergence(spec.build(sigmas, budget), sigmas), largest)


def budgets(largest: int) -> list[int]:
    """Return 10, 14, 20, 28, ...: geometric, two in an octave, up to `largest`."""
    return [round(10 * 2 ** (k / 2)) for k in range(math.floor(2 * math.log2(largest / 10) + 1e-9) + 1)]


def nfe_of_targets(divergence: Callable[[int], np.ndarray], largest: int) -> np.ndarray:
    """Return the evaluations at which `divergence(budget)` of each target first is 1e-4; infinite beyond `largest`."""
    curve: dict[int, np.ndarray] = {}
    for budget in budgets(largest):
        curve[budget] = divergence(budget)
        if (np.min(list(curve.values()), axis=0) <= THRESHOLD).all():
            break
    columns = np.transpose(list(curve.values())).tolist()
    return np.array([nfe_to_threshold(zip(curve, column, strict=True), THRESHOLD) for column in columns])
