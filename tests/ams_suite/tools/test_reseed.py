"""Fresh seeds: what is drawn again, what counts as an alarm, and the section of the report that tells of it."""

import re

import pytest

from ams_suite.__main__ import main
from ams_suite.tools.reseed import limits
from tests.verdicts.toy import Toy
from verdicts.records.section import Section, sections_of

MONTE_CARLO = 'origin = "Monte Carlo: by hand"\n  share = 0.01'


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Toy:
    """B1 is by Monte Carlo: its measurement is at least 1."""
    toy = Toy.make(tmp_path)
    monkeypatch.chdir(toy.root)
    before, _, after = toy.claims("beta").read_text().partition('id = "B1.three"')
    text = before + 'id = "B1.three"' + after.replace('origin = "algebra"', MONTE_CARLO, 1)
    toy.claims("beta").write_text(text)
    measure(toy, "return Measurement(value=1 + settings.seed % 2, seeds=(settings.seed,))")
    return toy


def measure(toy: Toy, body: str) -> None:
    toy.lay("seeded")
    toy.replace_in_module("beta/checks", "return BODY", body)


def section(toy: Toy) -> Section:
    (view,) = sections_of(toy.workspace())
    assert view.changed == 0 and not view.kept
    return view.section


def test_only_monte_carlo_checks_are_drawn_again_each_at_its_own_seeds(toy, capsys) -> None:
    assert sections_of(toy.workspace()) == []
    assert main(["reseed", "--seeds", "6", "--entropy", "5"]) == 0
    assert (
        "B1.three" in (said := capsys.readouterr().out)
        and "6 draws; All groups in the quick profile, 6 seeds from entropy 5: 0 alarms of the 1 checks" in said
    )
    found = section(toy)
    assert found.table.rows == (("B1.three", "share", "holds", 6, 1.0, 2.0, 0, ""),)
    assert found.command == "ams reseed --profile quick --seeds 6 --entropy 5"
    claim = toy.workspace().claims.select(["B1"])[0]
    assert found.sources == toy.workspace().record_parts(claim).sources


def test_the_same_entropy_gives_the_same_seeds_and_none_is_given_by_default(toy) -> None:
    measure(toy, "return Measurement(value=float(settings.seed))")
    values, commands = [], []
    for entropy in (["--entropy", "5"], ["--entropy", "5"], [], []):
        main(["reseed", "--seeds", "3", *entropy])
        values.append(section(toy).table.rows[0][4:6])
        commands.append(section(toy).command)
    assert values[0] == values[1] and len(set(values)) == 3
    entropy = re.search(r"--entropy (\d+)$", commands[2])[1]
    main(["reseed", "--seeds", "3", "--entropy", entropy])
    assert section(toy).table.rows[0][4:6] == values[2], "the command that is recorded repeats the run"


def test_an_alarm_is_1_and_names_its_seed(toy, capsys) -> None:
    measure(toy, "return Measurement(value=0.5 + settings.seed % 2)")
    assert main(["reseed", "B1", "--seeds", "8", "--entropy", "5"]) == 1
    (*_, alarms, remark) = section(toy).table.rows[0]
    assert 0 < alarms < 8 and remark.count("refuted") == alarms
    first = re.match(r"seed (\d+): refuted", remark)[1]
    assert f"seeds {first} (refuted)" in capsys.readouterr().out


def test_a_claim_that_is_refuted_wants_the_verdict_of_its_own_seed(toy) -> None:
    before, _, after = toy.claims("beta").read_text().partition('id = "B1"')
    refuted = after.replace('expected = "holds"', 'expected = "refuted"', 1)
    toy.claims("beta").write_text(before + 'id = "B1"' + refuted)
    measure(toy, "return Measurement(value=0.0)")
    assert main(["reseed", "--seeds", "2"]) == 0
    measure(toy, "return Measurement(value=0.0 if settings.seed == 7 else 1.0)")
    assert main(["reseed", "--seeds", "2"]) == 1


def experiment(toy: Toy) -> None:
    """Let B1 be an experiment, whose check states no share."""
    text = toy.claims("beta").read_text().replace(MONTE_CARLO, 'origin = "stated margin: by hand"', 1)
    before, _, after = text.partition('id = "B1"')
    evidence = re.sub(r'evidence = "[^"]*"', 'evidence = "experiment"', after, count=1)
    toy.claims("beta").write_text(f'{before}id = "B1"{evidence}')


def test_a_check_without_a_share_may_be_left_undecided_and_rarely_be_decided_otherwise(toy, capsys) -> None:
    experiment(toy)
    measure(toy, "return Measurement(value=2.0, low=0.0 if settings.seed != 7 else 1.5, high=3.0)")
    assert main(["reseed", "--seeds", "3"]) == 0
    assert section(toy).table.rows == (("B1.three", "interval", "holds", 3, 2.0, 2.0, 0, ""),)
    assert (
        "of 1 with intervals of confidence 0.99 that their own seeds decide, 0 were decided otherwise"
        in section(toy).text
    )
    value = "(0.0 if settings.seed != 7 else 2.0)"
    toy.replace_in_module(
        "beta/checks", "value=2.0, low=0.0 if settings.seed != 7 else 1.5, high=3.0", f"value={value}"
    )
    assert main(["reseed", "--seeds", "1"]) == 0, "one alarm of one check may be"
    assert main(["reseed", "--seeds", "3"]) == 1, "three of three may not"
    assert section(toy).table.rows[0][6] == 3 and "1 were decided otherwise" in section(toy).text


def test_as_many_checks_without_a_share_raise_an_alarm_as_their_intervals_allow() -> None:
    """One seed of 100 checks at .005: P(more than 4) = .00017, P(more than 3) = .0018; of one, P(1) = .005 > .00001."""
    assert limits(100, 1) == (4, 1) and limits(0, 20) == (0, 0)
    assert limits(50, 20).checks == pytest.approx(50 * 0.0954 + 3.3 * (50 * 0.0954 * 0.9046) ** 0.5, abs=1.5)
    assert limits(50, 20).alarms == 3, "P(more than 2 of 20) = .00013, more than 3: 3e-6; allowed .00001"


def test_a_part_says_which_and_of_nothing_there_is_no_record(toy, capsys) -> None:
    assert main(["reseed", "B1", "--seeds", "2", "--entropy", "5"]) == 0
    assert section(toy).command == "ams reseed B1 --profile quick --seeds 2 --entropy 5"
    assert section(toy).text.startswith("B1 in the quick profile, 2 seeds")
    before = section(toy)
    assert main(["reseed", "A1"]) == 2 and section(toy) == before
    assert "no check that draws in A1 in the quick profile" in capsys.readouterr().err


def test_what_is_not_there_is_not_run(toy, capsys) -> None:
    measure(toy, "raise Unavailable('no such file')")
    assert main(["reseed", "--seeds", "2"]) == 0
    assert "not run: no such file" in capsys.readouterr().out
    assert section(toy).table.rows == (("B1.three", "share", "holds", 0, "", "", 0, "no such file"),)
    assert "1 checks were not run" in section(toy).text


def test_a_group_without_a_seed_and_bad_usage_are_2(toy, capsys) -> None:
    toy.replace_in_module("beta/settings", "    seed: int = 7\n", "")
    assert main(["reseed"]) == 2
    assert "beta: its checks draw, but its Settings have no field `seed`" in capsys.readouterr().err
    assert main(["reseed", "--seeds", "0"]) == 2
    assert main(["reseed", "--entropy", "-1"]) == 2
    assert capsys.readouterr().err.endswith("--entropy -1: expected at least 0\n")
    assert main(["reseed", "Z9"]) == 2
