"""The error constant: clean methods have one of about 1 at the most; what an order does not see has a larger one."""

from dataclasses import replace
from itertools import pairwise

import pytest
from torch import Tensor

from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.convergence import two_targets
from samplercheck.error_constant import NOTED_ABOVE, error_constant
from samplercheck.report import HOLDS, NOTED
from tests.samplercheck.references import REFERENCES, karras, rectified

DETERMINISTIC = [name for name, each in REFERENCES.items() if each.noise == 0 and each.order and "3" not in name]


def of(sampler: Sampler) -> float:
    constant = error_constant(sampler, two_targets(1.0))
    assert constant is not None
    return constant


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_clean_method_is_about_as_far_as_the_farthest_of_its_order(name: str) -> None:
    assert of(REFERENCES[name].sampler(name)) < 1.2


def euler(network: Network, x: Tensor, steps: int, draws: Draws, stale: int = 1, ahead: float = 1.0) -> Tensor:
    """Euler's method whose output is renewed every `stale` steps, and whose steps are `ahead` times too long."""
    levels = karras(steps)
    for i, (a, b) in enumerate(pairwise(levels)):
        value = network("x0", x, noise_level(1.0, a.sigma))
        x0 = value if i % stale == 0 else x0  # noqa: F821 - bound in the first step
        x = x + ahead * (b.sigma - a.sigma) * (x - x0) / a.sigma
    return x


def with_weights(weight: float) -> Sampler:
    """Heun's method with `weight` on the second slope."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        levels = rectified(steps)
        for a, b in pairwise(levels):
            first, h = network("flow", x, a), b.sigma - a.sigma
            x = x + h * ((1 - weight) * first + weight * network("flow", x + h * first, b))
        return x

    return Sampler("weights", "0", run, lambda steps: 1.0, order=2)


@pytest.mark.parametrize(("stale", "ahead"), [(2, 1.0), (1, 1.02)])
def test_what_an_order_does_not_see_has_a_large_constant(stale: int, ahead: float) -> None:
    clean = Sampler("clean", "0", euler, lambda steps: 80.0, order=1)
    changed = replace(clean, run=lambda *given: euler(*given, stale=stale, ahead=ahead))
    assert of(clean) == pytest.approx(1.0)
    assert of(changed) > NOTED_ABOVE


def test_a_weight_that_is_off_is_seen_beside_the_right_one() -> None:
    assert of(with_weights(0.47)) > 2 * of(with_weights(0.5))


def test_a_large_constant_is_noted_with_the_weight_to_look_at_and_refutes_nothing() -> None:
    sampler = Sampler("stale", "0", lambda *given: euler(*given, stale=2), lambda steps: 80.0, order=1)
    report = conform(sampler)
    noted = next(each for each in report.judgements if each.check == "error constant")
    assert noted.verdict == NOTED and "times the largest of methods of order 1" in noted.why
    assert report.worst is not None and "weight of the last output 0, expected 1" in report.worst.text()
    assert report.as_dict()["error_constant"] == report.constant
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize("change", [{"order": None}, {"noise": None}])
def test_there_is_none_without_an_order_or_with_noise(change: dict[str, None]) -> None:
    sampler = replace(Sampler("clean", "0", euler, lambda steps: 80.0, order=1), **change)
    assert error_constant(sampler, two_targets(1.0)) is None
