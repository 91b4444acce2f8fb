"""Recorded runs, determinism and rounding: the verdicts, and the changes that flip them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch
from torch import Tensor

from ams import samplers
from ams.samplers import momentum_rule
from analysis.rounding import checks
from analysis.rounding.settings import Settings
from tests.claims import expected, quick_settings, refuted, verdict_of
from verdicts.claims.schema import Verdict

SHORT = quick_settings("rounding").model_copy(update={"budget": 10, "batch": 8})


@pytest.mark.parametrize("identifier", ["S2", "S3"])
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict_of(identifier, settings=SHORT) is expected(identifier)


def test_an_unseeded_draw_breaks_s2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of S2: draws from torch's own generator instead of the seeded one."""

    def unseeded(generator: torch.Generator, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.randn(x.shape, dtype=torch.float64).to(dtype)

    monkeypatch.setattr(checks, "_rounded", unseeded)
    assert refuted("S2", "process", "fresh", settings=SHORT)


def test_a_coarser_arithmetic_breaks_s3(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of S3: one side's samples rounded to bfloat16, three significant digits."""
    exact = checks.sampled

    def coarse(settings: Settings, sampler: str, dtype: torch.dtype = torch.float32) -> Tensor:
        x = exact(settings, sampler, dtype)
        return x if dtype is torch.float64 or torch.get_num_threads() == 2 else x.bfloat16().float()

    monkeypatch.setattr(checks, "sampled", coarse)
    with checks.threads(1):
        for part in ("precision", "threads"):
            assert verdict_of("S3", only=part, settings=SHORT) is Verdict.REFUTED


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), checks.threads(2):
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before


def test_s1_holds() -> None:
    assert verdict_of("S1") is Verdict.HOLDS


def test_a_changed_step_leaves_the_trace(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of S1: the drift factor 1 + beta in the place of (1 + beta)^2."""

    def halved(*parts: Any, **more: Any) -> Any:
        return momentum_rule(*parts, **more, factor=lambda beta: 1 + beta)

    monkeypatch.setattr(samplers, "momentum_rule", halved)
    assert refuted("S1", "annealed", "corrected")
