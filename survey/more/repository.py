"""Files of a repository that no package index has: executed only if all of its bytes are those of a known commit.

They lie in `$AMS_DATA/code/more/OWNER+NAME`, copied from a checkout of the commit in `REPOSITORIES`.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import MagicMock

from ams.data.files import PUT
from ams.errors import DataUnavailable, UserError
from samplercheck import adapters
from samplercheck.sampler import Run, Sampler


class Repository(NamedTuple):
    """The commit of a checkout, and the checksum of its files here."""

    commit: str
    files: str


REPOSITORIES: dict[str, Repository] = {
    "archinetai/audio-diffusion-pytorch": Repository(
        "f4052e321c820e467e51e14d005f3d0077997278", "ba3d47a870fe9859df70c1e353e1336755ba2e152d8789e32fa6e5bc7c187193"
    ),
    "baofff/U-ViT": Repository(
        "ce551708dc9cde9818d2af7d84dfadfeb7bd9034", "f5552be33d27438b77ecb1e5cbc1660579ec66cf37ce4cfff8883c6526496ee4"
    ),
    "CleanDiffuserTeam/CleanDiffuser": Repository(
        "05f17fc9dbeae7c19a5e264632c9ae9aaac5994e", "8419a3ae98e15ffd030af349d1274441ad3e64cb5af06815bf5825a2362b0930"
    ),
    "CompVis/latent-diffusion": Repository(
        "a506df5756472e2ebaf9078affdde2c4f1502cd4", "8947b7b480118ef84d7c5ff47a0d6fc55c82449d5cf7cb2900542056a24c8635"
    ),
    "crowsonkb/v-diffusion-pytorch": Repository(
        "439ed4caf765ec6f8fccb52213a859cac9e76d3b", "1bce59089da99a088a8105a8608283629d82e64d7c3d713158021ec26f925f49"
    ),
    "facebookresearch/flow_matching": Repository(
        "11568d37f8d5a080e12aa7b5305d9c35ae07d136", "88d8a2696625fd57c2765a017771f1f4c4c3b2aa1c50e635cd48958c001179d6"
    ),
    "jwohlwend/boltz": Repository(
        "832486dafed7b80e1246a3fed895e9bb03976558", "a379ac89a7ee8dfb689d176b1cf72666758f2d584dfdfbf5f64fbf43fc60b247"
    ),
    "lucidrains/alphafold3-pytorch": Repository(
        "1fd83f319b58a0bd78507f16e9cb75943655770f", "b40194d972ad994731d3c9a28a0ef5726d849c67ab355dfd7148b3d47d7d2740"
    ),
    "lucidrains/rectified-flow-pytorch": Repository(
        "26fbed9429771539726664f288e064fd93ca065f", "2441a3487957a657dc58af4bab3acbc4d889fec1c2056055562f17178c465d8e"
    ),
    "NVlabs/edm2": Repository(
        "4bf8162f601bcc09472ce8a32dd0cbe8889dc8fc", "648cf229c2912bf76905f70c3d18366c6bb32d1903ae668361c4f0a1fc0adeab"
    ),
    "openai/consistency_models": Repository(
        "e32b69ee436d518377db86fb2127a3972d0d8716", "71e6545bd59962b7d92aa1edb5576fb1bed7ae24b2c736c7a3a279f412e6c81b"
    ),
    "openai/guided-diffusion": Repository(
        "22e0df8183507e13a7813f8d38d51b072ca1e67c", "7b59df00aab4c825a1a32a655a6aa5232f6fda159bf855535adccf49059eafc8"
    ),
    "Stability-AI/generative-models": Repository(
        "0ad7de9a5cb53fd63d6d30a4f385485e72e08597", "7f90e23ef96e9f0cdd18d2348bba39743b3669b602ae1ee2b5d2a6ac5324f783"
    ),
    "Stability-AI/stable-audio-tools": Repository(
        "50049e379e2fe8e35bffc99e57f23ade1c3471b7", "dc5fb5f498972724f42de1806cddf8e8e8cea08e219d3b9c88e8dc4bde7d703d"
    ),
    "Tencent-Hunyuan/HunyuanVideo": Repository(
        "fa14b001c18f37191c938a9ef6baad3b9b472759", "1b7312054b4f9576f1bdf8a3497854b95907b1d3febd596cd542397ec29624b4"
    ),
    "Wan-Video/Wan2.1": Repository(
        "9737cba9c1c3c4d04b33fcad41c111989865d315", "caa2436842db137ce33a92ae538b290e5198bea8efc5eb8e586f21dd9e698d97"
    ),
    "willisma/SiT": Repository(
        "947f95bd3a510e9af441d38c1e9f72e0eee873c5", "7ad760e6238140c0887712874009889c68e2c8f7d8d0edf350bce764b4b64797"
    ),
}


def digest(folder: Path) -> str:
    """Return the checksum of a folder: of the names and contents of its Python files, in order."""
    files = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    return sha256(b"".join(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() for path in files)).hexdigest()


@cache
def folder(name: str) -> Path:
    """Return the folder of a repository. Raises DataUnavailable where its files are missing or not the listed ones."""
    place = Path(os.environ.get("AMS_DATA", ""), "code", "more", name.replace("/", "+"))
    if not os.environ.get("AMS_DATA") or not place.is_dir() or digest(place) != REPOSITORIES[name].files:
        missing, commit = f"the code of {name}", REPOSITORIES[name].commit
        remedy = f"copy the files of https://github.com/{name} at {commit} to $AMS_DATA/code/more/{place.name}"
        raise DataUnavailable(f"{missing} is missing or another: {remedy}", missing, PUT)
    return place


@cache
def code(name: str, path: str, *stand_ins: str) -> ModuleType:
    """Return a file of a repository as a module; `stand_ins` are modules that it imports and no sampler calls."""
    file = folder(name) / path
    with standing_in(stand_ins):
        return adapters.module_of(file)


@contextmanager
def standing_in(names: Iterable[str]) -> Iterator[None]:
    """Put an empty module in for each that is not installed, and take it away."""
    before = set(sys.modules)
    for name in names:
        sys.modules.setdefault(name, MagicMock())
    sys.dont_write_bytecode, written = True, sys.dont_write_bytecode
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        for name in set(names) - before:
            del sys.modules[name]


def importable(name: str) -> None:
    """Let a repository's modules be imported by their own names."""
    if (place := str(folder(name))) not in sys.path:
        sys.path.append(place)


def first_word(kind: str) -> str:
    """Return the class or the function of a kind of sampler, whose name may go on with what is set."""
    return kind.partition(" ")[0]


def sampler(name: str, kind: str, run: Run, start: float = 1.0, **stated: Any) -> Sampler:
    """Return a sampler of a repository, whose start has a standard deviation that no number of steps changes."""
    return Sampler(f"{name}:{kind}", REPOSITORIES[name].commit[:8], run, lambda steps: start, **stated)


def adapter(name: str, samplers: Mapping[str, Callable[[str], Sampler]]) -> adapters.Adapter:
    """Return the adapter of a repository from what makes each of its samplers, from its name."""

    def load(kind: str, settings: dict[str, Any]) -> Sampler:
        if settings:
            raise UserError(f"{name}:{kind} takes no settings here: it is at its defaults")
        folder(name)
        return samplers[kind](kind)

    def release() -> str:
        folder(name)
        return REPOSITORIES[name].commit[:8]

    return adapters.Adapter(partial(list, samplers), load, release)
