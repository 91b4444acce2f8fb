"""One record a sampler: its program for a budget, what tuning may change, how its exact law is had, how it is drawn.

`SPECS` holds every sampler that the suite compares, by its name. Adding one is its step in a file of its own and a
`SamplerSpec` here. Annealed samplers take T steps at each of NFE / T geometric noise levels with NCSNv2's step (times
`factor`); the others one step from each noise level to the next, so that all end at the last one, within the budget.

Colours are those of Okabe and Ito (*Color universal design*, 2008), told apart by colour-blind readers and, with the
markers, in grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ams.samplers.ablations import unit_factor, with_corrected_noise, without_averaging
from ams.samplers.affine_transitions import (
    AffineTransition,
    affine,
    ancestral,
    flow_euler,
    next_level,
    reverse_sde,
)
from ams.samplers.annealed_baoab import TAPERED, KineticSchedule, annealed_baoab, fixed
from ams.samplers.base import Rule, Step
from ams.samplers.consistent_annealed import consistent
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.edm import edm_stochastic
from ams.samplers.heun import flow_heun
from ams.samplers.leimkuhler_matthews import leimkuhler_matthews
from ams.samplers.loop import Program, annealed, one_step_per_level, predictor_corrector
from ams.samplers.particles import Particles, PerSample
from ams.samplers.rules import adaptive, constant, langevin, momentum, momentum_rule
from ams.samplers.snr_step_size import snr_of_last_momentum, snr_of_momentum, snr_of_score
from ams.schedules import Level, annealed_levels, geometric_sigmas, karras_sigmas, ncsnv2_step, ve_levels


class SigmaRange(NamedTuple):
    """First and last noise level of a run."""

    first: float
    last: float


class Hyperparameters(NamedTuple):
    """One setting. `factor` of NCSNv2's step and `repeats` (T) of an annealed run; a corrector's `snr`; the exponent
    `rho` of the noise levels (0: geometric); EDM's `churn`, at noise below `churn_below`; constant `beta`;
    `drift_scale`, consistent annealed sampling's drift in units of the probability flow's; the clip `delta`; a solver's
    `tolerance`. `extra` lengthens the first move of adaptive momentum by so many of the last level's steps: 1 in the
    authors' code, 0 in the theory.
    """

    factor: float = 1.0
    repeats: int = 5
    snr: float = 0.16
    rho: float = 0.0
    churn: float = 40.0
    beta: float = 0.9
    drift_scale: float = 1.5
    delta: float = 1e-3
    tolerance: float = 1e-5
    extra: float = 0.0
    churn_below: float = math.inf


DEFAULT = Hyperparameters()
AUTHORS = Hyperparameters(extra=1.0)
"""Every hyperparameter as in the authors' code."""

BuildProgram: TypeAlias = Callable[[SigmaRange, int, Hyperparameters], Program]
"""`program(sigmas, budget, hyperparameters)`: at most `budget` score evaluations."""


class Family(StrEnum):
    """How a sampler goes through the noise levels."""

    ANNEALED = "several steps per noise level"
    DESCENDING = "one step per noise level"
    PREDICTOR_CORRECTOR = "a predictor and a corrector step per noise level"
    SOLVER = "an adaptive solver"
    REFERENCE = "draws of the target itself"


class LawOnTheLine(StrEnum):
    """What a step needs for its distribution on a one-dimensional mixture."""

    GRID = "position alone, a Gaussian kernel a step: a density on a grid"
    TRANSPORT = "no noise: quantiles are moved"
    PARTICLES = "momentum, or noise that a nonlinear map follows: particles"


@dataclass(frozen=True)
class SamplerSpec:
    """A sampler. `tuned` names the hyperparameters that tuning may change; `drift` is the factor of a constant drift.

    `coupling` makes the algebra, and with it what the norms average over; `program` is None for what no program runs.
    """

    name: str
    family: Family
    colour: str
    marker: str
    line: str
    program: BuildProgram | None = None
    tuned: tuple[str, ...] = ()
    law: LawOnTheLine = LawOnTheLine.PARTICLES
    drift: float = 1.0
    coupling: Callable[[], Particles] = Particles

    def __repr__(self) -> str:
        """Return the name and the family."""
        return f"<{self.name}: {self.family}>"

    def look(self) -> dict[str, Any]:
        """Return matplotlib's keyword arguments: colour, marker, line and label."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.line, "label": self.name}

    def build(self, sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters = DEFAULT) -> Program:
        """Return the program of a run of at most `budget` evaluations. Raises ValueError for a sampler without one."""
        if self.program is None:
            raise ValueError(f"{self.name} is run by no program")
        return self.program(sigmas, budget, hyperparameters)


@lru_cache(maxsize=256)
def noise_schedule(sigmas: SigmaRange, count: int, repeats: int) -> tuple[tuple[float, ...], float]:
    """Return `count` geometric noise levels and NCSNv2's step `epsilon` for `repeats` steps at each."""
    levels = geometric_sigmas(*sigmas, count)
    return tuple(levels.tolist()), ncsnv2_step(levels, repeats)


