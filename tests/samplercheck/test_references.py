"""The kit on samplers of known quality: no clean reference is refuted, every fault that matters is
caught.

What a report names of a fault: the step at which x leaves its noise level, the weight that is
wrong, an error constant that is large.
"""

import json
import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from ams.schedules import VP
from samplercheck import Draws, Network, Sampler, Unanswered, conform, noise_level
from samplercheck.coefficients import NOISE, STATE, worst_weight
from samplercheck.convergence import Data, two_targets
from samplercheck.entry_points import load
from samplercheck.error_constant import error_constant
from samplercheck.page import html
from samplercheck.placement import misplaced
from samplercheck.report import HOLDS, NOTED
from samplercheck.sampler import one_thread
from tests.ams.tools import draws
from tests.samplercheck.faulty import Fault, blind_sampler, fault_of, faults, faulty
from tests.samplercheck.references import REFERENCES, Mesh, geometric, karras, preserving, rectified

EXPLODING = {"DPM-Solver-2", "Euler-Maruyama", "SDE midpoint", "annealed BAOAB"}


def random_mesh(rng: random.Random, name: str) -> Mesh:
    """Return a mesh on which the reference may run, with random parameters."""
    if "rectified" in name:
        shift = rng.uniform(0.5, 3.0)
        return lambda steps: rectified(steps, shift)
    first, final, rho = (
        rng.uniform(20.0, 150.0),
        10 ** rng.uniform(-2.3, -1.3),
        rng.uniform(3.0, 10.0),
    )
    process, end = VP(0.1, rng.uniform(14.0, 25.0)), 10 ** rng.uniform(-4.0, -2.5)
    choices: list[Mesh] = [lambda steps: preserving(steps, end, process)]
    if name in EXPLODING:
        choices = []
    if name != "DDIM, v":
        choices += [
            lambda steps: karras(steps, first, final, rho),
            lambda steps: geometric(steps, first, final),
        ]
    return rng.choice(choices)


def random_setting(name: str, trial: int) -> tuple[Sampler, tuple[int, ...], Data]:
    """Return a reference on a random mesh, step counts and a Gaussian target, fixed by the number
    of the trial.
    """
    rng = random.Random(f"{name} {trial}")
    base = 2 * rng.randint(8, 18)
    steps = (base, 3 * base // 2, 2 * base, 3 * base, 4 * base, 6 * base)
    mean, spread = draws(rng.randrange(2**31), 2, 8)
    target = Data(0.7 * mean, 0.05 * 40.0 ** torch.special.ndtr(spread))
    return REFERENCES[name].sampler(name, random_mesh(rng, name)), steps, target


def refuted(name: str, trial: int) -> str:
    """Return the report of a trial that refutes a clean sampler, otherwise nothing."""
    sampler, steps, target = random_setting(name, trial)
    report = conform(sampler, steps=steps, data=target)
    return report.text() if report.verdict == "refuted" else ""


@pytest.mark.parametrize("name", list(REFERENCES)[::4])
def test_a_clean_sampler_is_not_refuted(name: str) -> None:
    assert not refuted(name, 0)


@pytest.mark.long
@pytest.mark.parametrize("name", REFERENCES)
def test_a_clean_sampler_is_not_refuted_on_fifty_targets_and_meshes(name: str) -> None:
    assert not [text for trial in range(50) if (text := refuted(name, trial))]


def test_the_faults_are_many_in_many_samplers() -> None:
    declared = faults()
    assert len(declared) >= 60 and len({fault.reference for fault in declared}) >= 12


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            fault,
            id=f"{fault.reference}-{fault.why}",
            marks=() if k % 12 == 0 else pytest.mark.slow,
        )
        for k, fault in enumerate(faults())
    ],
)
def test_a_fault_is_refuted_unless_it_is_a_valid_scheme(fault: Fault) -> None:
    """A sampler whose draws cannot be answered is stopped with that message."""
    try:
        verdict = conform(faulty(fault)).verdict
    except Unanswered:
        verdict = "refuted"
    assert (verdict == "refuted") != bool(fault.valid)


PLACES = {
    ("Heun", "the network is told the wrong noise level"): "call 2, x is at scale 1, sigma",
    ("DPM-Solver-2", "the half step is a whole one"): "call 2, x is at scale 1, sigma",
    (
        "DPM-Solver-2",
        "the first evaluation is told the noise level of the second",
    ): "call 2, x is at scale 1, sigma",
    ("DDIM", "the scale of the wrong step"): "after step",
    (
        "reverse SDE",
        "Langevin's factor of 2 in the noise",
    ): "the step's noise is 0.07439, expected 0.04475",
    ("ancestral", "noise a tenth too large"): "the step's noise is 0.2705, expected 0.2459",
    (
        "EDM",
        "noise three per cent too large",
    ): "the step's noise is 35.22, with 34.2 it would lead there",
    (
        "DDIM, eta 0.6",
        "the direction is not shortened by the noise",
    ): "noise is right, so that its mean is not",
    (
        "Euler-Maruyama",
        "intervals of the Brownian path that overlap",
    ): "draw 1 acts in several steps",
    ("w04",): "call 1, x is at sigma",
    ("w41",): "told that of the call before",
}
"""Of faults by reference and reason, and of samplers of the blind trial: what is said of the place.
"""


def test_a_right_sampler_is_where_the_network_is_told() -> None:
    with one_thread():
        said = {name: misplaced(each.sampler(name)) for name, each in REFERENCES.items()}
    assert {name: text for name, text in said.items() if text} == {
        "annealed BAOAB": "draw 1 acts in several steps, as through a velocity"
    }


