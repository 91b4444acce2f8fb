"""Distances: of Gaussians, of densities on the line, of samples by energy, by kernels, in a space
of features.

Each is compared with its definition by brute force, or with distributions whose distance is known.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy import linalg
from scipy.special import ndtr

from ams.grid_function import tabulated
from ams.metrics import (
    MixtureReference,
    energy,
    energy_difference,
    energy_distance,
    expected_coverage,
    frechet_distance,
    gaussian_kl,
    gaussian_w2,
    half_line,
    kernel_distance,
    line_kl,
    line_w2,
    mixture_spread,
    support,
    total_variation,
)
from ams.metrics.mmd import across, biased_within, mmd_squared, unbiased_within
from ams.statistics import mean_interval, plan_mean_test
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo


def test_multiplicities_repeat_directions() -> None:
    m, v, tm, tv, n = [0.5, -1.0], [0.3, 4.0], [0.0, 0.25], [1.0, 3.5], [3, 2]
    repeated = [
        torch.tensor(value, dtype=torch.float64).repeat_interleave(torch.tensor(n))
        for value in (m, v, tm, tv)
    ]
    for distance in (gaussian_w2, gaussian_kl):
        assert distance(*repeated) == pytest.approx(distance(m, v, tm, tv, n), rel=1e-14)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_close_distributions_lose_no_digits(gap: float) -> None:
    v = 3.0 * (1 + gap)
    u = (v - 3.0) / 3.0  # the gap after rounding
    series = (u**2 / 2 - u**3 / 3 + u**4 / 4) / 2
    assert gaussian_kl(0.0, v, 0.0, 3.0) == pytest.approx(series, rel=1e-15 / gap + 1e-12)
    spread = math.sqrt(3.0) * math.expm1(math.log1p(u) / 2)
    assert gaussian_w2(0.0, v, 0.0, 3.0) == pytest.approx(spread, rel=1e-12)


def test_degenerate_gaussians() -> None:
    assert gaussian_w2([1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 4.0]) == pytest.approx(3.0)
    assert gaussian_kl(0.0, 0.0, 0.0, 1.0) == math.inf


@pytest.mark.parametrize(("n", "m", "d"), [(50, 30, 1), (50, 30, 4), (12, 9, 20)])
def test_frechet_distance_is_the_textbook_formula(n: int, m: int, d: int) -> None:
    """For more samples than features and for fewer."""
    x, y = draws(1, n, d), 2 * draws(2, m, d) + 1
    (c, shift_x), (tc, shift_y) = (
        (np.atleast_2d(np.cov(s.numpy().T)), s.mean(0).numpy()) for s in (x, y)
    )
    root = linalg.sqrtm(c)
    bures = np.trace(c + tc - 2 * linalg.sqrtm(root @ tc @ root).real)
    exact = float(((shift_x - shift_y) ** 2).sum() + bures)
    assert frechet_distance(x, y) == pytest.approx(exact, rel=1e-5)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-20)


def log_normal(mean, deviation):
    constant = math.log(deviation * math.sqrt(2 * math.pi))
    return lambda x: -(((x - mean) / deviation) ** 2) / 2 - constant


def normal(mean, deviation):
    return tabulated(log_normal(mean, deviation), around=mean)


def two(weight, apart, deviation):
    left, right = log_normal(-apart, deviation), log_normal(apart, deviation)
    return lambda x: np.logaddexp(math.log(weight) + left(x), math.log1p(-weight) + right(x))


@settings(deadline=None, max_examples=12)
@given(shift=st.floats(-2, 2), scale=st.floats(0.2, 5))
def test_gaussians_have_their_closed_forms(shift, scale):
    density, target = normal(shift, scale), log_normal(0.0, 1.0)
    assert line_w2(density, normal(0.0, 1.0)) == pytest.approx(
        gaussian_w2(shift, scale**2, 0.0, 1.0), abs=1e-9
    )
    assert line_kl(density, target) == pytest.approx(
        gaussian_kl(shift, scale**2, 0.0, 1.0), rel=1e-10, abs=1e-13
    )
    assert half_line(density, 0.3) == pytest.approx(ndtr((0.3 - shift) / scale), abs=1e-12)


@pytest.mark.parametrize("shift", [1e-3, 1e-5, 1e-7])
def test_nearly_equal_densities_lose_no_digits(shift):
    """For a shift by t, W2 is t and KL is t^2 / 2."""
    density = normal(shift, 1.0)
    assert line_w2(density, normal(0.0, 1.0)) == pytest.approx(
        shift, abs=1e-9 if shift > 1e-6 else 1e-10
    )
    assert line_kl(density, log_normal(0.0, 1.0)) == pytest.approx(shift**2 / 2, rel=1e-7)


@pytest.mark.parametrize("stretch", [1e-2, 1e-4])
def test_kl_of_nearly_equal_densities_has_the_odd_term(stretch):
    """KL of N(0, (1 + e)^2) and N(0, 1) is `e^2 - e^3 / 3 + ...`."""
    u = (1 + stretch) ** 2 - 1
    exact = (u - math.log1p(u)) / 2
    assert line_kl(normal(0.0, 1 + stretch), log_normal(0.0, 1.0)) == pytest.approx(exact, rel=1e-6)


def test_a_wrong_weight_of_distant_modes_is_seen():
    """Mass 0.1 moves between modes with a density of 1e-22 between them, where quantile functions
    jump.
    """
    density, target = tabulated(two(0.2, 1.0, 0.1)), tabulated(two(0.3, 1.0, 0.1))
    shifted = line_w2(density, target) ** 2
    assert shifted == pytest.approx(0.1 * 1.73**2, rel=0.01)
    quantiles = np.linspace(0.0, 1.0, 400_001)[1:-1]
    gaps = density.refined(4).primitive().inverse(quantiles) - target.refined(
        4
    ).primitive().inverse(quantiles)
    assert shifted == pytest.approx(np.mean(gaps**2), rel=1e-4)
    assert half_line(density) == pytest.approx(0.2, abs=1e-13)


def test_total_variation() -> None:
    assert total_variation([1, 3, 0], [0.25, 0.25, 0.5]) == pytest.approx(0.5, rel=1e-15)
    assert total_variation([2, 0], [0, 7]) == 1.0
    assert total_variation([2, 4], [1, 2]) == 0.0


def brute_force(x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the U-statistic by differences."""
    x, y = x.flatten(1).double(), y.flatten(1).double()
    across, xx, yy = ((a[:, None] - b).norm(dim=2) for a, b in ((x, y), (x, x), (y, y)))
    n, m = len(x), len(y)
    return float(2 * across.mean() - xx.sum() / (n * (n - 1)) - yy.sum() / (m * (m - 1)))


