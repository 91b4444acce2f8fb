"""One record for each sampler: its program for a budget, its hyperparameters, its distribution on
the line.

`SPECS` has every sampler that the suite compares, by name; those in `RIVALS` run only where a group
names them. A new sampler is a step in a file of its own and a `SamplerSpec` here; how figures draw
it is in `looks`. Annealed samplers take T steps at each of NFE / T geometric noise levels, with
NCSNv2's step times `factor`. The others take one step from each noise level to the next. All end at
the last noise level within the budget.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from ams.samplers.affine_transitions import (
    affine,
    ancestral,
    consistent,
    flow_euler,
    next_level,
    reverse_sde,
)
from ams.samplers.annealed_baoab import TAPERED, annealed_baoab, fixed
from ams.samplers.base import Rule, Step
from ams.samplers.corrected_descent import condition, corrected_descent, critically_damped
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.edm import edm_stochastic, flow_heun
from ams.samplers.exponential_multistep import (
    Method,
    deis,
    dpm_solver_multistep,
    er_sde_solver,
    exponential_multistep,
    sa_solver,
    unipc,
)
from ams.samplers.kinetic import leimkuhler_matthews
from ams.samplers.loop import Program, annealed, one_step_per_level, predictor_corrector
from ams.samplers.particles import Particles, PerSample
from ams.samplers.restart import restart
from ams.samplers.rules import (
    adaptive,
    constant,
    langevin,
    momentum,
    momentum_rule,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
    unit_factor,
    with_corrected_noise,
    without_averaging,
)
from ams.schedules import (
    Level,
    annealed_levels,
    geometric_sigmas,
    karras_sigmas,
    ncsnv2_step,
    ve_levels,
)


class SigmaRange(NamedTuple):
    """The first and the last noise level of a run."""

    first: float
    last: float


class Hyperparameters(NamedTuple):
    """The hyperparameters of all samplers; each sampler uses some of them.

    `factor` multiplies NCSNv2's step and `repeats` is T in annealed runs. `snr` belongs to
    correctors, `beta` to constant momentum, the clip `delta` to adaptive momentum, `tolerance` to a
    solver. `rho` is the exponent of EDM's noise levels, 0 for geometric ones. EDM has `churn` at
    noise below `churn_below`. `drift_scale` is the drift of consistent annealed sampling in units
    of the probability flow's. `extra` lengthens the first step of adaptive momentum by so many of
    the last steps: 1 in the authors' code, 0 in the theory.
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

    def __repr__(self) -> str:
        """Return the values that differ from the defaults."""
        changed = (
            f"{name}={value!r}"
            for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        )
        return f"Hyperparameters({', '.join(changed)})"


DEFAULT = Hyperparameters()
AUTHORS = Hyperparameters(extra=1.0)
"""The hyperparameters of the code published with arXiv 2405.13726."""

BuildProgram: TypeAlias = Callable[[SigmaRange, int, Hyperparameters], Program]
"""`program(sigmas, budget, hyperparameters)`: a run of at most `budget` score evaluations."""


class Family(StrEnum):
    """How a sampler goes through the noise levels."""

    ANNEALED = "several steps per noise level"
    ONE_STEP = "one step per noise level"
    PREDICTOR_CORRECTOR = "a predictor and a corrector step per noise level"
    SOLVER = "an adaptive solver"
    HELD = "descents, and corrections or restarts at one noise level between them"
    REFERENCE = "draws of the target itself"


class LineMethod(StrEnum):
    """How to compute the distribution of a sampler on a one-dimensional mixture."""

    GRID = "each step is a Gaussian kernel of the position: a density on a grid"
    TRANSPORT = "no step adds noise: transported quantiles"
    PARTICLES = "the state has a momentum, or the noise passes a nonlinear map: particles"


_GRID, _TRANSPORT, _PARTICLES = LineMethod.GRID, LineMethod.TRANSPORT, LineMethod.PARTICLES


