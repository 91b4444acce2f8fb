r"""Evaluations to KL / d = 1e-4 on the held-out family; K8: with exact scores.

A factor is the geometric mean over targets of a ratio of evaluations, with Student's interval of its logarithm's mean:
the targets are independent draws from the family. Where a sampler never arrives within the budget, the budget stands
for its evaluations, so a factor in its disfavour is a lower bound.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch
from pydantic import JsonValue

from ams.statistics import mean_interval
from analysis.kinetic_langevin.baselines import ENTRANTS, MEMORY, divergences, kept_throughout, needed
from analysis.kinetic_langevin.family import Arena, Kind, arena
from analysis.kinetic_langevin.settings import Settings
from verdicts import Measurement, check

CONFIDENCE = 0.95
STATIONED = ("annealed Langevin", "adaptive momentum")
KINDS = (Kind.EXACT, Kind.HIGH, Kind.START, Kind.SHIFT)
"""The kinds that can be repaired; settings were chosen on the first three, of the development family."""


@cache
def held_out(settings: Settings, kind: Kind) -> Arena:
    """Return the held-out family with that damage."""
    return arena(settings, kind, settings.held_out)


@cache
def reached(settings: Settings, kind: Kind, name: str, budget: int) -> torch.Tensor:
    """Return KL / d of the entrant on each held-out target, at a budget."""
    return divergences(ENTRANTS[name], held_out(settings, kind), budget)


@cache
def evaluations(settings: Settings, kind: Kind, name: str) -> np.ndarray:
    """Return what the entrant needs on each held-out target; infinite where it never arrives."""
    return needed(partial(reached, settings, kind, name), settings.threshold, settings.budget)


def factor(settings: Settings, kind: Kind, one: str, other: str) -> Measurement:
    """Return the evaluations of `one` over those of `other`, the geometric mean with its interval."""
    counts = [evaluations(settings, kind, name) for name in (one, other)]
    ratios = np.log(np.minimum(counts[0], settings.budget) / np.minimum(counts[1], settings.budget))
    found = np.exp(mean_interval(ratios, CONFIDENCE)[:3])
    detail: dict[str, JsonValue] = {
        one: [_shown(value) for value in counts[0]],
        other: [_shown(value) for value in counts[1]],
    }
    return Measurement(
        value=found[0], low=found[1], high=found[2], n=len(ratios), seeds=(settings.held_out,), detail=detail
    )


def _shown(value: float) -> float | str:
    return round(float(value), 1) if np.isfinite(value) else "never"


def arrivals(settings: Settings, kind: Kind, names: tuple[str, ...]) -> Measurement:
    """Return how many runs, of all entrants named, a target each, reach the threshold within the budget."""
    counts = {name: int(np.isfinite(evaluations(settings, kind, name)).sum()) for name in names}
    detail: dict[str, JsonValue] = dict(counts)
    n = settings.targets * len(names)
    return Measurement(value=sum(counts.values()), n=n, seeds=(settings.held_out,), detail=detail)


def share_of_arrivals(settings: Settings, names: tuple[str, ...]) -> Measurement:
    """Return the same as a share, from a bad start."""
    found = arrivals(settings, Kind.START, names)
    return found.model_copy(update={"value": found.value / (settings.targets * len(names))})


@check("K8.sde")
def against_the_sde_solver(settings: Settings) -> Measurement:
    """Return the isothermal sampler's evaluations at `e = 0` over SDE-DPM-Solver++'s, exact scores."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 0", "SDE-DPM-Solver++")


@check("K8.edm")
def against_edm(settings: Settings) -> Measurement:
    """Return the same over EDM's stochastic sampler's."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 0", "EDM stochastic")


@check("K8.ancestral")
def against_ancestral(settings: Settings) -> Measurement:
    """Return the same over ancestral sampling's."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 0", "ancestral")


@check("K8.heun")
def against_heun(settings: Settings) -> Measurement:
    """Return the same over Heun's method's, a deterministic one."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 0", "Heun ODE")


@check("K8d.stationed")
def the_cooled_never_arrive(settings: Settings) -> Measurement:
    """Return on how many targets annealed Langevin or adaptive momentum arrive, at their defaults."""
    return arrivals(settings, Kind.EXACT, STATIONED)


@check("K8a.dpm")
def against_the_ode_solver(settings: Settings) -> Measurement:
    """Return the isothermal sampler's evaluations at `e = 0` over those of deterministic DPM-Solver++."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 0", "DPM-Solver++")


@check("K8b.half")
def memory_costs(settings: Settings) -> Measurement:
    """Return the evaluations at `e = 1/2` over those at `e = 0`, exact scores."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e = 1/2", "annealed BAOAB, e = 0")


@check("K8b.tapered")
def tapered_memory_costs(settings: Settings) -> Measurement:
    """Return the evaluations at the tapered pace over those at the same pace without memory, exact scores."""
    return factor(settings, Kind.EXACT, MEMORY, "annealed BAOAB, tapered, e = 0")


@check("K8b.best")
def no_memory_is_best(settings: Settings) -> Measurement:
    """Return on how many held-out targets some `e` of 1/4, 1/2, 3/4, 0.9 needs fewer evaluations than `e = 0`."""
    field = held_out(settings, Kind.EXACT)
    counts = {
        kept: needed(partial(divergences, kept_throughout(kept), field), settings.threshold, settings.budget)
        for kept in (0.0, 0.25, 0.5, 0.75, 0.9)
    }
    better = np.any([counts[kept] < counts[0.0] for kept in counts], axis=0)
    detail: dict[str, JsonValue] = {
        f"e = {kept:g}": float(np.exp(np.log(found).mean())) for kept, found in counts.items()
    }
    return Measurement(value=int(better.sum()), n=settings.targets, seeds=(settings.held_out,), detail=detail)


@check("K8c.exact")
def adaptivity_against_none(settings: Settings) -> Measurement:
    """Return the evaluations with `e` by K2's formula, from the exact mean curvature, over those at `e = 0`."""
    return factor(settings, Kind.EXACT, "annealed BAOAB, e adaptive", "annealed BAOAB, tapered, e = 0")


@check("K8c.start")
def adaptivity_against_the_taper(settings: Settings) -> Measurement:
    """Return the same over those of the tapered pace, from a bad start, where memory pays; both stir alike."""
    return factor(settings, Kind.START, "annealed BAOAB, e adaptive", MEMORY)
