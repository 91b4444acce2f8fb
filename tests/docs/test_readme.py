"""What README and notebooks name exists; README's results are those of the kept values, its
badges those of the kit.
"""

import re
import shutil
from pathlib import Path

import pytest

from samplercheck import conform
from samplercheck.adapters import installed, load
from samplercheck.page import badge
from tests.claims import claims
from tests.verdicts.report.pages import kept_values
from verdicts.claims.schema import Profile
from verdicts.records.expected import expected_path
from verdicts.report import readme_blocks as readme

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
HOUSES = ("analysis", "experiments", "related", "beyond", "survey")
NOTEBOOKS = sorted(path for house in HOUSES for path in (ROOT / house).glob("**/notebook.md"))
ASKED = re.compile(r'^page\.(?:figure|table)\("(\w+)"\)', re.M)
NAMED = re.compile(r'"([\w{}.]*\w[\w{}.]*)"|^def (\w+)', re.M)


def test_every_file_that_is_named_is_there():
    named = re.findall(r"[`(]((?:paper|analysis|src|tests|config)/[\w./-]*)[`)]", TEXT)
    assert len(named) >= 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_claim_that_is_named_is_there():
    known = {claim.id for claim in claims().claim} | claims().outline.stated.keys()
    outside = readme.BLOCK.sub("", TEXT)
    prose = re.sub(r"```.*?```|`[^`]*`", "", outside, flags=re.DOTALL)
    assert set(re.findall(r"\b[A-Z]\d[a-c]?\b", prose)) <= known


def words(text):
    """Return the words that a reader sees: no link's address, code block, comment, tag, nor sign
    by itself.
    """
    bare = re.sub(r"```.*?```|<!--.*?-->|<[^>]+>", " ", text, flags=re.DOTALL)
    return re.findall(r"\S*\w\S*", re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", bare))


def test_it_is_read_in_minutes():
    prose = re.sub(r"```.*?```|<!--.*?-->", "", TEXT, flags=re.DOTALL)
    parts = re.split(r"\n\s*\n|\n(?=- )|<br>", prose)
    paragraphs = [
        part for part in parts if part.strip() and not part.lstrip().startswith(("|", "#"))
    ]
    sentences = [each for part in paragraphs for each in re.split(r"(?<=[.:?])\s", part)]
    assert len(words(TEXT)) <= 900
    assert max(len(words(part)) for part in paragraphs) <= 80
    assert max(len(words(each)) for each in sentences) <= 40
    assert "paper/ARTIFACT.md" in " ".join(TEXT.split("\n\n")[1].split(". ")[:2])


@pytest.mark.parametrize("name", readme.PAGES)
def test_what_pages_say_of_results_is_what_the_kept_values_give(name):
    assert name not in readme.outdated(ROOT), "`ams pages` writes them"


@pytest.fixture
def copy(tmp_path):
    """Return a copy of what the pages are made from."""
    (tmp_path / "docs").mkdir()
    for name in ("docs/claims.md", "docs/index.md", "docs/running.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("README.md", "paper", "config"):
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(
            source, tmp_path / name
        )
    for folder in ("tests", "analysis", "experiments", "related", "beyond", "survey"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def test_pages_follow_the_kept_values(copy):
    verdicts = {claim.id: "holds" for claim in claims().claim}
    kept_values("cpu", claims(), verdicts, 7.25, 61.0).write(expected_path(copy, Profile.CPU))
    expected_path(copy, Profile.FULL).unlink()
    assert set(readme.write(copy)) == {*readme.PAGES, readme.PICTURE} - {"docs/claims.md"}
    assert "| 2.0 GiB | 2031-02-03, Abacus |" in (copy / "docs/running.md").read_text()
    text = (copy / "README.md").read_text()
    assert "P1a holds; P1b holds" in text, "a finding whose verdicts are others is not told"
    assert "**7.25**" in text
    assert readme.write(copy) == []


def test_without_kept_values_the_pages_say_so(copy):
    shutil.rmtree(copy / "paper/expected", ignore_errors=True)
    readme.write(copy)
    assert readme.NOTHING in (copy / "README.md").read_text()
    assert (copy / "docs/running.md").read_text().count("not measured | not measured") == len(
        Profile
    )


@pytest.mark.parametrize(
    ("file", "sampler"), [("azula-heun", "HeunSampler"), ("azula-reab", "REABSampler")]
)
def test_a_badge_is_drawn_from_its_report(file: str, sampler: str) -> None:
    if installed("azula") is None:
        pytest.skip("azula is not installed")
    report = conform(load(f"azula:{sampler}"), steps=(12, 18, 24, 36, 48, 72))
    assert badge(report) == (ROOT / f"docs/badges/{file}.svg").read_text(encoding="utf-8")


def names_of(group: Path) -> list[str]:
    """Return a pattern for each name that figures and tables may have: a string, with fields, or
    a function's name.
    """
    sources = (path.read_text() for folder in (group, group.parent) for path in folder.glob("*.py"))
    names = [either or other for source in sources for either, other in NAMED.findall(source)]
    return [re.sub(r"\\{[^}]*\\}", r"\\w+", re.escape(name)) for name in names]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.parent.name)
def test_a_notebook_asks_for_what_its_group_makes(notebook):
    made = names_of(notebook.parent)
    for name in ASKED.findall(notebook.read_text()):
        assert any(re.fullmatch(pattern, name) for pattern in made), (
            f"{notebook.parent.name} makes no {name}"
        )
