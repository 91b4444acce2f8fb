"""What is run on digits, and what is measured of each batch: errors, and the share of a rare mode.

The rare mode: all zeros and a few ones, with their exact score. A sampler with too small a variance
tends to a tempered target `p^c` with `c > 1`. There a mode of weight `w` has a weight of order
`w^c`, so a rare mode gets rarer.
"""

import math
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import torch

from ams.data import Images, digits
from ams.metrics import MixtureReference
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, RK45, Hyperparameters
from ams.schedules import Level
from ams.statistics.tuning import optima_on_edge
from experiments.images import exact
from experiments.images.digits.settings import BASELINE, PAPER, REVERSE, Settings
from experiments.images.exact import LOST, Errors, ExactTarget
from experiments.images.runs import BatchSetup, Samples, blocks, generator, solved
from verdicts.studies import cell
from verdicts.studies.table import Rows

FIRST_TRIAL, FIRST_RARE, FIRST_MORE, FIRST_FRESH = 10_000, 20_000, 30_000, 40_000
"""The first batch of tuning's, of the rare mode's, of D3's further ones, of D1b's own."""
RARE_MODE, FREQUENT, RARE, RARE_IMAGES = "zeros, few ones", 0, 1, 18
"""The target with a rare mode; the classes of its two modes, and how many images the rare one has.
"""


class Numbers(NamedTuple):
    """What is measured of a batch: its `Errors` and KL per pixel (nats), the share of ones over the
    target's share.

    Of its run: the score evaluations, and how many of its hyperparameters tuning chose at an end of
    what it tried.
    """

    energy: float
    variance_ratio: float
    collisions: float
    classes: float
    kl: float
    ones: float
    evaluations: int
    edges: int

    @property
    def errors(self) -> Errors:
        """Return the errors of the batch."""
        return Errors(self.energy, self.variance_ratio, self.collisions, self.classes)


@cache
def target(name: str = "") -> ExactTarget:
    """Return all digits as a target, or those of the target with a rare mode."""
    data = digits()
    if name != RARE_MODE:
        return ExactTarget.of(data)
    chosen = [data.y == FREQUENT, (data.y == RARE) & ((data.y == RARE).cumsum(0) <= RARE_IMAGES)]
    x, y = (torch.cat([each[part] for part in chosen]) for each in (data.x, data.y))
    return ExactTarget.of(Images(x, y))


@cache
def reference(name: str, last_sigma: float) -> MixtureReference:
    """Return a target at the last noise level, which samples are compared with."""
    return MixtureReference(target(name).images, last_sigma)


def ones_of(labels: torch.Tensor) -> float:
    """Return the share of ones among labels."""
    return (labels == RARE).double().mean().item()


def runs(settings: Settings) -> Iterator[Rows]:
    """Yield the rows: all samplers at the defaults; some on more batches, on fresh ones, tuned, on
    the rare mode.
    """
    for sampler, budget in exact.planned(settings):
        yield from _rows(settings, exact.numbers(settings, sampler), sampler, budget)
    first, small = [*exact.numbers(settings, PAPER)], max(settings.small)
    more = [*first, *range(FIRST_MORE, FIRST_MORE + settings.more)]
    compared = [(PAPER, budget) for budget in {small, *settings.equalled}]
    compared += [(REVERSE, budget) for budget in settings.budgets_of(REVERSE)]
    compared += [(BASELINE, budget) for budget in settings.baseline_budgets if settings.equalled]
    for sampler, budget in compared:
        yield from _rows(settings, more, sampler, budget, draws="more")
    fresh = range(FIRST_FRESH, FIRST_FRESH + settings.fresh)
    for sampler, budget in ((PAPER, small), (BASELINE, 2 * small)):
        yield from _rows(settings, fresh, sampler, budget, draws="fresh")
    for tolerance in settings.tolerances:
        solver = (AUTHORS._replace(tolerance=tolerance),)
        yield from _rows(settings, first, RK45.name, 0, grid=solver, tolerance=tolerance)
    trials = tuple(range(FIRST_TRIAL, FIRST_TRIAL + settings.trials))
    for sampler, budget in product(settings.tuned_samplers, settings.tuned):
        grid = settings.grid(budget)
        for h in grid:
            tried: dict[str, Any] = {"factor": h.factor, "repeats": h.repeats}
            yield from _rows(settings, trials, sampler, budget, (h,), tuning="trial", **tried)
        yield from _rows(settings, first, sampler, budget, grid, trials, tuning="tuned")
    rare = range(FIRST_RARE, FIRST_RARE + settings.batches + settings.more)
    for sampler in settings.rare_samplers:
        yield from _rows(settings, rare, sampler, settings.rare, target=RARE_MODE)


