"""Recorded runs and rounding: verdicts, and the changes that flip them. One seed, the same
bytes.
"""

import hashlib
import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from pytest import MonkeyPatch
from torch import Tensor

from ams import samplers
from ams.samplers import momentum_rule
from analysis.rounding import checks
from analysis.rounding.settings import Settings
from tests.claims import ROOT, expected, quick_settings, refuted, verdict_of
from verdicts.claims.schema import Verdict

SHORT = quick_settings("rounding").model_copy(update={"budget": 10, "batch": 8})
PROGRAM = """
import sys
import torch
from tests.analysis.test_rounding import digest
torch.set_num_threads(1)
print(digest())
"""


def digest() -> str:
    """Return the sha256 of the bytes of the compared samplers' samples on the digits."""
    samples = (checks.sampled(SHORT, sampler).numpy().tobytes() for sampler in SHORT.samplers)
    return hashlib.sha256(b"".join(samples)).hexdigest()


def test_one_seed_gives_the_same_bytes() -> None:
    """In one process, with other draws in between, and in a fresh one; another seed gives
    others.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PROGRAM]
    fresh = subprocess.check_output(command, text=True, env=environment, cwd=ROOT).strip()
    with checks.threads(1):
        first = digest()
        torch.randn(1000)
        assert digest() == first == fresh
        other = SHORT.model_copy(update={"seed": SHORT.seed + 1})
        sampler = SHORT.samplers[0]
        assert not torch.equal(checks.sampled(SHORT, sampler), checks.sampled(other, sampler))


def test_s3_comes_out_as_expected() -> None:
    assert verdict_of("S3", settings=SHORT) is expected("S3")


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