def steps_per_level(step: Callable[[Hyperparameters, float], Step]) -> BuildProgram:
    """An annealed sampler: T steps at each level. `step` gets the hyperparameters and the last level's step size."""

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        repeats = hyperparameters.repeats
        levels, epsilon = noise_schedule(sigmas, budget // repeats, repeats)
        size = hyperparameters.factor * epsilon
        return annealed(step(hyperparameters, size), annealed_levels(levels, size), repeats)

    return program


def descending(step: Callable[[Hyperparameters, int], Step], cost: int = 1) -> BuildProgram:
    """A sampler of one step per level, at `cost` evaluations each; `step` gets the number of steps too."""

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        count = budget // cost
        return one_step_per_level(step(hyperparameters, count), levels(sigmas, count + 1, hyperparameters.rho))

    return program


def corrected(corrector: Callable[[Hyperparameters], Step]) -> BuildProgram:
    """Predictor-corrector: reverse diffusion, and one corrector step at each level (the last one included)."""

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        steps, schedule = corrector(hyperparameters), levels(sigmas, (budget + 1) // 2, hyperparameters.rho)
        return [*predictor_corrector(affine(reverse_sde), steps, schedule[:-1]), (steps, schedule[-1])]

    return program


def levels(sigmas: SigmaRange, count: int, rho: float) -> list[Level]:
    """Return `count` noise levels, geometric or EDM's with exponent `rho`."""
    return ve_levels(karras_sigmas(*sigmas, count, rho) if rho else geometric_sigmas(*sigmas, count))


def scaled_flow(drift_scale: float) -> Callable[[Level], AffineTransition]:
    """Consistent annealed sampling with `eta = drift_scale (1 - g')`: 1 is the flow, `1 + g'` (nearly 2) ancestral."""

    def kernel(level: Level) -> AffineTransition:
        return consistent(drift_scale * (1.0 - next_level(level).sigma / level.sigma))(level)

    return kernel


def _adaptive(hyperparameters: Hyperparameters, size: float, **parts: Any) -> Rule:
    """Adaptive momentum's rule, its first move longer by `extra`."""
    return momentum_rule(adaptive(hyperparameters.delta), extra=hyperparameters.extra * size, **parts)


_STEPS = ("repeats", "factor")
_ANNEALED, _DESCENDING, _CORRECTED = Family.ANNEALED, Family.DESCENDING, Family.PREDICTOR_CORRECTOR
_BLUE, _SKY, _GREEN, _ORANGE, _RED = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"
_PINK, _VIOLET, _GREY, _BLACK = "#CC79A7", "#5D3A9B", "#999999", "#000000"


def _langevin(name: str, drift: float, colour: str, marker: str, line: str) -> SamplerSpec:
    program = steps_per_level(lambda h, a: langevin(factor=drift))
    return SamplerSpec(name, _ANNEALED, colour, marker, line, program, _STEPS, LawOnTheLine.GRID, drift)


def _momentum(
    name: str, rule: Callable[[Hyperparameters, float], Rule], colour: str, marker: str, line: str, *tuned: str
) -> SamplerSpec:
    program = steps_per_level(lambda h, a: momentum(rule(h, a)))
    return SamplerSpec(name, _ANNEALED, colour, marker, line, program, (*tuned, *_STEPS))


def _kinetic(name: str, schedule: KineticSchedule, marker: str, line: str, colour: str = _GREEN) -> SamplerSpec:
    program = descending(lambda h, n: annealed_baoab(schedule))
    return SamplerSpec(name, _DESCENDING, colour, marker, line, program, ("rho",))


def _corrector(
    name: str, corrector: Callable[[Hyperparameters], Step], colour: str, marker: str, line: str, law: LawOnTheLine
) -> SamplerSpec:
    return SamplerSpec(name, _CORRECTED, colour, marker, line, corrected(corrector), ("snr",), law)


def _per_sample(spec: SamplerSpec) -> SamplerSpec:
    """The sampler with every sample's norms its own."""
    return SamplerSpec(
        f"{spec.name}, per sample", spec.family, spec.colour, "x", ":", spec.program, spec.tuned, coupling=PerSample
    )


EXACT = SamplerSpec("exact law", Family.REFERENCE, _BLACK, "", ":")
RK45 = SamplerSpec("RK45 ODE", Family.SOLVER, _VIOLET, "+", "-.", law=LawOnTheLine.TRANSPORT)
LANGEVIN = _langevin("annealed Langevin", 1.0, _BLUE, "o", "-")
ADAPTIVE = _momentum("adaptive momentum", _adaptive, _RED, "s", "-")
PC_ADAPTIVE = _corrector(
    "PC, adaptive",
    lambda h: momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(h.snr))),
    *(_PINK, "P", "-"),
    LawOnTheLine.PARTICLES,
)

