"""T12 and T12a: a slower network, or one that computes something else, is told."""

import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from experiments.benchmarks.network_speed import checks
from experiments.benchmarks.network_speed.settings import Settings
from tests.claims import refuted, verdict_of
from verdicts.claims.schema import Verdict

SMALL = Settings(batch=2, pairs=8, budget=6, images=2)


def noise(y: Tensor, v: Tensor) -> Tensor:
    """Return the noise in pixels of unit variance."""
    return y * v[:, None, None, None] / (1 + v[:, None, None, None].square())


def slower(y: Tensor, v: Tensor) -> Tensor:
    """Take five milliseconds more of the processor."""
    end = time.process_time() + 0.005
    while time.process_time() < end:
        pass
    return noise(y, v)


def other(y: Tensor, v: Tensor) -> Tensor:
    return 1.1 * noise(y, v)


def in_place_of(
    monkeypatch: pytest.MonkeyPatch, written: Callable[..., Tensor], changed: Callable[..., Tensor]
) -> None:
    for name in ("compiled", "written"):
        monkeypatch.setattr(checks, name, lambda name=name: written if name == "written" else changed)
    monkeypatch.setattr(checks, "short", changed)


def test_a_slower_or_other_network_breaks_t12(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T12; the other way round it holds."""
    in_place_of(monkeypatch, noise, slower)
    assert refuted("T12", "time", settings=SMALL)
    in_place_of(monkeypatch, noise, other)
    assert refuted("T12", "pixels", settings=SMALL)
    in_place_of(monkeypatch, slower, noise)
    assert verdict_of("T12", settings=SMALL) is Verdict.HOLDS


def test_a_faster_or_equal_network_breaks_t12a(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T12a."""
    in_place_of(monkeypatch, slower, noise)
    assert refuted("T12a", "time", "pixels", settings=SMALL)


def test_the_network_as_written_is_that_of_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    y, v = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)), torch.ones(1)
    with torch.no_grad():
        assert torch.isfinite(checks.short(y, v)).all()
        assert (checks.short(y, v) - checks.written()(y, v)).abs().max() < 0.1
