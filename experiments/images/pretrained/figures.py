"""The group's figures and tables, each read from what the study computed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure as Drawing

from ams.plots import interval_band, interval_points, legend_above, panels, ticks
from ams.samplers import looks
from ams.statistics import CONFIDENCE, Interval, mean_interval
from ams.statistics.nfe_to_threshold import BatchErrors
from ams_suite.drawn import save_drawn, tabled
from experiments.images.comparison import SPEED_UP_HEADER, speed_up_rows, speed_ups
from experiments.images.drawing import Bands, ErrorPanel, draw_grid, draw_rows, move_speed_ups
from experiments.images.pretrained import inputs, runs, samplers, study
from experiments.images.pretrained.checks import excess, tuned_gain
from experiments.images.pretrained.inputs import DEFAULTS, FIRST_SIGMA, Quality
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import Settings
from experiments.images.shared_figures import pooled_tables
from verdicts import Figure, Measurement, Table
from verdicts.records.figures import TableCell

_CLAIMS = ("I2", "I2a", "I2b", "I3", "I3b", "I4", "I6")
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
    """Draw quality against evaluations, samples side by side, beta along a run, what the
    corrector's gain is due to.
    """
    drawn = {
        pretrained_speed_up: ("I3",),
        pretrained_quality: _CLAIMS,
        pretrained_tuned: ("I2a", "I2b"),
        pretrained_samples: _CLAIMS,
        pretrained_beta: ("I2", "I6"),
        pretrained_cause: ("I6",),
    }
    values = {
        "what": (
            f"MNIST with a pretrained VE network, noise from {FIRST_SIGMA:.3g} "
            f"to {settings.last_sigma:g}"
        ),
        "over": f"{CONFIDENCE:.0%} intervals over batches of {settings.batch}",
        "snr": f"{DEFAULTS.snr:g}",
    }
    return save_drawn(
        drawn, folder, settings, side=settings.side, reference=settings.reference, **values
    )


def pretrained_speed_up(settings: Settings) -> Any:
    """{what}: a baseline's evaluations over those of its counterpart with adaptive momentum at
    equal energy distance, against the latter's, at the authors' hyperparameters. Shaded: the
    paper's 2 to 5. No point: the baseline does not get there within its budgets.

    Choose a pair by its name in the legend.
    """
    return move_speed_ups(
        {(name, "default"): speed_ups(*pair) for name, pair in _curves(settings).items()}
    )


def _curves(settings: Settings) -> dict[str, tuple[BatchErrors, BatchErrors]]:
    """Return the energy distances of each of `PAIRS` by evaluations, adaptive momentum's first."""
    return {
        name: (study.energies(settings, ours), study.energies(settings, theirs))
        for name, (ours, theirs) in PAIRS.items()
    }


def pretrained_quality(settings: Settings) -> Drawing:
    """{what}, the authors' hyperparameters. Above: energy distance of the denoised samples to
    {reference} held-out test images (pixel units; dotted: as many other test images). Below:
    variance ratio on pixels that are blank in every image; 1 is exact. Bands: {over}; other
    samplers at {side} evaluations alone. Pale: annealed Langevin and adaptive momentum again.
    Arrows: means beyond the axis.
    """
    floors = runs.held_out_quality(settings.setup, settings.batches)
    floor = mean_interval([quality.energy for quality in floors], CONFIDENCE).high
    rows = [
        ErrorPanel(
            _bands(settings, "energy"), "energy distance", (0.02, 600), lines=(max(floor, 0.02),)
        ),
        ErrorPanel(_bands(settings, "variance_ratio"), "variance ratio", (0.8, 1000), lines=(1.0,)),
    ]
    return draw_rows(rows, settings.budgets)


def _bands(settings: Settings, quantity: str) -> Bands:
    bands: dict[str, dict[int, tuple[float, float, float]]] = {}
    for sampler, budget in (run for run in study.plan(settings) if run[0] not in CONTROLS):
        batches = study.results(settings, sampler, budget)
        interval = mean_interval(
            [getattr(batch.quality, quantity) for batch in batches], CONFIDENCE
        )
        bands.setdefault(sampler, {})[batches[-1].evaluations] = interval[:3]
    return bands


