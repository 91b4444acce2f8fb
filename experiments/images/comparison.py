"""What the runs of `exact` say: means with intervals over batches, paired differences, figures, a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from pydantic import JsonValue
from torch import Tensor

from ams.inference import mean_interval
from ams.ledger import Figure, Measurement, Table, save_figure
from ams.palette import look
from experiments.images.exact import (
    FLOOR,
    Errors,
    ImageTarget,
    Results,
    Settings,
    programs,
    run_batch,
)

CONFIDENCE = 0.999
"""Of every interval here. A check whose statement is true is thus contradicted about once in a thousand."""

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
    """Return the baseline's evaluations over `budget` at equal `q`, with a bootstrap interval over batches.

    The baseline's curve is read by log-log interpolation; a value beyond its ends counts as its first or last budget,
    which bounds the speed-up from that side and is said in the detail.
    """
    batches = {b: np.array([q(errors) for errors in results[baseline][b]]) for b in sorted(results[baseline])}
    reached = np.array([q(errors) for errors in results[sampler][budget]])
    generator = np.random.default_rng(settings.seed)
    draws = generator.integers(0, len(reached), (2000, len(reached)))
    spread = [_equal_budget(reached[rows].mean(), batches, rows) / budget for rows in draws]
    value = _equal_budget(reached.mean(), batches, np.arange(len(reached))) / budget
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(spread, [tail, 1.0 - tail])
    detail: dict[str, JsonValue] = {
        "budget": budget,
        "baseline": baseline,
        "reach of the baseline": max(batches) / budget,
    }
    return Measurement(
        value=value, low=min(low, value), high=max(high, value), n=len(reached), seeds=(settings.seed,), detail=detail
    )


def _equal_budget(reached: float, batches: dict[int, np.ndarray], rows: np.ndarray) -> float:
    """Return the budget at which the mean curve of `batches`, made monotone from the right, falls to `reached`."""
    curve = np.maximum.accumulate(np.array([values[rows].mean() for values in batches.values()])[::-1])
    budgets = np.array(list(batches))[::-1]
    return float(np.exp(np.interp(np.log(reached), np.log(curve), np.log(budgets))))


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


def draw_errors(results: Results, settings: Settings) -> Drawing:
    """Draw misfit, temperature and energy distance against the budget, with bands."""
    drawing = Drawing(figsize=(7.2, 3.3), layout="constrained")
    panels = drawing.subplots(1, 3)
    for axes, quantity in zip(panels, (misfit, temperature, energy), strict=True):
        _curves(axes, results, quantity)
        axes.set(xscale="log", xlabel="score evaluations (NFE)")
        axes.set_xticks(settings.budgets, [str(budget) for budget in settings.budgets])
        axes.minorticks_off()
    panels[0].set(yscale="log", ylim=(1e-4, 1.0), ylabel="misfit $(T - 1 - \\ln T)/2$ (nats a pixel)")
    panels[1].set(ylim=(0.4, 2.0), ylabel="temperature $T$ of the residual")
    panels[1].axhline(1.0, color="0.3", lw=0.8)
    panels[2].set(ylim=(-0.1, 0.1), ylabel="energy distance (pixel units)")
    drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawing


def _curves(axes: Axes, results: Results, quantity: Quantity) -> None:
    for sampler, by_budget in results.items():
        budgets = sorted(by_budget)
        mean, low, high = np.array([interval([quantity(e) for e in by_budget[b]]) for b in budgets]).T
        drawn = look(sampler)
        axes.plot(budgets, mean, markersize=4, **drawn)
        if quantity is not energy or sampler == FLOOR:
            axes.fill_between(budgets, low, high, color=drawn["color"], alpha=0.15, lw=0)


def draw_grids(settings: Settings, images: ImageTarget, columns: int = 12) -> Drawing:
    """Draw samples of each sampler side by side, at one budget and from common starts; the data's own on top."""
    few = settings.model_copy(update={"batch": columns})
    rows: dict[str, Tensor] = {"data": images.target.cloud.points[:columns].reshape(-1, *images.target.shape)}
    for name, program in programs(few, images.diameter, settings.grid_budget).items():
        rows[name] = run_batch(few, images, program, 1)
    drawing = Drawing(figsize=(7.2, 0.56 * len(rows)), layout="constrained")
    for axes, (name, x) in zip(drawing.subplots(len(rows), 1), rows.items(), strict=True):
        axes.imshow(np.concatenate(list(x.clamp(0, 1).numpy()), axis=1), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    return drawing


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
        f"{what}, exact score. Left: misfit of a mode, the KL divergence that its temperature costs. Middle: the "
        f"residual's temperature about the nearest image; 1 is exact, below it the sampler cools. Right: energy "
        f"distance to the known law, within the floor's band for nearly all. Bands: {CONFIDENCE:.1%} intervals over "
        f"{settings.batches} batches of {settings.batch}; dotted: fresh draws of the law itself."
    )
    grid = f"{what}: the data, then each sampler at {settings.grid_budget} evaluations from the same starts."
    return [
        save_figure(draw_errors(results, settings), folder, f"{name}_errors", caption, claims),
        save_figure(draw_grids(settings, images), folder, f"{name}_samples", grid, claims),
    ]


__all__ = ["FLOOR", "energy", "figures", "gain", "level_of", "misfit", "speed_up", "table", "temperature"]
