"""The kit on the suite's own samplers: what it says of rules that couple a batch, and what its maps are equal to."""

from dataclasses import replace

import pytest
import torch

from ams.integrations.samplercheck import MeanField
from ams.samplers.presets import AUTHORS, SPECS, SigmaRange
from samplercheck import conform
from samplercheck.adapters import adapter, load
from samplercheck.affine_map import read_map
from samplercheck.convergence import pushforward, two_targets
from tests.ams.tools import assert_equal


@pytest.mark.parametrize("name", ["annealed Langevin", "Euler ODE", "DPM-Solver++", "annealed BAOAB, tapered"])
def test_the_map_that_is_read_is_the_exact_law(name: str) -> None:
    data, sampler = two_targets(1.0), load(f"ams:{name}", {"repeats": 2})
    calls = 20 if name == "annealed Langevin" else 10
    program = list(SPECS[name].build(SigmaRange(20.0, 0.02), calls, AUTHORS._replace(repeats=2)))
    law, read = MeanField(program, data.mean, data.std.square()), pushforward(sampler, data, 10)
    for point in (3, -1):
        assert_equal(read.law(point, 0.5, 400.0), law.law(point, 0.5, 400.0), 1e-10, 1e-10)


@pytest.mark.parametrize("known", [True, False], ids=["with its mean field", "without"])
def test_a_rule_that_couples_its_batch_is_not_read_as_an_affine_map(known: bool) -> None:
    sampler = load("ams:PC, Langevin")
    assert read_map(sampler, two_targets(1.0).network(), 8, 6).defect < 1e-9  # within one batch superposition holds
    report = conform(sampler if known else replace(sampler, mean_field=None), steps=(12, 24, 48, 96))
    found = {judgement.check: judgement for judgement in report.judgements}
    assert found["rows independent"].verdict == "noted" and report.verdict == "inconclusive"
    assert "means over the batch" in found["rows independent"].why
    assert found["affine"].why.startswith("not affine, by " if known else "samples depend on the rest of their batch")
    assert found["affine"].verdict == ("noted" if known else "inconclusive")
    assert ("limit" in found) is known is (len(report.w2) == 3)


@pytest.mark.parametrize("name", adapter("ams").names())
def test_every_sampler_runs_in_the_kit(name: str) -> None:
    sampler, data = load(f"ams:{name}"), two_targets(1.0)
    mean, variance = pushforward(sampler, data, 10).law(-1, 0.0, sampler.prior(10) ** 2)
    assert torch.isfinite(mean).all() and (variance > 0).all()
