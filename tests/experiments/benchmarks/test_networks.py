"""T10, T12 and T12a: a sampler's own part of the time around a network, and other formulations of one."""

import itertools
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from experiments.benchmarks import costs, networks
from tests.claims import refuted, verdict_of
from tests.experiments.benchmarks.tools import SMALL
from verdicts.claims.schema import Verdict

CHECKS = ("annealed", "corrector", "annealed_all", "corrector_all")
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


def normal_score(x, level):
    """Return the score of a standard normal distribution with the level's noise."""
    return -x / (1 + level.sigma**2)


def test_both_formulations_make_equal_samples():
    """Eleven evaluations in float32 differ by rounding, 1e-5 of the start's 10."""
    theirs, ours = networks.theirs(SMALL, normal_score), networks.ours(SMALL, "PC, adaptive", normal_score)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.equal(ours, networks.start(SMALL)[0])


@pytest.fixture
def set_shares(monkeypatch):
    """Let evaluations take a second and draws `draw` seconds; runs in turn take these shares outside the network."""

    class Network:
        score = staticmethod(normal_score)

    def set_shares(*shares, draw=0.0):
        evaluations, turns = 0, itertools.cycle(shares)

        def call(timed, *arguments):
            nonlocal evaluations
            evaluations += len(arguments) == 2
            timed.seconds += 1.0 if len(arguments) == 2 else draw
            return timed.function(*arguments)

        def cpu_seconds(work):
            nonlocal evaluations
            evaluations = 0
            work()
            return (1 + next(turns)) * evaluations

        monkeypatch.setattr(networks.Timed, "__call__", call)
        monkeypatch.setattr(costs, "cpu_seconds", cpu_seconds)

    monkeypatch.setattr(networks, "mnist_ve", Network)
    return set_shares


@pytest.mark.parametrize(
    ("share", "draw", "verdicts"),
    [(0.03, 0.0, [REFUTED] * 4), (0.015, 0.0, [REFUTED] * 2 + [HOLDS] * 2), (0.015, 0.008, [HOLDS] * 4)],
)
def test_the_overhead_is_what_is_not_the_networks(set_shares, share, draw, verdicts):
    """Falsifier of T10: a sampler that adds 3 % (or 1.5 %) to the network's time."""
    set_shares(share, draw=draw)
    assert [verdict_of("T10", check, SMALL) for check in CHECKS] == verdicts


@pytest.mark.parametrize(("theirs", "ours", "verdict"), [(0.005, 0.05, REFUTED), (0.01, 0.005, HOLDS)])
def test_throughput_is_compared_with_the_authors_formulation(set_shares, theirs, ours, verdict):
    """Falsifier of T10: an authors' formulation that takes less time than ours."""
    set_shares(theirs, ours)
    assert verdict_of("T10", "throughput", SMALL) is verdict


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
    monkeypatch.setattr(networks, "network", lambda kind: written if kind == "written" else changed)


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
        assert torch.isfinite(networks.short(y, v)).all()
        assert (networks.short(y, v) - networks.network("written")(y, v)).abs().max() < 0.1
