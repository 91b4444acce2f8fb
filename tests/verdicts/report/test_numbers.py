"""No number without a record: what README, page and paper say of results changes with the results,
or is not a result.

A number of a page is one of three kinds: a record's (it changes with it), the claims file's or
another's that people write (shown as theirs), or one of the few that are listed here with the
reason why it is none of these. How many verdicts chance may turn follows from the claims file.
"""

import re
import tomllib
from collections.abc import Iterable
from html import unescape

import pytest

from ams.statistics import CONFIDENCE, SUITE_FALSE_ALARM
from tests.claims import ROOT, claims, entry
from tests.verdicts.report.test_paper import needs_poppler, text_of
from tests.verdicts.toy import Toy
from verdicts.claims.check import BUDGET, MISS, Check
from verdicts.claims.loading import ProfileConfig, load_config
from verdicts.claims.schema import Profile
from verdicts.records.ledger import collect
from verdicts.report import page as report, paper as document, readme_blocks as readme
from verdicts.report.page import drawn as drawn_in, family_wise
from verdicts.report.report_texts import load_exhibits
from verdicts.report.words import number, required
from verdicts.run.checks import settings_class
from verdicts.run.publish import publish

# A number by itself: not part of a name (P1, float32, arXiv's version), of a path or an option
NUMBER = re.compile(r"(?<![\w./:@^-])(?<!\d,)\d[\d.,]*(?:e[-−]?\d+)?(?![\w/:])")

# In the text of the two pages, besides their generated blocks; with the reason for each
ALLOWED = {
    "2405.13726": "the paper's number at arXiv",
    "3.11": "the oldest Python, checked against pyproject.toml by tests/tools",
    "2.0": "the licence's version",
    "4": "GiB, and 'at most 4 GiB': a bar that every job is measured against",
    "99": "per cent: the confidence of all intervals of experiments",
    "0": "exit code",
    "1": "exit code",
    "2": "exit code",
    "3": "exit code",
    "0.1": "GB of data and results, measured for the cpu profile",
    "0.3": "GB of packages that a fresh environment downloads, measured",
    "1.7": "GB of a fresh environment, measured",
    "15": "seconds of the first look, measured on two cores",
    "52": "MB, the sizes in src/ams/data/registry.toml of what has an address",
    "20": "an argument of a command that is shown",
}
# Sizes in paper/exhibits.toml that no setting states by itself, with what gives them
SUMS = {
    "T-images": dict.fromkeys(
        ("64", "0.16", "0.17", "0.075", "90", "256", "2000"), "the authors' configurations"
    ),
    "F-samples": {"8": "pixels of scikit-learn's digits"},
    "T-graphs-rows": {
        "80": "40 graphs of each of two seeds",
        "120": "of each of three",
        "240": "of each of six",
        "351": "39 graphs of each of nine seeds",
    },
    "T-molecules": {"30,000": "1000 molecules of each of thirty runs"},
}
CHOSEN = "1 2 20 25 40 43 49 80 1.5 0.010 50 60 100 150 200 300 500"  # bounds of claims, budgets
# Of the authors' configurations: scale_eps of two codes, images a batch
CONFIGURED = {"deviations": {"0.6", "0.7", "256"}}
# In the report's own words, whatever the records: templates and Typst files
# counts of nothing; "2 to 5 times", the abstract's; the exhibit's "1"
OWN_WORDS = {
    "2405.13726",
    "0",
    "1",
    "2",
    "5",
}


def numbers(text: str) -> set[str]:
    return {found.rstrip(".,") for found in NUMBER.findall(text)}


def visible(html: str) -> str:
    """Return the text that a reader sees: no style, no script, no tag."""
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", bare))


READ_FIRST = ("README.md", "paper/ARTIFACT.md")


def test_outside_of_its_blocks_a_page_has_no_number_but_those_listed_and_used():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in READ_FIRST)
    prose = re.sub(
        r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", readme.BLOCK.sub("", text), flags=re.DOTALL
    )
    assert numbers(prose) <= set(ALLOWED)
    assert all(number in text for number in ALLOWED)


@pytest.mark.parametrize("name", ["deviations", "limitations", "findings", "notation"])
def test_what_people_write_beside_claims_holds_no_measured_number(name):
    content = tomllib.loads((ROOT / f"paper/{name}.toml").read_text(encoding="utf-8"))
    entries = [entry for kind in content.values() for entry in kind if isinstance(entry, dict)]
    texts = [text for entry in entries for text in entry.values() if isinstance(text, str)]
    prose = " ".join(re.sub(r"\$[^$]*\$|`[^`]*`|\{[^}]*\}", " ", text) for text in texts)
    assert numbers(prose) <= numbers(CHOSEN) | CONFIGURED.get(name, set()), (
        "nothing that was measured"
    )


