"""Runs in this process: what is computed, what is kept, what is made of verdicts, of what is
absent, of what breaks.
"""

import re

import pytest

from tests.verdicts.toy import Session, Toy, after_a_run
from verdicts.claims.loading import Device
from verdicts.claims.schema import Profile
from verdicts.errors import UserError
from verdicts.records.run_record import RunRecord
from verdicts.records.workspace import Project, Workspace
from verdicts.run import console, driver
from verdicts.run.driver import RunOptions

SLEEPS = """    import time

    time.sleep(1.2)
    return Measurement(value=2"""


@pytest.fixture(scope="module")
def after_first_run(tmp_path_factory):
    """Return a toy, and what makes its files again as its first run left them."""
    toy = Toy.make(tmp_path_factory.mktemp("toy"))
    return toy, after_a_run(toy)


@pytest.fixture
def ran(after_first_run, monkeypatch):
    """Return a session on a toy after its first run."""
    toy, restore = after_first_run
    restore()
    return Session(toy, monkeypatch)


def test_a_first_run_computes_all_and_a_second_nothing(session):
    assert session.run() == 0
    assert session.computed() == {"A1", "A2", "B1"}
    first, signs, *landed = session.said.splitlines()[:5]
    assert signs.startswith("signs: ✓ holds, ✗ refuted")
    assert (
        first == "quick profile: 3 claims, 0 cached, 3 to run on 1 core; no kept run says how long"
    )
    assert [line[:7].split() for line in landed] == [["✓", "A1"], ["✗", "A2"], ["✓", "B1"]]
    assert landed[1].split("  ")[-3].strip() == "2 [1.9, 2.1] ≤ 1" and {
        len(line) for line in landed
    } == {100}
    assert session.run() == 0
    assert session.computed() == set()
    assert session.said.startswith("quick profile: 3 claims, all cached; nothing to compute\n")
    assert session.check() == session.run(strict=True) == 0
    row = session.rows()["B2"]
    assert (row["verdict"], row["selected"]) == ("not run", False)
    assert row["reason"] == "not part of the quick profile: run with --profile cpu"


def test_every_run_ends_with_the_rows_that_its_claims_restate(session):
    session.toy.replace_in_claims(
        "alpha", 'title = "One is one"', 'title = "One is one"\npaper = ["P1"]'
    )
    session.toy.replace_in_claims("beta", 'title = "Only', 'paper = ["P2"]\ntitle = "Only')
    rows = ["P1  ✓ Holds            One is one", "                   A1 holds."]
    for _ in ("computed", "cached"):
        assert session.run() == 0
        *_, first, found, second, untested, report, last = session.said.splitlines()
        assert [first, found] == rows and second == "P2  – Not run          Two is small"
        assert "Not run: B2." in untested and report.startswith("report: ")
        assert last == "all as expected: the suite's own 3 claims, by the verdicts that it states"
    assert session.run(only=("P1",)) == 0 and f"\n{rows[0]}\n{rows[1]}\nreport: " in session.said
    assert session.run(only=("B1",)) == 0 and "P1 " not in session.said


EDITS = [
    (lambda toy: toy.write(f"{toy.package}/unrelated.py", "x = 1\n"), set()),
    (lambda toy: toy.write("paper/text.py", "x = 1\n"), set()),
    (lambda toy: toy.replace_in_module("alpha/checks", "n=settings.steps", "n=4"), {"A1", "A2"}),
    (lambda toy: toy.replace_in_module("common", "ONE = 1.0", "ONE = 1.00"), {"A1", "A2"}),
    (lambda toy: toy.replace_in_module("beta/checks", "value=3", "value=3.5"), {"B1", "B2"}),
    (lambda toy: toy.replace("config/quick.toml", "steps = 3", "steps = 4"), {"A1", "A2"}),
    (
        lambda toy: toy.replace(
            "config/quick.toml", "[groups.", "[groups.beta]\nsteps = 5\n[groups."
        ),
        {"B1", "B2"},
    ),
    (lambda toy: toy.replace_in_claims("alpha", "One is one", "One is 1"), {"A1"}),
]


def keys(workspace):
    return {(claim.id, workspace.record_parts(claim).key) for claim in workspace.claims.claim}


