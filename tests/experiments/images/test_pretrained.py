"""The pretrained network's group: what its checks say of numbers that are known, and its runs on a score that is known.

Nothing here needs the network: where runs are made, the score is exact for a few made-up images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from experiments.images.pretrained.trajectory import gaussian_prediction, point_prediction, spectrum
from torch import Tensor

from ams.samplers import Particles, State, last, run as loop
from ams.samplers.noise_sources import generated
from ams.schedules import Level
from ams.targets import Empirical
from experiments.images.networks.classifier import SHA256
from experiments.images.pretrained import checks, controls, features, runs
from experiments.images.pretrained.checks import figures, tables
from experiments.images.pretrained.quality import Quality, blank, judge, noise_level
from experiments.images.pretrained.runs import Settings
from experiments.images.runs import ENTRANTS, generator, run
from tests.claims import claims, verdict_of
from verdicts import InsufficientData
from verdicts.claims.schema import Verdict

SMALL = Settings(
    budgets=(20, 50),
    batches=4,
    batch=4,
    others=("consistent annealed sampling",),
    few=3,
    late=20,
    factors=(1.0,),
    snrs=(0.16, 0.32),
    repeats=(5,),
    reference=40,
    images=6,
    times=2,
    noisy=10,
    clean=20,
    tutorial=4,
    companions=3,
    seed=77,
)
AS_MEASURED = {
    "annealed Langevin": {20: 58.0, 50: 7.5, 100: 2.4, 200: 1.0},
    "adaptive momentum": {20: 52.0, 50: 4.8, 100: 1.4, 200: 0.6},
    "PC, Langevin": {20: 13.5, 50: 1.40, 100: 0.58, 200: 0.3},
    "PC, adaptive": {20: 10.5, 50: 1.22, 100: 0.44, 200: 0.25},
    "ancestral": {20: 0.1, 50: 0.13, 100: 0.12, 200: 0.12},
    "SDE-DPM-Solver++": {100: 0.13},
    "annealed BAOAB, e = 1/2": {100: 2.6},
    controls.LAGGED: {50: 1.25},
    controls.DRIFT: {50: 1.36},
    controls.DROPPED: {50: 1.26},
    controls.HEATED: {50: 1.25},
    controls.MATCHED: {50: 1.355},
}
"""Energy distances of the size that the network's runs have."""


def pictures(count: int) -> Tensor:
    """Return made-up images: random squares of ink, blank at the edges."""
    x = torch.zeros(count, 28, 28)
    generator = torch.Generator().manual_seed(0)
    corners = torch.randint(4, 16, (count, 2), generator=generator)
    for image, (i, j) in zip(x, corners.tolist(), strict=True):
        image[i : i + 8, j : j + 8] = torch.rand(8, 8, generator=generator)
    return x


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[Empirical]:
    """Put an exact score in the network's place, and made-up images in that of MNIST's."""
    target = Empirical(pictures(30))
    monkeypatch.setattr(runs, "score", lambda settings: target.score)
    monkeypatch.setattr(runs, "test_images", lambda: pictures(90))
    cached = (runs.judged, runs.floor, runs.performed, runs.entrant, runs.factor, runs.tuned, runs.losses)
    others = (runs.by_the_tutorial, runs.companions, runs.recorded, features.judge, features.floors, features.found)
    for function in (*cached, *others):
        function.cache_clear()
    yield target
    for function in (*cached, *others):
        function.cache_clear()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that puts numbers in the runs' place: as measured, but for samplers that are exchanged."""

    def tell(**exchanged: str) -> None:
        names = {given.replace("_", " "): source for given, source in exchanged.items()}

        def performed(settings: Settings, name: str, budget: int) -> runs.Run:
            level = AS_MEASURED[names.get(name, name)][budget]
            noise = np.random.default_rng(budget).normal(0, 0.02, settings.batches)
            own = np.random.default_rng(len(name)).normal(0, 0.002, settings.batches)
            quality = [
                Quality(level * (1 + a + b), 2 + level * (1 + a + b), 0.05) for a, b in zip(noise, own, strict=True)
            ]
            return runs.Run(budget, quality, torch.zeros(1, 28, 28))

        monkeypatch.setattr(runs, "performed", performed)
        monkeypatch.setattr(runs, "factor", lambda settings: 1.03)
        monkeypatch.setattr(runs, "tuned", lambda settings, name: (runs.RELEASED, performed(settings, name, 50)))
        exact = [Quality(0.0, 1.0 + 0.001 * k, 0.0) for k in range(4)]
        monkeypatch.setattr(runs, "floor", lambda settings: exact)

    return tell


def verdict(identifier: str, only: str = "") -> Verdict:
    return verdict_of(identifier, only, Settings())


@pytest.mark.parametrize("identifier", ["I2", "I3", "I4", "I5", "I6", "I9"])
def test_numbers_as_measured_have_the_expected_verdict(identifier: str, told: Callable[..., None]) -> None:
    told()
    assert verdict(identifier) is claims()[identifier].expected


