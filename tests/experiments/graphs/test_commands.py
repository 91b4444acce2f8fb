"""The commands that graphs add to `ams`: each has a help."""

import pytest

from ams_suite.__main__ import main


@pytest.mark.parametrize("command", ["replay-graphs", "evaluate-graphs", "train-graphs"])
def test_each_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0 and command in capsys.readouterr().out
