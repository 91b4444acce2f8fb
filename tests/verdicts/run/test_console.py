"""The lines of a run and its time: titles are whole, values give way; what is left follows the
speed so far.
"""

from types import SimpleNamespace

import pytest

from tests.verdicts.toy import kept_run
from verdicts.claims.measurement import Measurement
from verdicts.claims.schema import Verdict
from verdicts.records.record import CheckResult, Record
from verdicts.records.run_record import RunRecord
from verdicts.report.findings import PaperRow, Word
from verdicts.run import calibration, console, forecast
from verdicts.run.forecast import AROUND, Forecast
from verdicts.run.plan import plan_of


@pytest.fixture
def workspace(toy):
    return toy.workspace()


def lines(workspace, title: str, width: int, **measured: float) -> list[str]:
    """Return the line of the claim A2 under this title and with this value, on a screen of this
    width.
    """
    claim = next(claim for claim in workspace.claims.claim if claim.id == "A2")
    result = CheckResult.of(claim.check[0], Measurement(**measured), 1.0, "")
    about = {"failed": False, "verdict": result.verdict, "provenance": SimpleNamespace(seconds=1.2)}
    record = Record.model_construct(checks=(result,), **about)
    return [
        line.plain
        for line in console._lines(claim.model_copy(update={"title": title}), record, width)
    ]


SIXTY = "At equal cost this sampler leaves less noise than its rivals"


@pytest.mark.parametrize(
    ("measured", "value"),
    [
        ({"value": 2}, "2 ≤ 1"),
        ({"value": 2, "low": 1.9, "high": 2.1}, "2 [1.9, 2.1] ≤ 1"),
        ({"value": 1.234, "low": -1.123, "high": 1.345}, "1.23 [−1.12, 1.34]"),
        ({"value": 1.2345678, "low": 0.00001234, "high": 123456789.0}, "1.23"),
    ],
)
def test_a_title_of_sixty_letters_is_whole_and_its_value_gives_way(workspace, measured, value):
    (line,) = lines(workspace, SIXTY, 100, **measured)
    assert line[2:8] == "A2    " and line[8:68] == SIXTY and len(line) == 100
    assert line[68:].rsplit("  ", 1)[0].strip() == value


def test_each_word_and_verdict_has_a_colour():
    assert (set(console.WORDS), set(console.COLOURS)) == (set(Word), set(Verdict))


def test_a_row_has_formulas_as_a_terminal_can_show_them():
    row = PaperRow("P1", "It is small", Word.HOLDS, r"$W_2$ is below $\delta/4$ in `gamma_0`.")
    assert console._row_lines(row, 80)[1].strip() == "W2 is below δ/4 in gamma_0."


def test_on_a_narrow_screen_a_title_is_folded_and_whole(workspace):
    folded = lines(workspace, SIXTY, 60, value=2, low=1.9, high=2.1)
    assert " ".join(line[8:48].strip() for line in folded) == SIXTY
    assert max(map(len, folded)) <= 60 and folded[-1].split()[-3] == "2"


def forecast_of(workspace, seconds: float | None) -> Forecast:
    """Return the forecast of a whole run, whose 3 claims took so many seconds each in the kept
    one (None: none).
    """
    plan = plan_of(workspace, RunRecord.of(workspace))
    made = {"started": "2031-02-03T04:05", "processor": "Abacus", "commit": None}
    kept = {"verdict": "holds", "seconds": seconds, "peak_mib": 1.0, "checks": {}, "made": made}
    expected = (
        kept_run("quick", claims=dict.fromkeys(("A1", "A2", "B1"), kept)) if seconds else None
    )
    return Forecast(workspace, plan, expected)


def test_the_time_that_is_left_is_a_range_and_follows_the_speed(workspace):
    ahead, (one, two, three, _) = forecast_of(workspace, 100.0), workspace.claims.claim
    whole = 300.0 + AROUND
    low, high = ahead.between(0.0)
    assert low < whole < high and high / low == pytest.approx(1.4**2)
    ahead.land(one, 300.0)  # three times as slow as it was
    slow = (whole / 4 + 300.0) / (whole / 4 + 100.0)
    low, high = ahead.between(300.0)
    assert (low * high) ** 0.5 == pytest.approx(slow * (200.0 + AROUND)) and high / low < 1.4**2
    assert ahead.between(400.0)[0] < low, "it goes down while a claim is computed"
    assert ahead.between(9000.0)[0] > 4000.0, "what takes long beyond it may take as long again"
    ahead.land(two, 500.0)
    ahead.land(three, 600.0)
    assert ahead.between(600.0)[1] < 20.0


def test_a_plan_is_scaled_by_the_clock_of_as_many_processes_as_it_has_jobs(workspace, monkeypatch):
    asked = []
    monkeypatch.setattr(forecast, "clocked", lambda jobs: asked.append(jobs) or 0.15)
    expected = kept_run("quick", calibration=0.05)
    ahead = Forecast(workspace, plan_of(workspace, RunRecord.of(workspace)), expected, jobs=2)
    assert asked == [2] and ahead.scale == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("program", "seconds"), [("print(2.5)", 2.5), ("raise SystemExit(1)", None)]
)
def test_the_clock_is_that_of_processes_at_work_at_once(program, seconds, tmp_path, monkeypatch):
    (tmp_path / "piece.py").write_text(program)
    monkeypatch.setattr(calibration, "__file__", str(tmp_path / "piece.py"))
    monkeypatch.setattr(calibration, "calibrated", lambda: 7.0)
    assert calibration.clocked(3) == (seconds or 7.0)


def test_the_piece_of_work_takes_as_long_by_the_clock_as_by_the_processor_or_longer():
    assert calibration.clocked(2) > 0.5 * calibration.calibrated() > 0.0


def test_without_a_kept_run_the_claims_that_have_landed_say_how_long(workspace):
    ahead, (one, two, three, _) = forecast_of(workspace, None), workspace.claims.claim
    assert ahead.between(5.0) is None
    ahead.land(one, 10.0)
    low, high = ahead.between(10.0)
    assert (low, high) == pytest.approx((10.0, 40.0)), (
        "two claims at 10 s each, by a factor of two either way"
    )
    ahead.land(two, 20.0)
    ahead.land(three, 30.0)
    assert ahead.between(30.0) is None, "nothing is left"