def test_samplers_exchanged_break_i2_and_i5(told: Callable[..., None]) -> None:
    """Falsifier of I2 and I5: with annealed Langevin's numbers and those of its corrector, exchanged."""
    told(adaptive_momentum="annealed Langevin", annealed_Langevin="adaptive momentum")
    assert verdict("I2", "annealed") is verdict("I2", "tuned") is Verdict.REFUTED
    assert verdict("I5", "adaptive") is Verdict.REFUTED
    told(**{"PC,_adaptive": "PC, Langevin", "PC,_Langevin": "PC, adaptive"})
    assert verdict("I2", "corrector") is Verdict.REFUTED


def test_a_faster_sampler_would_make_i3_and_i4_hold(told: Callable[..., None]) -> None:
    """Falsifier of the refutations I3 and I4: ancestral sampling's numbers in adaptive momentum's place."""
    told(adaptive_momentum="ancestral", **{"PC,_adaptive": "ancestral"})
    assert verdict("I3") is verdict("I4") is Verdict.HOLDS


def test_controls_exchanged_break_i6(told: Callable[..., None]) -> None:
    """Falsifier of I6: were it the factor and not the lag, each part would be seen to."""
    kept = {name.replace(" ", "_"): "PC, adaptive" for name in (controls.DRIFT, controls.MATCHED)}
    lost = {name.replace(" ", "_"): controls.DRIFT for name in (controls.LAGGED, controls.DROPPED, controls.HEATED)}
    told(**kept, **lost)
    for part in ("lag", "drift", "dropped", "noise", "constant"):
        assert verdict("I6", part) is Verdict.REFUTED


def test_of_a_gain_that_is_not_there_no_part_is_told(told: Callable[..., None]) -> None:
    told(**{"PC,_adaptive": "PC, Langevin"})
    with pytest.raises(InsufficientData, match="do not tell the corrector's gain from 0"):
        verdict("I6", "lag")


def test_samplers_exchanged_break_i9(told: Callable[..., None]) -> None:
    """Falsifier of I9: numbers of the solver and of the memory, exchanged."""
    told(**{"isothermal,_e_=_1/2": "SDE-DPM-Solver++", "SDE-DPM-Solver++": "annealed BAOAB, e = 1/2"})
    assert verdict("I9", "memory") is Verdict.REFUTED


