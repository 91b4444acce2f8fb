"""T3 to T5: what exact scores and exact distributions cost, beside the arithmetic or the particles
that they stand for.

The exact score of a data set is compared with the two matrix products that it cannot do without;
exact distributions with particles of equal error. The expected norms that they need have an error
of their own.
"""

import math
import time

import numpy as np
import torch
from torch import Tensor

from ams.laws import GaussianLaw, expected_norm
from ams.samplers import adaptive, last, momentum, momentum_rule, sample
from ams.samplers.loop import Program
from ams.schedules import Level, linked
from ams.targets import Empirical, Gaussian
from experiments.benchmarks.costs import (
    Work,
    allocations,
    median_measurement,
    time_ratio,
    undisturbed,
)
from experiments.benchmarks.settings import Settings
from verdicts import Measurement


def data(settings: Settings, points: int) -> tuple[Tensor, Tensor]:
    """Return random points in the unit cube and a batch of noisy points; only their number
    affects the time.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    cloud = torch.rand(points, settings.dimension, generator=generator)
    noise = torch.randn(settings.score_batch, settings.dimension, generator=generator)
    return cloud, cloud[: settings.score_batch] + settings.sigma * noise


def evaluation(settings: Settings, points: int) -> Work:
    """Return one evaluation of the score, on a target that is prepared and has been used once."""
    cloud, x = data(settings, points)
    target, level = Empirical(cloud), Level(0, sigma=settings.sigma)
    target.score(x, level)
    return lambda: target.score(x, level)


def time_over_its_matrix_products(settings: Settings) -> Measurement:
    """Measure the CPU time of a score over that of its products: batch times points, weights
    times points.
    """
    cloud, x = data(settings, settings.points)
    logits, mean = torch.empty(settings.score_batch, settings.points), torch.empty_like(x)

    def products() -> None:
        torch.mm(x, cloud.T, out=logits)
        torch.mm(logits, cloud, out=mean)

    return time_ratio(
        evaluation(settings, settings.points),
        products,
        settings.score_pairs,
        batch=settings.score_batch,
    )


def allocation_over_that_with_fewer_points(settings: Settings) -> Measurement:
    """Measure the largest allocation of a score with all points over that with fewer points."""
    many, few = (
        max(allocations(evaluation(settings, n))) for n in (settings.points, settings.fewer_points)
    )
    return Measurement(
        value=many / few, n=2, detail={"MiB, all": many / 2**20, "MiB, fewer": few / 2**20}
    )


STEP = momentum(momentum_rule(adaptive()))
CLOCKS = ("wall", "cpu")


def precisions(directions: int) -> torch.Tensor:
    """Return distinct precisions, spaced logarithmically over three decades."""
    return torch.logspace(0, 3, directions, dtype=torch.float64)


def program(steps: int) -> Program:
    """Return steps of adaptive momentum whose size is stable for every precision."""
    return [
        (STEP, level) for level in linked([Level(i, sigma=0.0, step=2e-4) for i in range(steps)])
    ]


def step_times(settings: Settings) -> np.ndarray:
    """Return the milliseconds of each step (steps, 2), by the `CLOCKS`.

    The first three steps are left out, since they have fewer moments.
    """
    law = GaussianLaw(1.0 / precisions(settings.directions))
    states = law.run(program(settings.law_steps + 3), law.start(1.0, 1.0))
    with undisturbed():
        clocks = [(time.perf_counter(), time.process_time()) for _ in states]
    return 1e3 * np.diff(np.array(clocks), axis=0)[2:]


def time_of_a_step(settings: Settings, clock: str) -> Measurement:
    """Measure the time of an exact step of adaptive momentum, all directions distinct, in
    milliseconds by a clock.
    """
    return median_measurement(step_times(settings)[:, CLOCKS.index(clock)].tolist(), unit="ms")


def reference_norm(mean: np.ndarray, variance: np.ndarray) -> float:
    """Return `E|g|`, `g ~ N(mean, diag variance)`, in extended precision and without the library's
    formula.

    `E sqrt(Q) = int_0^inf (1 - E exp(-t Q)) t^(-3/2) dt / (2 sqrt pi)`, where the library
    integrates by parts. With `t = e^w / E Q` the trapezoidal rule has four times the nodes that it
    needs. Tails beyond the nodes are below 1e-16.
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


def error_of_expected_norms(settings: Settings) -> Measurement:
    """Measure the largest relative error of expected norms, over random means and variances."""
    rng = np.random.default_rng(settings.seed)
    ones = torch.ones(settings.directions, dtype=torch.float64)
    errors = []
    for _ in range(settings.norms):
        variance = 10.0 ** rng.uniform(-4, 2, settings.directions)
        mean = rng.normal(size=settings.directions) * 10.0 ** rng.uniform(-3, 1)
        norm = expected_norm(torch.from_numpy(mean), torch.from_numpy(variance), ones)
        errors.append(abs(norm / reference_norm(mean, variance) - 1.0))
    return Measurement(value=max(errors), n=settings.norms, seeds=(settings.seed,))


def time_over_particles_of_equal_error(settings: Settings) -> Measurement:
    """Measure the CPU time of the exact law over that of as many particles as give its variances to
    `error`.

    `n` Gaussian particles give a variance to a relative standard error of `sqrt(2 / n)`. Fewer are
    timed, and their time is scaled, since it is proportional to their number (T6).
    """
    lam, path = precisions(settings.compared_directions), list(program(settings.compared_steps))
    law, clean = GaussianLaw(1.0 / lam), Level(0, sigma=1e-6)
    score = Gaussian(torch.zeros(len(lam)), (1.0 / lam).float()).marginal(clean).score

    def exact() -> None:
        last(law.run(path, law.start(0.0, 1.0)))

    def particles() -> None:
        generator = torch.Generator().manual_seed(settings.seed)
        x = torch.randn(settings.particles, len(lam), generator=generator)
        sample(path, x, lambda x, _: score(x, clean), generator)

    share = settings.particles * settings.error**2 / 2.0
    return time_ratio(
        exact, particles, settings.law_pairs, scale=share, particles=settings.particles
    )
