"""The group's figures and tables."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ams.statistics import mean_interval
from experiments.images.features import pooled
from experiments.images.pretrained import drawing, runs, study
from experiments.images.pretrained.inputs import DEFAULTS, FIRST_SIGMA
from experiments.images.pretrained.quality import Quality
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import CONFIDENCE, Settings
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import Cell

_CLAIMS = ("I1", "I2", "I3", "I4", "I5", "I6", "I9")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw quality against evaluations, samples side by side, beta along a run, what the corrector's gain is due to."""
    what = f"MNIST with a pretrained VE network, noise from {FIRST_SIGMA:.3g} to {settings.last_sigma:g}"
    over = f"{CONFIDENCE:.0%} intervals over batches of {settings.batch}"
    quality = (
        f"{what}, the authors' hyperparameters. Above: energy distance of the denoised samples to {settings.reference} "
        "held-out test images (pixel units; dotted: as many other test images). Middle: Fréchet distance in our "
        "classifier's features, all batches as one set (dotted: as many real images), where n is equal. Below: "
        f"variance ratio on pixels that are blank in every image; 1 is exact. Bands: {over}; other samplers at "
        f"{settings.side} evaluations alone. Arrows: means beyond the axis."
    )
    samples = f"{what}: denoised samples after {settings.side} evaluations (49 with a corrector), from the same noise."
    betas = (
        rf"The momentum coefficient $\beta$ along one run of {settings.side} evaluations on the network (markers), and "
        "what the mean field of its steps predicts without sampling: on a Gaussian with the images' covariance "
        f"(solid), on a point (dashed). Left: annealed; right: as a corrector, snr {DEFAULTS.snr:g}."
    )
    shares = (
        "What the corrector's gain is due to: energy distance of Langevin's corrector minus that of each, at "
        f"{settings.side} evaluations, from common starts and noise; {over}."
    )
    return [
        save_figure(drawing.draw_quality(settings), folder, "pretrained_quality", quality, _CLAIMS),
        save_figure(drawing.draw_samples(settings), folder, "pretrained_samples", samples, _CLAIMS),
        save_figure(drawing.draw_betas(settings), folder, "pretrained_beta", betas, ("I2", "I6")),
        save_figure(drawing.draw_shares(settings), folder, "pretrained_cause", shares, ("I6",)),
    ]


def tables(settings: Settings) -> list[Table]:
    """Return every number behind the figures, tuned runs included."""
    in_features = pooled.tables(study.in_features(settings), "pretrained", CONFIDENCE, _CLAIMS)
    return [quality_table(settings, _runs(settings), "pretrained", _CLAIMS), *in_features]


def quality_table(
    settings: Settings, listed: Iterable[tuple[str, str, list[Batch]]], name: str, claims: tuple[str, ...]
) -> Table:
    """Return the quality of each run and of held-out images; each row says what its numbers depend on."""
    floor = runs.held_out_quality(settings.setup, settings.batches)
    conditions = (f"first {settings.reference} MNIST test images", "pixels (no extractor)", "yes")
    rows = [(study.FLOOR, "", 0, len(floor) * settings.batch, *conditions, *_intervals(floor))]
    for sampler, how, batches in listed:
        quality = [batch.quality for batch in batches]
        n = len(quality) * settings.batch
        rows.append((sampler, how, batches[-1].evaluations, n, *conditions, *_intervals(quality)))
    named = ("sampler", "settings", "NFE", "n", "reference", "space", "last denoising")
    header = (*named, *(part for field in Quality._fields for part in (field.replace("_", " "), "low", "high")))
    caption = (
        f"Samples of the network {settings.weights}: energy distance of the denoised samples (pixel units), variance "
        "ratio of the samples and noise left in the denoised ones on blank pixels; rows compare where n, reference, "
        f"space and denoising are equal. {CONFIDENCE:.0%} Student intervals over batches."
    )
    return Table(id=name, caption=caption, header=header, rows=tuple(rows), claims=claims)


def _runs(settings: Settings) -> Iterator[tuple[str, str, list[Batch]]]:
    """Yield each sampler with its settings in words and its batches."""
    for sampler, budget in study.plan(settings):
        yield sampler, "defaults", study.results(settings, sampler, budget)
    for sampler in settings.tried:
        best, batches = study.tuned_results(settings, sampler)
        words = f"snr {best.snr:g}" if sampler.startswith("PC") else f"factor {best.factor:g}, T {best.repeats}"
        yield sampler, f"tuned: {words}", batches


def _intervals(batches: Sequence[Quality]) -> Iterator[Cell]:
    for values in zip(*batches, strict=True):
        yield from mean_interval(values, CONFIDENCE)[:3]
