"""What is left where the data have no variance: nothing by clean methods; and what no other direction shows."""

from dataclasses import replace

import pytest
import torch

from samplercheck import Sampler, conform
from samplercheck.dead_directions import dead_direction
from samplercheck.report import REFUTED
from tests.samplercheck.references import REFERENCES, karras


@pytest.mark.parametrize("name", REFERENCES)
def test_a_clean_method_leaves_nothing_but_its_last_noise_level(name: str) -> None:
    """The reverse SDE's Euler method returns its state at the last level, 0.02."""
    left = dead_direction(REFERENCES[name].sampler(name)).left.values()
    assert max(left) <= (0.02 + 1e-9 if name == "reverse SDE" else 1e-13)


def with_noise(name: str, size: float) -> Sampler:
    """Return a reference that draws noise of this size at its end."""
    clean = REFERENCES[name].sampler(f"{name} and noise")

    def run(network, x, steps, draws):  # type: ignore[no-untyped-def]
        end = clean.run(network, x, steps, draws)
        return end + size * torch.randn_like(end)

    return replace(clean, run=run)


STOPS = REFERENCES["reverse SDE"].sampler("stops at 0.06", lambda steps: karras(steps, final=0.06))
NOISY = [with_noise("ancestral", 0.07), with_noise("Euler-Maruyama", 0.06)]


@pytest.mark.parametrize("sampler", [STOPS, *NOISY], ids=lambda sampler: sampler.name)
def test_noise_that_other_directions_hide_is_refuted_here_alone(sampler: Sampler) -> None:
    assert [each.check for each in conform(sampler).judgements if each.verdict == REFUTED] == ["dead direction"]
