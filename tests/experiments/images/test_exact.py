"""Samplers on exact scores of real images: the verdicts, the breaks that flip them, and the parts on small sizes.

The runs of the quick profile are made once; the breaks exchange samplers in them, so each is a real run's numbers.
"""

import math

import numpy as np
import pytest
import torch

from ams.data import digits as load_digits
from ams.samplers import State, last, run as loop
from ams.samplers.noise_sources import generated_per_sample, seeded_per_sample
from ams.statistics import plan_count_test
from experiments.images import comparison, drawing, exact, speed, tuning
from experiments.images.digits import checks as digits, mode_loss as starving
from experiments.images.runs import ENTRANTS, RELEASED, generator, run, solved, started
from tests.claims import claims, quick_settings, verdict_of
from verdicts.claims.schema import Verdict

SMALL = exact.Settings(
    budgets=(20,), batches=2, batch=8, grid_budget=20, tolerances=(0.1,), tuned=(20,), rare=20, rare_batch=4
)


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


@pytest.mark.parametrize("identifier", ["D0", "D1", "D1a", "D2", "D3", "D4", "D6", "D7"])
def test_claims_come_out_as_expected(results, identifier):
    assert verdict_of(identifier) is claims()[identifier].expected


def test_a_shifted_law_breaks_d0(monkeypatch):
    """Falsifier of D0: draws whose every pixel is a tenth off are no draws of the law, and both numbers see it."""
    settings = quick_settings("digits").model_copy(
        update={"budgets": (20,), "long": (), "samplers": ("annealed Langevin",)}
    )
    true = exact.draw
    monkeypatch.setattr(exact, "draw", lambda *given: true(*given) + 0.1)
    monkeypatch.setattr(digits, "results", lambda settings: exact.run_all(settings, digits.images()))
    assert verdict_of("D0", only="energy", settings=settings) is Verdict.REFUTED
    assert verdict_of("D0", only="temperature", settings=settings) is Verdict.REFUTED


def test_langevin_against_itself_breaks_d1(exchanged):
    """Falsifier of D1: annealed Langevin in adaptive momentum's place gains nothing."""
    exchanged(adaptive_momentum="annealed Langevin")
    assert verdict_of("D1", only="speed_up") is not Verdict.HOLDS
    exchanged(adaptive_momentum="reverse diffusion")
    assert verdict_of("D1", only="gain") is not Verdict.HOLDS


def test_samples_of_one_image_break_d1a(monkeypatch, results):
    """Falsifier of D1a: one image again and again, with the last level's noise; the misfit alone cannot tell."""
    settings, images = quick_settings("digits"), digits.images()
    point = images.target.cloud.points[:1].reshape(1, 8, 8).expand(settings.batch, 8, 8)
    found = exact.judge(settings, images)(point + settings.last_sigma * torch.randn(point.shape))
    taken = {budget: [found] * settings.batches for budget in results["adaptive momentum"]}
    monkeypatch.setattr(digits, "results", lambda settings: {**results, "adaptive momentum": taken})
    assert verdict_of("D1a") is Verdict.REFUTED
    assert comparison.misfit(found) < 0.01  # 2048 pixels: its standard deviation is 0.0007


def test_langevin_in_its_place_breaks_d2(exchanged):
    """Falsifier of D2: annealed Langevin in the cooled samplers' places is not below 1."""
    exchanged(adaptive_momentum="annealed Langevin")
    assert verdict_of("D2", only="adaptive") is Verdict.REFUTED


def test_a_cold_control_breaks_d2(exchanged):
    exchanged(annealed_Langevin="Langevin, drift x2")
    assert verdict_of("D2", only="langevin") is Verdict.REFUTED


def test_a_sampler_that_wins_would_make_d3_hold(exchanged):
    """Falsifier of the refutation D3: the flow's own results in adaptive momentum's place pass both parts."""
    exchanged(adaptive_momentum="Heun ODE")
    assert verdict_of("D3") is Verdict.HOLDS


def test_langevin_in_the_cooled_places_breaks_d4(monkeypatch):
    """Falsifier of D4 and D4a: annealed Langevin starves nothing; what starves, in its place, is seen to."""
    true = starving.shares
    monkeypatch.setattr(digits, "shares", lambda settings, sampler: true(settings, "annealed Langevin"))
    assert verdict_of("D4", only="factor") is Verdict.REFUTED
    assert verdict_of("D4", only="langevin") is Verdict.HOLDS
    swap = {"annealed Langevin": "Langevin, drift x2", "adaptive momentum": "annealed Langevin"}
    monkeypatch.setattr(digits, "shares", lambda settings, sampler: true(settings, swap[sampler]))
    assert verdict_of("D4", only="langevin") is Verdict.REFUTED
    assert verdict_of("D4a") is Verdict.REFUTED


