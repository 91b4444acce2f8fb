"""What is run: each sampler on both targets, at the defaults, tuned, along one hyperparameter.

Rows without a `target` are those of the Gaussian, rows without `tuned` have the defaults. Then how
much hangs on the batch that a norm averages over, and on the step at the last noise level.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch

from ams.laws import Moments
from ams.laws.stationary import solved
from ams.metrics import gaussian_kl
from ams.samplers import adaptive, momentum_rule
from ams.samplers.presets import ADAPTIVE, DEFAULT, RK45, Hyperparameters, noise_schedule
from ams.statistics import Interval, jackknife_interval
from ams.targets import Gaussian
from analysis.annealed import gaussian, mixture
from analysis.annealed.gaussian import SIGMAS, TARGET
from analysis.annealed.particles import Sizes, particles
from analysis.annealed.settings import (
    BASELINE,
    CAUSES,
    CORRECTORS,
    EXACT_RIVALS,
    PAPER,
    RIVALS,
    Settings,
)
from analysis.annealed.tuning import chosen, grid
from analysis.momentum.closed_forms import variance_ratio
from analysis.targets import stiff_gaussian
from verdicts.studies import Cell, cell
from verdicts.studies.table import Label, Rows, RunTable

MIXTURE = "mixture"
ELSEWHERE = (100.0, 10_000.0)
"""The condition numbers of the other Gaussians on which samplers are tuned."""
LIKE = {PAPER: BASELINE, "PC, adaptive": "PC, Langevin"}
"""Samplers that run with what is best for another one."""
JUDGED = (PAPER, 40)
"""The tuned run that decides P2a and P2b, with more batches of particles than the others."""
STEP_SAMPLERS = (BASELINE, "constant momentum", PAPER)
"""Those whose errors are shown against the step."""


SWEPT = {
    "snr": "signal-to-noise ratio",
    "repeats": "steps per noise level, T",
    "delta": r"clip $\delta$",
}
"""The hyperparameters along which a sensitivity is shown."""


class BatchRun(NamedTuple):
    """KL (nats) of a run whose norms average over few samples."""

    kl: Interval


def table(settings: Settings) -> RunTable:
    """Return the group's table."""
    return RunTable(tuple(runs(settings)))


def runs(settings: Settings) -> Iterator[Rows]:
    """Yield the rows."""
    for name in settings.samplers:
        budgets = settings.budgets_of(name)
        made = gaussian.at_defaults.cell(name, budgets)
        yield from _along("budget", budgets, made, sampler=name)
        yield from _tuned(settings, name, settings.tuned_of(name), "on it")
    for name in (BASELINE, PAPER):
        yield from _tuned(settings, name, settings.elsewhere_of(name), "elsewhere", ELSEWHERE)
    for name, other in LIKE.items():
        yield from _tuned(settings, name, settings.tuned, f"as {other}", (TARGET,), other)
    yield from _on_mixture(settings)
    if RK45.name in settings.in_tables:
        tolerances, solver = settings.tolerances, {"sampler": RK45.name}
        flows = gaussian.solver_runs.cell(tolerances)
        yield from _along("tolerance", tolerances, flows, **solver)
        transports = mixture.solver_runs.cell(tolerances, settings.nodes)
        yield from _along("tolerance", tolerances, transports, target=MIXTURE, **solver)
    if not settings.drawn:
        yield from _sensitivity(settings)


def _along(label: str, values: Iterable[Any], made: Cell[Any], **labels: Any) -> Iterator[Rows]:
    """Yield the rows of one cell, which differ by a label."""
    for place, value in enumerate(values):
        yield Rows({**labels, label: value}, made, place=place)


def _tuned(
    settings: Settings,
    name: str,
    budgets: Iterable[int],
    tuned: str,
    *how: Any,
) -> Iterator[Rows]:
    for budget in budgets:
        tried = grid(settings, name, budget, SIGMAS)
        labels: dict[str, Label] = {"sampler": name, "budget": budget, "tuned": tuned}
        yield Rows(labels, gaussian.tuned.cell(name, budget, tried, *how))


def _on_mixture(settings: Settings) -> Iterator[Rows]:
    sizes = Sizes(settings.batch, settings.batches, settings.nodes, settings.seed)

    def row(name: str, budget: int, made: Cell[Any], **labels: Label) -> Rows:
        named: dict[str, Label] = {"target": MIXTURE, "sampler": name, "budget": budget}
        return Rows(named | labels, made, seed=settings.seed)

    known = [*settings.in_tables, BASELINE, PAPER, *(() if settings.drawn else (*CAUSES, *RIVALS))]
    known = [name for name in known if name != RK45.name]
    wanted = set(product(known, settings.line_budgets))
    wanted |= {(name, 20) for name in EXACT_RIVALS}
    wanted |= {(name, settings.line_long) for name in (BASELINE, "Langevin, drift x2", PAPER)}
    for name, budget in sorted(wanted):
        yield row(name, budget, mixture.line_run.cell(name, budget, (DEFAULT,), sizes))
    far = [(BASELINE, budget) for budget in settings.line_tuned_long]
    pairs = [(name, budget) for name in (BASELINE, PAPER) for budget in settings.line_tuned]
    for name, budget in pairs + far:
        judged = sizes._replace(batches=settings.judged) if (name, budget) == JUDGED else sizes
        tried = settings.line_grid(name)
        for tuned, best in {"on it": None, "elsewhere": chosen(name, budget)}.items():
            made = mixture.line_run.cell(name, budget, tried, judged, best)
            yield row(name, budget, made, tuned=tuned)
    control = mixture.langevin_particles.cell(100, sizes)
    yield row(f"{BASELINE}, particles", 100, control)


