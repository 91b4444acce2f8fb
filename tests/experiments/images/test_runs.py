"""Runs that are broken off and go on, and batches that are split: the same samples, to the bit where none differs."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import Tensor

from ams.samplers import Noise, Particles, State, last, run as loop
from ams.samplers.noise_sources import generated, generated_per_sample, seeded_per_sample
from experiments.images import exact
from experiments.images.digits import checks as digits
from experiments.images.learned.runs import LEARNED, bench
from experiments.images.runs import ENTRANTS, RELEASED, Entrant, Subject, denoised, generator, run, started

BUDGET, SIZE = 40, 6
SAMPLERS = sorted(ENTRANTS)
PER_SAMPLE = ("adaptive momentum, per sample", "PC, adaptive, per sample")


@pytest.fixture(scope="module")
def learned() -> Subject:
    """Return the suite's own network, in float32."""
    return bench(LEARNED, 0.05).subject


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_run_broken_off_between_steps_goes_on_to_the_same_bits(learned: Subject, name: str) -> None:
    """State and generator are all that a run is: written away half-way, read again, with a program made anew."""
    whole = run(learned, ENTRANTS[name], BUDGET, RELEASED, SIZE, generator(3, 1)).x
    who, draws = ENTRANTS[name], generator(3, 1)
    program = list(who.program(learned.ends, BUDGET, RELEASED))
    half, algebra = len(program) // 2, who.algebra()
    states = loop(program[:half], State(started(learned, SIZE, draws)), learned.score, _drawn(draws, algebra), algebra)
    kept = pickle.dumps((last(states)[0], draws.get_state()))

    state, stream = pickle.loads(kept)
    draws, algebra = torch.Generator(), who.algebra()
    draws.set_state(stream)
    rest = list(who.program(learned.ends, BUDGET, RELEASED))[half:]
    resumed = last(loop(rest, state, learned.score, _drawn(draws, algebra), algebra))[0].x
    assert torch.equal(resumed, whole)


def _drawn(draws: torch.Generator, algebra: Particles) -> Noise:
    return generated(draws, algebra.empty_like)


def test_a_group_broken_off_begins_again_and_has_the_same_numbers() -> None:
    """Whatever was sampled before the interruption, and in whatever order: a batch depends on seed and number alone."""
    few = exact.Settings(budgets=(10, 20), batches=3, batch=8, samplers=("adaptive momentum", "EDM stochastic"), seed=8)
    whole, samples = _performed(few)
    with pytest.raises(KeyboardInterrupt):
        exact.run_all(few, digits.images(), _interrupting(after=7))
    resumed, again = _performed(few.model_copy(update={"samplers": few.samplers[::-1], "budgets": few.budgets[::-1]}))
    assert resumed == whole
    assert all(torch.equal(x, again[place]) for place, x in samples.items()) and len(samples) == 15


def _performed(settings: exact.Settings) -> tuple[exact.Results, dict[tuple[str, int, int], Tensor]]:
    samples: dict[tuple[str, int, int], Tensor] = {}

    def seen(name: str, budget: int, x: Tensor) -> None:
        number = sum(place[:2] == (name, budget) for place in samples)
        samples[name, budget, number] = x.clone()

    return exact.run_all(settings, digits.images(), seen), samples


def _interrupting(after: int) -> exact.Seen:
    left = iter(range(after))

    def seen(name: str, budget: int, x: Tensor) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return seen


def _split(subject: Subject, entrant: Entrant, sizes: list[int]) -> Tensor:
    """Return the denoised samples of batches of these sizes, each sample with a stream of its own."""
    parts, first = [], 0
    for size in sizes:
        draws = generated_per_sample(seeded_per_sample(7, first, size))
        x = subject.ends.first * draws(torch.empty(size, *subject.shape))
        program = entrant.program(subject.ends, BUDGET, RELEASED)
        end = last(loop(program, State(x), subject.score, draws, entrant.algebra()))[0].x
        parts.append(denoised(subject, end))
        first += size
    return torch.cat(parts)


@pytest.mark.parametrize("sizes", [[1] * 12, [11, 1], [5, 7], [2, 3, 7]])
@pytest.mark.parametrize("name", PER_SAMPLE)
def test_samples_do_not_depend_on_the_split_of_a_batch_on_a_network(
    learned: Subject, name: str, sizes: list[int]
) -> None:
    """float32, per-sample coupling: to 1e-4. With the released coupling the split is seen."""
    whole = _split(learned, ENTRANTS[name], [12])
    assert whole.dtype is torch.float32
    torch.testing.assert_close(_split(learned, ENTRANTS[name], sizes), whole, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_the_released_coupling_depends_on_the_split(learned: Subject, name: str) -> None:
    coupled = ENTRANTS[name.removesuffix(", per sample")]
    apart = _split(learned, coupled, [12]) - _split(learned, coupled, [5, 7])
    assert apart.abs().max() > 1e-3
