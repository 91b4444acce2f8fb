"""T4, T5: what the exact law costs, how exact its norms are, and what particles would cost for the same error."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from ams.laws import GaussianLaw, expected_norm
from ams.samplers import adaptive, last, momentum, momentum_rule, sample
from ams.samplers.loop import Program
from ams.schedules import Level, linked
from ams.targets import Gaussian
from experiments.benchmarks import timing
from verdicts import Measurement, check

STEP = momentum(momentum_rule(adaptive()))


class Settings(BaseModel):
    """Distinct directions and timed steps of the law; of the comparison: directions, steps, particles that are timed,
    the relative error of the variance that they would have to reach; pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directions: PositiveInt = 4096
    steps: PositiveInt = 25
    norms: PositiveInt = 4
    compared_directions: PositiveInt = 64
    compared_steps: PositiveInt = 10
    particles: PositiveInt = 4096
    error: float = 1e-3
    pairs: PositiveInt = 31
    seed: NonNegativeInt = 7


def precisions(directions: int) -> torch.Tensor:
    """Return distinct precisions, logarithmically spaced over three decades."""
    return torch.logspace(0, 3, directions, dtype=torch.float64)


def program(steps: int) -> Program:
    """Return adaptive momentum at a step that is stable for every precision."""
    return [(STEP, level) for level in linked([Level(i, sigma=0.0, step=2e-4) for i in range(steps)])]


def _step_times(settings: Settings) -> np.ndarray:
    """Return wall and CPU milliseconds of each step after the first three, which have less to carry."""
    law = GaussianLaw(1.0 / precisions(settings.directions))
    states = law.run(program(settings.steps + 3), law.start(1.0, 1.0))
    clocks = []
    with timing.undisturbed():
        for _ in states:
            clocks.append((time.perf_counter(), time.process_time()))
    return 1e3 * np.diff(np.array(clocks), axis=0)[2:]


@check("T4.wall")
def wall_of_a_step(settings: Settings) -> Measurement:
    """Milliseconds of wall-clock time a step, adaptive, all directions distinct."""
    return _milliseconds(_step_times(settings)[:, 0])


@check("T4.cpu")
def cpu_of_a_step(settings: Settings) -> Measurement:
    """Milliseconds of CPU time a step."""
    return _milliseconds(_step_times(settings)[:, 1])


def _milliseconds(times: np.ndarray) -> Measurement:
    found = timing.median_interval(times.tolist())
    return Measurement(value=found.value, low=found.low, high=found.high, n=found.n, unit="ms")


def reference_norm(mean: np.ndarray, variance: np.ndarray) -> float:
    """Return `E|g|`, `g ~ N(mean, diag variance)`, independently of the library and in extended precision.

    `sqrt(Q) = int_0^inf (1 - exp(-t Q)) t^(-3/2) dt / (2 sqrt pi)` itself (the library integrates by parts), `t = e^w`
    in units of `1 / E Q`, by the trapezoidal rule with four times the nodes that it takes to converge; both tails
    beyond the nodes are known in closed form to below 1e-16.
    """
    mu2, v = (np.asarray(a, dtype=np.longdouble) for a in (mean**2, variance))
    second = (mu2 + v).sum()
    spacing = np.longdouble(1) / 16
    total = np.longdouble(0)
    for w in np.arange(-90, 90, spacing, dtype=np.longdouble):
        t = np.exp(w) / second
        log_phi = -(np.log1p(2 * v * t) / 2 + mu2 * t / (1 + 2 * v * t)).sum()
        total -= np.expm1(log_phi) * np.exp(-w / 2)
    return float(total * spacing * np.sqrt(second) / (2 * math.sqrt(math.pi)))


@check("T4.norm")
def expected_norms(settings: Settings) -> Measurement:
    """Largest relative difference of expected norms from the reference, over random means and variances."""
    rng = np.random.default_rng(settings.seed)
    worst = 0.0
    for _ in range(settings.norms):
        variance = 10.0 ** rng.uniform(-4, 2, settings.directions)
        mean = rng.normal(size=settings.directions) * 10.0 ** rng.uniform(-3, 1)
        true = reference_norm(mean, variance)
        ones = torch.ones(settings.directions, dtype=torch.float64)
        found = expected_norm(torch.from_numpy(mean), torch.from_numpy(variance), ones)
        worst = max(worst, abs(found / true - 1.0))
    return Measurement(value=worst, n=settings.norms, seeds=(settings.seed,))


def needed(error: float) -> float:
    """Return how many Gaussian particles give a variance to a relative standard error: `sqrt(2 / n) = error`."""
    return 2.0 / error**2


@check("T5.cost")
def against_particles(settings: Settings) -> Measurement:
    """CPU time of the law over that of as many particles as give its variances to the stated error.

    Timed with fewer particles; the time of particles grows in proportion to their number (T6), so it is scaled.
    """
    lam = precisions(settings.compared_directions)
    path = list(program(settings.compared_steps))
    law, target = GaussianLaw(1.0 / lam), Gaussian(torch.zeros(len(lam)), (1.0 / lam).float())
    score = target.marginal(Level(0, sigma=1e-6)).score
    clean = Level(0, sigma=1e-6)

    def exact() -> None:
        last(law.run(path, law.start(0.0, 1.0)))

    def particles() -> None:
        generator = torch.Generator().manual_seed(settings.seed)
        x = torch.randn(settings.particles, len(lam), generator=generator)
        sample(path, x, lambda x, _: score(x, clean), generator)

    share = settings.particles / needed(settings.error)
    return timing.ratio(exact, particles, settings.pairs, scale=share, particles=settings.particles)
