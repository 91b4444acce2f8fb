"""What a black box is given: the exact network, and draws that are answered one by one.

The network's five predictions against each other and against Bayes' rule, guidance, clipping,
errors. Each function of PyTorch that draws is answered or refused, there is one Brownian path, and
all that is widened is narrow again.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from ams.targets import Gaussian
from samplercheck import Network, Sampler, noise_level
from samplercheck.answered_draws import Draws, Shared, Unanswered, answered, seeded
from samplercheck.model import Enough, clipped, exact, guided, log_snr
from samplercheck.nonlinear import TwoModes
from samplercheck.sampler import Types, driven
from tests.ams.tools import assert_equal, draws

LEVEL = Level(0, sigma=0.6, scale=0.8)
MEAN, VARIANCE = (
    torch.tensor([1.0, -0.5], dtype=torch.float64),
    torch.tensor([0.3, 2.0], dtype=torch.float64),
)
X = draws(1, 4, 1, 1, 2)


def network(shift: float = 0.0):  # type: ignore[no-untyped-def]
    return exact(Gaussian(MEAN + shift, VARIANCE), MEAN + shift)


def posterior_mean(x: Tensor) -> Tensor:
    """Return `E[x_0 | x]` by conditioning a joint Gaussian."""
    gain = 0.8 * VARIANCE / (0.64 * VARIANCE + 0.36)
    return MEAN + gain * (x - 0.8 * MEAN)


def test_the_predictions_are_one() -> None:
    x0 = posterior_mean(X)
    eps = (X - 0.8 * x0) / 0.6
    expected = {
        "x0": x0,
        "eps": eps,
        "v": 0.8 * eps - 0.6 * x0,
        "flow": eps - x0,
        "score": -eps / 0.6,
    }
    for predict, value in expected.items():
        assert_equal(network()(predict, X, LEVEL), value)


def test_calls_are_recorded_until_there_are_enough() -> None:
    net = network()
    net.most = 2
    assert net("x0", X.float(), LEVEL).dtype is torch.float32
    with pytest.raises(Enough):
        net("x0", X, LEVEL)
    assert [call.level for call in net.calls] == [LEVEL, LEVEL]
    assert_equal(net.calls[1].x, X.reshape(4, 2))


@pytest.mark.parametrize("number", [float, lambda value: value.expand(4)])
def test_pure_noise_is_told_in_single_precision(number) -> None:  # type: ignore[no-untyped-def]
    """cos(pi/2) is -4e-8 there."""
    scale = torch.tensor(math.pi / 2, dtype=torch.float32).cos()
    assert noise_level(number(scale), 1.0).scale == 0.0


def test_pure_noise_predicts_the_mean_and_no_noise_the_point() -> None:
    assert_equal(network()("x0", X, Level(0, sigma=1.0, scale=0.0)), MEAN.expand(4, 1, 1, 2))
    assert_equal(network()("x0", X, Level(0, sigma=0.0)), X)


def test_guidance_combines_and_clipping_bounds() -> None:
    both = guided(network(), network(1.0), 3.0)
    assert_equal(
        both("x0", X, LEVEL), 3 * network()("x0", X, LEVEL) - 2 * network(1.0)("x0", X, LEVEL)
    )
    bounded = clipped(network(), 0.7)
    x0, eps = bounded("x0", X, LEVEL), bounded("eps", X, LEVEL)
    assert_equal(x0, posterior_mean(X).clamp(-0.7, 0.7))
    assert_equal(0.8 * x0 + 0.6 * eps, X)


def test_noise_levels() -> None:
    assert noise_level(torch.full((3, 1), 0.8), 0.6)[1:3] == (0.6, pytest.approx(0.8))
    assert (
        log_snr(LEVEL) == pytest.approx(math.log(4 / 3))
        and log_snr(Level(0, sigma=0.0)) == math.inf
    )
    rounded = torch.tensor([0.1, 0.1 * (1 + 1e-7)])
    assert noise_level(1.0, rounded).sigma == pytest.approx(0.1), "rows that differ by rounding"
    assert noise_level(1.0, -1e-17).sigma == 0.0 and noise_level(-1e-17, 1.0).scale == 0.0
    for below in ((1.0, -0.1), (-0.1, 1.0)):
        with pytest.raises(ValueError, match="neither can be below 0"):
            noise_level(*below)
    for apart in (torch.tensor([0.1, 0.2]), rounded.double(), torch.tensor([3, 4])):
        with pytest.raises(ValueError, match="different noise levels"):
            noise_level(1.0, apart)
    with pytest.raises(ValueError, match="unknown prediction 'y'"):
        network()("y", X, LEVEL)


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
        assert (
            value.dtype is torch.float64
            and value.shape == (ROWS, WIDTH)
            and bool((value == number).all())
        )


def test_draws_by_a_function_in_pytorchs_place_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
        once = torch.cat(
            [
                torch.randn((1, WIDTH), generator=torch.Generator().manual_seed(i))
                for i in range(ROWS)
            ]
        )
    assert draws.count == 3
    for number, value in enumerate([*twice.squeeze(2), once]):
        assert torch.equal(value, values(number, torch.Size((ROWS, WIDTH))))


def test_whose_a_draw_is_must_be_known() -> None:
    with (
        pytest.raises(Shared, match=r"shape \(1, 2\) for a batch of 3"),
        answered(Draws(), ROWS, width=WIDTH),
    ):
        torch.randn(1, WIDTH)
        torch.randn(ROWS, WIDTH)
    with (
        pytest.raises(Unanswered, match="not known whose") as raised,
        answered(Draws(), ROWS, width=WIDTH),
    ):
        for _ in range(ROWS + 1):
            torch.randn(WIDTH)
    assert not isinstance(raised.value, Shared)
    with (
        pytest.raises(Unanswered, match="elements of a sample share") as raised,
        answered(Draws(), ROWS, width=WIDTH),
    ):
        torch.randn(ROWS, 1)
    assert not isinstance(raised.value, Shared)


def test_an_increment_has_the_type_of_the_run() -> None:
    """The noise of a sampler that adds it as it comes does not widen what follows."""
    types = []

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for after in range(1, steps + 1):
            x = network("x0", x, noise_level(1.0, 2.0 - after / steps)) + draws.increment(
                after - 1.0, after, x.shape
            )
            types.append(x.dtype)
        return x

    sampler = Sampler("path", "0", run, lambda steps: 1.0)
    driven(
        sampler,
        TwoModes(1.0).network(),
        LIKE.double(),
        2,
        seeded(ROWS, WIDTH),
        Types(torch.float32),
    )
    assert types and set(types) == {torch.float32}


def test_float32_is_widened_and_narrow_again_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), answered(Draws(), ROWS):
        assert torch.zeros(2).dtype is torch.zeros(2, dtype=torch.float32).dtype is torch.float64
        assert (
            LIKE.half().dtype
            is LIKE.to(torch.bfloat16).dtype
            is LIKE.float().dtype
            is torch.float64
        )
        assert np.float32 is np.float64 and np.zeros(1, np.float32).itemsize == 8
        raise ZeroDivisionError
    assert torch.get_default_dtype() is torch.float32 and np.zeros(1, np.float32).itemsize == 4
    assert torch.zeros(2).dtype is LIKE.float().dtype is torch.float32


def test_a_run_in_its_own_type_keeps_it() -> None:
    with answered(Draws(numbered), ROWS, widen=False):
        assert (
            torch.randn_like(LIKE.bfloat16()).dtype is torch.bfloat16
            and np.zeros(1, np.float32).itemsize == 4
        )
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
    values = torch.cat(
        [path.increment(*map(time, pair), torch.Size((3, 1))) for pair in intervals], dim=1
    )
    covariance = values.T @ values
    exact = [
        [1, 0.5, math.sqrt(0.75), -0.5],
        [0.5, 1, 0, 0],
        [math.sqrt(0.75), 0, 1, -math.sqrt(1 / 3)],
    ]
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
    assert [
        again.increment(0.0, 1.0, shape)[0],
        again.normal(shape, ROWS)[0],
        again.increment(1.0, 3.0, shape)[0],
    ] == [
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
    assert abs(float((first * one(1, shape)).mean())) < 0.2 and not torch.equal(
        first, one(1, shape)
    )
