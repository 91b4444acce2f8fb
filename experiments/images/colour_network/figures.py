"""The group's figures and table, each read from what the study computed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

import torch
from jaxtyping import Float
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from ams.plots import interval_curves, legend_above, panels, ticks
from ams.samplers.looks import LOOKS
from ams.samplers.presets import Family, Hyperparameters
from ams.statistics import CONFIDENCE, mean_interval
from ams_suite.drawn import save_drawn, tabled
from experiments.images.colour.figures import rows
from experiments.images.colour_network import quality, study, tuning
from experiments.images.colour_network.quality import Batch
from experiments.images.colour_network.settings import Published, Settings
from experiments.images.comparison import (
    SPEED_UP_HEADER,
    column,
    half_widths_named,
    interval,
    speed_up_rows,
    with_half_widths,
)
from experiments.images.drawing import draw_grid
from experiments.images.features.pooled import Entry, judged
from experiments.images.features.scores import CONDITIONS, HEADER, title
from experiments.images.pretrained.samplers import BY_NAME
from experiments.images.shared_figures import of_run
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import TableCell
from verdicts.studies.kept import Refused

_CLAIMS = ("X5", "X5a", "X6", "X7")
_QUANTITIES = ("frechet", "kernel", "density", "coverage")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw distances against evaluations, and samples side by side."""
    values = {
        "confidence": f"{CONFIDENCE:.0%}",
        "batches": settings.batches,
        "batch": settings.batch,
    }
    drawn = {colour_network_distances: _CLAIMS}
    distances = save_drawn(drawn, folder, settings, reference=settings.reference, **values)
    budget = max(settings.budgets)
    caption = (
        "CIFAR-10 at 16 x 16 pixels, the suite's own network, hyperparameters chosen twice "
        "on other images: denoised "
        f"samples after {budget} evaluations, one less with a corrector, from the same noise."
    )
    samples, name = draw_samples(settings, budget), f"colour_network_samples_{budget}"
    return [*distances, save_figure(samples, folder, name, caption, ("X5", "X5a"))]


def colour_network_distances(settings: Settings) -> Drawing:
    """CIFAR-10 at 16 x 16 pixels, the suite's own network, hyperparameters chosen twice on other
    images, the mean of both. Above: kernel distance of the denoised samples to {reference} test
    images a batch, in EfficientNet-Lite0's features (dotted: other test images). Below: variance
    ratio; 1 is exact. Bands: {confidence} intervals, {batches} batches of {batch}.
    """
    drawing, (above, below) = panels(2)
    drawn = (
        (above, "kernel distance", study.kernels),
        (below, "variance ratio", study.variance_ratios),
    )
    for axes, label, values in drawn:
        curves = {
            sampler: {
                n: mean_interval(_mean(settings, sampler, n, values), CONFIDENCE)
                for n in settings.budgets
            }
            for sampler in settings.samplers
        }
        interval_curves(axes, curves, LOOKS)
        ticks(axes, settings.budgets)
        axes.set(xlabel="score evaluations (NFE)", ylabel=label)
    floor = max(interval(study.kernels(settings, study.REAL))[0], 0.0)
    above.axhline(floor, color="0.35", lw=0.8, ls=":")
    below.axhline(1.0, color="0.35", lw=0.8, ls=":")
    legend_above(above, 2)
    return drawing


def _mean(
    settings: Settings, sampler: str, budget: int, values: Callable[..., list[float]]
) -> list[float]:
    """Return each batch's mean over both choices of a sampler's hyperparameters."""
    held = [values(settings, sampler, budget, choice) for choice in range(len(tuning.CHOICES))]
    return [sum(each) / len(each) for each in zip(*held, strict=True)]


def draw_samples(settings: Settings, budget: int) -> Drawing:
    """Real images, and each sampler's first samples."""
    rows = {study.REAL: _pictures(study.batches(settings, study.REAL)[0])}
    for sampler in settings.samplers:
        rows[sampler] = _pictures(study.batches(settings, sampler, budget)[0])
    return draw_grid(rows)


