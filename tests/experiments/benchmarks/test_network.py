import itertools

import pytest
import torch

from experiments.benchmarks import timing
from experiments.benchmarks.network_share import checks as network
from experiments.benchmarks.network_share.settings import Settings
from tests.claims import verdict_of
from verdicts.claims.schema import Verdict

SMALL = Settings(batch=3, budget=11, runs=8)
CHECKS = ("annealed", "corrector", "annealed_all", "corrector_all")
HOLDS, REFUTED = Verdict.HOLDS, Verdict.REFUTED


def normal_score(x, level):
    """Return the score of a standard normal distribution with the level's noise."""
    return -x / (1 + level.sigma**2)


def test_both_formulations_make_equal_samples():
    """Eleven evaluations in float32 differ by rounding, 1e-5 of the start's 10."""
    theirs, ours = network.theirs(SMALL, normal_score), network.ours(SMALL, "PC, adaptive", normal_score)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.equal(ours, network.start(SMALL)[0])


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

        monkeypatch.setattr(network.Timed, "__call__", call)
        monkeypatch.setattr(timing, "cpu_seconds", cpu_seconds)

    monkeypatch.setattr(network, "mnist_ve", Network)
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
