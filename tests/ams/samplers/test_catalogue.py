"""The catalogue: what a choice changes of a program, and what it does not; every program ends where it should."""

from __future__ import annotations

import math

import pytest
import torch

from ams.samplers.catalogue import DEFAULT, PROGRAMS, Ends, ladder
from ams.samplers.palette import LOOKS
from ams.samplers import Particles, State, run, sample
from ams.samplers.noise_sources import generated
from ams.targets import Gaussian

ENDS = Ends(5.0, 0.1)
SCORE = Gaussian(torch.zeros(3, dtype=torch.float64)).score


def end(name: str, budget: int = 20, **choice: float) -> torch.Tensor:
    program = PROGRAMS[name](ENDS, budget, DEFAULT._replace(**choice))
    x = 5.0 * torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return sample(program, x, SCORE, torch.Generator().manual_seed(1))[0].x.clone()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_spends_its_budget_and_ends_at_the_last_level(name: str) -> None:
    program = list(PROGRAMS[name](ENDS, 20, DEFAULT))
    last = program[-1][1]
    assert (last if last.next is None else last.next).sigma == pytest.approx(0.1)
    assert program[0][1].sigma == pytest.approx(5.0)
    x = torch.randn(2, 3, dtype=torch.float64)
    assert 19 <= sample(program, x, SCORE, torch.Generator())[2] <= 20
    assert name in LOOKS


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_not_finite_stays_so(name: str, bad: float) -> None:
    """Each step has the position among its terms, so that a run need not be looked at after each: even where the
    score of a point at infinity is 0."""
    algebra, program = Particles(), PROGRAMS[name](ENDS, 20, DEFAULT)
    state, draw = State(torch.ones(2, 3, dtype=torch.float64)), generated(torch.Generator(), algebra.empty_like)
    for step, level in program:
        clean = torch.ones_like(state.x)
        state, _ = step(algebra.settle(state._replace(x=clean.clone())), SCORE, draw, level, algebra)
        bound = State(*[v.clone() if isinstance(v, torch.Tensor) else v for v in state])
        clean[0, 1] = bad
        after, _ = step(bound._replace(x=clean), lambda x, at: torch.zeros_like(x), draw, level, Particles())
        assert not torch.isfinite(after.x[0, 1])


def test_the_factor_multiplies_every_step() -> None:
    plain, double = (
        list(PROGRAMS["annealed Langevin"](ENDS, 20, DEFAULT._replace(factor=factor))) for factor in (1.0, 2.0)
    )
    assert all(b.step == pytest.approx(2 * a.step) for (_, a), (_, b) in zip(plain, double, strict=True))
    assert plain[-1][1].step == pytest.approx(ladder(ENDS, 4, 5)[1])


def test_only_the_first_move_is_longer_as_released() -> None:
    """By one of the last level's steps: `d_0 = (eps + a_1) s_0`; A_0 stays a_1."""
    algebra, epsilon = Particles(), ladder(ENDS, 4, 5)[1]
    program = PROGRAMS["adaptive momentum"](ENDS, 20, DEFAULT._replace(extra=1.0))
    x = torch.ones(2, 3, dtype=torch.float64)
    states = run(program, State(x), SCORE, generated(torch.Generator()), algebra)
    extras = [
        (info.coefficients.extra, info.coefficients.drift / info.coefficients.step)
        for _, info in states
        if info.coefficients
    ]
    assert extras[0] == (pytest.approx(epsilon), pytest.approx(1.0))
    assert all(extra == 0.0 for extra, _ in extras[1:])


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("annealed Langevin", {"repeats": 4}),
        ("PC, Langevin", {"snr": 0.3}),
        ("PC, constant", {"beta": 0.5}),
        ("constant momentum", {"beta": 0.5}),
        ("consistent", {"pull": 1.2}),
        ("EDM stochastic", {"churn": 2.0}),
        ("EDM stochastic", {"reach": 1.0}),
        ("flow, Heun", {"rho": 7.0}),
        ("adaptive momentum", {"delta": 0.99}),
    ],
)
def test_what_a_choice_names_it_changes(name: str, choice: dict[str, float]) -> None:
    assert not torch.allclose(end(name), end(name, **choice))
    torch.testing.assert_close(end("ancestral"), end("ancestral", snr=0.3, beta=0.5, churn=1.0, factor=2.0))
