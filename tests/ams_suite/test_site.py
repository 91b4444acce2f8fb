"""The site of docs/: built from the repository, with formulas, references and executed notebooks; nothing asked for."""

import importlib.util
import re
from pathlib import Path

import pytest

from ams_suite.project import PROJECT
from ams_suite.site import build_site
from tests.verdicts.toy import REPOSITORY
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.workspace import Workspace

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
    monkeypatch.setattr("ams_suite.site.find_spec", lambda name: None)
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
