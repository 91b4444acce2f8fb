r"""MNIST with a pretrained VE network: claims I1 to I9.

What exact scores cannot show: a network errs, and a sampler that cools or stirs meets its errors. Distances are to
held-out images, in pixels; the cause of a gain is found by controls that share start and noise with what they control.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from ams.statistics import mean_interval, ratio_interval
from experiments.images import speed
from experiments.images.pretrained import controls, runs
from experiments.images.pretrained.figures import draw_all, list_all
from experiments.images.pretrained.runs import Quality, Settings
from experiments.images.runs import RELEASED
from verdicts import Figure, InsufficientData, Measurement, Table, check

__all__ = ["Settings"]

CONFIDENCE = 0.99
"""Of every interval over batches here."""
PAPER, BASELINE = "adaptive momentum", "annealed Langevin"


def energy(quality: Quality) -> float:
    """Return the energy distance to held-out images."""
    return quality.energy


def temperature(quality: Quality) -> float:
    """Return the temperature on blank pixels."""
    return quality.temperature


def values(settings: Settings, name: str, budget: int, of: Callable[[Quality], float] = energy) -> list[float]:
    """Return a sampler's quality at a budget, a number a batch."""
    return [of(quality) for quality in runs.performed(settings, name, budget).quality]


def measured(settings: Settings, found: list[float], **detail: JsonValue) -> Measurement:
    """Return the batches' mean with Student's interval."""
    mean, low, high, _ = mean_interval(found, CONFIDENCE)
    seeds, n = (settings.seed,), len(found) * settings.batch
    return Measurement(value=mean, low=low, high=high, n=n, seeds=seeds, detail=detail)


def difference(
    settings: Settings, worse: str, better: str, budget: int, of: Callable[[Quality], float] = energy
) -> Measurement:
    """Return the quality of `worse` less that of `better`: paired, the noise is common."""
    pairs = zip(values(settings, worse, budget, of), values(settings, better, budget, of), strict=False)
    return measured(settings, [one - other for one, other in pairs], budget=budget)


def least(settings: Settings, worse: str, better: str, budgets: tuple[int, ...]) -> Measurement:
    """Return the difference at the budget where its interval begins lowest, over the larger's mean: relative."""
    found = [(difference(settings, worse, better, b), float(np.mean(values(settings, worse, b)))) for b in budgets]
    chosen, size = min(found, key=lambda pair: (pair[0].low or 0.0) / pair[1])
    low, high = chosen.interval
    scaled = {"value": chosen.value / size, "low": low / size, "high": high / size}
    return chosen.model_copy(update=scaled)


@check("I1.loss")
def denoising_loss(settings: Settings) -> Measurement:
    """Return the denoising loss, the mean over times and images, with an interval over images."""
    mean, low, high, n = mean_interval(runs.losses(settings).tolist(), CONFIDENCE)
    return Measurement(value=mean, low=low, high=high, n=n, seeds=(settings.seed,))


@check("I1.noisy")
def few_steps_are_noisy(settings: Settings) -> Measurement:
    """Return the noise left on blank pixels by the tutorial's sampler in few steps: the least of its samples."""
    found = runs.residual(settings, settings.noisy)
    return Measurement(value=min(found), n=len(found), seeds=(settings.seed,), detail={"mean": float(np.mean(found))})


@check("I1.clean")
def many_steps_are_clean(settings: Settings) -> Measurement:
    """Return the noise left by the tutorial's sampler in many steps, the mean over its samples."""
    mean, low, high, n = mean_interval(runs.residual(settings, settings.clean), CONFIDENCE)
    return Measurement(value=mean, low=low, high=high, n=n, seeds=(settings.seed,))


@check("I2.annealed")
def nearer_than_langevin(settings: Settings) -> Measurement:
    """Return how much farther annealed Langevin is than adaptive momentum, relative, least of 20 to 100 evaluations."""
    return least(settings, BASELINE, PAPER, tuple(b for b in settings.budgets if b <= 100))


@check("I2.corrector")
def nearer_as_a_corrector(settings: Settings) -> Measurement:
    """Return the same for the two correctors."""
    return least(settings, controls.NONE, controls.WHOLE, tuple(b for b in settings.budgets if b <= 100))


@check("I2.tuned")
def nearer_when_tuned(settings: Settings) -> Measurement:
    """Return tuned annealed Langevin's distance less tuned adaptive momentum's."""
    return _tuned(settings, BASELINE, PAPER)


def _tuned(settings: Settings, worse: str, better: str) -> Measurement:
    (one, theirs), (other, ours) = (runs.tuned(settings, name) for name in (worse, better))
    pairs = zip(theirs.quality, ours.quality, strict=True)
    told = {name: f"factor {c.factor:g}, T {c.repeats}, snr {c.snr:g}" for name, c in ((worse, one), (better, other))}
    return measured(settings, [t.energy - o.energy for t, o in pairs], **told)


