"""Programs on runs: other seeds raise few alarms."""

import re

import pytest

from tests.verdicts.toy import Toy
from tools import run
from tools.reseed import Reseed, limits

MONTE_CARLO = 'origin = "Monte Carlo: by hand"\n  share = 0.01'


@pytest.fixture
def seeded(tmp_path, monkeypatch) -> Toy:
    """B1 is by Monte Carlo: its measurement is at least 1."""
    toy = Toy.make(tmp_path)
    monkeypatch.chdir(toy.root)
    before, _, after = toy.claims("beta").read_text().partition('id = "B1.three"')
    text = before + 'id = "B1.three"' + after.replace('origin = "algebra"', MONTE_CARLO, 1)
    toy.claims("beta").write_text(text)
    measure(toy, "return Measurement(value=1 + settings.seed % 2, seeds=(settings.seed,))")
    return toy


def measure(toy: Toy, body: str) -> None:
    """Let B1 be measured so; B2, which is not by Monte Carlo, is not to be measured."""
    toy.restore_module("beta/checks")
    toy.replace_in_module("beta/checks", "return Measurement(value=3)", body)
    toy.replace_in_module("beta/checks", "return Measurement(value=4)", "raise AssertionError")


def drawn(*words: str) -> int:
    return run(Reseed, words)


def test_only_monte_carlo_checks_are_drawn_again_each_at_its_own_seeds(seeded, capsys) -> None:
    assert drawn("--seeds", "6", "--entropy", "5") == 0
    first, line, last = capsys.readouterr().out.splitlines()
    assert first == "quick profile, 6 fresh seeds of entropy 5" and last.startswith(
        "0 alarms of the 1 checks with"
    )
    assert line.split() == [
        "B1.three",
        "holds",
        "wanted,",
        "values",
        "1",
        "to",
        "2;",
        "0",
        "alarms",
    ]


def test_the_same_entropy_gives_the_same_seeds_and_none_is_given_by_default(seeded, capsys) -> None:
    measure(seeded, "return Measurement(value=float(settings.seed))")
    said = []
    for entropy in (["--entropy", "5"], ["--entropy", "5"], [], []):
        drawn("--seeds", "3", *entropy)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] and len(set(said)) == 3
    drawn("--seeds", "3", "--entropy", re.search(r"entropy (\d+)\n", said[2])[1])
    assert capsys.readouterr().out == said[2], "the entropy that is printed repeats the run"


def test_an_alarm_is_1_and_names_its_seed(seeded, capsys) -> None:
    measure(seeded, "return Measurement(value=0.5 + settings.seed % 2)")
    assert drawn("B1", "--seeds", "8", "--entropy", "5") == 1
    said = capsys.readouterr().out
    (alarms,) = re.findall(r"; (\d+) alarms: seeds \d+ \(refuted\)", said)
    assert 0 < int(alarms) < 8 and said.count("(refuted)") == int(alarms)


def test_a_claim_that_is_refuted_wants_the_verdict_of_its_own_seed(seeded) -> None:
    before, _, after = seeded.claims("beta").read_text().partition('id = "B1"')
    refuted = after.replace('expected = "holds"', 'expected = "refuted"', 1)
    seeded.claims("beta").write_text(before + 'id = "B1"' + refuted)
    measure(seeded, "return Measurement(value=0.0)")
    assert drawn("--seeds", "2") == 0
    measure(seeded, "return Measurement(value=0.0 if settings.seed == 7 else 1.0)")
    assert drawn("--seeds", "2") == 1


def experiment(toy: Toy) -> None:
    """Let B1 be an experiment, whose check states no share."""
    text = (
        toy.claims("beta").read_text().replace(MONTE_CARLO, 'origin = "stated margin: by hand"', 1)
    )
    before, _, after = text.partition('id = "B1"')
    evidence = re.sub(r'evidence = "[^"]*"', 'evidence = "experiment"', after, count=1)
    toy.claims("beta").write_text(f'{before}id = "B1"{evidence}')


def test_a_check_without_a_share_may_be_left_undecided_and_rarely_be_decided_otherwise(
    seeded, capsys
) -> None:
    experiment(seeded)
    measure(
        seeded, "return Measurement(value=2.0, low=0.0 if settings.seed != 7 else 1.5, high=3.0)"
    )
    assert drawn("--seeds", "3") == 0
    decided = "of 1 with intervals of confidence 0.99 that their own seeds decide,"
    said = capsys.readouterr().out
    assert (
        "holds wanted, values 2 to 2; 0 alarms" in said
        and f"{decided} 0 were decided otherwise" in said
    )
    value = "(0.0 if settings.seed != 7 else 2.0)"
    seeded.replace_in_module(
        "beta/checks",
        "value=2.0, low=0.0 if settings.seed != 7 else 1.5, high=3.0",
        f"value={value}",
    )
    assert drawn("--seeds", "1") == 0, "one alarm of one check may be"
    capsys.readouterr()
    assert drawn("--seeds", "3") == 1, "three of three may not"
    said = capsys.readouterr().out
    assert "; 3 alarms: seeds" in said and f"{decided} 1 were decided otherwise" in said


def test_as_many_checks_without_a_share_raise_an_alarm_as_their_intervals_allow() -> None:
    """One seed of 100 checks at .005: P(more than 4) = .00017, P(more than 3) = .0018; of one,
    P(1) = .005 > .00001.
    """
    assert limits(100, 1) == (4, 1) and limits(0, 20) == (0, 0)
    assert limits(50, 20).checks == pytest.approx(
        50 * 0.0954 + 3.3 * (50 * 0.0954 * 0.9046) ** 0.5, abs=1.5
    )
    assert limits(50, 20).alarms == 3, (
        "P(more than 2 of 20) = .00013, more than 3: 3e-6; allowed .00001"
    )
