"""Faults put into code: this repository's table fits; in a small one each is caught, survives or
tells nothing.
"""

import shutil
from pathlib import Path

import pytest

from tests.claims import ROOT
from tools import mutation, run
from tools.mutation import Ending, Fault, Mutation, Outcome, judged, load_faults, outcome_of
from verdicts.errors import UserError

FILES = Path(__file__).with_name("toy_repository")
THING = (FILES / "src/ams/thing.py.txt").read_text(encoding="utf-8")
FAULT = """
[[fault]]
id = "{id}"
file = "src/ams/thing.py"
old = "{old}"
new = "{new}"
why = "somebody might"
"""


def entry(old: str, new: str, **more: str) -> str:
    """Return a fault's entry, `more` its further lines."""
    given = {"id": "thing.double", "old": old, "new": new} | more
    lines = "".join(
        f"{name} = {value}\n" for name, value in more.items() if name not in ("id", "file")
    )
    text = FAULT.format(**given) + lines
    return text.replace("src/ams/thing.py", more.get("file", "src/ams/thing.py"))


def repository(root: Path, *faults: str) -> Path:
    """Write it below `root`, and return `root`."""
    for path in (each for each in FILES.rglob("*") if each.is_file()):
        target = root / path.relative_to(FILES).with_suffix(
            "" if path.suffix == ".txt" else path.suffix
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (root / "src/ams/__init__.py").touch()
    (root / "src/ams/bare.py").write_text("ONE = 1\n")
    (root / "tests/conftest.py").write_text(
        "import hypothesis\nhypothesis.settings.register_profile('unshrunk')\n"
    )
    (root / "paper").mkdir()
    (root / "paper/outline.toml").touch()
    (root / "tests/faults.toml").write_text("".join(faults), encoding="utf-8")
    return root


def test_the_table_fits_the_code() -> None:
    faults = load_faults(ROOT).fault
    assert len(faults) >= 40
    for part in ("samplers", "laws", "metrics", "targets", "statistics"):
        assert sum(fault.file.startswith(f"src/ams/{part}/") for fault in faults) >= 3


def test_every_sampler_law_and_metric_has_a_fault() -> None:
    """But for the modules that only name, hold or print what others compute."""
    without = {"__init__.py", "base.py", "command.py"}
    with_faults = {fault.file for fault in load_faults(ROOT).fault}
    files = [
        path
        for part in ("samplers", "laws", "metrics")
        for path in (ROOT / "src/ams" / part).glob("*.py")
    ]
    tested = [
        path
        for path in files
        if (ROOT / "tests/ams" / path.parent.name / f"test_{path.name}").is_file()
    ]
    named = [str(path.relative_to(ROOT)) for path in tested if path.name not in without]
    assert sorted(set(named) - with_faults) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            entry("3 * x", "x"),
            r"fault\[thing.double\].old is 0 times in src/ams/thing.py, not once: '3 \* x'",
        ),
        (entry("return", "x"), "is 2 times"),
        (entry("2 * x", "2 *"), r"fault\[thing.double\].new does not parse"),
        (entry("2 * x", "2 * x"), "old and new are the same"),
        (entry("2 * x", "x") * 2, r"fault\[thing.double\]: the id is given twice"),
        (entry("2 * x", "x", tests='["tests/test_gone.py"]'), "'tests/test_gone.py': no such file"),
        (
            entry("ONE = 1", "ONE = 2", file="src/ams/bare.py"),
            "no tests named, and no tests/ams/test_bare.py",
        ),
        (entry("2 * x", "x", file="src/ams/gone.py"), "no such file"),
        (entry("2 * x", "x", file="analysis/thing.py"), "fault.*file"),
        (entry("2 * x", "x", extra="1"), "no such field"),
        ("[[fault", "not valid TOML"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(broken: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        load_faults(repository(tmp_path, broken))


def test_faults_are_chosen_by_id_or_file(tmp_path: Path) -> None:
    halved = entry("x / 2", "x", id="other")
    faults = load_faults(repository(tmp_path, entry("2 * x", "x"), halved))
    assert [fault.id for fault in faults.select([])] == ["thing.double", "other"]
    assert [fault.id for fault in faults.select(["thing.d*"])] == ["thing.double"]
    assert len(faults.select(["ams/thing.py"])) == 2
    with pytest.raises(
        UserError, match=r"unknown fault 'thing.doubel': did you mean thing\.double"
    ):
        faults.select(["thing.doubel"])


def test_its_tests_are_those_named_then_the_files_own(tmp_path: Path) -> None:
    root = repository(tmp_path)
    fault = Fault(
        id="a", file="src/ams/thing.py", old="a", new="b", why="c", tests=("tests/conftest.py::x",)
    )
    assert fault.asked(root) == ("tests/conftest.py::x", "tests/ams/test_thing.py")
    assert (
        Fault(id="a", file="tools/one.py", old="a", new="b", why="c").own_tests
        == "tests/tools/test_one.py"
    )
    assert (
        Fault(id="a", file="src/ams/one/two.py", old="a", new="b", why="c").own_tests
        == "tests/ams/one/test_two.py"
    )


@pytest.mark.parametrize(
    ("report", "code", "ending", "how"),
    [
        ('<failure message="TypeError: no"/>', 1, Ending.BROKEN, "TypeError"),
        ('<failure message="assert 1 == 2"/>', 1, Ending.CAUGHT, "AssertionError"),
        (
            '<failure message="ams.samplers.loop.NonFiniteState: no"/>',
            1,
            Ending.CAUGHT,
            "NonFiniteState",
        ),
        ('<failure message=""/>', 1, Ending.CAUGHT, "AssertionError"),
        ('<error message="no fixture"/>', 1, Ending.BROKEN, "pytest ended with 1: so it says"),
        ("", 4, Ending.BROKEN, "pytest ended with 4: so it says"),
    ],
)
def test_pytests_report_is_judged(
    report: str, code: int, ending: Ending, how: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.xml"
    file.write_text(
        '<testsuites><testcase classname="tests.test_a" '
        f'name="test_b">{report}</testcase></testsuites>'
    )
    outcome = judged(code, file, "so it says")
    assert (outcome.ending, outcome.how) == (ending, how)
    assert outcome.by == ("tests/test_a.py::test_b" if "failure" in report else "")


def test_a_trial_without_end_is_stopped(tmp_path: Path) -> None:
    repository(tmp_path, entry("return 2 * x", "import time; time.sleep(60)"))
    outcome = outcome_of(tmp_path, load_faults(tmp_path).fault[0], 2.0)
    assert (outcome.ending, outcome.how) == (Ending.BROKEN, "no end within 2 s")


CAUGHT = entry("2 * x", "x")
SURVIVES = entry("x / 2", "x / 3", id="thing.half")
BREAKS = entry("2 * x", "gone", id="thing.name")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(*faults: str) -> Path:
        monkeypatch.chdir(repository(tmp_path, *faults))
        return tmp_path

    return make


def test_a_survivor_is_1_a_broken_fault_3_and_each_is_told(work, capsys) -> None:
    root = work(CAUGHT, SURVIVES, BREAKS)
    assert run(Mutation, ["--jobs", "2"]) == 1
    caught, survived, broken, last = capsys.readouterr().out.splitlines()
    assert (
        "thing.double" in caught
        and "caught by tests/ams/test_thing.py::test_double (AssertionError)" in caught
    )
    assert "thing.half" in survived and survived.endswith("survived")
    assert "thing.name" in broken and last == "3 faults: 1 caught, 1 survived, 1 broken"
    assert (root / "src/ams/thing.py").read_text() == THING, "the working tree is never touched"


@pytest.mark.parametrize(
    ("endings", "code"),
    [
        ([Ending.CAUGHT], 0),
        ([Ending.CAUGHT, Ending.BROKEN], 3),
        ([Ending.SURVIVED, Ending.BROKEN], 1),
    ],
)
def test_the_exit_code_follows_from_the_worst_ending(
    work, monkeypatch, endings: list[Ending], code: int
) -> None:
    work(*(entry("2 * x", "x", id=f"thing.{each}") for each in endings))
    monkeypatch.setattr(mutation, "refuse_unsound", lambda copy, faults: None)
    monkeypatch.setattr(
        mutation, "outcome_of", lambda root, fault, seconds: Outcome(Ending(fault.id.split(".")[1]))
    )
    assert run(Mutation, []) == code


def test_tests_that_fail_without_a_fault_are_refused(work, capsys) -> None:
    root = work(CAUGHT)
    (root / "tests/ams/test_thing.py").write_text("def test_wrong():\n    assert False\n")
    assert run(Mutation, []) == 2
    assert (
        "without any fault the tests fail: caught by tests/ams/test_thing.py::test_wrong"
        in capsys.readouterr().err
    )
