"""The trained networks, from their files: the committed ones, or those of a training in a folder."""

from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

from ams.errors import UserError
from ams.samplers import Score
from experiments.images.networks.loading import fill, parsed, stored
from experiments.mri.forward import Scan, encoding
from experiments.mri.guidance import Examples, keys, kinds
from experiments.mri.networks import Denoiser, Sizes, score_of
from experiments.mri.unrolled import DenoisingModule, Unrolled

WEIGHTS = Path(__file__).parent / "weights"
SHA256 = {
    "prior": "12636e697c5adc137ba7aabf4ecf4a58b7ec04a03763111d6e7a4a14965c5c90",
    "module": "eaecdb910227ba85818a4b9ef157becc185178079a1bb87978fdfe57aa160fcf",
    "unguided": "0dc10c3e18552d5d3ce9ded810bbfdd9ffb67e53e978ad8612527c41f7893f15",
    "guided": "a5f6f97ae4915d1cb05080c8eb24d5272cf31459b024cc879e50e1f247815323",
    "module-quarter": "5517a8eec2eb1e74c438228077c32b2e8dd37a5070415dc026d57dfc60d8712b",
    "unguided-quarter": "7ad7d3332a3a31be9d611d94ad5caf9eb05bdfbccf2ab7f12dd73a82fb6d5469",
    "guided-quarter": "4e6b42e2cf3897e4b2c4f3cf6bd886f47fb00371e7930e9ae1abc07f4385c3e6",
}
"""Of the committed files, by name."""


@cache
def prior_score() -> Score:
    """Return the score of the committed prior."""
    return prior_of(WEIGHTS / "prior.safetensors", SHA256["prior"])


def prior_of(path: Path, sha256: str | None = None) -> Score:
    """Return the score of a prior in a file. Raises UserError."""
    return score_of(_filled(Denoiser(Sizes()), path, sha256)).score


@cache
def committed(name: str) -> Any:
    """Return a committed network that learned from pairs."""
    network = DenoisingModule() if name.startswith("module") else Unrolled()
    return _filled(network, WEIGHTS / f"{name}.safetensors", SHA256[name])


def module_of(path: Path) -> Any:
    """Return a denoising module in a file. Raises UserError."""
    return _filled(DenoisingModule(), path, None)


def _filled(network: nn.Module, path: Path, sha256: str | None) -> Any:
    """Return the network with a file's weights; `sha256` is that of a committed file. Raises UserError."""
    given = stored(path, sha256) if sha256 else parsed(_bytes(path), str(path))
    return fill(network, given, str(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): train it first") from None


def examples_of(folder: Path, held_out: bool) -> list[Examples]:
    """Return the examples that `ams train-mri examples` wrote. Raises UserError."""
    path = folder / "examples.safetensors"
    held, listed = parsed(_bytes(path), str(path)), []
    for (acceleration, mask), key in zip(kinds(held_out), keys(held_out), strict=True):
        x, b, seen, subject = (held[f"{key}.{name}"] for name in ("x", "b", "seen", "subject"))
        listed.append(Examples(x, Scan(b, encoding(x.shape[-1], acceleration, mask)), seen, subject))
    return listed
