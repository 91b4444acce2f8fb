"""Weights into networks, strictly: each tensor has its place, none is missing or left over,
every number is finite.
"""

import hashlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ams.data import load_weights
from ams.data.files import read
from ams.data.registry import WEIGHTS
from ams.data.safe_read import bytes_of, guarded
from ams.errors import DataUnavailable, UserError

LARGEST = 2**30
"""Bytes of weights that a file given by its path may hold."""


def published(source: str, prefix: str) -> tuple[str, dict[str, Tensor]]:
    """Return the place of a file of weights and its tensors, `prefix` taken off their names where
    they have it.

    The file, in the format of `torch.save`, is named in the registry (checksum verified) or by its
    path; one that bears a registered one's name must be that one. Raises UserError, one line, for a
    path that cannot be read or is another file under such a name, and for other contents;
    DataUnavailable where a registered file cannot be had.
    """
    if source in WEIGHTS:
        path, _, content = read(source)
        return str(path), _tensors(content, str(path), prefix)
    try:
        content = bytes_of(Path(source), LARGEST)
    except OSError as error:
        names = ", ".join(name for name in WEIGHTS if not name.startswith("gdss"))
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"{source}: neither a registered file of weights ({names}) nor a file: {reason}"
        ) from None
    files = (file for entry in WEIGHTS.values() for file in entry.files)
    registered = next(
        (file.sha256 for file in files if Path(file.path).name == Path(source).name), None
    )
    if registered and (sha256 := hashlib.sha256(content).hexdigest()) != registered:
        raise UserError(
            f"{source}: sha256 {sha256}, {registered} is registered: changed "
            "or cut short; replace it"
        )
    return source, _tensors(content, source, prefix)


def _tensors(content: bytes, where: str, prefix: str) -> dict[str, Tensor]:
    held = load_weights(content, where)
    if not isinstance(held, Mapping) or not all(
        isinstance(tensor, Tensor) for tensor in held.values()
    ):
        raise UserError(f"{where}: not a dictionary of tensors, as the weights of a network are")
    return {str(name).removeprefix(prefix): tensor for name, tensor in held.items()}


def stored(path: Path, sha256: str) -> dict[str, Tensor]:
    """Return the tensors of a committed safetensors file. Raises UserError unless its bytes are
    those committed.
    """
    try:
        content = bytes_of(path, LARGEST)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: it comes with the suite; restore it") from None
    if (computed := hashlib.sha256(content).hexdigest()) != sha256:
        raise UserError(
            f"{path}: sha256 {computed}, expected {sha256}: not the committed file; restore it"
        )
    return parsed(content, str(path))


def parsed(content: bytes, where: str) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file's bytes. Raises UserError, one line that names
    `where`.
    """
    from safetensors.torch import load

    with guarded(where, "a safetensors file"):
        return load(content)


def optional(module: str, missing: str) -> Any:
    """Return a module that an extra installs. Raises DataUnavailable, with what to say, where it
    is missing.
    """
    try:
        return import_module(module)
    except ImportError:
        raise DataUnavailable(
            missing, module.partition(".")[0], missing.partition(": ")[2]
        ) from None


def fill(network: nn.Module, given: Mapping[str, Tensor], where: str) -> Any:
    """Return the network with these tensors, in evaluation mode and without gradients.

    Raises UserError, one line that names `where`: for tensors unknown or missing, another shape or
    type, a number that is not finite.
    """
    wanted = network.state_dict()
    for which, names in {
        "unknown": given.keys() - wanted.keys(),
        "missing": wanted.keys() - given.keys(),
    }.items():
        if names:
            raise UserError(
                f"{where}: {which} tensors {', '.join(sorted(names)[:4])} ({len(names)} in all)"
            )
    for name, place in wanted.items():
        tensor = given[name]
        if (tensor.shape, tensor.dtype) != (place.shape, place.dtype):
            held, expected = (f"{t.dtype} {tuple(t.shape)}" for t in (tensor, place))
            raise UserError(f"{where}: {name} is {held}, expected {expected}")
        if not torch.isfinite(tensor).all():
            raise UserError(f"{where}: {name} holds numbers that are not finite")
    network.load_state_dict(dict(given))
    return network.eval().requires_grad_(False)
