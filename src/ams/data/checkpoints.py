"""Weights that `torch.save` wrote, read by torch's own reader for weights, which runs no code of
the file.
"""

import io
import pickle
import warnings
import zipfile
from collections import OrderedDict
from typing import Any

from ams.data.safe_read import LARGEST, guarded


def load_weights(content: bytes, where: str, largest: int = LARGEST) -> Any:
    """Return the dictionary or list in a file of weights, with tensors on the CPU; an EasyDict
    becomes an OrderedDict.

    Raises UserError, one line that names `where`, for damage, another format, more than `largest`
    bytes, and for anything but tensors, numbers, strings and containers.
    """
    import torch

    stand_in: list[Any] = [(OrderedDict, "easydict.EasyDict")]  # in the files of GDSS
    with guarded(where, "a file of weights"):
        _check(content, largest)
        try:
            with (
                torch.serialization.safe_globals(stand_in),
                warnings.catch_warnings(action="ignore"),
            ):
                value = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            reason = str(error).split("WeightsUnpickler error: ")[-1].split("\n")[0]
            raise ValueError(
                f"it is damaged or has more than tensors and plain values: {reason}"
            ) from None
        if not isinstance(value, dict | list):
            raise ValueError("it has no dictionary and no list")
        return value


def _check(content: bytes, largest: int) -> None:
    """Raise ValueError for more than `largest` bytes, also in the zip archive that newer files are,
    or wrong checksums.

    An archive has a checksum for each of its entries, which torch's reader ignores.
    """
    size = len(content)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size <= largest and (damaged := archive.testzip()):
                raise ValueError(f"{damaged} does not match its checksum")
    if size > largest:
        raise ValueError(f"has {size >> 20} MiB, more than the {largest >> 20} allowed")
