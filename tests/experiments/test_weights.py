"""Files of weights that say how they were made."""

import hashlib

import pytest
import torch

from ams.errors import UserError
from experiments import weights
from experiments.images.networks.loading import stored

TENSORS = {"b": torch.arange(3.0), "a": torch.ones(2, 2)}


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "w.safetensors"
    sha256 = weights.write(file, TENSORS, {"seconds": 1.5})
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert all(torch.equal(TENSORS[name], tensor) for name, tensor in stored(file, sha256).items())
    assert weights.about(file) == {"seconds": 1.5, "tensors": weights.digest(TENSORS)}


def test_the_digest_is_of_the_tensors_alone():
    assert weights.digest(TENSORS) == weights.digest(dict(sorted(TENSORS.items())))
    for changed in ({"a": TENSORS["a"]}, {**TENSORS, "b": torch.arange(3.0) + 1e-7}, {**TENSORS, "a": torch.ones(4)}):
        assert weights.digest(changed) != weights.digest(TENSORS)


def test_a_changed_file_is_not_used(tmp_path):
    file = tmp_path / "w.safetensors"
    sha256 = weights.write(file, TENSORS, {})
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="restore it"):
        stored(file, sha256)


def test_a_file_of_another_kind_says_nothing(tmp_path):
    (tmp_path / "w").write_bytes(b"PK not a file of weights")
    for file in (tmp_path / "w", tmp_path / "missing"):
        with pytest.raises(UserError):
            weights.about(file)


def test_tensors_in_another_memory_order_are_the_same_weights(tmp_path):
    """A convolution of 1 x 1 counts as contiguous in either order, and has other strides in the order of channels."""
    for side in (1, 3):
        plain = torch.randn(4, 8, side, side)
        other = plain.clone(memory_format=torch.channels_last)
        assert plain.stride() != other.stride() and weights.digest({"w": plain}) == weights.digest({"w": other})
        made = [weights.write(tmp_path / f"{n}", {"w": each}, {}) for n, each in enumerate((plain, other))]
        assert made[0] == made[1]
