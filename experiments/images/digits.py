"""Real digits, the embedded default: 1797 scans of 8 x 8 pixels that scikit-learn ships; claims D0 to D3."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ams.data import digits
from ams.ledger import Figure, Measurement, Table, check
from experiments.images import comparison
from experiments.images.comparison import FLOOR, energy, misfit, temperature
from experiments.images.exact import ImageTarget, Results, Settings, image_target, run_all

__all__ = ["Settings"]

_CLAIMS = ("D0", "D1", "D2", "D3")


@cache
def images() -> ImageTarget:
    """Return the digits as a target."""
    return image_target(digits())


@cache
def results(settings: Settings) -> Results:
    """Return the errors of every sampler, budget and batch; computed once for all checks, figures and tables."""
    return run_all(settings, images())


def small(settings: Settings) -> list[int]:
    """Return the budgets called small: at most 60 evaluations."""
    return [budget for budget in settings.budgets if budget <= 60]


@check("D0.energy")
def floor_is_at_zero(settings: Settings) -> Measurement:
    """Return the energy distance of fresh draws of the law: 0 but for noise."""
    return comparison.level_of(results(settings), settings, FLOOR, max(settings.budgets), energy)


@check("D0.temperature")
def floor_is_at_one(settings: Settings) -> Measurement:
    """Return the temperature of fresh draws of the law: 1 but for noise."""
    return comparison.level_of(results(settings), settings, FLOOR, max(settings.budgets), temperature)


@check("D1.gain")
def adaptive_is_nearer(settings: Settings) -> Measurement:
    """Return the misfit of annealed Langevin less adaptive momentum's, the least of the small budgets (paired)."""
    baseline, budgets = "annealed Langevin", small(settings)
    return comparison.gain(results(settings), settings, "adaptive momentum", baseline, budgets, misfit)


@check("D1.speed_up")
def adaptive_needs_fewer_evaluations(settings: Settings) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's 60, at equal misfit."""
    return comparison.speed_up(
        results(settings), settings, "adaptive momentum", "annealed Langevin", max(small(settings)), misfit
    )


@check("D2.adaptive")
def adaptive_cools(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature at the largest budget."""
    return comparison.level_of(results(settings), settings, "adaptive momentum", max(settings.budgets), temperature)


@check("D2.langevin")
def langevin_does_not_cool(settings: Settings) -> Measurement:
    """Return annealed Langevin's temperature at the largest budget: the control."""
    return comparison.level_of(results(settings), settings, "annealed Langevin", max(settings.budgets), temperature)


@check("D2.factor")
def drift_alone_cools(settings: Settings) -> Measurement:
    """Return the temperature of Langevin with its drift doubled and no momentum, at the largest budget."""
    return comparison.level_of(results(settings), settings, "Langevin, drift x2", max(settings.budgets), temperature)


@check("D3.reverse")
def against_reverse_diffusion(settings: Settings) -> Measurement:
    """Return reverse diffusion's evaluations over adaptive momentum's 60, at equal misfit."""
    return comparison.speed_up(
        results(settings), settings, "adaptive momentum", "reverse diffusion", max(small(settings)), misfit
    )


@check("D3.flow")
def against_the_flow(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less that of the flow by Heun, at the smallest budget (paired)."""
    budget = min(settings.budgets)
    return comparison.gain(results(settings), settings, "flow, Heun", "adaptive momentum", [budget], misfit)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors against the budget, and grids of samples."""
    what = "Real digits (8 x 8)"
    return comparison.figures(results(settings), settings, images(), folder, "digits", what, _CLAIMS)


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures."""
    return [comparison.table(results(settings), settings, "digits", _CLAIMS)]
