"""Reading the files that people write: claims, exhibits, configuration. Every fault ends in one line."""

import ast
import json
import os
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from verdicts.claims.config import Overlay, ProfileConfig
from verdicts.claims.outline import OUTLINE, Outline
from verdicts.claims.schema import Claim, Claims, Group, GroupFile, Profile
from verdicts.errors import UserError, unknown
from verdicts.validation import from_validation

Schema = TypeVar("Schema", bound=BaseModel)

CLAIMS = "claims.toml"
OVERLAY = "VERDICTS_CONFIG"
NOTEBOOKS = ("notebook.md", "notebook.py")


def load_claims(root: Path) -> Claims:
    """Read the claims of every group below `root`: each folder of a room that holds a `claims.toml` is one.

    Every falsifier that they name must exist. Raises UserError with file, field, value and expectation.
    """
    outline = load_toml(root, OUTLINE, Outline)
    entries = [_group(root, path) for room in outline.rooms for path in sorted((root / room).rglob(CLAIMS))]
    parts = list(outline.parts)
    entries.sort(key=lambda entry: (parts.index(entry[0].part) if entry[0].part in parts else -1, entry[0].order))
    try:
        claims = Claims(
            outline=outline,
            group=tuple(group for group, _ in entries),
            claim=tuple(claim for _, members in entries for claim in members),
        )
    except ValidationError as error:
        raise from_validation(error, f"{'/, '.join(outline.rooms)}/", {}) from error
    tests: dict[Path, set[str]] = {}
    for claim in claims.claim:
        _refuse_missing_test(root, claim, claims.group_of(claim), tests)
    for group in claims.group:
        _refuse_missing_functions(root, group, claims.of_group(group.id))
    return claims


def _group(root: Path, path: Path) -> tuple[Group, tuple[Claim, ...]]:
    """Return the group of one claims file, and its claims."""
    shown, folder = path.relative_to(root).as_posix(), path.parent.relative_to(root)
    content = load_toml(root, shown, GroupFile)
    notebook = next((name for kind in NOTEBOOKS if (root / (name := f"{folder.as_posix()}/{kind}")).is_file()), None)
    try:
        group = Group(
            **content.group.model_dump(),
            id=folder.name,
            module=".".join(folder.parts),
            folder=folder.as_posix(),
            notebook=notebook,
        )
    except ValidationError as error:
        raise from_validation(error, shown, {}) from error
    return group, tuple(claim.model_copy(update={"group": group.id}) for claim in content.claim)


def load_config(root: Path, profile: Profile, claims: Claims) -> ProfileConfig:
    """Read `config/<profile>.toml` below `root`; groups that it names must exist. Raises UserError.

    Where it `extends` another profile it is laid over that one's file: settings that it gives replace those of their
    group one by one, all else stays. So is the file that `VERDICTS_CONFIG` names, where it is for this profile
    (`profile = "paper"`): a profile can be run with its sizes cut.
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
        raise UserError(f"{shown}: extends = {str(config.extends)!r}: a smaller profile than {profile} is meant")
    return _extended(root, config.extends).below(config)


def file_of_setting(root: Path, profile: Profile, group: str, field: str) -> str:
    """Return the file that gives a group's setting, for its complaint: the overlay, or the profile's own.

    Raises UserError as `load_config`.
    """
    overlay = _overlay(root, profile)
    overlaid = overlay is not None and field in overlay.groups.get(group, {})
    return os.environ[OVERLAY] if overlaid else f"config/{profile}.toml"


def _overlay(root: Path, profile: Profile) -> Overlay | None:
    """Return what `VERDICTS_CONFIG` lays over a profile's configuration, None where it names no file for it."""
    if not (name := os.environ.get(OVERLAY)):
        return None
    overlay = load_toml(root, name, Overlay)
    return overlay if overlay.profile is profile else None


def load_toml(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the TOML file `shown` below `root` into a schema. Raises UserError with file, field and value."""
    return _validated(schema, _toml(root, shown), shown)


def load_json(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the JSON file `shown` below `root` into a schema. Raises UserError with file, field and value."""
    try:
        content = json.loads(_text(root, shown))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{shown} is not valid JSON: {error}") from error
    return _validated(schema, content, shown)


def _validated(schema: type[Schema], content: Any, shown: str) -> Schema:
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise from_validation(error, shown, content) from error


def _text(root: Path, shown: str) -> str:
    try:
        return (root / shown).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown} cannot be read: {error}") from error


def _toml(root: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(root, shown))
    except (ValueError, RecursionError) as error:  # a number of too many digits is a ValueError, no TOMLDecodeError
        raise UserError(f"{shown} is not valid TOML: {error}") from error


def _refuse_missing_test(root: Path, claim: Claim, group: Group, tests: dict[Path, set[str]]) -> None:
    name, *steps = claim.falsifier.split("::")
    path = root / name
    if path not in tests:
        tests[path] = _defined(path)
    if "::".join(steps) not in tests[path]:
        raise UserError(f"{group.folder}/{CLAIMS}: claim[{claim.id}].falsifier = {claim.falsifier!r}: no such test")


def _refuse_missing_functions(root: Path, group: Group, claims: Iterable[Claim]) -> None:
    """Refuse a check whose `measure` is no function of its group, or does not take the arguments `with`."""
    signatures = cache(lambda module: _signatures(root / group.folder / f"{module}.py"))
    for check in (check for claim in claims for check in claim.check):
        module, _, name = check.measure.partition(".")
        where = f"{group.folder}/{CLAIMS}: check[{check.id}]"
        if (known := signatures(module)) is None:
            continue
        if name not in known:
            raise UserError(f"{where}.measure: {unknown(f'function of {module}.py', name, known)}")
        takes = known[name]
        names = [each.arg for each in (*takes.args, *takes.kwonlyargs)]
        for given in check.arguments:
            if given not in names and takes.kwarg is None:
                raise UserError(f"{where}.with: {unknown(f'argument of {check.measure}', given, names)}")
        needed = names[: len(takes.args) - len(takes.defaults)]
        needed += [each.arg for each, default in zip(takes.kwonlyargs, takes.kw_defaults, strict=True) if not default]
        if missing := [each for each in needed if each not in check.arguments and each != "settings"]:
            raise UserError(f"{where}.with: {check.measure} also needs {', '.join(missing)}")


def _signatures(path: Path) -> dict[str, ast.arguments] | None:
    """Return the arguments of a module's functions by name; None for what does not parse, which its run records."""
    try:
        body = ast.parse(path.read_bytes()).body if path.is_file() else []
    except (SyntaxError, ValueError):
        return None
    return {node.name: node.args for node in body if isinstance(node, ast.FunctionDef)}


def _defined(path: Path) -> set[str]:
    """Return the functions of a test file, those of its classes as `Class::function`."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError):
        return set()
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return names