def _speed_up(settings: Settings, baseline: str, sampler: str, budget: int) -> Measurement:
    """Return the baseline's evaluations over `budget` at the sampler's distance there: `speed.speed_up`."""
    curve = {b: np.array(values(settings, baseline, b)) for b in settings.budgets}
    ours = np.array(values(settings, sampler, budget))
    return speed.speed_up(ours, curve, budget, CONFIDENCE, settings.batch, settings.seed)


@check("I3.annealed")
def speed_up_over_langevin(settings: Settings) -> Measurement:
    """Return annealed Langevin's evaluations over adaptive momentum's 50 at equal distance."""
    return _speed_up(settings, BASELINE, PAPER, settings.side)


@check("I3.corrector")
def speed_up_as_a_corrector(settings: Settings) -> Measurement:
    """Return the same for the two correctors."""
    return _speed_up(settings, controls.NONE, controls.WHOLE, settings.side)


@check("I4.ancestral")
def against_ancestral(settings: Settings) -> Measurement:
    """Return adaptive momentum's distance less ancestral sampling's, at the controls' budget."""
    return difference(settings, PAPER, "ancestral", settings.side)


@check("I4.corrector")
def the_corrector_against_ancestral(settings: Settings) -> Measurement:
    """Return the same for adaptive momentum as a corrector."""
    return difference(settings, controls.WHOLE, "ancestral", settings.side)


@check("I5.adaptive")
def adaptive_is_colder(settings: Settings) -> Measurement:
    """Return annealed Langevin's temperature less adaptive momentum's at the largest budget, paired."""
    return difference(settings, BASELINE, PAPER, max(settings.budgets), temperature)


@check("I5.floor")
def the_thermometer_is_calibrated(settings: Settings) -> Measurement:
    """Return the temperature of held-out images with the last level's noise: 1."""
    return measured(settings, [quality.temperature for quality in runs.floor(settings)])


def _share(settings: Settings, control: str) -> Measurement:
    """Return the part of the released corrector's gain over Langevin's that a control keeps: a ratio of means.

    Raises InsufficientData where the gain is not told from 0: any number may be a part of it.
    """
    none, whole, part = (
        np.array(values(settings, name, settings.side)) for name in (controls.NONE, controls.WHOLE, control)
    )
    value, low, high, batches = ratio_interval(none - part, none - whole, CONFIDENCE)
    if not math.isfinite(low):
        raise InsufficientData(
            f"{batches} batches do not tell the corrector's gain from 0, nor so any part of it: take more"
        )
    return Measurement(value=value, low=low, high=high, n=batches * settings.batch, seeds=(settings.seed,))


def _kept(part: str, control: str) -> Callable[[Settings], Measurement]:
    """Return the check of the part of the gain that a control keeps."""

    @check(f"I6.{part}")
    def kept(settings: Settings) -> Measurement:
        return _share(settings, control)

    return kept


the_lagged_norm_alone = _kept("lag", controls.LAGGED)
the_factor_alone = _kept("drift", controls.DRIFT)
without_the_factor = _kept("dropped", controls.DROPPED)
with_the_noise_corrected = _kept("noise", controls.HEATED)


@check("I6.constant")
def a_constant_factor(settings: Settings) -> Measurement:
    """Return what a constant drift factor keeps, the released corrector's own mean, without momentum."""
    found = _share(settings, controls.MATCHED)
    return found.model_copy(update={"detail": {"factor": runs.factor(settings)}})


@check("I7.annealed")
def companions_move_samples(settings: Settings) -> Measurement:
    """Return the root mean square by which other companions move samples of the annealed rule (pixel units)."""
    return _moved(settings, PAPER)


@check("I7.corrector")
def companions_move_corrected_samples(settings: Settings) -> Measurement:
    """Return the same for the corrector."""
    return _moved(settings, controls.WHOLE)


def _moved(settings: Settings, name: str) -> Measurement:
    found = runs.companions(settings, name)
    apart = found["one"] - found["other"]
    detail: dict[str, JsonValue] = {"largest": apart.abs().max().item()}
    return Measurement(value=apart.square().mean().sqrt().item(), n=8, seeds=(settings.seed,), detail=detail)


@check("I8.split")
def per_sample_coupling_agrees(settings: Settings) -> Measurement:
    """Return the largest pixel by which per-sample coupling differs, whoever else is in the batch, or nobody."""
    worst = 0.0
    for name in (f"{PAPER}, per sample", f"{controls.WHOLE}, per sample"):
        found = runs.companions(settings, name)
        worst = max(worst, *((found["one"] - found[key]).abs().max().item() for key in ("other", "alone")))
    return Measurement(value=worst, n=8, seeds=(settings.seed,))


@check("I9.memory")
def memory_costs_on_a_network(settings: Settings) -> Measurement:
    """Return the distance of the isothermal sampler with memory less that of SDE-DPM-Solver++."""
    solver, sampler = runs.MEMORY
    return difference(settings, sampler, solver, settings.late)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw quality against evaluations, samples side by side, beta along the trajectory."""
    return draw_all(settings, folder, CONFIDENCE, RELEASED.snr)


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures."""
    return list_all(settings, CONFIDENCE)
