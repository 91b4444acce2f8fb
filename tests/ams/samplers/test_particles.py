"""The particle algebras: arithmetic, coupling, and an arena in which nothing that lives is overwritten."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ams.samplers import (
    Particles,
    PerSample,
    Program,
    State,
    adaptive,
    affine,
    ancestral,
    annealed,
    authors_ve_reverse_diffusion,
    constant,
    flow_euler,
    flow_heun,
    langevin,
    leimkuhler_matthews,
    memoryless,
    momentum,
    momentum_rule,
    one_step_per_level,
    predictor_corrector,
    run,
    sample,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
)
from ams.samplers.noise_sources import generated, replayed
from ams.schedules import VE, Level, annealed_levels, geometric_sigmas, linked, process_levels
from ams.targets import GaussianMixture

ANNEALED = annealed_levels(geometric_sigmas(3.0, 0.1, 12), 1e-3)
DOWN = linked([Level(i, sigma=float(s)) for i, s in enumerate(geometric_sigmas(3.0, 0.1, 12))])
PROCESS = VE(0.05, 3.0)
TIMES = process_levels(PROCESS, 12, 1e-2)
PREDICTOR = affine(authors_ve_reverse_diffusion(PROCESS, 12))


def corrected(corrector: object, inner: int) -> Program:
    return predictor_corrector(PREDICTOR, corrector, TIMES, inner)


PROGRAMS: dict[str, Program] = {
    "langevin": annealed(langevin(), ANNEALED, 2),
    "adaptive": annealed(momentum(momentum_rule(adaptive(), extra=1e-3)), ANNEALED, 2),
    "constant": annealed(momentum(momentum_rule(constant(0.9))), ANNEALED, 2),
    "memoryless": annealed(memoryless(momentum(momentum_rule(adaptive()))), ANNEALED, 2),
    "leimkuhler_matthews": annealed(leimkuhler_matthews, ANNEALED, 2),
    "ancestral": one_step_per_level(affine(ancestral), DOWN),
    "flow_euler": one_step_per_level(affine(flow_euler), DOWN),
    "flow_heun": one_step_per_level(flow_heun, DOWN),
    "pc_langevin": corrected(langevin(snr_of_score(0.1)), 3),
    "pc_adaptive": corrected(momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(0.1))), 3),
    "pc_constant": corrected(momentum(momentum_rule(constant(0.9), snr_of_momentum(0.1))), 2),
}


def target(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> GaussianMixture:
    d = math.prod(shape)
    means = torch.linspace(-1, 1, 2 * d, dtype=dtype).reshape(2, d)
    return GaussianMixture(torch.tensor([0.3, 0.7], dtype=dtype), means, 0.04)


def start(shape: tuple[int, ...], batch: int = 5, dtype: torch.dtype = torch.float64) -> Tensor:
    return 3.0 * torch.randn(batch, *shape, generator=torch.Generator().manual_seed(8), dtype=dtype)


class Plain(Particles):
    """Particles without an arena: every vector in storage of its own."""

    def empty_like(self, vector: Tensor) -> Tensor:
        return torch.empty_like(vector)

    def begin_step(self, state: State) -> State:
        return state


class PlainPerSample(PerSample, Plain):
    """The same, uncoupled."""


def trajectory(algebra: Particles, program: Program, x: Tensor, score: Callable) -> list[Tensor]:
    """Return all that every step yielded, kept."""
    noise = generated(torch.Generator().manual_seed(2), algebra.empty_like)
    kept: list[Tensor] = []
    for state, info in run(program, State(x), score, noise, algebra):
        vectors = (*state[:4], info.mean(), info.at)
        kept += [vector.clone() for vector in vectors if vector is not None]
    return kept


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("coupling", [(Particles, Plain), (PerSample, PlainPerSample)], ids=["batch", "sample"])
def test_the_arena_changes_no_bit(name: str, coupling: tuple[type[Particles], type[Particles]]) -> None:
    shape = (2, 3)
    score, x = target(shape).score, start(shape)
    before = x.clone()
    ours, plain = (trajectory(kind(), PROGRAMS[name], x, score) for kind in coupling)
    assert len(ours) == len(plain) > 12
    assert all(torch.equal(one, other) for one, other in zip(ours, plain, strict=True))
    assert torch.equal(x, before), "the caller's start is not written to"


class Fresh(TorchDispatchMode):
    """Counts state-size tensors that an operation returns in storage that none of its arguments had."""

    def __init__(self, size: int) -> None:
        self.size, self.count, self.paused = size, 0, False

    def __torch_dispatch__(
        self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        found = function(*args, **(kwargs or {}))
        given = {t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for t in tree_leaves(found):
            large = isinstance(t, Tensor) and t.numel() >= self.size
            self.count += large and not self.paused and t.untyped_storage().data_ptr() not in given
        return found

    @contextmanager
    def pause(self) -> Iterator[None]:
        self.paused = True
        yield
        self.paused = False


def allocations(algebra: Particles, program: Program, warm: int) -> int:
    """Return how many state-size tensors the steps after the first `warm` allocate, scores aside."""
    x, mixture = start((3, 4, 4)), target((3, 4, 4))
    mode = Fresh(x.numel())

    def score(at: Tensor, level: Level) -> Tensor:
        with mode.pause():
            return mixture.score(at, level)

    noise = generated(torch.Generator().manual_seed(2), algebra.empty_like)
    with mode:
        for number, _ in enumerate(run(program, State(x), score, noise, algebra)):
            mode.count = 0 if number < warm else mode.count
    return mode.count


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("algebra", [Particles, PerSample])
def test_a_warm_loop_allocates_nothing(name: str, algebra: type[Particles]) -> None:
    assert allocations(algebra(), PROGRAMS[name], warm=4) == 0


def test_the_count_sees_plain_allocation() -> None:
    """Of Langevin: noise and position a step."""
    assert allocations(Plain(), PROGRAMS["langevin"], warm=4) == 2 * 20


def test_a_yielded_state_is_valid_until_the_next_step() -> None:
    algebra, score = Particles(), target((4,)).score
    states = run(
        PROGRAMS["adaptive"], State(start((4,))), score, generated(torch.Generator(), algebra.empty_like), algebra
    )
    state, info = next(states)
    held, kept, at = state.x, state.x.clone(), info.at.clone()
    assert torch.equal(at, start((4,)))
    following, info = next(states)
    assert torch.equal(info.at, kept), "the step began where the last one ended"
    for _ in range(3):
        following, _ = next(states)
    assert not torch.equal(held, kept), "its buffer was handed out anew"
    assert torch.isfinite(following.x).all()


@pytest.mark.parametrize("other", [torch.zeros(5, 4), torch.zeros(3, 2, dtype=torch.float64), torch.zeros(2, 3)])
def test_an_algebra_that_served_another_run_hands_out_what_fits(other: Tensor) -> None:
    algebra = Particles()
    for _ in range(3):
        algebra.combine((1.0, torch.ones(3, 2)))
    algebra.begin_step(State(other))
    for _ in range(4):
        out = algebra.combine((2.0, other), (1.0, other))
        assert (out.shape, out.dtype) == (other.shape, other.dtype)


def test_a_later_run_on_the_same_algebra_is_right() -> None:
    algebra, generator = Particles(), torch.Generator()
    for dtype in (torch.float64, torch.float32, torch.float64):
        score = target((4,), dtype).score
        again, alone = (
            sample(PROGRAMS["adaptive"], start((4,), 6, dtype), score, generator.manual_seed(3), each)[0].x
            for each in (algebra, Particles())
        )
        assert again.dtype == dtype and torch.equal(again, alone)


@pytest.mark.parametrize("algebra", [Particles(), PerSample()], ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("shape", [(4,), (2, 3, 3)], ids=str)
def test_float32_follows_float64(algebra: Particles, shape: tuple[int, ...]) -> None:
    """The same noise, rounded: within 2e-2 after 24 steps from a start of size 3, with the rule's norms rounded too."""
    draws = [start(shape) for _ in range(24)]
    ends = []
    for dtype in (torch.float64, torch.float32):
        noise = replayed([draw.to(dtype) / 3 for draw in draws])
        program = PROGRAMS["adaptive"]
        *_, (state, _) = run(program, State(start(shape).to(dtype)), target(shape, dtype).score, noise, algebra)
        assert state.x.dtype == dtype and state.x.shape == (5, *shape)
        ends.append(state.x.double())
    assert (ends[0] - ends[1]).abs().max() < 2e-2


