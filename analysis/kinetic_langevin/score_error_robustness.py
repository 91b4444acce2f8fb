"""K9: memory pays where slow directions are wrong at low noise; not for wrong scores there, nor for wrong weights."""

from __future__ import annotations

import numpy as np
import sympy as sp
import torch
from pydantic import JsonValue

from ams.laws.symbolic import lam
from ams.samplers import TAPERED, KineticParameters, annealed_baoab, baoab, one_step_per_level, sample
from ams.samplers.annealed_baoab import KineticSchedule
from ams.schedules import geometric_sigmas, ve_levels
from ams.statistics import mean_interval
from ams.targets import GaussianMixture
from analysis.kinetic_langevin.baselines import ENTRANTS, MEMORY
from analysis.kinetic_langevin.equivalent_forms import dt, e, symbols
from analysis.kinetic_langevin.family import Kind
from analysis.kinetic_langevin.nfe_comparison import (
    CONFIDENCE,
    KINDS,
    STATIONED,
    arrivals,
    evaluations,
    factor,
    reached,
    share_of_arrivals,
)
from analysis.kinetic_langevin.settings import Settings
from analysis.proofs import left_over
from verdicts import Measurement, check


@check("K9.start")
def memory_repairs_a_bad_start(settings: Settings) -> Measurement:
    """Return the evaluations of the best sampler without memory over those with it, from a bad start."""
    return factor(settings, Kind.START, "annealed BAOAB, u = 1.9", MEMORY)


@check("K9e.high")
def memory_repairs_scores_wrong_at_high_noise(settings: Settings) -> Measurement:
    """Return the same for score errors at high noise."""
    return factor(settings, Kind.HIGH, "annealed BAOAB, u = 1.9", MEMORY)


@check("K9e.shift")
def memory_repairs_shifted_scores(settings: Settings) -> Measurement:
    """Return the same for shifts at high noise, on which no setting was chosen."""
    return factor(settings, Kind.SHIFT, "annealed BAOAB, u = 1.9", MEMORY)


@check("K9.steady")
def memory_alone(settings: Settings) -> Measurement:
    """Return the same over the same pace without its memory, from a bad start: memory is all that differs."""
    return factor(settings, Kind.START, "annealed BAOAB, tapered, e = 0", MEMORY)


PUBLISHED = ("DPM-Solver++", "SDE-DPM-Solver++", "Heun ODE", "EDM stochastic", "ancestral", "annealed Langevin")


@check("K9.published")
def published_samplers_hardly_arrive(settings: Settings) -> Measurement:
    """Return the share of runs of the published samplers that arrive from a bad start."""
    return share_of_arrivals(settings, PUBLISHED)


@check("K9d.regret")
def one_pace_for_all(settings: Settings) -> Measurement:
    """Return the largest ratio, over the kinds of damage, of the TAPERED pace's evaluations to the best entrant's.

    The best is chosen for each kind, after the fact, by its geometric mean over the held-out targets, among those that
    are not known never to arrive (K8d). Who does not arrive counts with the budget, which is for the others.
    """
    ratios: dict[str, float] = {}
    for kind in KINDS:
        means = {name: _mean(settings, kind, name) for name in ENTRANTS if name not in STATIONED}
        best = min(means, key=lambda name: means[name])
        ratios[f"{kind}: best is {best}"] = means[MEMORY] / means[best]
    return Measurement(value=max(ratios.values()), n=settings.targets, seeds=(settings.held_out,), detail=dict(ratios))


def _mean(settings: Settings, kind: Kind, name: str) -> float:
    return float(np.exp(np.log(np.minimum(evaluations(settings, kind, name), settings.budget)).mean()))


@check("K9d.arrives")
def it_arrives_everywhere(settings: Settings) -> Measurement:
    """Return on how many targets, of all kinds of damage, the TAPERED pace does not arrive."""
    missed = {kind: settings.targets - arrivals(settings, kind, (MEMORY,)).value for kind in KINDS}
    detail: dict[str, JsonValue] = {str(kind): count for kind, count in missed.items()}
    n = settings.targets * len(KINDS)
    return Measurement(value=sum(missed.values()), n=n, seeds=(settings.held_out,), detail=detail)


