"""Pretrained networks' groups: checks on numbers that are known, runs on a score that is known.

Nothing here needs a network: where runs are made, the score is exact for a few made-up images, or
for blank ones.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ams.errors import UserError
from ams.laws import GaussianLaw
from ams.samplers.presets import SPECS, Hyperparameters, SamplerSpec, SigmaRange
from ams.targets import Empirical
from experiments.images.comparison import ROUNDING
from experiments.images.features.extractors import digit_features
from experiments.images.networks.classifier import SHA256
from experiments.images.pretrained import figures, inputs, runs, samplers, study, tuning
from experiments.images.pretrained.inputs import DEFAULTS, Judge, Quality, blank, noise_level
from experiments.images.pretrained.runs import Batch
from experiments.images.pretrained.settings import Settings
from experiments.images.runs import generator, run
from tests.claims import expected, refuted, upheld, verdict_of
from tests.experiments.images.made import pictures
from verdicts import InsufficientData
from verdicts.claims.schema import Verdict
from verdicts.records.figures import saved_as
from verdicts.studies import Memory, using
from verdicts.studies.agreement import deviations

SMALL = Settings(
    budgets=(20, 50),
    batches=3,
    batch=6,
    others=("consistent annealed sampling",),
    late=20,
    reference=40,
    seed=77,
)
AS_MEASURED = {
    "annealed Langevin": {
        20: 58.0,
        30: 25.0,
        40: 12.0,
        50: 7.5,
        75: 4.0,
        100: 2.4,
        150: 1.2,
        200: 1.0,
        300: 0.7,
        400: 0.6,
    },
    "adaptive momentum": {20: 52.0, 50: 4.8, 100: 1.4, 200: 0.6},
    "PC, Langevin": {
        20: 13.5,
        30: 5.0,
        40: 2.5,
        50: 1.40,
        75: 0.85,
        100: 0.58,
        150: 0.4,
        200: 0.3,
        300: 0.2,
        400: 0.1,
    },
    "PC, adaptive": {20: 10.5, 50: 1.22, 100: 0.44, 200: 0.25},
    "ancestral": {20: 0.14, 50: 0.13, 100: 0.12, 200: 0.12},
    "Langevin, drift x2": {50: 0.26},
    "PC, lagged norm alone": {50: 1.25},
    "PC, drift alone": {50: 1.36},
    "PC, factor dropped": {50: 1.26},
    "PC, noise corrected": {50: 1.25},
    "PC, constant factor": {50: 1.355},
}
"""Energy distances of the size that the network's runs have."""


@pytest.fixture(scope="module")
def known() -> Iterator[Empirical]:
    """Put an exact score in the network's place, and made-up images in that of MNIST's; what is
    computed is shared.
    """
    target = Empirical(pictures(30))
    with pytest.MonkeyPatch.context() as patched, using(Memory()):
        patched.setattr(inputs, "score", lambda setup: target.score)
        patched.setattr(inputs, "test_images", lambda: pictures(90))
        for name in ("judge", "feature_judge"):
            patched.setattr(inputs, name, getattr(inputs, name).__wrapped__)
        yield target


