"""Where the states of a run are: right samplers are where the network is told; a wrong level or noise is named."""

import pytest

from samplercheck import conform
from samplercheck.placement import misplaced
from samplercheck.sampler import one_thread
from tests.samplercheck.faulty import blind_sampler, fault_of, faulty
from tests.samplercheck.references import REFERENCES

NAMED = {
    ("Heun", "the network is told the wrong noise level"): "call 2, x is at scale 1, sigma",
    ("DPM-Solver-2", "the half step is a whole one"): "call 2, x is at scale 1, sigma",
    ("DPM-Solver-2", "the first evaluation is told the noise level of the second"): "call 2, x is at scale 1, sigma",
    ("DDIM", "the scale of the wrong step"): "after step",
    ("reverse SDE", "Langevin's factor of 2 in the noise"): "the step's noise is 0.07439, expected 0.04475",
    ("ancestral", "noise a tenth too large"): "the step's noise is 0.2705, expected 0.2459",
    ("EDM", "noise three per cent too large"): "the step's noise is 35.22, with 34.2 it would lead there",
    ("DDIM, eta 0.6", "the direction is not shortened by the noise"): "noise is right, so that its mean is not",
    ("Euler-Maruyama", "intervals of the Brownian path that overlap"): "draw 1 acts in several steps",
}
"""Of faults by reference and reason: what is said of the place."""


def test_a_right_sampler_is_where_the_network_is_told() -> None:
    with one_thread():
        said = {name: misplaced(each.sampler(name)) for name, each in REFERENCES.items()}
    assert {name: text for name, text in said.items() if text} == {
        "annealed BAOAB": "draw 1 acts in several steps, as through a velocity"
    }


@pytest.mark.parametrize("key", NAMED, ids=" ".join)
def test_a_wrong_level_or_noise_is_named(key: tuple[str, str]) -> None:
    with one_thread():
        assert NAMED[key] in misplaced(faulty(fault_of(*key)))


@pytest.mark.parametrize(("name", "words"), [("w04", "call 1, x is at sigma"), ("w41", "told that of the call before")])
def test_a_level_told_at_another_call_is_named(name: str, words: str) -> None:
    with one_thread():
        assert words in misplaced(blind_sampler(name))


def test_a_report_tells_it_before_the_weight() -> None:
    report = conform(faulty(fault_of("Euler", "one per cent too far in each step")))
    first, second = report.text().splitlines()[2:4]
    assert "Look here first: after step" in first and "weight of the last output" in second
    assert report.as_dict()["first"] in first