@dataclass(frozen=True)
class SamplerSpec:
    """A sampler. `tuned` names the hyperparameters that tuning may change; `drift` is the factor of
    a constant drift.

    `coupling` makes its algebra, which defines what the norms average over. `program` is None for a
    sampler that no program runs: the reference and the adaptive solver.
    """

    name: str
    family: Family
    program: BuildProgram | None = None
    tuned: tuple[str, ...] = ()
    line_method: LineMethod = _PARTICLES
    drift: float = 1.0
    coupling: Callable[[], Particles] = Particles

    def __repr__(self) -> str:
        """Return the name and the family."""
        return f"<{self.name}: {self.family}>"

    def build(
        self, sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters = DEFAULT
    ) -> Program:
        """Return the program of a run of at most `budget` score evaluations. Raises ValueError
        without a program.
        """
        if self.program is None:
            raise ValueError(f"{self.name} is run by no program")
        return self.program(sigmas, budget, hyperparameters)


@lru_cache(maxsize=1024)
def noise_schedule(sigmas: SigmaRange, count: int, repeats: int) -> tuple[tuple[float, ...], float]:
    """Return `count` geometric noise levels and NCSNv2's step `epsilon` for `repeats` steps at
    each of them.
    """
    levels = geometric_sigmas(*sigmas, count)
    return tuple(levels.tolist()), ncsnv2_step(levels, repeats)


def steps_per_level(step: Callable[[Hyperparameters, float], Step]) -> BuildProgram:
    """Return the programs of T steps at each noise level; `step` gets the hyperparameters and
    the last step size.
    """

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        repeats = hyperparameters.repeats
        levels, epsilon = noise_schedule(sigmas, budget // repeats, repeats)
        size = hyperparameters.factor * epsilon
        return annealed(step(hyperparameters, size), annealed_levels(levels, size), repeats)

    return program


def step_per_level(step: Callable[[Hyperparameters, int], Step], cost: int = 1) -> BuildProgram:
    """Return the programs of one step per noise level, of `cost` NFE; `step` gets the number of
    steps as well.
    """

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        count = budget // cost
        return one_step_per_level(
            step(hyperparameters, count), levels(sigmas, count + 1, hyperparameters.rho)
        )

    return program


def corrected(corrector: Callable[[Hyperparameters], Step]) -> BuildProgram:
    """Return the programs of reverse diffusion with one corrector step at each noise level, the
    last one included.
    """

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        step, schedule = (
            corrector(hyperparameters),
            levels(sigmas, (budget + 1) // 2, hyperparameters.rho),
        )
        return [
            *predictor_corrector(affine(reverse_sde), step, schedule[:-1]),
            (step, schedule[-1]),
        ]

    return program


def levels(sigmas: SigmaRange, count: int, rho: float) -> list[Level]:
    """Return `count` noise levels: EDM's with exponent `rho`, or geometric ones for 0."""
    return ve_levels(
        karras_sigmas(*sigmas, count, rho) if rho else geometric_sigmas(*sigmas, count)
    )


def _adaptive(hyperparameters: Hyperparameters, size: float, **parts: Any) -> Rule:
    """Return adaptive momentum's rule, with the first step longer by `extra`."""
    return momentum_rule(
        adaptive(hyperparameters.delta), extra=hyperparameters.extra * size, **parts
    )


def _annealed(
    name: str, step: Callable[[Hyperparameters, float], Step], *tuned: str, **fields: Any
) -> SamplerSpec:
    tuned = (*tuned, "repeats", "factor")
    return SamplerSpec(name, Family.ANNEALED, steps_per_level(step), tuned, **fields)


def _scaled_flow(hyperparameters: Hyperparameters, steps: int) -> Step:
    """Return consistent annealed sampling with `eta = drift_scale (1 - g')`, g' the ratio of
    neighbouring noise levels.

    `drift_scale` 1 is Euler's method on the probability flow, `1 + g'` (nearly 2) the ancestral
    transition.
    """
    scale = hyperparameters.drift_scale
    return affine(
        lambda level: consistent(scale * (1.0 - next_level(level).sigma / level.sigma))(level)
    )


def _edm(hyperparameters: Hyperparameters, steps: int) -> Step:
    return edm_stochastic(steps, hyperparameters.churn, s_tmax=hyperparameters.churn_below)


def _pc_adaptive(hyperparameters: Hyperparameters) -> Step:
    return momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(hyperparameters.snr)))


