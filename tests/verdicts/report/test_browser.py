"""The report in a real browser, from disk: found, filtered, opened, printed, read aloud, on a
phone, without scripts.

Needs Chromium (Debian: `apt-get install chromium`), the Python package playwright without a browser
of its own, and for one test axe-playwright-python.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.verdicts.report import pages
from tests.verdicts.toy import Toy
from verdicts.run.drawing import make_page
from verdicts.run.publish import publish

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="the package playwright is not installed"
)
LARGEST_PAGE = 4 * 2**20
CHART = """
    import altair as alt
    from verdicts.records.figures import save_chart

    k = alt.param(name="k", value=0, bind=alt.binding_range(min=0, max=2, step=1, name="Step "))
    title = alt.TitleParams({"expr": "'at ' + k"})
    told = alt.Chart({"values": [{}]}, title=title).mark_point().add_params(k)
    return [save_chart(told, folder, "slide", "a slide", ["A1"]), """
ANSWER = """
[answer]
subject = "It adds one."
[[answer.line]]
question = "Is it one?"
paper = ["P1"]
needs = { A1 = "holds" }
text = "It is, on one GPU and on ZINCA2K."
[answer.forest]
axis = "ones"
claimed = [2.0, 5.0]
caption = "Ones."
[[answer.forest.row]]
label = "one"
dot = "A2.two"
"""
SCREENS = 20


class Visit:
    """A page opened from disk, with all that it asked for beyond itself and all that went wrong."""

    def __init__(self, browser, address: Path, anchor: str = "", **options) -> None:
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 900}, offline=True, **options
        )
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.address = address.as_uri()
        self.page.goto(self.address + anchor, wait_until="load")

    def shown(self) -> list[str]:
        """Return the ids of the claims in view, in order."""
        return self.page.eval_on_selector_all(
            "li.claim:not([hidden])", "all => all.map(one => one.dataset.id)"
        )

    def open(self) -> list[str]:
        """Return the ids of the claims that are open."""
        opened = "all => all.map(one => one.parentElement.dataset.id)"
        return self.page.eval_on_selector_all("li.claim > details[open]", opened)

    def foreign(self) -> list[str]:
        """Return the addresses asked for that are not on this disk."""
        return [url for url in self.asked if not url.startswith(("data:", "file:"))]

    def opened_all(self) -> None:
        """Open all that can be opened."""
        self.page.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.open = true; })"
        )

    def printed(self, moment: str) -> None:
        """Tell the page that a print begins (`beforeprint`) or has ended."""
        self.page.evaluate(f"window.dispatchEvent(new Event('{moment}'))")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        # As root, and in containers without user namespaces, Chromium's own sandbox cannot start
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def whole_page(tmp_path_factory) -> Path:
    """Return the page of a whole run: nothing is run."""
    return pages.whole_page(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """Return the page of a small repository, with figures, a notebook page and a group apart."""
    toy = Toy.make(tmp_path_factory.mktemp("small"))
    toy.add_notebook("alpha", "# A derivation\n\nof $x^2$\n")
    toy.replace_in_claims("beta", 'part = "suite"', 'part = "suite"\nown_page = "beta"')
    toy.replace_in_claims("alpha", 'where = "here" }', 'where = "here" }\npaper = ["P1"]')
    finding = 'paper = "P1"\nneeds = { A1 = "holds" }\nfact = "It is one."\nfigure = "line"\n'
    finding += '[[finding.condition]]\nclaim = "A1"\nverdict = "holds"\ntext = "As it is."\n'
    toy.write("paper/findings.toml", f"{ANSWER}[[finding]]\n{finding}")
    toy.write(
        "paper/limitations.toml",
        '[[limitation]]\ntitle = "Small"\ntext = "No clear gain is seen."\n',
    )
    toy.replace_in_module("alpha/figures", "    return [save_figure(", f"{CHART}save_figure(")
    workspace = toy.run_all("cpu")
    assert make_page(workspace, workspace.claims.group[0]) == ""
    return publish(workspace)[1]


@pytest.fixture
def visits(browser) -> Iterator[Callable[..., Visit]]:
    """Open pages; at the end none of them may have asked for anything, or complained."""
    opened: list[Visit] = []

    def visit(page: Path, *given: str, **options) -> Visit:
        opened.append(Visit(browser, page, *given, **options))
        return opened[-1]

    yield visit
    for each in opened:
        assert each.errors == [] and each.foreign() == []
        each.context.close()


@pytest.fixture
def visit(visits, small) -> Visit:
    return visits(small)


def test_filters_choose_claims_unfold_groups_and_stand_in_the_address(visit, visits, small):
    page, folded = visit.page, "#group-beta .elsewhere"
    assert (
        visit.shown() == ["A1", "A2", "B1", "B2"] and page.inner_text("#shown") == "4 of 4 claims"
    )
    assert not page.is_visible(f"{folded} li"), "a group with a page of its own is folded"
    page.select_option("#part", "suite")
    assert visit.shown() == ["B1", "B2"] and page.is_visible(f"{folded} li[data-id=B1]")
    page.select_option("#part", "theory")
    page.select_option("#verdict", "refuted")
    assert visit.shown() == ["A2"] and not page.is_visible("#group-beta")
    page.click("#claim-A2 summary.row")
    page.wait_for_url("**#verdict=refuted&part=theory&open=A2")
    again = visits(small, page.url.removeprefix(visit.address))
    assert (again.shown(), again.open(), again.page.input_value("#verdict")) == (
        ["A2"],
        ["A2"],
        "refuted",
    )
    page.evaluate("location.hash = 'claim-A1'")
    page.wait_for_selector("#claim-A1 .body", state="visible")
    assert len(visit.shown()) == 4 and page.input_value("#verdict") == "", (
        "a link is followed past the filters"
    )


SEARCHES = [
    ("a2", "claim|A2 Two is at most one"),
    ('"at most one"', "claim|A2 Two is at most one"),
    ('"most at one"', "|Nothing found"),
    ("figure 2", "figure|Figure 2 a line, y = x"),
    ("p1", "claim of the paper|P1 One is one. It is one."),
    ("environment", "section|Environment and provenance"),
    ("alpha/checks.py", "file|{package}/alpha/checks.py"),
    ("--only p1", "command|bash reproduce.sh --only P1"),
    ("zinca2", "answer|Is it one?"),
    ("as it is", "condition|P1: As it is. (A1)"),
    ("no clear gain", "limitation|Small. No clear gain is seen."),
]


def test_the_search_finds_each_kind_under_its_box_and_is_used_by_keyboard(visit):
    page = visit.page
    for words, first in SEARCHES:
        page.fill("#search", words)
        box, found = (page.locator(place).bounding_box() for place in ("#search", "#matches"))
        assert 0 <= found["y"] - box["y"] - box["height"] < 10 and abs(found["x"] - box["x"]) < 2
        kind, _, title = first.partition("|")
        assert page.inner_text("#matches li:first-child small") == kind
        assert (
            page.inner_text("#matches li:first-child span")
            .strip()
            .endswith(title.removeprefix("{package}"))
        )
    page.fill("#search", "a2")
    assert "Is it one?" not in page.inner_text("#matches"), "an id is a word, not a part of ZINCA2K"
    options = page.locator("#matches li").count()
    page.keyboard.press("ArrowUp")
    assert page.get_attribute("#search", "aria-activedescendant") == f"match-{options - 1}"
    page.keyboard.press("Escape")
    assert page.is_hidden("#matches") and page.get_attribute("#search", "aria-expanded") == "false"
    page.fill("#search", "a1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#claim-A1 .body", state="visible")
    assert page.is_hidden("#matches") and visit.open() == ["A1"]


def test_a_claim_opens_by_keyboard_and_a_row_by_a_click_to_figure_command_and_claims(visit):
    page, body, row = visit.page, "#claim-A1 .body", "#paper-P1"
    stops = ":is(a, button, input, select, summary, [tabindex]):not([tabindex='-1'])"
    seen = "all => all.filter(one => one.checkVisibility()).length"
    assert page.eval_on_selector_all(f"ol.claims {stops}", seen) == 1, "one stop of the tab key"
    page.focus("#claim-A2 summary.row")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**#claim-A1")
    assert visit.open() == ["A1"] and page.locator(f"{body} .statement math").count() == 1
    assert (
        page.locator(f"{body} figure:has-text('Figure 2. a line') img").evaluate(
            "one => one.naturalWidth"
        )
        > 50
    )
    assert "bash reproduce.sh --profile cpu --only A1 --force A1" in page.inner_text(body)
    page.click("#claim-A1 summary.row")
    page.click(f"{row} summary.finding")
    assert page.locator(f"{row} figure img").evaluate("one => one.naturalWidth") > 50
    page.click(f"{row} .conditions a:has-text('A1')")
    page.wait_for_selector(f"{body}", state="visible")
    assert visit.open() == ["A1"]


@pytest.mark.parametrize(
    ("link", "name", "heading"),
    [
        ("#group-alpha a:has-text('Derivation')", "notebooks/alpha.html", "A derivation"),
        ("#group-beta .row:has-text('B1')", "report-beta.html#claim-B1", "Second group"),
    ],
)
def test_pages_beside_the_report_are_reached_and_lead_back(visit, link, name, heading):
    page = visit.page
    page.click("#group-alpha .evidence-of > summary")
    page.click("#group-beta .elsewhere > summary")
    page.click(link)
    page.wait_for_url(f"**/{name}")
    assert page.inner_text("h1") == heading
    page.click("a:has-text('Report')")
    page.wait_for_url("**/report.html*")


def test_the_page_of_a_whole_run_with_more_figures_than_there_are_is_small(whole_page):
    numbers = []
    for page in whole_page.parent.glob("report*.html"):
        assert page.stat().st_size < LARGEST_PAGE
        found = [
            int(number)
            for number in re.findall(r"<strong>Figure (\d+)\.</strong>", page.read_text())
        ]
        assert found == sorted(found), "in the order of the report"
        numbers += found
    assert sorted(numbers) == list(range(1, pages.FIGURES + 1))


def test_a_print_has_at_most_three_pages_and_of_a_page_apart_every_claim(
    visits, whole_page, small, tmp_path
):
    whole = visits(whole_page)
    whole.printed("beforeprint")
    whole.page.emulate_media(media="print")
    shown = [
        ".first",
        ".finding >> nth=5",
        ".conditions >> nth=0",
        "#counts",
        "#environment dl >> nth=0",
    ]
    assert all(whole.page.is_visible(each) for each in shown)
    assert not any(whole.page.is_visible(each) for each in ("#claims", "#trust", "#sampler", "nav"))
    whole.printed("afterprint")
    assert whole.page.locator(".paper details[open]").count() == 0
    if shutil.which("pdfinfo"):
        whole.page.pdf(path=str(tmp_path / "printed.pdf"), prefer_css_page_size=True)
        text = subprocess.run(
            ["pdfinfo", tmp_path / "printed.pdf"], capture_output=True, text=True, check=True
        ).stdout
        assert 1 <= int(text.partition("Pages:")[2].split()[0]) <= 3
    apart = visits(small.with_name("report-beta.html"))
    apart.printed("beforeprint")
    assert apart.open() == ["B1", "B2"]
    apart.printed("afterprint")
    assert apart.open() == []


def test_without_scripts_all_is_there_to_read(visits, small):
    page = visits(small, java_script_enabled=False).page
    page.click("#claim-A1 summary.row")
    assert page.is_visible("#claim-A1 .statement") and page.is_visible("#claim-A1 .evidence a")
    page.click("#group-alpha .evidence-of > summary")
    assert all(
        page.is_visible(place)
        for place in ("#figure-line img", "#figure-slide img", "#table-numbers")
    )


def test_a_slider_moves_a_figure_and_is_played_to_its_end(visit):
    page = visit.page
    page.click("#group-alpha .evidence-of > summary")
    page.locator("#figure-slide input").fill("1")
    page.wait_for_selector("#figure-slide svg text:has-text('at 1')")
    page.click("#figure-slide button")
    page.wait_for_selector("#figure-slide svg text:has-text('at 2')")
    page.wait_for_selector("#figure-slide button:has-text('Play')")


def nothing_is_wider(visit: Visit, width: int) -> None:
    """Assert it of a page, with all of it opened."""
    visit.opened_all()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    wide = (
        "all => all.filter(one => one.getBoundingClientRect().right > innerWidth + "
        "1).map(one => one.outerHTML)"
    )
    assert visit.page.eval_on_selector_all("table, td, img, pre", wide) == []


def bottoms(page, places: str) -> list[float]:
    """Return where the elements that are shown at these places end, from the top of the page."""
    shown = (
        "all => all.filter(one => one.checkVisibility()).map(one => "
        "one.getBoundingClientRect().bottom + scrollY)"
    )
    return page.eval_on_selector_all(places, shown)


def test_the_first_screen_holds_answers_signs_and_picture_and_all_of_the_page_fits(
    visits, whole_page
):
    whole = visits(whole_page)
    page = whole.page
    page.set_viewport_size({"width": 1400, "height": 900})
    assert len(whole.shown()) > 100
    assert page.evaluate("document.documentElement.scrollHeight / innerHeight") < SCREENS
    first = bottoms(page, ".first h1, .answers dd, .legend, .forest img, .forest figcaption")
    assert len(first) == 7 and max(first) <= 900, "title, three answers, signs, picture, caption"
    scale = page.locator(".forest img.wide").evaluate("one => one.clientWidth / one.naturalWidth")
    assert scale > 0.85, "its letters, of 8 points, are 9 pixels high or more"
    texts = page.locator(".paper > li .finding").all_inner_texts()
    assert len(texts) == 6 and all(text.startswith(f"C{n}") for n, text in enumerate(texts, 1))
    assert bottoms(page, ".paper > li")[0] <= 900, "the first row too"
    page.click("#figures summary")
    assert page.locator("#figures li b").count() == pages.FIGURES
    for width in (1400, 1000):
        page.set_viewport_size({"width": width, "height": 900})
        nothing_is_wider(whole, width)


def test_on_a_phone_the_answers_come_first_then_the_picture_code_keeps_its_indentation_and_all_fits(
    visits, whole_page
):
    whole = visits(whole_page)
    page = whole.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    questions, (picture,) = bottoms(page, ".answers dt"), page.locator(".forest img:visible").all()
    box = picture.bounding_box()
    assert len(questions) == 3 and max(questions) < min(844, box["y"]) and box["width"] > 330
    assert picture.get_attribute("class") == "narrow" and not page.is_visible("#sections ul")
    code = "#sampler pre.code"
    assert page.eval_on_selector(
        code, "one => [getComputedStyle(one).whiteSpace, one.tabIndex]"
    ) == ["pre", 0]
    nothing_is_wider(whole, 390)


def test_dark_and_light_follow_the_system_and_the_switch_and_drawings_keep_their_light_card(
    visits, small
):
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark, light = visits(small, color_scheme="dark").page, visits(small).page
    colours = [page.evaluate(paper) for page in (dark, light)]
    card = "getComputedStyle(document.querySelector('.forest img.wide')).backgroundColor"
    assert len(set(colours)) == 2 and dark.evaluate(card) == light.evaluate(card)
    for page, colour in ((light, colours[0]), (dark, colours[1])):
        page.click("#theme")
        assert page.evaluate(paper) == colour
    light.reload()
    assert light.evaluate(paper) == colours[0], "remembered"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("report.html", "light"), ("report.html", "dark"), ("report-beta.html", "dark")],
)
def test_axe_finds_nothing(visits, small, name, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    visit = visits(small.with_name(name), color_scheme=scheme)
    visit.opened_all()
    found = axe.Axe().run(visit.page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
