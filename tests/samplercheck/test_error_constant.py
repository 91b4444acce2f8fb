"""The error constant: clean methods have one of about 1 at the most; what an order does not see has a larger one."""

from dataclasses import replace
from itertools import pairwise

import pytest
from torch import Tensor

from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.convergence import two_targets
from samplercheck.error_constant import error_constant
from samplercheck.report import HOLDS, NOTED
from tests.samplercheck.faulty import fault_of, faulty
from tests.samplercheck.references import REFERENCES, karras

DETERMINISTIC = [name for name, each in REFERENCES.items() if each.noise == 0 and each.order and "3" not in name]


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
    assert report.worst is not None and "weight of the last output 0, expected 1" in report.worst.text()
    assert report.as_dict()["error_constant"] == report.constant
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize("change", [{"order": None}, {"noise": None}])
def test_there_is_none_without_an_order_or_with_noise(change: dict[str, None]) -> None:
    assert error_constant(replace(REFERENCES["Euler"].sampler("Euler"), **change), two_targets(1.0)) is None
