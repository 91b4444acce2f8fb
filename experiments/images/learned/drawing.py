"""Figures and tables of the runs with the learned score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from ams.distances import expected_coverage
from ams.inference import mean_interval
from ams.ledger import Figure, Table, save_figure
from ams.palette import look
from experiments import weights
from experiments.images.features.rows import HEADER
from experiments.images.learned.losses import LEVELS, means
from experiments.images.learned.readings import CONFIDENCE, Quantity, missed, needed, rows, speed_up
from experiments.images.learned.runs import EXACT, FLOOR, LEARNED, Batches, batches, judge, results
from experiments.images.learned.settings import Settings
from experiments.images.networks.small import WEIGHTS
from experiments.images.tasks import split_digits
from experiments.images.train import draw as draw_training

CLAIMS = ("Q0", "Q1", "Q2", "Q2a", "Q2b", "Q3", "Q4", "Q5", "Q6")
SHARES = (0.5, 0.7, 0.8, 0.9)
"""Of the coverage that two sets of one law have: the quality levels of the table."""
TEMPERATURE = "temperature $T$ before denoising"
SHARP = ("coverage", TEMPERATURE)
"""Quantities whose bands are drawn for every sampler; the others' are as wide as the floor's and hide the curves."""
REAL = {"color": "#000000", "linestyle": ":", "label": FLOOR}


def quality(found: Batches, settings: Settings) -> Drawing:
    """Draw Frechet distance, coverage, temperature and classes against the budget, with bands."""
    drawing = Drawing(figsize=(7.4, 5.6), layout="constrained")
    panels = drawing.subplots(2, 2).flat
    quantities: list[tuple[str, Quantity, str]] = [
        ("Fréchet distance", lambda n: n.frechet, "linear"),
        ("coverage", lambda n: n.coverage, "linear"),
        (TEMPERATURE, lambda n: n.temperature, "log"),
        ("classes: total variation", lambda n: n.classes, "linear"),
    ]
    for axes, (name, quantity, scale) in zip(panels, quantities, strict=True):
        for sampler, by_budget in found.items():
            values = {b: [quantity(x.numbers) for x in them] for b, them in by_budget.items()}
            _curve(axes, sampler, values, sampler == FLOOR or name in SHARP)
        axes.set(xscale="log", yscale=scale, xlabel="score evaluations (NFE)", ylabel=name)
        axes.set_xticks(settings.budgets, [str(budget) for budget in settings.budgets])
        axes.minorticks_off()
    _ticks_of_temperature(drawing.axes[2])
    drawing.legend(*drawing.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawing


def _ticks_of_temperature(axes: Axes) -> None:
    axes.axhline(1.0, color="0.3", lw=0.8)
    ticks = [0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0]
    low, high = axes.get_ylim()
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(shown, [f"{tick:g}" for tick in shown])


def _curve(axes: Axes, sampler: str, values: dict[int, list[float]], band: bool) -> None:
    budgets = sorted(values)
    intervals = [mean_interval(values[budget], CONFIDENCE) for budget in budgets]
    drawn = REAL if sampler == FLOOR else look(sampler)
    axes.plot(budgets, [found.value for found in intervals], markersize=4, **drawn)
    if not band:
        return
    low, high = ([getattr(found, end) for found in intervals] for end in ("low", "high"))
    axes.fill_between(budgets, low, high, color=drawn["color"], alpha=0.12, lw=0)


def denoising() -> Drawing:
    """Draw the denoising loss at each level: learned, exact score of what was learned from, Gaussian."""
    drawing = Drawing(figsize=(5.2, 3.4), layout="constrained")
    axes = drawing.subplots()
    looks = {
        "learned": ("learned, digits held out", "#D55E00", "s", "-"),
        "seen": ("learned, digits seen", "#D55E00", "", ":"),
        "exact": ("exact score of the digits seen, held out", "#0072B2", "o", "-"),
        "gaussian": ("one Gaussian, held out", "#999999", "v", "--"),
    }
    for name, (label, colour, marker, line) in looks.items():
        axes.plot(LEVELS, means(name), color=colour, marker=marker, ls=line, label=label)
    axes.axhline(1.0, color="0.3", lw=0.8)
    axes.text(LEVELS[-1], 1.05, "no score", ha="right", va="bottom", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="noise level $\\sigma$", ylabel="denoising loss a pixel")
    axes.legend()
    return drawing


def grids(settings: Settings, columns: int = 16) -> Drawing:
    """Draw samples of each sampler side by side, at one budget and from common starts and noise; real digits on top."""
    shown: dict[str, Tensor] = {FLOOR: split_digits().test.x[:columns]}
    for sampler in settings.samplers:
        shown[sampler] = batches(settings, LEARNED, sampler, settings.grid_budget)[0].images[:columns]
    for sampler in settings.compared[:1]:
        shown[f"{sampler}, exact score"] = batches(settings, EXACT, sampler, settings.compared_budgets[-1])[0].images[
            :columns
        ]
    drawing = Drawing(figsize=(7.2, 0.42 * len(shown)), layout="constrained")
    for axes, (name, x) in zip(drawing.subplots(len(shown), 1), shown.items(), strict=True):
        axes.imshow(np.concatenate(list(x.clamp(0, 1).numpy()), axis=1), cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw everything."""
    found, c = results(settings), judge().conditions(settings.batch)
    where = (
        f"{settings.batches} batches of {c.n}, denoised at the end, against {c.reference_n} {c.reference}, in the "
        f"features of {c.extractor} ({c.sha256[:12]})"
    )
    quality_text = (
        f"A learned score of digits: {where}; bands are {CONFIDENCE:.1%} intervals over batches (left above and right "
        "below only the floor's: the others are as wide). Dotted: digits that the network has seen, judged alike. "
        "Temperature: of the samples before denoising; 1 for digits held out."
    )
    grid_text = (
        f"Digits held out, then each sampler with the learned score at {settings.grid_budget} evaluations, from the "
        f"same starts and noise; last, with the exact score of the digits seen, at {max(settings.compared_budgets)}: "
        "copies."
    )
    loss_text = "Denoising loss of the learned score: below that of the exact score of the digits seen, it generalises."
    training_text = "How the committed weights were trained: the loss of the score, and of the classifiers."
    made = {file.stem: weights.about(file) for file in sorted(WEIGHTS.glob("*.safetensors"))}
    drawn = [
        (quality(found, settings), "network_quality", quality_text),
        (grids(settings), "network_samples", grid_text),
        (denoising(), "network_loss", loss_text),
        (draw_training(made), "network_training", training_text),
    ]
    return [save_figure(drawing, folder, name, caption, CLAIMS) for drawing, name, caption in drawn]