@pytest.mark.parametrize("block", [1, 7, 1024])
@pytest.mark.parametrize("shape", [(1,), (3, 2)])
def test_it_is_the_u_statistic_whatever_the_block(
    shape: tuple[int, ...], block: int, monkeypatch
) -> None:
    monkeypatch.setattr(energy, "_BLOCK", block)
    x, y = draws(0, 23, *shape), draws(1, 31, *shape) + 10
    assert energy_distance(x, y) == pytest.approx(brute_force(x, y), rel=1e-12)
    z = draws(2, 5, *shape) + 9
    apart = brute_force(x, y) - brute_force(z, y)
    assert energy_difference(x, z, y) == pytest.approx(apart, rel=1e-12)


def test_a_mixture_without_noise_is_its_points() -> None:
    x, points = draws(0, 20, 2, 3), draws(1, 15, 2, 3)
    m = len(points)
    within = float(torch.pdist(points.flatten(1).double()).mean())
    expected = brute_force(x, points) + within / m  # Y and Y' may be one point
    assert MixtureReference(points, 0.0).energy_distance(x) == pytest.approx(expected, rel=1e-7)
    assert mixture_spread(points, 0.0) == pytest.approx(within * (m - 1) / m, rel=1e-7)


def test_one_point_gives_the_noise_of_two_draws() -> None:
    spread = mixture_spread(torch.ones(1, 3), 0.5)
    # E|z| in 3-D
    assert spread == pytest.approx(0.5 * math.sqrt(2) * math.sqrt(8 / math.pi), rel=1e-12)