def pretrained_tuned(settings: Settings) -> Drawing:
    """{what}: energy distance (pixel units) of annealed Langevin minus adaptive momentum's, and of
    Langevin's corrector minus the adaptive corrector's, against score evaluations; both sides tuned
    at each budget with as many trials. Bands: {over}, from the lowest to the highest end of those
    of two choices.
    """
    drawing, (axes,) = panels()
    for name, (ours, theirs) in PAIRS.items():
        budgets = [budget for name, budget in study.tuned_runs(settings) if name == ours]
        gains = [tuned_gain(settings, theirs, ours, budget) for budget in budgets]
        interval_band(
            axes, budgets, [_interval(settings, gain) for gain in gains], LOOKS[ours].style(name)
        )
    axes.axhline(0.0, color="0.35", lw=0.8)
    axes.set(xscale="log", xlabel="score evaluations (NFE)", ylabel="gain in energy distance")
    ticks(axes, settings.tuned)
    legend_above(axes)
    return drawing


def _interval(settings: Settings, gain: Measurement) -> Interval:
    return Interval(gain.value, *gain.interval, settings.batches)


def pretrained_samples(settings: Settings) -> Drawing:
    """{what}: denoised samples after {side} evaluations (49 with a corrector), from the same
    noise.
    """
    rows = {"test images": inputs.test_images()[: runs.SHOWN]}
    for sampler in (*settings.samplers, samplers.DOUBLED, *settings.others):
        rows[sampler] = (
            torch.from_numpy(study.results(settings, sampler, settings.side)[0].shown) / 255
        )
    return draw_grid(rows)


def pretrained_beta(settings: Settings) -> Drawing:
    r"""The momentum coefficient $\beta$ along one run of {side} evaluations on the network
    (markers), and what the mean field of its steps predicts without sampling: on a Gaussian with
    the images' covariance (solid), on a point (dashed). Above: annealed; below: as a corrector, snr
    {snr}.
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
    """What the corrector's gain is due to: energy distance (pixel units) of Langevin's corrector
    minus that of each at {side} evaluations, from common starts and noise; {over}.
    """
    drawing, (axes,) = panels()
    names = [samplers.ADAPTIVE_CORRECTOR, *(spec.name for spec in samplers.CONTROLS)]
    gains = (excess(settings, samplers.PLAIN_CORRECTOR, name) for name in names)
    interval_points(
        axes, [(n, _interval(settings, gain)) for n, gain in zip(names, gains, strict=True)], LOOKS
    )
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0.0, color="0.35", lw=0.8)
    axes.set_xlabel("gain in energy distance")
    return drawing


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures, tuned runs included."""
    named = ("sampler", "settings", "NFE", "n", "reference", "space", "last denoising")
    header = (
        *named,
        *(part for field in Quality._fields for part in (field.replace("_", " "), "low", "high")),
    )
    said = {"weights": settings.weights, "confidence": f"{CONFIDENCE:.0%}"}
    return [
        tabled(quality, header, _CLAIMS, settings, name="pretrained", **said),
        tabled(pretrained_speed_ups, SPEED_UP_HEADER, ("I3",), settings, **said),
        *pooled_tables(study.in_features(settings), "pretrained", CONFIDENCE, _CLAIMS),
    ]


def pretrained_speed_ups(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """How many times as many evaluations annealed Langevin needs as adaptive momentum, and
    Langevin's corrector as the adaptive one, for the energy distance of the latter. The network
    {weights}, the authors' hyperparameters. Intervals of {confidence} end at budgets that were run.
    "Not reached": no budget of the baseline gets there.
    """
    yield from speed_up_rows(_curves(settings))


def quality(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Samples of the network {weights}: energy distance of the denoised samples (pixel units),
    variance ratio of the samples and noise left in the denoised ones on blank pixels; rows compare
    where n, reference, space and denoising are equal. {confidence} Student intervals over batches.
    """
    floor = runs.held_out_quality(settings.setup, settings.batches)
    conditions = (f"first {settings.reference} MNIST test images", "pixels (no extractor)", "yes")
    yield study.FLOOR, "", 0, len(floor) * settings.batch, *conditions, *_intervals(floor)
    for sampler, how, batches in _runs(settings):
        n, numbers = len(batches) * settings.batch, _intervals([batch.quality for batch in batches])
        yield sampler, how, batches[-1].evaluations, n, *conditions, *numbers


def _runs(settings: Settings) -> Iterator[tuple[str, str, list[Batch]]]:
    """Yield each sampler with its settings in words and its batches."""
    for sampler, budget in study.plan(settings):
        yield sampler, "defaults", study.results(settings, sampler, budget)
    for sampler, budget in study.tuned_runs(settings):
        for best, batches in study.tuned_results(settings, sampler, budget):
            words = (
                f"snr {best.snr:g}"
                if sampler.startswith("PC")
                else f"factor {best.factor:g}, T {best.repeats}"
            )
            yield sampler, f"tuned: {words}", batches


def _intervals(batches: Sequence[Quality]) -> Iterator[TableCell]:
    for values in zip(*batches, strict=True):
        yield from mean_interval(values, CONFIDENCE)[:3]
