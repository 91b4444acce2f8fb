"""The record of each sampler: its program, the effect of its hyperparameters."""

import math
from importlib import import_module
from pkgutil import iter_modules

import pytest
import torch

import ams.samplers
from ams.samplers import Particles, State, run, sample
from ams.samplers.noise_sources import generated
from ams.samplers.presets import COMPARED, DEFAULT, EXACT, RIVALS, SPECS, SigmaRange, noise_schedule
from ams.schedules import Level
from ams.targets import Gaussian

for module in iter_modules(ams.samplers.__path__):
    import_module(f"ams.samplers.{module.name}")
SIGMAS = SigmaRange(5.0, 0.1)
PROGRAMS = [name for name, spec in SPECS.items() if spec.program]
SCORE = Gaussian(torch.zeros(3, dtype=torch.float64)).score


def end(name: str, budget: int = 20, **changed: float) -> torch.Tensor:
    program = SPECS[name].build(SIGMAS, budget, DEFAULT._replace(**changed))
    x = 5.0 * torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return sample(program, x, SCORE, torch.Generator().manual_seed(1))[0].x.clone()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_spends_its_budget_and_ends_at_the_last_level(name: str) -> None:
    program = list(SPECS[name].build(SIGMAS, 20))
    last = program[-1][1]
    assert (last if last.next is None else last.next).sigma == pytest.approx(0.1)
    assert program[0][1].sigma == pytest.approx(5.0)
    x = torch.randn(2, 3, dtype=torch.float64)
    assert not set(RIVALS) & set(COMPARED)  # which image and graph studies run by default
    calls: list[Level] = []

    def counted(x: torch.Tensor, level: Level) -> torch.Tensor:
        calls.append(level)
        return SCORE(x, level)

    assert 19 <= sample(program, x, counted, torch.Generator())[2] == len(calls) <= 20


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", PROGRAMS)
def test_nan_and_infinity_propagate(name: str, bad: float) -> None:
    """Each step adds to the position, so that a late check finds them, even if the score at
    infinity is 0.
    """
    algebra, program = Particles(), SPECS[name].build(SIGMAS, 20)
    state, draw = (
        State(torch.ones(2, 3, dtype=torch.float64)),
        generated(torch.Generator(), algebra.empty_like),
    )
    for step, level in program:
        clean = torch.ones_like(state.x)
        bound = State(*[v.clone() if isinstance(v, torch.Tensor) else v for v in state])
        state, _ = step(
            algebra.begin_step(state._replace(x=clean.clone())), SCORE, draw, level, algebra
        )
        clean[0, 1] = bad
        after, _ = step(
            bound._replace(x=clean), lambda x, at: torch.zeros_like(x), draw, level, Particles()
        )
        assert not torch.isfinite(after.x[0, 1])


def test_the_factor_multiplies_every_step() -> None:
    build = SPECS["annealed Langevin"].build
    plain, double = (
        list(build(SIGMAS, 20, DEFAULT._replace(factor=factor))) for factor in (1.0, 2.0)
    )
    assert all(
        b.step == pytest.approx(2 * a.step) for (_, a), (_, b) in zip(plain, double, strict=True)
    )
    assert plain[-1][1].step == pytest.approx(noise_schedule(SIGMAS, 4, 5)[1])


def test_only_the_first_step_is_longer_in_the_authors_form() -> None:
    """By the last noise level's step: `d_0 = (eps + a_1) s_0`; A_0 is a_1."""
    algebra, epsilon = Particles(), noise_schedule(SIGMAS, 4, 5)[1]
    program = SPECS["adaptive momentum"].build(SIGMAS, 20, DEFAULT._replace(extra=1.0))
    x = torch.ones(2, 3, dtype=torch.float64)
    states = run(program, State(x), SCORE, generated(torch.Generator()), algebra)
    first, *later = [info.coefficients for _, info in states]
    assert (first.extra, first.drift / first.step) == pytest.approx((epsilon, 1.0))
    assert all(each.extra == 0.0 for each in later)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("annealed Langevin", {"repeats": 4}),
        ("PC, Langevin", {"snr": 0.3}),
        ("PC, constant", {"beta": 0.5}),
        ("constant momentum", {"beta": 0.5}),
        ("consistent annealed sampling", {"drift_scale": 1.2}),
        ("EDM stochastic", {"churn": 2.0}),
        ("EDM stochastic", {"churn_below": 1.0}),
        ("Heun ODE", {"rho": 7.0}),
        ("adaptive momentum", {"delta": 0.99}),
    ],
)
def test_a_hyperparameter_changes_its_sampler(name: str, changed: dict[str, float]) -> None:
    assert not torch.allclose(end(name), end(name, **changed))
    torch.testing.assert_close(
        end("ancestral"), end("ancestral", snr=0.3, beta=0.5, churn=1.0, factor=2.0)
    )


def test_a_sampler_without_a_program_is_refused_and_records_describe_themselves() -> None:
    with pytest.raises(ValueError, match="exact law is run by no program"):
        EXACT.build(SIGMAS, 20)
    assert repr(SPECS["ancestral"]) == "<ancestral: one step per noise level>"
    assert repr(DEFAULT) == "Hyperparameters()"
    assert repr(DEFAULT._replace(snr=0.1, rho=7.0)) == "Hyperparameters(snr=0.1, rho=7.0)"
