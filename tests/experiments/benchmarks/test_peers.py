import sys

import pytest

from ams.errors import DataUnavailable
from ams.samplers import ancestral, flow_euler
from experiments.benchmarks.peers import checks as peers
from experiments.benchmarks.small import judged
from verdicts.claims.schema import Verdict

SMALL = peers.Settings(image=(3, 2, 2, 2), point=(4, 2), image_steps=3, point_steps=6, pairs=6)
INSTALLED = {"k_diffusion": peers.k_diffusion, "azula": peers.azula}


def installed(peer):
    try:
        INSTALLED[peer]()
    except DataUnavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("peer", peers.PEERS)
@pytest.mark.parametrize("kernel", [ancestral, flow_euler])
def test_the_same_noise_gives_the_same_samples(peer, kernel):
    """Float32 sums in another order, at a scale of 10: differences are rounding."""
    installed(peer)
    assert peers.deviation(peer, kernel, SMALL) < 2e-4


def test_a_slower_library_breaks_t2(monkeypatch):
    """Falsifier of T2: a clock by which ours takes a tenth more than a peer (here: ours again)."""
    same = {peer: (peers.ours, {ancestral: ancestral}) for peer in peers.PEERS}
    monkeypatch.setattr(peers, "PEERS", same)
    for peer in same:
        assert judged("T2", f"T2.{peer}", SMALL, monkeypatch, 1.1) is Verdict.REFUTED
        assert judged("T2", f"T2.{peer}", SMALL, monkeypatch, 0.9) is Verdict.HOLDS


def test_an_absent_peer_is_no_failure(monkeypatch):
    monkeypatch.setitem(sys.modules, "azula.sample", None)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"bash reproduce\.sh bench"):
        peers.azula()
    with pytest.raises(DataUnavailable, match="not installed"):
        peers.k_diffusion()