@pytest.fixture
def other_score(known: Empirical, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that puts a score in the known one's place; nothing computed is shared."""
    with using(Memory()):
        yield lambda score: monkeypatch.setattr(inputs, "score", lambda setup: score)


def measured(
    monkeypatch: pytest.MonkeyPatch,
    exchanged: dict[str, str] | None = None,
    tuned_at_50: Mapping[str, str] = {"PC, adaptive": "PC, Langevin"},
) -> None:
    """Put numbers in the runs' place: as measured, but for samplers that are exchanged.

    Tuned correctors are alike at 50 evaluations; there `tuned_at_50` names whose numbers a sampler
    has.
    """

    def results(settings: Settings, sampler: str, budget: int) -> list[Batch]:
        size = AS_MEASURED[(exchanged or {}).get(sampler, sampler)][budget]
        noise = np.random.default_rng(budget).normal(0, 0.02, settings.batches)
        own = np.random.default_rng(len(sampler)).normal(0, 0.002, settings.batches)
        factors, none = 1 + noise + own, np.empty(0)
        return [Batch(budget, Quality(size * f, 2 + size * f, 0.05), none, none) for f in factors]

    def tuned(
        settings: Settings, sampler: str, budget: int
    ) -> list[tuple[Hyperparameters, list[Batch]]]:
        name = tuned_at_50.get(sampler, sampler) if budget == 50 else sampler
        return [(DEFAULTS, results(settings, name, 20 if budget == 25 else budget))] * 2

    monkeypatch.setattr(study, "results", results)
    monkeypatch.setattr(study, "tuned_results", tuned)
    monkeypatch.setattr(study, "rule", lambda settings, name: [(0.1, 1.03)])


def verdict(identifier: str, only: str = "") -> Verdict:
    return verdict_of(identifier, only, Settings())


@pytest.mark.parametrize("identifier", ["I2", "I2a", "I2b", "I3", "I3b", "I4", "I6"])
def test_numbers_as_measured_have_the_expected_verdict(
    identifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch)
    assert verdict(identifier) is expected(identifier)


def test_samplers_exchanged_break_i2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of I2, I2a and I2b: with annealed Langevin's numbers and those of its corrector,
    exchanged.
    """
    measured(
        monkeypatch,
        {"adaptive momentum": "annealed Langevin", "annealed Langevin": "adaptive momentum"},
    )
    assert refuted("I2", "annealed", "annealed_20", "share_50", settings=Settings())
    assert refuted("I2a", "annealed_25", "annealed", "share_25", "share", settings=Settings())
    measured(monkeypatch, {"PC, adaptive": "PC, Langevin", "PC, Langevin": "PC, adaptive"})
    assert verdict("I2", "corrector") is Verdict.REFUTED
    assert refuted("I2b", "corrector_25", "corrector_100", settings=Settings())
    measured(monkeypatch, dict.fromkeys(("annealed Langevin", "adaptive momentum"), "ancestral"))
    assert refuted(
        "I2", "langevin_20", "adaptive_20", "langevin_50", "adaptive_50", settings=Settings()
    )
    measured(monkeypatch)

    def at_an_end(sampler: str, budget: int) -> list[dict[tuple[float, ...], float]]:
        return [{(x,) * len(tuning.names(sampler)): 1 / x for x in (0.1, 0.2)}]

    monkeypatch.setattr(tuning, "tried_of", at_an_end)
    assert verdict("I2a", "edges") is Verdict.REFUTED


@pytest.mark.parametrize("better", ["PC, adaptive", "PC, Langevin"])
def test_a_gain_or_a_loss_at_49_evaluations_breaks_i2b(
    better: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Falsifier of I2b at 49 evaluations: one corrector has ancestral sampling's numbers."""
    measured(monkeypatch, tuned_at_50={better: "ancestral"})
    assert refuted("I2b", "corrector_50", settings=Settings())


def test_a_faster_sampler_would_make_i3_and_i4_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of the refutations I3 and I4: ancestral sampling's numbers in adaptive momentum's
    place.
    """
    measured(monkeypatch)
    with upheld("I3", "I4", settings=Settings()):
        measured(monkeypatch, {"adaptive momentum": "ancestral", "PC, adaptive": "ancestral"})


def test_drifts_exchanged_break_i3b(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of I3b: the numbers of the larger drift and of adaptive momentum, exchanged."""
    doubled, adaptive = samplers.DOUBLED, samplers.PAPER
    measured(monkeypatch, {doubled: adaptive, adaptive: doubled})
    assert refuted("I3b", "ratio", "tuned", "doubled", settings=Settings())


def test_no_ratio_is_measured_to_what_may_be_0(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch)
    monkeypatch.setitem(AS_MEASURED, "ancestral", {50: 0.0})
    with pytest.raises(
        InsufficientData, match="of ancestral does not differ from 0 over 8 batches"
    ):
        verdict("I4", "annealed_ratio")


def test_controls_exchanged_break_i6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of I6: were the factor the cause and not the lag, each share would show it."""
    whole = dict.fromkeys(("PC, drift alone", "PC, constant factor"), "PC, adaptive")
    little = dict.fromkeys(
        ("PC, lagged norm alone", "PC, factor dropped", "PC, noise corrected"), "PC, drift alone"
    )
    measured(monkeypatch, whole | little)
    assert refuted("I6", "lag", "drift", "dropped", "noise", "constant", settings=Settings())


def test_no_share_is_measured_of_a_gain_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, {"PC, adaptive": "PC, Langevin"})
    with pytest.raises(InsufficientData, match="gain does not differ from 0 over 8 batches"):
        verdict("I6", "lag")


def test_runs_on_a_known_score_end_near_its_images(known: Empirical) -> None:
    """Ancestral sampling ends at the images, with noise of the last level; quality says so."""
    batches = study.results(SMALL, "ancestral", 50)
    assert batches[0].evaluations == 50 and len(batches) == SMALL.batches
    assert 0.7 < float(np.mean([batch.quality.variance_ratio for batch in batches])) < 1.3
    assert max(batch.quality.residual for batch in batches) < 0.01
    assert [batch.shown.shape for batch in batches[:2]] == [(SMALL.batch, 28, 28), (0,)]
    features = digit_features("mnist-classifier")(torch.from_numpy(batches[0].shown) / 255)
    assert features.shape == (SMALL.batch, 64)
    # shown are rounded to 256 grey values
    np.testing.assert_allclose(batches[0].features, features, atol=0.02)


def test_a_diverging_run_is_lost_and_others_go_on(
    other_score: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not judged in features."""
    other_score(lambda x, level: x * 1e30)
    batches = study.results(SMALL, "annealed Langevin", 20)
    assert [batch.quality for batch in batches] == [runs.LOST] * SMALL.batches
    assert all(batch.features.size == 0 for batch in batches)
    monkeypatch.setattr(study, "plan", lambda settings: [("annealed Langevin", 20)])
    assert {one.entry.sampler for one in study.in_features(SMALL)} == {study.FLOOR}


def test_each_control_differs_by_the_part_that_it_names(known: Empirical) -> None:
    """With factor 1 the constant factor's is Langevin's corrector; every other control differs from
    it.
    """
    problem = inputs.problem(SMALL.setup)

    def sampled(spec: SamplerSpec, factor: float = 1.5) -> Tensor:
        return run(problem, spec, 20, DEFAULTS._replace(drift_scale=factor), 4, generator(1, 1)).x

    plain = sampled(SPECS["PC, Langevin"])
    torch.testing.assert_close(sampled(samplers.CONSTANT_FACTOR, 1.0), plain, rtol=0, atol=1e-4)
    for spec in samplers.CONTROLS:
        assert not torch.allclose(sampled(spec), plain, rtol=0, atol=1e-5), spec.name


def test_the_constant_factor_is_the_adaptive_correctors_own_mean(known: Empirical) -> None:
    factor = float(np.mean([factor for _, factor in study.rule(SMALL, "PC, adaptive")]))
    assert 1.0 < factor <= 4.0
    (first, *_), name = study.results(SMALL, "PC, constant factor", 50), samplers.CONSTANT_FACTOR
    x = run(
        inputs.problem(SMALL.setup),
        name,
        50,
        DEFAULTS._replace(drift_scale=factor),
        6,
        generator(77, 1),
    ).x
    ratio = (noise_level(x, blank(pictures(90))) / SMALL.last_sigma) ** 2
    assert first.quality.variance_ratio == pytest.approx(ratio, rel=1e-6)


def test_noise_is_measured_whatever_the_strokes() -> None:
    images, draws = pictures(200), torch.Generator().manual_seed(1)
    pixels = blank(images)
    x = images + 0.05 * torch.randn(images.shape, generator=draws)
    assert noise_level(x, pixels) == pytest.approx(0.05, rel=0.02)
    x[:20] += 1.0  # a tenth of the images all black: the root mean square would be 0.32
    assert noise_level(x, pixels) < 0.06
    quality = Judge(images[:100], pixels, 0.05)(images[100:] + 0.0, images[100:])
    assert quality.variance_ratio == 0.0 and abs(quality.energy) < 0.5


def test_predicted_betas_begin_at_0_and_agree_on_points() -> None:
    """A point and a Gaussian without variance are one distribution; beta is in [0, 1) and 0 at the
    first call.
    """
    sigmas, point = SigmaRange(9.85, 0.05), GaussianLaw([runs.SMALLEST], 0.0, [4.0])
    gaussian = GaussianLaw(*runs.spectrum(torch.zeros(10, 2, 2)))
    one, other = (
        runs.mean_field_betas(law, "adaptive momentum", sigmas, 20) for law in (gaussian, point)
    )
    assert (
        one == pytest.approx(other, abs=1e-9)
        and one[0] == 0.0
        and all(0.0 <= beta < 1.0 for beta in one)
    )
    assert len(runs.mean_field_betas(point, "PC, adaptive", sigmas, 21)) == 11
    images = pictures(60)
    variance, _ = runs.spectrum(images)
    assert variance.sum().item() == pytest.approx(
        images.flatten(1).double().var(0).sum().item(), rel=1e-4
    )


def test_a_choice_is_the_least_of_what_both_sides_try(
    other_score: Callable[..., None], tmp_path: Path
) -> None:
    """On trial batches of their own; the file has all that was tried, and keeps what it held of
    other runs.
    """
    other_score(lambda x, level: -x / (level.sigma**2 + 0.02))
    file = tmp_path / "tuned.json"
    for names in (samplers.TUNED[:2], samplers.TUNED[2:]):
        assert tuning.tune(names, [20], SMALL.setup, file) == 0
    held = json.loads(file.read_text())
    for name in samplers.TUNED:
        trials = 13 if "factor" in tuning.names(name) else 8
        assert [len(choice) for choice in held[name]["20"]] == [trials] * 2
    snr, energy = held["PC, Langevin"]["20"][1][2]
    again = runs.batch(
        SMALL.setup, "PC, Langevin", 20, DEFAULTS._replace(snr=snr), tuning.FIRST_TRIAL + 1
    )
    assert again.quality.energy == pytest.approx(energy, abs=1e-6)
    with pytest.raises(UserError, match="did you mean PC, adaptive"):
        tuning.tune(["PC, adaptiv"], [20], SMALL.setup, file)


def test_finer_settings_lie_around_the_best_coarse_one() -> None:
    errors = tuning.tried(lambda values: abs(math.log(values[0] / 0.3)), [tuning.COARSE["snr"]])
    assert min(errors, key=errors.__getitem__) == (0.2854,) and len(errors) == 8
    both = tuning.tried(
        lambda values: (values[0] - 3) ** 2 + values[1], tuning.coarse("adaptive momentum")
    )
    assert min(both, key=both.__getitem__) == (2.8284, 1.0) and len(both) == 13


def test_committed_choices_are_inside_of_what_was_tried() -> None:
    """And no fewer were tried on one side of a comparison than on the other."""
    for sampler, budget in study.tuned_runs(Settings()):
        assert (sampler == samplers.DOUBLED or tuning.edges(sampler, budget) == []) and len(
            tuning.chosen(sampler, budget)
        ) == tuning.CHOICES
        assert {len(tried) for tried in tuning.tried_of(sampler, budget)} == {
            13 if "factor" in tuning.names(sampler) else 8
        }


def test_figures_and_tables_are_made_of_the_studys_cells(
    other_score: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of no others: what the study lists is all that checks, figures and tables read. The score
    is of one image.
    """
    (image,) = pictures(1)
    other_score(lambda x, level: (image - x) / level.sigma**2)
    choices = [DEFAULTS._replace(snr=snr, repeats=1) for snr in (0.2, 0.3)]
    monkeypatch.setattr(tuning, "chosen", lambda sampler, budget: choices)
    asked, read, listed = (
        set[str](),
        Memory.value,
        {cell.digest: cell for cell in study.cells(SMALL)},
    )
    for cell in listed.values():
        cell.function(**cell.arguments)
    monkeypatch.setattr(
        Memory, "value", lambda store, cell: asked.add(cell.digest) or read(store, cell)
    )
    with saved_as((".svg",)):
        drawn = figures.figures(SMALL, tmp_path)
        table, faster, in_features, classes = figures.tables(SMALL)
        for identifier in ("I2", "I2a", "I2b", "I3", "I3b", "I4", "I6"):
            with suppress(InsufficientData):
                verdict_of(identifier, settings=SMALL)
    assert asked == listed.keys()
    assert len(drawn) == 6 and all(figure.file.stat().st_size > 5_000 for figure in drawn)
    rows = 1 + 9 * len(SMALL.budgets) + len(SMALL.others) + 1 + len(samplers.CONTROLS)
    assert len(table.rows) == rows + len(study.tuned_runs(SMALL)) * len(choices)
    assert all(math.isfinite(cell) for row in table.rows for cell in row[7:])
    asked_for = [("annealed", 20), ("annealed", 50), ("as a corrector", 19), ("as a corrector", 49)]
    assert [row[:2] for row in faster.rows] == asked_for
    assert len(in_features.rows) == len(classes.rows) == rows
    assert {row[4] for row in in_features.rows} == {SMALL.batches * SMALL.batch}
    conditions = (
        "first 40 MNIST test images",
        40,
        "mnist-classifier",
        SHA256["mnist-classifier"][:12],
        "yes",
    )
    assert {row[5:10] for row in in_features.rows} == {conditions}
    assert all(sum(row[5:15]) == pytest.approx(100, abs=0.6) for row in classes.rows)


def test_batches_are_alike_up_to_rounding() -> None:
    """Of a hundredth of the tolerance, not of ten; a grey level more in one pixel of 784 is
    rounding.
    """
    features, shown = np.full((6, 64), 0.5), np.full((1, 28, 28), 100, np.uint8)
    whole, brighter = Batch(20, Quality(0.1, 2.0, 0.05), features, shown), shown.copy()
    brighter[0, 0, 0] += 1
    how, encode = runs.batch.kept, runs.batch.encode

    def agree(**other: object) -> bool:
        pairs = deviations(encode(whole), encode(whole._replace(**other)), how)
        return all(deviation.size <= 1 for _, deviation in pairs)

    assert agree(features=features * (1 + ROUNDING / 100), shown=brighter)
    assert not agree(features=features * (1 + 10 * ROUNDING))
    assert not agree(quality=Quality(0.1 * (1 + 10 * ROUNDING), 2.0, 0.05)) and not agree(
        shown=shown[:0]
    )
