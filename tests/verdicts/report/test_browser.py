"""The report in a real browser, from disk: found, filtered, opened, printed, read aloud, on a
phone, without scripts.

Needs Chromium (Debian: `apt-get install chromium`), the Python package playwright without a browser
of its own, and for one test axe-playwright-python.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

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
        """Return the addresses asked for that are neither the page nor inside of it."""
        return [
            url
            for url in self.asked
            if not url.startswith("data:") and url.partition("#")[0] != self.address
        ]


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


def test_filters_choose_claims_and_stand_in_the_address(visit, visits, small):
    page = visit.page
    assert (
        visit.shown() == ["A1", "A2", "B1", "B2"] and page.inner_text("#shown") == "4 of 4 claims"
    )
    page.select_option("#verdict", "refuted")
    assert visit.shown() == ["A2"] and page.inner_text("#shown") == "1 of 4 claims"
    assert page.url.endswith("#verdict=refuted") and not page.is_visible("#group-beta")
    page.select_option("#part", "theory")
    page.click("#claim-A2 summary.row")
    page.wait_for_url("**#verdict=refuted&part=theory&open=A2")
    again = visits(small, page.url.removeprefix(visit.address))
    assert (again.shown(), again.open(), again.page.input_value("#verdict")) == (
        ["A2"],
        ["A2"],
        "refuted",
    )
    page.select_option("#source", "proved here")
    assert visit.shown() == []


def test_a_filter_unfolds_groups_with_pages_of_their_own_and_folds_them_again(visit):
    page, folded = visit.page, "#group-beta .elsewhere"
    assert "2 claims on a page of their own" in page.inner_text(f"{folded} summary")
    assert not page.is_visible(f"{folded} li")
    page.select_option("#part", "suite")
    assert page.is_visible(f"{folded} li[data-id=B1]") and visit.shown() == ["B1", "B2"]
    page.select_option("#part", "")
    assert not page.is_visible(f"{folded} li")


SEARCHES = [
    ("a2", "claim|A2 Two is at most one"),
    ("two most", "claim|A2 Two is at most one"),
    ('"at most one"', "claim|A2 Two is at most one"),
    ('"most at one"', "|Nothing found"),
    ("figure 2", "figure|Figure 2 a line, y = x"),
    ("p1", "claim of the paper|P1 One is one. It is one."),
    ("environment", "section|Environment and provenance"),
    ("alpha/checks.py", "file|{package}/alpha/checks.py"),
    ("--only p1", "command|bash reproduce.sh --only P1"),
    ("gpu", "answer|Is it one?"),
    ("as it is", "condition|P1: As it is. (A1)"),
    ("no clear gain", "limitation|Small. No clear gain is seen."),
]


def test_the_search_drops_down_under_its_box_and_finds_each_kind(visit):
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


def test_the_search_finds_an_id_as_a_word_and_not_within_another(visit):
    visit.page.fill("#search", "a2")
    found = visit.page.locator("#matches li").all_inner_texts()
    assert any("A2 Two is" in text for text in found) and not any(
        "Is it one?" in text for text in found
    )
    visit.page.fill("#search", "zinca2")
    assert "Is it one?" in visit.page.inner_text("#matches li:first-child")


def test_the_search_is_used_by_keyboard(visit):
    page = visit.page
    page.keyboard.press("Tab")
    page.fill("#search", "one")
    options = page.locator("#matches li").count()
    assert options > 2
    page.keyboard.press("ArrowUp")
    assert page.get_attribute("#search", "aria-activedescendant") == f"match-{options - 1}"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.is_hidden("#matches") and page.get_attribute("#search", "aria-expanded") == "false"
    page.fill("#search", "a1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#claim-A1 .body", state="visible")
    assert page.is_hidden("#matches") and visit.open() == ["A1"]


def test_a_claim_opens_by_keyboard_to_statement_figure_and_place_of_its_source(visit):
    page, body = visit.page, "#claim-A1 .body"
    assert not page.is_visible(body)
    page.focus("#claim-A2 summary.row")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.is_visible(body) and visit.open() == ["A1"]
    page.wait_for_url("**#claim-A1")
    assert page.locator(f"{body} .statement math").count() == 1
    assert (
        page.locator(f"{body} figure:has-text('Figure 2. a line') img").evaluate(
            "one => one.naturalWidth"
        )
        > 50
    )
    assert "tests/test_toy.py::test_one" in page.inner_text(body)
    assert "bash reproduce.sh --profile cpu --only A1 --force A1" in page.inner_text(body)
    page.click(f"{body} .checks summary")
    assert page.locator(f"{body} .checks a:has-text('alpha/checks.py')").count() == 1


def test_a_row_opens_to_its_figure_and_command_and_leads_to_the_claims_that_it_names(visit):
    page, row = visit.page, "#paper-P1"
    page.click(f"{row} summary.finding")
    assert page.locator(f"{row} figure img").evaluate("one => one.naturalWidth") > 50
    assert "bash reproduce.sh --profile cpu --only alpha --force alpha" in page.inner_text(
        f"{row} figcaption"
    )
    page.click(f"{row} .conditions a:has-text('A1')")
    page.wait_for_url("**#claim-A1")
    page.wait_for_selector(
        "#claim-A1 .body", state="visible"
    )  # the address changes before the page follows it
    assert visit.open() == ["A1"]


def test_the_list_of_claims_is_one_stop_of_the_tab_key(visit):
    stops = ":is(a, button, input, select, summary, [tabindex]):not([tabindex='-1'])"
    found = visit.page.eval_on_selector_all(
        f"ol.claims {stops}", "all => all.filter(one => one.checkVisibility()).length"
    )
    assert found == 1


def test_a_link_to_a_claim_opens_it_though_it_was_filtered_away(visit):
    visit.page.select_option("#verdict", "holds")
    assert "A2" not in visit.shown()
    visit.page.evaluate("location.hash = 'claim-A2'")
    visit.page.wait_for_selector("#claim-A2 .body", state="visible")
    assert len(visit.shown()) == 4 and visit.page.input_value("#verdict") == ""


@pytest.mark.parametrize(
    ("link", "name", "heading"),
    [
        ("#group-alpha a:has-text('Derivation')", "notebooks/alpha.html", "A derivation"),
        ("#group-beta .row:has-text('B1')", "report-beta.html#claim-B1", "Second group"),
    ],
)
def test_pages_beside_the_report_are_reached_and_lead_back(browser, small, link, name, heading):
    opened = Visit(browser, small)
    opened.page.click("#group-alpha .evidence-of > summary")
    opened.page.click("#group-beta .elsewhere > summary")
    opened.page.click(link)
    opened.page.wait_for_url(f"**/{name}")
    assert opened.page.inner_text("h1") == heading
    opened.page.click("a:has-text('Report')")
    opened.page.wait_for_url("**/report.html*")
    assert opened.errors == [] and not [
        url for url in opened.asked if not url.startswith(("file:", "data:"))
    ]
    opened.context.close()


def test_the_page_of_a_whole_run_with_more_figures_than_there_are_is_small(whole_page):
    drawn = list((whole_page.parent / "figures").rglob("*.svg"))
    assert len(drawn) == pages.FIGURES and sum(file.stat().st_size for file in drawn) > 5e6, (
        "more than a cpu run draws"
    )
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


def test_a_print_has_at_most_three_pages_with_answer_rows_conditions_counts_and_environment(
    visits, whole_page, tmp_path
):
    page = visits(whole_page).page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    shown = [
        ".first",
        ".finding >> nth=5",
        ".conditions >> nth=0",
        "#counts",
        "#environment dl >> nth=0",
    ]
    assert all(page.is_visible(each) for each in shown)
    assert not any(
        page.is_visible(each)
        for each in ("#claims", "#trust", "#sampler", "form.controls", "nav", "#matches")
    )
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".paper details[open]").count() == 0
    if shutil.which("pdfinfo"):
        page.pdf(path=str(tmp_path / "printed.pdf"), prefer_css_page_size=True)
        text = subprocess.run(
            ["pdfinfo", tmp_path / "printed.pdf"], capture_output=True, text=True, check=True
        ).stdout
        assert 1 <= int(text.partition("Pages:")[2].split()[0]) <= 3


def test_in_print_every_claim_of_a_page_apart_is_open(visits, small):
    apart = visits(small.with_name("report-beta.html"))
    apart.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert apart.open() == ["B1", "B2"] and apart.page.is_visible("#claims h2")
    apart.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert apart.open() == []


def test_without_scripts_all_is_there_to_read(visits, small):
    page = visits(small, java_script_enabled=False).page
    page.click("summary:has-text('How far each claim')")
    assert page.locator("#figure-margins img").evaluate("one => one.naturalWidth") > 300
    page.click("#claim-A1 summary.row")
    assert page.is_visible("#claim-A1 .statement") and page.is_visible("#claim-A1 .evidence a")
    page.click("#group-alpha .evidence-of > summary")
    assert page.is_visible("#figure-line img") and page.is_visible("#table-numbers")


def test_a_chart_is_moved_by_its_reader_and_leads_to_a_claim(visit):
    page, marks = visit.page, "#figure-margins .mark-symbol.role-mark path"
    page.click("summary:has-text('How far each claim')")
    page.wait_for_selector("#figure-margins .chart select")
    assert page.locator(marks).count() == 4 and page.locator("#figure-margins img").count() == 0
    page.select_option("#figure-margins select", label="Theory")
    page.wait_for_function(f"document.querySelectorAll('{marks}').length === 2")
    page.locator(marks).nth(1).click()
    page.wait_for_url("**#claim-A2")
    assert visit.open() == ["A2"]


def test_a_slider_moves_a_figure_and_is_played_to_its_end(visit):
    page = visit.page
    page.click("#group-alpha .evidence-of > summary")
    page.locator("#figure-slide input").fill("1")
    page.wait_for_selector("#figure-slide svg text:has-text('at 1')")
    page.click("#figure-slide button")
    page.wait_for_selector("#figure-slide svg text:has-text('at 2')")
    page.wait_for_selector("#figure-slide button:has-text('Play')")


def nothing_is_wider(page, width: int) -> None:
    """Assert it of a page, with all of it opened."""
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = (
        "all => all.filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one "
        "=> one.outerHTML)"
    )
    assert page.eval_on_selector_all("table, td, img, pre", wide) == []


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
    assert (
        page.inner_text(".legend")
        == "Signs: ✓ holds, ◐ holds in part, ? not shown, ✗ refuted, – not run"
    )
    scale = page.locator(".forest img.wide").evaluate("one => one.clientWidth / one.naturalWidth")
    assert scale > 0.85, "its letters, of 8 points, are 9 pixels high or more"
    texts = page.locator(".paper > li .finding").all_inner_texts()
    assert len(texts) == 6 and all(text.startswith(f"C{n}") for n, text in enumerate(texts, 1))
    assert bottoms(page, ".paper > li")[0] <= 900, "the first row too"
    page.click("#figures summary")
    names = page.locator("#figures li b").all_inner_texts()
    assert names[:2] == ["Figure 1", "Figure 2"] and len(names) > pages.FIGURES
    for width in (1400, 1000):
        page.set_viewport_size({"width": width, "height": 900})
        nothing_is_wider(page, width)


def test_on_a_phone_the_answers_come_first_then_the_picture_code_keeps_its_indentation_and_all_fits(
    visits, whole_page
):
    page = visits(whole_page).page
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    questions, (picture,) = bottoms(page, ".answers dt"), page.locator(".forest img:visible").all()
    box = picture.bounding_box()
    assert len(questions) == 3 and max(questions) < min(844, box["y"]) and box["width"] > 330
    assert picture.get_attribute("class") == "narrow" and not page.is_visible("#sections ul")
    assert box["y"] + box["height"] < page.locator(".paper").bounding_box()["y"]
    code = "#sampler pre.code"
    assert page.eval_on_selector(
        code, "one => [getComputedStyle(one).whiteSpace, one.tabIndex]"
    ) == ["pre", 0]
    assert (
        page.eval_on_selector(".symbols td", "one => getComputedStyle(one, '::before').content")
        == "none"
    )
    assert page.locator(code).bounding_box()["y"] < page.locator(".symbols").bounding_box()["y"]
    nothing_is_wider(page, 390)


def pixels_of(screenshot: bytes, edge: int = 6) -> bytes:
    """Return the pixels of a picture within its edge, whose round corners show the page."""
    picture = Image.open(BytesIO(screenshot))
    return picture.crop((edge, edge, picture.width - edge, picture.height - edge)).tobytes()


def test_dark_and_light_follow_the_system_and_the_switch_and_drawings_keep_their_colours(
    visits, small
):
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark, light = visits(small, color_scheme="dark").page, visits(small).page
    colours = [page.evaluate(paper) for page in (dark, light)]
    assert len(set(colours)) == 2
    for page in (dark, light):
        page.click("#group-alpha .evidence-of > summary")
    for place in (".forest img.wide", "#figure-line img"):
        drawn = [pixels_of(page.locator(place).screenshot()) for page in (dark, light)]
        assert drawn[0] == drawn[1], "the same pixels, on the same light card"
    for page, colour in ((light, colours[0]), (dark, colours[1])):
        page.click("#theme")
        assert page.evaluate(paper) == colour
    light.reload()
    assert light.evaluate(paper) == colours[0], "remembered"


@pytest.mark.parametrize("name", ["report.html", "report-beta.html"])
def test_axe_finds_nothing(visits, small, name):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    page = visits(small.with_name(name)).page
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    for scheme in ("light", "dark") if name == "report.html" else ("dark",):
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
