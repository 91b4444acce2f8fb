"""B5: the minority mode's weight. Too large a drift tempers the target, whose minority mode is then smaller."""

from ams.statistics import Interval
from ams_suite.measures import of_interval
from analysis.annealed import study
from analysis.annealed.nfe_to_threshold import default_line_run
from analysis.annealed.settings import BASELINE, PAPER, Settings
from verdicts import Measurement, check


def minority_weight(settings: Settings, sampler: str, budget: int) -> Interval:
    """Return the probability left of 0 at the end of a run at the defaults; the target has 0.3 there."""
    return default_line_run(settings, sampler, budget).errors.minority


def _difference(settings: Settings, estimate: Interval, exact: float) -> Measurement:
    """Return the estimate less the exact value. The tolerance is the interval's half-width: it must not count twice."""
    half = (estimate.high - estimate.low) / 2
    return Measurement(value=estimate.value - exact, n=estimate.n, seeds=(settings.seed,), detail={"half-width": half})


@check("B5.langevin")
def minority_weight_of_langevin(settings: Settings) -> Measurement:
    """Measure annealed Langevin's minority weight at the longest run, from its density on a grid: the control."""
    return Measurement(value=minority_weight(settings, BASELINE, settings.line_long).value)


@check("B5.factor")
def minority_weight_of_doubled_drift(settings: Settings) -> Measurement:
    """Measure the minority weight of Langevin with its drift doubled and no momentum, at the longest run."""
    return Measurement(value=minority_weight(settings, "Langevin, drift x2", settings.line_long).value)


@check("B5.adaptive")
def minority_weight_of_adaptive_momentum(settings: Settings) -> Measurement:
    """Measure adaptive momentum's minority weight at the longest run, by particles."""
    return of_interval(minority_weight(settings, PAPER, settings.line_long), settings.seed)


@check("B5.particles")
def particle_error_of_minority_weight(settings: Settings) -> Measurement:
    """Measure annealed Langevin's minority weight at 100 evaluations by particles, less the density on a grid's."""
    estimate = study.langevin_particles(100, study.sizes_of(settings)).errors.minority
    return _difference(settings, estimate, minority_weight(settings, BASELINE, 100).value)


@check("B5.particles_kl")
def particle_error_of_kl(settings: Settings) -> Measurement:
    """Measure the particles' KL of annealed Langevin at 100 evaluations, less that of the density on a grid (nats)."""
    estimate = study.langevin_particles(100, study.sizes_of(settings)).errors.kl
    return _difference(settings, estimate, default_line_run(settings, BASELINE, 100).errors.kl.value)
