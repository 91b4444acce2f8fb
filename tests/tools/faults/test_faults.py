"""Faults are tried as they say: a few as plain tests, one case of each other as slow ones."""

from itertools import islice
from random import Random

import pytest

from tools.faults.__main__ import Faults  # noqa: F401 - it imports all faults
from tools.faults.fault import FAULTS, Attempt, Undisturbed, select
from tools.faults.injection import Injection
from verdicts.errors import UserError

SEED = 2405
QUICK = ("failing-call", "damaged-file", "file-size-limit", "wrong-clock")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("faults"))


def tried(suite: Undisturbed, name: str, tries: int) -> list[Attempt]:
    chosen = FAULTS[name]
    return list(islice(chosen.function(suite, Random(f"{SEED} {name}"), tries), tries))


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_breaks_no_requirement(suite: Undisturbed, name: str) -> None:
    (one,) = tried(suite, name, 1)
    assert one.broken == (), one


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FAULTS.keys() - set(QUICK)))
def test_no_other_fault_breaks_a_requirement(suite: Undisturbed, name: str) -> None:
    assert [one for one in tried(suite, name, 2) if one.broken] == []


def test_a_run_that_shows_what_is_wrong_breaks_a_requirement(suite: Undisturbed) -> None:
    """The falsifier of the whole: a suite that computes something else is noticed."""
    reference, out = suite.quick, suite.quick.place()
    module = next(reference.suite.root.glob("*/common.py"))
    whole = module.read_text()
    module.write_text("ONE = 3.0\n")
    done = reference.suite.run(out)
    module.write_text(whole)
    broken = list(reference.after(out, done, {0, 1}))
    assert "A1 is shown as ✗, and is ✓" in broken and "the ledger has A1 as refuted, and it is holds" in broken
    assert "quick/records/A1.json is not as it should be" in broken


def test_a_run_is_put_under_its_fault(suite: Undisturbed) -> None:
    out = suite.quick.place()
    counter = out.with_name("calls")
    killed = Injection(number=1, error="KILL", below=str(out), counter=str(counter))
    done = suite.quick.suite.run(out, killed)
    assert done.code == -9 and counter.stat().st_size >= 1
    assert list(suite.quick.mended(out)) == []


def test_a_run_leads_a_group_and_is_asked_to_end_as_by_a_terminal(suite: Undisturbed) -> None:
    run = suite.quick.suite.start(suite.quick.place())
    run.signal(15)
    done = run.ended()
    assert done.code in (130, -15) and "Traceback" not in done.err
    run.signal(9)
    run.signal(9, jobs=True)  # neither is there any more


def test_a_name_chooses_a_fault_and_none_all() -> None:
    assert [each.name for each in select(("kill-group",))] == ["kill-group"] and len(select(())) == len(FAULTS) >= 9
    with pytest.raises(UserError, match="did you mean kill-group"):
        select(("kill-grup",))