def replicates(count: int, generator: torch.Generator) -> np.ndarray:
    """Return energy distances of samples of a mixture to that mixture."""
    points = draws(3, 12, 5)
    reference = MixtureReference(points, 0.3)

    def one() -> float:
        chosen = points[torch.randint(12, (32,), generator=generator)]
        return reference.energy_distance(
            chosen + 0.3 * torch.randn(32, 5, generator=generator, dtype=torch.float64)
        )

    return np.array([one() for _ in range(count)])


@pytest.mark.monte_carlo(share=0.01)
def test_against_its_own_distribution_it_is_zero_on_average(monte_carlo: MonteCarlo) -> None:
    """The bias of the V-statistic, E|Y - Y'| / 32 = 0.076, is some 1.5 standard deviations of one
    distance.
    """
    test = monte_carlo.note(plan_mean_test(600, effect=0.4, share=monte_carlo.share))
    distances = replicates(600, monte_carlo.torch())
    assert not test.rejects(distances)
    assert 2 * 0.4 * distances.std(ddof=1) < 0.076, "the detected effect is far below that bias"


def test_one_reference_serves_several_samples() -> None:
    points, generator = torch.rand(7, 2, 3), torch.Generator().manual_seed(2)
    reference, known = (
        MixtureReference(points, 0.3),
        MixtureReference(points, 0.3, mixture_spread(points, 0.3)),
    )
    for x in (torch.randn(4, 2, 3, generator=generator), torch.randn(5, 2, 3, generator=generator)):
        assert reference.energy_distance(x) == known.energy_distance(x)


def gaussian(points: np.ndarray) -> np.ndarray:
    """Return the Gaussian kernel of width 1 of points on the line."""
    return np.exp(-0.5 * (points[:, None] - points) ** 2)


