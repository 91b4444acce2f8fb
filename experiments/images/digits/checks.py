"""Real digits, the embedded default: 1797 scans of 8 x 8 pixels that scikit-learn ships; claims D0 to D7."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from ams.data import digits
from experiments.images import comparison
from experiments.images.comparison import FLOOR, energy, misfit, temperature
from experiments.images.digits.mode_loss import WATCHED, shares
from experiments.images.exact import ImageTarget, Results, Settings, image_target, run_all
from experiments.images.tuning import Tuned, tune
from verdicts import Figure, Measurement, Table, check

__all__ = ["Settings"]

_CLAIMS = ("D0", "D1", "D1a", "D2", "D3", "D5", "D6", "D7", "D7a")
_PAPER, _BASELINE = "adaptive momentum", "annealed Langevin"


@cache
def images() -> ImageTarget:
    """Return the digits as a target."""
    return image_target(digits())


@cache
def results(settings: Settings) -> Results:
    """Return the errors of every sampler, budget and batch; computed once for all checks, figures and tables."""
    return run_all(settings, images())


def small(settings: Settings) -> list[int]:
    """Return the budgets called small: 20 to 60 evaluations."""
    return [budget for budget in settings.budgets if 20 <= budget <= 60]


def longest(settings: Settings) -> int:
    """Return the largest budget of the samplers that run longest."""
    return max(settings.budgets + settings.long)


@cache
def tuned(settings: Settings) -> Mapping[str, Mapping[int, Tuned]]:
    """Return the contenders, tuned by misfit at each budget that is tuned."""
    return {
        name: {budget: tune(settings, images(), name, budget, misfit) for budget in settings.tuned}
        for name in settings.contenders
    }


def tuned_results(settings: Settings) -> Results:
    """Return the tuned contenders' errors."""
    return {name: {b: found.errors for b, found in by.items()} for name, by in tuned(settings).items()}


@check("D0.energy")
def floor_is_at_zero(settings: Settings) -> Measurement:
    """Return the energy distance of fresh draws of the law: 0 but for noise."""
    return comparison.level_of(results(settings), settings, FLOOR, longest(settings), energy)


@check("D0.temperature")
def floor_is_at_one(settings: Settings) -> Measurement:
    """Return the temperature of fresh draws of the law: 1 but for noise."""
    return comparison.level_of(results(settings), settings, FLOOR, longest(settings), temperature)


@check("D1.gain")
def adaptive_is_nearer(settings: Settings) -> Measurement:
    """Return the misfit of annealed Langevin less adaptive momentum's, the least of the small budgets (paired)."""
    return comparison.gain(results(settings), settings, _PAPER, _BASELINE, small(settings), misfit)


@check("D1.speed_up")
def adaptive_needs_fewer_evaluations(settings: Settings) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's 60, at equal misfit."""
    return comparison.speed_up(results(settings), settings, _PAPER, _BASELINE, max(small(settings)), misfit)


@check("D1a.energy")
def the_energy_distance_sees_no_gain(settings: Settings) -> Measurement:
    """Return annealed Langevin's energy distance less adaptive momentum's, farthest from 0 at 20 to 60 evaluations."""
    found = [
        comparison.gain(results(settings), settings, _PAPER, _BASELINE, [budget], energy) for budget in small(settings)
    ]
    return max(found, key=lambda one: max(abs(end) for end in one.interval))


@check("D2.adaptive")
def adaptive_cools(settings: Settings) -> Measurement:
    """Return adaptive momentum's temperature at the largest budget that the three share."""
    return comparison.level_of(results(settings), settings, _PAPER, longest(settings), temperature)


@check("D2.langevin")
def langevin_does_not_cool(settings: Settings) -> Measurement:
    """Return annealed Langevin's temperature at the largest budget: the control."""
    return comparison.level_of(results(settings), settings, _BASELINE, longest(settings), temperature)


@check("D2.factor")
def drift_alone_cools(settings: Settings) -> Measurement:
    """Return the temperature of Langevin with its drift doubled and no momentum, at the largest budget."""
    return comparison.level_of(results(settings), settings, "Langevin, drift x2", longest(settings), temperature)


@check("D3.reverse")
def against_reverse_diffusion(settings: Settings) -> Measurement:
    """Return reverse diffusion's evaluations over adaptive momentum's 60, at equal misfit."""
    return comparison.speed_up(results(settings), settings, _PAPER, "reverse diffusion", max(small(settings)), misfit)


