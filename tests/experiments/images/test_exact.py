"""Samplers on exact scores of real images: the verdicts, the breaks that flip them, and the parts on small sizes.

The runs of the quick profile are made once; the breaks exchange samplers in them, so each is a real run's numbers.
"""

import math

import numpy as np
import pytest
import torch

from ams.data import digits as load_digits
from ams.ledger.claims import Verdict
from experiments.images import comparison, digits, exact
from tests.claims import claims, quick_settings, verdict_of

SMALL = exact.Settings(budgets=(20,), batches=2, batch=8, grid_budget=20)


@pytest.fixture(scope="module")
def results():
    return digits.results(quick_settings("digits"))


@pytest.fixture
def exchanged(monkeypatch, results):
    """Return a function that puts one sampler's results in the place of others'."""

    def exchange(**names):
        taken = {given.replace("_", " "): results[source] for given, source in names.items()}
        monkeypatch.setattr(digits, "results", lambda settings: {**results, **taken})

    return exchange


@pytest.mark.parametrize("identifier", ["D0", "D1", "D2", "D3"])
def test_claims_come_out_as_expected(results, identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_shifted_law_breaks_d0(monkeypatch):
    """Falsifier of D0: draws whose every pixel is a tenth off are no draws of the law, and both numbers see it."""
    settings = quick_settings("digits").model_copy(update={"budgets": (20,), "samplers": ("annealed Langevin",)})
    true = exact.draw
    monkeypatch.setattr(exact, "draw", lambda *given: true(*given) + 0.1)
    monkeypatch.setattr(digits, "results", lambda settings: exact.run_all(settings, digits.images()))
    assert verdict_of("D0", only="energy", settings=settings) is Verdict.REFUTED
    assert verdict_of("D0", only="temperature", settings=settings) is Verdict.REFUTED


def test_langevin_against_itself_breaks_d1(exchanged):
    """Falsifier of D1: annealed Langevin in adaptive momentum's place gains nothing."""
    exchanged(adaptive_momentum="annealed Langevin")
    assert verdict_of("D1", only="speed_up") is not Verdict.HOLDS
    exchanged(adaptive_momentum="PC, Langevin")
    assert verdict_of("D1", only="gain") is not Verdict.HOLDS


def test_langevin_in_its_place_breaks_d2(exchanged):
    """Falsifier of D2: annealed Langevin in the cooled samplers' places is not below 1."""
    exchanged(adaptive_momentum="annealed Langevin")
    assert verdict_of("D2", only="adaptive") is Verdict.REFUTED


def test_a_cold_control_breaks_d2(exchanged):
    exchanged(annealed_Langevin="Langevin, drift x2")
    assert verdict_of("D2", only="langevin") is Verdict.REFUTED


def test_a_sampler_that_wins_would_make_d3_hold(exchanged):
    """Falsifier of the refutation D3: the flow's own results in adaptive momentum's place pass both parts."""
    exchanged(adaptive_momentum="flow, Heun")
    assert verdict_of("D3") is Verdict.HOLDS


def test_every_sampler_spends_at_most_its_budget():
    images = digits.images()
    for budget in (20, 61):
        for name, program in exact.programs(SMALL, images.diameter, budget).items():
            spent = sum(2 if "Heun" in name else 1 for _ in program)
            assert budget - 5 <= spent <= budget, name


def test_starts_are_common_and_batches_differ():
    starts = {}
    for sampler in ("annealed Langevin", "adaptive momentum"):
        program = exact.programs(SMALL, 4.0, 20)[sampler][:1]
        starts[sampler] = [exact.run_batch(SMALL, digits.images(), program, number) for number in (1, 2)]
    first, second = starts["annealed Langevin"]
    assert not torch.equal(first, second)
    assert first.shape == (8, 8, 8)


def test_judge_knows_collisions_and_classes():
    """Eight copies of one image: every pair collides, all in one class; the temperature is that of no noise, 0."""
    images = digits.images()
    point = images.target.cloud.points[:1].reshape(1, 8, 8)
    errors = exact.judge(SMALL, images)(point.expand(8, 8, 8).clone())
    assert errors.collisions == pytest.approx(len(images.labels))
    assert errors.temperature == pytest.approx(0.0, abs=1e-9)
    assert errors.classes == pytest.approx(1 - float((images.labels == images.labels[0]).double().mean()))


def test_diameter_is_the_largest_distance():
    flat = load_digits().x.flatten(1).double()
    assert digits.images().diameter == pytest.approx(torch.cdist(flat, flat).max().item(), rel=1e-5)


def test_speed_up_reads_the_curve():
    """A baseline whose error is 1/NFE, a sampler with error 1/100 at 50: speed-up 2; clipped at the curve's end."""

    def errors(value):
        return exact.Errors(value, 1.0, 1.0, 0.0)

    baseline = {budget: [errors(1.0 / budget)] * 3 for budget in (20, 80, 400)}
    found = {"base": baseline, "ours": {50: [errors(0.01)] * 3}, "best": {50: [errors(1e-6)] * 3}}
    ours = comparison.speed_up(found, SMALL, "ours", "base", 50, comparison.energy)
    assert (ours.value, ours.low, ours.high) == pytest.approx((2.0, 2.0, 2.0))
    assert comparison.speed_up(found, SMALL, "best", "base", 50, comparison.energy).value == pytest.approx(8.0)


def test_misfit_is_the_divergence_of_a_mode():
    assert comparison.misfit(exact.Errors(0.0, 1.0, 0.0, 0.0)) == 0.0
    assert comparison.misfit(exact.Errors(0.0, 0.25, 0.0, 0.0)) == pytest.approx(0.5 * (0.25 - 1 + math.log(4)))


def test_table_has_a_row_for_each_run(results):
    settings = quick_settings("digits")
    table = digits.tables(settings)[0]
    assert len(table.rows) == len(settings.budgets) * (len(settings.samplers) + 1)
    assert all(np.isfinite(row[2:]).all() for row in table.rows)


def test_figures_are_written(results, tmp_path):
    for figure in digits.figures(quick_settings("digits"), tmp_path):
        assert figure.file.stat().st_size > 10_000
