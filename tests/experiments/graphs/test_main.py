"""The command line: what is asked for is called, with what was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.graphs import __main__ as command


def test_evaluate_is_called_with_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.graphs import evaluation

    given: list[tuple[Path, Path, bool]] = []

    def evaluate(reference: Path, generated: Path, json: bool) -> int:
        given.append((reference, generated, json))
        return 7

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    assert command.main(["evaluate", "a.g6", "b.json", "--json"]) == 7
    assert command.main(["evaluate", "a.g6", "b.json"]) == 7
    assert given == [(Path("a.g6"), Path("b.json"), True), (Path("a.g6"), Path("b.json"), False)]


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["evaluate", str(tmp_path / "a.g6"), str(tmp_path / "b.g6")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("graphs: ") and "a.g6" in told and told.count("\n") == 1


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        command.main([])
    assert ending.value.code == 0 and "replay" in capsys.readouterr().out
