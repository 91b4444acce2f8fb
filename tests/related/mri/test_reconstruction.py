"""Reconstruction of brain slices: what goes into it, and the claims N4 to N4e with the change that
flips each.

What goes in are slices, encoding and noise, the untrained networks and the posterior's score.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ams.data import volume
from ams.errors import UserError
from ams.samplers.presets import SPECS, Hyperparameters, SigmaRange
from ams.schedules import Level
from ams.statistics.tuning import optima_on_edge
from experiments.images.runs import Problem, denoised, generator, run
from related.mri.data import COUNT, SIDE, SUBJECTS, head_mask, prepared, slices, split
from related.mri.forward import (
    NOISE,
    Scan,
    adjoint,
    consistent,
    encoding,
    forward,
    measure,
    residual,
    row_mask,
    sensitivities,
    spectral,
)
from related.mri.guidance import TUNED
from related.mri.metrics import Quality
from related.mri.networks import LARGEST, MEAN, SMALLEST, SPREAD, Denoiser, Sizes, score_of
from related.mri.posterior import posterior_score, unknown_variance
from related.mri.reconstruction import study
from related.mri.reconstruction.checks import ADAPTIVE, CORRECTED, KINETIC, LANGEVIN, PGI
from related.mri.reconstruction.settings import Settings
from related.mri.reconstruction.study import (
    GUIDED,
    MODULE,
    SENSED,
    UNGUIDED,
    Reconstruction,
    ScannedSubject,
)
from related.mri.tuning import GRIDS, NATURAL
from related.mri.unrolled import AT, DenoisingModule, Unrolled, seen
from tests.ams.tools import found_or_skipped, rounding
from tests.claims import claim_of, upheld, verdict_of

SMALL = Settings(budgets=(30, 100))
FEW_GUIDED, FEW_UNGUIDED = "guided-quarter", "unguided-quarter"
EVEN = dict.fromkeys((LANGEVIN, ADAPTIVE, CORRECTED, KINETIC), 0.02)


def heads(count: int, seed: int = 0) -> torch.Tensor:
    """Return bright ellipses with a darker one inside, (count, 64, 64)."""
    draw = torch.Generator().manual_seed(seed)
    place = torch.arange(64) - 31.5
    sizes = 18 + 6 * torch.rand(count, 2, generator=draw)
    inside = (place[:, None] / sizes[:, :1, None]).square() + (place / sizes[:, 1:, None]).square()
    return 0.6 * (inside < 1).float() - 0.3 * (inside < 0.3).float()


def gaussian_prior(x: torch.Tensor, level: Level) -> torch.Tensor:
    """Return the score of independent N(MEAN, SPREAD^2) pixels."""
    return (MEAN - x) / (SPREAD**2 + level.sigma**2)


def ellipsoid(shape: tuple[int, int, int], middle: tuple[float, float, float]) -> np.ndarray:
    places = np.meshgrid(*map(np.arange, shape), indexing="ij")
    inside = sum(((p - m) / r) ** 2 for p, m, r in zip(places, middle, (35, 45, 70), strict=True))
    return np.where(inside < 1, 400.0 + 2 * places[1], 0.0)


def test_slices_are_centred_scaled_and_come_from_the_vertex_down() -> None:
    found = prepared(ellipsoid((106, 127, 135), (50.0, 66.0, 60.0)))
    assert found.shape == (COUNT, SIDE, SIDE) and found.dtype == np.float32
    areas = (found > 0.3).sum((1, 2))
    assert areas[0] < areas[20] < areas[45] and 0.5 < found.max() <= 1.1
    rows, columns = np.nonzero(found[45] > 0.3)
    assert abs(rows.mean() - 31.5) < 1 and abs(columns.mean() - 31.5) < 1
    assert found[45, 14, 32] > found[45, 50, 32], "the front, which is brighter, is not above"


def test_the_mask_is_the_filled_head() -> None:
    x = heads(2)
    ring = torch.where((x > 0) & (x < 0.5), 0.0, x)
    assert torch.equal(head_mask(ring), x > 0)


def test_an_unknown_volume_is_one_line() -> None:
    with pytest.raises(UserError, match="unknown volume"):
        volume("nichart-t1-1")


def test_a_real_volume_makes_slices() -> None:
    found = found_or_skipped(slices, split().train[0])
    assert found.shape == (COUNT, SIDE, SIDE) and 0.05 < found.mean() < 0.2
    assert 0.2 < head_mask(found[::10]).float().mean() < 0.6


@pytest.mark.parametrize("acceleration", [4, 8])
def test_a_mask_has_its_rows_and_its_centre(acceleration: int) -> None:
    mask = row_mask(64, acceleration, 3)
    assert mask.sum() == 64 // acceleration and mask[:2].all() and mask[-2:].all()
    assert not torch.equal(mask, row_mask(64, acceleration, 4))


def test_sensitivities_are_divided_by_their_root_sum_of_squares() -> None:
    assert (sensitivities(64).abs().square().sum(0) - 1).abs().max() < 1e-14


def test_the_eigenvectors_are_those_of_the_real_part_of_the_normal_operator() -> None:
    """In float32, of pixels up to 1: two products over 64 rows, and two transforms of 12 stages."""
    x, encoded = heads(2), encoding(64, 4, 0)
    direct = adjoint(forward(x, encoded.mask, encoded.coils), encoded.mask, encoded.coils).real
    assert (spectral(x, encoded, encoded.values) - direct).abs().max() < rounding(2 * 64 + 2 * 12)
    assert encoded.values.min() >= 0 and encoded.values.max() <= 1


@pytest.mark.parametrize("weight", [1e-3, 1.0])
def test_consistency_solves_its_equation(weight: float) -> None:
    """In float32, of pixels up to 1: four products over 64 rows. Division by `N + weight` is
    undone again.
    """
    x = heads(2)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    found = consistent(0.9 * x, scan, weight)
    assert (residual(found, scan) + weight * (0.9 * x - found)).abs().max() < rounding(4 * 64)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("acceleration", [4, 8])
def test_the_adjoint_is_exact(acceleration: int, seed: int) -> None:
    """`<A x, y> = <x, A^H y>` to 1e-12 of it, random complex x and y, float64."""
    draws = torch.Generator().manual_seed(seed)
    mask, coils = row_mask(SIDE, acceleration, seed), sensitivities(SIDE)
    x = torch.randn((1, SIDE, SIDE), dtype=torch.complex128, generator=draws)
    y = torch.randn((1, len(coils), SIDE, SIDE), dtype=torch.complex128, generator=draws)
    forth = torch.vdot(forward(x, mask, coils).flatten(), y.flatten())
    back = torch.vdot(x.flatten(), adjoint(y, mask, coils).flatten())
    assert (forth - back).abs() <= 1e-12 * forth.abs()


def test_each_subject_is_in_one_part_of_the_split() -> None:
    train, develop, test = split()
    assert sorted((*train, *develop, *test)) == list(SUBJECTS)
    assert (len(train), len(develop), len(test)) == (15, 3, 5)


def test_no_tuned_hyperparameter_is_at_an_end_of_what_was_tried() -> None:
    """Natural ends do not count: one step per noise level, geometric noise levels."""
    chosen = json.loads(TUNED.read_text(encoding="utf-8"))["chosen"]
    best = {
        f"{sampler}, {budget}, choice {choice}": values
        for sampler, budgets in chosen.items()
        for budget, choices in budgets.items()
        for choice, values in choices.items()
    }
    assert best and optima_on_edge(GRIDS, best, NATURAL) == []


def test_the_noise_has_the_stated_deviation() -> None:
    """What remains of the true image's residual is A^H of the noise: its variance is NOISE^2
    trace(N) / pixels.
    """
    x = heads(200)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    share = scan.encoding.values.mean().item()
    assert residual(x, scan).square().mean().item() == pytest.approx(NOISE**2 * share, rel=0.02)


def silent(model: Any) -> Any:
    """Return a network whose U-Net answers 0: its last weights are 0 from the start, its last
    bias is made so.
    """
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
    """By its own weights to the bit: of .05 they keep what the rounding of a logarithm near -3
    and of exp leaves.
    """
    network, scan = silent(Unrolled()), measure(heads(2), 4, 0, generator(0, 0))
    weights, x = network.weights.exp(), scan.b
    for weight in weights:
        x = consistent(x, scan, weight)
    assert torch.equal(network(scan, torch.rand(2, 64, 64)), x)
    assert weights.tolist() == pytest.approx([0.05] * 5, rel=rounding(4))


def test_guided_and_unguided_networks_have_equal_parameters() -> None:
    assert sum(each.numel() for each in Unrolled().parameters()) == 98_329


def test_the_posterior_of_gaussian_pixels_is_sampled_with_its_mean_and_variance() -> None:
    """Pixels are independent N(MEAN, SPREAD^2): the posterior is Gaussian, its mean is a
    regularised solution.

    The score's data term leaves out how D depends on x, so it is exact where sigma is small:
    samples are compared in their mean, which tapered BAOAB must have, to within five standard
    errors of 40 runs of 64 x 64 pixels.
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


