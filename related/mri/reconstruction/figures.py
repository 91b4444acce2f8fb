"""The group's figures."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from ams.plots import legend_above, panels
from ams.samplers.looks import LOOKS
from ams_suite.drawn import save_drawn
from experiments.images.drawing import draw_grid
from related.mri.reconstruction import study
from related.mri.reconstruction.checks import PGI, outcomes
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import GUIDED, MODULE, SENSED, UNGUIDED, ZERO_FILLED
from related.mri.tuning import SAMPLERS
from verdicts import Figure

NAMES = {
    ZERO_FILLED: "zero-filled",
    SENSED: "compressed sensing (TV)",
    PGI: "guidance image, preliminary",
    MODULE: "guidance image, denoised",
    UNGUIDED: "unrolled, no guidance",
    GUIDED: "unrolled, guided",
}
"""Methods by what figures call them."""
SHARED = tuple(name for name in NAMES if name != ZERO_FILLED)
ACCELERATIONS = {"4x": 4, "8x": 8}
BRIGHTER = 5.0
"""Factor of the error maps' grey."""


def _shown(settings: Settings, errors: bool) -> Mapping[str, Tensor]:
    """Return a row a method, the middle slice of each test subject or its absolute error,
    without the margin.
    """
    given = study.cases(settings)
    middle = settings.slices // 2
    true = torch.stack([torch.from_numpy(study.truth(case)[middle].copy()) for case in given])
    rows = {} if errors else {"true": true}
    for method in NAMES:
        held = outcomes(settings, method)
        images = torch.stack([torch.from_numpy(each.images[middle].copy()) for each in held])
        rows[NAMES[method]] = BRIGHTER * (images - true).abs() if errors else images
    return {name: images[:, 4:60, 9:55] for name, images in rows.items()}


def reconstructions(settings: Settings) -> Drawing:
    """T1 slices of the five test subjects from fourfold undersampled k-space of four simulated
    coils, by method (dark is bright tissue).
    """
    return draw_grid(_shown(settings, errors=False))


def error_maps(settings: Settings) -> Drawing:
    """Absolute errors of T1 slices of the five test subjects, fourfold acceleration, five times as
    dark as the images are.
    """
    return draw_grid(_shown(settings, errors=True))


def sampler_errors(settings: Settings) -> Drawing:
    """The squared error of posterior samples over the image's square (NMSE), a point a test
    subject; T1, fourfold acceleration, each sampler tuned twice on other subjects, the mean of
    both.
    """
    drawing, (axes,) = panels(1, 2.4)
    shown = sorted(study.compared(settings), key=lambda run: (SAMPLERS.index(run[0]), run[1]))
    for place, (sampler, budget) in enumerate(shown):
        nmse = [_nmse(case, sampler, budget) for case in study.cases(settings)]
        label = None if sampler in [name for name, _ in shown[:place]] else sampler
        axes.plot(
            [place] * len(nmse),
            nmse,
            LOOKS[sampler].marker,
            color=LOOKS[sampler].colour,
            ms=3,
            label=label,
        )
    axes.set_xticks(range(len(shown)), [str(budget) for _, budget in shown])
    axes.set(xlabel="score evaluations (NFE)", ylabel="NMSE", yscale="log")
    legend_above(axes)
    return drawing


def _nmse(case: study.ScannedSubject, sampler: str, budget: int) -> float:
    return float(
        np.mean([study.sampled_quality(case, *run).nmse for run in study.runs(sampler, budget)])
    )


def quality_by_method(settings: Settings) -> Drawing:
    """PSNR inside the head by method and acceleration, a point a test subject, the mean over its
    slices.
    """
    drawing, (axes,) = panels(1, 2.6)
    for number, (title, acceleration) in enumerate(ACCELERATIONS.items()):
        for place, method in enumerate(SHARED):
            held = outcomes(settings, method, acceleration)
            psnr = [float(each.quality.psnr.mean()) for each in held]
            rows = [place + 0.25 * (1 - number)] * len(psnr)
            label = None if place else title
            axes.plot(psnr, rows, "os"[number], color=f"C{number}", ms=3, label=label)
    axes.set_yticks(range(len(SHARED)), [NAMES[method].replace(", ", ",\n") for method in SHARED])
    axes.invert_yaxis()
    axes.set(xlabel="PSNR (dB)")
    legend_above(axes, 3)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Save the group's figures."""
    drawn = {
        sampler_errors: ("N4",),
        reconstructions: ("N4c", "N4e"),
        error_maps: ("N4c", "N4e"),
        quality_by_method: ("N4c", "N4e"),
    }
    return save_drawn(drawn, folder, settings)
