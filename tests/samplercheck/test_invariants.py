"""Each invariant, with a sampler that breaks it and no other."""

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck import Draws, Network
from samplercheck.answered_draws import Unanswered
from samplercheck.invariants import invariants
from tests.samplercheck.references import REFERENCES, Reference, karras, preserving

CLEAN = REFERENCES["DDIM, eta 0.6"]


def after(change: Callable[[Tensor], Tensor]) -> Reference:
    """Return DDIM with a change of its end."""

    def run(network, x, levels, draws: Draws) -> Tensor:  # type: ignore[no-untyped-def]
        return change(CLEAN.run(network, x, levels, draws))

    return CLEAN._replace(run=run)


def narrow(cast: Callable[[Tensor], Tensor]) -> Reference:
    """Return DDIM whose network is called with what `cast` makes narrow, in its own type."""

    def run(network: Network, x: Tensor, levels, draws: Draws) -> Tensor:  # type: ignore[no-untyped-def]
        return CLEAN.run(lambda predict, x, level: network(predict, cast(x).to(x.dtype), level), x, levels, draws)

    return CLEAN._replace(run=run)


def drawn(noise: Callable[[Tensor, int], Tensor]) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return the ancestral sampler with `noise(x, steps)`, all of it drawn before the first step."""

    def run(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        for z, (level, after) in zip(noise(x, len(levels) - 1), pairwise(levels), strict=True):
            x0 = network("x0", x, level)
            kept = after.scale / level.scale * (after.sigma / after.scale / (level.sigma / level.scale)) ** 2
            spread = (after.sigma**2 - (kept * level.sigma) ** 2) ** 0.5
            x = after.scale * x0 + kept * (x - level.scale * x0) + spread * z
        return x

    return run


BROKEN: dict[str, tuple[Reference, set[str]]] = {
    "nothing": (CLEAN, set()),
    "its end is not finite": (
        after(lambda x: x / 0.0 * 0.0),
        {"finite", "deterministic", "rows independent", "rotation", "scaling", "float32", "bfloat16"},
    ),
    "noise where none is stated": (CLEAN._replace(noise=0.0), {"noise"}),
    "no noise where some is stated": (REFERENCES["DDIM"]._replace(noise=1.0), {"noise"}),
    "noise drawn before the first step": (CLEAN._replace(run=drawn(lambda x, n: torch.randn(n, *x.shape))), set()),
    "a generator a sample": (
        CLEAN._replace(run=drawn(lambda x, n: torch.stack([torch.randn(n, *x.shape[1:]) for _ in x], dim=1))),
        set(),
    ),
    "a start that is changed in place": (
        CLEAN._replace(run=lambda network, x, levels, draws: CLEAN.run(network, x.mul_(1.0).add_(0.1), levels, draws)),
        {"rotation", "scaling"},
    ),
    "a batch mean": (after(lambda x: x - 0.1 * x.mean(0)), {"rows independent"}),
    "a clamp": (after(lambda x: x.clamp(-0.5, 0.5)), {"rotation", "scaling"}),
    "a norm": (after(lambda x: x / x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)), {"scaling"}),
    "its count of evaluations": (CLEAN._replace(evaluations=lambda steps: steps + 1), {"evaluations"}),
    "float16": (narrow(torch.Tensor.half), set()),
    "float16 by name": (narrow(lambda x: x.type("torch.HalfTensor")), set()),
    "NumPy's float16": (narrow(lambda x: torch.from_numpy(x.float().numpy().astype(np.float16))), set()),
    "a number of Python's own generator": (
        after(lambda x: x + random.random()),
        {"deterministic", "rows independent", "rotation", "scaling", "float32"},
    ),
    "an end of three digits": (after(lambda x: x if x.dtype is torch.float64 else x + 2e-3), {"float32"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_break_is_seen_and_nothing_else(name: str) -> None:
    reference, expected = BROKEN[name]
    found = invariants(reference.sampler(name))
    assert {check for check, finding in found.items() if finding.holds is False} == expected
    assert all(finding.why for finding in found.values())


def test_what_the_kit_does_not_answer_is_told_from_noise() -> None:
    def counting(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        runs.append(1.0)
        return still.run(network, x, levels, draws) + 0.1 * len(runs)

    runs, still = list[float](), REFERENCES["DDIM"]
    told = {
        "the code draws noise": CLEAN._replace(noise=0.0),
        "clear what it keeps from run to run": still._replace(run=counting),
        "no draw that the kit answers": still._replace(noise=1.0),
        "no draw moves the end": still._replace(
            run=lambda network, x, *given: still.run(network, x + 0 * torch.randn_like(x), *given), noise=1.0
        ),
    }
    for words, reference in told.items():
        found = invariants(reference.sampler(words))["noise"]
        assert found.holds is False and words in found.why


@pytest.mark.parametrize("generator", [np.random, np.random.default_rng(0)], ids=["global", "its own"])
def test_draws_that_the_kit_does_not_answer_are_told_and_not_judged(generator) -> None:  # type: ignore[no-untyped-def]
    drawn = after(lambda x: x + torch.from_numpy(generator.standard_normal(x.shape)).to(x))
    with pytest.raises(Unanswered, match=r"the kit does not answer, as NumPy's or jax\.random's"):
        invariants(drawn.sampler("NumPy's draws"))


def test_rising_noise_is_noted_and_not_judged() -> None:
    rises = invariants(REFERENCES["EDM"].sampler("EDM"))["levels fall"]
    assert rises.holds is None and rises.value > 0
    assert invariants(REFERENCES["Heun"].sampler("Heun"))["levels fall"].holds


@pytest.mark.parametrize("call", [lambda x: torch.linalg.inv(torch.eye(2, dtype=x.dtype)), lambda x: x.numpy()])
def test_a_type_that_an_operation_lacks_is_noted(call: Callable[[Tensor], object]) -> None:
    def run(network: Network, x: Tensor, levels, draws: Draws) -> Tensor:  # type: ignore[no-untyped-def]
        call(x)
        return CLEAN.run(network, x, levels, draws)

    found = invariants(Reference(run, preserving, 1, 0.6).sampler("no bfloat16"))["bfloat16"]
    assert found.holds is None and "it raises" in found.why


def test_a_brownian_path_is_rotated_and_split_with_its_samples() -> None:
    found = invariants(Reference(REFERENCES["SDE midpoint"].run, karras, 2, 1.0, lambda n: 2 * n - 1).sampler("path"))
    assert all(finding.holds is not False for finding in found.values())