def test_a_change_makes_exactly_its_dependents_stale(ran):
    for edit, stale in EDITS:
        before = keys(ran.toy.workspace())
        edit(ran.toy)
        assert dict(before ^ keys(ran.toy.workspace())).keys() == stale
        assert stale or ran.check() == 0
    assert ran.check() == 1
    assert {line.split(":")[0] for line in ran.said.splitlines()} >= {"A1", "A2", "B1"}
    assert ran.run() == 0 and ran.computed() == {"A1", "A2", "B1"} and ran.check() == 0


SPOILT = [
    ("records/A1.json", lambda content: None, "A1: no record"),
    ("records/A1.json", lambda content: content[:-40], "A1: damaged: not JSON"),
    (
        "records/A1.json",
        lambda content: content.replace(b'"value": 1.0', b'"value": 1.5'),
        "A1: edited",
    ),
    ("figures/alpha/line.svg", lambda content: None, "figures of alpha: line.svg is gone"),
    ("figures/alpha/numbers.csv", lambda content: b"edited", "figures of alpha: numbers.csv was"),
    ("figures/alpha/artefacts.json", lambda content: None, "figures of alpha: no record"),
    ("ledger.json", lambda content: content + b" ", "ledger.json: not what the records give"),
    ("report.html", lambda content: content + b" ", "report.html: not what the records give"),
    ("paper.pdf", lambda content: None, "paper.pdf: missing"),
    ("paper/data.json", lambda content: content + b" ", "data.json: not what the records give"),
]


def test_what_is_spoilt_is_named_and_made_again_and_nothing_else(ran):
    for name, spoil, said in SPOILT:
        path = ran.toy.folder() / name
        sound = path.read_bytes()
        spoilt = spoil(sound)
        path.unlink() if spoilt is None else path.write_bytes(spoilt)
        assert ran.check() == 1
        assert said in ran.said
        assert ran.run() == 0
        assert ran.computed() == ({"A1"} if "A1" in said else set())
    assert ran.check() == 0


def name_data(toy, name):
    """Let the claim A2 rest on data."""
    falsifier = 'falsifier = "tests/test_toy.py::TestToy'
    toy.replace_in_claims("alpha", falsifier, f'data = ["{name}"]\n{falsifier}')


def test_changed_data_make_a_record_stale(session):
    name_data(session.toy, "d")

    def opened(digest):
        return Workspace.open(session.toy.root, Profile.QUICK, None, Project(lambda: {"d": digest}))

    assert dict(keys(opened("1")) ^ keys(opened("2"))).keys() == {"A2"}
    session.toy.replace_in_claims("alpha", '["d"]', '["traces/*.txt"]')
    trace = session.toy.write("traces/one.txt", "1")
    before = keys(session.toy.workspace())
    trace.write_text("2")
    assert dict(before ^ keys(session.toy.workspace())).keys() == {"A2"}


REFUSED = {
    "exhibits.toml": (
        "[[exhibit]]\nid = 'f1'\n",
        r"exhibits\.toml: exhibit\[f1\]\.title is missing",
    ),
    "findings.toml": (
        "[[finding]]\npaper = 'a'\nneeds = {A9 = 'holds'}\nfact = ''\n",
        "unknown claim 'A9'",
    ),
    "limitations.toml": ("[[limit]]\n", r"limitations\.toml: limit = "),
    "notation.toml": ("step = [1]\n", r"notation\.toml: step\[0\] = 1"),
    "expected/quick.json": ("[]", r"paper/expected/quick\.json: the whole file = \[\]"),
    "../config/quick.toml": (
        "[groups.alpha]\nstesp = 3\n",
        r"quick\.toml: groups\.alpha\.stesp = 3: no such field",
    ),
    "../config/over.toml": (
        "profile = 'quick'\n[groups.alpha]\nsteps = 'many'\n",
        r"^config/over\.toml: groups\.alpha\.steps = 'many': input should be a valid int",
    ),
    "../config/paper.toml": (
        "profile = 'quick'\ndevice = 'cuda'\n",
        r"the quick profile computes on a CUDA device, and \S+ has none to use",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_ends_a_run_before_it_computes(session, name, monkeypatch):
    text, line = REFUSED[name]
    session.toy.write(f"paper/{name}", text)
    if "profile = " in text:
        monkeypatch.setenv("VERDICTS_CONFIG", name.removeprefix("../"))
    with pytest.raises(UserError, match=line):
        session.run()
    assert not session.toy.record("B1").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("d", r"claim\[A2\]\.data: unknown data set 'd': known: e"),
        ("t/*.txt", r"'t/\*\.txt': no such file"),
        ("t/**x", r"claim\[A2\]\.data = 't/\*\*x': Invalid pattern"),
    ],
)
def test_data_that_are_not_there_are_refused(session, name, said):
    name_data(session.toy, name)
    with pytest.raises(UserError, match=said):
        Workspace.open(session.toy.root, Profile.QUICK, None, Project(lambda: {"e": ""}))


