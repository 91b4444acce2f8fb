"""Runs with the learned score: the verdicts, the breaks that flip them, the readings on numbers that are known.

The runs of the quick profile are made once; the breaks exchange samplers in them, so each is a real run's numbers.
"""

import math

import pytest
import torch

from ams.schedules import Level
from experiments.images import learned
from experiments.images.features.rows import Incomparable
from experiments.images.learned import losses, readings, runs
from experiments.images.learned.runs import EXACT, LEARNED, Batch, Numbers
from experiments.images.networks.small import LARGEST, SMALLEST, digits_score
from experiments.images.tasks import split_digits
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict

SETTINGS = quick_settings("network")


@pytest.fixture(scope="module")
def results():
    return runs.results(SETTINGS)


@pytest.fixture
def exchanged(monkeypatch, results):
    """Return a function that puts one sampler's batches in the place of another's."""

    def exchange(places):
        taken = {place: results[source] for place, source in places.items()}
        monkeypatch.setattr(learned, "results", lambda settings: {**results, **taken})

    return exchange


@pytest.mark.parametrize("identifier", ["Q0", "Q1", "Q2", "Q2a", "Q2b", "Q3", "Q4", "Q5", "Q6"])
def test_claims_come_out_as_expected(results, identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_digits_of_one_class_break_q0(monkeypatch):
    """Falsifier of Q0: zeros alone are not the digits' law, and blurred twice as much they are too warm."""
    place, split = runs.bench(LEARNED, SETTINGS.last_sigma), split_digits()
    zeros = split.train.x[split.train.y == 0][: 2 * SETTINGS.batch]
    one = [runs.judged(place, x + 0.1 * torch.randn(x.shape)) for x in zeros.split(len(zeros) // 4)[:4]]
    monkeypatch.setattr(learned, "floor", lambda settings: one)
    assert verdict_of("Q0", only="kernel") is Verdict.REFUTED
    assert verdict_of("Q0", only="coverage") is Verdict.REFUTED
    assert verdict_of("Q0", only="temperature") is Verdict.REFUTED


def test_a_score_that_copies_breaks_q1(monkeypatch):
    """Falsifier of Q1: the exact score of the digits seen, or the Gaussian's, in the network's place gains nothing."""
    true = losses.per_image
    monkeypatch.setattr(losses, "per_image", lambda case: true("gaussian" if case == "learned" else case))
    assert verdict_of("Q1") is not Verdict.HOLDS
    monkeypatch.setattr(losses, "per_image", lambda case: true("exact" if case == "learned" else case))
    assert verdict_of("Q1", only="gaussian") is not Verdict.HOLDS


def test_the_baseline_in_its_place_breaks_q2(exchanged):
    """Falsifier of Q2: where annealed Langevin has reverse diffusion's samples, adaptive momentum is not nearer."""
    exchanged({"annealed Langevin": "reverse diffusion"})
    assert verdict_of("Q2") is Verdict.REFUTED


def test_a_sampler_that_is_faster_would_make_q2a_hold(exchanged):
    """Falsifier of the refutation Q2a: the isothermal sampler's samples in its place save more than half."""
    exchanged({"adaptive momentum": "annealed BAOAB, e = 1/2"})
    assert verdict_of("Q2a") is Verdict.HOLDS


def test_the_baseline_in_the_controls_place_breaks_q2b(exchanged):
    """Falsifier of Q2b: with the factor dropped, which is annealed Langevin, the control covers less."""
    exchanged({"Langevin, drift x2": "annealed Langevin"})
    assert verdict_of("Q2b") is Verdict.REFUTED


def test_langevin_in_their_places_breaks_q3(exchanged):
    """Falsifier of Q3: annealed Langevin in the places of the cooled samplers; and a cold control."""
    exchanged({"Langevin, drift x2": "annealed Langevin"})
    assert verdict_of("Q3", only="factor") is Verdict.REFUTED
    exchanged({"annealed Langevin": "Langevin, drift x2"})
    assert verdict_of("Q3", only="adaptive") is Verdict.REFUTED


def test_a_sampler_that_wins_would_make_q4_hold(exchanged):
    """Falsifier of the refutation Q4: against a worse sampler's samples in both places it holds."""
    exchanged(
        {
            "adaptive momentum": "annealed BAOAB, e = 1/2",
            "reverse diffusion": "annealed Langevin",
            "Heun ODE": "annealed Langevin",
        }
    )
    assert verdict_of("Q4") is Verdict.HOLDS


def test_langevin_in_its_place_breaks_q5(exchanged):
    """Falsifier of Q5: annealed Langevin, whose samples have not arrived, in the isothermal sampler's place."""
    exchanged({"annealed BAOAB, e = 1/2": "annealed Langevin"})
    assert verdict_of("Q5", only="coverage") is not Verdict.HOLDS
    assert verdict_of("Q5", only="temperature") is Verdict.REFUTED


def test_other_samplers_on_the_exact_score_break_q6(monkeypatch, results):
    """Falsifier of Q6: another sampler's temperature on the exact score is seen."""
    true = runs.exact_results(SETTINGS)
    turned = dict(zip(true, [*list(true.values())[1:], next(iter(true.values()))], strict=True))
    monkeypatch.setattr(learned, "exact_results", lambda settings: turned)
    assert verdict_of("Q6") is Verdict.REFUTED
    swapped = {**true, learned.OURS: true[learned.BASELINE], learned.BASELINE: true[learned.OURS]}
    monkeypatch.setattr(learned, "exact_results", lambda settings: swapped)
    assert verdict_of("Q6", only="cooling") is Verdict.REFUTED


def test_samples_of_the_exact_score_are_copies_and_those_of_the_network_are_not(results):
    budget = max(SETTINGS.compared_budgets)
    copies = runs.exact_results(SETTINGS)["adaptive momentum"][budget]
    assert max(batch.numbers.seen for batch in copies) < 1e-2
    assert min(batch.numbers.seen for batch in results["adaptive momentum"][budget]) > 0.5


def test_both_scores_start_alike_and_batches_differ():
    few = SETTINGS.model_copy(update={"batches": 2, "batch": 8, "budgets": (20,)})
    first, second = runs.batches(few, LEARNED, "Heun ODE", 20)
    again = runs.batches(few.model_copy(update={"budgets": (20, 60)}), LEARNED, "Heun ODE", 20)[0]
    other = runs.batches(few, EXACT, "Heun ODE", 20)[0]
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, second.images)
    assert not torch.equal(first.images, other.images)


def test_the_temperature_of_warmer_digits_is_higher():
    """Digits blurred by 1.2 times the last level have temperature 1.44, to what the score resolves."""
    place, x = runs.bench(LEARNED, 0.05), split_digits().test.x
    z = torch.randn(x.shape, generator=torch.Generator().manual_seed(5))
    assert runs.judged(place, x + 0.05 * z).numbers.temperature == pytest.approx(1.0, abs=0.05)
    assert runs.judged(place, x + 0.06 * z).numbers.temperature == pytest.approx(1.44, abs=0.2)


def test_the_network_is_asked_within_its_range_alone():
    score, x = digits_score().score, torch.zeros(2, 8, 8)
    for sigma in (SMALLEST / 2, LARGEST * 2):
        with pytest.raises(ValueError, match="trained"):
            score(x, Level(0, sigma=sigma))
    with pytest.raises(ValueError, match="shape"):
        score(torch.zeros(2, 64), Level(0, sigma=1.0))


def batch_of(frechet):
    return Batch(Numbers(frechet, *[0.0] * 8), torch.zeros(1), torch.zeros(1))


def test_speed_up_is_the_ratio_and_says_where_it_is_a_bound():
    curve = {b: [batch_of(1 / b)] * 3 for b in (20, 80, 400)}
    found = readings.speed_up(SETTINGS, [batch_of(0.01)] * 3, curve, 50, lambda n: n.frechet)
    assert (found.value, found.low, found.high) == pytest.approx((2.0, 2.0, 2.0), rel=0.03)
    far = readings.speed_up(SETTINGS, [batch_of(1e-6)] * 3, curve, 50, lambda n: n.frechet)
    assert far.value == far.high == pytest.approx(8.0) == far.detail["reach of the baseline"]


def test_rows_carry_their_conditions(results):
    rows = readings.rows(results, SETTINGS)
    assert len(rows) == (len(SETTINGS.samplers) + 1) * len(SETTINGS.budgets) * len(Numbers._fields)
    before, after = (next(row for row in rows if row.quantity == name) for name in ("temperature", "frechet"))
    assert after.conditions.denoised and not before.conditions.denoised
    with pytest.raises(Incomparable):
        before.minus(after)


def test_the_loss_is_one_without_a_score_and_falls_short_of_it_with():
    """Per pixel: at every level between 0 and 1, and lower for images seen than for those held out."""
    held, seen = losses.means("learned"), losses.means("seen")
    assert all(0 < value < 1 for value in held)
    assert all(math.isfinite(value) for value in seen)
    assert sum(seen) < sum(held)


def test_figures_and_tables_are_written(results, tmp_path):
    for figure in learned.figures(SETTINGS, tmp_path):
        assert figure.file.stat().st_size > 10_000
    every, needed, speed = learned.tables(SETTINGS)
    assert len(needed.rows) == len(SETTINGS.samplers)
    assert len(every.rows[0]) == len(every.header)
    assert len(speed.rows) == (len(SETTINGS.samplers) - 1) * (len(SETTINGS.budgets) - 1)
