"""Adapters: of a library `names()` lists the samplers, `load(name, settings)` returns one.

Those of libraries that a package index has lie in `denoisers` and `schedulers`, by the form of
their samplers. `load("LIBRARY:NAME", settings)` and `load("FILE.py:NAME", settings)` find the
adapter. A file has a function `load(name, settings)` of that shape, or a `Sampler` called NAME, and
imports what lies beside it. Another package adds its libraries to `OTHERS` in a module that it
names as an entry point of the group `GROUP`.
"""

import fnmatch
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, TypeGuard

from samplercheck.errors import DataUnavailable, UserError, unknown
from samplercheck.imports import complete
from samplercheck.sampler import Sampler

LIBRARIES = {
    "azula": "azula",
    "denoising-diffusion-pytorch": "denoising-diffusion-pytorch",
    "diffusers": "diffusers",
    "k-diffusion": "--no-deps k-diffusion",
    "monai": "monai",
    "physicsnemo": "nvidia-physicsnemo",
    "refiners": "refiners",
    "smalldiffusion": "smalldiffusion",
}
"""Each library with what `pip install` needs to have it."""


class Adapter(NamedTuple):
    """A library's samplers, of those in `LIBRARIES` or as a package beside the kit offers them.

    `names()` are those of the samplers. `load(name, settings)` returns one, and may raise UserError
    for settings. `release()` is the version of the code where no index has it. It raises
    DataUnavailable where that is missing, with what to do. `left_out` are samplers of the library
    that are not judged, with the reason.
    """

    names: Callable[[], list[str]]
    load: Callable[[str, dict[str, Any]], Sampler]
    release: Callable[[], str] = str
    left_out: Mapping[str, str] = MappingProxyType({})


GROUP = "samplercheck.libraries"
OTHERS: dict[str, Adapter] = {}
"""Libraries that other packages add when they are imported; read them by `others`."""


@cache
def _imported() -> None:
    """Import the modules that add libraries; one that cannot be imported is named on standard
    error.
    """
    for each in entry_points(group=GROUP):
        try:
            each.load()
        except ImportError as error:
            print(
                f"samplercheck: the libraries of {each.value} are left out: {error}",
                file=sys.stderr,
            )


def others() -> dict[str, Adapter]:
    """Return `OTHERS` with the libraries of all packages that name a module of theirs in the group
    `GROUP`.
    """
    _imported()
    return OTHERS


COUNTS = (
    *(
        "steps",
        "num_steps",
        "n_steps",
        "num_inference_steps",
        "sample_steps",
        "ddim_steps",
        "nfe",
        "NFE",
        "n",
    ),
    *(
        "denoise_timesteps",
        "sampling_steps",
        "num_sampling_steps",
        "inference_steps",
        "n_timesteps",
    ),
)
"""What a sampler's number of steps is called, of which no training grid has the name."""
FIXED = (
    "--set {}: the kit varies the number of steps itself; leave it out, and state yours by --steps"
)
NO_CONVENTION = (
    "--convention: of a sampling function, with --network, or of a scheduler's class in a file"
)


def load(
    name: str, settings: dict[str, Any] | None = None, convention: str | None = None
) -> Sampler:
    """Return the sampler `LIBRARY:NAME` or `FILE.py:NAME` at settings, by a `convention` that a
    file's scheduler needs.

    Raises UserError for what is not there.
    """
    source, _, sampler = name.rpartition(":")
    given = dict(settings or {})  # a copy, since a `load` may take its own out of them
    if not source or not sampler:
        raise UserError(
            f"no sampler {name!r}: write LIBRARY:NAME or FILE.py:NAME, such as "
            "diffusers:DDIMScheduler"
        )
    if fixed := [key for key in given if key in COUNTS]:
        raise UserError(FIXED.format(fixed[0]))
    if source.endswith(".py") or (
        source not in (*LIBRARIES, *others()) and _installed_file(source)
    ):
        return _of_module(source, sampler, given, convention)
    if convention:
        raise UserError(NO_CONVENTION)
    library = adapter(source)
    if sampler in library.left_out:
        raise UserError(f"{name} is not judged: {library.left_out[sampler]}")
    if sampler not in library.names():
        raise unknown(f"sampler of {source}", sampler, library.names())
    loaded = library.load(sampler, given)
    assert isinstance(loaded, Sampler)
    return loaded


