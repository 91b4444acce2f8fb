"""`ams law`: what it prints, its defaults, and a line for each argument that asks for no law."""

import json
import math

import pytest

from ams.errors import UserError
from ams_suite.law import exact_law, law
from tests.ams.laws.test_stationary import g3


def printed(capsys: pytest.CaptureFixture[str], *arguments: object, **more: object) -> dict[str, object]:
    """Return what `law --json` prints."""
    assert law(*arguments, json=True, **more) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 1
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_constant_momentum_ends_in_g3(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "constant", 0.1, "1,2.5,0.3", 1200, beta=0.6)
    wanted = [g3(0.1 * lam, 0.6, lam)[0] for lam in (1.0, 2.5, 0.3)]
    assert found["variance"] == pytest.approx(wanted, rel=1e-10)
    assert found["mean"] == pytest.approx([0.0] * 3, abs=1e-12) and found["beta"] == 0.6
    assert set(found) == {"mean", "variance", "beta", "w2", "kl"}


def test_langevin_after_one_step_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "langevin", 0.1, "0.5", 1, mean="3", start_variance="0.5", multiplicity="4")
    m, v = 3 - 3 * 0.95, 0.95**2 * 0.5 + 0.2
    assert found["beta"] is None and found["mean"] == pytest.approx([m]) and found["variance"] == pytest.approx([v])
    gap = math.sqrt(v) - math.sqrt(2)
    assert found["w2"] == pytest.approx(math.sqrt(4 * ((m - 3) ** 2 + gap**2)))
    assert found["kl"] == pytest.approx(4 * (v / 2 - 1 - math.log(v / 2) + (m - 3) ** 2 / 2) / 2)


def test_the_first_move_is_langevins() -> None:
    """A single first move: beta 0, whatever the momentum."""
    laws = [exact_law(s, 0.1, "1,3", 1, beta=b) for s, b in (("langevin", None), ("constant", 0.9), ("adaptive", None))]
    assert laws[0]["variance"] == laws[1]["variance"] == laws[2]["variance"]
    assert [each["beta"] for each in laws] == [None, 0.0, 0.0]


def test_the_start_is_the_target_by_default() -> None:
    found = exact_law("adaptive", 0.1, "1,4", 0, mean="1,2")
    assert found == {"mean": [0.0, 0.0], "variance": [1.0, 0.25], "beta": None, "w2": math.sqrt(5), "kl": (1 + 16) / 2}


def test_one_value_stands_for_all_directions() -> None:
    short = exact_law("adaptive", 0.05, "1,4", 9, multiplicity="3", mean="2", start_variance="0.5")
    assert short == exact_law("adaptive", 0.05, "1,4", 9, multiplicity="3,3", mean="2,2", start_variance="0.5,0.5")


def test_delta_bounds_the_damping() -> None:
    assert exact_law("adaptive", 1e-9, "1", 30, delta=0.2)["beta"] == 0.8
    assert exact_law("adaptive", 1e-9, "1", 30)["beta"] == 0.999


def test_no_infinity_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "langevin", 0.1, "1", 0, start_variance="0")["kl"] is None
    assert printed(capsys, "langevin", 1e-9, "1", 0, mean="1e200")["w2"] is None


def test_text_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert law("langevin", 0.1, "1", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["mean", "variance", "beta", "w2", "kl"]


GOOD = {"sampler": "adaptive", "step": 0.1, "precision": "1,2", "steps": 3}
BAD = [
    ({"step": 0.0}, "--step 0.0: expected a positive number"),
    ({"step": math.nan}, "--step nan"),
    ({"steps": -1}, "--steps -1: expected a count"),
    ({"steps": 10**33}, f"--steps {10**33}: expected a count, 0 to 1000000000"),
    ({"precision": "1,x"}, "--precision 1,x: expected comma-separated numbers"),
    ({"precision": "1,0"}, "--precision 1,0: expected finite numbers above 0"),
    ({"precision": "1e-320"}, "--precision 1e-320: expected numbers whose inverse is finite"),
    ({"multiplicity": "1,2,3"}, "--multiplicity 1,2,3: expected one value, or as many as precisions (2)"),
    ({"mean": "nan"}, "--mean nan: expected finite numbers"),
    ({"mean": "1;2"}, "--mean 1;2: expected comma-separated numbers"),
    ({"start_variance": "-1"}, "--start-variance -1: expected 0 or more"),
    ({"beta": 0.5}, "--beta 0.5: expected none for the adaptive sampler"),
    ({"sampler": "langevin", "beta": 0.0}, "--beta 0.0: expected none for the langevin sampler"),
    ({"sampler": "constant"}, "--beta not given: expected a number in [0, 1)"),
    ({"sampler": "constant", "beta": 1.0}, "--beta 1.0: expected a number in [0, 1)"),
    ({"delta": 0.0}, "--delta 0.0: expected a number between 0 and 1"),
    ({"step": 3.0, "sampler": "langevin", "steps": 2000}, "state not finite after step"),
]


@pytest.mark.parametrize(("change", "told"), BAD, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_a_bad_argument_is_named(change: dict[str, object], told: str) -> None:
    with pytest.raises(UserError) as refused:
        law(**(GOOD | change))
    assert str(refused.value).startswith(told)
