"""What a run makes of verdicts against expectation, of what is not there, and of what breaks."""

from verdicts.records.run_record import RunRecord

MEASURES = "return Measurement(value=3)"


def test_a_contradiction_is_exit_code_1(session):
    session.toy.replace_in_module("common", "1.0", "1.01")
    assert session.run() == 1
    assert "expected: holds" in session.said
    assert "against expectation: A1" in session.said
    assert session.rows()["A1"]["agrees"] is False and session.run(only=("B1",)) == 0
    session.toy.replace_in_claims("alpha", 'expected = "holds"', 'expected = "open"')
    assert session.run(only=("A1",)) == 0 and "Among them: 1 open (no evidence yet)." in session.said


def test_what_is_unavailable_is_not_run_and_tried_again_once_a_day_or_when_asked(session, monkeypatch):
    session.toy.replace_in_module(
        "beta/checks", "return Measurement(value=3)", "raise Unavailable('no such file here')"
    )
    assert session.run() == 0
    row = session.rows()["B1"]
    assert (row["verdict"], row["reason"], row["agrees"]) == ("not run", "no such file here", None)
    assert "not run: B1 (no such file here)" in session.said
    assert session.check() == 0
    assert session.run(strict=True) == 1 and session.computed() == set(), "the file was asked for a moment ago"
    assert session.run(strict=True, fetch=True) == 1 and session.computed() == {"B1"}
    monkeypatch.setattr(RunRecord, "yesterday", "9")
    assert session.run(strict=True) == 1 and session.computed() == {"B1"}


def test_a_file_that_is_missing_is_one_line_with_its_claims_and_the_remedies_are_one(session):
    absent = "raise Unavailable('two words', missing='{0}', remedy='{1}')"
    for group, old, file, remedy in (
        ("alpha", "return Measurement(value=ONE, seeds=(1, 2), n=settings.steps)", "digits.npz", "put the files there"),
        ("alpha", "return Measurement(value=2 * ONE, low=1.9, high=2.1)", "cars.npz", "put the files there"),
        ("beta", MEASURES, "digits.npz", "pip install digits"),
    ):
        session.toy.replace_in_module(f"{group}/checks", old, absent.format(file, remedy))
    session.toy.replace_in_module("alpha/checks", "import Measurement", "import Measurement, Unavailable")
    for _ in ("computed", "cached"):
        assert session.run() == 0
        assert [line for line in session.said.splitlines() if line.startswith(("not run", "to run"))] == [
            "not run for want of digits.npz: A1, B1",
            "not run for want of cars.npz: A2",
            "to run them: put the files there; pip install digits; then bash reproduce.sh --profile quick --fetch",
        ]
    assert session.run(verbose=True, fetch=True) == 0 and "not run: A1, A2, B1 (two words)" in session.said


def test_what_is_settled_waits_for_its_code(session):
    settled = "from verdicts import InsufficientData; raise InsufficientData('not told')"
    session.toy.replace_in_module("beta/checks", "return Measurement(value=3)", settled)
    assert session.run() == 0 and session.rows()["B1"]["reason"] == "not told"
    assert session.run() == 0 and session.computed() == set() and session.run(strict=True) == 1
    session.toy.replace_in_module("beta/checks", settled, "return Measurement(value=3)")
    assert session.run() == 0 and session.rows()["B1"]["verdict"] == "holds"


BREAKS = [
    ("checks", MEASURES, "raise ZeroDivisionError('by\\nnothing')", "failed: ZeroDivisionError: by nothing"),
    ("checks", MEASURES, "import sys; sys.exit(0)", "failed: SystemExit"),
    ("checks", MEASURES, "return 'three'", "failed: ValueError"),
    ("checks", MEASURES, "return Measurement(value=float('nan'))", "failed: ValidationError"),
    ("checks", MEASURES, "open('nowhere/at/all')", "failed: FileNotFoundError"),
    ("checks", "import Measurement", "import NoSuchThing", "failed: ImportError"),
    ("checks", "def three", "def (", "failed: SyntaxError: invalid syntax (checks.py"),
    ("settings", "import BaseModel", "import NoSuchThing", "failed: ImportError"),
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
        assert "Error" in (session.toy.folder() / "logs" / "B1.log").read_text() or "SystemExit" in reason
        assert session.rows()["A1"]["verdict"] == "holds" and session.check(only=("B1",)) == 1
        session.toy.restore_module(f"beta/{module}")
    assert session.run() == 0 and not (session.toy.folder() / "logs" / "B1.log").exists()


def test_a_failed_claim_is_tried_again_without_a_change(session):
    session.toy.replace_in_module("beta/checks", "return Measurement(value=3)", "raise OSError('flaky')")
    assert session.run() == 3
    assert session.run(verbose=True) == 3
    assert "it failed last time" in session.said
    assert session.computed() == {"B1"}


def test_a_drawing_that_breaks_is_a_failed_run_with_its_verdicts(session):
    session.toy.replace_in_module("alpha/figures", "axes.plot([0, ONE])", "raise RuntimeError('no ink')")
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
        session.run(fetch=True, verbose=True) == 0 and "figures of alpha: it could not be run last time" in session.said
    )
    session.toy.restore_module("alpha/figures")
    assert session.run() == 0 and (session.toy.folder() / "figures/alpha/line.svg").exists()
