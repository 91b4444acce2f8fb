"""Runs that are broken off and go on, and batches that are split: the same samples, to the bit where none differs."""

import pickle

import pytest
import torch

from ams.samplers import Program, State, last, run as loop
from ams.samplers.noise_sources import generated
from ams.samplers.presets import AUTHORS, COMPARED, SPECS
from experiments.images.digits import study as digits
from experiments.images.learned.quality import LEARNED, problem
from experiments.images.runs import Problem, generator, run, started

BUDGET, SIZE = 40, 6


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


def test_a_batch_depends_on_its_own_number_alone() -> None:
    """Whatever ran before, and in whatever order."""
    setup = digits.Settings(batch=8, seed=8).setup
    asked = [
        (name, budget, n) for name in ("adaptive momentum", "EDM stochastic") for budget in (10, 20) for n in (1, 2)
    ]
    forwards = {each: digits.sampler_batch.wrapped(*each, setup) for each in asked}
    assert {each: digits.sampler_batch.wrapped(*each, setup) for each in reversed(asked)} == forwards
    assert len(set(forwards.values())) == len(asked)
