"""Figures and tables of the pretrained network's group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from ams.samplers.palette import look
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ams.statistics import mean_interval
from experiments.images import drawing
from experiments.images.pretrained import controls, runs
from experiments.images.pretrained.features import floors, found, list_features
from experiments.images.pretrained.runs import FLOOR, MEMORY, Quality, Settings
from experiments.images.pretrained.trajectory import Step, gaussian_prediction, point_prediction, spectrum
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import Cell

CONTROLS = (controls.NONE, controls.WHOLE, *controls.CONTROLS, controls.MATCHED)
TRACED = ("adaptive momentum", "PC, adaptive")
CLAIMS = ("I1", "I2", "I3", "I4", "I5", "I6", "I9")


def plan(settings: Settings) -> dict[str, tuple[int, ...]]:
    """Return the budgets of every sampler and control."""
    main = dict.fromkeys(settings.samplers, settings.budgets)
    side = (*settings.others, *(name for name in CONTROLS if name not in main))
    return main | dict.fromkeys(side, (settings.side,)) | dict.fromkeys(MEMORY, (settings.late,))


def all_runs(settings: Settings) -> dict[str, dict[int, runs.Run]]:
    """Return every run at the defaults."""
    return {name: {b: runs.performed(settings, name, b) for b in bs} for name, bs in plan(settings).items()}


def draw_all(settings: Settings, folder: Path, confidence: float, snr: float) -> list[Figure]:
    """Draw and save all figures."""
    what = (
        f"MNIST with a pretrained VE network, from noise {runs.subject(settings).ends.first:.3g} to "
        f"{settings.last_sigma:g}, settings as released"
    )
    quality = (
        f"{what}. Above: energy distance of the denoised samples to {settings.reference} held-out test images "
        f"(pixel units; dotted: as many other test images). Middle: Fréchet distance in our classifier's features, all "
        f"batches as one set (dotted: as many real images), where n is equal. Below: temperature on pixels that are "
        f"blank in every image; 1 is exact. Bands: {confidence:.0%} intervals over batches of {settings.batch}; other "
        f"samplers at {settings.side} evaluations alone. Arrows: means beyond the axis."
    )
    grid = f"{what}: denoised samples after {settings.side} evaluations (49 with a corrector), from the same noise."
    path = (
        f"$\\beta$ along one run of {settings.side} evaluations on the network (markers), and what the mean-field law "
        "of the same steps predicts without sampling: on a Gaussian with the images' covariance (solid), on a point "
        f"(dashed). Left: adaptive momentum, annealed; right: as a corrector, snr {snr:g}."
    )
    cause = (
        f"What the corrector's gain is due to: energy distance of Langevin's corrector less that of each, at "
        f"{settings.side} evaluations, same starts and noise; {confidence:.0%} intervals over batches."
    )
    drawn = {
        "pretrained_quality": (draw_quality(settings, confidence), quality, CLAIMS),
        "pretrained_samples": (draw_samples(settings, (*settings.samplers, *settings.others)), grid, CLAIMS),
        "pretrained_beta": (draw_beta(settings), path, ("I2", "I6")),
        "pretrained_cause": (draw_cause(settings, confidence), cause, ("I6",)),
    }
    return [save_figure(drawing, folder, name, caption, ids) for name, (drawing, caption, ids) in drawn.items()]


def draw_quality(settings: Settings, confidence: float) -> Drawing:
    """Draw energy distance and temperature against evaluations."""

    def bands(of: Callable[[Quality], float]) -> drawing.Bands:
        lists = {
            name: {run.evaluations: [of(quality) for quality in run.quality] for run in by_budget.values()}
            for name, by_budget in all_runs(settings).items()
        }
        return drawing.bands_of(lists, lambda values: mean_interval(values, confidence)[:3])

    floor = mean_interval([quality.energy for quality in runs.floor(settings)], confidence)
    rows = [
        drawing.Row(bands(lambda q: q.energy), "energy distance", (0.02, 600), lines=(max(floor.high, 0.02),)),
        frechet_row(settings, confidence),
        drawing.Row(bands(lambda q: q.temperature), "temperature $T$", (0.8, 1000), lines=(1.0,)),
    ]
    return drawing.draw_rows(rows, settings.budgets, height=1.75)


def frechet_row(settings: Settings, confidence: float) -> drawing.Row:
    """Return the Frechet distances of the samplers that have as many samples as the floor: no others compare."""
    floor = floors(settings, confidence)[0]
    bands: dict[str, dict[int, tuple[float, float, float]]] = {}
    for name, budgets in plan(settings).items():
        for budget in budgets:
            one = found(settings, name, budget, confidence)
            if one is not None and one.conditions == floor.conditions:
                bands.setdefault(name, {})[one.entry.nfe] = one.numbers["frechet"][:3]
    line = floor.numbers["frechet"].value
    return drawing.Row(bands, "Fréchet distance", (line / 2, 1000 * line), lines=(line,))


def draw_samples(settings: Settings, names: Sequence[str]) -> Drawing:
    """Draw test images and each sampler's samples, at equal evaluations and from the same noise."""
    rows = {"test images": runs.test_images()[: runs.SHOWN]}
    for name in names:
        rows[name] = runs.performed(settings, name, settings.side).shown
    return drawing.draw_grid(rows)