@check("K9a.bound")
def fading_stirring_is_bounded(settings: Settings) -> Measurement:
    """With `u = 10 h` the Langevin time of a direction of variance v below `sigma_c`, however many levels there are.

    A slow direction relaxes by `u (1 + e)/(1 - e) sigma^2 / v` a step, from the derivative at `u = 0` of the root of
    K1's characteristic polynomial that is 1 there; `h = -d ln sigma`. The sum tends to `5 (1+e)/(1-e) sigma_c^2 / v`.
    """
    v, sigma, turn, small, root = sp.symbols("v sigma sigma_c u mu", positive=True)
    matrix, _, _ = symbols(baoab)
    polynomial = (root**2 - matrix.trace() * root + matrix.det()).subs(dt, sp.sqrt(2 * small / lam))
    rate = (sp.diff(polynomial, small) / sp.diff(polynomial, root)).subs({root: 1, small: 0})
    whole = sp.integrate(10 * rate * sigma**2 / v / sigma, (sigma, 0, turn))
    return left_over(rate - (1 + e) / (1 - e), whole - 5 * (1 + e) / (1 - e) * turn**2 / v)


@check("K9a.share")
def fading_stirring_repairs_little(settings: Settings) -> Measurement:
    """Return the share of runs with `u = min(1/2, 10 h)`, memory 0 or 1/2, that arrive from a bad start."""
    return share_of_arrivals(settings, ("annealed BAOAB, e = 0", "annealed BAOAB, e = 1/2"))


def excess(settings: Settings, one: str, other: str) -> Measurement:
    """Return KL of `one` over KL of `other` at 160 evaluations, scores wrong at low noise: geometric mean, interval."""
    found = [reached(settings, Kind.LOW, name, 160).log().numpy() for name in (one, other)]
    mean = np.exp(mean_interval(found[0] - found[1], CONFIDENCE)[:3])
    return Measurement(value=mean[0], low=mean[1], high=mean[2], n=settings.targets, seeds=(settings.held_out,))


@check("K9b.steady")
def memory_does_not_mend_low_noise(settings: Settings) -> Measurement:
    """Return the TAPERED pace's KL over the same pace's without memory."""
    return excess(settings, MEMORY, "annealed BAOAB, tapered, e = 0")


@check("K9b.ode")
def stirring_does_not_mend_low_noise(settings: Settings) -> Measurement:
    """Return the TAPERED pace's KL over deterministic DPM-Solver++'s."""
    return excess(settings, MEMORY, "DPM-Solver++")


def recovered(settings: Settings, pacing: KineticSchedule, steps: int = 80) -> Measurement:
    """Return how much of the mixture's weights a run recovers from wrong ones, 0 (nothing) to 1 (all).

    Modes at -1/+1, sd 0.1, weights .3/.7; at sigma = 0.3 the particles have the right modes and the weights .5/.5. The
    particles are independent, so the share's standard error is that of a proportion: 0.018 of 20,000. About 0.01 is
    recovered, so the margin of 0.15 alarms falsely less than once in 1e10 times, and sees 0.21 with probability 0.999.
    """
    means, levels = [[-1.0], [1.0]], ve_levels(geometric_sigmas(0.3, 0.02, steps + 1))
    generator = torch.Generator().manual_seed(settings.seed)
    start = GaussianMixture([0.5, 0.5], means, 0.01).sample(settings.particles, levels[0], generator)
    score = GaussianMixture([0.3, 0.7], means, 0.01).score
    state, _, _ = sample(one_step_per_level(annealed_baoab(pacing), levels), start, score, generator)
    share = float((state.x < 0).double().mean())
    error = (share * (1 - share) / settings.particles) ** 0.5 / 0.2
    detail: dict[str, JsonValue] = {"standard error": error}
    return Measurement(value=(0.5 - share) / 0.2, n=settings.particles, seeds=(settings.seed,), detail=detail)


@check("K9c.tapered")
def memory_does_not_move_weights(settings: Settings) -> Measurement:
    """Return the share recovered at the TAPERED pace."""
    return recovered(settings, TAPERED)


@check("K9c.stirred")
def stirring_does_not_either(settings: Settings) -> Measurement:
    """Return the share recovered at `u = 1.9`, `e = 0`."""
    return recovered(settings, lambda h: KineticParameters(1.9, 0.0))
