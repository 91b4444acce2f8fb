"""Determinism and rounding: the verdicts, and the breaks that flip them."""

import pytest
import torch

from analysis.rounding import checks as rounding
from tests.claims import claims, verdict_of
from verdicts.claims.schema import Verdict


@pytest.mark.parametrize("identifier", ["S2", "S3"])
def test_claims_come_out_as_expected(identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_an_unseeded_draw_breaks_s2(monkeypatch):
    """Falsifier of S2: draws from torch's own generator instead of the seeded one."""

    def unseeded(generator, dtype):
        return lambda x: torch.randn(x.shape, dtype=torch.float64).to(dtype)

    monkeypatch.setattr(rounding, "_rounded", unseeded)
    assert verdict_of("S2") is Verdict.REFUTED


def test_a_coarser_arithmetic_breaks_s3(monkeypatch):
    """Falsifier of S3: one side's samples rounded to bfloat16, three significant digits."""
    true = rounding.sampled

    def coarse(settings, sampler, dtype):
        x = true(settings, sampler, dtype)
        return x if dtype is torch.float64 or torch.get_num_threads() == 2 else x.bfloat16().float()

    monkeypatch.setattr(rounding, "sampled", coarse)
    with rounding.threads(1):
        assert verdict_of("S3", only="precision") is Verdict.REFUTED
        assert verdict_of("S3", only="threads") is Verdict.REFUTED


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), rounding.threads(2):
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before