def test_page_and_paper_are_written_anew_where_what_they_show_has_changed(ran):
    page = ran.toy.folder() / "report.html"
    before = page.stat().st_ino
    assert ran.run() == 0 and "report.html, with paper.pdf and supplement.pdf" in ran.said
    assert ran.check() == 0 and page.stat().st_ino == before
    ran.toy.write(
        "paper/limitations.toml", '[[limitation]]\ntitle = "Size"\ntext = "It is small."\n'
    )
    assert ran.run() == ran.check() == 0 and "It is small." in page.read_text()


def test_a_run_of_chosen_claims_writes_the_page_and_leaves_the_papers_to_a_whole_one(ran):
    papers = [ran.toy.folder() / name for name in ("paper.pdf", "supplement.pdf")]
    before = [path.stat().st_ino for path in papers]
    ran.toy.replace_in_claims("alpha", "One is one", "One is 1")
    ran.run(only=("A1",))
    assert (
        "report.html   (" in ran.said
        and "--profile quick makes paper.pdf and supplement.pdf" in ran.said
    )
    assert [path.stat().st_ino for path in papers] == before
    assert (
        ran.check() == 1
        and "report.html" not in ran.said
        and "paper/data.json: not what" in ran.said
    )
    assert ran.run() == ran.check() == 0 and [path.stat().st_ino for path in papers] != before


def test_only_runs_what_it_names(session):
    assert session.run(only=("A2",)) == 0
    assert session.computed() == {"A2"}
    assert "1 of our 4 claims: 1 refuted." in session.said
    assert "One is one" not in session.said
    assert not (session.toy.folder() / "figures").exists()
    assert session.rows()["A1"]["reason"] == "not selected in the last run; no record"
    assert session.command(driver.list_claims) == 0
    states = ["to do: no record", "refuted, current", "to do: no record", "only with --profile cpu"]
    lines = session.said.splitlines()
    assert [line.split()[0] for line in lines] == ["A1", "A2", "B1", "B2"]
    assert all(state in line for state, line in zip(states, lines, strict=True))
    assert session.run(only=("beta",)) == 0 and session.computed() == {"B1"}
    assert session.rows()["A2"]["computed"] == "cached" and session.check(only=("A2", "B1")) == 0
    assert session.check(only=("A1",)) == 1


def test_a_claim_of_the_paper_stands_for_those_that_restate_it(session):
    session.toy.replace_in_claims(
        "alpha", 'title = "One is one"', 'title = "One is one"\npaper = ["P1"]'
    )
    session.toy.replace_in_claims("alpha", 'title = "Two', 'supports = ["P1"]\ntitle = "Two')
    session.toy.replace_in_claims("beta", 'title = "Three', 'paper = ["P1"]\ntitle = "Three')
    assert session.run(only=("P1",)) == 0 and session.computed() == {"A1", "B1"}
    assert session.run(force=("P1",)) == 0 and session.computed() == {"A1", "A2", "B1"}
    assert session.command(driver.list_claims, only=("P1", "A2")) == 0
    assert [line.split()[0] for line in session.said.splitlines()] == ["A1", "A2", "B1"]
    assert session.check(only=("P1",)) == 0
    with pytest.raises(UserError, match=r"^P2: no claim here restates it; see --list$"):
        session.run(only=("P2",))
    with pytest.raises(UserError, match=r"unknown claim or group 'p3': did you mean P1 or P2\?"):
        session.run(only=("p3",))


