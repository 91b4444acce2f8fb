"""The commands that graphs add to `ams`: they are called with what was given."""

from pathlib import Path

import pytest

from ams_suite.__main__ import main
from experiments.graphs import evaluation


def test_evaluate_is_called_with_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, Path, bool]] = []

    def evaluate(reference: Path, generated: Path, json: bool) -> int:
        given.append((reference, generated, json))
        return 7

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    assert main(["evaluate-graphs", "a.g6", "b.json", "--json"]) == 7
    assert main(["evaluate-graphs", "a.g6", "b.json"]) == 7
    assert given == [(Path("a.g6"), Path("b.json"), True), (Path("a.g6"), Path("b.json"), False)]


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate-graphs", str(tmp_path / "a.g6"), str(tmp_path / "b.g6")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("ams: ") and "a.g6" in message and message.count("\n") == 1


@pytest.mark.parametrize("command", ["replay-graphs", "evaluate-graphs", "train-graphs"])
def test_each_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0 and command in capsys.readouterr().out
