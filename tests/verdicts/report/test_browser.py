"""The report in a real browser, from disk: it filters, sorts, opens, follows links, prints, and asks for nothing else.

Needs Chromium (Debian: `apt-get install chromium`) and the Python package playwright, without a browser of its own.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verdicts.report.whole import FIGURES
from tests.verdicts.toy import Toy
from verdicts.run.pages import make_page
from verdicts.run.publish import publish

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
LONGEST_LOAD = 2.0


class Visit:
    """A page opened from disk, with all that it asked for beyond itself and all that went wrong."""

    def __init__(self, browser, address: Path) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.address = address.as_uri()
        self.page.goto(self.address, wait_until="load")

    def shown(self) -> list[str]:
        """Return the ids of the claims in view, in order."""
        return self.page.eval_on_selector_all("li.claim:not([hidden])", "all => all.map(one => one.dataset.id)")

    def foreign(self) -> list[str]:
        """Return the addresses asked for that are neither the page nor inside of it."""
        return [url for url in self.asked if not url.startswith("data:") and url.partition("#")[0] != self.address]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with sync_api.sync_playwright() as playwright:
        # As root, and in containers without user namespaces, Chromium's own sandbox cannot start
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Return the page of a small repository, with figures and a notebook page."""
    toy = Toy.make(tmp_path_factory.mktemp("small"))
    toy.add_notebook("alpha", "# A derivation\n\nof $x^2$\n")
    workspace = toy.run_all("cpu")
    assert make_page(workspace, workspace.claims.group[0]) == ""
    return publish(workspace)[1]


def visited(browser, page: Path) -> Iterator[Visit]:
    opened = Visit(browser, page)
    yield opened
    assert opened.errors == [] and opened.foreign() == []
    opened.context.close()


@pytest.fixture
def visit(browser, small) -> Iterator[Visit]:
    yield from visited(browser, small)


@pytest.fixture
def whole(browser, whole_page) -> Iterator[Visit]:
    yield from visited(browser, whole_page)


def test_claims_are_filtered_by_verdict_source_and_part(visit):
    page = visit.page
    assert visit.shown() == ["A1", "A2", "B1", "B2"]
    assert page.inner_text("#shown") == "4 of 4 claims"
    page.select_option("#by-verdict", "refuted")
    assert visit.shown() == ["A2"] and page.inner_text("#shown") == "1 of 4 claims"
    page.select_option("#by-verdict", "")
    page.select_option("#by-source", "proved here")
    assert visit.shown() == ["A1"]
    page.select_option("#by-source", "")
    page.select_option("#by-part", "suite")
    assert visit.shown() == ["B1", "B2"]
    page.select_option("#by-verdict", "refuted")
    assert visit.shown() == []


def test_claims_are_sorted_refuted_first_and_back(visit):
    visit.page.select_option("#sort", "verdict")
    assert visit.shown()[0] == "A2"
    visit.page.select_option("#sort", "evidence")
    assert visit.shown() == ["A1", "A2", "B1", "B2"]
    visit.page.select_option("#sort", "source")
    assert visit.shown() == ["A2", "B1", "A1", "B2"]
    visit.page.select_option("#sort", "order")
    assert visit.shown() == ["A1", "A2", "B1", "B2"]


def test_a_claim_opens_to_statement_figure_falsifier_and_source_by_keyboard(visit):
    page, body = visit.page, "#claim-A1 .body"
    assert not page.is_visible(body)
    page.focus("#claim-A1 summary.row")
    page.keyboard.press("Enter")
    assert page.is_visible(body) and page.locator(f"{body} .statement math").count() == 1
    assert page.locator(f"{body} figure.evidence img").is_visible()
    assert page.locator(f"{body} figure.evidence img").evaluate("one => one.naturalWidth") > 50
    assert "tests/test_toy.py::test_one" in page.inner_text(body)
    assert "bash reproduce.sh --profile cpu --only A1 --force A1" in page.inner_text(body)
    page.click(f"{body} details.code > summary")
    assert "return Measurement(value=ONE" in page.inner_text(f"{body} details.code pre")
    page.focus("#claim-A1 summary.row")
    page.keyboard.press("Enter")
    assert not page.is_visible(body)


