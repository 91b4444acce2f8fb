import sys

import pytest
import torch

from ams import samplers as sm
from ams.errors import DataUnavailable
from experiments.benchmarks import peers
from tests.ams.tools import assert_equal, found_or_skipped, trajectory
from tests.experiments.benchmarks.tools import SMALL, flips

MODULES = {"k_diffusion": peers.k_diffusion, "azula": peers.azula}


@pytest.mark.parametrize("peer", peers.PEERS)
@pytest.mark.parametrize("kernel", [sm.ancestral, sm.flow_euler])
def test_equal_noise_gives_equal_samples(peer, kernel):
    """Float32 sums in another order differ by rounding at a scale of 10. Euler's rule uses no noise."""
    found_or_skipped(MODULES[peer])
    run_peer, names = peers.PEERS[peer]
    case = peers.case(SMALL.point, SMALL.point_steps, SMALL.seed)
    torch.manual_seed(SMALL.seed)
    noise = [torch.randn_like(case.start) for _ in range(len(case.levels) - 1)] if kernel is sm.ancestral else []
    torch.manual_seed(SMALL.seed)
    theirs = run_peer(case, names[kernel])
    program = sm.one_step_per_level(sm.affine(kernel), case.levels)
    assert_equal(trajectory(program, case.start, case.target.score, noise)[-1], theirs, 0.0, 2e-4)


def test_a_slower_library_breaks_t2(monkeypatch):
    """Falsifier of T2: a clock by which this library takes a tenth more than another (here: itself)."""
    itself = {peer: (peers.ours, {sm.ancestral: sm.ancestral}) for peer in peers.PEERS}
    monkeypatch.setattr(peers, "PEERS", itself)
    for peer in itself:
        assert flips(f"T2.{peer}", monkeypatch, 1.1, 0.9)


def test_an_absent_library_is_unavailable(monkeypatch):
    monkeypatch.setitem(sys.modules, "azula.sample", None)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"bash reproduce\.sh bench"):
        peers.azula()
    with pytest.raises(DataUnavailable, match="not installed"):
        peers.k_diffusion()