def _sensitivity(settings: Settings) -> Iterator[Rows]:
    sizes = Sizes(settings.batch, settings.batches, settings.nodes, settings.seed)
    for budget in settings.probes:
        for (name, field), values in sweeps(settings).items():
            tried = tuple(Hyperparameters(**{field: value}) for value in values)  # type: ignore[arg-type]
            made = gaussian.runs.cell(name, budget, tried)
            yield from _along(field, values, made, sampler=name, budget=budget)
        for size in settings.sweep_batch:
            of_both = of_batch.cell(budget, size, sizes)
            labels: dict[str, Label] = {"sampler": PAPER, "budget": budget, "coupled": size}
            yield Rows(labels, of_both, seed=settings.seed, place=0)
            yield Rows({"target": MIXTURE, **labels}, of_both, seed=settings.seed, place=1)
    longest = max(settings.long)
    _, epsilon = noise_schedule(SIGMAS, longest // DEFAULT.repeats, DEFAULT.repeats)
    steps, last = settings.sweep_steps, SIGMAS.last**2
    tried = tuple(Hyperparameters(factor=step * last / epsilon) for step in steps)
    fine = tuple(np.geomspace(min(steps), max(steps), 40).tolist())
    for name in STEP_SAMPLERS:
        made = gaussian.runs.cell(name, longest, tried)
        yield from _along("step", steps, made, sampler=name, budget=longest)
        yield from _along("step", fine, stationary.cell(name, fine), sampler=name)


def sweeps(settings: Settings) -> dict[tuple[str, str], tuple[float, ...]]:
    """Return the samplers whose sensitivity is shown, each with a hyperparameter: the values
    along it.
    """
    correctors = (*CORRECTORS, "PC, constant")
    repeated = (BASELINE, PAPER, "adaptive, drift only", "Langevin, drift x1.5")
    return {
        **{(name, "snr"): settings.sweep_snr for name in correctors},
        **{(name, "repeats"): settings.sweep_repeats for name in repeated},
        (PAPER, "delta"): settings.sweep_delta,
    }


@cell
def of_batch(budget: int, coupled: int, sizes: Sizes) -> list[BatchRun]:
    """Adaptive momentum on the Gaussian and on the mixture, norms averaged over `coupled`
    samples.
    """
    on_mixture = mixture.by_particles(sizes, ADAPTIVE.build(mixture.SIGMAS, budget), coupled)
    return [BatchRun(gaussian_kl_of_batch(budget, coupled, sizes)), BatchRun(on_mixture.kl)]


def gaussian_kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> Interval:
    """Return KL of the Gaussian with the moments of adaptive momentum's particles, norms averaged
    over `coupled`.

    Samples whose momentum coefficients differ have no Gaussian distribution: its own KL is larger
    than that of its moments.
    """
    law, program = stiff_gaussian(), ADAPTIVE.build(SIGMAS, budget)
    x, _ = particles(Gaussian(law.mean, law.variance), SIGMAS.first, program, sizes, coupled)
    x -= law.mean.numpy()
    exact = gaussian.at_last_level().variance
    first, second = x.mean(1), (x**2).mean(1)

    def kl(batches: np.ndarray) -> float:
        mean, square = first[batches].mean(0), second[batches].mean(0)
        return gaussian_kl(mean, square - mean**2, 0.0, exact)

    everything = np.arange(len(x))
    return jackknife_interval(
        kl(everything), [kl(np.delete(everything, i)) for i in everything], mixture.CONFIDENCE
    )


@cell
def stationary(sampler: str, steps: tuple[float, ...]) -> list[gaussian.GaussianRun]:
    """A sampler's stationary distribution at the last noise level, for each step `a = u sigma^2`.

    Langevin and constant momentum (0.9) by the closed form of claim G3, adaptive momentum by its
    solved mean field.
    """
    law = gaussian.at_last_level()

    def variance(u: float) -> torch.Tensor:
        size = u * SIGMAS.last**2
        if sampler == PAPER:
            return solved(law, momentum_rule(adaptive(1e-6)), size, 1 - 1e-6).variance
        ratio = variance_ratio(size / law.variance.numpy(), 0.0 if sampler == BASELINE else 0.9)
        return law.variance * torch.from_numpy(ratio)

    return [gaussian.distances(Moments(law.mean, variance(u))) for u in steps]
