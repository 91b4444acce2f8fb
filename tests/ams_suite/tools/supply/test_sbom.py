"""The bill of materials: CycloneDX's required fields, the same bytes each time, the listed wheels' checksums."""

import re
import tomllib

import pytest

from ams_suite.lock import CHECKSUMS, LOCK, ROOT, checksums, names, pins
from ams_suite.tools.supply.licences import Policy, installed
from ams_suite.tools.supply.sbom import bill, purl
from verdicts.errors import UserError
from verdicts.records.files import canonical_json

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LISTED = checksums(CHECKSUMS.read_text())


@pytest.fixture(scope="module")
def made() -> dict:
    return bill(PROJECT, list(installed(names(LOCK.read_text()))), LISTED, Policy.read())


def test_it_has_what_the_schema_requires(made: dict) -> None:
    """Required by bom-1.6: bomFormat, specVersion; a component's type, name; a dependency's ref; a hash's alg."""
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["serialNumber"]
    )
    components = [made["metadata"]["component"], *made["components"]]
    refs = [each["bom-ref"] for each in components]
    assert len(set(refs)) == len(refs) and made["metadata"]["component"]["type"] == "application"
    for each in components:
        assert each["type"] in ("application", "library") and each["name"] and each["version"]
        assert each["purl"].startswith("pkg:pypi/") and each["licenses"][0]["expression"]
        for checksum in each.get("hashes", []):
            assert checksum["alg"] == "SHA-256" and re.fullmatch("[0-9a-f]{64}", checksum["content"])
    assert [each["ref"] for each in made["dependencies"]] == refs
    assert all(set(each["dependsOn"]) <= set(refs) for each in made["dependencies"])


def test_it_names_the_listed_wheel_of_what_is_installed(made: dict) -> None:
    numpy = next(each for each in made["components"] if each["name"] == "numpy")
    if numpy["version"] != pins(LOCK.read_text())["numpy"].version:
        pytest.skip("numpy is not at its pinned release")
    wheels = {sha for file, sha in LISTED.items() if file.startswith("numpy-") and file.endswith(".whl")}
    assert numpy["hashes"][0]["content"] in wheels
    torch = next(each for each in made["components"] if each["name"] == "torch")
    assert "hashes" not in torch and numpy["bom-ref"] in made["dependencies"][0]["dependsOn"]


def test_the_same_installation_gives_the_same_bytes(made: dict, monkeypatch) -> None:
    found = list(installed(names(LOCK.read_text())))
    assert canonical_json(bill(PROJECT, found, LISTED, Policy.read())) == canonical_json(made)
    assert "timestamp" not in made["metadata"]
    fewer = bill(PROJECT, found[1:], LISTED, Policy.read())
    assert fewer["serialNumber"] != made["serialNumber"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert bill(PROJECT, [], {}, Policy.read())["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "now")
    with pytest.raises(UserError, match="SOURCE_DATE_EPOCH=now"):
        bill(PROJECT, [], {}, Policy.read())


def test_a_package_url_escapes_a_local_version() -> None:
    assert purl("Smart_Open", "2.0+cpu") == "pkg:pypi/smart-open@2.0%2Bcpu"
