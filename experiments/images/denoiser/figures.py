"""The group's figure and tables."""

from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.statistics import CONFIDENCE
from ams_suite.drawn import save_drawn
from experiments.images.denoiser.settings import Settings
from experiments.images.pretrained import study
from experiments.images.pretrained.figures import pretrained_samples, quality_table
from experiments.images.shared_figures import pooled_tables
from verdicts import Figure, Table


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figure."""
    return save_drawn({denoiser_samples: ("I10", "I11", "I14")}, folder, settings, side=settings.side)


def denoiser_samples(settings: Settings) -> Drawing:
    """A DDPM network for MNIST, asked as a VE score: denoised samples after {side} evaluations."""
    return pretrained_samples(settings)


def tables(settings: Settings) -> list[Table]:
    """Return the quality of every run, in pixels and in features."""
    pairs = [(sampler, settings.side) for sampler in settings.samplers]
    runs = [(sampler, "defaults", study.results(settings, sampler, budget)) for sampler, budget in pairs]
    in_pixels = quality_table(settings, runs, "denoiser", ("I11", "I14"))
    return [
        in_pixels,
        *pooled_tables(study.in_features(settings, pairs), "denoiser", CONFIDENCE, ("I11", "I14")),
    ]
