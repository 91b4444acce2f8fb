"""The group's figure and tables."""

from pathlib import Path

from ams.statistics import CONFIDENCE
from experiments.images.denoiser.settings import Settings
from experiments.images.features import pooled
from experiments.images.pretrained import study
from experiments.images.pretrained.figures import draw_samples, quality_table
from verdicts import Figure, Table, save_figure


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw test images and samples side by side."""
    caption = f"A DDPM network for MNIST, asked as a VE score: denoised samples after {settings.side} evaluations."
    return [save_figure(draw_samples(settings), folder, "denoiser_samples", caption, ("I10", "I11", "I14"))]


def tables(settings: Settings) -> list[Table]:
    """Return the quality of every run, in pixels and in features."""
    pairs = [(sampler, settings.side) for sampler in settings.samplers]
    runs = [(sampler, "defaults", study.results(settings, sampler, budget)) for sampler, budget in pairs]
    in_pixels = quality_table(settings, runs, "denoiser", ("I11", "I14"))
    return [in_pixels, *pooled.tables(study.in_features(settings, pairs), "denoiser", CONFIDENCE, ("I11", "I14"))]
