"""Networks at their published sizes: the list of modules is that of score_sde's layout, and a checkpoint fills it."""

import pytest
import torch

from ams.data import load_weights
from experiments.images.networks import ncsnpp
from experiments.images.networks.ncsnpp_architectures import ARCHITECTURES
from tests.experiments.images.original import checkpoint, made


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_a_made_checkpoint_of_published_layout_is_converted(name: str) -> None:
    """A file with every key of the published layout, narrow: its averaged weights, strictly loaded, give score_sde's
    own output."""
    sizes = ARCHITECTURES[name]._replace(width=8)
    named, forward = made(sizes)
    network = ncsnpp.network(ncsnpp.averaged(load_weights(checkpoint(named), "w.pth"), "w.pth"), "w.pth")
    side = 2 ** (len(sizes.multiples) - 1) if sizes.side > 64 else sizes.side
    x, time = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)), torch.tensor(2.0)
    scale = 2.0 if sizes.fourier else 1.0
    forward.sizes = sizes._replace(attended=tuple(at * side // sizes.side for at in sizes.attended))
    torch.testing.assert_close(network(x, time), scale * forward(x, time[None]), rtol=1e-4, atol=2e-4)