def test_the_button_opens_and_closes_all(visit):
    for wanted in (True, False):
        visit.page.click("#unfold")
        assert visit.page.eval_on_selector_all("li.claim > details", "all => all.map(one => one.open)") == [wanted] * 4


def test_a_link_to_a_claim_opens_it_though_it_was_filtered_away(visit):
    visit.page.select_option("#by-verdict", "holds")
    assert visit.shown() == ["A1", "B1", "B2"]
    visit.page.click("#group-alpha .verdicts a:has-text('A2')")
    visit.page.wait_for_selector("#claim-A2 .body", state="visible")
    assert len(visit.shown()) == 4 and visit.page.input_value("#by-verdict") == ""


def test_the_notebook_page_is_reached_and_leads_back(browser, small):
    opened = Visit(browser, small)
    opened.page.click("#claim-A1 summary.row")
    opened.page.click("#claim-A1 .body a:has-text('notebook page')")
    opened.page.wait_for_url("**/notebooks/alpha.html")
    assert opened.page.inner_text("h1") == "A derivation" and opened.page.locator("math").count() == 1
    opened.page.click("a:has-text('Report')")
    opened.page.wait_for_url("**/report.html")
    assert opened.errors == [] and not [url for url in opened.asked if not url.startswith(("file:", "data:"))]
    opened.context.close()


def test_in_print_every_claim_is_open_and_no_control_is_shown(visit):
    page = visit.page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert all(page.eval_on_selector_all("li.claim > details", "all => all.map(one => one.open)"))
    assert not page.is_visible("form.controls") and not page.is_visible("nav")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not any(page.eval_on_selector_all("li.claim > details", "all => all.map(one => one.open)"))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_printed_it_holds_statements_and_checks(visit, tmp_path):
    file = tmp_path / "printed.pdf"
    visit.page.pdf(path=str(file), format="A4")
    text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    assert "2 [1.9, 2.1]" in text and "tests/test_toy.py::TestToy::test_two" in text and "Limitations" in text


@pytest.mark.parametrize("width", [1280, 420])
def test_nothing_but_tables_is_wider_than_the_window(visit, width):
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.page.click("#unfold")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 640, 400])
def test_with_every_claim_open_long_formulas_scroll_in_their_row(whole, width):
    statement = "document.querySelector('#claim-K1 .statement')"
    whole.page.set_viewport_size({"width": width, "height": 800})
    whole.page.click("#unfold")
    assert whole.page.evaluate("document.documentElement.scrollWidth") <= width
    hidden = whole.page.evaluate(f"{statement}.scrollWidth - {statement}.clientWidth")
    assert hidden == 0 or width < 1280
    assert hidden > 0 or width > 400, "in between it depends on the fonts at hand"
    whole.page.evaluate(f"{statement}.scrollLeft = 9999")
    assert whole.page.evaluate(f"{statement}.scrollLeft") == hidden, "its end is reached"


@pytest.mark.parametrize(("width", "labelled"), [(1280, False), (800, True), (400, True)])
def test_values_have_their_labels_where_the_head_of_the_columns_is_not_shown(visit, width, labelled):
    visit.page.set_viewport_size({"width": width, "height": 800})
    labels = "all => all.map(one => getComputedStyle(one, '::before').content)"
    found = visit.page.eval_on_selector_all("#claim-A2 summary.row > span:nth-child(n+4)", labels)
    assert found == (['"Measured"', '"Required"', '"Evidence"'] if labelled else ["none"] * 3)
    assert visit.page.is_visible(".row.head") is not labelled


def test_the_whole_page_loads_in_time_with_every_claim(whole):
    took = whole.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
    assert 0 < took < LONGEST_LOAD
    assert len(whole.shown()) > 100


def test_pictures_come_when_they_are_needed_and_all_of_them_for_print(whole):
    pictures = "[...document.querySelectorAll('section figure > img')]"
    assert whole.page.evaluate(f"{pictures}.length") == FIGURES
    assert whole.page.evaluate(f"{pictures}.filter(one => one.naturalWidth > 300).length") < FIGURES
    height = whole.page.evaluate("document.documentElement.scrollHeight")
    whole.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    whole.page.wait_for_function(f"{pictures}.every(one => one.complete && one.naturalWidth > 300)")
    whole.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    moved = whole.page.evaluate("document.documentElement.scrollHeight") - height
    assert abs(moved) < FIGURES, "their places were kept, to a pixel each"