def outcome(psnr: float, nmse: float = 0.01) -> Reconstruction:
    """Return an outcome of two slices with this quality."""
    pair = np.ones(2)
    return Reconstruction(np.zeros((2, 64, 64)), Quality(psnr * pair, 0.9 * pair, nmse * pair))


def by_subject(values: dict[str, float]) -> Callable[..., Quality]:
    """Return what stands for a cell of samplers: NMSE by sampler, a little different from
    subject to subject.
    """

    def made(case: ScannedSubject, sampler: str, budget: int, given: Hyperparameters) -> Quality:
        return outcome(20.0, values[sampler] * (1 + 0.01 * (case.subject % 3))).quality

    return made


@pytest.mark.parametrize(
    ("check", "sampler", "ends"),
    [
        ("N4.error", ADAPTIVE, {0.9: "holds", 1.1: "refuted"}),
        ("N4a.error", ADAPTIVE, {0.9: "holds", 1.1: "refuted"}),
        ("N4b.kinetic", KINETIC, {0.9: "holds", 1.1: "refuted"}),
        ("N4j.corrected", CORRECTED, {1.0: "holds", 0.8: "refuted"}),
    ],
)
def test_a_sampler_with_another_error_refutes(
    monkeypatch: pytest.MonkeyPatch, check: str, sampler: str, ends: dict[float, str]
) -> None:
    """Falsifier of N4: a sampler whose error over Langevin's is another."""
    for factor, verdict in ends.items():
        monkeypatch.setattr(study, "sampled_quality", by_subject({**EVEN, sampler: 0.02 * factor}))
        assert verdict_of("N4", check, settings=SMALL) == verdict


