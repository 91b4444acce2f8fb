"""The table of faults: this repository's fits its code, and one that does not is refused in a line."""

from pathlib import Path

import pytest

from tests.claims import ROOT
from tests.tools.mutation.toy import entry, repository
from tools.mutation.table import Fault, load_faults
from verdicts.errors import UserError


def test_the_table_fits_the_code() -> None:
    faults = load_faults(ROOT).fault
    assert len(faults) >= 40
    for part in ("samplers", "laws", "metrics", "targets", "statistics"):
        assert sum(fault.file.startswith(f"src/ams/{part}/") for fault in faults) >= 3


def test_every_sampler_law_and_metric_has_a_fault() -> None:
    """But for the modules that only name, hold or print what others compute."""
    without = {"__init__.py", "base.py", "command.py"}
    with_faults = {fault.file for fault in load_faults(ROOT).fault}
    files = [path for part in ("samplers", "laws", "metrics") for path in (ROOT / "src/ams" / part).glob("*.py")]
    tested = [path for path in files if (ROOT / "tests/ams" / path.parent.name / f"test_{path.name}").is_file()]
    named = [str(path.relative_to(ROOT)) for path in tested if path.name not in without]
    assert sorted(set(named) - with_faults) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (entry("3 * x", "x"), r"fault\[thing.double\].old is 0 times in src/ams/thing.py, not once: '3 \* x'"),
        (entry("return", "x"), "is 2 times"),
        (entry("2 * x", "2 *"), r"fault\[thing.double\].new does not parse"),
        (entry("2 * x", "2 * x"), "old and new are the same"),
        (entry("2 * x", "x") * 2, r"fault\[thing.double\]: the id is given twice"),
        (entry("2 * x", "x", tests='["tests/test_gone.py"]'), "'tests/test_gone.py': no such file"),
        (entry("ONE = 1", "ONE = 2", file="src/ams/bare.py"), "no tests named, and no tests/ams/test_bare.py"),
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
    with pytest.raises(UserError, match=r"unknown fault 'thing.doubel': did you mean thing\.double"):
        faults.select(["thing.doubel"])


def test_its_tests_are_those_named_then_the_files_own(tmp_path: Path) -> None:
    root = repository(tmp_path)
    fault = Fault(id="a", file="src/ams/thing.py", old="a", new="b", why="c", tests=("tests/conftest.py::x",))
    assert fault.asked(root) == ("tests/conftest.py::x", "tests/ams/test_thing.py")
    assert Fault(id="a", file="tools/one.py", old="a", new="b", why="c").own_tests == "tests/tools/test_one.py"
    assert Fault(id="a", file="src/ams/one/two.py", old="a", new="b", why="c").own_tests == "tests/ams/one/test_two.py"
