"""Flow matching and stochastic interpolants: right samplers hold; wrong steps, times, rates and levels are refuted."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from torch import Tensor

from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.report import REFUTED

# Scale and sigma of x_t = scale x_0 + sigma z; `gamma` is that of (1 - t) x_0 + t z + t (1 - t) z'.
PATHS: dict[str, Callable[[float], tuple[float, float]]] = {
    "linear": lambda t: (1 - t, t),
    "trigonometric": lambda t: (math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)),
    "VP-like": lambda t: (math.sqrt(1 - t * t), t),
    "gamma": lambda t: (1 - t, math.hypot(t, t * (1 - t))),
    "scale rises": lambda t: (2 - math.sqrt(1 - t * t), t),
}


def euler(path: str, shift: float = 1.0, seen: float = 0.0, level: str = "", rates: str = "", last: int = 0) -> Sampler:
    """Return Euler's method from t = 0.99, with times moved towards 1 by `shift`, without its `last` steps.

    The network is passed times moved by `seen`, as on the path `level`; the velocity has the rates of `rates`.
    """

    def time(k: int, steps: int, factor: float) -> float:
        even = 0.99 * (steps - k) / steps
        return factor * even / (1 + (factor - 1) * even)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for k, after in pairwise(range(steps + 1 - last)):
            t, h = time(k, steps, shift), time(after, steps, shift) - time(k, steps, shift)
            x0 = network("x0", x, noise_level(*PATHS[level or path](time(k, steps, seen or shift))))
            scale, sigma = PATHS[path](t)
            above, below = PATHS[rates or path](t + 1e-6), PATHS[rates or path](t - 1e-6)
            z = (x - scale * x0) / sigma
            x = x + h * ((above[0] - below[0]) * x0 + (above[1] - below[1]) * z) / 2e-6
        return x

    return Sampler("Euler", "1", run, lambda steps: math.hypot(*PATHS[path](time(0, steps, shift))), order=1)


RIGHT = [("linear", 1.0), ("linear", 3.0), ("linear", 12.0), ("trigonometric", 1.0), ("VP-like", 1.0), ("gamma", 1.0)]
WRONG: dict[str, dict[str, Any]] = {
    "shift of the steps alone": {"path": "linear", "shift": 3.0, "seen": 1.0},
    "shift of the network's times alone": {"path": "linear", "seen": 3.0},
    "network's times shifted twice": {"path": "linear", "shift": 3.0, "seen": 9.0},
    "rates of another path": {"path": "trigonometric", "rates": "linear"},
    "level of another path": {"path": "trigonometric", "level": "linear"},
    "no rate of gamma": {"path": "gamma", "rates": "linear"},
    "no gamma in the level": {"path": "gamma", "level": "linear"},
    "scale's rate of the wrong sign": {"path": "VP-like", "rates": "scale rises"},
}


@pytest.mark.parametrize(("path", "shift"), RIGHT)
def test_a_right_path_holds(path: str, shift: float) -> None:
    assert conform(euler(path, shift)).verdict == "holds"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_path_is_refuted(name: str) -> None:
    assert "limit" in {each.check for each in conform(euler(**WRONG[name])).judgements if each.verdict == REFUTED}


def test_a_run_that_stops_short_leaves_the_level_at_which_it_stops() -> None:
    short = conform(euler("linear", last=1))
    assert [each.check for each in short.judgements if each.verdict != "holds"] == ["dead direction"]
    assert short.verdict == "holds" and short.as_dict()["noted"] == ["dead direction"] and short.dead is not None
    assert short.dead.left == pytest.approx({n: 0.99 / n for n in (5, 10, 20, 40)}, rel=1e-3)
    assert short.dead.order is not None and short.dead.order.value == pytest.approx(1.0)
