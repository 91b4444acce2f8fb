"""What the runs of `exact` say: means with intervals over batches, paired differences, figures, a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing
from pydantic import JsonValue
from torch import Tensor

from ams.statistics import mean_interval
from experiments.images import drawing, speed
from experiments.images.exact import (
    FLOOR,
    Errors,
    ImageTarget,
    Results,
    Settings,
    run_batch,
)
from verdicts import Figure, Measurement, Table, save_figure

CONFIDENCE = 0.999
"""Of every interval here: a true statement is contradicted at most about once in a thousand (Student; few batches)."""

BASELINE = "annealed Langevin"

Quantity = Callable[[Errors], float]


def temperature(errors: Errors) -> float:
    """Return the residual temperature; 1 for the law itself."""
    return errors.temperature


def misfit(errors: Errors) -> float:
    """Return `(T - 1 - ln T) / 2`: the KL divergence, a dimension, of a mode at temperature T from the law's own."""
    return 0.5 * (errors.temperature - 1.0 - float(np.log(errors.temperature)))


def energy(errors: Errors) -> float:
    """Return the energy distance to the law, in pixel units."""
    return errors.energy


def interval(values: list[float]) -> tuple[float, float, float]:
    """Return mean, low and high of Student's interval over batches. Raises ValueError for fewer than two."""
    found = mean_interval(values, CONFIDENCE)
    return found.value, found.low, found.high


def measured(settings: Settings, values: list[float], unit: str = "", **detail: JsonValue) -> Measurement:
    """Return the batches' mean as a measurement."""
    mean, low, high = interval(values)
    return Measurement(
        value=mean, low=low, high=high, n=len(values) * settings.batch, seeds=(settings.seed,), unit=unit, detail=detail
    )


def level_of(results: Results, settings: Settings, sampler: str, budget: int, quantity: Quantity) -> Measurement:
    """Return a sampler's quantity at a budget."""
    return measured(settings, [quantity(errors) for errors in results[sampler][budget]])


def gain(results: Results, settings: Settings, better: str, worse: str, budgets: list[int], q: Quantity) -> Measurement:
    """Return `q(worse) - q(better)`, paired by batch (common starts), at the budget where it is least."""
    differences = {
        budget: [q(w) - q(b) for w, b in zip(results[worse][budget], results[better][budget], strict=True)]
        for budget in budgets
    }
    least = min(differences, key=lambda budget: interval(differences[budget])[1])
    return measured(settings, differences[least], budget=float(least))


def speed_up(
    results: Results, settings: Settings, sampler: str, baseline: str, budget: int, q: Quantity
) -> Measurement:
    """Return the baseline's evaluations over `budget` at equal `q`: `speed.speed_up`."""
    curve = {b: np.array([q(errors) for errors in batches]) for b, batches in results[baseline].items()}
    ours = np.array([q(errors) for errors in results[sampler][budget]])
    found = speed.speed_up(ours, curve, budget, CONFIDENCE, settings.batch, settings.seed)
    return found.model_copy(update={"detail": {**found.detail, "baseline": baseline}})


def table(results: Results, settings: Settings, name: str, claims: tuple[str, ...]) -> Table:
    """Return every number: sampler, budget, then mean and half-interval of each of the four errors."""
    rows: list[tuple[str | int | float, ...]] = []
    for sampler, by_budget in results.items():
        for budget, batches in by_budget.items():
            cells = [interval([errors[k] for errors in batches]) for k in range(len(Errors._fields))]
            rows.append((sampler, budget, *(value for mean, low, _ in cells for value in (mean, mean - low))))
    header = ("sampler", "NFE", *(part for field in Errors._fields for part in (field, "+-")))
    caption = (
        f"Means over {settings.batches} batches of {settings.batch} samples, with the half-width of their "
        f"{CONFIDENCE:.1%} Student interval. The exact law's own draws are the floor."
    )
    return Table(id=name, caption=caption, header=header, rows=tuple(rows), claims=claims)


