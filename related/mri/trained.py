"""The trained networks, from their files: the committed ones, or those of a training in a
folder.
"""

from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

from ams.errors import UserError
from ams.samplers import Score
from experiments.images.networks.loading import fill, parsed, stored
from related.mri.forward import Scan, encoding
from related.mri.guidance import Examples, kinds
from related.mri.networks import Denoiser, Sizes, score_of
from related.mri.unrolled import DenoisingModule, Unrolled

WEIGHTS = Path(__file__).parent / "weights"
SHA256 = {
    "prior": "12636e697c5adc137ba7aabf4ecf4a58b7ec04a03763111d6e7a4a14965c5c90",
    "module": "eaecdb910227ba85818a4b9ef157becc185178079a1bb87978fdfe57aa160fcf",
    "unguided": "06965333a17276dc07ef6fdb2b7e0209a70d0db774f8b38deb08c13659a7ace9",
    "guided": "bca7a9636632057d4107d113c31f265b60caad4d9d9704246d5413873fd10626",
    "module-quarter": "5517a8eec2eb1e74c438228077c32b2e8dd37a5070415dc026d57dfc60d8712b",
    "unguided-quarter": "361429b6b6b2d9611e9859cc2b350afb6eaa3d7a61fb19f8044d66bcb9c87d7e",
    "guided-quarter": "93dfb5a361466210ad4c3bff6e6af2fb38c065415cfe98e88648de5c870b9d53",
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
    """Return the network with a file's weights; `sha256` is that of a committed file. Raises
    UserError.
    """
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
    for key, (acceleration, mask) in kinds(held_out).items():
        x, b, seen, subject = (held[f"{key}.{name}"] for name in ("x", "b", "seen", "subject"))
        listed.append(
            Examples(x, Scan(b, encoding(x.shape[-1], acceleration, mask)), seen, subject)
        )
    return listed
