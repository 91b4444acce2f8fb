"""The strict reader of trained networks: the file that was asked for is read whole, any other is one line."""

from pathlib import Path

import pytest
import torch

from ams.errors import UserError
from experiments.graphs.graph_layout import Layout
from experiments.graphs.train_config import TrainConfig
from experiments.graphs.trained import Origin, networks_in, read_trained
from experiments.weights import write

ORIGIN = Origin.of(TrainConfig(width=4, layers=2, convolutions=1), "the graphs' sha256")


def written(path: Path) -> str:
    """Write networks of random weights; return the file's sha256."""
    torch.manual_seed(1)
    return write(path, ORIGIN.modules().state_dict(), {"origin": ORIGIN.model_dump()})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    both, origin = read_trained(tmp_path / "n.safetensors", written(tmp_path / "n.safetensors"))
    torch.manual_seed(1)
    modules, layout = ORIGIN.modules(), Layout.of([4, 3])
    assert origin == ORIGIN
    x, a = torch.randn(7, 10), torch.randn(9)
    for one, other in zip(both, networks_in(modules), strict=True):
        assert torch.equal(one(x, a, layout), other(x, a, layout))
        assert not any(parameter.requires_grad for parameter in one.parameters())


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.safetensors"
    sha256 = written(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(UserError, match=f"n.safetensors: sha256 .*, expected {sha256}"):
        read_trained(path, sha256)