def matching(pattern: str) -> list[str]:
    """Return the samplers that a pattern names: `LIBRARY`, or NAME with * and ?; any other name as
    it is.

    Those of a file are its schedulers and the objects of `Sampler` in it. Raises UserError where
    none is named so.
    """
    library, _, name = pattern.rpartition(":") if ":" in pattern else (pattern, "", "")
    if not (set(name) & set("*?") or (library in (*LIBRARIES, *others()) and not name)):
        return [pattern]
    known = _in_file(library) if library.endswith(".py") else adapter(library).names()
    if not (named := fnmatch.filter(known, name or "*")):
        raise UserError(
            f"{pattern}: no sampler of {library} is named so; there are {', '.join(known)}"
        )
    return [f"{library}:{each}" for each in named]


def _in_file(source: str) -> list[str]:
    """Return the names of the samplers and schedulers that a file defines itself."""
    module = _module(source)
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, Sampler)
        or (is_scheduler(value) and value.__module__ == module.__name__)
    ]


def adapter(library: str) -> Adapter:
    """Return the adapter of an installed library. Raises UserError for an unknown library and for a
    missing one.
    """
    if library in others():
        return OTHERS[library]
    try:
        release(library)
    except DataUnavailable as missing:
        raise UserError(str(missing)) from None
    from samplercheck.adapters import denoisers, schedulers  # which import this module

    return (denoisers.ADAPTERS | schedulers.ADAPTERS)[library]


def installed(library: str) -> str | None:
    """Return a library's version, None if it is missing. Raises UserError if it is unknown."""
    try:
        return release(library)
    except DataUnavailable:
        return None


def release(library: str) -> str:
    """Return a library's version. Raises DataUnavailable where it is missing, with what to do."""
    if library in others():
        return OTHERS[library].release()
    if library not in LIBRARIES:
        raise unknown("library", library, (*LIBRARIES, *others()))
    try:
        return version(LIBRARIES[library].split()[-1])
    except PackageNotFoundError:
        remedy = f"python -m pip install {LIBRARIES[library]}"
        raise DataUnavailable(f"{library} is not installed: {remedy}", library, remedy) from None


def accepted(settings: dict[str, Any], function: Callable[..., Any], *own: str) -> dict[str, Any]:
    """Return a copy of the settings that `function` takes, beside the adapter's `own`. Raises
    UserError for others.
    """
    known = [*own, *inspect.signature(function).parameters]
    for key in settings:
        if key not in known:
            raise unknown(f"setting of {getattr(function, '__name__', 'the sampler')}", key, known)
    return dict(settings)


def chosen(settings: dict[str, Any], key: str, known: Collection[str], kind: str) -> str:
    """Take a setting out, by default the first of the known ones. Raises UserError for another, a
    `kind` of things.
    """
    value = str(settings.pop(key, next(iter(known))))
    if value not in known:
        raise unknown(kind, value, known)
    return value


def _of_module(source: str, name: str, settings: dict[str, Any], convention: str | None) -> Sampler:
    module, known = _module(source), f"{source}:{name}"
    made = getattr(module, name, None)
    if is_scheduler(made):
        return of_scheduler(made, known, settings, convention)
    if convention:
        raise UserError(NO_CONVENTION)
    if hasattr(module, "load") and (settings or made is None):
        made = module.load(name, settings)
    elif settings:
        raise UserError(
            f"--set: {source} has no function load(name, settings) that takes settings: define it"
        )
    if not isinstance(made, Sampler):
        if callable(made):
            raise UserError(
                f"{source}: {name} is no Sampler: say which of its parameters takes the network, "
                "--network NAME (or --policy, of a step with a log-density), or write a Sampler "
                "around it"
            )
        raise UserError(
            f"{source} has no Sampler {name!r} and no function load that returns one: define either"
        )
    return made


