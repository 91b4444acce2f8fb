"""What shows at few steps alone: one call that is off, a distilled network's levels, clamps,
cancellations.

And what is measured in place of a name: whether a sampler draws, its fewest steps, its types, what
it keeps.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck import Draws, Network, Report, Sampler, adapters, conform, noise_level
from samplercheck.adapters.schedulers import family, of_class
from samplercheck.affine_map import AFFINE, read_map
from samplercheck.convergence import two_targets
from samplercheck.invariants import fewest_steps, invariants, measured
from samplercheck.judgement import DISTILLED_STEPS
from samplercheck.outliers import outliers
from samplercheck.sampler import Expected, Types, one_thread
from tests.samplercheck.references import REFERENCES, Reference, geometric, karras, preserving


def row(report: Report, check: str) -> tuple[str, str]:
    """Return verdict and reason of a check."""
    return next((each.verdict, each.why) for each in report.judgements if each.check == check)


def ancestral(change: Callable[[int, int, float], float], larger: float = 0.0) -> Reference:
    """Return the ancestral sampler whose draw of step k of n has `change(k, n, s)` in place of its
    deviation s.

    `larger` is the share in its variance of the larger one of DDPM's two.
    """

    def run(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        for k, (level, after) in enumerate(pairwise(levels), 1):
            x0 = network("x0", x, level)
            kept = (
                after.scale
                / level.scale
                * (after.sigma / after.scale / (level.sigma / level.scale)) ** 2
            )
            variance = after.sigma**2 - (kept * level.sigma) ** 2
            variance += (
                larger * (1 - (level.scale / after.scale) ** 2 - variance) * (after.sigma > 0)
            )
            x = after.scale * x0 + kept * (x - level.scale * x0)
            x = x + change(k, len(levels) - 1, math.sqrt(max(variance, 0.0))) * torch.randn_like(x)
        return x

    return Reference(run, preserving, 1, 1.0)


def deterministic(name: str, factor: float) -> Reference:
    """Return a reference whose network's input is scaled by `factor` in the call of one noise
    level, and x with it.
    """
    reference = REFERENCES[name]

    def run(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        half = len(levels) // 2
        middle = reference.run(network, x, [*levels[: half + 1]], draws)
        return reference.run(network, factor * middle, levels[half:], draws)

    return reference._replace(run=run)


@pytest.mark.parametrize("steps", [5, 20, 33])
@pytest.mark.parametrize("name", REFERENCES)
def test_a_right_method_has_no_outliers_exact_on_one_point_or_not(name: str, steps: int) -> None:
    with one_thread():
        found = outliers(REFERENCES[name].sampler(name), steps)
    approximate = name in ("reverse SDE", "Euler-Maruyama")
    assert found is not None and found.holds and found.why.endswith("not judged") is approximate, (
        found
    )


WRONG = {
    "variance times four at step 7": (
        ancestral(lambda k, n, s: 2 * s if k == 7 else s),
        "after step 7",
        1.5,
        2.0,
    ),
    "last draw doubled": (
        ancestral(lambda k, n, s: 2 * s if k == n - 1 else s),
        "after step 19",
        1.2,
        2.0,
    ),
    "a draw left out": (ancestral(lambda k, n, s: s * (k != 4)), "after step 4", 0.1, 0.9),
    "noise at the end": (ancestral(lambda k, n, s: 0.2 if k == n else s), "at the end", 19.0, 19.1),
    "x shrunk once": (deterministic("rectified Euler", 0.98), "after step 10", 0.979, 0.981),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_call_that_is_off_is_an_outlier_and_named(name: str) -> None:
    reference, place, low, high = WRONG[name]
    with one_thread():
        found = outliers(reference.sampler(name), 20)
    assert (
        found is not None
        and found.holds is False
        and f"{place}, off" in found.why
        and "exact at 9" in found.why
    )
    assert low < found.value < high


def test_an_outlier_is_refuted_with_its_step_and_factor_at_the_steps_that_are_used() -> None:
    report = conform(WRONG["variance times four at step 7"][0].sampler("wrong"), used=12)
    assert report.verdict == "refuted" and [row(report, "order")[0], row(report, "limit")[0]] == [
        "holds",
        "holds",
    ]
    assert re.search(
        r"in 12 steps: 1\.\d+ after step 7, off by more than 0.5% at 1 of",
        row(report, "outliers")[1],
    )


@pytest.mark.parametrize("steps", [20, 100])
def test_a_method_that_is_approximate_on_one_point_gets_a_number_and_no_verdict(steps: int) -> None:
    """DDPM with the larger variance: 17 in 20 steps. Where it is off by half a per cent at most,
    one call is noted.
    """
    with one_thread():
        found = outliers(ancestral(lambda k, n, s: s, larger=1.0).sampler("larger"), steps)
        assert (
            found is not None
            and found.holds
            and "not judged" in found.why
            and (found.value > 17 or steps > 20)
        )
        once = ancestral(lambda k, n, s: 2 * s if k == 3 else s, larger=2e-3).sampler(
            "nearly exact"
        )
        near = outliers(once, steps)
    assert near is not None and near.holds is None and "after step 3, off" in near.why, near


def consistency(stale: bool) -> Sampler:
    """Return multistep consistency sampling, with noise of the level to which a step goes or of
    the one before.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for before, level in pairwise([*(each.sigma for each in karras(steps + 1)[:-1]), 0.0]):
            x = network("consistency", x, noise_level(1.0, before))
            x = x + (before if stale and level else level) * torch.randn_like(x)
        return x

    return Sampler("consistency", "1", run, lambda steps: 80.0, noise=None)