def pool(
    n: int, m: int, seed: int = 0, shift: float = 0.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a kernel of n standard normal points and m shifted ones, and the weights of both."""
    points = np.random.default_rng(seed).standard_normal(n + m)
    first = np.arange(n + m) < n
    return gaussian(points + shift * ~first), first.astype(float), (~first).astype(float)


def test_both_estimates_are_the_means_over_pairs():
    k, x, y = pool(5, 7)
    kxx, kyy, kxy = k[:5, :5], k[5:, 5:], k[:5, 5:]
    assert mmd_squared(k, x, y, biased_within) == pytest.approx(
        kxx.mean() + kyy.mean() - 2 * kxy.mean(), rel=1e-12
    )
    different = [block[~np.eye(len(block), dtype=bool)].mean() for block in (kxx, kyy)]
    assert mmd_squared(k, x, y) == pytest.approx(sum(different) - 2 * kxy.mean(), rel=1e-12)


@given(counts=st.lists(st.integers(0, 3), min_size=9, max_size=9))
@settings(max_examples=25, deadline=None)
def test_a_weight_is_how_often_an_observation_occurs(counts):
    k, x, y = pool(4, 5)
    w = np.array(counts, dtype=float)
    if not (w * x).any() or not (w * y).any():
        return
    written = np.repeat(np.arange(9), counts)
    first = written < 4
    spelled = k[np.ix_(written, written)]
    expected = spelled[np.ix_(first, first)].mean() + spelled[np.ix_(~first, ~first)].mean()
    expected -= 2 * spelled[np.ix_(first, ~first)].mean()
    assert mmd_squared(k, w * x, w * y, biased_within) == pytest.approx(expected, abs=1e-12)


def test_a_pair_of_an_observation_and_its_copy_is_left_out_of_the_unbiased_mean():
    k, _, _ = pool(3, 0)
    assert unbiased_within(k, np.array([2.0, 1.0, 0.0])) == pytest.approx(k[0, 1], rel=1e-12)
    assert np.isnan(unbiased_within(k, np.array([2.0, 0.0, 0.0])))


def test_rows_are_taken_one_by_one():
    k, x, y = pool(6, 4)
    w = np.random.default_rng(1).integers(1, 4, (3, 10)).astype(float)
    for estimate in (biased_within, unbiased_within):
        rows = mmd_squared(k, w * x, w * y, estimate)
        for row, value in zip(w, rows, strict=True):
            assert value == pytest.approx(mmd_squared(k, row * x, row * y, estimate), abs=1e-12)
    assert across(k, w * x, w * y).shape == (3,)


def features(n, d, seed, shift=0.0):
    return draws(seed, n, d) + shift


def kernel(a, b):
    return float((a @ b / len(a) + 1) ** 3)


def test_kernel_distance_is_the_u_statistic():
    x, y = features(4, 3, 1), features(3, 3, 2)
    of_x = np.mean([kernel(a, b) for a, b in itertools.permutations(x, 2)])
    of_y = np.mean([kernel(a, b) for a, b in itertools.permutations(y, 2)])
    both = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(of_x + of_y - 2 * both, rel=1e-12)


def balls(x, k):
    apart = np.array([[float((a - b).norm()) for b in x] for a in x])
    return np.sort(apart, axis=1)[:, k]


def test_support_is_its_definition():
    x, y, k = features(9, 2, 3), features(8, 2, 4, shift=0.5), 2
    of_x, of_y = balls(x, k), balls(y, k)
    apart = np.array([[float((a - b).norm()) for b in y] for a in x])
    shares = support(x, y, k)
    assert shares.precision == pytest.approx(np.mean((apart <= of_y).any(1)))
    assert shares.recall == pytest.approx(np.mean((of_x >= apart.T).any(1)))
    assert shares.density == pytest.approx((apart <= of_y).sum() / k / len(x))
    assert shares.coverage == pytest.approx(np.mean((apart <= of_y).any(0)))


def test_expected_coverage_is_that_of_equal_distributions():
    """The interval of 99.99 % of 200 pairs of sets contains the combinatorial value."""
    values = [
        support(features(20, 2, 2 * s), features(30, 2, 2 * s + 1), 3).coverage
        for s in range(1000, 1200)
    ]
    interval = mean_interval(values, 0.9999)
    assert (
        interval.low < expected_coverage(30, 20, 3) < interval.high
        and interval.high - interval.low < 0.08
    )
    assert expected_coverage(2, 1, 1) == pytest.approx(1 / 2)


ONES = torch.ones(9, 2)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: gaussian_w2(0.0, -1.0, 0.0, 1.0), "negative"),
        (lambda: gaussian_kl(0.0, 1.0, 0.0, -1.0), "negative"),
        (lambda: gaussian_kl(0.0, 1.0, 0.0, 0.0), "target is zero"),
        (lambda: frechet_distance(ONES[:1], ONES), "at least two"),
        (lambda: frechet_distance(ONES * math.nan, ONES), "not finite"),
        (lambda: total_variation([1.0], [0.5, 0.5]), "shapes"),
        (lambda: total_variation([-1.0, 2.0], [0.5, 0.5]), "non-neg"),
        (lambda: total_variation([0.0, 0.0], [0.5, 0.5]), "total"),
        (lambda: energy_distance(ONES[:1], ONES), "at least 2"),
        (lambda: energy_distance(ONES, torch.ones(3, 3)), "."),
        (lambda: MixtureReference(ONES, 0.1).energy_distance(ONES[:1]), "at least two"),
        (
            lambda: MixtureReference(ONES, 0.1).energy_distance(ONES.T),
            r"shape \(2,\) are needed, not \(2, 9\)",
        ),
        (lambda: mixture_spread(ONES[:0], 0.1), "at least 1"),
        (lambda: kernel_distance(ONES[:1], ONES), "at least"),
        (lambda: kernel_distance(ONES, torch.ones(9, 3)), "."),
        (lambda: support(ONES[:1], ONES), "at least"),
        (lambda: support(ONES, torch.ones(9, 3)), "."),
    ],
)
def test_what_has_no_distance_is_refused(call, match: str) -> None:
    """A shape that does not fit is refused by the checks of shapes, where they are on."""
    with pytest.raises((ValueError, TypeError), match=match):
        call()
