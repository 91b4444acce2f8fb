"""Weights of outputs, state and noise, read off runs: those of right samplers agree, a wrong one is named."""

import json

import pytest

from samplercheck import conform
from samplercheck.coefficients import NOISE, STATE, worst_weight
from samplercheck.page import html
from samplercheck.sampler import one_thread
from tests.samplercheck.faulty import fault_of, faulty
from tests.samplercheck.references import REFERENCES

RIGHT = [name for name, reference in REFERENCES.items() if reference.noise in (0.0, 1.0) and name != "UniPC-2"]
"""UniPC's corrector is no polynomial through the outputs of its step, so no method is near."""
NAMED = {
    ("Heun", "the weights of another method of order 2"): (1, 1 / 3, 1 / 2),
    ("AB2 in v", "the value before the first step is taken for 0"): (0, 3 / 2, 1.0),
    ("Euler", "one per cent too far in each step"): (0, None, 1.0),
    ("AB3 in v", "a wrong coefficient"): (0, None, None),
    ("DPM-Solver++ 2M", "a rounded coefficient"): (STATE, None, 1.0),
    ("exponential AB2, eps", "a state that decays slowly"): (STATE, None, 1.0),
    ("reverse SDE", "Langevin's factor of 2 in the noise"): (NOISE, None, None),
    ("SDE-DPM-Solver++ 2M", "noise of the wrong variance"): (NOISE, None, None),
}
"""Of faults by reference and reason: whose weight is wrong, what it is and what is expected, where that is plain."""


@pytest.mark.parametrize("name", RIGHT)
def test_the_weights_of_a_right_sampler_agree_with_a_method(name: str) -> None:
    with one_thread():
        assert worst_weight(REFERENCES[name].sampler(name)) is None


@pytest.mark.parametrize("key", NAMED, ids=" ".join)
def test_a_wrong_weight_is_named(key: tuple[str, str]) -> None:
    back, got, expected = NAMED[key]
    with one_thread():
        worst = worst_weight(faulty(fault_of(*key)))
    assert worst is not None and worst.back == back
    assert got is None or worst.got == pytest.approx(got)
    assert expected is None or worst.expected == pytest.approx(expected)


def test_a_report_tells_it_first() -> None:
    assert conform(REFERENCES["Euler"].sampler("Euler")).worst is None
    report = conform(faulty(fault_of("Euler", "one per cent too far in each step")))
    told = json.loads(report.json())["worst"]
    assert told["expected"] == pytest.approx(1.0) and told["got"] == pytest.approx(1.027, abs=1e-3)
    assert "step 6: weight of the last output" in report.text() and "Look here first" in html(report)