def test_runs_that_vary_alike_refute_n4(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of adaptive momentum that differ as much as Langevin's."""
    for factor, verdict in ((1.0, "refuted"), (0.8, "holds")):

        def between(
            case: ScannedSubject, sampler: str, *_: object, factor: float = factor
        ) -> float:
            return (factor if sampler == ADAPTIVE else 1.0) * (1 + 0.01 * (case.subject % 3))

        monkeypatch.setattr(study, "between", between)
        assert verdict_of("N4", "N4k.variance", settings=SMALL) == verdict


def with_outcomes(monkeypatch: pytest.MonkeyPatch, psnr: dict[str, float]) -> None:
    """Make up the PSNR by method (`PGI`: the sampler's), with differences by subject."""

    def made(method: str, case: ScannedSubject) -> Reconstruction:
        return outcome(psnr[method] + 0.01 * (case.subject % 3))

    monkeypatch.setattr(study, "sampled", lambda case, sampler, budget, given: made(PGI, case))
    monkeypatch.setattr(study, "reconstructed", lambda case, method: made(method, case))


@pytest.mark.parametrize(
    ("checks", "psnr", "worse"),
    [
        # networks that gain half a decibel over compressed sensing, not two
        (
            ("N4c.unguided", "N4c.guided"),
            {SENSED: 25.0, GUIDED: 27.0, UNGUIDED: 27.0},
            {GUIDED: 25.5, UNGUIDED: 25.5},
        ),
        # a denoising module that returns what it is given
        (("N4d.gain",), {PGI: 25.0, MODULE: 27.5}, {MODULE: 25.0}),
        # a guided network that is no better than the unguided one, with a quarter of the subjects
        (
            ("N4f.growth",),
            {GUIDED: 27.5, UNGUIDED: 27.0, FEW_GUIDED: 27.0, FEW_UNGUIDED: 26.0},
            {FEW_GUIDED: 26.0},
        ),
    ],
)
def test_a_network_that_gains_less_refutes(
    monkeypatch: pytest.MonkeyPatch,
    checks: tuple[str, ...],
    psnr: dict[str, float],
    worse: dict[str, float],
) -> None:
    """Falsifier of N4c."""
    for verdict, values in (("holds", psnr), ("refuted", psnr | worse)):
        with_outcomes(monkeypatch, values)
        verdicts = {verdict_of(claim_of(name), name, settings=SMALL) for name in checks}
        assert verdicts == {verdict}


def test_a_poorer_rival_would_make_n4e_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of the refutation N4e: PSNR as measured, then compressed sensing in the unguided
    network's place.
    """
    psnr = {GUIDED: 26.6, UNGUIDED: 26.8, SENSED: 25.0}
    with_outcomes(monkeypatch, psnr)
    with upheld("N4e", settings=SMALL):
        with_outcomes(monkeypatch, psnr | {UNGUIDED: psnr[SENSED]})


def test_the_truth_has_the_best_quality() -> None:
    x = heads(2)
    scan = measure(x, 4, 0, torch.Generator().manual_seed(0))
    best, worse = study.judged(x, x + 1e-4), study.judged(x, scan.b)
    assert (
        (best.quality.psnr > 70).all()
        and (best.quality.ssim > 0.99).all()
        and (best.quality.nmse < 1e-5).all()
    )
    assert (worse.quality.psnr < 30).all() and (worse.quality.ssim < 0.9).all()