def _rows(
    settings: Settings,
    numbers: Iterable[int],
    sampler: str,
    budget: int,
    grid: tuple[Hyperparameters, ...] = (AUTHORS,),
    trials: tuple[int, ...] = (),
    **labels: Any,
) -> Iterator[Rows]:
    """Yield the rows of a run's batches, in blocks; `grid` and `trials` are those of `measure`."""
    name = str(labels.get("target", ""))
    setup = settings.rare_setup if name else settings.setup
    for block in blocks(numbers, setup):
        made = measure.cell(name, sampler, budget, block, setup, grid, trials)
        spent = {"budget": budget} if sampler != RK45.name else {}
        yield Rows({"sampler": sampler, **spent, **labels}, made, block, setup.size, setup.seed)


@cell
def measure(
    name: str,
    sampler: str,
    budget: int,
    numbers: tuple[int, ...],
    setup: BatchSetup,
    grid: tuple[Hyperparameters, ...] = (AUTHORS,),
    trials: tuple[int, ...] = (),
) -> list[Numbers]:
    """What is measured of batches of a sampler, with those of a grid of hyperparameters that do
    best on trials.
    """
    best = tuned(name, sampler, budget, grid, trials, setup)
    tried = {axis: sorted({getattr(h, axis) for h in grid}) for axis in ("factor", "repeats")}
    natural = {("repeats", 1), ("repeats", budget // 2)}
    edges = len(optima_on_edge(tried, {"": best._asdict()}, natural))
    return [
        each._replace(edges=edges) for each in measured(name, sampler, budget, numbers, setup, best)
    ]


def tuned(
    name: str,
    sampler: str,
    budget: int,
    grid: tuple[Hyperparameters, ...],
    trials: tuple[int, ...],
    setup: BatchSetup,
) -> Hyperparameters:
    """Return the hyperparameters of a grid with the least KL per pixel, summed over trial
    batches.
    """

    def kl(h: Hyperparameters) -> float:
        parts = blocks(trials, setup)
        return sum(
            each.kl for part in parts for each in measure(name, sampler, budget, part, setup, (h,))
        )

    return min(grid, key=kl) if len(grid) > 1 else grid[0]


def measured(
    name: str,
    sampler: str,
    budget: int,
    numbers: tuple[int, ...],
    setup: BatchSetup,
    h: Hyperparameters,
) -> list[Numbers]:
    """Return what is measured of batches of a sampler; where a run diverges its errors are
    infinite, and its share of ones is none.
    """
    try:
        batches = samples(name, sampler, budget, numbers, setup, h)
    except NonFiniteState:
        if len(numbers) == 1:
            return [numbers_of(LOST, math.nan, budget)]
        return [each for n in numbers for each in measured(name, sampler, budget, (n,), setup, h)]
    results, at = list[Numbers](), Level(0, sigma=setup.last_sigma)
    for x, evaluations in batches:
        near = target(name).labels[target(name).target.nearest(x, at).point]
        errors = exact.errors_of(x, target(name), reference(name, setup.last_sigma))
        results.append(
            numbers_of(errors, ones_of(near) / ones_of(target(name).labels), evaluations)
        )
    return results


def samples(
    name: str,
    sampler: str,
    budget: int,
    numbers: tuple[int, ...],
    setup: BatchSetup,
    h: Hyperparameters,
) -> list[Samples]:
    """Return batches of a sampler, of fresh draws, or of the probability flow that RK45 solves."""
    if sampler == RK45.name:
        problem = target(name).problem(setup.last_sigma)
        return [solved(problem, h.tolerance, setup.size, generator(setup.seed, n)) for n in numbers]
    made = exact.samples(target(name), sampler, budget, numbers, setup, h)
    return [Samples(x, budget) for x in made]


def numbers_of(errors: Errors, ones: float, evaluations: int) -> Numbers:
    """Return a batch's numbers, with nothing tuned."""
    return Numbers(*errors, errors.kl, ones, evaluations, 0)
