"""The kit on inversions, on samplers of distilled networks, and on starts from noised data, right
and wrong ones.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from samplercheck import Draws, Network, Sampler, conform, entry_points, inversion, noise_level
from samplercheck.dead_directions import dead_direction
from samplercheck.invariants import invariants
from samplercheck.report import END, HOLDS, INCONCLUSIVE, LIMIT, REFUTED

SHORT = (16, 24, 32, 48, 64, 96)


def from_data(order: int, late: int = 0, factor: float = 1.0) -> Sampler:
    """Return Euler's or Heun's method from data to noise on straight paths; the network is told
    `late` steps later.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def slope(x: Tensor, k: int) -> Tensor:
            t = min(k + late, steps) / steps
            return factor * network("flow", x, noise_level(1 - t, t))

        for k in range(steps):
            first = slope(x, k)
            x = x + (first if order == 1 else (first + slope(x + first / steps, k + 1)) / 2) / steps
        return x

    def levels(steps: int) -> list[float]:
        return [k / (steps - k) for k in range(steps)] + [math.inf]

    return inversion(
        Sampler(
            "inversion", "1", run, lambda steps: 1.0, order, levels=levels if order == 1 else None
        )
    )


@pytest.mark.parametrize(
    ("sampler", "verdict", "check"),
    [
        (from_data(1), HOLDS, ""),
        (from_data(2), HOLDS, ""),
        (from_data(1, late=1), REFUTED, "levels"),
        (from_data(2, late=1), REFUTED, "order"),
        (from_data(2, factor=0.98), REFUTED, "limit"),
    ],
    ids=["Euler", "Heun", "Euler, late", "Heun, late", "Heun, a wrong factor"],
)
def test_an_inversion_is_judged_as_a_sampler_whose_data_are_the_noise(
    sampler: Sampler, verdict: str, check: str
) -> None:
    report = conform(sampler, steps=SHORT)
    assert report.verdict == verdict, report.why
    assert not check or {each.check for each in report.judgements if each.verdict == REFUTED} >= {
        check
    }


def test_an_image_may_count_as_the_first_entry_of_a_table() -> None:
    """DDIM's inversion from timestep 0 of 8000, whose noise of 0.35 % the code takes its clean
    image to have.
    """
    bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 8000) / 8)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for now, then in pairwise(bars[np.linspace(0, 7999, steps + 1).round().astype(int)]):
            eps = network("eps", x, noise_level(math.sqrt(now), math.sqrt(1 - now)))
            x = math.sqrt(then / now) * (x - math.sqrt(1 - now) * eps) + math.sqrt(1 - then) * eps
        return x

    made = Sampler("DDIM inversion", "1", run, lambda steps: 0.5)
    assert conform(inversion(made)).verdict == HOLDS
    assert (
        conform(inversion(replace(made, begins=lambda steps: noise_level(1.0, 0.0)))).verdict
        == HOLDS
    )
    noised = conform(inversion(replace(made, begins=lambda steps: noise_level(1.0, 0.05))))
    assert {each.check for each in noised.judgements if each.verdict == REFUTED} == {"limit", "end"}


