"""The two sides of T10 make the same samples, and its shares are shares; nothing is timed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from experiments.benchmarks import timing
from experiments.benchmarks.network_share import checks as network
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = network.Settings(batch=3, budget=11, runs=6)


def plain(x: Tensor, level: Level) -> Tensor:
    """Return the score of a standard normal law."""
    return -x / (1 + level.sigma**2)


def test_both_formulations_make_the_same_samples() -> None:
    """In float32, eleven evaluations: differences are rounding, 1e-5 of the start's 10."""
    theirs, ours = network.theirs(SMALL, plain), network.run(SMALL, "PC, adaptive", plain)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.equal(ours, network.start(SMALL)[0])


def test_the_overhead_is_what_is_not_the_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of T10: a sampler that takes a thirtieth of the network's time on top; a release that takes less."""
    monkeypatch.setattr(network, "score", lambda: plain)
    shares, draw, asked = itertools.cycle([0.03]), 0.0, 0

    def a_second_each(self: network.Watched[...], *args: Any) -> Tensor:
        nonlocal asked
        asked += len(args) == 2
        self.seconds += 1.0 if len(args) == 2 else draw
        return self.function(*args)

    def seconds(work: Callable[[], object]) -> float:
        nonlocal asked
        asked = 0
        work()
        return (1 + next(shares)) * asked

    monkeypatch.setattr(network.Watched, "__call__", a_second_each)

    def verdict(check: str) -> Verdict:
        network.of_sampler.cache_clear()
        return verdict_of("T10", check, SMALL)

    monkeypatch.setattr(timing, "seconds", seconds)
    checks = ("annealed", "corrector", "annealed_all", "corrector_all")
    assert [verdict(check) for check in checks] == [Verdict.REFUTED] * 4
    shares = itertools.cycle([0.015])
    assert [verdict(check) for check in checks] == [Verdict.REFUTED] * 2 + [Verdict.HOLDS] * 2
    draw = 0.008
    assert [verdict(check) for check in checks] == [Verdict.HOLDS] * 4
    network.of_sampler.cache_clear()
    shares = itertools.cycle([0.005, 0.05])
    assert verdict_of("T10", "throughput", SMALL) is Verdict.REFUTED
    shares = itertools.cycle([0.01, 0.005])
    assert verdict_of("T10", "throughput", SMALL) is Verdict.HOLDS