def _pc_constant(hyperparameters: Hyperparameters) -> Step:
    return momentum(
        momentum_rule(constant(hyperparameters.beta), snr_of_momentum(hyperparameters.snr))
    )


def _langevin(name: str, drift: float) -> SamplerSpec:
    return _annealed(name, lambda h, a: langevin(factor=drift), line_method=_GRID, drift=drift)


def _momentum(
    name: str, rule: Callable[[Hyperparameters, float], Rule], *tuned: str
) -> SamplerSpec:
    return _annealed(name, lambda h, a: momentum(rule(h, a)), *tuned)


def _one_step(
    name: str,
    step: Callable[[Hyperparameters, int], Step],
    method: LineMethod = _PARTICLES,
    tuned: tuple[str, ...] = ("rho",),
    cost: int = 1,
) -> SamplerSpec:
    return SamplerSpec(name, Family.ONE_STEP, step_per_level(step, cost), tuned, method)


def _corrector(
    name: str, step: Callable[[Hyperparameters], Step], method: LineMethod = _PARTICLES
) -> SamplerSpec:
    return SamplerSpec(name, Family.PREDICTOR_CORRECTOR, corrected(step), ("snr",), method)


def _per_sample(spec: SamplerSpec) -> SamplerSpec:
    """Return the sampler with the norms of each sample alone."""
    return replace(spec, name=f"{spec.name}, per sample", coupling=PerSample)


EXACT = SamplerSpec("exact law", Family.REFERENCE)
RK45 = SamplerSpec("RK45 ODE", Family.SOLVER, line_method=_TRANSPORT)
LANGEVIN = _langevin("annealed Langevin", 1.0)
ADAPTIVE = _momentum("adaptive momentum", _adaptive)
PC_ADAPTIVE = _corrector("PC, adaptive", _pc_adaptive)

_ANNEALED = (
    LANGEVIN,
    _langevin("Langevin, drift x1.5", 1.5),
    _langevin("Langevin, drift x2", 2.0),
    _annealed("Leimkuhler-Matthews", lambda h, a: leimkuhler_matthews),
    ADAPTIVE,
    _momentum("adaptive, drift only", lambda h, a: without_averaging(_adaptive(h, a))),
    _momentum("adaptive, average only", lambda h, a: _adaptive(h, a, factor=unit_factor)),
    _momentum("adaptive, noise corrected", lambda h, a: with_corrected_noise(_adaptive(h, a))),
    _momentum("constant momentum", lambda h, a: momentum_rule(constant(h.beta)), "beta"),
)
_DIFFUSION = (
    _one_step("consistent annealed sampling", _scaled_flow, _GRID, ("drift_scale",)),
    _one_step("reverse diffusion", lambda h, n: affine(reverse_sde), _GRID),
    _one_step("ancestral", lambda h, n: affine(ancestral), _GRID),
    _corrector("PC, Langevin", lambda h: langevin(snr_of_score(h.snr)), _GRID),
    PC_ADAPTIVE,
    _corrector("PC, constant", _pc_constant),
    _one_step("Euler ODE", lambda h, n: affine(flow_euler), _TRANSPORT),
    _one_step("Heun ODE", lambda h, n: flow_heun, _TRANSPORT, cost=2),
    RK45,
    _one_step("EDM stochastic", _edm, tuned=("rho", "churn"), cost=2),
    _one_step("DPM-Solver++", lambda h, n: dpm_solver(0.0), _TRANSPORT),
    _one_step("SDE-DPM-Solver++", lambda h, n: dpm_solver(1.0)),
    _one_step("annealed BAOAB, e = 0", lambda h, n: annealed_baoab(fixed(0.0))),
    _one_step("annealed BAOAB, e = 1/2", lambda h, n: annealed_baoab(fixed(0.5))),
    _one_step("annealed BAOAB, tapered", lambda h, n: annealed_baoab(TAPERED)),
)
_ALL = (EXACT, *_ANNEALED, *_DIFFUSION, _per_sample(ADAPTIVE), _per_sample(PC_ADAPTIVE))


