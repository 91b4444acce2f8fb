"""Figures and tables of the runs with the learned score."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from ams.metrics import expected_coverage
from ams.statistics import mean_interval
from experiments import weights
from experiments.images import drawing
from experiments.images.features.rows import HEADER
from experiments.images.learned.losses import LEVELS, means
from experiments.images.learned.readings import CONFIDENCE, Quantity, missed, rows, speed_up
from experiments.images.learned.runs import EXACT, FLOOR, LEARNED, Batches, batches, judge, results
from experiments.images.learned.settings import Settings
from experiments.images.networks.small import WEIGHTS
from experiments.images.speed import needed
from experiments.images.tasks import split_digits
from experiments.images.train import draw as draw_training
from verdicts import Figure, Table, save_figure

CLAIMS = ("Q0", "Q1", "Q2", "Q2a", "Q2b", "Q3", "Q4", "Q5", "Q6")
SHARES = (0.5, 0.7, 0.8, 0.9)
"""Of the coverage that two sets of one law have: the quality levels of the table."""
TEMPERATURE = "temperature $T$"


def quality(found: Batches, settings: Settings) -> Drawing:
    """Draw Frechet distance, coverage, temperature and classes against the budget, a column a family, with bands."""

    def row(quantity: Quantity, label: str, limits: tuple[float, float], **how: Any) -> drawing.Row:
        values = {
            name: {b: [quantity(x.numbers) for x in them] for b, them in by_budget.items()}
            for name, by_budget in found.items()
        }
        bands = drawing.bands_of(values, lambda batches: mean_interval(batches, CONFIDENCE)[:3])
        floor = next(iter(bands[FLOOR].values()))[0]
        return drawing.Row({n: band for n, band in bands.items() if n != FLOOR}, label, limits, lines=(floor,), **how)

    rows = [
        row(lambda n: n.frechet, "Fréchet distance", (0.5, 12.0), ticks=(0.5, 1, 2, 5, 10)),
        row(lambda n: n.coverage, "coverage", (0.0, 1.0), logarithmic=False),
        row(lambda n: n.temperature, TEMPERATURE, (0.4, 3.0), ticks=(0.5, 0.7, 1, 1.4, 2, 2.8)),
        row(lambda n: n.classes, "classes: total variation", (0.0, 0.4), logarithmic=False),
    ]
    return drawing.draw_rows(rows, settings.budgets, height=1.6)


def denoising() -> Drawing:
    """Draw the denoising loss at each level: learned, exact score of what was learned from, Gaussian."""
    drawn = Drawing(figsize=(5.2, 3.4), layout="constrained")
    axes = drawn.subplots()
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
    return drawn


def grids(settings: Settings, columns: int = 16) -> Drawing:
    """Draw samples of each sampler side by side, at one budget and from common starts and noise; real digits on top."""
    shown: dict[str, Tensor] = {FLOOR: split_digits().test.x[:columns]}
    for sampler in settings.samplers:
        shown[sampler] = batches(settings, LEARNED, sampler, settings.grid_budget)[0].images[:columns]
    for sampler in settings.compared[:1]:
        shown[f"{sampler}, exact score"] = batches(settings, EXACT, sampler, settings.compared_budgets[-1])[0].images[
            :columns
        ]
    return drawing.draw_grid(shown)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw everything."""
    found, c = results(settings), judge().conditions(settings.batch)
    where = (
        f"{settings.batches} batches of {c.n}, denoised at the end, against {c.reference_n} {c.reference}, in the "
        f"features of {c.extractor} ({c.sha256[:12]})"
    )
    quality_text = (
        f"A learned score of digits: {where}; bands are {CONFIDENCE:.1%} intervals over batches. Dotted: digits that "
        "the network has seen, judged alike. Temperature: of the samples before denoising; 1 for digits held out. "
        "Pale: annealed Langevin and adaptive momentum again. Arrows: means beyond the axis."
    )
    grid_text = (
        f"Digits held out, then each sampler with the learned score at {settings.grid_budget} evaluations, from the "
        f"same starts and noise; last, with the exact score of the digits seen, at {max(settings.compared_budgets)}: "
        "copies."
    )
    loss_text = (
        "Denoising loss of the learned score. Up to a noise of 0.3 it is below that of the exact score of the digits "
        "seen: it generalises; beyond, it is slightly above."
    )
    training_text = "How the committed weights were trained: the loss of the score, and of the classifiers."
    made = {file.stem: weights.about(file) for file in sorted(WEIGHTS.glob("*.safetensors"))}
    drawn = [
        (quality(found, settings), "network_quality", quality_text),
        (grids(settings), "network_samples", grid_text),
        (denoising(), "network_loss", loss_text),
        (draw_training(made), "network_training", training_text),
    ]
    return [save_figure(each, folder, name, caption, CLAIMS) for each, name, caption in drawn]


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
        sampler: {b: np.array([missed(x.numbers) for x in them]) for b, them in by_budget.items()}
        for sampler, by_budget in found.items()
    }
    listed = []
    for sampler in settings.samplers:
        reached = [needed(curves[sampler], 1 - expected * share) for share in SHARES]
        listed.append((sampler, *(round(nfe, 1) if math.isfinite(nfe) else "" for nfe in reached)))
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
            if sampler != ours:
                listed.append((sampler, budget, one.value, *one.interval, max(settings.budgets) / budget))
    caption = (
        "Evaluations that a sampler needs for the coverage of adaptive momentum's samples, over adaptive "
        f"momentum's: above 1 adaptive momentum is faster. {CONFIDENCE:.1%} intervals by Student's test over "
        "batches, paired; last, the largest ratio that its budgets can show: there value and end are lower bounds."
    )
    header = ("against", "NFE of adaptive momentum", "ratio", "low", "high", "largest seen")
    return Table(id="network_speed", caption=caption, header=header, rows=tuple(listed), claims=CLAIMS)
