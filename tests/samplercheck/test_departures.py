"""What the limit of many steps forgets is noted with its step: wrong samplers beside their right
twins.
"""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from samplercheck import Draws, Network, Sampler, adapters, conform, noise_level
from samplercheck.command import loaded
from samplercheck.errors import UserError
from samplercheck.model import average
from samplercheck.pytest_plugin import conformance_cases
from samplercheck.sampler import one_thread, places, stated
from tests.samplercheck.references import karras, preserving
from tests.samplercheck.test_few_steps import ancestral, row


def _one(steps: int) -> float:
    """Return the standard deviation of a start of noise alone."""
    return 1.0


def flow(network: Network, x: Tensor, t: float, level: float | None = None) -> Tensor:
    """Return the velocity of a straight path at time t, of a network that is passed `level` in its
    place.
    """
    level = t if level is None else level
    return network("flow", x, noise_level(1 - level, level))


def euler(
    times: Callable[[int], list[float]],
    passed: Callable[[int, int], float] | None = None,
    ends: int = 0,
) -> Sampler:
    """Return Euler's method on `times(n)`, all steps but the last `ends`, at the levels `passed(k,
    n)`.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        grid = times(steps)
        for k, (t, after) in enumerate(pairwise(grid[: len(grid) - ends])):
            x = x + (after - t) * flow(network, x, t, passed and passed(k, steps))
        return x

    return Sampler("Euler", "", run, prior=_one, noise=0.0, order=1)


def even(steps: int) -> list[float]:
    """Return even times from 0.99 to 0."""
    return [0.99 * (1 - k / steps) for k in range(steps + 1)]


def heun(skipped: int, late: float = 1.0) -> Sampler:
    """Return Heun's method, its last `skipped` steps with one call; the second is passed `late`
    times its time.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for k, (t, after) in enumerate(pairwise(even(steps))):
            slope = flow(network, x, t)
            ahead = x + (after - t) * slope
            if k < steps - skipped:
                ahead = x + (after - t) * (slope + flow(network, ahead, after, late * after)) / 2
            x = ahead
        return x

    return Sampler("Heun", "", run, prior=_one, noise=0.0, order=2)


def churned(stale: bool) -> Sampler:
    """Return Euler's method after new noise, its network passed the level before that noise if
    `stale`.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        grid = [*torch.logspace(1, -2, steps, dtype=torch.float64).tolist(), 0.0]
        for k, (sigma, after) in enumerate(pairwise(grid)):
            up = sigma * (1.3 if k % 2 else 1.0)
            x = x + math.sqrt(up**2 - sigma**2) * torch.randn_like(x)
            slope = (x - network("x0", x, noise_level(1.0, sigma if stale else up))) / up
            x = x + (after - up) * slope
        return x

    return Sampler("churned", "", run, prior=lambda steps: 10.0, noise=None)


def masked(mask: bool) -> Sampler:
    """Return DDPM with its larger variance on few timesteps, with noise in its last step too unless
    `mask`.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        levels = preserving(steps, 1 / steps)
        for level, after in pairwise(levels):
            beta = 1 - (level.scale / after.scale) ** 2
            x = (x - beta / level.sigma * network("eps", x, level)) / math.sqrt(1 - beta)
            x = x + math.sqrt(beta) * torch.randn_like(x) * (after.sigma > 0 or not mask)
        return x

    return Sampler("DDPM", "", run, prior=_one, noise=None)


def pair_of(old: Callable[[float, float], float]) -> Sampler:
    """Return DPM-Solver++(2M), whose output before the last has the weight `old(h, h_before)`."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        grid, before, step = karras(steps, 10.0), x, 0.0
        for level, after in pairwise(grid):
            x0 = network("x0", x, level)
            if after.sigma == 0:
                return x0
            h = math.log(level.sigma / after.sigma)
            share = old(h, step) if step else 0.0
            x = after.sigma / level.sigma * x - math.expm1(-h) * ((1 + share) * x0 - share * before)
            before, step = x0, h
        return x

    return Sampler("2M", "", run, prior=lambda steps: 10.0, noise=0.0, order=2)


def half_noise(share: float) -> Sampler:
    """Return the ancestral sampler, its draws `share` times as large."""
    return ancestral(lambda k, n, s: share * s).sampler("ancestral", noise=None)


DEPARTURES = {
    "levels of other steps": (
        euler(even, lambda k, n: 0.99 * (1 - k / (n + 1))),
        euler(even),
        "outliers",
        r"x is at sigma / scale \d.*, at 1\d of 19",
    ),
    "second call at another level": (
        heun(1, 0.9),
        heun(1),
        "outliers",
        "in step .*call 2, x is at sigma / scale",
    ),
    "correction left out": (
        heun(2),
        heun(1),
        "outliers",
        "level 20 of 20 is passed in 1 call, most in 2",
    ),
    "no last step": (
        euler(even, ends=1),
        euler(even),
        "outliers",
        "0.05208.*: as if a last step were missing",
    ),
    "no first step": (
        euler(lambda n: even(n)[1:]),
        euler(even),
        "outliers",
        "the first call is passed .*: as if a first step were missing",
    ),
    "level before the noise": (
        churned(True),
        churned(False),
        "outliers",
        "1.3 times the level passed, off at 10",
    ),
    "noise in the last step": (
        masked(False),
        masked(True),
        "outliers",
        "is added after the last call",
    ),
    "ratio of steps inverted": (
        pair_of(lambda h, before: before / (2 * h)),
        pair_of(lambda h, before: h / (2 * before)),
        "weights",
        "as if the ratio of two steps were inverted",
    ),
    "factor on all draws": (half_noise(0.9), half_noise(1.0), "weights", "weight of the noise"),
}


@pytest.mark.parametrize("name", DEPARTURES)
def test_what_a_limit_forgets_is_noted_with_its_place_and_not_of_the_right_twin(name: str) -> None:
    wrong, right, check, words = DEPARTURES[name]
    with one_thread():
        verdict, why = row(conform(wrong), check)
        assert verdict == "noted" and re.search(words, why), why
        noted = [each.check for each in conform(right).judgements if each.verdict == "noted"]
    assert not {"outliers", "weights"} & {*noted}, noted


def test_one_time_passed_twice_is_noted() -> None:
    def of(right: bool) -> Sampler:
        def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
            for t, after in pairwise(even(steps)):
                start, end = noise_level(1 - t, t), noise_level(1 - after, after)
                x = x - (t - after) * average(network, x, start, end if right else start)
            return x

        return Sampler("average velocity", "", run, prior=_one, noise=0.0)

    assert row(conform(of(False)), "outliers")[0] == "noted"
    assert row(conform(of(True)), "outliers")[0] == "holds"


FORMS = """
import torch

