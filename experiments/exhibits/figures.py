"""The group's tables: what stands for each configuration, what each costs, and the table of the
image experiment.

The scale of a group that stands for a configuration is read from the group's settings. A cell of
the image table says measured, scaled or not run, with the hours that would fill it. The whole grid
of images is one of cells, each a batch of images by one sampler with one budget; all budgets of the
image table and the configured one count.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ams.errors import DataUnavailable
from ams_suite.drawn import tabled
from experiments.exhibits import study
from experiments.exhibits.checks import ROWS, all_claims, settings_in
from experiments.exhibits.configurations import Configuration, StandIn, listed
from experiments.exhibits.settings import Settings
from experiments.exhibits.study import Cost
from verdicts import Table
from verdicts.claims.schema import Claims, Profile
from verdicts.records.figures import TableCell

UNKNOWN = ""
"""What stands in a table for a number that is not known."""
HOUR = 3600.0
LARGEST = 256
"""Images of a cell at most: batches couple the samples of an adaptive sampler, so each cell is a
batch.
"""
GPUS = (1, 10, 100, 1000, 10000)
SIZES = (Profile.CPU, Profile.FULL)
"""The profiles that need no accelerator."""
Costs = Mapping[str, Cost | None]
"""What an evaluation of each configuration's network costs, by the configuration's id."""
NAMED = ("configuration", "sampler there", "claims here", "command", "file needed", "not known")
STANDING = ("group", "profile", "stands for", "data and score", "samples", "evaluations or steps")
COST = (
    *("configuration", "million parameters", "GFLOP an evaluation"),
    *("samples", "evaluations a sample", "GPU-hours"),
)
GRID = (
    *("configuration", "images a cell", "cells", "evaluations", "GPU-hours", "longest cell, h"),
    *(f"hours on {count}" for count in GPUS),
)


def tables(settings: Settings) -> list[Table]:
    """Return what stands for each configuration, its cost, the table of the image experiment, and
    the whole grid's.
    """
    costs = {each.id: cost_of(settings, each) for each in listed().configuration}
    cells = (
        "data set, network",
        "sampler",
        *map(str, settings.budgets),
        "as configured",
        "command",
    )
    return [
        tabled(exhibits, NAMED, ("E1",)),
        tabled(exhibit_groups, STANDING, ("E1",)),
        tabled(exhibit_costs, COST, ("E1",), settings, costs, tflops=f"{settings.tflops:g}"),
        tabled(exhibit_images, cells, ("E1",), settings, costs),
        tabled(exhibit_grid, GRID, ("E1",), settings, costs),
    ]


def cost_of(settings: Settings, configuration: Configuration) -> Cost | None:
    """Return what an evaluation of a configuration costs, None where its network, or a file of it,
    is not here.
    """
    try:
        return study.cost(settings, configuration)
    except DataUnavailable:
        return None


def exhibits() -> Iterator[tuple[TableCell, ...]]:
    """The authors' configurations of arXiv 2405.13726 (with those of score_sde, NCSNv2 and GDSS
    that they name), one in a row: data set and network, the sampler there, the claims and groups
    that stand for it here (their sizes: table exhibit_groups), the command that runs these and on
    what, the file that a user must have where the suite cannot fetch it, and what is not known of
    the configuration.
    """
    for each in listed().configuration:
        groups_here = f"groups: {', '.join(each.here)}" if each.here else ""
        here = "; ".join(filter(None, (", ".join(each.claims), groups_here)))
        run = f"{each.command} ({each.hardware})"
        yield each.title, each.stated(), here, run, each.checkpoint, "; ".join(each.unknown)


def exhibit_groups() -> Iterator[tuple[TableCell, ...]]:
    """The groups that stand for the authors' configurations, with the smallest profile that runs
    each, and its scale there: data, generated samples of each sampler, score evaluations (images)
    or steps (graphs) of each.
    """
    claims = all_claims()
    for one in listed().stand_in:
        entries = [each for each in listed().configuration if one.group in each.here]
        held = settings_in(claims, one.group, one.profile)
        if hasattr(held, "budgets"):
            titles, samples = "; ".join(each.title for each in entries), held.batches * held.batch
            yield (
                one.group,
                one.profile.value,
                titles,
                one.what,
                str(samples),
                ", ".join(map(str, held.budgets)),
            )
        else:
            yield from (_of_graphs(claims, one, each) for each in entries)


def _of_graphs(claims: Claims, one: StandIn, entry: Configuration) -> tuple[str, ...]:
    """Return the row of a group and a set, in the smallest profile that generates the set."""
    profiles = [one.profile, Profile.FULL]
    profile, held = next(
        (
            (each, held)
            for each in profiles
            if _has(held := settings_in(claims, one.group, each), entry)
        ),
        (Profile.FULL, settings_in(claims, one.group, Profile.FULL)),
    )
    sets = getattr(held, "sets", None)
    sized = dict(sets())[entry.id] if callable(sets) else held
    if hasattr(sized, "samples"):
        samples, steps = str(sized.samples), str(sized.steps)
    else:
        samples, steps = str(sized.seeds * sized.graphs), ", ".join(map(str, sized.steps))
    return one.group, profile.value, entry.title, one.what, samples, steps


def _has(held: Any, entry: Configuration) -> bool:
    sets = getattr(held, "sets", (entry.id,))
    return entry.id in (dict(sets()) if callable(sets) else sets)


def exhibit_costs(settings: Settings, costs: Costs) -> Iterator[tuple[TableCell, ...]]:
    """What each configuration costs at its published size: samples, times evaluations of its
    network. Operations are those of convolutions and matrix products, two for a product that is
    added; those of graphs are a mean over graphs of the set's sizes. GPU-hours are the operations
    alone at {tflops} x $10^{12}$ a second, an assumption (about half of an A100's 19.5 in float32);
    small graphs take longer, since starting each operation takes longer than the operation. Empty:
    not known; operations of NCSNv2's networks are not counted, and a graph set's file may be
    missing.
    """
    return (_cost(settings, each, costs[each.id]) for each in listed().configuration)


def _cost(settings: Settings, entry: Configuration, cost: Cost | None) -> tuple[TableCell, ...]:
    samples: TableCell = UNKNOWN if entry.samples is None else entry.samples
    if cost is None:
        return (entry.title, UNKNOWN, UNKNOWN, samples, entry.budget, UNKNOWN)
    hours: TableCell = UNKNOWN
    if entry.samples is not None:
        hours = _short(gpu_hours(settings, cost, entry.samples * entry.budget))
    return (
        entry.title,
        _short(cost.parameters / 1e6),
        _short(cost.flops / 1e9),
        samples,
        entry.budget,
        hours,
    )


def gpu_hours(settings: Settings, cost: Cost, evaluations: int) -> float:
    """Return the hours of a GPU at the assumed rate."""
    return evaluations * cost.flops / (1e12 * settings.tflops) / HOUR


def exhibit_images(settings: Settings, costs: Costs) -> Iterator[tuple[TableCell, ...]]:
    """The image experiment in the form of a published table: samplers by numbers of score
    evaluations, a block for each data set and network. A cell says where its quality stands.
    Measured: in that table of this suite, with that network. Scaled: in these groups, in the
    profile cpu or full, on smaller images (table exhibit_groups). Not run: hours of a GPU that
    50,000 images take (as in table exhibit_costs). The row's command, after bash reproduce.sh,
    fills the cells where [groups.colour] in config/paper.toml names the network's file and has
    their budgets and samplers: `ams paper-files` writes that.
    """
    claims = all_claims()
    colour = settings_in(claims, "colour", Profile.PAPER)
    for entry in listed().of_images():
        runs = runs_of(claims, colour, entry)
        for sampler in ROWS[entry.kind]:
            budgets = (*settings.budgets, entry.budget)
            cells = [
                cell_of(runs, sampler, budget, _hours(settings, entry, costs, budget))
                for budget in budgets
            ]
            cells[-1] = f"{entry.budget}: {cells[-1]}"
            yield entry.title, sampler, *cells, entry.command.removeprefix("bash reproduce.sh ")


def _hours(settings: Settings, entry: Configuration, costs: Costs, budget: int) -> str:
    cost = costs[entry.id]
    if cost is None or entry.samples is None:
        return "cost unknown"
    return f"{_short(gpu_hours(settings, cost, entry.samples * budget)):g} GPU-h"


Runs = Mapping[str, Mapping[str, frozenset[tuple[str, int]]]]
"""Which samplers run at which numbers of evaluations, by table or group: `measured` on the
configuration's own network, `scaled` in the groups that stand for it.
"""


def runs_of(claims: Claims, colour: Any, entry: Configuration) -> Runs:
    """Return the runs for a configuration; `colour` are that group's settings, which name networks'
    files.
    """
    standing = (one for one in listed().standing_for(entry) if one.profile in SIZES)
    return {
        "measured": {"colour": pairs_of(colour)} if entry.architecture in colour.networks else {},
        "scaled": {one.group: _of_group(claims, one) for one in standing},
    }


def _of_group(claims: Claims, one: StandIn) -> frozenset[tuple[str, int]]:
    """Return what a group runs in any profile without an accelerator."""
    profiles = SIZES[SIZES.index(one.profile) :]
    return frozenset().union(
        *(pairs_of(settings_in(claims, one.group, profile)) for profile in profiles)
    )


def pairs_of(settings: Any) -> frozenset[tuple[str, int]]:
    """Return the pairs of a sampler and a number of evaluations in a group's settings."""
    every = getattr(settings, "budgets_of", lambda sampler: settings.budgets)
    return frozenset(
        (sampler, budget) for sampler in settings.samplers for budget in every(sampler)
    )


def cell_of(runs: Runs, sampler: str, budget: int, hours: str) -> str:
    """Return a cell's words; `hours` would fill one that is not run."""
    for word, where in runs.items():
        groups = [group for group, pairs in where.items() if (sampler, budget) in pairs]
        if groups:
            return f"{word}: {', '.join(groups)}"
    return f"not run: {hours}"


def exhibit_grid(settings: Settings, costs: Costs) -> Iterator[tuple[TableCell, ...]]:
    """What the image experiment costs whole: each sampler of table exhibit_images with each of its
    numbers of evaluations, 50,000 images each. A cell is a batch by one sampler with one number of
    evaluations. GPU-hours are those of table exhibit_costs, added up; the longest cell is in
    GPU-hours. The last columns are simulated: cells on so many GPUs, the longest first, each to the
    one that has least to do; starts, metrics and transfers are not counted. NCSNv2's
    configurations are left out: their cost is not known.
    """
    known = [each for each in listed().of_images() if each.samples]
    parts = [grid_of(settings, each, cost) for each in known if (cost := costs[each.id])]
    for part in parts:
        yield part.title, part.batch, *_grid(part.evaluations, part.cells)
    if parts:
        evaluations = sum(part.evaluations for part in parts)
        yield "all", UNKNOWN, *_grid(evaluations, [cell for part in parts for cell in part.cells])


def _grid(evaluations: int, cells: Sequence[float]) -> tuple[TableCell, ...]:
    on = [_short(hours_on(cells, gpus)) for gpus in GPUS]
    return (len(cells), _short(evaluations), _short(sum(cells)), _short(max(cells)), *on)


class Grid(NamedTuple):
    """One configuration's part of the grid: `cells` are GPU-hours of one each, of `batch`
    images.
    """

    title: str
    batch: int
    evaluations: int
    cells: tuple[float, ...]


def grid_of(settings: Settings, entry: Configuration, cost: Cost) -> Grid:
    """Return a configuration's part of the grid."""
    samples, budgets = entry.samples or 0, (*settings.budgets, entry.budget)
    hours = gpu_hours(settings, cost, 1)
    batch = _batch(hours * max(budgets))
    samplers, batches = len(ROWS[entry.kind]), -(-samples // batch)
    cells = [hours * batch * budget for budget in budgets for _ in range(samplers * batches)]
    evaluations = samples * sum(budgets) * samplers
    return Grid(entry.title, batch, evaluations, tuple(cells))


def _batch(hours: float) -> int:
    """Return the largest power of two, at most `LARGEST`, of images of `hours` each that take an
    hour at most.
    """
    batch = LARGEST
    while batch > 1 and batch * hours > 1.0:
        batch //= 2
    return batch


def hours_on(cells: Sequence[float], gpus: int) -> float:
    """Return the hours that so many GPUs take, each cell on one, the longest first."""
    hours = [0.0] * gpus
    for cell in sorted(cells, reverse=True):
        heapq.heapreplace(hours, hours[0] + cell)
    return max(hours)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
