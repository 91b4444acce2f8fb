"""Commands that groups add to the command line: their claims files name them, as module:class."""

import sys

import pytest

from ams_suite.__main__ import main
from tests.verdicts.toy import Toy


@pytest.fixture
def toy(tmp_path, monkeypatch):
    toy = Toy.make(tmp_path)
    command = f'commands = {{ greet = "{toy.package}.common:Greet" }}'
    toy.replace_in_claims("alpha", 'part = "theory"', f'part = "theory"\n{command}')
    monkeypatch.chdir(toy.root)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return toy


def complaint(capsys, *words) -> str:
    """Return the one line with which the command line refuses these words."""
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_command_of_a_group_gets_its_options_and_gives_its_exit_code(toy, capsys):
    assert main(["greet", "you", "--times", "2"]) == 7
    assert capsys.readouterr().out == "hello you hello you \n"


def test_it_is_found_from_any_folder_of_the_repository_in_a_process_of_its_own(toy):
    done = toy.python("-m", "ams_suite", "greet", "you", folder="paper")
    assert (done.returncode, done.stdout) == (7, "hello you \n")


def test_bad_usage_of_it_is_one_line_and_2(toy, capsys):
    assert "--tmes" in complaint(capsys, "greet", "you", "--tmes", "2")


def test_help_lists_it(toy, capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--help"])
    said = capsys.readouterr().out
    assert ending.value.code == 0 and "greet" in said and "Greet somebody." in said and "reproduce" in said


@pytest.mark.parametrize(("word", "meant"), [("gret", "did you mean greet"), ("reprodcue", "did you mean reproduce")])
def test_an_unknown_command_is_one_line_and_2_and_the_nearest_is_named(toy, capsys, word, meant):
    assert complaint(capsys, word, "--profile", "quick").startswith(f"ams: unknown command '{word}': {meant}")


@pytest.mark.parametrize(("place", "reason"), [("gone:Greet", "No module named"), ("common:Gone", "has no attribute")])
def test_a_command_that_is_not_there_is_one_line_and_2(toy, capsys, place, reason):
    toy.replace_in_claims("alpha", "common:Greet", place)
    said = complaint(capsys, "greet", "you")
    assert place in said and reason in said


def test_a_claims_file_that_cannot_be_read_is_one_line_and_2(toy, capsys):
    toy.claims("beta").write_text("[group")
    assert "beta/claims.toml is not valid TOML" in complaint(capsys, "greet", "you")


def test_commands_of_the_suite_do_not_read_the_groups(toy, capsys):
    toy.claims("beta").write_text("[group")
    assert main(["schema"]) == 0
    assert main(["law", "--sampler", "langevin", "--step", "0.1", "--precision", "1", "--steps", "1"]) == 0


def test_a_group_cannot_replace_a_command_of_the_suite(toy, capsys):
    toy.replace_in_claims("alpha", "greet =", "schema =")
    assert main(["schema"]) == 0
    assert "properties" in capsys.readouterr().out


def test_outside_of_a_repository_there_are_none(tmp_path_factory, monkeypatch, capsys):
    from verdicts.records import workspace

    folder = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(workspace, "PACKAGE_ROOT", folder / "src")
    monkeypatch.chdir(folder)
    assert complaint(capsys, "zzzz").startswith("ams: unknown command 'zzzz': known: reproduce")
    with pytest.raises(SystemExit):
        main(["--help"])
