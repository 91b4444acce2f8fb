"""Commands for maintainers: two runs beside one another, and the site of docs/, built offline from the repository."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from ams.errors import UserError
from ams_suite.maintenance import build_site, compare
from ams_suite.project import PROJECT
from tests.verdicts.toy import REPOSITORY
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace


def ledger(path: Path, **checks: tuple[float | None, float | None, float | None, str]) -> Path:
    rows = [
        {"id": name, "value": v, "low": low, "high": high, "verdict": word}
        for name, (v, low, high, word) in checks.items()
    ]
    path.write_text(json.dumps({"claims": [{"id": "A1", "checks": rows}]}))
    return path


@pytest.mark.parametrize(
    ("before", "after", "change", "code"),
    [
        ((1.0, 1.0, 1.0, "holds"), (1.0 + 1e-12, 1.0, 1.0, "holds"), "equal", 0),
        ((1.0, 1.0, 1.0, "holds"), (1.1, 1.1, 1.1, "holds"), "moved", 1),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "holds"), "within the intervals", 0),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "refuted"), "within the intervals", 1),
        ((1.0, 0.9, 1.1, "holds"), (2.0, 1.9, 2.1, "holds"), "moved", 1),
        ((None, None, None, "not run"), (None, None, None, "not run"), "measured in neither", 0),
        ((None, None, None, "not run"), (1.0, 1.0, 1.0, "holds"), "measured in one", 1),
    ],
)
def test_a_check_in_both_runs(tmp_path: Path, before, after, change: str, code: int) -> None:
    lines: list[str] = []
    one, other = ledger(tmp_path / "a", x=before), ledger(tmp_path / "b", x=after)
    assert compare(one, other, tmp_path / "out.csv", lines.append, {}) == code
    assert (tmp_path / "out.csv").read_text().strip().endswith(f",{change}")
    assert lines[-1].startswith(f"1 checks: 1 {change}")


def test_a_rounding_error_may_change_within_its_tolerance(tmp_path: Path) -> None:
    one = ledger(tmp_path / "a", x=(1e-5, 1e-5, 1e-5, "holds"))
    other = ledger(tmp_path / "b", x=(3e-5, 3e-5, 3e-5, "holds"))
    lines: list[str] = []
    assert compare(one, other, None, lines.append, {"x": 1e-4}) == 0 and lines[0].endswith("tolerance of rounding")
    assert compare(one, other, None, lines.append, {"x": 1e-5}) == 1 and lines[-2].endswith("moved")


def test_what_is_gone_counts_and_what_is_new_does_not(tmp_path: Path) -> None:
    value = (1.0, 1.0, 1.0, "holds")
    one, two = ledger(tmp_path / "a", x=value), ledger(tmp_path / "b", x=value, y=value)
    lines: list[str] = []
    assert compare(one, two, None, lines.append, {}) == 0 and "y,,,,,1.0" in lines[0]
    assert compare(two, one, None, lines.append, {}) == 1 and "1 gone" in lines[-1]


def test_kept_values_are_a_run_too(tmp_path: Path) -> None:
    kept = {"claims": {"A1": {"checks": {"x": {"value": 1.0, "low": 1.0, "high": 1.0, "verdict": "holds"}}}}}
    (tmp_path / "kept").write_text(json.dumps(kept))
    lines: list[str] = []
    run = ledger(tmp_path / "a", x=(1.0, 1.0, 1.0, "holds"))
    assert compare(tmp_path / "kept", run, None, lines.append, {}) == 0


@pytest.mark.parametrize("content", ["", "[]", '{"claims": 3}', '{"claims": [{"checks": [{"id": "x"}]}]}'])
def test_any_other_file_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    with pytest.raises(UserError, match="neither a ledger nor kept values; give results"):
        compare(tmp_path / "a", tmp_path / "a", None, print, {})
    with pytest.raises(UserError, match="No such file"):
        compare(tmp_path / "none", tmp_path / "a", None, print, {})


needs_mkdocs = pytest.mark.skipif(not importlib.util.find_spec("mkdocs"), reason="mkdocs is not installed")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(REPOSITORY, Profile.QUICK, tmp_path / "results", PROJECT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, lines = tmp_path_factory.mktemp("site"), list[str]()
    workspace = Workspace.open(REPOSITORY, Profile.QUICK, folder / "results", PROJECT)
    assert build_site(workspace, folder / "site", [], lines.append) == 0 and "index.html" in lines[-1]
    return folder / "site"


@needs_mkdocs
def test_it_holds_every_page_and_asks_for_nothing(site: Path) -> None:
    pages = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}
    assert {"index.html", "design.html", "how-to/add-a-claim.html", "reference/samplers.html"} <= set(pages)
    assert "langevin" in pages["reference/samplers.html"]
    for name, text in pages.items():
        assert not re.search(r'(?:src|href)="https?://[^"]*\.(?:js|css|woff2?)"', text), name


def test_without_mkdocs_it_says_what_to_do(workspace: Workspace, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ams_suite.maintenance.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"mkdocs is not installed: `bash reproduce\.sh docs` adds it"):
        build_site(workspace, tmp_path, [], print)


def test_formulas_become_mathml_outside_of_code(tmp_path: Path, monkeypatch) -> None:
    spec = importlib.util.spec_from_file_location("hooks", REPOSITORY / "docs/hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    (tmp_path / "one.html").write_text("<title>One</title>")
    monkeypatch.setenv("AMS_GALLERY", str(tmp_path))
    text = hooks.on_page_markdown("So $x^2$, but `$y$`.\n\n```\n$z$\n```\n<!-- gallery -->")
    assert text.count("<math") == 1 and "`$y$`" in text and "$z$" in text and "- [One](gallery/one.html)" in text
