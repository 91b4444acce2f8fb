"""Code that no package index has: executed only if its bytes are the known ones.

A *registered file* (`ams.data.registry`, `[code.*]`) comes from `$AMS_DATA/code/`, the cache, or
its public address where it has one. What it imports of its own repository is a registered file too,
or an empty stand-in that no sampler calls; so is what it imports beside PyTorch, NumPy and SciPy.

A *repository* lies in `$AMS_DATA/code/more/OWNER+NAME`, copied from a checkout of the commit in
`COMMITS`.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from hashlib import sha256
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader, all_suffixes
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any
from unittest.mock import MagicMock

from ams.data import registry
from ams.data.files import PUT, fetch, read
from ams.data.safe_read import LARGEST, bytes_of
from ams.errors import DataUnavailable, UserError
from samplercheck import adapters
from samplercheck.sampler import Run, Sampler

OWN = {
    "diff-solvers": {"solver_utils": "diff-solvers-utils"},
    "score-sde": {"sde_lib": "score-sde-lib", "models.utils": "score-sde-utils"},
    "score-sde-utils": {"sde_lib": "score-sde-lib"},
    "comfyui": {
        "comfy.k_diffusion.utils": "comfyui-utils",
        "comfy.k_diffusion.deis": "comfyui-deis",
        "comfy.k_diffusion.sa_solver": "comfyui-sa-solver",
        "comfy.model_sampling": "comfyui-model-sampling",
        "comfy.extra_samplers.uni_pc": "comfyui-uni-pc",
        "comfy.model_patcher": "",
    },
    "comfyui-model-sampling": {"comfy.ldm.modules.diffusionmodules.util": ""},
    "trl": dict.fromkeys(
        ["peft", "peft.utils", "transformers.utils", "trl.core", "trl.models.sd_utils"], ""
    ),
}
"""What a library imports of its own repository: each module's registered file, nothing for an empty
stand-in.
"""
PACKAGES = {"comfyui": "comfy.k_diffusion", "trl": "trl.models"}
"""The package in which a library's relative imports are meant."""
STAND_INS = (
    *(
        "click",
        "dnnlib",
        "PIL",
        "PIL.Image",
        "torch_utils",
        "torchsde",
        "torchvision",
        "torchvision.utils",
    ),
    *("tqdm", "tqdm.auto"),
)
COMMITS = {
    "archinetai/audio-diffusion-pytorch": "f4052e321c820e467e51e14d005f3d0077997278",
    "baofff/U-ViT": "ce551708dc9cde9818d2af7d84dfadfeb7bd9034",
    "CleanDiffuserTeam/CleanDiffuser": "05f17fc9dbeae7c19a5e264632c9ae9aaac5994e",
    "CompVis/latent-diffusion": "a506df5756472e2ebaf9078affdde2c4f1502cd4",
    "crowsonkb/v-diffusion-pytorch": "439ed4caf765ec6f8fccb52213a859cac9e76d3b",
    "facebookresearch/flow_matching": "11568d37f8d5a080e12aa7b5305d9c35ae07d136",
    "jwohlwend/boltz": "832486dafed7b80e1246a3fed895e9bb03976558",
    "lucidrains/alphafold3-pytorch": "1fd83f319b58a0bd78507f16e9cb75943655770f",
    "lucidrains/rectified-flow-pytorch": "26fbed9429771539726664f288e064fd93ca065f",
    "NVlabs/edm2": "4bf8162f601bcc09472ce8a32dd0cbe8889dc8fc",
    "openai/consistency_models": "e32b69ee436d518377db86fb2127a3972d0d8716",
    "openai/guided-diffusion": "22e0df8183507e13a7813f8d38d51b072ca1e67c",
    "Stability-AI/generative-models": "0ad7de9a5cb53fd63d6d30a4f385485e72e08597",
    "Stability-AI/stable-audio-tools": "50049e379e2fe8e35bffc99e57f23ade1c3471b7",
    "Tencent-Hunyuan/HunyuanVideo": "fa14b001c18f37191c938a9ef6baad3b9b472759",
    "Wan-Video/Wan2.1": "9737cba9c1c3c4d04b33fcad41c111989865d315",
    "yifan123/flow_grpo": "ac4c86e8cae021841f1fde853d340e0db67690dd",
    "kvablack/ddpo-pytorch": "1958463f020112c9a7bc85768d296daacc2e1b4b",
    "XueZeyue/DanceGRPO": "15cc71d53cc2e6e18a68ee607d5fb6ba9a99e344",
    "radixark/miles_diffusion": "2929e491975c0e2d374f0540c6e652a095887210",
    "Tencent-Hunyuan/UniRL": "1a7b501e8fe8517b432a130220d2ff462f9b5afa",
    "willisma/SiT": "947f95bd3a510e9af441d38c1e9f72e0eee873c5",
}
"""The commit of each repository's checkout."""
CHECKSUMS = {
    "archinetai/audio-diffusion-pytorch": "ba3d47a870fe9859df70c1e353e1336755ba2e152d8789e32fa6e5bc7c187193",
    "baofff/U-ViT": "f5552be33d27438b77ecb1e5cbc1660579ec66cf37ce4cfff8883c6526496ee4",
    "CleanDiffuserTeam/CleanDiffuser": "8419a3ae98e15ffd030af349d1274441ad3e64cb5af06815bf5825a2362b0930",
    "CompVis/latent-diffusion": "8947b7b480118ef84d7c5ff47a0d6fc55c82449d5cf7cb2900542056a24c8635",
    "crowsonkb/v-diffusion-pytorch": "1bce59089da99a088a8105a8608283629d82e64d7c3d713158021ec26f925f49",
    "facebookresearch/flow_matching": "88d8a2696625fd57c2765a017771f1f4c4c3b2aa1c50e635cd48958c001179d6",
    "jwohlwend/boltz": "a379ac89a7ee8dfb689d176b1cf72666758f2d584dfdfbf5f64fbf43fc60b247",
    "lucidrains/alphafold3-pytorch": "b40194d972ad994731d3c9a28a0ef5726d849c67ab355dfd7148b3d47d7d2740",
    "lucidrains/rectified-flow-pytorch": "2441a3487957a657dc58af4bab3acbc4d889fec1c2056055562f17178c465d8e",
    "NVlabs/edm2": "648cf229c2912bf76905f70c3d18366c6bb32d1903ae668361c4f0a1fc0adeab",
    "openai/consistency_models": "71e6545bd59962b7d92aa1edb5576fb1bed7ae24b2c736c7a3a279f412e6c81b",
    "openai/guided-diffusion": "7b59df00aab4c825a1a32a655a6aa5232f6fda159bf855535adccf49059eafc8",
    "Stability-AI/generative-models": "7f90e23ef96e9f0cdd18d2348bba39743b3669b602ae1ee2b5d2a6ac5324f783",
    "Stability-AI/stable-audio-tools": "dc5fb5f498972724f42de1806cddf8e8e8cea08e219d3b9c88e8dc4bde7d703d",
    "Tencent-Hunyuan/HunyuanVideo": "1b7312054b4f9576f1bdf8a3497854b95907b1d3febd596cd542397ec29624b4",
    "Wan-Video/Wan2.1": "caa2436842db137ce33a92ae538b290e5198bea8efc5eb8e586f21dd9e698d97",
    "yifan123/flow_grpo": "3c1fe538dc11e307dd28305e1f0196766f2dbfb57f8b4e7fa7b80d7bbf402bd9",
    "kvablack/ddpo-pytorch": "bbd55f145df0e9052155c4605b3a00a9e039d953a283a326937b689302cb0d7f",
    "XueZeyue/DanceGRPO": "d474afa7bdccf43a3fb65c27e2ffcd120a39aa82ce9b01d26e9083f361d22e0e",
    "radixark/miles_diffusion": "7bb444812bf9e36128f2403418881ebe5ec1817d0e55311a7855e488de092d50",
    "Tencent-Hunyuan/UniRL": "cca46f60954c675e7195804a16404f1950999c476370c234173f88c5254f9695",
    "willisma/SiT": "7ad760e6238140c0887712874009889c68e2c8f7d8d0edf350bce764b4b64797",
}
"""The checksum of each repository's files here, by `digest`."""


