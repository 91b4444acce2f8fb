"""Reading the files that people write: claims, exhibits, configuration. Every fault ends in one line."""

from __future__ import annotations

import ast
import json
import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ams.ledger.claims import Claim, Claims, Profile
from ams.ledger.config import Overlay, ProfileConfig
from ams.ledger.exhibits import Exhibits
from ams.ledger.problems import InputProblem, from_validation, unknown

Schema = TypeVar("Schema", bound=BaseModel)

CLAIMS = "paper/claims.toml"
EXHIBITS = "paper/exhibits.toml"


def load_claims(root: Path) -> Claims:
    """Read the claims below `root`; every falsifier and notebook that they name must exist.

    Raises InputProblem with file, field, value and expectation.
    """
    claims = load_toml(root, CLAIMS, Claims)
    tests: dict[Path, set[str]] = {}
    for claim in claims.claim:
        _refuse_missing_test(root, claim, tests)
    for group in claims.group:
        if group.notebook is not None and not (root / group.notebook).is_file():
            raise InputProblem(f"{CLAIMS}: group[{group.id}].notebook = {group.notebook!r}: no such file")
    return claims


def load_exhibits(root: Path) -> Exhibits:
    """Read the paper's exhibits below `root`; no file, no exhibits. Raises InputProblem."""
    if not (root / EXHIBITS).exists():
        return Exhibits()
    return load_toml(root, EXHIBITS, Exhibits)


def load_config(root: Path, profile: Profile, claims: Claims) -> ProfileConfig:
    """Read `config/<profile>.yaml` below `root`; groups that it names must exist. Raises InputProblem.

    The file that `AMS_CONFIG` names, where it is for this profile (`profile: gpu`), is laid over it: settings that it
    gives replace those of their group one by one, all else stays. So a profile can be run with its sizes cut.
    """
    shown = f"config/{profile}.yaml"
    content = _yaml(root, shown)
    if over := os.environ.get("AMS_CONFIG"):
        overlay = _validated(Overlay, _yaml(root, over), over)
        if overlay.profile is profile and isinstance(content, dict):
            shown, content = f"{over} over {shown}", overlay.over(content)
    config = _validated(ProfileConfig, content, shown)
    groups = [group.id for group in claims.group]
    for section, names, known in (
        ("groups", config.groups, groups),
        ("resources", config.resources, ["default", *groups]),
    ):
        for name in names:
            if name not in known:
                raise InputProblem(f"{shown}: {section}: {unknown('group', name, known)}")
    return config


def file_of_setting(root: Path, profile: Profile, group: str, field: str) -> str:
    """Return the file that gives a group's setting, for its complaint: what `AMS_CONFIG` names, or the profile's own.

    Raises InputProblem as `load_config`.
    """
    if over := os.environ.get("AMS_CONFIG"):
        overlay = _validated(Overlay, _yaml(root, over), over)
        if overlay.profile is profile and field in overlay.groups.get(group, {}):
            return over
    return f"config/{profile}.yaml"


def load_toml(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the TOML file `shown` below `root` into a schema. Raises InputProblem with file, field and value."""
    return _validated(schema, _toml(root, shown), shown)


def load_json(root: Path, shown: str, schema: type[Schema]) -> Schema:
    """Read the JSON file `shown` below `root` into a schema. Raises InputProblem with file, field and value."""
    try:
        content = json.loads(_text(root, shown))
    except (ValueError, RecursionError) as error:
        raise InputProblem(f"{shown} is not valid JSON: {error}") from error
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
        raise InputProblem(f"{shown} cannot be read: {error}") from error


def _toml(root: Path, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(root, shown))
    except (ValueError, RecursionError) as error:  # a number of too many digits is a ValueError, no TOMLDecodeError
        raise InputProblem(f"{shown} is not valid TOML: {error}") from error


def _yaml(root: Path, shown: str) -> Any:
    from ams.ledger.strict_yaml import parsed

    try:
        return parsed(_text(root, shown)) or {}
    except ValueError as error:
        raise InputProblem(f"{shown} is not valid YAML: {error}") from error


def _refuse_missing_test(root: Path, claim: Claim, tests: dict[Path, set[str]]) -> None:
    name, *steps = claim.falsifier.split("::")
    path = root / name
    if path not in tests:
        tests[path] = _defined(path)
    if "::".join(steps) not in tests[path]:
        raise InputProblem(f"{CLAIMS}: claim[{claim.id}].falsifier = {claim.falsifier!r}: no such test")


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