def is_scheduler(made: object) -> TypeGuard[type]:
    """Return whether it is a class of diffusers' form, with `set_timesteps` and `step`."""
    return isinstance(made, type) and hasattr(made, "set_timesteps")


def of_scheduler(
    kind: type, name: str, settings: dict[str, Any], convention: str | None
) -> Sampler:
    """Return the sampler of a scheduler's class; its convention is found where it has no
    configuration of diffusers.
    """
    if convention or not hasattr(kind, "from_config"):
        from samplercheck import entry_points

        loop = entry_points.of_scheduler(kind, accepted(settings, kind))
        return entry_points.load(loop, name, "model", {}, convention)
    from samplercheck.adapters import schedulers

    return schedulers.of_class(kind, name, "as it is", settings)


def _module(source: str) -> ModuleType:
    """Return the module `FILE.py` or `PACKAGE.MODULE`. Raises UserError where it, or what it
    imports, is not there.
    """
    file = Path(source) if source.endswith(".py") else _installed_file(source)
    if file is None:
        raise UserError(
            f"no module {source!r} is installed: write FILE.py:NAME or PACKAGE.MODULE:NAME"
        )
    return complete(source, lambda: module_of(file))


def module_of(path: Path, loader: type[SourceFileLoader] = SourceFileLoader) -> ModuleType:
    """Import a file by `loader`, in its package: that of its folder if that is none.

    A package whose own `__init__` cannot be imported is left empty. Raises UserError where there is
    no such file.
    """
    if not path.is_file():
        raise UserError(f"no file {path}: give the path of a Python file that exists")
    path = path.resolve()
    top, name = path.parent, path.stem
    while (top / "__init__.py").is_file():
        top, name = top.parent, f"{top.name}.{name}"
    if top == path.parent:
        folder_name = re.sub(r"\W", "_", top.name)  # a dot in it would name a package
        name = f"_sampler_files_of_{folder_name}.{name}"
    # first, as for `python FILE.py`, and to stay: it may import when it runs
    if str(top) not in sys.path:
        sys.path.insert(0, str(top))
    for depth in range(name.count("."), 0, -1):
        parent, folder = name.rsplit(".", depth)[0], path.parents[depth - 1]
        try:
            importlib.import_module(parent)
        except ImportError:
            bare_package(parent, [str(folder)])
    spec = importlib.util.spec_from_file_location(name, path, loader=loader(name, str(path)))
    assert spec is not None and spec.loader is not None
    # dataclasses look their module up
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def bare_package(name: str, folders: list[str]) -> None:
    """Put in a package whose modules lie in the folders, and whose own `__init__` is not
    executed.
    """
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = folders
    sys.modules[name] = importlib.util.module_from_spec(spec)


def _installed_file(module: str) -> Path | None:
    """Return the file of an installed module, whose packages are not imported; None where there is
    none.
    """
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top) if top.isidentifier() else None
    if spec is None:
        return None
    files = [Path(folder, *rest) for folder in spec.submodule_search_locations or ()]
    named = (
        [each for file in files for each in (file.with_suffix(".py"), file / "__init__.py")]
        if rest
        else []
    )
    return next((file for file in named or [Path(spec.origin or "")] if file.is_file()), None)


def function(name: str) -> Callable[..., Any]:
    """Return the function `FILE.py:NAME` or `PACKAGE.MODULE:NAME`, a dotted NAME for one within a
    class or an object.

    A class, or a method of it, is the function that makes an object and calls the method. Raises
    UserError where it is not there.
    """
    source, _, inner = name.rpartition(":")
    parent: Any = None
    target: Any = _module(source)
    there = [
        each
        for each, value in vars(target).items()
        if inspect.isfunction(value) or inspect.isclass(value)
    ]
    for part in inner.split("."):
        try:
            parent, target = target, getattr(target, part)
        except AttributeError:
            raise unknown(f"function of {source}", inner, there) from None
    if not callable(target):
        raise UserError(f"{name} is {target!r:.60}: a function expected")
    if isinstance(parent, type) and inspect.isfunction(inspect.getattr_static(parent, part)):
        from samplercheck import entry_points

        return entry_points.of_class(parent, part)
    return target
