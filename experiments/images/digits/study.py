"""What the group computes once: errors of each batch of digits, at the defaults and tuned; mode loss; a few samples.

Mode loss is counted on all zeros and a tenth as many ones, with their exact score. A sampler with too small a variance
tends to a tempered target `p^c` with `c > 1`. There a mode of weight `w` has a weight of order `w^c`, so a rare mode
gets rarer. The share of samples at a one is compared with the target's share.
"""

from collections.abc import Iterator
from functools import cache, partial
from itertools import product

import torch

from ams.data import Images, digits
from ams.metrics import MixtureReference
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, RK45, Hyperparameters
from ams.schedules import Level
from experiments.images import exact
from experiments.images.digits.settings import BASELINE, PAPER, REVERSE, Settings
from experiments.images.exact import Errors, ExactTarget, Results
from experiments.images.runs import BatchSetup, generator, solved
from verdicts.studies import Cell, cell

FIRST_TRIAL, FIRST_RARE, FIRST_MORE, FIRST_FRESH = 10_000, 20_000, 30_000, 40_000
"""The first batch that tuning tries, the first on which the minor mode is counted, the first of D3's, of D1b's own."""
FREQUENT, RARE, RARE_IMAGES = 0, 1, 18
"""The two classes of the target with a minor mode, and how many images of the rare one it holds."""


@cache
def target() -> ExactTarget:
    """Return the digits as a target."""
    return ExactTarget.of(digits())


@cache
def reference(last_sigma: float) -> MixtureReference:
    """Return the target at the last noise level, which samples are compared with."""
    return MixtureReference(target().images, last_sigma)


@cell
def sampler_batch(
    sampler: str, budget: int, number: int, setup: BatchSetup, hyperparameters: Hyperparameters = AUTHORS
) -> Errors:
    """The errors of a batch of a sampler, or of fresh draws of the target; infinite where the run diverges."""
    try:
        x = exact.samples(target(), sampler, budget, number, setup, hyperparameters)
    except NonFiniteState:
        return exact.LOST
    return exact.errors_of(x, target(), reference(setup.last_sigma))


@cell
def solver_batch(tolerance: float, number: int, setup: BatchSetup) -> tuple[int, Errors]:
    """The evaluations that RK45 took for a batch of the probability flow, and its errors."""
    problem, draws = target().problem(setup.last_sigma), generator(setup.seed, number)
    x, evaluations = solved(problem, tolerance, setup.size, draws)
    return evaluations, exact.errors_of(x, target(), reference(setup.last_sigma))


@cell
def tuned_batch(
    sampler: str, budget: int, grid: tuple[Hyperparameters, ...], trials: int, number: int, setup: BatchSetup
) -> Errors:
    """The errors of a batch with the hyperparameters that the trial batches choose."""
    return sampler_batch(sampler, budget, number, setup, tuned(sampler, budget, grid, trials, setup))


@cache
def two_classes() -> ExactTarget:
    """Return the target: every image of the frequent class (label 0), the first few of the rare one (label 1)."""
    data = digits()
    frequent, rare = data.x[data.y == FREQUENT], data.x[data.y == RARE][:RARE_IMAGES]
    labels = torch.cat([torch.zeros(len(frequent)), torch.ones(len(rare))]).long()
    return ExactTarget.of(Images(torch.cat([frequent, rare]), labels))


def target_share() -> float:
    """Return the minor mode's share in its target."""
    return two_classes().labels.double().mean().item()


@cell
def rare_share(sampler: str, budget: int, number: int, setup: BatchSetup) -> float:
    """The minor mode's share in one batch of a sampler."""
    x = exact.samples(two_classes(), sampler, budget, number, setup)
    nearest = two_classes().target.nearest(x, Level(0, sigma=setup.last_sigma)).point
    return two_classes().labels[nearest].double().mean().item()


def tuned(
    sampler: str, budget: int, grid: tuple[Hyperparameters, ...], trials: int, setup: BatchSetup
) -> Hyperparameters:
    """Return the hyperparameters of least KL per pixel, summed over trial batches."""

    def kl(hyperparameters: Hyperparameters) -> float:
        batches = (sampler_batch(sampler, budget, number, setup, hyperparameters) for number in trial_numbers(trials))
        return sum(errors.kl for errors in batches)

    return min(grid, key=kl)