def test_langevin_against_itself_breaks_d5_and_d6(monkeypatch, results):
    """Falsifier of D5 and D6: at a budget where adaptive momentum is nearer it has not lost; untuned Langevin twice."""
    monkeypatch.setattr(digits, "results", lambda settings: results)
    early = quick_settings("digits").model_copy(update={"past": 60})
    assert verdict_of("D5", settings=early) is Verdict.REFUTED
    assert early.budgets_of("adaptive momentum") == (20, 60, 300)
    assert early.model_copy(update={"past": 900}).budgets_of("adaptive momentum") == (20, 60, 300, 900)
    found = digits.tuned_results(quick_settings("digits"))
    ours, theirs, constant = (found[name] for name in exact.CONTENDERS[1::-1] + exact.CONTENDERS[2:])
    swapped = {"adaptive momentum": theirs, "annealed Langevin": ours, "Langevin, drift x1.5": constant}
    monkeypatch.setattr(digits, "tuned_results", lambda settings: swapped)
    assert verdict_of("D6", only="tuned") is Verdict.REFUTED
    swapped = {"adaptive momentum": constant, "Langevin, drift x1.5": ours}
    assert verdict_of("D6", only="constant") is Verdict.REFUTED


def test_a_sampler_that_wins_would_make_d7_hold(exchanged):
    """Falsifier of the refutation D7: the flow's results in adaptive momentum's place are as faithful."""
    exchanged(adaptive_momentum="Heun ODE")
    assert verdict_of("D7") is Verdict.HOLDS


def test_a_warmer_sampler_breaks_d7a(monkeypatch, results):
    """Falsifier of D7a: with what they have at 20 evaluations, adaptive momentum is not competitive."""
    early = {name: {150: by_budget[20]} for name, by_budget in results.items()}
    monkeypatch.setattr(digits, "results", lambda settings: early)
    assert verdict_of("D7a") is Verdict.REFUTED


def test_every_sampler_spends_at_most_its_budget():
    subject = digits.images().subject(0.05)
    for budget in (10, 21):
        for name, entrant in ENTRANTS.items():
            spent = run(subject, entrant, budget, RELEASED, 2, generator(0, 1)).evaluations
            assert budget - 5 <= spent <= budget, name