def test_force_makes_current_records_again(ran):
    before = ran.toy.record("B1").read_bytes()
    assert ran.run(force=("A1",)) == 0 and ran.computed() == {"A1"}
    assert ran.toy.record("B1").read_bytes() == before and ran.run(force=("alpha",)) == 0
    assert ran.computed() == {"A1", "A2"}
    with pytest.raises(UserError, match="--force B1: it is not among"):
        ran.run(only=("A1",), force=("B1",))


def test_a_profile_without_a_run_says_which_have_one(session):
    session.run(only=("A1",))
    assert session.command(driver.check_results, profile=Profile.CPU) == 1
    assert session.said.splitlines()[-1].endswith("not current; no run yet, but of --profile quick")


def test_a_terminal_has_a_bar_until_all_is_done(session):
    assert session.run(terminal=True) == 0
    assert re.search(r"━.*0/3  \d+ s", session.said) and re.search(
        r" s\)\nall as expected: .*\n$", session.said
    )


def test_without_a_terminal_a_line_says_every_half_minute_what_is_left(session, monkeypatch):
    monkeypatch.setattr(console, "BEAT", 0.0)
    session.toy.replace_in_module("alpha/checks", "    return Measurement(value=2", SLEEPS)
    assert session.run() == 0
    assert re.search(
        r"^\.\.\. 1 of 3 claims, \d+ s, \d+( to \d+)? s left$", session.said, re.MULTILINE
    ), session.said
    assert session.run(force=("A2",), terminal=True) == 0 and "..." not in session.said


def test_what_was_spent_on_the_environment_is_part_of_the_time(session):
    assert session.run(setup=95) == 0
    first, *_, report, _ = session.said.splitlines()
    assert first.endswith("; no kept run says how long, after 1 min 35 s of set-up")
    assert re.search(r"\([1-9] min( \d+ s)?, set-up 1 min 35 s\)$", report)


def test_the_default_profile_is_cpu_without_an_accelerator(session):
    assert driver.open_workspace(RunOptions()).profile is Profile.CPU
    session.toy.write("config/paper.toml", 'device = "cuda"\n')
    workspace = driver.open_workspace(RunOptions(project=Project(accelerator=lambda: "a GPU")))
    assert workspace.profile is Profile.PAPER and workspace.device is Device.CUDA
    assert workspace.environment.device == "a GPU"
    assert driver.open_workspace(RunOptions(profile=Profile.PAPER)).device is Device.CUDA


def test_outside_of_a_clone_the_package_repository_is_used(tmp_path, monkeypatch):
    from verdicts.records import workspace

    with monkeypatch.context() as patch:
        patch.setattr(workspace, "PACKAGE_ROOT", tmp_path / "src")
        with pytest.raises(UserError, match="run from inside a clone"):
            workspace.find_root(tmp_path)
    toy = Toy.make(tmp_path / "clone")
    assert workspace.find_root(toy.root / "paper") == toy.root


MEASURES = "return Measurement(value=3)"


def test_a_contradiction_is_exit_code_1(session):
    session.toy.replace_in_module("common", "1.0", "1.01")
    assert session.run() == 1
    assert "expected: holds" in session.said
    assert "against expectation: A1" in session.said
    assert session.rows()["A1"]["agrees"] is False and session.run(only=("B1",)) == 0
    session.toy.replace_in_claims("alpha", 'expected = "holds"', 'expected = "open"')
    assert (
        session.run(only=("A1",)) == 0 and "Among them: 1 open (no evidence yet)." in session.said
    )


def test_what_is_unavailable_is_not_run_and_tried_again_once_a_day_or_when_asked(
    session, monkeypatch
):
    session.toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", "raise Unavailable('no such file here')"
    )
    assert session.run() == 0
    row = session.rows()["B1"]
    assert (row["verdict"], row["reason"], row["agrees"]) == ("not run", "no such file here", None)
    assert "not run: B1 (no such file here)" in session.said
    assert session.check() == 0
    assert session.run(strict=True) == 1 and session.computed() == set(), (
        "the file was asked for a moment ago"
    )
    assert session.run(strict=True, fetch=True) == 1 and session.computed() == {"B1"}
    monkeypatch.setattr(RunRecord, "yesterday", "9")
    assert session.run(strict=True) == 1 and session.computed() == {"B1"}


