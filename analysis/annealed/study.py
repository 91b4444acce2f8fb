"""What the group computes once: each sampler's errors on both targets, at the defaults, tuned, along one setting."""

from collections.abc import Iterator

from ams.samplers.presets import ADAPTIVE, DEFAULT, LANGEVIN, RK45, SPECS, Hyperparameters, SamplerSpec, noise_schedule
from ams.statistics import Interval
from analysis.annealed import gaussian, mixture, sensitivity, stationary_floor
from analysis.annealed.gaussian import SIGMAS, Errors, Run
from analysis.annealed.mixture import LineRun, Sizes
from analysis.annealed.settings import BASELINE, CAUSES, EXACT_RIVALS, OTHERS, PAPER, RIVALS, TABULATED, Settings
from verdicts.studies import Cell, cell


@cell
def gaussian_runs(sampler: str, budget: int, settings: tuple[Hyperparameters, ...]) -> list[Run]:
    """A sampler's runs on the Gaussian at a budget, one for each setting."""
    return gaussian.runs(SPECS[sampler], budget, settings)


@cell
def gaussian_solver(tolerances: tuple[float, ...]) -> list[Run]:
    """The probability flow on the Gaussian by RK45, a run a tolerance."""
    return gaussian.solver_runs(tolerances)


@cell
def mixture_run(sampler: str, budget: int, setting: Hyperparameters, sizes: Sizes) -> LineRun:
    """One run of a sampler on the mixture."""
    return mixture.line_run(SPECS[sampler], budget, setting, sizes)


@cell
def mixture_solver(tolerances: tuple[float, ...], nodes: int) -> list[LineRun]:
    """The probability flow on the mixture by RK45, a run a tolerance."""
    return mixture.solver_runs(tolerances, nodes)


@cell
def langevin_particles(budget: int, sizes: Sizes) -> LineRun:
    """Annealed Langevin on the mixture by particles, where the density on a grid is known too: their control."""
    return LineRun(DEFAULT, *mixture.by_particles(sizes, LANGEVIN.build(mixture.SIGMAS, budget)))


@cell
def batch_sensitivity(budget: int, coupled: int, sizes: Sizes) -> tuple[Interval, Interval]:
    """Adaptive momentum's KL on the Gaussian (from moments) and on the mixture, norms averaged over `coupled`."""
    return (
        sensitivity.gaussian_kl_of_batch(budget, coupled, sizes),
        sensitivity.mixture_kl_of_batch(budget, coupled, sizes),
    )


@cell
def stationary_errors(sampler: str, steps: tuple[float, ...]) -> list[Errors]:
    """The errors of a sampler's stationary distribution at the last noise level, for each step u."""
    return [stationary_floor.errors(sampler, u) for u in steps]


def sizes_of(settings: Settings) -> Sizes:
    """Return how finely distributions on the mixture are represented."""
    return Sizes(settings.batch, settings.batches, settings.nodes, settings.seed)


def stable_grid(settings: Settings, spec: SamplerSpec, budget: int) -> list[Hyperparameters]:
    """Return what tuning tries on the mixture: the grid's stable settings."""
    return [setting for setting in settings.on_the_line().grid(spec) if mixture.stable(spec, budget, setting)]


def steps_at(settings: Settings) -> tuple[Hyperparameters, ...]:
    """Return the settings whose step is each of `sweep_steps`, at the longest budget and T = 5."""
    _, epsilon = noise_schedule(SIGMAS, max(settings.long) // 5, 5)
    return tuple(Hyperparameters(factor=u * SIGMAS.last**2 / epsilon) for u in settings.sweep_steps)


def sweeps(settings: Settings) -> Iterator[tuple[str, tuple[Hyperparameters, ...]]]:
    """Yield the samplers and the settings along which their sensitivity is shown."""
    snr = tuple(Hyperparameters(snr=value) for value in settings.sweep_snr)
    yield from ((name, snr) for name in ("PC, Langevin", "PC, adaptive", "PC, constant"))
    repeats = tuple(Hyperparameters(repeats=value) for value in settings.sweep_repeats)
    yield from ((name, repeats) for name in (BASELINE, PAPER, "adaptive, drift only", "Langevin, drift x1.5"))
    yield PAPER, tuple(Hyperparameters(delta=value) for value in settings.sweep_delta)


def drawn(settings: Settings, figure: str) -> bool:
    """Tell whether these settings ask for a figure."""
    return not settings.drawn or figure in settings.drawn


def tabulated(settings: Settings) -> tuple[str, ...]:
    """Return the samplers that tables show, with the two that every ratio compares."""
    return tuple(dict.fromkeys([*(settings.tabulated or TABULATED), BASELINE, PAPER]))


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    everything = (*tabulated(settings), *CAUSES, *EXACT_RIVALS, *(() if settings.drawn else (*RIVALS, *OTHERS)))
    for name in dict.fromkeys(everything):
        if name != RK45.name:
            yield from _on_gaussian(settings, name)
    yield from _on_mixture(settings)
    if RK45.name in tabulated(settings):
        yield gaussian_solver.cell(settings.tolerances)
        yield mixture_solver.cell(settings.tolerances, settings.nodes)
    if not settings.drawn:
        yield from _of_sensitivity(settings)


def _on_gaussian(settings: Settings, name: str) -> Iterator[Cell]:
    for budget in settings.budgets + (settings.long if name in settings.lasting else ()):
        yield gaussian_runs.cell(name, budget, (DEFAULT,))
    for budget in settings.tuned:
        yield gaussian_runs.cell(name, budget, settings.grid(SPECS[name]))


def _on_mixture(settings: Settings) -> Iterator[Cell]:
    sizes = sizes_of(settings)
    pairs = {"annealed_mixture_causes": CAUSES, "annealed_mixture_rivals": RIVALS}
    figures = [name for figure, names in pairs.items() if drawn(settings, figure) for name in names]
    known = [name for name in dict.fromkeys([*tabulated(settings), *figures]) if name != RK45.name]
    wanted = {(name, budget) for name in known for budget in settings.line_budgets}
    wanted |= {(name, 20) for name in EXACT_RIVALS}
    wanted |= {(name, settings.line_long) for name in (BASELINE, "Langevin, drift x2", PAPER)}
    yield from (mixture_run.cell(name, budget, DEFAULT, sizes) for name, budget in sorted(wanted))
    for name in (name for name in tabulated(settings) if name != RK45.name):
        for budget in settings.line_tuned:
            grid = stable_grid(settings, SPECS[name], budget)
            yield from (mixture_run.cell(name, budget, setting, sizes) for setting in grid)
    yield langevin_particles.cell(100, sizes)


def _of_sensitivity(settings: Settings) -> Iterator[Cell]:
    for budget in settings.probes:
        yield from (gaussian_runs.cell(name, budget, along) for name, along in sweeps(settings))
        yield from (gaussian_runs.cell(name, budget, (DEFAULT,)) for name in ("reverse diffusion", ADAPTIVE.name))
        yield from (batch_sensitivity.cell(budget, size, sizes_of(settings)) for size in settings.sweep_batch)
    for name in stationary_floor.SAMPLERS:
        yield gaussian_runs.cell(name, max(settings.long), steps_at(settings))
        yield stationary_errors.cell(name, stationary_floor.steps(settings))