@pytest.fixture(scope="module")
def configs() -> list[ProfileConfig]:
    """Return the configuration of every profile that an exhibit may be made with."""
    return [
        load_config(ROOT, each, claims().seen_by(each))
        for each in (Profile.QUICK, Profile.CPU, Profile.PAPER)
    ]


@pytest.mark.parametrize("exhibit", load_exhibits(ROOT), ids=lambda exhibit: exhibit.id)
def test_the_sizes_that_an_exhibit_names_are_settings_of_what_stands_for_it(exhibit, configs):
    named = {claim.group for claim in claims().claim if claim.id in exhibit.here}
    groups = [group for group in claims().group if group.id in named]
    settings = [
        settings_class(group)(**config.settings_of(group.id))
        for group in groups
        for config in configs
    ]
    known = {
        number for each in settings for number in re.findall(r"\d[\d.]*", each.model_dump_json())
    }
    assert numbers(f"{exhibit.scaling} {exhibit.reason}") <= known | SUMS.get(exhibit.id, {}).keys()


def written(toy: Toy) -> set[str]:
    """Return the numbers in what people wrote: claims, texts beside them, settings, the code
    that is shown.
    """
    places = ("paper/*.toml", "config/quick.toml", f"{toy.package}/*/*.*")
    paths = [path for place in places for path in toy.root.glob(place)]
    return set(
        re.findall(r"\d[\d.]*", " ".join(path.read_text(encoding="utf-8") for path in paths))
    )


def test_before_any_run_the_page_has_no_number_of_its_own(toy):
    page = visible(report.build(toy.workspace(), collect(toy.workspace()))[report.REPORT])
    counts = {"4"}  # claims, none of them run
    assert numbers(page) <= written(toy) | OWN_WORDS | counts | shown(toy)


def shown(toy: Toy) -> Iterable[str]:
    """Return the claims' bounds and tolerances as the page writes them."""
    found = set()
    for claim in toy.workspace().claims.claim:
        for check in claim.check:
            found |= numbers(f"{number(check.bound)} {required(check)}")
    return found


@needs_poppler
def test_before_any_run_a_document_has_no_number_of_its_own(toy):
    workspace = toy.workspace()
    workspace.folder.mkdir(parents=True)
    publish(workspace)
    for name in document.DOCUMENTS:
        text, _, _ = text_of(workspace.folder / f"{name}.pdf").partition("References\n")
        text = re.sub(r"\[\d+\]", "", text)  # citations
        pages = {str(n) for n in range(1, text.count("\f") + 1)}
        sections = set(re.findall(r"^\s*(\d+(?:\.\d+)?)\s+\S", text, re.MULTILINE))
        assert numbers(text) <= written(toy) | OWN_WORDS | pages | sections | {"4"} | set(
            shown(toy)
        )


def drawn(**given: object) -> Check:
    """Return the entry of a check by Monte Carlo, with these fields."""
    return Check.model_validate(entry(">=").model_dump() | {"origin": "Monte Carlo"} | given)


def test_the_engines_rates_are_those_of_the_statistics() -> None:
    assert pytest.approx(1 - CONFIDENCE) == MISS and BUDGET == SUITE_FALSE_ALARM


@pytest.mark.parametrize(
    ("given", "alarm", "confirmation"),
    [
        ({}, 0.005, 0.005),
        ({"relation": "="}, 0.01, 0.005),
        ({"share": 0.1}, 1e-5, 1e-5),
        ({"alarm": 0.015, "share": 0.1}, 0.015, 0.015),
        ({"origin": "stated margin, drawn: 0.1; Student interval over batches"}, 0.005, 0.005),
        ({"origin": "stated margin: 0.1"}, 0.0, 0.0),
        ({"origin": "algebra"}, 0.0, 0.0),
        ({"origin": "rounding: float32"}, 0.0, 0.0),
    ],
)
def test_rates_of_chance_follow_from_the_entry(
    given: dict[str, object], alarm: float, confirmation: float
) -> None:
    check = drawn(**given)
    assert (check.false_alarm, check.false_confirmation) == pytest.approx((alarm, confirmation))


def test_rates_of_a_profile_add() -> None:
    """Each sentence has at most 25 words; its numbers are those of the claims file."""
    for profile in (Profile.QUICK, Profile.CPU, Profile.FULL):
        checks = drawn_in(claims(), profile)
        text = family_wise(claims(), profile)
        count, refuted, confirmed = map(float, re.findall(r"[\d.]+\d|\d", text))
        assert count == len(checks)
        assert refuted == pytest.approx(sum(check.false_alarm for check in checks), rel=0.06)
        assert confirmed == pytest.approx(
            sum(check.false_confirmation for check in checks), rel=0.06
        )
        assert all(len(part.split()) <= 25 for part in re.split("[.;] ", text))
    assert len(drawn_in(claims(), Profile.QUICK)) < len(drawn_in(claims(), Profile.FULL))