def samples_figure(
    settings: Settings, folder: Path, name: str, names: Sequence[str], caption: str, claims: tuple[str, ...]
) -> Figure:
    """Draw and save samples side by side."""
    return save_figure(draw_samples(settings, names), folder, name, caption, claims)


def draw_cause(settings: Settings, confidence: float) -> Drawing:
    """Draw each control's gain over Langevin's corrector, with the whole released one on top."""
    none = [quality.energy for quality in runs.performed(settings, controls.NONE, settings.side).quality]
    drawn = Drawing(figsize=(5.8, 2.7), layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))
    axes = drawn.subplots()
    names = [name for name in CONTROLS if name != controls.NONE][::-1]
    for height, name in enumerate(names):
        quality = runs.performed(settings, name, settings.side).quality
        gains = [one - other.energy for one, other in zip(none, quality, strict=True)]
        gain = mean_interval(gains, confidence)
        style = look(name)
        axes.errorbar(
            gain.value,
            height,
            xerr=[[gain.value - gain.low], [gain.high - gain.value]],
            color=style["color"],
            marker=style["marker"],
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.axvline(0.0, color="0.35", lw=0.8)
    axes.set_xlabel("gain over PC, Langevin (energy distance, pixel units)")
    return drawn


def traced(settings: Settings, name: str) -> list[Step]:
    """Return beta of every step with a rule, of one run on the network."""
    return [Step(sigma, beta) for sigma, beta in runs.recorded(settings, name, settings.side)]


def draw_beta(settings: Settings) -> Drawing:
    """Draw beta against the noise level, with both predictions."""
    drawn = Drawing(figsize=(7.2, 2.9), layout="constrained")
    ends, how = runs.subject(settings).ends, runs.choice(settings)
    data = spectrum(runs.test_images())
    for axes, name in zip(drawn.subplots(1, 2, sharey=True), TRACED, strict=True):
        colour = look(name)["color"]
        lines = {
            "Gaussian of the data's covariance": (gaussian_prediction(name, ends, settings.side, how, data), "-"),
            "a point": (point_prediction(name, ends, settings.side, how, len(data.mean)), "--"),
        }
        for label, (steps, style) in lines.items():
            axes.plot(range(len(steps)), [s.beta for s in steps], color="0.25", ls=style, lw=1.2, label=f"law: {label}")
        steps = traced(settings, name)
        axes.plot(range(len(steps)), [s.beta for s in steps], ls="", marker="o", ms=3.6, color=colour, label="network")
        axes.set(title=name, xlabel="step", ylim=(-0.01, 0.31))
    drawn.axes[0].set_ylabel("$\\beta$")
    drawn.legend(*drawn.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawn


def runs_table(
    settings: Settings,
    confidence: float,
    name: str,
    wanted: Mapping[str, Sequence[int]],
    claims: tuple[str, ...],
    more: Sequence[tuple[str, str, runs.Run]] = (),
) -> Table:
    """Return a row for each sampler and budget wanted, and for `more` runs: each says what its numbers depend on."""
    floor = runs.Run(0, runs.floor(settings), torch.empty(0))
    listed = [(FLOOR, "", floor)]
    listed += [(who, "defaults", runs.performed(settings, who, b)) for who, budgets in wanted.items() for b in budgets]
    conditions = (f"first {settings.reference} MNIST test images", "pixels (no extractor)", "yes")
    rows: list[tuple[Cell, ...]] = []
    for who, how, run in [*listed, *more]:
        cells: list[Cell] = []
        for field in Quality._fields:
            cells += mean_interval([getattr(one, field) for one in run.quality], confidence)[:3]
        rows.append((who, how, run.evaluations, len(run.quality) * settings.batch, *conditions, *cells))
    named = ("sampler", "settings", "NFE", "n", "reference", "space", "last denoising")
    header = (*named, *(part for field in Quality._fields for part in (field, "low", "high")))
    caption = (
        f"Samples of the network {settings.weights}: energy distance of the denoised samples (pixel units), "
        "temperature of the samples and noise left in the denoised ones on blank pixels; rows compare where n, "
        f"reference, space and denoising are equal. {confidence:.0%} Student intervals over batches."
    )
    return Table(id=name, caption=caption, header=header, rows=tuple(rows), claims=claims)


def list_all(settings: Settings, confidence: float) -> list[Table]:
    """Return the table of every run, the tuned ones included."""
    more = []
    for name in settings.tried:
        how, run = runs.tuned(settings, name)
        told = f"snr {how.snr:g}" if name.startswith("PC") else f"factor {how.factor:g}, T {how.repeats}"
        more.append((name, f"tuned: {told}", run))
    in_pixels = runs_table(settings, confidence, "pretrained", plan(settings), CLAIMS, more)
    return [in_pixels, *list_features(settings, confidence, "pretrained", plan(settings), CLAIMS)]
