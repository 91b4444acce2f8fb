"""S1: the authors' recorded runs, replayed. S3: what float32 for float64, and one thread for two,
change.

S1 replays the golden traces that the repository holds by the steps here. The runs of S3 are those
of the digits (group `digits`), where the numbers that decide claims come from float32 particles.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import torch
from pydantic import JsonValue
from torch import Tensor

from ams.data import digits
from ams.samplers import Particles, State, last, run
from ams.samplers.base import Noise
from ams.samplers.presets import AUTHORS, SPECS, SigmaRange
from ams.schedules import Level
from ams.targets import Empirical
from ams.traces import deviation
from ams_suite.measures import named_extreme
from analysis.rounding.settings import Settings
from verdicts import Measurement

TRACES = Path(__file__).parents[2] / "tests" / "golden"
_LAST = 0.05  # the last noise level


def deviations(pattern: str) -> Measurement:
    """Return the largest deviation over the traces that match, with each trace's own in the
    detail.
    """
    return named_extreme({path.stem: deviation(path) for path in sorted(TRACES.glob(pattern))})


@cache
def target() -> tuple[Empirical, float]:
    """Return the digits as a target, and the largest distance of two of them: the first noise
    level of a run.
    """
    images = digits().x
    flat = images.flatten(1)
    return Empirical(images), max(
        torch.cdist(block, flat).max().item() for block in flat.split(1024)
    )


def sampled(settings: Settings, sampler: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return the samples of one run on the digits in `dtype`, from float64 draws rounded to it:
    common noise.
    """
    images, diameter = target()
    program = SPECS[sampler].build(SigmaRange(diameter, _LAST), settings.budget, AUTHORS)
    generator = torch.Generator().manual_seed(settings.seed)
    start = diameter * torch.randn(
        (settings.batch, *images.shape), generator=generator, dtype=torch.float64
    )
    noise, score = _rounded(generator, dtype), images.to(dtype).score
    return last(run(program, State(start.to(dtype)), score, noise, Particles()))[0].x.clone()


def _rounded(generator: torch.Generator, dtype: torch.dtype) -> Noise:
    return lambda x: torch.randn(x.shape, generator=generator, dtype=torch.float64).to(dtype)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads, and put back what was there."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def variance_ratio(x: Tensor) -> float:
    """Return `E|x - p_near|^2 / (d sigma^2)` of samples x about the nearest digits: 1 for the
    target.
    """
    return target()[0].nearest(x, Level(0, sigma=_LAST)).residual.square().mean().item() / _LAST**2


def difference(
    settings: Settings, ours: Callable[[str], Tensor], theirs: Callable[[str], Tensor]
) -> Measurement:
    """Return the largest relative difference, over samplers, of the variance ratio that decides
    claims D1 to D3.

    The detail has, for each sampler, the share of samples that end at another image, and the
    largest pixel difference.
    """
    largest = 0.0
    detail: dict[str, JsonValue] = {}
    for sampler in settings.samplers:
        one, two = ours(sampler).float(), theirs(sampler).float()
        apart = (one - two).abs().flatten(1).max(1).values
        detail[sampler] = {
            "moved": float((apart > 0.5).double().mean()),
            "largest": float(apart.max()),
        }
        largest = max(largest, abs(variance_ratio(one) / variance_ratio(two) - 1.0))
    return Measurement(value=largest, n=settings.batch, seeds=(settings.seed,), detail=detail)


def difference_of_float32_to_float64(settings: Settings) -> Measurement:
    """Measure the largest relative difference of the variance ratio between float32 and float64,
    common noise.
    """
    single, double = (
        partial(sampled, settings, dtype=dtype) for dtype in (torch.float32, torch.float64)
    )
    return difference(settings, single, double)


def difference_of_one_thread_to_two(settings: Settings) -> Measurement:
    """Measure the largest relative difference of the variance ratio between one thread and two,
    common noise.
    """

    def on(count: int, sampler: str) -> Tensor:
        with threads(count):
            return sampled(settings, sampler)

    return difference(settings, partial(on, 1), partial(on, 2))
