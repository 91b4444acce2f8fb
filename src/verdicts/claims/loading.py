"""Reading the files that people write: claims, and configuration with its schema. Every fault
ends in one line.
"""

import ast
import json
import os
import tomllib
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from verdicts.claims.schema import OUTLINE, Claim, Claims, Group, GroupFile, Outline, Profile
from verdicts.errors import UserError, unknown
from verdicts.validation import Frozen, from_validation


class Device(StrEnum):
    """The class of device that a record was made on; another class, another record."""

    CPU = "cpu"
    CUDA = "cuda"


class Resources(Frozen):
    """What one job may count on: `threads`, memory in MiB, `runtime` in minutes.

    `shares`: how many jobs compute the group's study at most; any number gives the same results.
    None: as its time in the kept run asks for (`run.plan.shares_here`).
    """

    threads: int = Field(default=1, ge=1, strict=True)
    mem_mb: int = Field(default=2000, ge=1, strict=True)
    runtime: int = Field(default=30, ge=1, strict=True)
    shares: int | None = Field(default=None, ge=1, strict=True)


class ProfileConfig(Frozen):
    """One profile: its device, whether notebooks are executed, resources and settings by group.

    `extends`: the profile whose configuration stands where this one says nothing.
    `every_picture`: figures as PNG and PDF too, beside SVG, which takes twice as long as SVG alone.
    `kept`: whether kept cells are read and audited; else all is computed.

    `groups[id]` is validated by the `Settings` of the group's module; it enters the key of the
    group's records. `every_picture` enters that of figures alone. The rest does not: it changes how
    a result is made, not which.
    """

    extends: Profile | None = None
    device: Device = Device.CPU
    one_process: bool = False
    notebooks: bool = True
    every_picture: bool = True
    kept: bool = True
    resources: dict[str, Resources] = {}  # noqa: RUF012 (a pydantic field)
    groups: dict[str, dict[str, JsonValue]] = {}  # noqa: RUF012 (a pydantic field)

    def settings_of(self, group: str) -> dict[str, JsonValue]:
        """Return the raw settings of a group (none: its defaults)."""
        return self.groups.get(group, {})

    def resources_of(self, group: str) -> Resources:
        """Return what the group's job may use (`default` stands for groups without an entry)."""
        return self.resources.get(group, self.resources.get("default", Resources()))

    def below(self, changes: "ProfileConfig") -> "ProfileConfig":
        """Return this configuration with what `changes` gives; settings of a group, or of its
        job, not there stay.
        """
        merged, above = (
            model.model_dump(exclude_unset=True, exclude={"profile"}) for model in (self, changes)
        )
        for section in ("groups", "resources"):
            each = merged.pop(section, {})
            for name, settings in above.pop(section, {}).items():
                each[name] = {**each.get(name, {}), **settings}
            above[section] = each
        return ProfileConfig.model_validate({**merged, **above})


class Overlay(ProfileConfig):
    """What `VERDICTS_CONFIG` changes of a profile's configuration."""

    profile: Profile


Schema = TypeVar("Schema", bound=BaseModel)

CLAIMS = "claims.toml"
PACKAGES = Path(__file__).resolve().parents[2]
"""The folder of the engine and of the suite's other packages."""
OVERLAY = "VERDICTS_CONFIG"
NOTEBOOK = "notebook.md"


def load_claims(root: Path) -> Claims:
    """Read the claims of every group below `root`: each folder of a room that holds a `claims.toml`
    is one.

    Every falsifier that they name must exist. Raises UserError with file, field, value and
    expectation.
    """
    outline = load_toml(root, OUTLINE, Outline)
    entries = [
        _group(root, path, outline)
        for room in outline.rooms
        for path in sorted((root / room).rglob(CLAIMS))
    ]
    parts = list(outline.parts)
    entries.sort(
        key=lambda entry: (
            parts.index(entry[0].part) if entry[0].part in parts else -1,
            entry[0].order,
        )
    )
    try:
        claims = Claims(
            outline=outline,
            group=tuple(group for group, _ in entries),
            claim=tuple(claim for _, members in entries for claim in members),
        )
    except ValidationError as error:
        raise from_validation(error, f"{'/, '.join(outline.rooms)}/", {}) from error
    known = cache(_functions)  # of this call: files change between calls
    for claim in claims.claim:
        _refuse_missing_functions(root, claim, claims.group_of(claim), known)
    return claims


def _group(root: Path, path: Path, outline: Outline) -> tuple[Group, tuple[Claim, ...]]:
    """Return the group of one claims file, and its claims."""
    shown, folder = path.relative_to(root).as_posix(), path.parent.relative_to(root)
    content = load_toml(root, shown, GroupFile)
    notebook = f"{folder.as_posix()}/{NOTEBOOK}"
    try:
        group = Group(
            **content.group.model_dump(),
            id=folder.name,
            module=".".join(folder.parts),
            folder=folder.as_posix(),
            notebook=notebook if (root / notebook).is_file() else None,
            queries=outline.queries,
        )
    except ValidationError as error:
        raise from_validation(error, shown, {}) from error
    members = content.claim + content.condition
    return group, tuple(claim.model_copy(update={"group": group.id}) for claim in members)


