"""What the group computes once: errors of each batch of digits, at the defaults and tuned; mode loss; a few samples.

Mode loss is counted on all zeros and a tenth as many ones, with their exact score. A sampler with too small a variance
tends to a tempered target `p^c` with `c > 1`. There a mode of weight `w` has a weight of order `w^c`, so a rare mode
gets rarer. The share of samples at a one is compared with the target's share.
"""

from collections.abc import Iterable, Iterator
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
from experiments.images.runs import BatchSetup, blocks, generator, solved
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
def sampler_batches(
    sampler: str, budget: int, numbers: tuple[int, ...], setup: BatchSetup, hyperparameters: Hyperparameters = AUTHORS
) -> list[Errors]:
    """The errors of batches of a sampler, or of fresh draws of the target; infinite where a run diverges."""
    try:
        batches = exact.samples(target(), sampler, budget, numbers, setup, hyperparameters)
    except NonFiniteState:
        if len(numbers) == 1:
            return [exact.LOST]
        alone = (sampler_batches.wrapped(sampler, budget, (n,), setup, hyperparameters) for n in numbers)
        return [errors for (errors,) in alone]
    return [exact.errors_of(x, target(), reference(setup.last_sigma)) for x in batches]


@cell
def solver_batch(tolerance: float, number: int, setup: BatchSetup) -> tuple[int, Errors]:
    """The evaluations that RK45 took for a batch of the probability flow, and its errors."""
    problem, draws = target().problem(setup.last_sigma), generator(setup.seed, number)
    x, evaluations = solved(problem, tolerance, setup.size, draws)
    return evaluations, exact.errors_of(x, target(), reference(setup.last_sigma))


@cell
def tuned_batches(
    sampler: str,
    budget: int,
    grid: tuple[Hyperparameters, ...],
    trials: int,
    numbers: tuple[int, ...],
    setup: BatchSetup,
) -> list[Errors]:
    """The errors of batches with the hyperparameters that the trial batches choose."""
    return sampler_batches(sampler, budget, numbers, setup, tuned(sampler, budget, grid, trials, setup))


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
def rare_share(sampler: str, budget: int, numbers: tuple[int, ...], setup: BatchSetup) -> list[float]:
    """The minor mode's share in each of some batches of a sampler."""
    batches = exact.samples(two_classes(), sampler, budget, numbers, setup, AUTHORS)
    nearest = (two_classes().target.nearest(x, Level(0, sigma=setup.last_sigma)).point for x in batches)
    return [two_classes().labels[points].double().mean().item() for points in nearest]


def tuned(
    sampler: str, budget: int, grid: tuple[Hyperparameters, ...], trials: int, setup: BatchSetup
) -> Hyperparameters:
    """Return the hyperparameters of least KL per pixel, summed over trial batches."""

    def kl(hyperparameters: Hyperparameters) -> float:
        return sum(errors.kl for errors in read(sampler, budget, trial_numbers(trials), setup, hyperparameters))

    return min(grid, key=kl)


def read(
    sampler: str, budget: int, numbers: Iterable[int], setup: BatchSetup, hyperparameters: Hyperparameters = AUTHORS
) -> list[Errors]:
    """Return the errors of batches of a sampler."""
    parts = blocks(numbers, setup)
    return [one for part in parts for one in sampler_batches(sampler, budget, part, setup, hyperparameters)]


def trial_numbers(trials: int) -> range:
    """Return the numbers of the batches that tuning tries, which are no others'."""
    return range(FIRST_TRIAL, FIRST_TRIAL + trials)


def errors(settings: Settings, sampler: str, budget: int, more: int = 0) -> list[Errors]:
    """Return the errors of a sampler's batches at the defaults, and of so many more."""
    return read(sampler, budget, _numbers(settings, sampler, more), settings.setup)


def fresh_errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a sampler's fresh batches at the defaults."""
    return read(sampler, budget, range(FIRST_FRESH, FIRST_FRESH + settings.fresh), settings.setup)


def tuned_errors(settings: Settings, sampler: str, budget: int) -> list[Errors]:
    """Return the errors of a tuned sampler's batches."""
    grid, setup = settings.grid(budget), settings.setup
    parts = blocks(exact.numbers(settings, sampler), setup)
    return [one for part in parts for one in tuned_batches(sampler, budget, grid, settings.trials, part, setup)]


def chosen(settings: Settings, sampler: str, budget: int) -> Hyperparameters:
    """Return a sampler's tuned hyperparameters."""
    return tuned(sampler, budget, settings.grid(budget), settings.trials, settings.setup)


def rare_shares(settings: Settings, sampler: str) -> list[float]:
    """Return the minor mode's share in each of a sampler's batches."""
    parts = blocks(_rare_numbers(settings), settings.rare_setup)
    return [share for part in parts for share in rare_share(sampler, settings.rare, part, settings.rare_setup)]


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
    yield from exact.cells(settings, sampler_batches)
    setup = settings.setup
    compared = [(PAPER, max(settings.small)), *((REVERSE, budget) for budget in settings.budgets_of(REVERSE))]
    more = blocks(range(FIRST_MORE, FIRST_MORE + settings.more), setup)
    yield from (sampler_batches.cell(*each, part, setup) for each in compared for part in more)
    twice = [(PAPER, max(settings.small)), (BASELINE, 2 * max(settings.small))]
    fresh = blocks(range(FIRST_FRESH, FIRST_FRESH + settings.fresh), setup)
    yield from (sampler_batches.cell(*each, part, setup) for each in twice for part in fresh)
    for sampler, budget in _equalled(settings):
        parts = blocks(_numbers(settings, sampler, settings.more), setup)
        yield from (sampler_batches.cell(sampler, budget, part, setup) for part in parts)
    numbers = exact.numbers(settings, RK45.name)
    yield from (solver_batch.cell(t, n, setup) for t in settings.tolerances for n in numbers)
    for sampler, budget in ((s, b) for s in settings.tuned_samplers for b in settings.tuned):
        grid = settings.grid(budget)
        tried = product(blocks(trial_numbers(settings.trials), setup), [setup], grid)
        yield from (sampler_batches.cell(sampler, budget, *each) for each in tried)
        parts = blocks(exact.numbers(settings, sampler), setup)
        yield from (tuned_batches.cell(sampler, budget, grid, settings.trials, part, setup) for part in parts)
    parts = blocks(_rare_numbers(settings), settings.rare_setup)
    rare = product(settings.rare_samplers, [settings.rare], parts, [settings.rare_setup])
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
