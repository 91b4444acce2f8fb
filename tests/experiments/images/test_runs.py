"""Runs that are broken off and go on, and batches that are split: the same samples, to the bit where none differs."""

import pickle

import pytest
import torch
from torch import Tensor

from ams.samplers import Program, State, last, run as loop
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from ams.samplers.presets import AUTHORS, COMPARED, SPECS, SamplerSpec
from experiments.images.digits import study as digits
from experiments.images.learned.quality import LEARNED, problem
from experiments.images.runs import Problem, generator, run, started

BUDGET, SIZE = 40, 6
PER_SAMPLE = ("adaptive momentum, per sample", "PC, adaptive, per sample")


@pytest.fixture(scope="module")
def learned() -> Problem:
    """Return the suite's own network, in float32."""
    return problem(LEARNED, 0.05)


@pytest.mark.parametrize("name", COMPARED)
def test_a_run_broken_off_between_steps_goes_on_to_the_same_bits(learned: Problem, name: str) -> None:
    """State and generator are all that a run is: written away half-way, read again, with a program made anew."""
    spec, draws = SPECS[name], generator(3, 1)

    def end(program: Program, state: State, draws: torch.Generator) -> State:
        algebra = spec.coupling()
        return last(loop(program, state, learned.score, generated(draws, algebra.empty_like), algebra))[0]

    program = list(spec.build(learned.sigmas, BUDGET, AUTHORS))
    half = len(program) // 2
    middle = end(program[:half], State(started(learned, SIZE, draws)), draws)
    state, stream = pickle.loads(pickle.dumps((middle, draws.get_state())))
    draws = torch.Generator()
    draws.set_state(stream)
    resumed = end(list(spec.build(learned.sigmas, BUDGET, AUTHORS))[half:], state, draws).x
    assert torch.equal(resumed, run(learned, spec, BUDGET, AUTHORS, SIZE, generator(3, 1)).x)


@pytest.fixture(scope="module")
def exact() -> Problem:
    """Return the digits with their exact score."""
    return digits.target().problem(0.05)


def test_a_batch_depends_on_its_own_number_alone() -> None:
    """Whatever ran before, and in whatever order."""
    setup = digits.Settings(batch=8, seed=8).setup
    asked = [
        (name, budget, n) for name in ("adaptive momentum", "EDM stochastic") for budget in (10, 20) for n in (1, 2)
    ]
    forwards = {each: digits.sampler_batch.wrapped(*each, setup) for each in asked}
    assert {each: digits.sampler_batch.wrapped(*each, setup) for each in reversed(asked)} == forwards
    assert len(set(forwards.values())) == len(asked)


def _split(problem: Problem, spec: SamplerSpec, sizes: list[int]) -> Tensor:
    """Return the samples of batches of these sizes, each sample with a stream of its own."""
    parts, first = [], 0
    for size in sizes:
        draws = generated_per_sample(seeded_per_sample(7, first, size))
        x = problem.sigmas.first * draws(torch.empty(size, *problem.shape))
        program = spec.build(problem.sigmas, BUDGET, AUTHORS)
        parts.append(last(loop(program, State(x), problem.score, draws, spec.coupling()))[0].x.clone())
        first += size
    return torch.cat(parts)


SPLITS = [("learned", sizes) for sizes in ([1] * 12, [11, 1], [5, 7], [2, 3, 7])] + [("exact", [1, 4, 7])]


@pytest.mark.parametrize(("problem", "sizes"), SPLITS)
@pytest.mark.parametrize("name", PER_SAMPLE)
def test_samples_do_not_depend_on_the_split_of_a_batch(problem: str, name: str, sizes: list[int], request) -> None:
    """With norms per sample, on a network and on an exact score, in float32: to 1e-4."""
    asked: Problem = request.getfixturevalue(problem)
    whole = _split(asked, SPECS[name], [12])
    assert whole.dtype is torch.float32
    torch.testing.assert_close(_split(asked, SPECS[name], sizes), whole, rtol=0, atol=1e-4)
