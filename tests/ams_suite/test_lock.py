"""What the lock pins, and whether a report of pip tells of files that it does not list."""

import json
from pathlib import Path

import pytest

from ams_suite import lock

TEXT = "# head\nSmart_Open==7.7.1\ntorch>=2.3,<3\n\nwrapt == 2.5.2\n"
SHA = "ab" * 32


def report(*files: tuple[str, str, str, dict[str, object]]) -> dict[str, object]:
    return {
        "install": [
            {
                "metadata": {"name": name, "version": version},
                "download_info": {"url": f"https://index/x/{file}", "archive_info": archive},
            }
            for name, version, file, archive in files
        ]
    }


def test_pins_are_releases_by_canonical_name_and_ranges_are_left_out() -> None:
    assert {key: str(pin) for key, pin in lock.pins(TEXT).items()} == {
        "smart-open": "Smart_Open==7.7.1",
        "wrapt": "wrapt==2.5.2",
    }


@pytest.mark.parametrize("line", ["nothing", f"{SHA} one-space.whl", f"{SHA.upper()}  x.whl", f"{SHA}  a b"])
def test_a_line_that_is_no_checksum_is_an_error(line: str) -> None:
    assert lock.checksums(f"# head\n{SHA}  x-1.whl\n") == {"x-1.whl": SHA}
    with pytest.raises(ValueError, match="not a sha256"):
        lock.checksums(line)


@pytest.mark.parametrize(
    ("name", "file", "archive", "differs"),
    [
        ("smart.open", "so-1.whl", {"hashes": {"sha256": SHA}}, False),
        ("smart_open", "so-1.whl", {"hash": f"sha256={SHA}"}, False),  # as pip 22 has it
        ("smart_open", "so-1.whl", {"hashes": {"sha256": "0" * 64}}, True),
        ("smart_open", "so-2.whl", {"hashes": {"sha256": SHA}}, True),
        ("smart_open", "so-1.whl", {}, True),
        ("torch", "t-1%2Bcpu.whl", {"hash": "sha256=0"}, False),
    ],
)
def test_files_of_pinned_distributions_are_held_against_the_list(name, file, archive, differs: bool) -> None:
    found = lock.differing(report((name, "9", file, archive)), lock.pins(TEXT), {"so-1.whl": SHA})
    assert bool(found) is differs and all(f"{name} 9: {file}" in line for line in found)


def test_the_verdict_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(TEXT)
    (tmp_path / "sums").write_text(f"{SHA}  so-1.whl\n")
    told = tmp_path / "report.json"

    def verdict(**more: Path) -> str:
        return lock.verdict(told, **{"lock": tmp_path / "lock", "listing": tmp_path / "sums"} | more)

    assert "report.json cannot be read: No such file" in verdict()
    told.write_text(json.dumps(report(("wrapt", "1", "w.whl", {}), ("smart_open", "1", "s.whl", {}))))
    assert verdict().endswith("in sums (and 1 more)") and "\n" not in verdict()
    told.write_text(json.dumps(report(("other", "1", "o.whl", {}))))
    assert verdict() == ""
    assert "cannot be read" in verdict(listing=tmp_path / "lock")
    for broken in ("[]", "{}", "{", '{"install": [{}]}'):
        told.write_text(broken)
        assert "cannot be read" in verdict()