class Held(NamedTuple):
    """A correction at `sigma` (in last noise levels), with a `share` of the evaluations,
    `coarse` as in the module.
    """

    sigma: float
    share: float
    coarse: float


class Restarts(NamedTuple):
    """Restarts from `low` up to `high` (in last noise levels), with a `share` of the
    evaluations, so many `times`.
    """

    low: float
    high: float
    share: float
    times: int


def multistep_program(method: Callable[[SigmaRange], Method]) -> BuildProgram:
    """Return the programs of an exponential multistep method, one step per noise level."""

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        step = exponential_multistep(method(sigmas))
        return one_step_per_level(step, levels(sigmas, budget + 1, hyperparameters.rho))

    return program


def sa_solver_program(tau: float, low: float) -> BuildProgram:
    """Return the programs of SA-Solver, three points in predictor and corrector, with noise `tau`
    above a noise level.

    `low` is that level over the last one.
    """
    return multistep_program(lambda sigmas: sa_solver(3, 3, tau, low * sigmas.last))


def held_program(held: Held, momentum: bool) -> BuildProgram:
    """Return the programs of BAOAB at one noise level, then UniPC-3; for targets of variances up to
    1.

    With `momentum` it is critically damped for them, without it is that of Leimkuhler and Matthews.
    """

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        sigma = min(held.sigma * sigmas.last, sigmas.first)
        e = critically_damped(condition(sigma, 1.0)) if momentum else 0.0
        ends = sigmas.first, sigma, sigmas.last
        return corrected_descent(_UNIPC_3, ends, budget, held.share, 1.0, e, held.coarse)

    return program


def restart_program(restarts: Restarts) -> BuildProgram:
    """Return the programs of Restart with UniPC-3 as its descent."""
    low, high, share, times = restarts

    def program(sigmas: SigmaRange, budget: int, hyperparameters: Hyperparameters) -> Program:
        interval = low * sigmas.last, high * sigmas.last
        return restart(_UNIPC_3, sigmas, interval, budget, share, times)

    return program


def _multistep(name: str, method: Method) -> SamplerSpec:
    line_method = _PARTICLES if method.noise else _TRANSPORT
    return SamplerSpec(
        name, Family.ONE_STEP, multistep_program(lambda sigmas: method), ("rho",), line_method
    )


_UNIPC_3 = exponential_multistep(unipc(3))
CRITICAL = Held(7.0, 0.7, 3.0)
MEMORYLESS = Held(10.0, 0.8, 4.0)
RESTARTS = Restarts(8.0, 300.0, 0.6, 2)
SA_LOW = {1.0: 200.0, 0.2: 5.0}
"""The settings of samplers that have no published ones for these problems.

`tests/beyond/test_tuned_settings.py` shows that no neighbouring value needs fewer evaluations on
Gaussians.
"""
_RIVALS = (
    *(_multistep(f"DEIS-{order}", deis(order)) for order in (2, 3, 4)),
    *(_multistep(f"UniPC-{order}", unipc(order)) for order in (2, 3)),
    _multistep("SDE-DPM-Solver++(3M)", dpm_solver_multistep(3, 1.0)),
    _multistep("ER-SDE-Solver-3", er_sde_solver(3)),
    SamplerSpec("SA-Solver, tau 1", Family.ONE_STEP, sa_solver_program(1.0, SA_LOW[1.0]), ("rho",)),
    SamplerSpec(
        "SA-Solver, tau 0.2", Family.ONE_STEP, sa_solver_program(0.2, SA_LOW[0.2]), ("rho",)
    ),
    SamplerSpec("Restart", Family.HELD, restart_program(RESTARTS)),
    SamplerSpec("prediction-correction", Family.HELD, held_program(MEMORYLESS, momentum=False)),
    SamplerSpec("critically damped corrector", Family.HELD, held_program(CRITICAL, momentum=True)),
)
RIVALS = tuple(spec.name for spec in _RIVALS)
"""The names of the samplers that run only where a group names them."""

SPECS = {spec.name: spec for spec in (*_ALL, *_RIVALS)}
"""Every sampler by its name."""

COMPARED = tuple(spec.name for spec in _ALL if spec.program)
"""The names of the samplers that a program runs, without the rivals."""