def test_norms_and_scalars_by_hand() -> None:
    v = torch.tensor([[[3.0, 4.0]], [[0.0, 0.0]]], dtype=torch.float64)
    assert Particles().norm(v) == 2.5
    column = PerSample().norm(v)
    assert column.shape == (2, 1, 1) and column.flatten().tolist() == [5.0, 0.0]
    assert PerSample().divide(column, 2 * column).flatten().tolist() == pytest.approx([0.5, math.nan], nan_ok=True)
    clipped = PerSample().clip(torch.tensor([-1.0, 0.5, 2.0, math.nan, math.inf], dtype=torch.float64), 0.0, 0.9)
    assert clipped.tolist() == [0.0, 0.5, 0.9, 0.9, 0.9]
    assert PerSample().sqrt(4.0) == 2.0 and PerSample().sqrt(column).flatten()[0] == math.sqrt(5)


def test_the_float_scalars_are_ieees() -> None:
    algebra = Particles()
    assert algebra.divide(1.0, 0.0) == math.inf and math.isnan(algebra.divide(0.0, 0.0))
    assert math.isnan(algebra.divide(math.nan, 0.0)) and algebra.divide(3.0, 2.0) == 1.5
    values = [algebra.clip(value, 0.0, 0.9) for value in (-1.0, 0.5, 2.0, math.nan, math.inf, -math.inf)]
    assert values == [0.0, 0.5, 0.9, 0.9, 0.9, 0.0]


@pytest.mark.parametrize("algebra", [Particles(), PerSample()], ids=lambda a: type(a).__name__)
def test_combinations_and_finiteness(algebra: Particles) -> None:
    u, v = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    assert torch.allclose(algebra.combine((2.0, u), (-0.5, v), (1.0, u)), 3 * u - 0.5 * v, rtol=1e-14)
    assert algebra.finite(u)
    for bad in (math.nan, math.inf, -math.inf):
        assert not algebra.finite(torch.where(u == u[1, 1], bad, u))
    assert not algebra.finite(torch.tensor([[math.inf, -math.inf]]))


def test_a_column_weighs_each_sample() -> None:
    u, column = torch.randn(3, 2, 2, dtype=torch.float64), torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1).double()
    found = PerSample().combine((column, u), (1 - column, u), (column, u))
    assert torch.allclose(found, (1 + column) * u, rtol=1e-14)
