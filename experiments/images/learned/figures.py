"""The group's figures and tables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure as Drawing

from ams.statistics import mean_interval
from ams_suite.drawn import save_drawn, tabled
from ams_suite.measures import speed_up
from experiments import weights
from experiments.images import drawing
from experiments.images.comparison import CONFIDENCE, bands, column, error_curve
from experiments.images.features.scores import HEADER, row
from experiments.images.learned import quality, study
from experiments.images.learned.quality import EXACT, LEARNED, Quality
from experiments.images.learned.settings import BASELINE, PAPER, Settings
from experiments.images.networks.small import WEIGHTS
from experiments.images.tasks import split_digits
from experiments.train import draw_training
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

CLAIMS = ("Q2", "Q2a", "Q4")
REAL = "real digits"
"""Digits that the network has seen, judged like a sampler's output."""


def by_sampler(settings: Settings) -> dict[str, dict[int, list[Quality]]]:
    """Return every batch with the learned score, by sampler and evaluations; real digits first,
    at 0 evaluations.
    """
    real = {0: [batch.quality for batch in study.real_batches(settings)]}
    return {REAL: real} | {
        sampler: study.learned_curve(settings, sampler) for sampler in settings.samplers
    }


def _row(
    batches: Mapping[str, Mapping[int, list[Quality]]],
    quantity: str,
    label: str,
    limits: tuple[float, float],
    **style: Any,
) -> drawing.ErrorPanel:
    """Return a quantity by sampler and budget, with bands; real digits are a line."""
    curves = bands(batches, quantity)
    return drawing.ErrorPanel(curves, label, limits, lines=(curves.pop(REAL)[0][0],), **style)


def network_quality(settings: Settings) -> Drawing:
    """A learned score of digits: Fréchet distance and coverage, {reference}. Bands: {bands}"""
    batches = by_sampler(settings)
    frechet = _row(batches, "frechet", "Fréchet distance", (0.5, 12.0), ticks=(0.5, 1, 2, 5, 10))
    coverage = _row(batches, "coverage", "coverage", (0.0, 1.0), logarithmic=False)
    return drawing.draw_rows([frechet, coverage], settings.budgets)


def network_training(settings: Settings) -> Drawing:
    """How the weights were trained: the loss of each network against its steps, on what it learns
    from and, with averaged weights, on what is held out.
    """
    return draw_training(
        {file.stem: weights.about(file) for file in sorted(WEIGHTS.glob("*.safetensors"))}
    )


def network_samples(settings: Settings) -> Drawing:
    """Digits held out, then each sampler with the learned score at {shown} evaluations, from the
    same starts and noise; last, with the exact score of the digits seen: these are copies of digits
    seen.
    """
    shown = {"digits held out": split_digits().test.x[: study.SHOWN]}
    for sampler in settings.samplers:
        samples = study.shown_samples(LEARNED, sampler, settings.grid_budget, settings.setup)
        shown[sampler] = torch.from_numpy(samples)
    copies = study.shown_samples(EXACT, BASELINE, settings.grid_budget, settings.setup)
    shown[f"{BASELINE}, exact score"] = torch.from_numpy(copies)
    return drawing.draw_grid(shown)


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    conditions = quality.judge().conditions(settings.batch)
    values = {
        "reference": f"{settings.batches} batches of {conditions.n}, denoised at the end, against "
        f"{conditions.reference_n} {conditions.reference}, in the features "
        f"of {conditions.extractor} "
        f"({conditions.sha256[:12]})",
        "bands": f"{CONFIDENCE:.1%} intervals over batches. Dotted: digits that the "
        "network has seen. Pale: annealed "
        "Langevin and adaptive momentum again. Arrows: means beyond the axis.",
        "shown": settings.grid_budget,
    }
    drawn = (network_quality, network_samples, network_training)
    return save_drawn(dict.fromkeys(drawn, CLAIMS), folder, settings, **values)


def tables(settings: Settings) -> list[Table]:
    """Return every number with its conditions, and what others need for the coverage of adaptive
    momentum.
    """
    against = ("against", "NFE of adaptive momentum", "ratio", "low", "high", "largest seen")
    return [
        tabled(network, HEADER, CLAIMS, settings, confidence=f"{CONFIDENCE:.1%}"),
        tabled(network_speed, against, CLAIMS, settings, confidence=f"{CONFIDENCE:.1%}"),
    ]


def network(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Means over batches with {confidence} Student intervals. Rows that differ in n, reference,
    extractor or the last denoising are not comparable.
    """
    conditions = quality.judge().conditions(settings.batch)
    for sampler, curve in by_sampler(settings).items():
        for budget, batches in curve.items():
            for name, values in zip(Quality._fields, zip(*batches, strict=True), strict=True):
                held = conditions._replace(denoised=name != "variance_ratio")
                yield row(sampler, budget, name, mean_interval(values, CONFIDENCE), held)


def network_speed(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Evaluations that a sampler needs for the coverage of adaptive momentum's samples, over
    adaptive momentum's: above 1 adaptive momentum is faster. {confidence} intervals by Student's
    test over batches, paired, end at budgets that were run; last, the largest ratio that its
    budgets can show: there value and end are lower bounds.
    """
    ours = {
        budget: column(batches, "missed")
        for budget, batches in study.learned_curve(settings, PAPER).items()
    }
    for sampler in (name for name in settings.samplers if name != PAPER):
        curve = error_curve(study.learned_curve(settings, sampler), "missed")
        for budget in sorted(ours)[:-1]:
            ratio = speed_up(ours[budget], curve, budget, CONFIDENCE, settings.seed)
            yield sampler, budget, ratio.value, *ratio.interval, max(settings.budgets) / budget