def test_a_file_that_is_missing_is_one_line_with_its_claims_and_the_remedies_are_one(session):
    absent = "raise Unavailable('two words', missing='{0}', remedy='{1}')"
    for group, old, file, remedy in (
        (
            "alpha",
            "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)",
            "digits.npz",
            "put the files there",
        ),
        (
            "alpha",
            "return Measurement(value=2 * ONE, low=1.9, high=2.1)",
            "cars.npz",
            "put the files there",
        ),
        ("beta", MEASURES, "digits.npz", "pip install digits"),
    ):
        session.toy.replace_in_module(f"{group}/checks", old, absent.format(file, remedy))
    session.toy.replace_in_module(
        "alpha/checks", "import Measurement", "import Measurement, Unavailable"
    )
    for _ in ("computed", "cached"):
        assert session.run() == 0
        assert [
            line for line in session.said.splitlines() if line.startswith(("not run", "to run"))
        ] == [
            "not run for want of digits.npz: A1, B1",
            "not run for want of cars.npz: A2",
            (
                "to run them: put the files there; pip install digits; then bash "
                "reproduce.sh --profile quick --fetch"
            ),
        ]
    assert (
        session.run(verbose=True, fetch=True) == 0
        and "not run: A1, A2, B1 (two words)" in session.said
    )


BREAKS = [
    (
        "checks",
        MEASURES,
        "raise ZeroDivisionError('by\\nnothing')",
        "failed: ZeroDivisionError: by nothing",
    ),
    ("checks", MEASURES, "import sys; sys.exit(0)", "failed: SystemExit"),
    ("checks", MEASURES, "return 'three'", "failed: ValueError"),
    ("checks", MEASURES, "open('nowhere/at/all')", "failed: FileNotFoundError"),
    ("checks", MEASURES, "raise OSError(chr(0xdce9) + ' is gone')", r"\udce9 is gone"),
    ("checks", "import Measurement", "import NoSuchThing", "failed: ImportError"),
    ("checks", "def three", "def (", "failed: SyntaxError: invalid syntax (checks.py"),
    ("settings", "class Settings", "class (", "failed: SyntaxError"),
    ("settings", "class Settings", "class Other", "failed: AttributeError"),
]


def test_a_check_that_breaks_fails_alone(session):
    for module, old, new, reason in BREAKS:
        session.toy.replace_in_module(f"beta/{module}", old, new)
        assert session.run() == 3
        row = session.rows()["B1"]
        assert row["failed"] is True
        assert reason in row["reason"]
        assert (
            "Error" in (session.toy.folder() / "logs" / "B1.log").read_text()
            or "SystemExit" in reason
        )
        assert session.rows()["A1"]["verdict"] == "holds" and session.check(only=("B1",)) == 1
        assert session.run(verbose=True) == 3 and session.computed() == {"B1"}
        assert ": it failed last time" in session.said
        session.toy.restore_module(f"beta/{module}")
    assert session.run() == 0 and not (session.toy.folder() / "logs" / "B1.log").exists()


def test_a_drawing_that_breaks_is_a_failed_run_with_its_verdicts(session):
    session.toy.replace_in_module(
        "alpha/figures", "axes.plot([0, ONE])", "raise RuntimeError('no ink')"
    )
    assert session.run() == 3
    assert "figures of alpha: failed: RuntimeError: no ink" in session.said
    assert "no ink" in (session.toy.folder() / "logs" / "alpha.figures.log").read_text()
    assert session.rows()["A1"]["verdict"] == "holds" and session.check() == 1


def test_a_drawing_whose_data_are_unavailable_is_no_failure(session):
    session.toy.replace_in_module(
        "alpha/figures",
        "    axes.plot([0, ONE])",
        "    from verdicts import Unavailable\n    raise Unavailable('no data')",
    )
    assert session.run() == 0
    assert session.check() == 0
    assert session.run() == 0 and "nothing to compute" in session.said
    assert (
        session.run(fetch=True, verbose=True) == 0
        and "figures of alpha: it could not be run last time" in session.said
    )
    session.toy.restore_module("alpha/figures")
    assert session.run() == 0 and (session.toy.folder() / "figures/alpha/line.svg").exists()