def at_arrival(late: int = 0, clean: bool = True, entry: float = 0.0) -> Sampler:
    """Return DDIM's inversion, called at the level to which a step goes, or `late` steps after it.

    So is the first guess of DDIM's step solved backwards. Its levels begin at `entry` of a table,
    which an image has that does not count as `clean`; from a clean one the first step leads to the
    next level.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        angles = math.pi / 2 * torch.linspace(entry, 0.97, steps + 1, dtype=torch.float64)
        angles[0] *= not clean
        for k in range(steps):
            (now, then, told), at = (
                angles[[k, k + 1, min(k + 1 + late, steps)]].tolist(),
                noise_level,
            )
            eps = network("eps", x, at(math.cos(told), math.sin(told)))
            x = math.cos(then) / math.cos(now) * (x - math.sin(now) * eps) + math.sin(then) * eps
        return x

    return inversion(Sampler("DDIM inversion, at arrival", "1", run, lambda steps: 0.5, 1))


BEGUN = [at_arrival(), at_arrival(1), at_arrival(clean=False, entry=0.03)]


@pytest.mark.parametrize("sampler", BEGUN, ids=["at arrival", "later", "from an entry"])
def test_an_inversion_may_call_at_the_level_of_arrival(sampler: Sampler) -> None:
    """A late level is of order 1, and so is each step, however far the state is from the data at
    the start.
    """
    report = conform(sampler)
    assert report.verdict == HOLDS, report.why
    order = report.conditions and report.conditions.order
    assert order and order.low > 0.8 and order.high < 1.2


def test_a_first_step_off_the_data_to_a_table_is_judged_as_a_last_one() -> None:
    report = conform(at_arrival(entry=0.03))
    limit = report.convergence and report.convergence.limit
    assert report.verdict == HOLDS and limit and LIMIT < limit.least < limit.most < END, report.why


def multistep(noise: Callable[[float], float], last: bool = False) -> Sampler:
    """Return multistep consistency sampling, which adds `noise(sigma)` after each call; `last`:
    after the last too.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for now, then in pairwise([*np.geomspace(80, 0.1, steps), 0.05 if last else 0.0]):
            x = network("consistency", x, noise_level(1.0, now))
            x = x + noise(float(then)) * torch.randn_like(x) if then else x
        return x

    return Sampler("consistency", "1", run, lambda steps: 80.0, noise=None)


@pytest.mark.parametrize(
    ("sampler", "verdict", "check"),
    [
        (multistep(lambda sigma: sigma), HOLDS, ""),
        (multistep(lambda sigma: 1.1 * sigma), REFUTED, "limit"),
        (multistep(lambda sigma: sigma, last=True), REFUTED, "dead direction"),
        (replace(multistep(lambda sigma: sigma), noise=1.0), INCONCLUSIVE, "run"),
    ],
    ids=["right", "too much noise", "noise at the end", "of no stated kind"],
)
def test_a_consistency_function_gives_the_data_after_any_number_of_steps(
    sampler: Sampler, verdict: str, check: str
) -> None:
    report = conform(sampler)
    assert report.verdict == verdict, report.why
    assert max(report.w2.values()) < 0.005 or verdict == REFUTED
    assert not check or check in {
        each.check for each in report.judgements if each.verdict == verdict
    }


@pytest.mark.parametrize(("skipped", "verdict"), [(0, HOLDS), (1, REFUTED)])
def test_a_start_from_noised_data_is_at_the_level_that_is_told_first(
    skipped: int, verdict: str
) -> None:
    """Of a part of a run, as from images to images: one index too far is 8 % of the noise at 24
    steps.
    """

    def mesh(steps: int) -> list[float]:
        return [*np.linspace(1.0, 0.1, steps) ** 2, 0.0]

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for now, then in pairwise(mesh(steps)[skipped:]):
            x = x + (then / now - 1) * (x - network("x0", x, noise_level(1.0, now)))
        return x

    report = conform(
        Sampler("part", "1", run, lambda steps: 1.0, begins=lambda steps: noise_level(1.0, 1.0))
    )
    assert report.verdict == verdict, report.why
    assert {each.check for each in report.judgements if each.verdict == REFUTED} == (
        {"start", "outliers"} if skipped else set()
    )


@pytest.mark.parametrize(("kind", "holds"), [(None, False), (torch.float64, True)])
def test_noise_levels_that_only_bfloat16_moves_are_refuted_where_they_are_stated(
    kind: torch.dtype | None, holds: bool
) -> None:
    """Of a table of timesteps: kept in the run's type it gives others, of one that is kept in
    float64 none.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        times = torch.linspace(990, 10, steps, dtype=kind or x.dtype).round()
        for now, then in pairwise([*times.double().tolist(), 0.0]):
            x = x + (then - now) / 1000 * network(
                "flow", x, noise_level(1 - now / 1000, now / 1000)
            )
        return x

    def levels(steps: int) -> list[float]:
        return [
            t / (1000 - t)
            for t in torch.linspace(990, 10, steps, dtype=torch.float64).round().tolist()
        ] + [0.0]

    found = invariants(Sampler("table", "1", run, lambda steps: 1.0, levels=levels))
    assert found["levels"].holds and found["bfloat16"].holds is holds, found["bfloat16"].why
    assert holds or " t 0" in found["bfloat16"].why


@pytest.mark.parametrize(("rounded", "holds"), [(1, True), (2, False)])
def test_a_flow_whose_time_is_rounded_once_to_bfloat16_holds(rounded: int, holds: bool) -> None:
    """Near t = 1 one rounding of t moves sigma / scale by 5/256, and is one rounding all the
    same.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        times = torch.linspace(0.99, 0.0, steps + 1, dtype=torch.float64)
        if x.dtype is torch.bfloat16:
            times = times.bfloat16().double() * (1 - (rounded - 1) * 2.0**-7)
        for now, then in pairwise(times.tolist()):
            x = x + (then - now) * network("flow", x, noise_level(1 - now, now))
        return x

    def levels(steps: int) -> list[float]:
        times = torch.linspace(0.99, 0.0, steps + 1, dtype=torch.float64)
        return (times / (1 - times)).tolist()

    found = invariants(Sampler("flow", "1", run, lambda steps: 1.0, levels=levels))["bfloat16"]
    assert found.holds is holds, found.why
    assert holds or " t 0" in found.why


