"""The loop and its noise: programs in order, counted evaluations, states that are not finite,
denoising, draws.
"""

import math

import pytest
import torch
from torch import Tensor

from ams import samplers as sm
from ams.samplers import NonFiniteState, Particles, PerSample, State
from ams.samplers.noise_sources import (
    NoiseExhausted,
    generated,
    generated_per_sample,
    replayed,
    seeded_per_sample,
)
from ams.schedules import VP, Level, annealed_levels, linked, process_levels
from ams.targets import Gaussian
from tests.ams.tools import assert_equal, trajectory

LEVELS = annealed_levels([4.0, 2.0, 1.0], 0.1)
CLEAN_END = linked([Level(0, 2.0), Level(1, 1.0), Level(2, 0.0)])
ADAPTIVE = sm.momentum(sm.momentum_rule(sm.adaptive()))


class CountedScore:
    """A Gaussian's score that counts its calls; from call number `broken` on it is multiplied by
    `bad`.
    """

    def __init__(
        self, dtype: torch.dtype = torch.float64, broken: float = math.inf, bad: float = math.nan
    ) -> None:
        self.calls, self.dtype, self.broken, self.bad = 0, dtype, broken, bad

    def __call__(self, x: Tensor, level: Level) -> Tensor:
        self.calls += 1
        target = Gaussian(torch.zeros(x.shape[1:], dtype=self.dtype), 1.0)
        return target.score(x, level) * (self.bad if self.calls == self.broken else 1.0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_programs_are_in_order() -> None:
    predictor, corrector = sm.affine(sm.ancestral), sm.langevin()
    assert sm.annealed(corrector, LEVELS, 2) == [
        (corrector, level) for level in LEVELS for _ in range(2)
    ]
    for inner in (1, 2):
        wanted = [
            (step, level) for level in LEVELS[:2] for step in (*[corrector] * inner, predictor)
        ]
        assert sm.predictor_corrector(predictor, corrector, LEVELS[:2], inner) == wanted
    assert sm.one_step_per_level(predictor, LEVELS) == [
        (predictor, LEVELS[0]),
        (predictor, LEVELS[1]),
    ]


PROGRAMS = {
    "adaptive": (sm.annealed(ADAPTIVE, LEVELS, 5), 15),
    "predictor-corrector": (
        sm.predictor_corrector(sm.affine(sm.ancestral), sm.langevin(), LEVELS[:2], 3),
        8,
    ),
    "heun to sigma 0": (sm.one_step_per_level(sm.flow_heun, CLEAN_END), 3),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)], ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_evaluations_are_counted(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    (program, evaluations), score, x = (
        PROGRAMS[name],
        CountedScore(dtype),
        torch.ones(6, *shape, dtype=dtype),
    )
    state, info, counted = sm.sample(program, x, score, seeded())
    assert counted == score.calls == evaluations
    assert (state.x.shape, state.x.dtype) == (x.shape, dtype) and torch.isfinite(state.x).all()
    assert info.mean().shape == info.at.shape == x.shape and torch.equal(x, torch.ones_like(x))


def test_the_same_seed_gives_the_same_samples() -> None:
    x, program, score = torch.ones(4, 3).double(), sm.annealed(ADAPTIVE, LEVELS, 5), CountedScore()
    one, same, other = (sm.sample(program, x, score, seeded(s))[0].x for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert not torch.equal(sm.sample(program, x, score, seeded(1), PerSample())[0].x, one)


def test_the_last_of_a_run() -> None:
    states = [(State(1), None), (State(2), None)]
    assert sm.last(states) == states[1] and sm.last(iter(states)) == states[1]
    with pytest.raises(ValueError, match="an empty program has no last state"):
        sm.last([])
    with pytest.raises(ValueError, match="an empty program"):
        sm.sample([], torch.ones(2, 3), CountedScore(), torch.Generator())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_state_that_is_not_finite_has_step_level_and_norms_in_its_message(bad: float) -> None:
    score = CountedScore(broken=5, bad=bad)
    states = sm.run(
        sm.annealed(ADAPTIVE, LEVELS, 3),
        State(torch.ones(4, 2).double()),
        score,
        generated(seeded()),
        Particles(),
    )
    with pytest.raises(NonFiniteState) as caught:
        list(states)
    message = str(caught.value)
    assert (
        message.startswith("state not finite after step 4 (noise level 1, sigma 2): <x> = ")
        and "\n" not in message
    )
    assert all(f"<{name}> = " in message for name in ("x before", "momentum", "score"))
    assert "Coefficients(beta=" in message and "try a smaller step" in message
    assert score.calls == 5, "nothing runs on"


@pytest.mark.parametrize(("broken", "found"), [(4, 7), (7, 7), (8, 11), (12, 13)])
def test_a_run_that_is_checked_less_often_ends_later(broken: int, found: int) -> None:
    """Checks after steps 3, 7, 11, and after the last step, 13."""
    score = CountedScore(broken=broken + 1)
    program = sm.annealed(sm.langevin(), annealed_levels([2.0, 1.0], 0.1), 7)
    states = sm.run(
        program, State(torch.ones(4, 2).double()), score, generated(seeded()), Particles(), watch=4
    )
    steps = 2 if found == 13 else 4
    with pytest.raises(
        NonFiniteState,
        match=rf"step {found} \(noise level 1, .*\) or up to {steps - 1} steps earlier",
    ):
        list(states)
    assert score.calls == found + 1


def test_a_message_has_only_the_vectors_of_the_state() -> None:
    program = sm.one_step_per_level(sm.affine(sm.ancestral), LEVELS)
    with pytest.raises(
        NonFiniteState, match=r"<x> = (nan|inf), <x before> = \d.*; None; try"
    ) as caught:
        trajectory(program, torch.ones(2, 2), lambda x, level: x / 0.0, torch.zeros(3, 2, 2))
    assert "momentum" not in str(caught.value)


def test_denoising_is_the_posterior_mean() -> None:
    """For `x_0 ~ N(m, v)`: `E[x_0 | x_t] = (r v x_t + sigma^2 m) / (r^2 v + sigma^2)`."""
    target, x = Gaussian([0.5, -1.0], 0.3), torch.randn(4, 2, dtype=torch.float64)
    for level in (Level(0, 0.7), Level(0, 0.7, scale=0.4), *process_levels(VP(), 3, 0.01)[1:]):
        r, v = level.scale, level.sigma**2
        exact = (r * 0.3 * x + v * target.mean) / (r**2 * 0.3 + v)
        assert_equal(sm.denoise(x, level, target.score, Particles()), exact, 1e-10)


def test_denoised_is_taken_at_the_last_evaluation() -> None:
    """It discards the last step and costs no evaluation: what `denoise` gives at `info.at`."""
    score, x, algebra = CountedScore(), torch.randn(5, 3, dtype=torch.float64), Particles()
    state, info = sm.last(
        sm.run(sm.annealed(ADAPTIVE, LEVELS, 4), State(x), score, generated(seeded()), algebra)
    )
    point = sm.denoised(info, state, LEVELS[-1], algebra)
    assert score.calls == 12
    assert_equal(point, sm.denoise(info.at, LEVELS[-1], score, algebra))
    assert not torch.allclose(point, sm.denoise(state.x, LEVELS[-1], score, algebra), rtol=1e-3)


def test_a_state_without_a_score_is_not_denoised_so() -> None:
    program = sm.annealed(sm.langevin(), LEVELS, 1)
    state, info, _ = sm.sample(program, torch.ones(2, 3).double(), CountedScore(), seeded())
    with pytest.raises(ValueError, match="state has no score"):
        sm.denoised(info, state, LEVELS[-1], Particles())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_generated_draws_are_the_generators(dtype: torch.dtype) -> None:
    x = torch.zeros(3, 2, 4, dtype=dtype)
    noise, same = generated(torch.Generator().manual_seed(1)), torch.Generator().manual_seed(1)
    for _ in range(3):
        assert torch.equal(noise(x), torch.empty_like(x).normal_(generator=same))


def test_streams_are_fixed_by_seed_and_number() -> None:
    """Seed and number are not added up: (3, 1) and (4, 0) are different streams."""
    first = {
        (seed, i): torch.randn(4, generator=generator).tolist()
        for seed in range(10)
        for i, generator in enumerate(seeded_per_sample(seed, 0, 10))
    }
    assert len({tuple(draw) for draw in first.values()}) == 100
    (again,) = seeded_per_sample(5, 7, 1)
    assert torch.randn(4, generator=again).tolist() == first[5, 7]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_there_is_one_generator_for_each_sample(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} generators for a batch of 3: one a sample"):
        generated_per_sample(seeded_per_sample(1, 0, count))(torch.zeros(3, 2))


def test_replayed_draws_come_in_order_end_and_must_fit() -> None:
    draws, x = torch.randn(2, 3, 4), torch.zeros(3, 4)
    noise = replayed(draws)
    assert torch.equal(noise(x), draws[0]) and torch.equal(noise(x), draws[1])
    with pytest.raises(NoiseExhausted, match="the recorded noise ended before the run did"):
        noise(x)
    noise = replayed([torch.zeros(3, 4), torch.zeros(4, 3)])
    noise(x)
    with pytest.raises(
        NoiseExhausted, match=r"recorded draw 1 has shape \(4, 3\), the state \(3, 4\)"
    ):
        noise(x)