def _pictures(batch: Batch) -> Float[Tensor, "n h w 3"]:
    return torch.from_numpy(batch.shown.copy()).float() / 255


def tables(settings: Settings) -> list[Table]:
    """Return every number of every sampler and budget, with its conditions."""
    quantities = (*_QUANTITIES, "energy", "variance_ratio")
    header = (
        "sampler",
        "chosen",
        "NFE",
        "sets",
        "n",
        *CONDITIONS,
        *half_widths_named(map(title, quantities)),
    )
    made = [
        tabled(colour_network, header, _CLAIMS, settings, confidence=f"{CONFIDENCE:.1%}"),
        tabled(
            colour_network_speed_ups,
            SPEED_UP_HEADER,
            ("X6",),
            settings,
            confidence=f"{CONFIDENCE:.0%}",
        ),
    ]
    if settings.published:
        made.append(tabled(colour_network_published, HEADER, _CLAIMS, settings.published))
    return made


def colour_network_speed_ups(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """How many times as many evaluations Langevin's corrector needs as the adaptive one, and
    annealed Langevin as adaptive momentum, for the kernel distance of the latter: CIFAR-10 at 16 x
    16 pixels, the suite's own network. Intervals of {confidence} end at budgets that were run. "Not
    reached": no budget of the baseline gets there.
    """
    yield from speed_up_rows(study.tuned_pairs(settings))
    if settings.published is not None:
        # kept cells that an audit does not let be shown; its record says why
        with suppress(Refused):
            yield from speed_up_rows(study.untuned_pairs(settings.published))


def colour_network_published(settings: Published) -> Iterator[tuple[TableCell, ...]]:
    """The suite's own network in the form of a published table: CIFAR-10 at 16 x 16 pixels,
    hyperparameters as in the authors' configurations, tuning none. The Fréchet distance, to 10,000
    test images, and the Inception score are in the features and classes of EfficientNet-Lite0, so
    no published number compares with them.
    """
    for network in settings.networks:
        # kept cells that an audit does not let be shown; its record says why
        with suppress(Refused):
            yield from rows(settings, network)


def colour_network(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """CIFAR-10 at 16 x 16 pixels with the suite's own network: Fréchet and kernel distance, density
    and coverage in EfficientNet-Lite0's features, all batches as one set (±: jackknife over
    batches); energy distance (pixel units) and variance ratio, means over batches (±: Student);
    {confidence} intervals. The Fréchet distance has a bias of its n: rows compare where n is equal,
    real images are the floor; no published FID does.
    """
    runs = [(study.REAL, 0, 0)]
    for sampler, budget in product(settings.samplers, settings.budgets):
        runs += [(sampler, budget, choice) for choice, _ in _unlike(tuning.chosen(sampler, budget))]
    held = [study.batches(settings, *run) for run in runs]
    features = [[torch.from_numpy(one.features).double() for one in batches] for batches in held]
    entries = [
        Entry(run[0], _words(*run), batches[0].evaluations, sets)
        for run, batches, sets in zip(runs, held, features, strict=True)
    ]
    judge = quality.judge(settings.setup, settings.numbers)
    for one, batches in zip(judged(judge, entries, CONFIDENCE), held, strict=True):
        means = (
            mean_interval(column(batches, name), CONFIDENCE)
            for name in ("energy", "variance_ratio")
        )
        yield (
            *of_run(one),
            *with_half_widths([*(one.numbers[name] for name in _QUANTITIES), *means]),
        )


def _unlike(choices: Sequence[Hyperparameters]) -> list[tuple[int, Hyperparameters]]:
    """Return the choices with their places, one of those that are alike."""
    return [(place, given) for place, given in enumerate(choices) if given not in choices[:place]]


def _words(sampler: str, budget: int, choice: int) -> str:
    """Return what was chosen for a sampler, in words."""
    if sampler == study.REAL:
        return ""
    given = tuning.chosen(sampler, budget)[choice]
    corrector = BY_NAME[sampler].family is Family.PREDICTOR_CORRECTOR
    return tuning.in_words(
        {"snr": given.snr, "rho": given.rho} if corrector else {"rho": given.rho}
    )