_ALL = (
    EXACT,
    LANGEVIN,
    _langevin("Langevin, drift x1.5", 1.5, _SKY, "d", ":"),
    _langevin("Langevin, drift x2", 2.0, _SKY, "D", "--"),
    SamplerSpec(
        *("Leimkuhler-Matthews", _ANNEALED, _BLUE, "p", "--"),
        steps_per_level(lambda h, a: leimkuhler_matthews),
        _STEPS,
    ),
    ADAPTIVE,
    _momentum("adaptive, drift only", lambda h, a: without_averaging(_adaptive(h, a)), _BLACK, "<", "--"),
    _momentum("adaptive, average only", lambda h, a: _adaptive(h, a, factor=unit_factor), _PINK, ">", ":"),
    _momentum("adaptive, noise corrected", lambda h, a: with_corrected_noise(_adaptive(h, a)), _GREEN, "h", "--"),
    _momentum("constant momentum", lambda h, a: momentum_rule(constant(h.beta)), _ORANGE, "^", "-", "beta"),
    SamplerSpec(
        *("consistent annealed sampling", _DESCENDING, _BLUE, "H", "-."),
        descending(lambda h, n: affine(scaled_flow(h.drift_scale))),
        ("drift_scale",),
        LawOnTheLine.GRID,
    ),
    SamplerSpec(
        *("reverse diffusion", _DESCENDING, _GREY, "X", "-"),
        descending(lambda h, n: affine(reverse_sde)),
        ("rho",),
        LawOnTheLine.GRID,
    ),
    SamplerSpec(
        *("ancestral", _DESCENDING, _GREY, "x", "--"),
        descending(lambda h, n: affine(ancestral)),
        ("rho",),
        LawOnTheLine.GRID,
    ),
    _corrector("PC, Langevin", lambda h: langevin(snr_of_score(h.snr)), _GREEN, "v", "-", LawOnTheLine.GRID),
    PC_ADAPTIVE,
    _corrector(
        "PC, constant",
        lambda h: momentum(momentum_rule(constant(h.beta), snr_of_momentum(h.snr))),
        *(_ORANGE, "<", "-."),
        LawOnTheLine.PARTICLES,
    ),
    SamplerSpec(
        *("Euler ODE", _DESCENDING, _VIOLET, "4", ":"),
        descending(lambda h, n: affine(flow_euler)),
        ("rho",),
        LawOnTheLine.TRANSPORT,
    ),
    SamplerSpec(
        *("Heun ODE", _DESCENDING, _VIOLET, "*", "-"),
        descending(lambda h, n: flow_heun, cost=2),
        ("rho",),
        LawOnTheLine.TRANSPORT,
    ),
    RK45,
    SamplerSpec(
        *("EDM stochastic", _DESCENDING, _ORANGE, "8", "--"),
        descending(lambda h, n: edm_stochastic(n, h.churn, s_tmax=h.churn_below), cost=2),
        ("rho", "churn"),
    ),
    SamplerSpec(
        *("DPM-Solver++", _DESCENDING, _BLACK, "1", "-"),
        descending(lambda h, n: dpm_solver(0.0)),
        ("rho",),
        LawOnTheLine.TRANSPORT,
    ),
    SamplerSpec(
        *("SDE-DPM-Solver++", _DESCENDING, _BLACK, "2", "--"), descending(lambda h, n: dpm_solver(1.0)), ("rho",)
    ),
    _kinetic("annealed BAOAB, e = 0", fixed(0.0), "o", "--"),
    _kinetic("annealed BAOAB, e = 1/2", fixed(0.5), "s", "--"),
    _kinetic("annealed BAOAB, tapered", TAPERED, "D", "-"),
    _per_sample(ADAPTIVE),
    _per_sample(PC_ADAPTIVE),
)

SPECS = {spec.name: spec for spec in _ALL}
"""Every sampler by its name."""

COMPARED = tuple(spec.name for spec in _ALL if spec.program)
"""The names of those that a program runs."""

LIGHTEST = 0.82  # of cividis, seen on white


def shades(count: int) -> list[str]:
    """Return colours for as many values of one parameter, dark to light, so that none is taken for a sampler's.

    They are of matplotlib's cividis, made for colour-blind readers, up to where it is still seen on white. Raises
    ValueError for a count below 1.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if count < 1:
        raise ValueError(f"count = {count}: expected at least 1")
    last = max(count - 1, 1)
    return [to_hex(colormaps["cividis"](LIGHTEST * n / last)) for n in range(count)]