def load_config(root: Path, profile: Profile, claims: Claims) -> ProfileConfig:
    """Read `config/<profile>.toml` below `root`; groups that it names must exist. Raises UserError.

    Where it `extends` another profile it is laid over that one's file: settings that it gives
    replace those of their group one by one, all else stays. So is the file that `VERDICTS_CONFIG`
    names, where it is for this profile (`profile = "paper"`): a profile can be run with its sizes
    cut.
    """
    shown = f"config/{profile}.toml"
    config = _extended(root, profile)
    if overlay := _overlay(root, profile):
        shown, config = f"{os.environ[OVERLAY]} over {shown}", config.below(overlay)
    groups = [group.id for group in claims.group]
    for section, names, known in (
        ("groups", config.groups, groups),
        ("resources", config.resources, ["default", *groups]),
    ):
        for name in names:
            if name not in known:
                raise UserError(f"{shown}: {section}: {unknown('group', name, known)}")
    return config


def _extended(root: Path, profile: Profile) -> ProfileConfig:
    shown, order = f"config/{profile}.toml", list(Profile)
    config = load_toml(root, shown, ProfileConfig)
    if config.extends is None:
        return config
    if order.index(config.extends) >= order.index(profile):
        raise UserError(
            f"{shown}: extends = {str(config.extends)!r}: a smaller profile than {profile} is meant"
        )
    return _extended(root, config.extends).below(config)


def file_of_setting(root: Path, profile: Profile, group: str) -> str:
    """Return the file to be named in a complaint of a group's settings: the overlay where it gives
    some, else the profile's own. Raises UserError as `load_config`.
    """
    overlay = _overlay(root, profile)
    overlaid = overlay is not None and group in overlay.groups
    return os.environ[OVERLAY] if overlaid else f"config/{profile}.toml"


def _overlay(root: Path, profile: Profile) -> Overlay | None:
    """Return what `VERDICTS_CONFIG` lays over a profile's configuration, None where it names no
    file for it.
    """
    if not (name := os.environ.get(OVERLAY)):
        return None
    overlay = load_toml(root, name, Overlay)
    return overlay if overlay.profile is profile else None


def load_toml(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the TOML file `shown` below `root` into a schema. Raises UserError with file, field
    and value.
    """
    return _loaded(root, shown, schema, "TOML", _parsed)


@cache  # of a text: the same files are read by many commands of one process
def _parsed(text: str) -> dict[str, Any]:
    """Return what TOML says. Raises ValueError where it is none."""
    return tomllib.loads(text)


def load_json(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the JSON file `shown` below `root` into a schema. Raises UserError with file, field
    and value.
    """
    return _loaded(root, shown, schema, "JSON", json.loads)


def _loaded(
    root: Path, shown: str, schema: type[Schema], kind: str, parse: Callable[[str], Any]
) -> Schema:
    try:
        content = parse((root / shown).read_text(encoding="utf-8"))
        return schema.model_validate(content)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown} cannot be read: {error}") from error
    except ValidationError as error:
        raise from_validation(error, shown, content) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of too many digits is a ValueError, no TOMLDecodeError
        raise UserError(f"{shown} is not valid {kind}: {error}") from error


def _refuse_missing_functions(
    root: Path, claim: Claim, group: Group, functions: Callable[[Path], list[str] | None]
) -> None:
    """Refuse a falsifier that is no test, and a `measure` that is no function of its group."""
    where = f"{group.folder}/{CLAIMS}"
    file, _, test = claim.falsifier.partition("::")
    if test not in (functions(root / file) or ()):
        raise UserError(f"{where}: claim[{claim.id}].falsifier = {claim.falsifier!r}: no such test")
    for check, called in ((each, called) for each in claim.check for called in each.functions):
        module, name = group.place(called)
        field = f"{where}: check[{check.id}].{'measure' if called == check.measure else 'enclosed'}"
        if not module:
            advice = f"expected module.function: {OUTLINE} names no `queries`"
            raise UserError(f"{field} = {called!r}: {advice}")
        places = [base / f"{module.replace('.', '/')}.py" for base in (root, PACKAGES)]
        place = next((each for each in places if each.is_file()), places[0])
        known = functions(place)
        # one that does not parse is recorded by its run
        if known is not None and name not in known:
            raise UserError(f"{field}: {unknown(f'function of {place.name}', name, known)}")


def _functions(path: Path) -> list[str] | None:
    """Return the names of a file's functions, those of its classes as `Class::function`.

    None for a file that does not parse; a file that is not there has no function.
    """
    try:
        body = ast.parse(path.read_bytes() if path.is_file() else b"").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    scopes = {f"{node.name}::": node.body for node in body if isinstance(node, ast.ClassDef)}
    return [
        f"{scope}{node.name}"
        for scope, nodes in {"": body, **scopes}.items()
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    ]