def test_starts_are_common_and_batches_differ():
    subject = digits.images().subject(0.05)
    first, again, second = (started(subject, 8, generator(5, number)) for number in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, second)
    assert first.shape == (8, 8, 8)
    runs = [exact.run_batch(SMALL, digits.images(), "reverse diffusion", 20, number).x for number in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("name", ["adaptive momentum", "PC, adaptive"])
def test_per_sample_coupling_agrees_for_any_split(name):
    """Samples to 1e-4 in float32 however a batch is split, hence the same distances; batch coupling does not."""
    images = digits.images()
    subject, judged = images.subject(0.05), exact.judge(SMALL, images)

    def sampled(entrant, sizes):
        program, parts, first = list(entrant.program(subject.ends, 20, RELEASED)), [], 0
        for size in sizes:
            draws = generated_per_sample(seeded_per_sample(7, first, size))
            x = subject.ends.first * draws(torch.empty(size, *subject.shape))
            parts.append(last(loop(program, State(x), subject.score, draws, entrant.algebra()))[0].x.clone())
            first += size
        return torch.cat(parts)

    alone = ENTRANTS[f"{name}, per sample"]
    whole, split = sampled(alone, [12]), sampled(alone, [1, 4, 7])
    torch.testing.assert_close(whole, split, rtol=0, atol=1e-4)
    for one, other in zip(judged(whole), judged(split), strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    coupled = sampled(ENTRANTS[name], [12]), sampled(ENTRANTS[name], [1, 4, 7])
    assert (coupled[0] - coupled[1]).abs().max() > 1e-3


def test_the_solver_counts_its_evaluations():
    subject, calls = digits.images().subject(0.05), []

    def counted(x, level):
        calls.append(level)
        return subject.score(x, level)

    found = solved(subject._replace(score=counted), 0.1, 4, generator(0, 1))
    assert found.evaluations == len(calls) > 10


def test_tuning_chooses_on_other_batches(monkeypatch):
    """The chosen setting is the best of the trials', whose batches are none of those that judge."""
    asked = []
    true = tuning.run_batch

    def noted(settings, images, name, budget, number, choice):
        asked.append((number, choice))
        return true(settings, images, name, budget, number, choice)

    monkeypatch.setattr(tuning, "run_batch", noted)
    found = tuning.tune(SMALL, digits.images(), "annealed Langevin", 20, comparison.misfit)
    judging = [number for number, choice in asked if choice == found.choice][-SMALL.batches :]
    trials = {number for number, _ in asked} - set(judging)
    assert judging == [1, 2] and len(trials) == SMALL.trials
    assert {choice for _, choice in asked} == set(tuning.grid(SMALL, 20))
    assert all(20 // choice.repeats >= 2 for choice in tuning.grid(SMALL, 20))


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
    assert (ours.value, ours.low, ours.high) == pytest.approx((2.0, 2.0, 2.0), rel=0.03)
    assert ours.low < 2.0 < ours.high and ours.value == pytest.approx(2.0)
    assert comparison.speed_up(found, SMALL, "best", "base", 50, comparison.energy).value == pytest.approx(8.0)


def test_needed_evaluations_are_read_between_budgets():
    """An error of 1/NFE reaches 1/40 at 40; beyond the ends: the smallest budget, or never."""
    curve = {budget: np.full(4, 1.0 / budget) for budget in (20, 80, 400)}
    half = {budget: 2 * errors for budget, errors in curve.items()}
    assert speed.needed(curve, 1 / 40) == pytest.approx(40.0)
    assert speed.needed(curve, 1.0) == 20 and speed.needed(curve, 1e-4) == math.inf
    own, ratio = speed.ratio(curve, half, 1 / 40, 0.99)
    assert own == pytest.approx((40.0,) * 3, rel=0.03) and ratio == pytest.approx((2.0,) * 3, rel=0.06)
    assert [speed.shown(value) for value in (math.nan, math.inf, 12.345)] == ["neither", "not reached", 12.3]


def test_speed_intervals_hold_the_spread():
    """Batches that disagree by a factor of four: the interval spans it; common batches cancel where both are paired."""
    factors = np.array([0.5, 1.0, 1.0, 2.0])
    curve = {budget: factors / budget for budget in (10, 100, 1000)}
    own, ratio = speed.ratio(curve, curve, 1 / 50, 0.99)
    assert own.low < 40 < 60 < own.high and ratio.low < 1.0 == ratio.value < ratio.high
    shifts = np.array([0.0, 0.01, -0.01, 0.03])
    shifted = {budget: 10.0 / budget + shifts for budget in (10, 100, 1000)}
    paired = speed.speed_up(shifted[100], shifted, 100, 0.99)
    alone = speed.span(shifted, float(shifted[100].mean()), 0.99)
    assert paired.low < 1.0 == paired.value < paired.high
    assert (paired.high - paired.low) < 0.3 * (alone.high - alone.low) / 100


@pytest.mark.monte_carlo(share=0.01)
def test_speed_intervals_cover_what_they_state(monte_carlo):
    """Of 1000 sets of 6 normal batches, true ratio 2, 95 %; percentiles of a bootstrap cover .85 of them."""
    rng, test = monte_carlo.numpy(), monte_carlo.note(plan_count_test(1000, 0.95, 0.07, monte_carlo.share))
    covered = 0
    for _ in range(1000):
        curve = {budget: (1.0 + 0.2 * rng.standard_normal(6)) / budget for budget in (25, 50, 100, 200)}
        found = speed.speed_up((1.0 + 0.2 * rng.standard_normal(6)) / 100, curve, 50, 0.95)
        covered += found.low <= 2.0 <= found.high
    assert not test.rejects(covered)


def test_misfit_is_the_divergence_of_a_mode():
    assert comparison.misfit(exact.Errors(0.0, 1.0, 0.0, 0.0)) == 0.0
    assert comparison.misfit(exact.Errors(0.0, 0.25, 0.0, 0.0)) == pytest.approx(0.5 * (0.25 - 1 + math.log(4)))


def test_table_has_a_row_for_each_run(results):
    settings = quick_settings("digits")
    table, fast, rare = digits.tables(settings)
    runs = len(settings.budgets) * len(settings.samplers) + len(settings.long) * len(settings.lasting)
    assert len(table.rows) == runs + len(settings.budgets + settings.long) + len(settings.tolerances)
    assert all(np.isfinite(row[2:]).all() for row in table.rows)
    kinds = len(settings.samplers) + bool(settings.tolerances) + len(settings.contenders)
    assert len(fast.rows) == kinds * len(settings.levels)
    assert all(row[3] != "neither" or row[6] == "neither" for row in fast.rows)
    assert len(rare.rows) == len(starving.WATCHED)


def test_ticks_leave_room_for_each_other():
    assert drawing.apart([10, 20, 40, 60, 100, 150, 300, 2000]) == [10, 20, 40, 100, 300, 2000]


def test_figures_are_written(results, tmp_path):
    for figure in digits.figures(quick_settings("digits"), tmp_path):
        assert figure.file.stat().st_size > 10_000