@contextmanager
def standing_in(modules: Mapping[str, Any]) -> Iterator[None]:
    """Put modules in by name, and take them away; what is imported meanwhile leaves no bytecode."""
    before = {name: sys.modules.get(name) for name in modules}
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules.update(modules)
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def empty(names: Iterable[str]) -> dict[str, Any]:
    """Return an empty module for each name that is not imported; a progress bar yields what it is
    given.
    """
    modules = {name: MagicMock() for name in names if name not in sys.modules}
    for name in modules.keys() & {"tqdm", "tqdm.auto"}:
        modules[name].trange = lambda count, **_: range(count)
        modules[name].tqdm = lambda given, **_: given
    return modules


def release(library: str) -> str:
    """Return the commit of a library, short. Raises DataUnavailable where a file of it is missing,
    with what to do.
    """
    for name in _files(library):
        try:
            fetch(name)
        except DataUnavailable as absent:
            missing = f"the code of {library}"
            raise DataUnavailable(
                f"{missing} is missing: {registry.CODE[name].obtain}", missing, PUT
            ) from absent
    return version(library)


def version(library: str) -> str:
    """Return the commit, short, from the address of the file, or from its origin where it has no
    address.
    """
    entry = registry.CODE[library]
    address = entry.files[0].address
    return (address.split("/")[5] if address else entry.origin.rsplit("/", 1)[1])[:8]


def _files(library: str) -> list[str]:
    """Return the registered files of a library, its own first."""
    imported = [name for name in OWN.get(library, {}).values() if name]
    return list(dict.fromkeys([library, *(file for name in imported for file in _files(name))]))


@cache
def registered(library: str) -> ModuleType:
    """Return the registered file of a library as a module. Raises DataUnavailable where it cannot
    be had.
    """
    module = ModuleType(library.replace("-", "_"))
    path, _, content = read(library)
    module.__package__, module.__file__ = PACKAGES.get(library, ""), str(path)
    own = {
        name: registered(source) if source else MagicMock()
        for name, source in OWN.get(library, {}).items()
    }
    with standing_in(empty(STAND_INS) | _with_packages(own)):
        exec(compile(content, str(path), "exec"), vars(module))
    return module