def tables(settings: Settings) -> list[Table]:
    """Return every number with its conditions, and the evaluations that each sampler needs for each quality."""
    found = rows(results(settings), settings)
    caption = (
        f"Means over batches with {CONFIDENCE:.1%} Student intervals. Rows that differ in n, reference, extractor or "
        "the last denoising are not comparable."
    )
    every = Table(id="network", caption=caption, header=HEADER, rows=tuple(row.cells() for row in found), claims=CLAIMS)
    return [every, _needed(settings), _speed_ups(settings)]


def _needed(settings: Settings) -> Table:
    """Return the evaluations at which each sampler's mean coverage reaches so much of what one law would have."""
    found, expected = results(settings), expected_coverage(len(judge().reference), settings.batch)
    curves = {
        sampler: {b: float(np.mean([missed(x.numbers) for x in them])) for b, them in by_budget.items()}
        for sampler, by_budget in found.items()
    }
    listed = []
    for sampler in settings.samplers:
        reached = [needed(curves[sampler], 1 - expected * share) for share in SHARES]
        listed.append((sampler, *("" if nfe is None else round(nfe, 1) for nfe in reached)))
    header = ("sampler", *(f"{share:.0%}" for share in SHARES))
    caption = (
        f"Evaluations for a coverage of so much of what two sets of one law have ({expected:.3g}), by log-log "
        f"interpolation, n = {settings.batch}; empty: not within {max(settings.budgets)}; {min(settings.budgets)} may "
        "mean fewer."
    )
    return Table(id="network_needed", caption=caption, header=header, rows=tuple(listed), claims=CLAIMS)


def _speed_ups(settings: Settings) -> Table:
    """Return each sampler's evaluations over adaptive momentum's at equal coverage, budget by budget."""
    found, ours = results(settings), "adaptive momentum"
    listed: list[tuple[str | float, ...]] = []
    for sampler in settings.samplers:
        for budget in sorted(found[ours])[:-1]:
            one = speed_up(settings, found[ours][budget], found[sampler], budget, missed)
            beyond = float(str(one.detail["share of resamples at its reach"]))
            if sampler != ours:
                listed.append((sampler, budget, one.value, *one.interval, beyond))
    caption = (
        "Evaluations that a sampler needs for the coverage of adaptive momentum's samples, over adaptive "
        f"momentum's: above 1 adaptive momentum is faster. Bootstrap over batches, {CONFIDENCE:.1%}; last, the share "
        f"of resamples in which it takes more than {max(settings.budgets)}, so that the value is a lower bound."
    )
    header = ("against", "NFE of adaptive momentum", "ratio", "low", "high", "share beyond")
    return Table(id="network_speed", caption=caption, header=header, rows=tuple(listed), claims=CLAIMS)