@pytest.mark.parametrize("key", PLACES, ids=" ".join)
def test_a_wrong_level_or_noise_is_named(key: tuple[str, ...]) -> None:
    with one_thread():
        assert PLACES[key] in misplaced(
            faulty(fault_of(*key)) if len(key) > 1 else blind_sampler(*key)
        )


RIGHT = [
    name
    for name, reference in REFERENCES.items()
    if reference.noise in (0.0, 1.0) and name != "UniPC-2"
]
"""UniPC's corrector is no polynomial through the outputs of its step, so no method is near."""
WEIGHTS = {
    ("Heun", "the weights of another method of order 2"): (1, 1 / 3, 1 / 2),
    ("AB2 in v", "the value before the first step is taken for 0"): (0, 3 / 2, 1.0),
    ("Euler", "one per cent too far in each step"): (0, None, 1.0),
    ("AB3 in v", "a wrong coefficient"): (0, None, None),
    ("DPM-Solver++ 2M", "a rounded coefficient"): (STATE, None, 1.0),
    ("exponential AB2, eps", "a state that decays slowly"): (STATE, None, 1.0),
    ("reverse SDE", "Langevin's factor of 2 in the noise"): (NOISE, None, None),
    ("SDE-DPM-Solver++ 2M", "noise of the wrong variance"): (NOISE, None, None),
}
"""Of faults by reference and reason: whose weight is wrong, what it is and what is expected, where
that is plain.
"""


@pytest.mark.parametrize("name", RIGHT)
def test_the_weights_of_a_right_sampler_agree_with_a_method(name: str) -> None:
    with one_thread():
        assert worst_weight(REFERENCES[name].sampler(name)) is None


@pytest.mark.parametrize("key", WEIGHTS, ids=" ".join)
def test_a_wrong_weight_is_named(key: tuple[str, str]) -> None:
    back, got, expected = WEIGHTS[key]
    with one_thread():
        worst = worst_weight(faulty(fault_of(*key)))
    assert worst is not None and worst.back == back
    assert got is None or worst.got == pytest.approx(got)
    assert expected is None or worst.expected == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_a_weight_is_read_in_the_prediction_in_which_it_is_written() -> None:
    """On levels even in the logarithm Heun's weights of x0 are constant too, those of eps
    fractions.
    """

    def heun(model: Any, x: Any, sigmas: Any, a: float = 0.6, b: float = 0.4) -> Any:
        for here, there in pairwise(sigmas):
            slope = ahead = (x - model(x, here)) / here
            if there > 0:
                guess = x + (there - here) * slope
                ahead = (guess - model(guess, there)) / there
            x = x + (there - here) * (a * slope + b * ahead)
        return x

    worst = worst_weight(load(heun, "Heun", "model", {}, "x0@sigma"))
    assert worst is not None and (worst.got, worst.expected) == pytest.approx((0.6, 0.5))


def test_a_report_tells_the_place_before_the_weight() -> None:
    report = conform(faulty(fault_of("Euler", "one per cent too far in each step")))
    told = json.loads(report.json())
    assert told["worst"]["expected"] == pytest.approx(1.0) and told["worst"][
        "got"
    ] == pytest.approx(1.027, abs=1e-3)
    first, second = report.text().splitlines()[2:4]
    assert (
        "Look here first: after step" in first
        and told["first"] in first
        and "Look here first" in html(report)
    )
    assert "step 6: weight of the last output" in second


DETERMINISTIC = [
    name for name, each in REFERENCES.items() if each.noise == 0 and each.order and "3" not in name
]


def of(sampler: Sampler) -> float:
    constant = error_constant(sampler, two_targets(1.0))
    assert constant is not None
    return constant


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_clean_method_is_about_as_far_as_the_farthest_of_its_order(name: str) -> None:
    assert of(REFERENCES[name].sampler(name)) < 1.2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Euler", "one per cent too far in each step"),
        ("Heun", "the weights of another method of order 2"),
        ("DPM-Solver++ 2M", "a rounded coefficient"),
    ],
)
def test_a_weight_that_is_off_is_seen_beside_the_right_one(name: str, why: str) -> None:
    assert of(faulty(fault_of(name, why))) > 2 * of(REFERENCES[name].sampler(name))


def stale(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Euler's method whose output is renewed every other step."""
    for i, (a, b) in enumerate(pairwise(karras(steps))):
        value = network("x0", x, noise_level(1.0, a.sigma))
        x0 = x0 if i % 2 else value  # noqa: F821 - bound in the first step
        x = x + (b.sigma - a.sigma) * (x - x0) / a.sigma
    return x


def test_a_large_constant_is_noted_with_the_weight_to_look_at_and_refutes_nothing() -> None:
    report = conform(Sampler("stale", "0", stale, lambda steps: 80.0, order=1))
    noted = next(each for each in report.judgements if each.check == "error constant")
    assert noted.verdict == NOTED and "times the largest of methods of order 1" in noted.why
    assert (
        report.worst is not None
        and "weight of the last output 0, expected 1" in report.worst.text()
    )
    assert report.as_dict()["error_constant"] == report.constant
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize("change", [{"order": None}, {"noise": None}])
def test_there_is_none_without_an_order_or_with_noise(change: dict[str, None]) -> None:
    assert (
        error_constant(replace(REFERENCES["Euler"].sampler("Euler"), **change), two_targets(1.0))
        is None
    )
