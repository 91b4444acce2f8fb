"""The group's figures and tables, each read from what the study computed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure as Drawing

from ams.plots import interval_band, interval_points, legend_above, panels, ticks
from ams.samplers import looks
from ams.statistics import CONFIDENCE, Interval, mean_interval
from ams_suite.drawn import save_drawn, tabled
from experiments.images.comparison import speed_ups
from experiments.images.drawing import Bands, ErrorPanel, draw_grid, draw_rows, move_speed_ups
from experiments.images.pretrained import inputs, runs, samplers, study
from experiments.images.pretrained.checks import difference, tuned_gain
from experiments.images.pretrained.inputs import DEFAULTS, FIRST_SIGMA, Quality
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import Settings
from experiments.images.shared_figures import pooled_tables
from verdicts import Figure, Measurement, Table
from verdicts.records.figures import TableCell

_CLAIMS = ("I1", "I2", "I2a", "I2b", "I3", "I4", "I5", "I6", "I9", "I12", "I13")
PAIRS = {
    "annealed": (samplers.PAPER, samplers.BASELINE),
    "as a corrector": (samplers.ADAPTIVE_CORRECTOR, samplers.PLAIN_CORRECTOR),
}
"""Adaptive momentum and its counterpart without, by the part that they play."""
CONTROLS = {
    "PC, lagged norm alone": (looks.SKY, "o", "--"),
    "PC, drift alone": (looks.BLACK, "<", "--"),
    "PC, noise corrected": (looks.GREEN, "h", "--"),
    "PC, factor dropped": (looks.PINK, ">", ":"),
    "PC, constant factor": (looks.SKY, "D", ":"),
}
"""How controls are drawn, in the one figure that shows what the corrector's gain is due to."""
LOOKS = looks.LOOKS | looks.looks({"Controls of the adaptive corrector": CONTROLS})


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw quality against evaluations, samples side by side, beta along a run, what the corrector's gain is due to."""
    drawn = {
        pretrained_speed_up: ("I3",),
        pretrained_quality: _CLAIMS,
        pretrained_tuned: ("I2a", "I2b"),
        pretrained_samples: _CLAIMS,
        pretrained_beta: ("I2", "I6"),
        pretrained_cause: ("I6",),
    }
    values = {
        "what": f"MNIST with a pretrained VE network, noise from {FIRST_SIGMA:.3g} to {settings.last_sigma:g}",
        "over": f"{CONFIDENCE:.0%} intervals over batches of {settings.batch}",
        "snr": f"{DEFAULTS.snr:g}",
    }
    return save_drawn(drawn, folder, settings, side=settings.side, reference=settings.reference, **values)


def pretrained_speed_up(settings: Settings) -> Any:
    """{what}: a baseline's evaluations over those of its counterpart with adaptive momentum at equal energy distance,
    against the latter's, at the authors' hyperparameters. Shaded: the paper's 2 to 5. No point: the baseline does not
    get there within its budgets.

    Choose a pair by its name in the legend.
    """
    curves = {
        (name, "default"): speed_ups(*(study.energies(settings, each) for each in pair)) for name, pair in PAIRS.items()
    }
    return move_speed_ups(curves)


def pretrained_quality(settings: Settings) -> Drawing:
    """{what}, the authors' hyperparameters. Above: energy distance of the denoised samples to {reference} held-out test
    images (pixel units; dotted: as many other test images). Below: variance ratio on pixels that are blank in every
    image; 1 is exact. Bands: {over}; other samplers at {side} evaluations alone. Pale: annealed Langevin and adaptive
    momentum again. Arrows: means beyond the axis.
    """
    floors = runs.held_out_quality(settings.setup, settings.batches)
    floor = mean_interval([quality.energy for quality in floors], CONFIDENCE).high
    rows = [
        ErrorPanel(_bands(settings, "energy"), "energy distance", (0.02, 600), lines=(max(floor, 0.02),)),
        ErrorPanel(_bands(settings, "variance_ratio"), "variance ratio", (0.8, 1000), lines=(1.0,)),
    ]
    return draw_rows(rows, settings.budgets)


def _bands(settings: Settings, quantity: str) -> Bands:
    bands: dict[str, dict[int, tuple[float, float, float]]] = {}
    for sampler, budget in (run for run in study.plan(settings) if run[0] not in CONTROLS):
        batches = study.results(settings, sampler, budget)
        interval = mean_interval([getattr(batch.quality, quantity) for batch in batches], CONFIDENCE)
        bands.setdefault(sampler, {})[batches[-1].evaluations] = interval[:3]
    return bands


def pretrained_tuned(settings: Settings) -> Drawing:
    """{what}: energy distance (pixel units) of annealed Langevin minus adaptive momentum's, and of Langevin's corrector
    minus the adaptive corrector's, against score evaluations; both sides tuned at each budget with as many trials.
    Bands: {over}, from the lowest to the highest end of those of two choices.
    """
    drawing, (axes,) = panels()
    for name, (ours, theirs) in PAIRS.items():
        budgets = [budget for name, budget in study.tuned_runs(settings) if name == ours]
        gains = [tuned_gain(settings, theirs, ours, budget) for budget in budgets]
        interval_band(axes, budgets, [_interval(settings, gain) for gain in gains], LOOKS[ours].style(name))
    axes.axhline(0.0, color="0.35", lw=0.8)
    axes.set(xscale="log", xlabel="score evaluations (NFE)", ylabel="gain in energy distance")
    ticks(axes, settings.tuned)
    legend_above(axes)
    return drawing


