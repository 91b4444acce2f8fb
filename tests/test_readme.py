"""README's own code runs, and what it names exists."""

import re
from pathlib import Path

import pytest
import torch

from ams.laws import GaussianLaw
from ams.ledger.loading import load_claims
from ams.noise import Level
from ams.samplers import Info, langevin, sample

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def step():
    """Return the sampler that README shows how to add: plain Langevin."""
    names = {"Info": Info}
    exec(next(block for block in BLOCKS if "my_step" in block), names)
    return names["my_step"]


def test_the_shown_sampler_is_langevin_on_particles(step):
    ends = []
    for one in (step, langevin()):
        generator = torch.Generator().manual_seed(1)
        start = torch.ones(4, 3, dtype=torch.float64)
        program = [(one, Level(0, sigma=0.0, step=0.1))] * 20
        ends.append(sample(program, start, lambda x, level: -x, generator)[0].x)
    assert torch.allclose(*ends, rtol=0, atol=1e-12)


def test_the_shown_sampler_has_its_exact_law(step):
    law = GaussianLaw([1.0])
    state, _ = law.end([(step, Level(0, sigma=0.0, step=0.1))] * 400, law.start(0.0, 1.0))
    assert law.moments(state.x).variance.item() == pytest.approx(1 / (1 - 0.05), rel=1e-12)


def test_every_file_that_is_named_is_there():
    named = re.findall(r"`((?:paper|analysis|src|tests)/[\w./-]*)`", TEXT)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_claim_that_is_named_is_there():
    known = {claim.id for claim in load_claims(ROOT).claim}
    table = "".join(line for line in TEXT.splitlines() if line.startswith("| P"))
    assert set(re.findall(r"\b[A-Z]\d[a-c]?\b", table)) - {"P1", "P2", "P4", "P5", "P6"} <= known
