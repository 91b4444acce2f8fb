"""What holds of every sampler: each invariant with a sampler that breaks it and no other.

Samples that share a norm, a step size or a call with others are noted and judged, never refuted for
it. Where the data have no variance, clean methods leave nothing.
"""

import math
import random
from collections.abc import Callable
from itertools import count, pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.answered_draws import Unanswered
from samplercheck.convergence import ratio
from samplercheck.dead_directions import dead_direction
from samplercheck.invariants import invariants
from samplercheck.report import REFUTED
from tests.samplercheck.references import REFERENCES, Mesh, Reference, geometric, karras

CLEAN = REFERENCES["DDIM, eta 0.6"]


def narrow(cast: Callable[[Tensor], Tensor]) -> Reference:
    """Return DDIM whose network is called with what `cast` makes narrow, in its own type."""
    return CLEAN.through(
        lambda network, predict, x, level: network(predict, cast(x).to(x.dtype), level)
    )


def drawn(
    noise: Callable[[Tensor, int], Tensor],
) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return the ancestral sampler with `noise(x, steps)`, all of it drawn before the first
    step.
    """

    def run(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        for z, (level, after) in zip(noise(x, len(levels) - 1), pairwise(levels), strict=True):
            x0 = network("x0", x, level)
            kept = (
                after.scale
                / level.scale
                * (after.sigma / after.scale / (level.sigma / level.scale)) ** 2
            )
            spread = (after.sigma**2 - (kept * level.sigma) ** 2) ** 0.5
            x = after.scale * x0 + kept * (x - level.scale * x0) + spread * z
        return x

    return run


def odd_is_lost(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Return the clean end, divided by 0 after an odd number of steps."""
    return CLEAN.run(network, x, levels, draws) / (len(levels) % 2)


