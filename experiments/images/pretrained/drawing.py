"""Figures of the group, each read from what the study computed."""

from collections.abc import Callable

import torch
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ams.plots import legend_below
from ams.samplers.presets import SPECS
from ams.statistics import mean_interval
from experiments.images.drawing import Bands, Row, draw_grid, draw_rows
from experiments.images.pretrained import inputs, runs, samplers, study
from experiments.images.pretrained.checks import difference
from experiments.images.pretrained.quality import Quality
from experiments.images.pretrained.settings import CONFIDENCE, Settings


def draw_quality(settings: Settings) -> Drawing:
    """Energy distance, Fréchet distance and variance ratio against evaluations."""
    floors = runs.held_out_quality(settings.setup, settings.batches)
    floor = mean_interval([quality.energy for quality in floors], CONFIDENCE).high
    rows = [
        Row(_bands(settings, lambda q: q.energy), "energy distance", (0.02, 600), lines=(max(floor, 0.02),)),
        _frechet(settings),
        Row(_bands(settings, lambda q: q.variance_ratio), "variance ratio", (0.8, 1000), lines=(1.0,)),
    ]
    return draw_rows(rows, settings.budgets, height=1.75)


def _bands(settings: Settings, quantity: Callable[[Quality], float]) -> Bands:
    bands: dict[str, dict[int, tuple[float, float, float]]] = {}
    for sampler, budget in study.plan(settings):
        batches = study.results(settings, sampler, budget)
        interval = mean_interval([quantity(batch.quality) for batch in batches], CONFIDENCE)
        bands.setdefault(sampler, {})[batches[-1].evaluations] = interval[:3]
    return bands


def _frechet(settings: Settings) -> Row:
    """Return the Fréchet distances of the samplers with as many samples as the floor: no others compare."""
    floor, *judged = study.in_features(settings)
    bands: dict[str, dict[int, tuple[float, float, float]]] = {}
    for one in judged:
        if one.conditions == floor.conditions:
            bands.setdefault(one.entry.sampler, {})[one.entry.nfe] = one.numbers["frechet"][:3]
    line = floor.numbers["frechet"].value
    return Row(bands, "Fréchet distance", (line / 2, 1000 * line), lines=(line,))


def draw_samples(settings: Settings) -> Drawing:
    """Test images, and each sampler's denoised samples at `side` evaluations from the same noise."""
    rows = {"test images": inputs.test_images()[: runs.SHOWN]}
    for sampler in (*settings.samplers, *settings.others):
        rows[sampler] = torch.from_numpy(study.results(settings, sampler, settings.side)[0].shown) / 255
    return draw_grid(rows)


def draw_betas(settings: Settings) -> Drawing:
    """The momentum coefficient at each step of one run, with its two mean-field predictions."""
    drawing = Drawing(figsize=(7.2, 2.9), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    for axes, name in zip(panels, samplers.COUPLED, strict=True):
        predicted = runs.predicted_betas(name, settings.last_sigma, settings.side)
        axes.plot(predicted.gaussian, color="0.25", lw=1.2, label="mean field: Gaussian of the images' covariance")
        axes.plot(predicted.point, color="0.25", lw=1.2, ls="--", label="mean field: a point")
        betas = [beta for beta, _ in study.rule(settings, name)]
        axes.plot(betas, ls="", marker="o", ms=3.6, color=SPECS[name].colour, label="network")
        axes.set(title=name, xlabel="step", ylim=(-0.01, 0.31))
    panels[0].set_ylabel(r"momentum coefficient $\beta$")
    legend_below(drawing, panels[0])
    return drawing


def draw_shares(settings: Settings) -> Drawing:
    """The gain of each control over Langevin's corrector, the whole adaptive corrector's on top."""
    drawing = Drawing(figsize=(5.8, 2.7), layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))
    axes, specs = drawing.subplots(), (*samplers.CONTROLS[::-1], SPECS[samplers.ADAPTIVE_CORRECTOR])
    for height, spec in enumerate(specs):
        gain = difference(settings, samplers.PLAIN_CORRECTOR, spec.name, settings.side)
        low, high = gain.interval
        error = [[gain.value - low], [high - gain.value]]
        axes.errorbar(gain.value, height, xerr=error, color=spec.colour, marker=spec.marker)
    axes.set_yticks(range(len(specs)), [spec.name for spec in specs])
    axes.set_ylim(-0.6, len(specs) - 0.4)
    axes.axvline(0.0, color="0.35", lw=0.8)
    axes.set_xlabel("gain over PC, Langevin (energy distance, pixel units)")
    return drawing