class Sigmas:
    """Euler's method as a scheduler in noise levels, whose start is to be scaled by the first."""

    def set_timesteps(self, steps: int) -> None:
        self.sigmas = torch.cat([torch.logspace(1.5, -2, steps), torch.zeros(1)])
        self.timesteps, self.init_noise_sigma = self.sigmas[:-1], float(self.sigmas[0])
        self.place = 0

    def alpha_bar(self, t: float) -> float:
        """Return what is no table, for all its name."""
        return math.cos(t) ** 2

    def step(self, eps: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor]:
        self.place += 1
        return (x + (self.sigmas[self.place] - t) * eps,)


def test_a_schedulers_start_is_scaled_as_it_says() -> None:
    report = conform(
        entry_points.load(entry_points.of_scheduler(Sigmas, {}), "s", "model", {}, "eps@sigma")
    )
    assert report.verdict == "holds" and report.convergence.start < 0.01


class OwnTable:
    """DDIM on other betas than the usual ones; what `step` returns is the next state."""

    def __init__(self) -> None:
        betas = torch.linspace(0.00085, 0.012, 1000, dtype=torch.float64)
        self.alpha_bar = (1 - betas).cumprod(0)

    def set_timesteps(self, steps: int) -> None:
        self.places = [*torch.linspace(999, 0, steps + 1).round().long().tolist()]
        self.timesteps = torch.tensor(self.places[:-1])

    def step(self, eps: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        after = self.places[self.places.index(int(t)) + 1]
        here, there = self.alpha_bar[int(t)], self.alpha_bar[after] if after else torch.tensor(1.0)
        return (x - (1 - here).sqrt() * eps) * (there / here).sqrt() + (1 - there).sqrt() * eps


def test_a_scheduler_is_read_by_its_own_table() -> None:
    sampler = entry_points.load(OwnTable, "own")
    report = conform(replace(sampler, order=1))
    assert report.verdict == "holds", report.text()
    assert sampler.version.endswith("eps@linear of its own table")


def test_noise_before_the_first_call_is_no_wrong_start() -> None:
    """Karras' second algorithm adds noise to the start, whose level the user has chosen."""

    def churned(model: Any, x: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        for here, there in pairwise(sigmas):
            up = here * 1.2
            x = x + (up**2 - here**2).sqrt() * torch.randn_like(x)
            x = x + (there - up) * (x - model(x, up)) / up
        return x

    report = conform(entry_points.load(churned, "churned", "model", convention="x0@sigma"))
    start = next(each for each in report.judgements if each.check == "start")
    assert start.verdict == "holds" and report.convergence.start == pytest.approx(
        math.log(math.hypot(12, 2) / 12), abs=1e-3
    )


def test_noise_that_is_left_is_told_without_an_error_of_the_mean() -> None:
    """A run on the straight path that stops at t leaves t, and its limit is t."""

    def stopped(model: Any, x: torch.Tensor, steps: int) -> torch.Tensor:
        times = torch.linspace(1.0, 0.046, steps + 1, dtype=torch.float64)
        for here, there in pairwise(times):
            x = x + (there - here) * model(x, here)
        return x

    dead = dead_direction(entry_points.load(stopped, "stopped", "model", {}, "flow@flow"))
    assert [*dead.left.values(), dead.limit.value] == pytest.approx([0.046] * 5)