def _with_packages(modules: dict[str, Any]) -> dict[str, Any]:
    """Return modules by name, with new packages that have those of a dotted name as attributes."""
    whole = dict(modules)
    for name in modules:
        while "." in name:
            package, _, child = name.rpartition(".")
            setattr(whole.setdefault(package, ModuleType(package)), child, whole[name])
            name = package
    return whole


CHECKED: dict[str, bytes] = {}
"""The bytes of checked repositories, by file: of these modules are compiled, whatever lies there.
"""
PLACES: set[str] = set()
"""The folders of checked repositories."""


class CheckedLoader(SourceFileLoader):
    """Compiles a repository's modules from their checked bytes; reads and writes no bytecode."""

    def get_data(self, path: str) -> bytes:
        """Return a checked file's bytes. Raises ImportError for any other, such as bytecode."""
        if path not in CHECKED:
            raise ImportError(f"{path} is not among the files that were checked")
        return CHECKED[path]

    def get_code(self, fullname: str) -> CodeType:
        """Return a module's code."""
        path = self.get_filename(fullname)
        compiled: CodeType = self.source_to_code(self.get_data(path), path)
        return compiled


def _finder(place: str) -> FileFinder:
    """Return what finds modules in a checked repository's folder. Raises ImportError for others."""
    if not PLACES.intersection([place, *map(str, Path(place).parents)]):
        raise ImportError(f"{place} is of no checked repository")
    return FileFinder(place, (CheckedLoader, SOURCE_SUFFIXES))


def contents(folder: Path) -> dict[Path, bytes]:
    """Return a folder's files that Python can import, in order. Raises OSError for one too large.

    But for caches of bytecode, which nobody reads, and pipes.
    """
    suffixes = tuple(all_suffixes())
    named = (path for path in sorted(folder.rglob("*")) if path.name.endswith(suffixes))
    files = (path for path in named if path.is_file() and "__pycache__" not in path.parts)
    return {path: bytes_of(path, LARGEST) for path in files}


def digest(folder: Path, files: Mapping[Path, bytes]) -> str:
    """Return the checksum of a folder's files: of their names and contents, in order."""
    parts = (f"{path.relative_to(folder)}\0".encode() + files[path] for path in files)
    return sha256(b"".join(parts)).hexdigest()


@cache
def folder(name: str) -> Path:
    """Return the folder of a repository. Raises DataUnavailable where its files are missing or not
    the listed ones.

    From then on its modules are compiled of the bytes that were read here.
    """
    mirror = os.environ.get("AMS_DATA", "")
    place = Path(mirror, "code", "more", name.replace("/", "+")).resolve()
    with suppress(OSError):
        files = contents(place) if mirror else {}
        if files and digest(place, files) == CHECKSUMS[name]:
            CHECKED.update({str(path): content for path, content in files.items()})
            PLACES.add(str(place))
            if _finder not in sys.path_hooks:
                sys.path_hooks.insert(0, _finder)
            sys.path_importer_cache.pop(str(place), None)
            return place
    missing, commit = f"the code of {name}", COMMITS[name]
    where = f"$AMS_DATA/code/more/{name.replace('/', '+')}"
    remedy = f"copy the files of https://github.com/{name} at {commit} to {where}"
    raise DataUnavailable(f"{missing} is missing or another: {remedy}", missing, PUT)


@cache
def code(name: str, path: str, *stand_ins: str) -> ModuleType:
    """Return a file of a repository as a module; `stand_ins` are modules that it imports and no
    sampler calls.
    """
    file = folder(name) / path
    with standing_in(empty(stand_ins)):
        return adapters.module_of(file, CheckedLoader)


def importable(name: str) -> None:
    """Let a repository's modules be imported by their own names."""
    if (place := str(folder(name))) not in sys.path:
        sys.path.append(place)


def first_word(kind: str) -> str:
    """Return the class or the function of a kind of sampler, whose name may go on with what is
    set.
    """
    return kind.partition(" ")[0]


def sampler(name: str, kind: str, run: Run, start: float = 1.0, **stated: Any) -> Sampler:
    """Return a sampler of a repository, whose start has a standard deviation that no number of
    steps changes.
    """
    return Sampler(f"{name}:{kind}", COMMITS[name][:8], run, lambda steps: start, **stated)


def adapter(name: str, samplers: Mapping[str, Callable[[str], Sampler]]) -> adapters.Adapter:
    """Return the adapter of a repository from what makes each of its samplers, from its name."""

    def load(kind: str, settings: dict[str, Any]) -> Sampler:
        if settings:
            raise UserError(f"{name}:{kind} takes no settings here: it is at its defaults")
        folder(name)
        return samplers[kind](kind)

    def release() -> str:
        folder(name)
        return COMMITS[name][:8]

    return adapters.Adapter(partial(list, samplers), load, release)
