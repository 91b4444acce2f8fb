"""Two runs beside one another: what is equal, what lies within the intervals, what has moved, is gone or is new."""

import json
from pathlib import Path

import pytest

from ams_suite.compare import compare
from verdicts.errors import UserError


def ledger(path: Path, **checks: tuple[float | None, float | None, float | None, str]) -> Path:
    rows = [
        {"id": name, "value": v, "low": low, "high": high, "verdict": word}
        for name, (v, low, high, word) in checks.items()
    ]
    path.write_text(json.dumps({"claims": [{"id": "A1", "checks": rows}]}))
    return path


@pytest.mark.parametrize(
    ("before", "after", "change", "code"),
    [
        ((1.0, 1.0, 1.0, "holds"), (1.0 + 1e-12, 1.0, 1.0, "holds"), "equal", 0),
        ((1.0, 1.0, 1.0, "holds"), (1.1, 1.1, 1.1, "holds"), "moved", 1),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "holds"), "within the intervals", 0),
        ((1.0, 0.8, 1.2, "holds"), (1.1, 0.9, 1.3, "refuted"), "within the intervals", 1),
        ((1.0, 0.9, 1.1, "holds"), (2.0, 1.9, 2.1, "holds"), "moved", 1),
        ((None, None, None, "not run"), (None, None, None, "not run"), "measured in neither", 0),
        ((None, None, None, "not run"), (1.0, 1.0, 1.0, "holds"), "measured in one", 1),
    ],
)
def test_a_check_in_both_runs(tmp_path: Path, before, after, change: str, code: int) -> None:
    lines: list[str] = []
    one, other = ledger(tmp_path / "a", x=before), ledger(tmp_path / "b", x=after)
    assert compare(one, other, tmp_path / "out.csv", lines.append, {}) == code
    assert (tmp_path / "out.csv").read_text().strip().endswith(f",{change}")
    assert lines[-1].startswith(f"1 checks: 1 {change}")


def test_a_rounding_error_may_change_within_its_tolerance(tmp_path: Path) -> None:
    one = ledger(tmp_path / "a", x=(1e-5, 1e-5, 1e-5, "holds"))
    other = ledger(tmp_path / "b", x=(3e-5, 3e-5, 3e-5, "holds"))
    lines: list[str] = []
    assert compare(one, other, None, lines.append, {"x": 1e-4}) == 0 and lines[0].endswith("tolerance of rounding")
    assert compare(one, other, None, lines.append, {"x": 1e-5}) == 1 and lines[-2].endswith("moved")


def test_what_is_gone_counts_and_what_is_new_does_not(tmp_path: Path) -> None:
    value = (1.0, 1.0, 1.0, "holds")
    one, two = ledger(tmp_path / "a", x=value), ledger(tmp_path / "b", x=value, y=value)
    lines: list[str] = []
    assert compare(one, two, None, lines.append, {}) == 0 and "y,,,,,1.0" in lines[0]
    assert compare(two, one, None, lines.append, {}) == 1 and "1 gone" in lines[-1]


def test_kept_values_are_a_run_too(tmp_path: Path) -> None:
    kept = {"claims": {"A1": {"checks": {"x": {"value": 1.0, "low": 1.0, "high": 1.0, "verdict": "holds"}}}}}
    (tmp_path / "kept").write_text(json.dumps(kept))
    lines: list[str] = []
    run = ledger(tmp_path / "a", x=(1.0, 1.0, 1.0, "holds"))
    assert compare(tmp_path / "kept", run, None, lines.append, {}) == 0


@pytest.mark.parametrize("content", ["", "[]", '{"claims": 3}', '{"claims": [{"checks": [{"id": "x"}]}]}'])
def test_any_other_file_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    with pytest.raises(UserError, match="neither a ledger nor kept values; give results"):
        compare(tmp_path / "a", tmp_path / "a", None, print, {})
    with pytest.raises(UserError, match="No such file"):
        compare(tmp_path / "none", tmp_path / "a", None, print, {})