def euler_in_place(velocity, noise, num_steps):
    x = noise
    for i in range(num_steps):
        x -= velocity(x, torch.full((len(x),), 1 - i / num_steps, dtype=x.dtype)) / num_steps
    return x

def two_step(velocity, noise, num_steps, history=[]):
    x = noise
    for i in range(num_steps):
        v = velocity(x, torch.full((len(x),), 1 - i / num_steps, dtype=x.dtype))
        same = history and history[-1].shape == v.shape
        x = x - (1.5 * v - 0.5 * history[-1] if same else v) / num_steps
        history[:] = [v]
    return x
"""


def test_a_start_that_is_overwritten_is_noted_and_state_kept_between_runs_is_refuted(
    tmp_path: Path,
) -> None:
    file = tmp_path / "forms.py"
    file.write_text(FORMS)
    reports = {
        name: conform(loaded(f"{file}:{name}", {}, None, None, "velocity", "flow@flow"))
        for name in ("euler_in_place", "two_step")
    }
    assert reports["euler_in_place"].verdict == "holds"
    assert row(reports["euler_in_place"], "start kept") == (
        "noted",
        "the code writes its samples over the start that it is given",
    )
    assert row(reports["two_step"], "deterministic")[0] == "refuted"


SCHEDULER = """
import torch

class Euler:
    def set_timesteps(self, n):
        self.sigmas = torch.linspace(0.99, 0, n + 1, dtype=torch.float64)
        self.timesteps = self.sigmas[:-1]

    def step(self, velocity, t, x):
        k = int((self.timesteps - t).abs().argmin())
        return x + (self.sigmas[k + 1] - self.sigmas[k]) * velocity
"""


def two_step(
    network: Network,
    x: Tensor,
    steps: int,
    draws: Draws,
    uneven: bool = False,
    inverted: bool = True,
) -> Tensor:
    """Return the end of Adams and Bashforth's two-step method on a straight path, its ratio of
    steps inverted.
    """
    times, before = 0.99 * (1 - places(steps, uneven)), None
    for k, (t, after) in enumerate(pairwise(times.tolist())):
        slope, h = flow(network, x, t), after - t
        share = 0.5 * h / (t - float(times[k - 1])) if k else 0.0
        share = 0.25 / share if share and inverted else share
        x = x + h * ((1 + share) * slope - share * (slope if before is None else before))
        before = slope
    return x


@pytest.mark.parametrize("inverted", [True, False])
def test_a_ratio_that_is_1_on_even_steps_shows_on_uneven_ones(inverted: bool) -> None:
    run = partial(two_step, inverted=inverted)
    made = Sampler(
        "two-step", "", run, prior=_one, noise=0.0, order=2, uneven=partial(run, uneven=True)
    )
    noted = {each.check: each.why for each in conform(made).judgements if each.verdict == "noted"}
    assert noted.get("weights", "").endswith(
        "as if the ratio of two steps were inverted" if inverted else ""
    )
    assert ("weights" in noted) is inverted
    for strict in (False, True):
        cases = {case.id: case.values[0] for case in conformance_cases(made, strict=strict)}
        weights = cases.get(f"{made.name}, weights", cases[f"{made.name}, others"])
        fails = pytest.raises(pytest.fail.Exception, match="inverted")
        asked = fails if strict and inverted else suppress(pytest.skip.Exception)
        with asked:
            weights()


def test_in_pytest_a_scheduler_class_needs_no_network_and_a_kind_is_stated(tmp_path: Path) -> None:
    file = tmp_path / "schedulers.py"
    file.write_text(SCHEDULER)
    kind = adapters.function(f"{file}:Euler")
    cases = {case.id: case.values[0] for case in conformance_cases(kind, order=1)}
    cases["Euler, order"]()
    drawn = {
        case.id: case.values[0]
        for case in conformance_cases(kind, kind="sde", convention="flow@flow")
    }
    with pytest.raises(pytest.fail.Exception, match="noise=1 is stated"):
        drawn["Euler, noise"]()
    with pytest.raises(UserError, match="kind 'other': expected one of ode, sde, churn"):
        stated(euler(even), None, "other")
