"""What the group computes once: each sampler's errors on both targets, at the defaults, tuned,
along one setting.

Then how much hangs on the batch that a norm averages over, and on the step at the last noise level:
the floor of runs.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch

from ams.laws import Moments
from ams.laws.stationary import solved
from ams.metrics import gaussian_kl
from ams.samplers import adaptive, momentum_rule
from ams.samplers.presets import ADAPTIVE, DEFAULT, RK45, Hyperparameters, noise_schedule
from ams.statistics import Interval, jackknife_interval
from ams.targets import Gaussian
from analysis.annealed import film, gaussian, mixture, nfe_to_threshold
from analysis.annealed.gaussian import SIGMAS, TARGET
from analysis.annealed.nfe_to_threshold import (
    ELSEWHERE,
    KL,
    LINE_KL,
    grid,
    judged,
    line_grid,
    sizes_of,
)
from analysis.annealed.particles import Sizes, particles
from analysis.annealed.settings import (
    BASELINE,
    CAUSES,
    CORRECTORS,
    EXACT_RIVALS,
    OTHERS,
    PAPER,
    RIVALS,
    TABULATED,
    Settings,
)
from analysis.momentum.closed_forms import variance_ratio
from analysis.targets import stiff_gaussian
from verdicts.studies import Cell, cell

STEP_SAMPLERS = (BASELINE, "constant momentum", PAPER)
"""Those whose errors are shown against the step."""


def steps_at(settings: Settings) -> tuple[Hyperparameters, ...]:
    """Return the settings whose step is each of `sweep_steps`, at the longest budget and T = 5."""
    _, epsilon = noise_schedule(SIGMAS, max(settings.long) // 5, 5)
    return tuple(Hyperparameters(factor=u * SIGMAS.last**2 / epsilon) for u in settings.sweep_steps)


def sweeps(settings: Settings) -> Iterator[tuple[str, tuple[Hyperparameters, ...]]]:
    """Yield the samplers and the settings along which their sensitivity is shown."""
    snr = tuple(Hyperparameters(snr=value) for value in settings.sweep_snr)
    yield from ((name, snr) for name in ("PC, Langevin", "PC, adaptive", "PC, constant"))
    repeats = tuple(Hyperparameters(repeats=value) for value in settings.sweep_repeats)
    yield from (
        (name, repeats)
        for name in (BASELINE, PAPER, "adaptive, drift only", "Langevin, drift x1.5")
    )
    yield PAPER, tuple(Hyperparameters(delta=value) for value in settings.sweep_delta)


def drawn(settings: Settings, figure: str) -> bool:
    """Tell whether these settings ask for a figure."""
    return not settings.drawn or figure in settings.drawn


def tabulated(settings: Settings) -> tuple[str, ...]:
    """Return the samplers that tables show, with the two that every ratio compares."""
    return tuple(dict.fromkeys([*(settings.tabulated or TABULATED), BASELINE, PAPER]))


@cell
def kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> tuple[Interval, Interval]:
    """Adaptive momentum's KL on the Gaussian (from moments) and on the mixture, norms averaged
    over `coupled`.
    """
    on_mixture = mixture.by_particles(sizes, ADAPTIVE.build(mixture.SIGMAS, budget), coupled)[1].kl
    return gaussian_kl_of_batch(budget, coupled, sizes), on_mixture


def gaussian_kl_of_batch(budget: int, coupled: int, sizes: Sizes) -> Interval:
    """Return KL of the Gaussian with the moments of adaptive momentum's particles, norms averaged
    over `coupled`.

    Samples whose momentum coefficients differ have no Gaussian distribution: its own KL is larger
    than that of its moments.
    """
    law, program = stiff_gaussian(), ADAPTIVE.build(gaussian.SIGMAS, budget)
    x, _ = particles(
        Gaussian(law.mean, law.variance), gaussian.SIGMAS.first, program, sizes, coupled
    )
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


def step_grid(settings: Settings) -> tuple[float, ...]:
    """Return forty steps u = a / sigma^2 over the range of those at which runs are shown."""
    ends = (math.log10(min(settings.sweep_steps)), math.log10(max(settings.sweep_steps)))
    return tuple(np.logspace(*ends, 40).tolist())


@cell
def stationary_errors(sampler: str, steps: tuple[float, ...]) -> list[gaussian.Errors]:
    """The errors of a sampler's stationary distribution at the last noise level, for each step `a =
    u sigma^2`.

    Langevin and constant momentum (0.9) by the closed form of claim G3, adaptive momentum by its
    solved mean field.
    """
    law = gaussian.at_last_level()

    def variance(u: float) -> torch.Tensor:
        size = u * gaussian.SIGMAS.last**2
        if sampler == PAPER:
            return solved(law, momentum_rule(adaptive(1e-6)), size, 1 - 1e-6).variance
        ratio = variance_ratio(size / law.variance.numpy(), 0.0 if sampler == BASELINE else 0.9)
        return law.variance * torch.from_numpy(ratio)

    return [gaussian.errors(Moments(law.mean, variance(u))) for u in steps]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    everything = (
        *tabulated(settings),
        *CAUSES,
        *EXACT_RIVALS,
        *(() if settings.drawn else (*RIVALS, *OTHERS)),
    )
    for name in dict.fromkeys((*everything, *CORRECTORS)):
        if name != RK45.name:
            yield from _on_gaussian(settings, name)
    yield from _on_mixture(settings)
    if RK45.name in tabulated(settings):
        yield gaussian.solver_runs.cell(settings.tolerances)
        yield mixture.solver_runs.cell(settings.tolerances, settings.nodes)
    if drawn(settings, "film"):
        yield from (film.frames.cell(name, settings.seed) for name in film.SAMPLERS)
    if not settings.drawn:
        yield from _of_sensitivity(settings)


def _on_gaussian(settings: Settings, name: str) -> Iterator[Cell]:
    if together := settings.at_every(name):
        yield gaussian.errors_at_defaults.cell(name, together)
    for budget in KL.budgets(settings, name):
        if budget not in together:
            yield gaussian.runs_of(name).cell(name, budget, (DEFAULT,))
    for budget in KL.budgets(settings, name, tuned=True):
        yield gaussian.runs_of(name).cell(name, budget, grid(settings, name, budget))
    for budget in ELSEWHERE.budgets(settings, name, tuned=True):
        for condition in (TARGET, *ELSEWHERE.conditions):
            yield gaussian.runs_of(name).cell(name, budget, grid(settings, name, budget), condition)


def _on_mixture(settings: Settings) -> Iterator[Cell]:
    sizes = sizes_of(settings)
    pairs = {"annealed_mixture_causes": CAUSES, "annealed_mixture_rivals": RIVALS}
    figures = [name for figure, names in pairs.items() if drawn(settings, figure) for name in names]
    known = [name for name in dict.fromkeys([*tabulated(settings), *figures]) if name != RK45.name]
    wanted = {(name, budget) for name in known for budget in settings.line_budgets}
    wanted |= {(name, 20) for name in EXACT_RIVALS}
    wanted |= {(name, settings.line_long) for name in (BASELINE, "Langevin, drift x2", PAPER)}
    yield from (
        mixture.line_run.cell(name, budget, DEFAULT, sizes) for name, budget in sorted(wanted)
    )
    for name in (BASELINE, PAPER):
        for budget in LINE_KL.budgets(settings, name, tuned=True):
            yield mixture.tuned_run.cell(name, budget, line_grid(settings, name), sizes)
            yield mixture.line_run.cell(name, budget, nfe_to_threshold.chosen(name, budget), sizes)
    if 40 in LINE_KL.budgets(settings, PAPER, tuned=True):
        most = sizes_of(judged(settings))
        yield mixture.tuned_run.cell(PAPER, 40, line_grid(settings, PAPER), most)
        yield mixture.line_run.cell(PAPER, 40, nfe_to_threshold.chosen(PAPER, 40), most)
    yield mixture.langevin_particles.cell(100, sizes)


def _of_sensitivity(settings: Settings) -> Iterator[Cell]:
    for budget in settings.probes:
        defaults = ((name, (DEFAULT,)) for name in ("reverse diffusion", ADAPTIVE.name))
        for name, along in (*sweeps(settings), *defaults):
            yield gaussian.runs_of(name).cell(name, budget, along)
        yield from (
            kl_of_batch.cell(budget, size, sizes_of(settings)) for size in settings.sweep_batch
        )
    for name in STEP_SAMPLERS:
        yield gaussian.runs_of(name).cell(name, max(settings.long), steps_at(settings))
        yield stationary_errors.cell(name, step_grid(settings))