@pytest.mark.parametrize(("stale", "verdict"), [(False, "holds"), (True, "refuted")])
def test_a_distilled_network_is_judged_at_each_number_of_steps(stale: bool, verdict: str) -> None:
    report = conform(consistency(stale))
    assert report.verdict == verdict and row(report, "few steps")[0] == verdict, report.text()
    assert all(f" after {steps}" in row(report, "few steps")[1] for steps in DISTILLED_STEPS)
    assert stale or report.invariants["few steps"].value < 1e-6
    assert (
        "distilled"
        in conform(REFERENCES["DDIM"].sampler("DDIM"), steps=(16, 24, 32, 48, 64, 96)).not_made[
            "few steps"
        ]
    )


@pytest.mark.parametrize(("clamp", "affine"), [(3.0, False), (1e3, True)])
def test_superposition_reaches_a_clamp_of_the_state_that_samples_meet(
    clamp: float, affine: bool
) -> None:
    clamped = REFERENCES["DDIM"].ended(lambda x: x.clamp(-clamp, clamp)).sampler("clamped")
    assert (read_map(clamped, two_targets(1.0).network(), 8, 24).defect <= AFFINE) is affine


def heun(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Heun's method with weights 1.02 and 0.98, whose errors of order 1 and 2 cancel at some
    numbers of steps.
    """
    for a, b in pairwise([level.sigma for level in geometric(steps, 10.0, 0.01)]):
        d = network("eps", x, noise_level(1.0, a))
        y = x + (b - a) * d
        x = x + (b - a) * (1.02 * d + 0.98 * network("eps", y, noise_level(1.0, b))) / 2 if b else y
    return x


def test_an_order_far_above_that_of_the_steps_is_a_cancellation_and_noted() -> None:
    report = conform(Sampler("Heun", "1", heun, lambda steps: 10.0, order=2))
    assert (
        row(report, "order")[0] == "noted"
        and "errors cancel" in row(report, "order")[1]
        and report.verdict == "holds"
    )


def raising(below: int) -> Sampler:
    """Return Euler's method, which raises in fewer steps than `below`."""

    def mesh(steps: int) -> list[Level]:
        if steps < below:
            raise ValueError(f"at least {below} steps")
        return geometric(steps, 10.0)

    return replace(REFERENCES["Euler"].sampler("Euler", mesh), prior=lambda steps: 10.0)


def test_what_raises_in_few_steps_is_asked_in_more() -> None:
    report = conform(raising(8))
    assert (
        [*report.w2] == [8, 10, 20]
        and report.dead
        and [*report.dead.left] == [8, 16, 32, 64]
        and report.verdict == "holds"
    )
    assert (
        "raises below 8 steps (ValueError: at least 8 steps): asked from 8 on"
        in row(report, "fewest steps")[1]
    )
    assert fewest_steps(raising(1), 5) == (5, "") and fewest_steps(
        replace(raising(1), fewest=7), 5
    ) == (7, "")


class Kept:
    """A scheduler's form: Adams and Bashforth's method, which forgets its past when a run begins
    if it `resets`.
    """

    def __init__(self, resets: bool) -> None:
        self.resets, self.past = resets, list[Tensor]()

    def run(self, network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        """Run it."""
        if self.resets:
            self.past = []
        for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
            self.past = [*self.past[-1:], network("eps", x, noise_level(1.0, a))]
            x = x + (b - a) * (
                self.past[-1] if len(self.past) < 2 else 1.5 * self.past[1] - 0.5 * self.past[0]
            )
        return x


@pytest.mark.parametrize(("resets", "holds"), [(True, True), (False, None)])
def test_an_object_that_is_used_twice_is_told_if_it_keeps_its_past(
    resets: bool, holds: bool | None
) -> None:
    def again(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        used = Kept(resets)
        used.run(network, torch.ones_like(x), steps, draws)
        return used.run(network, x, steps, draws)

    sampler = Sampler(
        "kept", "1", lambda *given: Kept(resets).run(*given), lambda steps: 10.0, again=again
    )
    assert invariants(sampler)["second run"].holds is holds


@pytest.mark.parametrize(
    ("types", "refuted"),
    [
        (None, {"bfloat16"}),
        (Types(torch.float32), set()),
        (Types(torch.bfloat16), {"stated types"}),
        (Types(torch.bfloat16, torch.float32), set()),
        (Types(torch.float32, torch.float32, torch.bfloat16), {"stated types"}),
    ],
)
def test_types_that_are_stated_are_those_that_are_judged(
    types: Types | None, refuted: set[str]
) -> None:
    """A code that ends in infinity where its network or its table is in bfloat16."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
            value = network("eps", x, noise_level(1.0, a))
            x = x + (b - a) * value
        return x / 0 if torch.bfloat16 in (value.dtype, torch.zeros(1).dtype) else x

    found = invariants(Sampler("typed", "1", run, lambda steps: 10.0, types=types))
    assert {name for name, each in found.items() if each.holds is False} == refuted
    assert ("stated types" in found) is (types is not None) and ("float32" in found) is (
        types is None
    )


@pytest.mark.parametrize(
    ("name", "stated", "noise"),
    [
        *(("DDIM", Expected(0.0), 0.0), ("DDIM", Expected(1.0), 0.0), ("DDIM", 1.0, 1.0)),
        *(
            ("ancestral", Expected(0.0), None),
            ("ancestral", Expected(1.0), 1.0),
            ("ancestral", 0.0, 0.0),
        ),
    ],
)
def test_whether_it_draws_is_measured_unless_it_is_stated(
    name: str, stated: float, noise: float | None
) -> None:
    assert measured(REFERENCES[name].sampler(name, noise=stated)).noise == noise


def of_diffusers(name: str) -> type:
    """Return a class of diffusers, which need not be there."""
    kind: type = getattr(pytest.importorskip("diffusers"), f"{name}Scheduler")
    return kind


def subclass(name: str, **methods: object) -> type:
    """Return a subclass of a scheduler, by a name that says nothing."""
    return type("Mine", (of_diffusers(name),), methods)


@pytest.mark.parametrize("name", ["DDPM", "EulerAncestralDiscrete", "DDPMParallel"])
def test_a_subclass_of_a_scheduler_that_holds_holds(name: str) -> None:
    assert conform(of_class(subclass(name), "Mine", "1", {})).verdict == "holds"


def test_a_subclass_is_stated_as_its_class_is_unless_it_overrides_it() -> None:
    pytest.importorskip("diffusers")
    for long in adapters.adapter("diffusers").names():
        name = long.removesuffix("Scheduler")
        assert family(subclass(name)) == family(of_diffusers(name)) == (name, True)
    assert family(subclass("DDIM", step=lambda self: None)) == ("DDIM", False)
    assert of_class(subclass("DDIM", step=lambda self: None), "Mine", "1", {}).order is None