def trial_numbers(trials: int) -> range:
    """Return the numbers of the batches that tuning tries, which are no others'."""
    return range(FIRST_TRIAL, FIRST_TRIAL + trials)


def errors(settings: Settings, sampler: str, budget: int, more: int = 0) -> list[Errors]:
    """Return the errors of a sampler's batches at the defaults, and of so many more."""
    numbers = _numbers(settings, sampler, more)
    return [sampler_batch(sampler, budget, n, settings.setup) for n in numbers]


def fresh_errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a sampler's fresh batches at the defaults."""
    numbers = range(FIRST_FRESH, FIRST_FRESH + settings.fresh)
    return [sampler_batch(sampler, budget, n, settings.setup) for n in numbers]


def tuned_errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a tuned sampler's batches."""
    grid, setup = settings.grid(budget), settings.setup
    numbers = exact.numbers(settings, sampler)
    return [tuned_batch(sampler, budget, grid, settings.trials, n, setup) for n in numbers]


def chosen(settings: Settings, sampler: str, budget: int) -> Hyperparameters:
    """Return a sampler's tuned hyperparameters."""
    return tuned(sampler, budget, settings.grid(budget), settings.trials, settings.setup)


def rare_shares(settings: Settings, sampler: str) -> list[float]:
    """Return the minor mode's share in each of a sampler's batches."""
    return [rare_share(sampler, settings.rare, n, settings.rare_setup) for n in _rare_numbers(settings)]


def results(settings: Settings) -> Results:
    """Return every sampler's errors at the defaults, by evaluations; RK45's are the most that a batch takes."""
    by_sampler = exact.results(settings, partial(errors, settings))
    for tolerance in settings.tolerances:
        batches = [solver_batch(tolerance, n, settings.setup) for n in exact.numbers(settings, RK45.name)]
        spent = max(evaluations for evaluations, _ in batches)
        by_sampler.setdefault(RK45.name, {})[spent] = [errors for _, errors in batches]
    return by_sampler


def tuned_results(settings: Settings) -> Results:
    """Return the tuned samplers' errors, by evaluations."""
    return {s: {b: tuned_errors(settings, s, b) for b in settings.tuned} for s in settings.tuned_samplers}


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that checks, figures and tables read."""
    yield from exact.cells(settings, sampler_batch)
    setup = settings.setup
    compared = [(PAPER, max(settings.small)), *((REVERSE, budget) for budget in settings.budgets_of(REVERSE))]
    yield from (sampler_batch.cell(*each, FIRST_MORE + n, setup) for each in compared for n in range(settings.more))
    twice, fresh = [(PAPER, max(settings.small)), (BASELINE, 2 * max(settings.small))], range(settings.fresh)
    yield from (sampler_batch.cell(*each, FIRST_FRESH + n, setup) for each in twice for n in fresh)
    for sampler, budget in _equalled(settings):
        batches = _numbers(settings, sampler, settings.more)
        yield from (sampler_batch.cell(sampler, budget, n, setup) for n in batches)
    numbers = exact.numbers(settings, RK45.name)
    yield from (solver_batch.cell(t, n, setup) for t in settings.tolerances for n in numbers)
    for sampler, budget in ((s, b) for s in settings.tuned_samplers for b in settings.tuned):
        grid = settings.grid(budget)
        tried = product(trial_numbers(settings.trials), [setup], grid)
        yield from (sampler_batch.cell(sampler, budget, *each) for each in tried)
        yield from (tuned_batch.cell(sampler, budget, grid, settings.trials, n, setup) for n in numbers)
    rare = product(settings.rare_samplers, [settings.rare], _rare_numbers(settings), [settings.rare_setup])
    yield from (rare_share.cell(*each) for each in rare)


def _equalled(settings: Settings) -> list[tuple[str, int]]:
    """Return the runs by which both samplers' evaluations at equal KL are compared."""
    theirs = settings.baseline_budgets if settings.equalled else ()
    ours = [(PAPER, budget) for budget in settings.equalled]
    return ours + [(BASELINE, budget) for budget in theirs]


def _numbers(settings: Settings, sampler: str, more: int) -> list[int]:
    """Return the numbers of a sampler's batches, and of so many more."""
    return [*exact.numbers(settings, sampler), *range(FIRST_MORE, FIRST_MORE + more)]


def _rare_numbers(settings: Settings) -> range:
    return range(FIRST_RARE, FIRST_RARE + settings.batches + settings.more)