def _interval(settings: Settings, gain: Measurement) -> Interval:
    return Interval(gain.value, *gain.interval, settings.batches)


def pretrained_samples(settings: Settings) -> Drawing:
    """{what}: denoised samples after {side} evaluations (49 with a corrector), from the same noise."""
    rows = {"test images": inputs.test_images()[: runs.SHOWN]}
    for sampler in (*settings.samplers, *settings.others):
        rows[sampler] = torch.from_numpy(study.results(settings, sampler, settings.side)[0].shown) / 255
    return draw_grid(rows)


def pretrained_beta(settings: Settings) -> Drawing:
    r"""The momentum coefficient $\beta$ along one run of {side} evaluations on the network (markers), and what the mean
    field of its steps predicts without sampling: on a Gaussian with the images' covariance (solid), on a point
    (dashed). Above: annealed; below: as a corrector, snr {snr}.
    """
    drawing, both = panels(2)
    for axes, name in zip(both, samplers.COUPLED, strict=True):
        gaussian, point = runs.predicted_betas(name, settings.last_sigma, settings.side)
        axes.plot(gaussian, color="0.25", label="mean field: Gaussian of the images' covariance")
        axes.plot(point, color="0.25", ls="--", label="mean field: a point")
        betas = [beta for beta, _ in study.rule(settings, name)]
        axes.plot(betas, ls="", marker="o", color=LOOKS[name].colour, label="network")
        axes.set(xlabel="step", ylabel=rf"$\beta$, {name}", ylim=(-0.01, 0.31))
    legend_above(both[0], 1)
    return drawing


def pretrained_cause(settings: Settings) -> Drawing:
    """What the corrector's gain is due to: energy distance (pixel units) of Langevin's corrector minus that of each at
    {side} evaluations, from common starts and noise; {over}.
    """
    drawing, (axes,) = panels()
    names = [samplers.ADAPTIVE_CORRECTOR, *(spec.name for spec in samplers.CONTROLS)]
    gains = (difference(settings, samplers.PLAIN_CORRECTOR, name, settings.side) for name in names)
    interval_points(axes, [(n, _interval(settings, gain)) for n, gain in zip(names, gains, strict=True)], LOOKS)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0.0, color="0.35", lw=0.8)
    axes.set_xlabel("gain in energy distance")
    return drawing


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures, tuned runs included."""
    in_features = pooled_tables(study.in_features(settings), "pretrained", CONFIDENCE, _CLAIMS)
    return [quality_table(settings, _runs(settings), "pretrained", _CLAIMS), *in_features]


def quality_table(
    settings: Settings, listed: Iterable[tuple[str, str, list[Batch]]], name: str, claims: tuple[str, ...]
) -> Table:
    """Return the quality of each run and of held-out images; each row says what its numbers depend on."""
    named = ("sampler", "settings", "NFE", "n", "reference", "space", "last denoising")
    header = (*named, *(part for field in Quality._fields for part in (field.replace("_", " "), "low", "high")))
    said = {"weights": settings.weights, "confidence": f"{CONFIDENCE:.0%}"}
    return tabled(quality, header, claims, settings, listed, name=name, **said)


def quality(settings: Settings, listed: Iterable[tuple[str, str, list[Batch]]]) -> Iterator[tuple[TableCell, ...]]:
    """Samples of the network {weights}: energy distance of the denoised samples (pixel units), variance ratio of the
    samples and noise left in the denoised ones on blank pixels; rows compare where n, reference, space and denoising
    are equal. {confidence} Student intervals over batches.
    """
    floor = runs.held_out_quality(settings.setup, settings.batches)
    conditions = (f"first {settings.reference} MNIST test images", "pixels (no extractor)", "yes")
    yield study.FLOOR, "", 0, len(floor) * settings.batch, *conditions, *_intervals(floor)
    for sampler, how, batches in listed:
        n, numbers = len(batches) * settings.batch, _intervals([batch.quality for batch in batches])
        yield sampler, how, batches[-1].evaluations, n, *conditions, *numbers


def _runs(settings: Settings) -> Iterator[tuple[str, str, list[Batch]]]:
    """Yield each sampler with its settings in words and its batches."""
    for sampler, budget in study.plan(settings):
        yield sampler, "defaults", study.results(settings, sampler, budget)
    for sampler, budget in study.tuned_runs(settings):
        for best, batches in study.tuned_results(settings, sampler, budget):
            words = f"snr {best.snr:g}" if sampler.startswith("PC") else f"factor {best.factor:g}, T {best.repeats}"
            yield sampler, f"tuned: {words}", batches


def _intervals(batches: Sequence[Quality]) -> Iterator[TableCell]:
    for values in zip(*batches, strict=True):
        yield from mean_interval(values, CONFIDENCE)[:3]
