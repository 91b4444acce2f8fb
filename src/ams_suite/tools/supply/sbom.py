"""A bill of materials of the pinned distributions that are installed: CycloneDX 1.6, as JSON.

The same installation gives the same bytes: there is no time in it unless SOURCE_DATE_EPOCH gives one, and the serial
number is derived from the contents. Specification: https://cyclonedx.org/docs/1.6/json/ (ECMA-424).
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution
from typing import Any
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import parse_wheel_filename

from ams_suite.lock import Pin, canonical
from ams_suite.tools.supply.index import is_of
from ams_suite.tools.supply.licences import Policy, licence_of
from verdicts.errors import UserError
from verdicts.records.files import canonical_json

Json = dict[str, Any]


def bill(
    project: Mapping[str, Any], present: Sequence[Distribution], listed: Mapping[str, str], policy: Policy
) -> Json:
    """Return the bill of a `project` (table of pyproject.toml) made of the distributions `present`.

    `listed` has the sha256 of each file of the lock, by file name.
    """
    refs = {canonical(each.metadata["Name"]): purl(each.metadata["Name"], each.version) for each in present}
    root = _component("application", project["name"], project["version"], project["license"]["text"])
    optional = [line for extra in project["optional-dependencies"].values() for line in extra]
    needs = {root["bom-ref"]: _needed([*project["dependencies"], *optional], refs)}
    needs |= {refs[canonical(each.metadata["Name"])]: _needed(each.requires or [], refs) for each in present}
    contents: Json = {
        "metadata": _time() | {"component": root},
        "components": [_material(each, listed, policy) for each in present],
        "dependencies": [{"ref": ref, "dependsOn": needed} for ref, needed in needs.items()],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, canonical_json(contents))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    } | contents


def purl(name: str, version: str) -> str:
    """Return the package URL of a release on the Python package index, as `pkg:pypi/numpy@2.4.6`."""
    return f"pkg:pypi/{canonical(name)}@{quote(version, safe='')}"


def wheel_of(present: Distribution, listed: Mapping[str, str]) -> str | None:
    """Return the listed wheel that a distribution was installed from, by its version and tags; else None."""
    lines = (present.read_text("WHEEL") or "").splitlines()
    tags = {tag for line in lines if line.startswith("Tag:") for tag in parse_tag(line.partition(":")[2].strip())}
    pin = Pin(present.metadata["Name"], present.version)
    wheels = (file for file in listed if file.endswith(".whl") and is_of(file, pin))
    return next((file for file in wheels if parse_wheel_filename(file)[3] == tags), None)


def _material(present: Distribution, listed: Mapping[str, str], policy: Policy) -> Json:
    component = _component("library", present.metadata["Name"], present.version, licence_of(present, policy))
    if wheel := wheel_of(present, listed):
        component["hashes"] = [{"alg": "SHA-256", "content": listed[wheel]}]
    return component


def _component(kind: str, name: str, version: str, licence: str | None) -> Json:
    ref = purl(name, version)
    licences = {"licenses": [{"expression": licence}]} if licence else {}
    return {"type": kind, "bom-ref": ref, "name": name, "version": version, "purl": ref} | licences


def _needed(requirements: Sequence[str], refs: Mapping[str, str]) -> list[str]:
    """Return the references of what these requirements (PEP 508) need here, without extras, sorted, each once."""
    wanted = (Requirement(line) for line in requirements)
    named = {canonical(each.name) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
    return sorted(refs[name] for name in named & refs.keys())


def _time() -> Json:
    """Return the time of SOURCE_DATE_EPOCH (seconds since 1970), nothing without it. Raises UserError for no number."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return {}
    try:
        return {"timestamp": datetime.fromtimestamp(int(given), UTC).isoformat().replace("+00:00", "Z")}
    except (ValueError, OverflowError, OSError) as error:
        raise UserError(f"SOURCE_DATE_EPOCH={given}: expected whole seconds since 1970") from error
