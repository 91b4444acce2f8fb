"""How much of any result is rounding: S2 (same seed, same bytes), S3 (float32 to float64, one thread to two).

The runs are those of the digits (group `digits`), where the numbers that decide claims come from float32 particles.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from pydantic import BaseModel, ConfigDict, JsonValue, NonNegativeInt, PositiveInt
from torch import Tensor

from ams.samplers import Particles, State, last, run
from ams.samplers.base import Noise
from experiments.images import exact
from experiments.images.digits import checks as digits
from experiments.images.runs import ENTRANTS, RELEASED
from verdicts import Measurement, check
from verdicts.claims.sizes import Names


class Settings(BaseModel):
    """The run that is repeated: budget (NFE), batch, seed; the samplers that are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: PositiveInt = 60
    batch: PositiveInt = 64
    seed: NonNegativeInt = 2405
    samplers: Names = ("annealed Langevin", "adaptive momentum", "PC, adaptive", "Heun ODE")


def sampled(settings: Settings, sampler: str, dtype: torch.dtype) -> Tensor:
    """Return the samples of one run on the digits in `dtype`, from float64 draws rounded to it: common noise."""
    images = digits.images()
    subject = images.subject(exact.Settings().last_sigma)
    program = ENTRANTS[sampler].program(subject.ends, settings.budget, RELEASED)
    generator = torch.Generator().manual_seed(settings.seed)
    shape = (settings.batch, *images.target.shape)
    start = images.diameter * torch.randn(shape, generator=generator, dtype=torch.float64)
    target, algebra = images.target.to(dtype), Particles()
    state, _ = last(run(program, State(start.to(dtype)), target.score, _rounded(generator, dtype), algebra))
    return state.x.clone()


def _rounded(generator: torch.Generator, dtype: torch.dtype) -> Noise:
    return lambda x: torch.randn(x.shape, generator=generator, dtype=torch.float64).to(dtype)


def digest(settings: Settings) -> str:
    """Return the sha256 of the bytes of every compared sampler's samples."""
    found = hashlib.sha256()
    for sampler in settings.samplers:
        found.update(sampled(settings, sampler, torch.float32).numpy().tobytes())
    return found.hexdigest()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads, and put back what was there."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@check("S2.process")
def same_bytes_in_this_process(settings: Settings) -> Measurement:
    """Count the differing digests of two runs in one process, the second with other work before it."""
    with threads(1):
        first = digest(settings)
        torch.randn(1000)
        return Measurement(value=first != digest(settings), n=len(settings.samplers), seeds=(settings.seed,))


@check("S2.fresh")
def same_bytes_in_a_fresh_process(settings: Settings) -> Measurement:
    """Count the differing digests of a run here and one in a process of its own."""
    program = (
        "import sys, torch; torch.set_num_threads(1); from analysis import rounding; "
        "print(rounding.digest(rounding.Settings.model_validate_json(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, settings.model_dump_json()]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment()).stdout.strip()
    with threads(1):
        return Measurement(value=told != digest(settings), n=len(settings.samplers), seeds=(settings.seed,))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def difference(settings: Settings, number: Callable[[str], Tensor], other: Callable[[str], Tensor]) -> Measurement:
    """Return the largest relative difference, over samplers, of the temperature that decides claims D1 to D3.

    The detail holds, for each sampler, the share of samples that end at another image, and the largest pixel
    difference.
    """
    judged = exact.judge(exact.Settings(batch=settings.batch), digits.images())
    worst = 0.0
    detail: dict[str, JsonValue] = {}
    for sampler in settings.samplers:
        one, two = number(sampler).float(), other(sampler).float()
        gap = abs(judged(one).temperature / judged(two).temperature - 1.0)
        apart = (one - two).abs().flatten(1).max(1).values
        detail[sampler] = {"moved": float((apart > 0.5).double().mean()), "largest": float(apart.max())}
        worst = max(worst, gap)
    return Measurement(value=worst, n=settings.batch, seeds=(settings.seed,), detail=detail)


@check("S3.precision")
def float32_against_float64(settings: Settings) -> Measurement:
    """Return what float32 changes."""

    def of(dtype: torch.dtype) -> Callable[[str], Tensor]:
        return lambda sampler: sampled(settings, sampler, dtype)

    return difference(settings, of(torch.float32), of(torch.float64))


@check("S3.threads")
def one_thread_against_two(settings: Settings) -> Measurement:
    """Return what a second thread changes."""

    def of(count: int) -> Callable[[str], Tensor]:
        def run_on(sampler: str) -> Tensor:
            with threads(count):
                return sampled(settings, sampler, torch.float32)

        return run_on

    return difference(settings, of(1), of(2))
