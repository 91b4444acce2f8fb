"""The networks: their start, their preconditioning, what the module sees, and the posterior's score."""

from typing import Any

import pytest
import torch

from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from ams.schedules import Level
from experiments.images.runs import Problem, denoised, generator, run
from related.mri.forward import NOISE, Scan, consistent, encoding, measure
from related.mri.networks import LARGEST, MEAN, SMALLEST, SPREAD, Denoiser, Sizes, score_of
from related.mri.posterior import posterior_score, unknown_variance
from related.mri.unrolled import AT, DenoisingModule, Unrolled, seen
from tests.related.mri.made import gaussian_prior, heads
from tests.rounding import rounding


def silent(model: Any) -> Any:
    """Return a network whose U-Net answers 0: its last weights are 0 from the start, its last bias is made so."""
    torch.nn.init.zeros_(model.network.last.bias)
    return model


def test_an_untrained_prior_is_that_of_gaussian_pixels() -> None:
    network = silent(Denoiser(Sizes(widths=(8, 8), blocks=1)))
    x, level = heads(2) + 0.3 * torch.randn(2, 64, 64), Level(0, sigma=0.3)
    assert torch.allclose(score_of(network).score(x, level), gaussian_prior(x, level), atol=1e-5)


@pytest.mark.parametrize("v", [SMALLEST / 2, 2 * LARGEST])
def test_a_noise_level_outside_the_trained_range_is_refused(v: float) -> None:
    with pytest.raises(ValueError, match="was trained"):
        score_of(Denoiser(Sizes(widths=(8,), blocks=1))).score(heads(1), Level(0, sigma=v))


def test_an_untrained_module_returns_its_image_and_sees_step_and_residual() -> None:
    x = heads(2)
    scan = measure(x, 4, 0, generator(0, 0))
    given = seen(x, gaussian_prior, scan)
    assert torch.equal(silent(DenoisingModule())(given), x)
    assert torch.allclose(given[:, 1], AT**2 * gaussian_prior(x, Level(0, sigma=AT)))
    assert given[:, 2].abs().max() < 6 * NOISE


def test_an_untrained_unrolled_network_is_repeated_consistency() -> None:
    """By its own weights to the bit: of .05 they keep what the rounding of a logarithm near -3 and of exp leaves."""
    network, scan = silent(Unrolled()), measure(heads(2), 4, 0, generator(0, 0))
    weights, x = network.weights.exp(), scan.b
    for weight in weights:
        x = consistent(x, scan, weight)
    assert torch.equal(network(scan, torch.rand(2, 64, 64)), x)
    assert weights.tolist() == pytest.approx([0.05] * 5, rel=rounding(4))


def test_guided_and_unguided_networks_have_equal_parameters() -> None:
    assert sum(each.numel() for each in Unrolled().parameters()) == 98_329


def test_the_posterior_of_gaussian_pixels_is_sampled_with_its_mean_and_variance() -> None:
    """Pixels are independent N(MEAN, SPREAD^2): the posterior is Gaussian, its mean is a regularised solution.

    The score's data term leaves out how D depends on x, so it is exact where sigma is small: samples are compared in
    their mean, which tapered BAOAB must have, to within five standard errors of 40 runs of 64 x 64 pixels.
    """
    draws = generator(0, 1)
    x = MEAN + SPREAD * torch.randn(1, 64, 64, generator=draws)
    one = measure(x, 4, 0, draws)
    exact = consistent(torch.full_like(x, MEAN), one, NOISE**2 / SPREAD**2)
    scan = Scan(one.b.expand(40, 64, 64), encoding(64, 4, 0))
    problem = Problem(posterior_score(gaussian_prior, scan), (64, 64), SigmaRange(2.0, 0.01))
    end = run(problem, SPECS["annealed BAOAB, tapered"], 60, Hyperparameters(), 40, draws).x
    error = denoised(problem, end).mean(0) - exact[0]
    assert error.square().mean().sqrt() < 5 * SPREAD / 40**0.5
    assert error.square().mean() < 0.1 * (x - exact).square().mean()


def test_what_is_left_unknown_is_the_smaller_of_noise_and_spread() -> None:
    assert unknown_variance(1e-3) == pytest.approx(1e-6, rel=1e-4)
    assert unknown_variance(1e3) == pytest.approx(SPREAD**2, rel=1e-4)