def speeds(
    results: Results, settings: Settings, name: str, claims: tuple[str, ...], tuned: Results | None = None
) -> Table:
    """Return the evaluations for each level of misfit, and annealed Langevin's over them, defaults and tuned."""
    rows: list[tuple[str | int | float, ...]] = []
    for kind, found in (("defaults", results), ("tuned", tuned or {})):
        curves = {name: _curve(by_budget) for name, by_budget in found.items() if name != FLOOR}
        for sampler, curve in curves.items():
            for level in settings.levels:
                own, ratio = speed.ratio(curve, curves[BASELINE], level, CONFIDENCE)
                cells = [speed.shown(number) for span in (own, ratio) for number in span]
                rows.append((sampler, kind, level, *cells, max(curve)))
    header = ("sampler", "settings", "misfit", "NFE", "low", "high", "speed-up", "low", "high", "largest NFE tried")
    caption = (
        f"Evaluations at which the misfit (nats a pixel) first falls to a level, read between budgets on logarithms of "
        f"both, and annealed Langevin's over them at the same settings; {CONFIDENCE:.1%} intervals by Student's test "
        f"over {settings.batches} batches. A level that the smallest budget reaches is counted there: an upper bound. "
        f"Tuned: the best step and repeats for each budget, chosen on other batches."
    )
    return Table(id=name, caption=caption, header=header, rows=tuple(rows), claims=claims)


def _curve(by_budget: Mapping[int, list[Errors]]) -> speed.ErrorCurve:
    return {budget: np.array([misfit(errors) for errors in batches]) for budget, batches in by_budget.items()}


def draw_errors(results: Results, settings: Settings) -> Drawing:
    """Draw misfit and temperature of every sampler against its evaluations, with bands."""

    def bands(quantity: Quantity) -> drawing.Bands:
        values = {n: {b: [quantity(e) for e in es] for b, es in found.items()} for n, found in results.items()}
        return drawing.bands_of({n: v for n, v in values.items() if n != FLOOR}, interval)

    floor = interval([misfit(errors) for errors in next(iter(results[FLOOR].values()))])[0]
    rows = [
        drawing.Row(bands(misfit), "misfit (nats a pixel)", (min(3e-5, floor / 3), 1.0), lines=(floor,)),
        drawing.Row(bands(temperature), "temperature $T$", (0.4, 2.0), logarithmic=False, lines=(1.0,)),
    ]
    return drawing.draw_rows(rows, sorted({b for name in settings.samplers for b in settings.budgets_of(name)}))


def draw_grids(settings: Settings, images: ImageTarget, columns: int = 14) -> Drawing:
    """Draw samples of each sampler side by side, at one budget and from common starts; the data's own on top."""
    few = settings.model_copy(update={"batch": columns})
    rows: dict[str, Tensor] = {"data": images.target.cloud.points[:columns].reshape(-1, *images.target.shape)}
    for name in settings.samplers:
        rows[name] = run_batch(few, images, name, settings.grid_budget, 1).x
    return drawing.draw_grid(rows)


def figures(
    results: Results,
    settings: Settings,
    images: ImageTarget,
    folder: Path,
    name: str,
    what: str,
    claims: tuple[str, ...],
) -> list[Figure]:
    """Draw both figures of a data set."""
    caption = (
        f"{what}, exact score, settings as released. Above: misfit $(T - 1 - \\ln T)/2$ of a mode, the KL divergence "
        f"that its temperature costs; dotted, fresh draws of the law itself. Below: the residual's temperature about "
        f"the nearest image; 1 is exact, below it the sampler cools. Bands: {CONFIDENCE:.1%} intervals over "
        f"{settings.batches} batches of {settings.batch}. Pale: annealed Langevin and adaptive momentum again. "
        "Arrows: means beyond the axis."
    )
    grid = f"{what}: the data, then each sampler at {settings.grid_budget} evaluations from the same starts."
    return [
        save_figure(draw_errors(results, settings), folder, f"{name}_errors", caption, claims),
        save_figure(draw_grids(settings, images), folder, f"{name}_samples", grid, claims),
    ]


__all__ = ["FLOOR", "energy", "figures", "gain", "level_of", "misfit", "speed_up", "speeds", "table", "temperature"]
