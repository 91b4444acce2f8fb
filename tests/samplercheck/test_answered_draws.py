"""Draws: each function of PyTorch answered or refused, one Brownian path, and all that is widened narrow again."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from samplercheck import Network, Sampler, noise_level
from samplercheck.answered_draws import Draws, Shared, Unanswered, answered, seeded
from samplercheck.nonlinear import TwoModes
from samplercheck.sampler import driven

GENERATOR = torch.Generator()
ROWS, WIDTH = 3, 2
LIKE = torch.zeros(ROWS, WIDTH, dtype=torch.float32)


def numbered(k: int, shape: torch.Size) -> Tensor:
    """Return draw k as the number k + 1 in every entry."""
    return torch.full(shape, k + 1.0, dtype=torch.float64)


ANSWERED: dict[str, Callable[[], Tensor]] = {
    "randn": lambda: torch.randn(ROWS, WIDTH),
    "randn of a tuple": lambda: torch.randn((ROWS, WIDTH), dtype=torch.float32),
    "randn by name": lambda: torch.randn(size=(ROWS, WIDTH), generator=GENERATOR),
    "randn_like": lambda: torch.randn_like(LIKE),
    "normal of a size": lambda: torch.normal(0.0, 1.0, size=(ROWS, WIDTH)),
    "normal of a mean": lambda: torch.normal(torch.zeros_like(LIKE), 1.0),
    "normal_": lambda: torch.empty(ROWS, WIDTH).normal_(),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_every_normal_draw_is_answered_in_order(name: str) -> None:
    draws = Draws(numbered)
    with answered(draws, ROWS):
        found = [ANSWERED[name](), ANSWERED[name]()]
    assert draws.count == 2
    for value, number in zip(found, (1.0, 2.0), strict=True):
        assert value.dtype is torch.float64 and value.shape == (ROWS, WIDTH) and bool((value == number).all())


def test_draws_by_a_function_in_pytorchs_place_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of code that wraps `torch.randn_like`: the state that it is given stays as it is."""
    theirs, x = torch.randn_like, torch.zeros(ROWS, WIDTH)
    monkeypatch.setattr(torch, "randn_like", lambda like, **given: theirs(like, **given))
    with answered(Draws(numbered), ROWS):
        assert bool((torch.randn_like(x) == 1.0).all()) and bool((x == 0.0).all())


def test_a_draw_into_a_tensor_fills_it() -> None:
    x = torch.zeros(ROWS, WIDTH)
    with answered(Draws(numbered), ROWS):
        assert torch.randn(ROWS, WIDTH, out=x) is x and bool((x == 1.0).all())


def test_mean_and_deviation_are_applied() -> None:
    with answered(Draws(numbered), ROWS):
        assert bool((torch.normal(2.0, 3.0, size=(ROWS, 1)) == 5.0).all())
        assert bool((torch.empty(ROWS, 1).normal_(mean=1.0, std=0.5) == 2.0).all())
        assert bool((torch.empty(ROWS, 1).normal_(1.0, 0.5) == 2.5).all())


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.rand(ROWS),
        lambda: torch.rand_like(LIKE),
        lambda: torch.empty(ROWS).uniform_(),
        lambda: torch.randint(3, (ROWS,)),
        lambda: torch.multinomial(torch.ones(ROWS, 2), 1),
        lambda: torch.bernoulli(torch.ones(ROWS)),
        lambda: torch.ones(ROWS).bernoulli(),
        lambda: torch.randint_like(LIKE, 3),
        lambda: torch.poisson(LIKE),
        lambda: torch.empty(ROWS).log_normal_(),
    ],
)
def test_other_draws_are_refused(draw: Callable[[], Tensor]) -> None:
    with pytest.raises(Unanswered, match="normal draws alone"), answered(Draws(), ROWS):
        draw()


@pytest.mark.parametrize("shape", [(1, WIDTH), (WIDTH,), ()])
def test_a_draw_for_a_whole_batch_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(Shared, match="for a batch of 3"), answered(Draws(), ROWS):
        torch.randn(shape)


def test_additional_leading_dimensions_are_draws() -> None:
    """Also where they are as many as the samples."""
    draws = Draws(numbered)
    with answered(draws, ROWS, width=WIDTH):
        first, second = torch.randn(ROWS, ROWS, 1, WIDTH), torch.randn(ROWS, WIDTH)
    assert draws.count == ROWS + 1 and bool((second == ROWS + 1).all())
    assert [value.unique().tolist() for value in first] == [[1.0], [2.0], [3.0]]


def test_draws_of_one_sample_each_are_the_rows_of_one_draw() -> None:
    """Two draws for each sample at once, then one; a generator a sample."""
    values = seeded(ROWS, WIDTH)
    draws = Draws(values)
    with answered(draws, ROWS, width=WIDTH):
        twice = torch.stack([torch.randn(2, 1, WIDTH) for _ in range(ROWS)], dim=1)
        draws.close(ROWS)
        once = torch.cat([torch.randn((1, WIDTH), generator=torch.Generator().manual_seed(i)) for i in range(ROWS)])
    assert draws.count == 3
    for number, value in enumerate([*twice.squeeze(2), once]):
        assert torch.equal(value, values(number, torch.Size((ROWS, WIDTH))))


