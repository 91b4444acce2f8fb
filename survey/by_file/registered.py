"""Code of samplers that no package index has, one registered file each (`ams.data.registry`, `[code.*]`).

A file is executed only if its bytes are the registered ones: from `$AMS_DATA/code/`, the cache, or its public address
where it has one. What it imports of its own repository is a registered file too, or an empty stand-in that no sampler
calls; so is what it imports beside PyTorch, NumPy and SciPy.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from ams.errors import DataUnavailable

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
}
"""What a library imports of its own repository: each module's registered file, nothing for an empty stand-in."""
PACKAGES = {"comfyui": "comfy.k_diffusion"}
"""The package in which a library's relative imports are meant."""
STAND_INS = (
    *("click", "dnnlib", "PIL", "PIL.Image", "torch_utils", "torchsde", "torchvision", "torchvision.utils"),
    *("tqdm", "tqdm.auto"),
)


def release(library: str) -> str:
    """Return the commit of a library, short. Raises DataUnavailable where a file of it is missing, with what to do."""
    from ams.data.files import PUT, fetch
    from ams.data.registry import CODE

    for name in _files(library):
        try:
            fetch(name)
        except DataUnavailable as absent:
            code = f"the code of {library}"
            raise DataUnavailable(f"{code} is missing: {CODE[name].obtain}", code, PUT) from absent
    return version(library)


def version(library: str) -> str:
    """Return the commit, short, from the address of the file, or from its origin where it has no address."""
    from ams.data.registry import CODE

    entry = CODE[library]
    address = entry.files[0].address
    return (address.split("/")[5] if address else entry.origin.rsplit("/", 1)[1])[:8]


def _files(library: str) -> list[str]:
    """Return the registered files of a library, its own first."""
    imported = [name for name in OWN.get(library, {}).values() if name]
    return list(dict.fromkeys([library, *(file for name in imported for file in _files(name))]))


@lru_cache
def module(library: str) -> ModuleType:
    """Return the registered file of a library as a module. Raises DataUnavailable where it cannot be had."""
    from ams.data.files import fetch

    code = ModuleType(library.replace("-", "_"))
    code.__package__ = PACKAGES.get(library, "")
    path = fetch(library)
    with _standing_in(library):
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(code))
    return code


@contextmanager
def _standing_in(library: str) -> Iterator[None]:
    """Put in what a library imports, and take it away."""
    own = {name: module(source) if source else MagicMock() for name, source in OWN.get(library, {}).items()}
    put, before = _with_packages(own), dict(sys.modules)
    for name in STAND_INS:
        sys.modules.setdefault(name, _stand_in(name))
    sys.modules.update(put)
    try:
        yield
    finally:
        for name in {*STAND_INS, *put}:
            del sys.modules[name]
            if name in before:
                sys.modules[name] = before[name]


def _stand_in(name: str) -> Any:
    """Return an empty module; of a progress bar, one whose ranges are ranges."""
    stand_in = MagicMock()
    if name == "tqdm.auto":
        stand_in.trange = lambda count, **_: range(count)
    return stand_in


def _with_packages(modules: dict[str, Any]) -> dict[str, Any]:
    """Return modules by name, with new packages that have those of a dotted name as attributes."""
    whole = dict(modules)
    for name in modules:
        while "." in name:
            package, _, child = name.rpartition(".")
            setattr(whole.setdefault(package, ModuleType(package)), child, whole[name])
            name = package
    return whole