def test_a_network_without_skill_breaks_i1(known: Empirical, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of I1: a score of zero has a loss of 784, and leaves the noise that it began with."""
    monkeypatch.setattr(runs, "score", lambda settings: lambda x, level: 1e-9 * x)
    assert verdict_of("I1", "loss", SMALL) is verdict_of("I1", "clean", SMALL) is Verdict.REFUTED
    assert checks.denoising_loss(SMALL).value == pytest.approx(784, rel=0.05)
    runs.by_the_tutorial.cache_clear()
    monkeypatch.setattr(runs, "score", lambda settings: known.score)
    assert verdict_of("I1", "clean", SMALL.model_copy(update={"clean": 1000})) is Verdict.HOLDS
    quiet = SMALL.model_copy(update={"noisy": 1000})
    assert verdict_of("I1", "noisy", quiet) is Verdict.REFUTED


def test_strong_coupling_breaks_i7_and_i8(known: Empirical, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of I7 and I8: a score that pulls towards the batch's mean is moved by every companion."""
    assert verdict_of("I8", settings=SMALL) is Verdict.HOLDS

    def crowded(x: Tensor, level: Level) -> Tensor:
        return (x.mean(0, keepdim=True) - x) / (level.sigma**2 + 0.1)

    monkeypatch.setattr(runs, "score", lambda settings: crowded)
    runs.companions.cache_clear()
    assert verdict_of("I7", settings=SMALL) is verdict_of("I8", settings=SMALL) is Verdict.REFUTED


def test_runs_on_a_known_score_are_near_its_images(known: Empirical) -> None:
    """Ancestral sampling ends at the images, with noise of the last level; quality says so. Few batches of others."""
    found = runs.performed(SMALL, "ancestral", 50)
    assert found.evaluations == 50 and len(found.quality) == SMALL.batches
    assert 0.7 < float(np.mean([quality.temperature for quality in found.quality])) < 1.3
    assert max(quality.residual for quality in found.quality) < 0.01
    assert found.shown.shape == (SMALL.batch, 28, 28)
    assert len(runs.performed(SMALL, "consistent annealed sampling", 50).quality) == SMALL.few


def test_a_diverging_run_is_lost_and_others_go_on(known: Empirical, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "score", lambda settings: lambda x, level: x * 1e30)
    assert runs.performed(SMALL, "annealed Langevin", 20).quality == [runs.LOST] * SMALL.batches


def test_controls_share_start_and_noise(known: Empirical) -> None:
    """One step, the first call, at which beta is 0 and no norm lags: every control makes Langevin's move."""
    subject, how = runs.subject(SMALL), runs.choice(SMALL)
    moved = []
    for name in (controls.NONE, controls.WHOLE, *controls.CONTROLS):
        program = list(runs.entrant(SMALL, name).program(subject.ends, 9, how))[:1]
        start = runs.started(subject, 3, generator(1, 1))
        draws = generated(generator(1, 2))
        moved.append(last(loop(program, State(start), subject.score, draws, Particles()))[0].x.clone())
    for other in moved[1:]:
        torch.testing.assert_close(other, moved[0])


def test_the_controls_differ_by_the_part_that_is_named(known: Empirical) -> None:
    """With factor 1 the matched control is Langevin's corrector; every other control differs from it."""
    subject, how = runs.subject(SMALL), runs.choice(SMALL)

    def sampled(who: Any) -> Tensor:
        return run(subject, who, 20, how, 4, generator(1, 1)).x

    plain = sampled(ENTRANTS[controls.NONE])
    torch.testing.assert_close(sampled(controls.matched(1.0)), plain, rtol=0, atol=1e-4)
    for name in controls.CONTROLS:
        assert not torch.allclose(sampled(controls.CONTROLS[name]), plain, rtol=0, atol=1e-5), name
    assert 1.0 < controls.mean_factor(subject, 20, how, 4, generator(1, 1)) <= 4.0


def test_the_thermometer_reads_noise_and_not_strokes() -> None:
    images, draws = pictures(200), torch.Generator().manual_seed(1)
    pixels = blank(images)
    x = images + 0.05 * torch.randn(images.shape, generator=draws)
    assert noise_level(x, pixels) == pytest.approx(0.05, rel=0.02)
    x[:20] += 1.0  # a tenth of the images all black: the root mean square would be 0.32
    assert noise_level(x, pixels) < 0.06
    quality = judge(images[:100], pixels, 0.05)(images[100:] + 0.0, images[100:])
    assert quality.temperature == 0.0 and abs(quality.energy) < 0.5


def test_predictions_begin_as_released_and_agree_on_points() -> None:
    """A point and a Gaussian without variance are the same law; beta is in [0, 1) and 0 at the first call."""
    ends, how = runs.SigmaRange(9.85, 0.05), runs.RELEASED
    data = spectrum(torch.zeros(10, 2, 2))
    one = gaussian_prediction("adaptive momentum", ends, 20, how, data)
    other = point_prediction("adaptive momentum", ends, 20, how, 4)
    assert [step.beta for step in one] == pytest.approx([step.beta for step in other], abs=1e-9)
    assert one[0].beta == 0.0 and all(0.0 <= step.beta < 1.0 for step in one)
    assert len(point_prediction("PC, adaptive", ends, 21, how, 4)) == 11
    images = pictures(60)
    found = spectrum(images)
    assert found.variance.sum().item() == pytest.approx(images.flatten(1).double().var(0).sum().item(), rel=1e-4)


def test_figures_and_tables_are_made(known: Empirical, tmp_path: Path) -> None:
    drawn = figures(SMALL, tmp_path)
    assert len(drawn) == 4 and all(figure.file.stat().st_size > 10_000 for figure in drawn)
    table, in_features, classes = tables(SMALL)
    samplers = (
        1 + len(SMALL.samplers) * len(SMALL.budgets) + len(SMALL.others) + len(runs.MEMORY) + len(controls.CONTROLS) + 1
    )
    assert len(table.rows) == samplers + len(SMALL.tried)
    assert all(math.isfinite(cell) for row in table.rows for cell in row[7:])
    assert len(in_features.rows) == len(classes.rows) == samplers + 1  # a floor for all batches, one for few
    assert {row[4] for row in in_features.rows} == {SMALL.batches * SMALL.batch, SMALL.few * SMALL.batch}
    assert {row[5:10] for row in in_features.rows} == {
        ("first 40 MNIST test images", 40, "mnist-classifier", SHA256["mnist-classifier"][:12], "yes")
    }
    assert all(sum(row[5:15]) == pytest.approx(100, abs=0.6) for row in classes.rows)


def test_the_features_of_a_run_are_those_of_its_denoised_samples(known: Empirical) -> None:
    found = runs.performed(SMALL, "ancestral", 50)
    assert len(found.features) == SMALL.batches and found.features[0].shape == (SMALL.batch, 64)
    torch.testing.assert_close(found.features[0], runs.extractor()(found.shown), rtol=1e-6, atol=1e-6)


def test_a_lost_run_is_not_judged_in_features(known: Empirical, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "score", lambda settings: lambda x, level: x * 1e30)
    assert runs.performed(SMALL, "annealed Langevin", 20).features == ()
    assert features.found(SMALL, "annealed Langevin", 20, 0.99) is None
