"""The empirical target against a naive float64 reference, also between points and at small sigma.

Its logits come by products and by differences; the rounding of products is estimated on several
kinds of data.
"""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from torch import Tensor

from ams.schedules import Level
from ams.statistics import goodness_of_fit, plan_fit_test, plan_squares_test
from ams.targets import CLEAN, Empirical, empirical, points, posterior
from ams.targets.points import Cloud, Query
from tests.ams.tools import draws
from tests.monte_carlo import MonteCarlo

LEVELS = [Level(0, sigma) for sigma in (1e-3, 0.02, 0.1, 1.0, 50.0)] + [
    Level(0, math.sqrt(1 - r**2), r) for r in (0.9999, 0.5, 1e-2)
]


def digits(dtype: torch.dtype = torch.float32) -> Tensor:
    """Return scikit-learn's digits in 255ths, as float32 rounds them (sixteenths would hide all
    rounding).
    """
    return torch.from_numpy((load_digits().images * 255 / 16).round() / 255).float().to(dtype)


def hard_rows(data: Tensor, level: Level) -> Tensor:
    """Return rows to ask about: midpoints of neighbours, draws, the mean, noise alone, far away;
    scaled as x_t is.
    """
    flat = data.flatten(1).double()
    some = flat[:40]
    distance = torch.cdist(some, flat)
    distance[range(40), range(40)] = math.inf
    middle = (some + flat[distance.argmin(1)]) / 2
    noise = draws(1, 40, flat.shape[1])
    centre = flat.mean(0, keepdim=True)
    kinds = [
        middle,
        some + level.sigma / max(level.scale, 1e-9) * noise,
        centre,
        noise,
        1e3 * noise[:5],
    ]
    return (level.scale * torch.cat(kinds)).to(data.dtype).reshape(-1, *data.shape[1:])


