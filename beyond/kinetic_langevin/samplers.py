r"""The samplers that K8 and K9 compare, and how many evaluations each needs on every target of a problem.

Annealed Langevin and adaptive momentum take T = 5 steps per noise level, of NCSNv2's size. The other samplers descend
in geometric noise levels, one step to each. EDM's own noise levels (rho = 7) need more evaluations of every sampler on
the development family. Settings other than published ones are chosen on that family alone: the least geometric mean
of evaluations over exact, high and start, by a search over a grid whose optimum is inside it (K9g). The samplers
without momentum are chosen with the same care:

    tapered, e = 0   the refreshment of `tapered` without its momentum: `u = 1.8 q`, `e = 0`
    u = 1.9          annealed BAOAB at one `u`, `e = 0`
    prediction-correction, critically damped corrector: at which noise level, which share of evaluations, how coarse
                     the steps above it; Restart: between which noise levels, which share, how often

A run of a family on a budget is an exact law. `curve` has the errors of all budgets, and a number of evaluations is
interpolated in it. Where a sampler never reaches a threshold, its number is infinite.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ams.samplers import Info, Noise, Score, State, Step, critical_momentum, presets
from ams.samplers.annealed_baoab import TAPERED, KineticParameters, KineticSchedule, annealed_baoab, fixed, tapered
from ams.samplers.presets import ADAPTIVE, DEFAULT, LANGEVIN, RIVALS, SPECS, BuildProgram, SamplerSpec, step_per_level
from ams.schedules import Level
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from beyond.kinetic_langevin.family import Problem, family
from verdicts.studies import Array, Kept, cell

DECAYING, DECAYING_HALF = "annealed BAOAB, e = 0", "annealed BAOAB, e = 1/2"
MOMENTUM, SAME_WITHOUT = "annealed BAOAB, tapered", "annealed BAOAB, tapered, e = 0"
BEST_WITHOUT, CURVATURE = "annealed BAOAB, u = 1.9", "annealed BAOAB, e from curvature"
CRITICAL, MEMORYLESS, RESTART = "critically damped corrector", "prediction-correction", "Restart"
CLD = ("CLD, exponential", "CLD, splitting")
WITH_MOMENTUM = (CRITICAL, MOMENTUM, *CLD)
"""The samplers of `COMPARED` whose velocity lasts for more than a step."""
PUBLISHED = ("DPM-Solver++", "SDE-DPM-Solver++", "Heun ODE", "EDM stochastic", "ancestral")
ANNEALED = (LANGEVIN.name, ADAPTIVE.name)
MULTISTEP = tuple(name for name in RIVALS if SPECS[name].family is presets.Family.ONE_STEP)
COMPARED = (CRITICAL, MOMENTUM, SAME_WITHOUT, BEST_WITHOUT, DECAYING, *PUBLISHED, *MULTISTEP, RESTART, MEMORYLESS)
THRESHOLDS = (1e-3, 1e-4, 1e-5, 1e-6)
"""Of KL / d (nats), to which evaluations are counted."""
THRESHOLD = THRESHOLDS[1]
MOMENTA = {e: f"annealed BAOAB, e = {name}" for e, name in {0.25: "1/4", 0.5: "1/2", 0.75: "3/4", 0.9: "9/10"}.items()}
"""Annealed BAOAB at one momentum for every step, by that momentum."""


def with_critical_momentum(state: State, score: Score, noise: Noise, level: Level, law: Any) -> tuple[State, Info]:
    """The tapered step with `e` by K2's formula, from each target's exact mean curvature at the noise level."""
    curvature = law.mean_curvature(level)

    def schedule(h: float) -> KineticParameters:
        u = TAPERED(h).u * level.sigma**2 * curvature
        return TAPERED(h)._replace(e=critical_momentum((u / (2.0 - u)).sqrt()))

    return annealed_baoab(schedule)(state, score, noise, level, law)


def _baoab(name: str, step: Step) -> SamplerSpec:
    return replace(SPECS[DECAYING], name=name, program=step_per_level(lambda hyperparameters, steps: step))


SCHEDULES: dict[str, KineticSchedule] = {
    DECAYING: fixed(0.0),
    **{name: fixed(e) for e, name in MOMENTA.items()},
    MOMENTUM: TAPERED,
    SAME_WITHOUT: tapered(e=0.0),
    BEST_WITHOUT: lambda h: KineticParameters(1.9, 0.0),
}
"""The kinetic parameters of the annealed BAOAB samplers compared here."""
_OWN = (
    _baoab(CURVATURE, with_critical_momentum),
    *(_baoab(name, annealed_baoab(schedule)) for name, schedule in SCHEDULES.items() if name not in SPECS),
)
SAMPLERS = SPECS | {spec.name: spec for spec in _OWN}
"""The suite's samplers and this group's own, by name."""


class Tuning(NamedTuple):
    """A sampler's settings as chosen, the next values of the grid below and above each, and its program for some."""

    chosen: dict[str, float]
    beside: dict[str, tuple[float, float]]
    program: Callable[..., BuildProgram]

    def neighbours(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yield the settings that differ from the chosen ones in one value, with the name of that value."""
        for name, pair in self.beside.items():
            yield from ((name, self.chosen | {name: value}) for value in pair)


def one_step_of(schedule: KineticSchedule) -> BuildProgram:
    """Return the programs of annealed BAOAB with a schedule, one step per noise level."""
    return step_per_level(lambda hyperparameters, steps: annealed_baoab(schedule))


TUNINGS = {
    MOMENTUM: Tuning(
        {"rate": 4.0, "most": 1.8, "e": 0.8},
        {"rate": (3.0, 5.0), "most": (1.6, 1.99), "e": (0.75, 0.85)},
        lambda **settings: one_step_of(tapered(**settings)),
    ),
    BEST_WITHOUT: Tuning({"u": 1.9}, {"u": (1.8, 1.95)}, lambda u: one_step_of(lambda h: KineticParameters(u, 0.0))),
    MEMORYLESS: Tuning(
        presets.MEMORYLESS._asdict(),
        {"sigma": (8.0, 12.0), "share": (0.7, 0.9), "coarse": (3.0, 6.0)},
        lambda **settings: presets.held_program(presets.Held(**settings), momentum=False),
    ),
    CRITICAL: Tuning(
        presets.CRITICAL._asdict(),
        {"sigma": (6.0, 8.0), "share": (0.6, 0.8), "coarse": (2.0, 4.0)},
        lambda **settings: presets.held_program(presets.Held(**settings), momentum=True),
    ),
    RESTART: Tuning(
        presets.RESTARTS._asdict(),
        {"low": (6.0, 10.0), "high": (200.0, 500.0), "share": (0.5, 0.7), "times": (1, 3)},
        lambda **settings: presets.restart_program(presets.Restarts(**settings)),
    ),
    "SA-Solver, tau 1": Tuning(
        {"low": presets.SA_LOW[1.0]}, {"low": (100.0, 500.0)}, partial(presets.sa_solver_program, 1.0)
    ),
    "SA-Solver, tau 0.2": Tuning(
        {"low": presets.SA_LOW[0.2]}, {"low": (2.0, 10.0)}, partial(presets.sa_solver_program, 0.2)
    ),
}
"""The samplers whose settings were chosen on the development family."""


@cell
def divergences(sampler: str, problem: Problem, budget: int) -> Array:
    """KL / d of a sampler's run at a budget, on each target of a problem (nats)."""
    return family(problem).divergence(SAMPLERS[sampler].build(problem.sigmas, budget), problem.sigmas)


@cell(kept=Kept("kinetic_langevin.curve", tolerance=1e-6))
def curve(sampler: str, problem: Problem, largest: int) -> Array:
    """KL / d of a sampler's runs (nats), of shape (budgets, targets); see `errors_at_budgets`."""
    program = SAMPLERS[sampler].program
    assert program is not None
    fewest = 2 * DEFAULT.repeats if sampler in ANNEALED else 0  # NCSNv2's step needs two noise levels
    return errors_at_budgets(program, problem, largest, THRESHOLDS[-1], fewest)


@cell
def tuned_curve(sampler: str, settings: tuple[float, ...], problem: Problem, largest: int) -> Array:
    """KL / d of a tuned sampler's runs with other settings (nats), down to the threshold at which it was tuned."""
    tuning = TUNINGS[sampler]
    program = tuning.program(**dict(zip(tuning.chosen, settings, strict=True)))
    return errors_at_budgets(program, problem, largest, THRESHOLD)


def errors_at_budgets(program: BuildProgram, problem: Problem, largest: int, least: float, fewest: int = 0) -> Array:
    """Return KL / d at the budgets up to `largest`, a row each, a column for each target of a problem.

    It ends where every target has reached `least`, or has an error that twice the evaluations hardly change. Below
    `fewest` evaluations, where there is no program, the error is infinite.
    """
    targets, rows = family(problem), list[np.ndarray]()
    for budget in budgets(largest):
        if budget < fewest:
            rows.append(np.full(problem.targets, np.inf))
            continue
        rows.append(targets.divergence(program(problem.sigmas, budget, DEFAULT), problem.sigmas))
        settled = len(rows) > 2 and np.isfinite(rows[-1]).all()
        still = settled and np.allclose(rows[-3:-1], rows[-1], rtol=1e-3, atol=0.0)
        if still or (np.min(rows, axis=0) <= least).all():
            break
    return np.array(rows)


def evaluations(sampler: str, problem: Problem, largest: int, threshold: float = THRESHOLD) -> np.ndarray:
    """Return the evaluations that a sampler needs on each target; infinite where it does not reach the threshold."""
    return nfe_of_targets(curve(sampler, problem, largest), threshold)


def tuned_evaluations(sampler: str, settings: dict[str, float], problem: Problem, largest: int) -> np.ndarray:
    """Return the evaluations of a tuned sampler with other settings, to the threshold at which it was tuned."""
    return nfe_of_targets(tuned_curve(sampler, tuple(settings.values()), problem, largest), THRESHOLD)


def budgets(largest: int) -> list[int]:
    """Return 5, 7, 10, 14, ...: geometric, two in an octave, up to `largest`."""
    return first_budgets(math.floor(2 * math.log2(largest / 5) + 1e-9) + 1)


def first_budgets(count: int) -> list[int]:
    """Return the first `count` budgets."""
    return [round(5 * 2 ** (k / 2)) for k in range(count)]


def nfe_of_targets(errors: np.ndarray, threshold: float) -> np.ndarray:
    """Return the evaluations at which each target's errors, a column, first are `threshold`; infinite where never."""
    points = first_budgets(len(errors))
    return np.array([nfe_to_threshold(zip(points, column, strict=True), threshold) for column in errors.T.tolist()])