@check("D3.flow")
def against_the_flow(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less that of the flow by Heun, at 20 evaluations (paired)."""
    return comparison.gain(results(settings), settings, "Heun ODE", _PAPER, [20], misfit)


@check("D4.factor")
def a_larger_drift_starves(settings: Settings) -> Measurement:
    """Return the rare class's share under a doubled drift, over its share in the law."""
    return _share(settings, "Langevin, drift x2")


@check("D4.langevin")
def langevin_does_not_starve(settings: Settings) -> Measurement:
    """Return the same for annealed Langevin: the control."""
    return _share(settings, _BASELINE)


def _share(settings: Settings, sampler: str) -> Measurement:
    found = shares(settings, sampler)
    detail: dict[str, JsonValue] = {"share in the law": found.truth, "evaluations": settings.rare}
    ratios = [share / found.truth for share in found.found]
    return _of_rare(settings, comparison.measured(settings, ratios, "", **detail))


def _of_rare(settings: Settings, found: Measurement) -> Measurement:
    """Return a measurement with the number of samples of the rare class's own batches."""
    return found.model_copy(update={"n": settings.batches * settings.rare_batch})


@check("D4a.adaptive")
def adaptive_has_fewer(settings: Settings) -> Measurement:
    """Return the rare class's share under adaptive momentum less that under annealed Langevin, paired."""
    ours, theirs = shares(settings, _PAPER), shares(settings, _BASELINE)
    differences = [one - other for one, other in zip(ours.found, theirs.found, strict=True)]
    detail: dict[str, JsonValue] = {"share in the law": ours.truth, "share": sum(ours.found) / len(ours.found)}
    return _of_rare(settings, comparison.measured(settings, differences, "", **detail))


@check("D5.past")
def the_gain_ends(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less annealed Langevin's at the budget past all others, paired."""
    return comparison.gain(results(settings), settings, _BASELINE, _PAPER, [settings.past], misfit)


@check("D6.tuned")
def the_gain_survives_tuning(settings: Settings) -> Measurement:
    """Return annealed Langevin's misfit less adaptive momentum's at 60 evaluations, both tuned."""
    return comparison.gain(tuned_results(settings), settings, _PAPER, _BASELINE, [60], misfit)


@check("D6.constant")
def a_constant_factor_gains_more(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less that of Langevin with its drift times 1.5, both tuned, 20 NFE."""
    return comparison.gain(tuned_results(settings), settings, "Langevin, drift x1.5", _PAPER, [20], misfit)


@check("D7.ancestral")
def early_against_ancestral(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less ancestral sampling's at 20 evaluations, paired."""
    return comparison.gain(results(settings), settings, "ancestral", _PAPER, [20], misfit)


@check("D7.edm")
def early_against_edm(settings: Settings) -> Measurement:
    """Return the same against EDM's stochastic sampler."""
    return comparison.gain(results(settings), settings, "EDM stochastic", _PAPER, [20], misfit)


@check("D7a.ancestral")
def late_against_ancestral(settings: Settings) -> Measurement:
    """Return adaptive momentum's misfit less ancestral sampling's at 150 evaluations, paired."""
    return comparison.gain(results(settings), settings, "ancestral", _PAPER, [150], misfit)


@check("D7a.edm")
def late_against_edm(settings: Settings) -> Measurement:
    """Return the same against EDM's stochastic sampler."""
    return comparison.gain(results(settings), settings, "EDM stochastic", _PAPER, [150], misfit)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the errors against the budget, and grids of samples."""
    what = "Real digits (8 x 8)"
    return comparison.figures(results(settings), settings, images(), folder, "digits", what, _CLAIMS)


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures."""
    found = results(settings)
    return [
        comparison.table(found, settings, "digits", _CLAIMS),
        comparison.speeds(found, settings, "digits_speed", _CLAIMS, tuned_results(settings)),
        starved(settings),
    ]


def starved(settings: Settings) -> Table:
    """Return the rare class's share of each sampler that is watched."""
    rows = []
    for sampler in WATCHED:
        found = shares(settings, sampler)
        mean, low, high = comparison.interval(found.found)
        rows.append((sampler, settings.rare, settings.rare_batch * len(found.found), mean, low, high, found.truth))
    header = ("sampler", "NFE", "samples", "share", "low", "high", "share in the law")
    caption = "Zeros and a tenth as many ones: the share of samples at a one, with intervals over batches."
    return Table(id="digits_rare", caption=caption, header=header, rows=tuple(rows), claims=("D4", "D4a"))
