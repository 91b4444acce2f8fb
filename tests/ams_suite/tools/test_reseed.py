"""Fresh seeds: what is drawn again, what counts as an alarm, and the record of it."""

from __future__ import annotations

import pytest

from ams_suite.__main__ import main
from ams_suite.tools.reseed import Fresh, read_fresh
from tests.verdicts.toy import Toy
from verdicts.claims.schema import Verdict

MONTE_CARLO = 'origin = "Monte Carlo: by hand"\nshare = 0.01'
DRAWING = """
from pydantic import BaseModel

from verdicts import Measurement, Unavailable, check


class Settings(BaseModel):
    steps: int = 3
    seed: int = 7


@check("B1.three")
def three(settings):
    {body}


@check("B2.four")
def four(settings):
    raise AssertionError("not by Monte Carlo")
"""


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Toy:
    """B1 is by Monte Carlo: its measurement is at least 1."""
    toy = Toy.make(tmp_path)
    monkeypatch.chdir(toy.root)
    claims = (toy.root / "paper/claims.toml").read_text()
    before, _, after = claims.partition('id = "B1.three"')
    toy.write("paper/claims.toml", before + 'id = "B1.three"' + after.replace('origin = "algebra"', MONTE_CARLO, 1))
    measure(toy, "return Measurement(value=1 + settings.seed % 2, seeds=(settings.seed,))")
    return toy


def measure(toy: Toy, body: str) -> None:
    toy.write_module("beta", DRAWING.format(body=body))
    toy._forget()


def record(toy: Toy) -> Fresh:
    found = read_fresh(toy.workspace())
    assert found is not None
    return found


def test_only_monte_carlo_checks_are_drawn_again_each_at_its_own_seeds(toy, capsys) -> None:
    assert read_fresh(toy.workspace()) is None
    assert main(["fresh", "--seeds", "6", "--entropy", "5"]) == 0
    assert "B1.three" in (said := capsys.readouterr().out) and "6 draws, 0 alarms" in said
    (found,) = record(toy).checks
    assert found.check == "B1.three" and found.wanted is Verdict.HOLDS
    assert tuple(draw.seed for draw in found.draws) == record(toy).seeds and len(set(record(toy).seeds)) == 6
    assert {draw.value for draw in found.draws} == {1.0, 2.0}
    assert found.key == toy.workspace().record_parts(toy.workspace().claims.select(["B1"])[0]).key


def test_the_same_entropy_gives_the_same_seeds_and_none_is_given_by_default(toy) -> None:
    seeds = []
    for entropy in (["--entropy", "5"], ["--entropy", "5"], [], []):
        main(["fresh", "--seeds", "3", *entropy])
        seeds.append(record(toy).seeds)
    assert seeds[0] == seeds[1] and len(set(seeds)) == 3


def test_an_alarm_is_1_and_names_its_seed(toy, capsys) -> None:
    measure(toy, "return Measurement(value=0.5 + settings.seed % 2)")
    assert main(["fresh", "B1", "--seeds", "8", "--entropy", "5"]) == 1
    (found,) = record(toy).checks
    assert 0 < len(found.alarms) < 8 and all(draw.verdict is Verdict.REFUTED for draw in found.alarms)
    assert f"seeds {found.alarms[0].seed} (refuted)" in capsys.readouterr().out


def test_a_claim_that_is_refuted_wants_the_verdict_of_its_own_seed(toy) -> None:
    before, _, after = (toy.root / "paper/claims.toml").read_text().partition('id = "B1"')
    refuted = after.replace('expected = "holds"', 'expected = "refuted"', 1)
    toy.write("paper/claims.toml", before + 'id = "B1"' + refuted)
    measure(toy, "return Measurement(value=0.0)")
    assert main(["fresh", "--seeds", "2"]) == 0
    measure(toy, "return Measurement(value=0.0 if settings.seed == 7 else 1.0)")
    assert main(["fresh", "--seeds", "2"]) == 1


def test_what_is_not_there_is_not_run(toy, capsys) -> None:
    measure(toy, "raise Unavailable('no such file')")
    assert main(["fresh", "--seeds", "2"]) == 0
    assert "not run: no such file" in capsys.readouterr().out and record(toy).checks[0].draws == ()


def test_a_group_without_a_seed_and_bad_usage_are_2(toy, capsys) -> None:
    measure(toy, "return Measurement(value=1)")
    toy.replace_in_module("beta", "    seed: int = 7\n", "")
    assert main(["fresh"]) == 2
    assert "beta: its checks draw, but its Settings have no field `seed`" in capsys.readouterr().err
    assert main(["fresh", "--seeds", "0"]) == 2
    assert main(["fresh", "Z9"]) == 2