def test_whose_a_draw_is_must_be_known() -> None:
    with pytest.raises(Shared, match=r"shape \(1, 2\) for a batch of 3"), answered(Draws(), ROWS, width=WIDTH):
        torch.randn(1, WIDTH)
        torch.randn(ROWS, WIDTH)
    with pytest.raises(Unanswered, match="not known whose") as raised, answered(Draws(), ROWS, width=WIDTH):
        for _ in range(ROWS + 1):
            torch.randn(WIDTH)
    assert not isinstance(raised.value, Shared)
    with pytest.raises(Unanswered, match="elements of a sample share") as raised, answered(Draws(), ROWS, width=WIDTH):
        torch.randn(ROWS, 1)
    assert not isinstance(raised.value, Shared)


def test_an_increment_has_the_type_of_the_run() -> None:
    """The noise of a sampler that adds it as it comes does not widen what follows."""
    types = []

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for after in range(1, steps + 1):
            x = network("x0", x, noise_level(1.0, 2.0 - after / steps)) + draws.increment(after - 1.0, after, x.shape)
            types.append(x.dtype)
        return x

    sampler = Sampler("path", "0", run, lambda steps: 1.0)
    driven(sampler, TwoModes(1.0).network(), LIKE.double(), 2, seeded(ROWS, WIDTH), torch.float32)
    assert types and set(types) == {torch.float32}


def test_float32_is_widened_and_narrow_again_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), answered(Draws(), ROWS):
        assert torch.zeros(2).dtype is torch.zeros(2, dtype=torch.float32).dtype is torch.float64
        assert LIKE.half().dtype is LIKE.to(torch.bfloat16).dtype is LIKE.float().dtype is torch.float64
        assert np.float32 is np.float64 and np.zeros(1, np.float32).itemsize == 8
        raise ZeroDivisionError
    assert torch.get_default_dtype() is torch.float32 and np.zeros(1, np.float32).itemsize == 4
    assert torch.zeros(2).dtype is LIKE.float().dtype is torch.float32


def test_a_run_in_its_own_type_keeps_it() -> None:
    with answered(Draws(numbered), ROWS, widen=False):
        assert torch.randn_like(LIKE.bfloat16()).dtype is torch.bfloat16 and np.zeros(1, np.float32).itemsize == 4
        assert torch.randn(ROWS, 1).dtype is torch.float32


@pytest.mark.parametrize("time", [float, torch.tensor])
def test_one_brownian_path(time: Callable[[float], float | Tensor]) -> None:
    """Increments of unit variance; those of overlapping intervals covary by their overlap."""
    intervals = [(0.0, 2.0), (0.0, 0.5), (0.5, 2.0), (1.0, 0.5)]
    count = Draws()
    for start, end in intervals:
        count.increment(time(start), time(end), torch.Size((1, 1)))
    assert count.count == 3  # pieces between 0, 1/2, 1 and 2

    def impulses(k: int, shape: torch.Size) -> Tensor:
        return torch.eye(3, dtype=torch.float64)[:, k : k + 1].reshape(shape)

    path = count.again(impulses)
    values = torch.cat([path.increment(*map(time, pair), torch.Size((3, 1))) for pair in intervals], dim=1)
    covariance = values.T @ values
    exact = [[1, 0.5, math.sqrt(0.75), -0.5], [0.5, 1, 0, 0], [math.sqrt(0.75), 0, 1, -math.sqrt(1 / 3)]]
    torch.testing.assert_close(covariance[:3], torch.tensor(exact, dtype=torch.float64))
    assert covariance[3, 3].item() == pytest.approx(1.0)
    assert not path.increment(1.0, 1.0, torch.Size((3, 1))).any()


def test_a_path_and_single_draws_are_numbered_apart() -> None:
    count = Draws()
    count.increment(0.0, 1.0, torch.Size((ROWS, 1)))
    count.normal(torch.Size((ROWS, 1)), ROWS)
    count.increment(1.0, 3.0, torch.Size((ROWS, 1)))
    assert count.count == 3
    again = count.again(numbered)
    shape = torch.Size((ROWS, 1))
    assert [again.increment(0.0, 1.0, shape)[0], again.normal(shape, ROWS)[0], again.increment(1.0, 3.0, shape)[0]] == [
        1.0,
        3.0,
        2.0,
    ]


def test_a_path_without_its_times_is_refused() -> None:
    with pytest.raises(Unanswered, match="no run has counted"):
        Draws(numbered).increment(0.0, 1.0, torch.Size((ROWS, 1)))


def test_seeded_draws_depend_on_their_number_alone() -> None:
    shape = torch.Size((1000, 2))
    one, other = seeded(1000, 2, 7), seeded(1000, 2, 7)
    first = one(0, shape)
    with answered(Draws(), 1000):
        assert torch.equal(other(1, shape), one(1, shape)) and torch.equal(other(0, shape), first)
    assert abs(float((first * one(1, shape)).mean())) < 0.2 and not torch.equal(first, one(1, shape))
