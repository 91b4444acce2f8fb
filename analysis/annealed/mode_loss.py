"""B5: the minority mode's weight. Langevin with too much drift cools, and a cooled law starves its smaller mode."""

from __future__ import annotations

from ams.statistics import Interval
from analysis.annealed import mixture as line
from analysis.annealed.mixture import ENDS, by_particles
from analysis.annealed.nfe_to_threshold import BASELINE, PAPER
from analysis.annealed.samplers import DEFAULT, SAMPLERS
from analysis.annealed.settings import Settings
from verdicts import Measurement, check


def weight(settings: Settings, sampler: str, budget: int) -> Interval:
    """Return the probability left of 0 at the end of a run at the defaults; the target has 0.3 there."""
    return line.default_line_run(settings, sampler, budget).errors.minority


def _measured(settings: Settings, found: Interval) -> Measurement:
    return Measurement(value=found.value, low=found.low, high=found.high, n=found.n, seeds=(settings.seed,))


def _difference(settings: Settings, found: Interval, exact: float) -> Measurement:
    """Return the estimate less the exact value. The tolerance is the interval's half-width: it must not count twice."""
    half = (found.high - found.low) / 2
    return Measurement(value=found.value - exact, n=found.n, seeds=(settings.seed,), detail={"half-width": half})


@check("B5.langevin")
def langevin_does_not_starve(settings: Settings) -> Measurement:
    """Return annealed Langevin's minority weight at the longest run (grid law): the control."""
    return Measurement(value=weight(settings, BASELINE, settings.line_long).value)


@check("B5.factor")
def larger_drift_starves(settings: Settings) -> Measurement:
    """Return the minority weight of Langevin with its drift doubled and no momentum, at the longest run (grid law)."""
    return Measurement(value=weight(settings, "Langevin, drift x2", settings.line_long).value)


@check("B5.adaptive")
def adaptive_momentum_starves(settings: Settings) -> Measurement:
    """Return adaptive momentum's minority weight at the longest run (particles)."""
    return _measured(settings, weight(settings, PAPER, settings.line_long))


@check("B5.particles")
def particles_agree_with_the_grid(settings: Settings) -> Measurement:
    """Return annealed Langevin's minority weight at 100 evaluations by particles, less that of the grid law."""
    _, errors = by_particles(settings, SAMPLERS[BASELINE].program(ENDS, 100, DEFAULT))
    exact, found = weight(settings, BASELINE, 100).value, errors.minority
    return _difference(settings, found, exact)


@check("B5.particles_kl")
def estimated_divergence_agrees_with_the_grid(settings: Settings) -> Measurement:
    """Return the particles' KL of annealed Langevin at 100 evaluations, less that of the grid law (nats)."""
    _, errors = by_particles(settings, SAMPLERS[BASELINE].program(ENDS, 100, DEFAULT))
    exact, found = line.default_line_run(settings, BASELINE, 100).errors.kl.value, errors.kl
    return _difference(settings, found, exact)
