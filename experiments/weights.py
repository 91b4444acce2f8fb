"""Weights that the suite's own commands trained: safetensors files that say how they were made.

The file's header holds one entry, `training`: JSON with the command, settings, seconds, losses,
versions. Two runs of one command differ in their seconds, so the tensors have a checksum of their
own, `digest`, to compare runs by.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ams.data.safe_read import LARGEST, content_of, guarded
from verdicts.records.files import canonical_json, write_whole


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 of the tensors alone: names, types, shapes and numbers, in the order of the
    names.
    """
    checksum = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        checksum.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # strides of dimensions of size 1 may be any
        numbers = tensor.detach().cpu().contiguous().flatten()
        checksum.update(numbers.view(torch.uint8).numpy().tobytes())
    return checksum.hexdigest()


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> str:
    """Write the tensors and how they were made, whole or not at all; return the file's sha256.

    Raises OSError where it cannot be written, ValueError for a number in `about` that is not
    finite.
    """
    from safetensors.torch import save

    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(held, {"training": canonical_json({**about, "tensors": digest(held)})})
    write_whole(path, content)
    return hashlib.sha256(content).hexdigest()


def about(path: Path) -> dict[str, Any]:
    """Return how the weights in a file were made. Raises UserError, one line."""
    content = content_of(path, LARGEST)
    end = 8 + int.from_bytes(content[:8], "little")
    with guarded(str(path), "a safetensors file that says how it was made"):
        return dict(json.loads(json.loads(content[8:end])["__metadata__"]["training"]))