def naive(data: Tensor, x: Tensor, level: Level) -> tuple[np.ndarray, np.ndarray]:
    """Return log density and denoised rows in float64, by differences and scipy's logsumexp."""
    p, rows = data.flatten(1).double().numpy(), x.flatten(1).double().numpy()
    squares = np.stack([((row - level.scale * p) ** 2).sum(1) for row in rows])
    logits = -squares / (2 * level.sigma**2)
    log_sum = logsumexp(logits, axis=1)
    log_volume = math.log(len(p)) + p.shape[1] / 2 * math.log(2 * math.pi * level.sigma**2)
    return log_sum - log_volume, np.exp(logits - log_sum[:, None]) @ p


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"{level.scale:g}-{level.sigma:.2g}")
def test_float64_agrees_with_the_naive_reference(level: Level) -> None:
    """Tolerance: rounding of a logit of size |x|^2 / sigma^2, both here and there."""
    data = digits(torch.float64)[:300]
    x, target = hard_rows(data, level), Empirical(data)
    log_density, denoised = naive(data, x, level)
    assert target.log_density(x, level).numpy() == pytest.approx(log_density, rel=1e-10)
    tolerance = 1e-13 * float(x.flatten(1).square().sum(1).max()) / level.sigma**2 + 1e-12
    assert float(np.abs(target.denoise(x, level).flatten(1) - denoised).max()) < min(
        tolerance, 1e-5
    )
    score = (level.scale * denoised - x.flatten(1).numpy()) / level.sigma**2
    assert target.score(x, level).flatten(1).numpy() == pytest.approx(
        score, rel=1e-7, abs=tolerance / level.sigma**2
    )


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: f"{level.scale:g}-{level.sigma:.2g}")
def test_float32_stays_near_float64_between_points_too(level: Level) -> None:
    """The bound is 2e-3 in a pixel at sigma >= 0.02; it holds with a margin, and at sigma =
    1e-3.
    """
    data = digits()[:300]
    x, target = hard_rows(data, level), Empirical(data)
    log_density, denoised = naive(data, x, level)
    assert float(np.abs(target.denoise(x, level).flatten(1) - denoised).max()) < 1e-3
    assert target.log_density(x, level).numpy() == pytest.approx(log_density, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("logits", [1, 300])
@pytest.mark.parametrize("few", [0.0, 1.0])
@pytest.mark.parametrize("sigma", [1e-3, 0.05, 1.0])
def test_the_result_does_not_depend_on_blocks(
    sigma: float, few: float, logits: int, monkeypatch
) -> None:
    """One point a block and several, tiles, three rows a query, pairs in parts; both ways for the
    remaining pairs.
    """
    data, level = digits()[:40], Level(0, sigma)
    x = hard_rows(data, level)[36:45]
    whole = Empirical(data).denoise(x, level)
    monkeypatch.setattr(points, "_LOGITS", logits)
    monkeypatch.setattr(points, "_DIFFERENCES", 300)
    monkeypatch.setattr(points, "_TILE", 64 * 3)
    monkeypatch.setattr(empirical, "_ROWS", 3)
    monkeypatch.setattr(posterior, "_FEW", few)
    assert torch.allclose(Empirical(data).denoise(x, level), whole, atol=1e-5)


def test_rows_that_are_not_finite_give_nan_and_leave_the_others_alone() -> None:
    target = Empirical(digits())
    for sigma in (0.02, 1.0):
        level = Level(0, sigma)
        x = hard_rows(digits(), level)[:4]
        broken = x.clone()
        broken[1, 0, 0], broken[2, 3, 3] = math.nan, -math.inf
        for method in (target.score, target.denoise, target.log_density):
            partly, whole = method(broken, level), method(x, level)
            assert bool(partly[1:3].isnan().all())
            assert torch.allclose(partly[::3], whole[::3], rtol=1e-5, atol=1e-5)
        nearest = target.nearest(broken, level)
        assert nearest.point[1:3].tolist() == [-1, -1] and bool(nearest.residual[1:3].isnan().all())


def test_the_nearest_point_is_by_exact_distance_the_first_of_equals() -> None:
    data = torch.cat([digits()[:300], digits()[:300]])
    level = Level(0, 3.0, 0.7)
    x = hard_rows(data, level)
    nearest = Empirical(data).nearest(x, level)
    squares = (x.double().flatten(1)[:, None] - 0.7 * data.double().flatten(1)).square().sum(2)
    assert nearest.point.tolist() == squares.argmin(1).tolist() and int(nearest.point.max()) < 300
    residual = x.double() - 0.7 * data[nearest.point].double()
    assert torch.equal(nearest.residual, residual)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_answer_is_new_of_the_shape_and_dtype_asked(dtype: torch.dtype) -> None:
    target, level = Empirical(digits()).to(dtype), Level(0, 0.3)
    x = hard_rows(digits(dtype), level)
    before = x.clone()
    for answer in (target.score(x, level), target.denoise(x, level)):
        assert (answer.shape, answer.dtype) == (x.shape, dtype)
        assert answer.data_ptr() != x.data_ptr()
    assert torch.equal(x, before)
    assert target.log_density(x, level).dtype == dtype and target.score(
        x.flatten(1), level
    ).shape == (len(x), 64)
    assert (
        target.score(x[:0], level).shape == (0, 8, 8)
        and len(target.nearest(x[:0], level).point) == 0
    )


def test_the_marginal_is_the_target_at_the_noise_level() -> None:
    data, level = digits(torch.float64)[:50], Level(0, 0.6, 0.8)
    target, x = Empirical(data), hard_rows(data, level)
    marginal = target.marginal(level)
    assert marginal.bandwidth == pytest.approx(0.6)
    assert torch.allclose(marginal.score(x, CLEAN), target.score(x, level), rtol=1e-9, atol=1e-9)
    assert torch.allclose(marginal.log_density(x, CLEAN), target.log_density(x, level), rtol=1e-9)
    further = Level(0, 0.3, 0.5)
    both = Level(0, math.hypot(0.5 * 0.6, 0.3), 0.5 * 0.8)
    assert torch.allclose(marginal.score(x, further), target.score(x, both), rtol=1e-9, atol=1e-9)
    # no copy
    assert (
        marginal.marginal(Level(0, 0.1)).cloud.points.data_ptr() == marginal.cloud.points.data_ptr()
    )


def test_denoising_with_a_bandwidth_is_tweedies_formula() -> None:
    """`E[x_0 | x] = (x + sigma^2 score) / scale` holds for any distribution of x_0."""
    target, level = Empirical(digits(torch.float64)[:50], bandwidth=0.4), Level(0, 0.6, 0.8)
    x = hard_rows(digits(torch.float64)[:50], level)
    assert torch.allclose(
        target.denoise(x, level), (x + 0.36 * target.score(x, level)) / 0.8, rtol=1e-9, atol=1e-9
    )


@pytest.mark.monte_carlo(share=0.01)
def test_samples_have_the_distribution(monte_carlo: MonteCarlo) -> None:
    """At sigma 1e-3 every draw is close to its point: tests of the counts and of the squares of the
    noise.
    """
    data, level, n, share = digits()[:20], Level(0, 1e-3, 0.9), 10_000, monte_carlo.share / 2
    samples = Empirical(data).sample(n, level, monte_carlo.torch())
    assert samples.shape == (n, 8, 8)
    nearest = Empirical(data).nearest(samples, level)
    counts = monte_carlo.note(plan_fit_test(n, [1 / 20] * 20, effect=0.11, share=share))
    assert not counts.rejects(
        goodness_of_fit(torch.bincount(nearest.point, minlength=20).numpy(), [1 / 20] * 20)
    )
    z = nearest.residual / level.sigma
    squares = monte_carlo.note(plan_squares_test(z.numel(), effect=0.016, share=share))
    assert not squares.rejects(float(z.square().sum()))
    assert torch.equal(samples, Empirical(data).sample(n, level, monte_carlo.torch()))
    clean = Empirical(data).sample(5, CLEAN, torch.Generator())
    assert bool((Empirical(data).nearest(clean, CLEAN).residual == 0).all())


@pytest.mark.parametrize(
    ("given_points", "message"),
    [
        (torch.zeros(0, 3), "shape"),
        (torch.zeros(3), "shape"),
        (torch.tensor([[1.0], [math.nan]]), "not finite"),
     (torch.tensor([[1.0], [math.inf]]), "not finite")],
)  # fmt: skip
def test_invalid_points_are_refused(given_points: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"empirical: .*{message}"):
        Empirical(given_points)


def test_invalid_arguments_are_refused() -> None:
    target = Empirical(digits())
    with pytest.raises(ValueError, match="no density at sigma = 0"):
        target.score(digits(), CLEAN)
    assert len(target) == 1797


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Return standard normal float32 numbers."""
    return draws(seed, *shape, dtype=torch.float32)


CLOUDS = {
    "plane": normal(3000, 2),
    "far from the origin": normal(3000, 2) + 100,
    "pixels": (normal(1000, 784) > 1).float()
    * torch.rand(1000, 784, generator=torch.Generator().manual_seed(1)),
    "many dimensions": normal(200, 3072),
    "nearly constant": 1 + 0.01 * normal(500, 784),
    "heavy tails": torch.exp(3 * normal(2000, 64)),
}


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("kind", CLOUDS)
def test_rounding_is_estimated_from_above(kind: str, scale: float) -> None:
    """The largest error over all points against products in float64, on points, midpoints, near and
    far rows.

    Ten per cent over the estimate is allowed, since the window computed from it has a margin of
    e^-27.
    """
    points = CLOUDS[kind]
    some, noise = points[:100], normal(100, points.shape[1], seed=2)
    x = scale * torch.cat(
        [
            some,
            (some + points[100:200]) / 2,
            some + 0.02 * noise,
            noise,
            100 * noise,
            torch.ones_like(noise),
        ]
    )
    query = Query(Cloud.of(points), x, scale, 1.0)
    error = query.products(query.cloud) - query.products(query.cloud.wide())
    assert float((error.abs().amax(1) / query.roundoff).max()) < 1.1
