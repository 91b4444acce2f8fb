"""The loop: programs in order, faults that name themselves, what is counted, what is denoised."""

import math

import pytest
import torch
from torch import Tensor

from ams.laws import GaussianLaw
from ams.samplers import (
    NonFiniteState,
    Particles,
    PerSample,
    State,
    adaptive,
    affine,
    ancestral,
    annealed,
    denoise,
    denoised,
    flow_euler,
    flow_heun,
    langevin,
    last,
    leimkuhler_matthews,
    momentum,
    momentum_rule,
    one_step_per_level,
    predictor_corrector,
    run,
    sample,
)
from ams.samplers.noise_sources import NoiseExhausted, generated, replayed
from ams.schedules import VP, Level, annealed_levels, linked, process_levels
from ams.targets import Gaussian

LEVELS = annealed_levels([4.0, 2.0, 1.0], 0.1)
CLEAN_END = linked([Level(0, 2.0), Level(1, 1.0), Level(2, 0.0)])
ADAPTIVE = momentum(momentum_rule(adaptive()))


class Counted:
    """A Gaussian's score that counts its calls."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> None:
        self.target, self.calls = Gaussian(torch.zeros(shape, dtype=dtype), 1.0), 0

    def __call__(self, x: Tensor, level: Level) -> Tensor:
        self.calls += 1
        return self.target.score(x, level)


def test_programs_are_in_order() -> None:
    predictor, corrector = affine(ancestral), langevin()
    assert annealed(corrector, LEVELS, 2) == [(corrector, level) for level in LEVELS for _ in range(2)]
    kinds = predictor_corrector(predictor, corrector, LEVELS[:2], inner=2)
    assert kinds == [(s, level) for level in LEVELS[:2] for s in (corrector, corrector, predictor)]
    assert predictor_corrector(predictor, corrector, LEVELS) == [
        (s, level) for level in LEVELS for s in (corrector, predictor)
    ]
    assert one_step_per_level(predictor, LEVELS) == [(predictor, LEVELS[0]), (predictor, LEVELS[1])]


PROGRAMS = [
    ("langevin", annealed(langevin(), LEVELS, 5), 15),
    ("adaptive", annealed(ADAPTIVE, LEVELS, 5), 15),
    ("leimkuhler_matthews", annealed(leimkuhler_matthews, LEVELS, 5), 15),
    ("predictor-corrector", predictor_corrector(affine(ancestral), langevin(), LEVELS[:2], 3), 8),
    ("euler", one_step_per_level(affine(flow_euler), CLEAN_END), 2),
    ("heun", one_step_per_level(flow_heun, LEVELS), 4),
    ("heun to sigma 0", one_step_per_level(flow_heun, CLEAN_END), 3),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3,), (2, 4, 4)], ids=str)
@pytest.mark.parametrize(("name", "program", "evaluations"), PROGRAMS, ids=[name for name, *_ in PROGRAMS])
def test_evaluations_are_counted(
    name: str, program: list, evaluations: int, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    score, x = Counted(shape, dtype), torch.ones(6, *shape, dtype=dtype)
    state, info, counted = sample(program, x, score, torch.Generator().manual_seed(0))
    assert counted == score.calls == evaluations
    assert (state.x.shape, state.x.dtype) == (x.shape, dtype) and torch.isfinite(state.x).all()
    assert info.mean().shape == info.at.shape == x.shape and torch.equal(x, torch.ones_like(x))


def test_the_same_seed_gives_the_same_samples() -> None:
    x, program = torch.ones(4, 3), annealed(ADAPTIVE, LEVELS, 5)
    score = Counted((3,), torch.float32)
    one, same, other = (sample(program, x, score, torch.Generator().manual_seed(s))[0].x for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert not torch.equal(sample(program, x, score, torch.Generator().manual_seed(1), PerSample())[0].x, one)


def test_the_last_of_a_run() -> None:
    states = [(State(1), None), (State(2), None)]
    assert last(states) == states[1] and last(iter(states)) == states[1]
    with pytest.raises(ValueError, match="an empty program has no last state"):
        last([])
    with pytest.raises(ValueError, match="an empty program"):
        sample([], torch.ones(2, 3), Counted((3,)), torch.Generator())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_state_that_is_not_finite_names_step_level_and_norms(bad: float) -> None:
    calls = []

    def score(x: Tensor, level: Level) -> Tensor:
        calls.append(level)
        return -x * (bad if len(calls) == 5 else 1.0)

    noise = generated(torch.Generator().manual_seed(0))
    states = run(annealed(ADAPTIVE, LEVELS, 3), State(torch.ones(4, 2)), score, noise, Particles())
    with pytest.raises(NonFiniteState) as caught:
        list(states)
    message = str(caught.value)
    assert message.startswith("state not finite after step 4 (level 1, sigma 2): <x> = ") and "\n" not in message
    assert all(f"<{name}> = " in message for name in ("x before", "momentum", "score"))
    assert "Coefficients(beta=" in message and "try a smaller step" in message
    assert len(calls) == 5, "nothing runs on"


@pytest.mark.parametrize(("broken", "found"), [(4, 7), (7, 7), (8, 11), (12, 13)])
def test_a_run_that_is_looked_at_less_often_ends_later(broken: int, found: int) -> None:
    """Looks after steps 3, 7, 11, and after the last, 13."""
    calls = []

    def score(x: Tensor, level: Level) -> Tensor:
        calls.append(level)
        return -x * (math.nan if len(calls) == broken + 1 else 1.0)

    noise = generated(torch.Generator().manual_seed(0))
    program = annealed(langevin(), annealed_levels([2.0, 1.0], 0.1), 7)
    states = run(program, State(torch.ones(4, 2)), score, noise, Particles(), watch=4)
    steps = 2 if found == 13 else 4
    with pytest.raises(NonFiniteState, match=rf"step {found} \(level 1, .*\) or up to {steps - 1} before, which run"):
        list(states)
    assert len(calls) == found + 1


def test_sample_looks_at_its_last_state() -> None:
    with pytest.raises(NonFiniteState, match=r"step 2 .* or up to 2 before"):
        sample(annealed(langevin(), LEVELS, 1), torch.ones(2, 2), lambda x, level: x / 0.0, torch.Generator())


def test_a_step_without_momentum_names_what_it_has() -> None:
    with pytest.raises(NonFiniteState, match=r"<x> = (nan|inf), <x before> = \d.*; None; try") as caught:
        noise = generated(torch.Generator())
        program = one_step_per_level(affine(ancestral), LEVELS)
        list(run(program, State(torch.ones(2, 2)), lambda x, level: x / 0.0, noise, Particles()))
    assert "momentum" not in str(caught.value)


def test_recorded_noise_that_ends_too_early() -> None:
    program = annealed(langevin(), LEVELS, 1)
    with pytest.raises(NoiseExhausted, match="ended before"):
        list(run(program, State(torch.ones(2, 3)), Counted((3,), torch.float32), replayed([]), Particles()))


def test_denoising_is_the_posterior_mean() -> None:
    """For `x_0 ~ N(m, v)`: `E[x_0 | x_t] = (r v x_t + sigma^2 m) / (r^2 v + sigma^2)`."""
    target, x = Gaussian([0.5, -1.0], 0.3), torch.randn(4, 2, dtype=torch.float64)
    for level in (Level(0, 0.7), Level(0, 0.7, scale=0.4), *process_levels(VP(), 3, 0.01)[1:]):
        r, v = level.scale, level.sigma**2
        exact = (r * 0.3 * x + v * target.mean) / (r**2 * 0.3 + v)
        torch.testing.assert_close(denoise(x, level, target.score, Particles()), exact, rtol=1e-10, atol=1e-12)


def test_denoised_is_taken_at_the_last_evaluation() -> None:
    """It discards the last move and costs no evaluation: what `denoise` gives at `info.at`."""
    score, x = Counted((3,)), torch.randn(5, 3, dtype=torch.float64)
    algebra, noise = Particles(), generated(torch.Generator().manual_seed(0))
    state, info = last(run(annealed(ADAPTIVE, LEVELS, 4), State(x), score, noise, algebra))
    calls = score.calls
    found = denoised(info, state, LEVELS[-1], algebra)
    assert score.calls == calls == 12
    torch.testing.assert_close(found, denoise(info.at, LEVELS[-1], score, algebra), rtol=1e-13, atol=1e-14)
    assert not torch.allclose(found, denoise(state.x, LEVELS[-1], score, algebra), rtol=1e-3)


def test_a_sampler_without_a_score_is_not_denoised_so() -> None:
    state, info, _ = sample(
        annealed(langevin(), LEVELS, 1), torch.ones(2, 3), Counted((3,), torch.float32), torch.Generator()
    )
    with pytest.raises(ValueError, match="keeps no score"):
        denoised(info, state, LEVELS[-1], Particles())


def test_the_law_runs_in_the_same_loop() -> None:
    law, seen = GaussianLaw([1.0]), []
    for state, info in law.run(annealed(ADAPTIVE, LEVELS, 2), law.start(0.0, 17.0)):
        seen.append((law.moments(state.x).variance.item(), info.coefficients.step))
    assert [step for _, step in seen] == pytest.approx([1.6, 1.6, 0.4, 0.4, 0.1, 0.1])
    assert all(0 < variance < 30 for variance, _ in seen)
