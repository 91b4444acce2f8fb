"""Samples that share a norm, a step size or a call with others are noted and judged, never refuted for it."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from samplercheck import Draws, Network, Sampler, conform, noise_level
from tests.samplercheck.references import geometric


def langevin(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Reverse diffusion with a Langevin step at each noise level, its size from norms averaged over the batch."""
    for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
        score, z = network("score", x, noise_level(1.0, a)), torch.randn_like(x)
        size = 2 * (0.16 * z.flatten(1).norm(dim=1).mean() / score.flatten(1).norm(dim=1).mean()) ** 2
        x = x + size * score + (2 * size).sqrt() * z
        moved = x + (a**2 - b**2) * network("score", x, noise_level(1.0, a))
        x = moved + math.sqrt(a**2 - b**2) * torch.randn_like(x) if b else moved
    return x


def adaptive(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Heun and Euler's pair in the logarithm of sigma, with one step size for the batch."""

    def slope(s: float, x: Tensor) -> Tensor:
        return -math.exp(-s) * network("eps", x, noise_level(1.0, math.exp(-s)))

    s, end = -math.log(10.0), -math.log(0.02)
    h = (end - s) / steps
    while s < end - 1e-9:
        h = min(h, end - s)
        first = slope(s, x)
        error = h / 2 * (slope(s + h, x + h * first) - first)
        size = float((error / (1e-3 + 1e-2 * x.abs())).square().mean().sqrt())
        s, x = (s + h, x + h * first + error) if size <= 1 else (s, x)
        h *= min(5.0, max(0.2, 0.9 * size**-0.5))
    return x


def guided(network: Network, x: Tensor, steps: int, draws: Draws, mean: float = 0.0) -> Tensor:
    """Euler's method with guidance of weight 3, whose two predictions come from one call; less `mean` of the batch."""
    for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
        given, free = network("eps", torch.cat([x, x]), noise_level(1.0, torch.full((2 * len(x),), a))).chunk(2)
        x = x + (b - a) * (free + 3 * (given - free)) - mean * free.mean(0)
    return x


@pytest.mark.parametrize(
    ("run", "noise", "verdict", "words"),
    [
        (langevin, None, "inconclusive", "share norms or a step size, and nothing else"),
        (adaptive, 0.0, "inconclusive", "share norms or a step size, and nothing else"),
        (guided, 0.0, "holds", "calls join 2 copies of all, answered alike"),
        (lambda *given: guided(*given, mean=0.01), 0.0, "refuted", "a sample alone, against the same in a batch"),
    ],
    ids=["norms", "step size", "one call", "means"],
)
def test_what_samples_share_is_noted_unless_they_are_mixed(run, noise, verdict, words) -> None:  # type: ignore[no-untyped-def]
    """An order of a step size that follows the error is inconclusive: the number of steps does not set it."""
    report = conform(Sampler("shares", "0", run, lambda steps: 10.0, 1 if run is guided else 2, noise))
    rows = next(each for each in report.judgements if each.check == "rows independent")
    assert report.verdict == verdict, report.text()
    assert rows.verdict == {"holds": "holds", "refuted": "refuted"}.get(verdict, "noted") and words in rows.why