def odd_is_refused(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Return the clean end of an even number of steps alone."""
    if len(levels) % 2 == 0:
        raise ValueError("an odd number of steps")
    return CLEAN.run(network, x, levels, draws)


BROKEN: dict[str, tuple[Reference, set[str]]] = {
    "nothing": (CLEAN, set()),
    "its end is not finite": (
        CLEAN.ended(lambda x: x / 0.0 * 0.0),
        {
            "finite",
            "deterministic",
            "rows independent",
            "rotation",
            "scaling",
            "float32",
            "bfloat16",
        },
    ),
    "noise where none is stated": (CLEAN._replace(noise=0.0), {"noise"}),
    "no noise where some is stated": (REFERENCES["DDIM"]._replace(noise=1.0), {"noise"}),
    "noise drawn before the first step": (
        CLEAN._replace(run=drawn(lambda x, n: torch.randn(n, *x.shape))),
        set(),
    ),
    "a generator a sample": (
        CLEAN._replace(
            run=drawn(lambda x, n: torch.stack([torch.randn(n, *x.shape[1:]) for _ in x], dim=1))
        ),
        set(),
    ),
    "a start that is changed in place": (
        CLEAN._replace(
            run=lambda network, x, levels, draws: CLEAN.run(
                network, x.mul_(1.0).add_(0.1), levels, draws
            )
        ),
        {"rotation", "scaling"},
    ),
    "a batch mean": (CLEAN.ended(lambda x: x - 0.1 * x.mean(0)), {"rows independent"}),
    "a clamp": (CLEAN.ended(lambda x: x.clamp(-0.5, 0.5)), {"rotation", "scaling"}),
    "a norm": (
        CLEAN.ended(lambda x: x / x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)),
        {"scaling"},
    ),
    "its count of evaluations": (
        CLEAN._replace(evaluations=lambda steps: steps + 1),
        {"evaluations"},
    ),
    "its count in an odd number of steps": (
        CLEAN._replace(evaluations=lambda steps: steps + steps % 2),
        {"evaluations"},
    ),
    "its end in an odd number of steps": (CLEAN._replace(run=odd_is_lost), {"finite"}),
    "an odd number of steps refused": (CLEAN._replace(run=odd_is_refused), set()),
    "float16": (narrow(torch.Tensor.half), set()),
    "float16 by name": (narrow(lambda x: x.type("torch.HalfTensor")), set()),
    "NumPy's float16": (
        narrow(lambda x: torch.from_numpy(x.float().numpy().astype(np.float16))),
        set(),
    ),
    "a number of Python's own generator": (
        CLEAN.ended(lambda x: x + random.random()),
        {"deterministic", "rows independent", "rotation", "scaling", "float32"},
    ),
    "an end of three digits": (
        CLEAN.ended(lambda x: x if x.dtype is torch.float64 else x + 2e-3),
        {"float32"},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_break_is_seen_and_nothing_else(name: str) -> None:
    reference, expected = BROKEN[name]
    found = invariants(reference.sampler(name))
    assert {check for check, finding in found.items() if finding.holds is False} == expected
    assert all(finding.why for finding in found.values())


def midpoint(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Return the end of the midpoint method in sigma on the logarithm's mesh, whose first step
    is a thousandfold.
    """
    for a, b in pairwise([level.sigma for level in levels]):
        middle = math.sqrt(a * b)
        y = x + (middle - a) * network("eps", x, noise_level(1.0, a))
        x = x + (b - a) * network("eps", y, noise_level(1.0, middle) if b else noise_level(1.0, a))
    return x


@pytest.mark.parametrize(("lost", "holds"), [(1.0, None), (1.01, False)])
def test_steps_that_amplify_rounding_are_noted_and_lost_digits_are_refuted(
    lost: float, holds: bool | None
) -> None:
    def mesh(steps: int) -> list[Level]:
        return [
            Level(0, sigma=2e4),
            *(Level(k, sigma=sigma) for k, sigma in enumerate(np.geomspace(20, 0.01, steps))),
        ]

    broken = CLEAN._replace(run=midpoint).ended(
        lambda x: x if x.dtype is torch.float64 else lost * x
    )
    found = invariants(broken.sampler("midpoint", mesh))["float32"]
    assert found.holds is holds and found.value > found.allowed, found


def ratios(mesh: Mesh) -> Callable[[int], list[float]]:
    return lambda steps: [ratio(level) for level in mesh(steps)]


@pytest.mark.parametrize(
    "name", [name for name, each in REFERENCES.items() if each.evaluations(9) == 9]
)
def test_a_right_sampler_is_at_its_stated_levels(name: str) -> None:
    """The end of a reverse SDE's step is not: on data at one point it is not exact, and so not
    compared.
    """
    found = invariants(REFERENCES[name].sampler(name, levels=ratios(REFERENCES[name].mesh)))[
        "levels"
    ]
    assert found.holds and found.value < 1e-9


@pytest.mark.parametrize(
    ("run", "where"),
    [
        (
            lambda net, x, levels, draws: CLEAN.run(
                net, x, [levels[0], *levels[:-2], levels[-1]], draws
            ),
            "call 20: ",
        ),
        (
            lambda net, x, levels, draws: CLEAN.run(net, x, levels[:-1], draws),
            "20 calls in 21 steps, noise levels of 21",
        ),
        (
            lambda net, x, levels, draws: (
                CLEAN.run(net, x, levels, draws) + 0.01 * torch.randn_like(x)
            ),
            "end: ",
        ),
        (
            lambda net, x, levels, draws: CLEAN.run(net, x, [*levels[:-1], levels[-2]], draws),
            "end: ",
        ),
    ],
    ids=["one late", "one less", "noise at the end", "no last step"],
)
def test_what_is_off_its_stated_levels_is_refuted_where_it_is(
    run: Callable[..., Tensor], where: str
) -> None:
    found = invariants(CLEAN._replace(run=run).sampler("x", levels=ratios(CLEAN.mesh)))["levels"]
    assert found.holds is False and where in found.why
    unknown = invariants(
        CLEAN._replace(run=run).sampler(
            "x", levels=lambda n: [*ratios(CLEAN.mesh)(n)[:-1], math.nan]
        )
    )
    assert unknown["levels"].holds is ("end" in where)


@pytest.mark.parametrize(("fewest", "holds"), [(None, True), (2, True), (1, False)])
def test_the_fewest_steps_that_are_stated_are_asked(fewest: int | None, holds: bool) -> None:
    """Of times that are divided by one less than their number, as EDM's are."""

    def spaced(steps: int) -> list[Level]:
        sigmas = 10.0 ** (1 - 2 * torch.arange(steps, dtype=torch.float64) / (steps - 1))
        return [Level(k, sigma=sigma) for k, sigma in enumerate([*sigmas.tolist(), 0.0])]

    found = invariants(CLEAN.sampler("spaced", spaced, fewest=fewest))["finite"]
    assert found.holds is holds and ("in 1 steps: 8" in found.why) is not holds


def test_what_the_kit_does_not_answer_is_told_from_noise() -> None:
    runs, still = count(1), REFERENCES["DDIM"]
    told = {
        "the code draws noise": CLEAN._replace(noise=0.0),
        "clear what it keeps from run to run": still.ended(lambda x: x + 0.1 * next(runs)),
        "no draw that the kit answers": still._replace(noise=1.0),
        "no draw moves the end": still.ended(lambda x: x + 0 * torch.randn_like(x))._replace(
            noise=1.0
        ),
    }
    for words, reference in told.items():
        found = invariants(reference.sampler(words))["noise"]
        assert found.holds is False and words in found.why


@pytest.mark.parametrize(
    "generator", [np.random, np.random.default_rng(0)], ids=["global", "its own"]
)
def test_draws_that_the_kit_does_not_answer_are_told_and_not_judged(generator) -> None:  # type: ignore[no-untyped-def]
    drawn = CLEAN.ended(lambda x: x + torch.from_numpy(generator.standard_normal(x.shape)).to(x))
    with pytest.raises(Unanswered, match=r"the kit does not answer, as NumPy's or jax\.random's"):
        invariants(drawn.sampler("NumPy's draws"))


def test_rising_noise_is_noted_and_not_judged() -> None:
    rises = invariants(REFERENCES["EDM"].sampler("EDM"))["levels fall"]
    assert rises.holds is None and rises.value > 0
    assert invariants(REFERENCES["Heun"].sampler("Heun"))["levels fall"].holds


@pytest.mark.parametrize(
    "call", [lambda x: torch.linalg.inv(torch.eye(2, dtype=x.dtype)), lambda x: x.numpy()]
)
def test_a_type_that_an_operation_lacks_is_noted(call: Callable[[Tensor], object]) -> None:
    def lacking(x: Tensor) -> Tensor:
        call(x)
        return x

    found = invariants(CLEAN.ended(lacking).sampler("no bfloat16"))["bfloat16"]
    assert found.holds is None and "it raises" in found.why


def test_a_brownian_path_is_rotated_and_split_with_its_samples() -> None:
    found = invariants(
        Reference(REFERENCES["SDE midpoint"].run, karras, 2, 1.0, lambda n: 2 * n - 1).sampler(
            "path"
        )
    )
    assert all(finding.holds is not False for finding in found.values())


def langevin(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Reverse diffusion with a Langevin step at each noise level, its size from norms averaged
    over the batch.
    """
    for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
        score, z = network("score", x, noise_level(1.0, a)), torch.randn_like(x)
        size = (
            2 * (0.16 * z.flatten(1).norm(dim=1).mean() / score.flatten(1).norm(dim=1).mean()) ** 2
        )
        x = x + size * score + (2 * size).sqrt() * z
        moved = x + (a**2 - b**2) * network("score", x, noise_level(1.0, a))
        x = moved + math.sqrt(a**2 - b**2) * torch.randn_like(x) if b else moved
    return x


def adaptive(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
    """Heun and Euler's pair in the logarithm of sigma, with one step size for the batch."""

    def slope(s: float, x: Tensor) -> Tensor:
        return -math.exp(-s) * network("eps", x, noise_level(1.0, math.exp(-s)))

    s, end = -math.log(10.0), -math.log(0.02)
    h = (end - s) / steps
    while s < end - 1e-9:
        h = min(h, end - s)
        first = slope(s, x)
        error = h / 2 * (slope(s + h, x + h * first) - first)
        size = float((error / (1e-3 + 1e-2 * x.abs())).square().mean().sqrt())
        s, x = (s + h, x + h * first + error) if size <= 1 else (s, x)
        h *= min(5.0, max(0.2, 0.9 * size**-0.5))
    return x


def guided(network: Network, x: Tensor, steps: int, draws: Draws, mean: float = 0.0) -> Tensor:
    """Euler's method with guidance of weight 3, whose two predictions come from one call; less
    `mean` of the batch.
    """
    for a, b in pairwise([level.sigma for level in geometric(steps, 10.0)]):
        given, free = network(
            "eps", torch.cat([x, x]), noise_level(1.0, torch.full((2 * len(x),), a))
        ).chunk(2)
        x = x + (b - a) * (free + 3 * (given - free)) - mean * free.mean(0)
    return x


@pytest.mark.parametrize(
    ("run", "noise", "verdict", "words"),
    [
        (langevin, None, "inconclusive", "share norms or a step size, and nothing else"),
        (adaptive, 0.0, "inconclusive", "share norms or a step size, and nothing else"),
        (guided, 0.0, "holds", "calls join 2 copies of all, answered alike"),
        (
            lambda *given: guided(*given, mean=0.01),
            0.0,
            "refuted",
            "a sample alone, against the same in a batch",
        ),
    ],
    ids=["norms", "step size", "one call", "means"],
)
def test_what_samples_share_is_noted_unless_they_are_mixed(run, noise, verdict, words) -> None:  # type: ignore[no-untyped-def]
    """An order of a step size that follows the error is inconclusive: the number of steps does
    not set it.
    """
    report = conform(
        Sampler("shares", "0", run, lambda steps: 10.0, 1 if run is guided else 2, noise)
    )
    rows = next(each for each in report.judgements if each.check == "rows independent")
    assert report.verdict == verdict, report.text()
    assert (
        rows.verdict == {"holds": "holds", "refuted": "refuted"}.get(verdict, "noted")
        and words in rows.why
    )


@pytest.mark.parametrize("name", REFERENCES)
def test_a_clean_method_leaves_nothing_but_its_last_noise_level(name: str) -> None:
    """The reverse SDE's Euler method returns its state at the last level, 0.02."""
    left = dead_direction(REFERENCES[name].sampler(name)).left.values()
    assert max(left) <= (0.02 + 1e-9 if name == "reverse SDE" else 1e-13)


def with_noise(name: str, size: float) -> Sampler:
    """Return a reference that draws noise of this size at its end."""
    return (
        REFERENCES[name]
        .ended(lambda x: x + size * torch.randn_like(x))
        .sampler(f"{name} and noise")
    )


STOPS = REFERENCES["reverse SDE"].sampler("stops at 0.06", lambda steps: karras(steps, final=0.06))
NOISY = [with_noise("ancestral", 0.07), with_noise("Euler-Maruyama", 0.06)]


@pytest.mark.parametrize("sampler", [STOPS, *NOISY], ids=lambda sampler: sampler.name)
def test_noise_that_other_directions_hide_is_refuted_here_alone(sampler: Sampler) -> None:
    """Or as an outlier too, where the end has more noise than the level that the network was
    last told.
    """
    refuted = {each.check for each in conform(sampler).judgements if each.verdict == REFUTED}
    assert refuted - {"outliers"} == {"dead direction"}
