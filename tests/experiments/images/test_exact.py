"""Images with their exact scores, digits and MNIST: verdicts, the changes that flip them, parts in
small.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from pytest import MonkeyPatch

from ams.data import Images
from ams.samplers import NonFiniteState
from ams.samplers.presets import AUTHORS, EXACT, Hyperparameters
from ams_suite import queries
from experiments.images import exact
from experiments.images.comparison import farthest
from experiments.images.digits import study
from experiments.images.digits.settings import BASELINE, CONSTANT, DOUBLED, PAPER, Settings
from experiments.images.drawing import move_speed_ups
from experiments.images.exact import LOST, Errors
from experiments.images.mnist import figures, study as mnist
from experiments.images.mnist.settings import Settings as MnistSettings
from tests.claims import expected, measured, quick_settings, refuted, upheld, verdict_of
from tests.experiments.images.made import pictures
from verdicts import Measurement
from verdicts.claims.schema import Verdict
from verdicts.studies import Cell, Memory, using
from verdicts.studies.table import Rows, RunTable

CPU_ALONE = {
    "factors": (0.5, 1.0),
    "repeats": (5, 10, 20),
    "trials": 1,
    "rare": 300,
    "rare_batch": 280,
    "rare_samplers": (BASELINE, DOUBLED),
    "tuned": (20, 60),
    "tuned_samplers": (BASELINE, PAPER, CONSTANT),
    "fresh": 7,
    "equalled": (20, 50, 200),
    "between": (10, 40, 100),
}
"""Small sizes of what the quick profile leaves out."""
QUICK = quick_settings("digits").model_copy(update=CPU_ALONE)
SETTINGS = QUICK.model_copy(update={"batches": 7})
MORE = QUICK.model_copy(update={"batches": 10, "rare_batch": 200, "more": 0})
"""For claims of small margin."""
SMALL = Settings(budgets=(20,), batches=2, batch=8, tuned=(20,), rare_samplers=())


@pytest.mark.parametrize(
    "identifier", ["D1", "D1a", "D2", "D3", "D4", "D6.tuned", "D6.constant", "D7"]
)
def test_claims_come_out_as_expected(identifier: str) -> None:
    assert verdict(identifier) is expected(identifier.split(".")[0])


def verdict(part: str, settings: Settings | None = None) -> Verdict:
    """Return the verdict of a claim, or of one of its checks."""
    claim = part.split(".")[0]
    settings = settings or (MORE if claim in ("D4", "D6") else SETTINGS)
    return verdict_of(claim, part if "." in part else "", settings)


def altered(monkeypatch: MonkeyPatch, change: Callable[[Rows], dict[str, Any]]) -> None:
    """Let each row be measured with what `change` gives in the place of its cell's arguments;
    labels stay.
    """

    def runs(true: Callable[..., Any], settings: Settings) -> Iterator[Rows]:
        for rows in true(settings):
            given = {**rows.cell.arguments, **change(rows)}
            yield rows._replace(cell=study.measure.cell(**given))

    monkeypatch.setattr(study, "runs", partial(runs, study.runs))


def exchanged(monkeypatch: MonkeyPatch, places: dict[str, str]) -> None:
    """Put the batches of other samplers in the places of some."""

    def other(rows: Rows) -> dict[str, Any]:
        return {"sampler": places[name]} if (name := str(rows.labels["sampler"])) in places else {}

    altered(monkeypatch, other)


def floor_is_seen() -> tuple[bool, bool]:
    """Tell whether fresh draws have energy distance 0 and variance ratio 1.

    To within 0.06 and 0.1. Both intervals are Student's at 99 % over ten batches of 32.
    """
    table, draws = RunTable(tuple(study.runs(MORE))), {"sampler": EXACT.name, "budget": 0}
    energy, ratio = (
        queries.mean(table, each, **draws).interval for each in ("energy", "variance_ratio")
    )
    return -0.06 < energy[0] < energy[1] < 0.06, 0.9 < ratio[0] < ratio[1] < 1.1


def test_fresh_draws_of_the_target_show_no_error(monkeypatch: MonkeyPatch) -> None:
    """Seeds are fixed: no alarm is false. Both numbers see draws with every pixel off by a
    tenth.
    """
    assert floor_is_seen() == (True, True)
    true = exact.fresh_draws
    monkeypatch.setattr(exact, "fresh_draws", lambda *given: true(*given) + 0.1)
    with using(Memory()):
        assert floor_is_seen() == (False, False)


def test_langevin_against_itself_breaks_d1(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D1 and D1b: annealed Langevin in adaptive momentum's place saves nothing;
    another one gains.
    """
    exchanged(monkeypatch, {PAPER: BASELINE})
    assert verdict("D1b.twice") is not Verdict.HOLDS
    ratios = [verdict(f"D1b.at_{budget}") for budget in (20, 50, 200)]
    assert Verdict.HOLDS not in ratios
    exchanged(monkeypatch, {BASELINE: "reverse diffusion"})
    assert verdict("D1.gain") is not Verdict.HOLDS


def test_samples_of_one_image_break_d1a(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D1a: one image again and again, with the last noise level's noise; KL per pixel
    alone is blind.
    """
    images, sigma = study.target().images, SETTINGS.last_sigma
    x = images[:1].expand(SETTINGS.batch, 8, 8)
    noisy = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(4))
    errors = exact.errors_of(noisy, study.target(), study.reference("", sigma))
    true = exact.samples

    def samples(
        target: Any, sampler: str, budget: int, numbers: tuple[int, ...], *rest: Any
    ) -> list[torch.Tensor]:
        return (
            [noisy] * len(numbers)
            if sampler == PAPER
            else true(target, sampler, budget, numbers, *rest)
        )

    monkeypatch.setattr(exact, "samples", samples)
    with using(Memory()):
        assert verdict("D1a") is Verdict.REFUTED
    assert errors.kl < 0.01  # 2048 pixels: its standard deviation is 0.0007


def test_langevin_in_its_place_breaks_d2(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D2: annealed Langevin in the others' places is not below 1; a doubled drift in
    its place is.
    """
    exchanged(monkeypatch, {PAPER: BASELINE, DOUBLED: BASELINE, BASELINE: DOUBLED})
    assert refuted("D2", "adaptive", "factor", "langevin", settings=SETTINGS)


def test_a_sampler_that_wins_would_make_d3_hold(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation D3: the probability flow in adaptive momentum's place, against
    annealed Langevin.
    """
    with upheld("D3", settings=SETTINGS):
        exchanged(monkeypatch, {PAPER: "Heun ODE", "reverse diffusion": BASELINE})


def test_langevin_in_the_places_of_tempered_samplers_breaks_d4(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D4: annealed Langevin loses no mode; a doubled drift in its place is seen to."""
    exchanged(monkeypatch, {DOUBLED: BASELINE})
    assert verdict("D4.factor") is Verdict.REFUTED
    assert verdict("D4.langevin") is Verdict.HOLDS
    monkeypatch.undo()
    exchanged(monkeypatch, {BASELINE: DOUBLED})
    assert verdict("D4.langevin") is Verdict.REFUTED


def test_langevin_against_itself_breaks_d5(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D5: at a budget where adaptive momentum is nearer it is not the worse."""
    altered(monkeypatch, lambda rows: {"budget": min(rows.cell.arguments["budget"], 60)})
    assert verdict("D5", SETTINGS.model_copy(update={"past": 2000})) is Verdict.REFUTED


def test_tuned_samplers_exchanged_break_d6(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D6: tuned samplers in each other's places; a setting at the end of the grid."""
    exchanged(monkeypatch, {PAPER: BASELINE, BASELINE: PAPER})
    assert verdict("D6.tuned") is Verdict.REFUTED
    monkeypatch.undo()
    exchanged(monkeypatch, {PAPER: CONSTANT, CONSTANT: PAPER})
    assert verdict("D6.constant") is Verdict.REFUTED
    monkeypatch.undo()
    one = study.numbers_of(Errors(0.0, 1.0, 0.0, 0.0), 1.0, 20)
    monkeypatch.setattr(study, "measured", lambda *given: [one] * len(given[3]))
    for h, edges in (
        (AUTHORS, 0),
        (AUTHORS._replace(factor=max(SMALL.factors), repeats=30), 6),
        (AUTHORS._replace(repeats=1), 0),
    ):
        monkeypatch.setattr(study, "tuned", lambda *given, chosen=h: chosen)
        with using(Memory()):
            assert measured("D6.edges", SMALL.model_copy(update={"tuned": (20, 60)})).value == edges


def test_a_sampler_that_wins_would_make_d7_hold(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of the refutation D7: the probability flow's batches in adaptive momentum's place
    leave as little.
    """
    with upheld("D7", settings=SETTINGS):
        exchanged(monkeypatch, {PAPER: "Heun ODE"})


def test_a_noisier_sampler_breaks_d7a(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of D7a: with what all have at 20 evaluations, adaptive momentum does not equal the
    others.
    """
    altered(monkeypatch, lambda rows: {"budget": 20})
    lasting = (*SETTINGS.lasting, "ancestral", "EDM stochastic")
    assert verdict("D7a", SETTINGS.model_copy(update={"lasting": lasting})) is Verdict.REFUTED


def test_tuning_chooses_on_other_batches(monkeypatch: MonkeyPatch) -> None:
    """The chosen setting is the best of the trials', whose batches are none of those that count."""
    tried: dict[Hyperparameters, set[int]] = {}

    rows = [each for each in study.runs(SMALL) if each.labels["sampler"] == BASELINE]
    grid, trials = SMALL.grid(20), rows[-1].cell.arguments["trials"]

    def measure(*given: Any) -> list[study.Numbers]:
        *_, numbers, _, (h,) = given
        tried.setdefault(h, set()).update(numbers)
        errors = Errors(0.0, 1.0 + abs(h.factor - 1.0) + h.repeats, 1.0, 0.0)
        return [study.numbers_of(errors, 1.0, 20)] * len(numbers)

    monkeypatch.setattr(study, "measure", measure)
    best = study.tuned("", BASELINE, 20, grid, trials, SMALL.setup)
    assert best == AUTHORS._replace(factor=1.0, repeats=1)
    assert set(tried) == set(grid) and all(20 // each.repeats >= 2 for each in grid)
    assert all(len(numbers) == SMALL.trials for numbers in tried.values())
    assert all(
        set(exact.numbers(SMALL, BASELINE)).isdisjoint(numbers) for numbers in tried.values()
    )
    assert set(exact.numbers(SMALL, BASELINE)).isdisjoint(exact.numbers(SMALL, EXACT.name))


def test_a_batch_that_diverges_is_lost_alone(monkeypatch: MonkeyPatch) -> None:
    true = exact.samples

    def diverging(
        target: Any, sampler: str, budget: int, numbers: tuple[int, ...], *rest: Any
    ) -> list[torch.Tensor]:
        if 2 in numbers:
            raise NonFiniteState("far")
        return true(target, sampler, budget, numbers, *rest)

    monkeypatch.setattr(exact, "samples", diverging)
    with using(Memory()):
        one, lost, other = study.measure("", BASELINE, 20, (1, 2, 3), SMALL.setup)
    assert lost.errors == LOST and LOST not in (one.errors, other.errors)
    assert math.isnan(lost.ones), "a run that diverges is no evidence that a mode is rarer"


def test_errors_know_collisions_and_classes() -> None:
    """Eight copies of one image: every pair collides, all in one class; the variance ratio is that
    of no noise, 0.
    """
    target = study.target()
    errors = exact.errors_of(
        target.images[:1].expand(8, 8, 8).clone(), target, study.reference("", 0.05)
    )
    assert errors.collisions == pytest.approx(len(target.labels))
    assert errors.variance_ratio == pytest.approx(0.0, abs=1e-9)
    assert errors.classes == pytest.approx(
        1 - float((target.labels == target.labels[0]).double().mean())
    )


def test_kl_per_pixel_is_the_divergence_of_a_mode() -> None:
    assert Errors(0.0, 1.0, 0.0, 0.0).kl == 0.0 and LOST.kl == np.inf
    assert Errors(0.0, 0.25, 0.0, 0.0).kl == pytest.approx(0.5 * (0.25 - 1 + np.log(4)))


def test_the_farthest_interval_is_found_on_either_side() -> None:
    means = [
        Measurement(value=v, low=v - w, high=v + w)
        for v, w in ((0.9, 0.2), (-1.0, 0.05), (1.0, 0.01))
    ]
    assert (
        farthest(means) is means[0]
        and farthest(means[1:]) is means[1]
        and farthest(means, origin=1.0) is means[1]
    )


FEW = MnistSettings(
    budgets=(10,), fresh=2, batches=3, batch=8, samplers=(BASELINE, "constant momentum"), seed=9
)


@pytest.fixture
def made_up(monkeypatch: MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mnist, "load", lambda name: Images(pictures(40), torch.arange(40) % 10))
    mnist.target.cache_clear()
    with using(Memory()):
        yield
    mnist.target.cache_clear()


def mnist_measured(monkeypatch: MonkeyPatch, variance_ratios: dict[str, dict[int, float]]) -> None:
    """Give samplers these variance ratios by evaluations, a little apart between batches."""

    def errors(settings: MnistSettings, sampler: str, budget: int) -> list[Errors]:
        ratio = variance_ratios[sampler][budget]
        return [Errors(0.0, ratio * (1 + 0.001 * k), 1.0, 0.0) for k in range(settings.batches)]

    def fresh_errors(settings: MnistSettings, sampler: str) -> list[Errors]:
        budgets = {cell.arguments["budget"] for cell in mnist.fresh_batches(settings, sampler)}
        return errors(settings, sampler, *budgets)

    monkeypatch.setattr(mnist, "fresh_errors", fresh_errors)


MNIST = MnistSettings(budgets=(20, 50, 100), batches=6, batch=32)


def test_langevin_against_itself_breaks_m1(monkeypatch: MonkeyPatch) -> None:
    """Falsifier of M1: as much noise is alike; less, or annealed Langevin against itself, is
    not.
    """
    for at_50, verdict in ((1.2, Verdict.HOLDS), (1.1, Verdict.REFUTED), (1.4, Verdict.REFUTED)):
        mnist_measured(monkeypatch, {BASELINE: {100: 1.2}, PAPER: {50: at_50}})
        assert verdict_of("M1", settings=MNIST) is verdict


def test_samples_are_judged_denoised_against_the_targets_images(
    made_up: None, monkeypatch: MonkeyPatch
) -> None:
    """The target's own draws, denoised, are its images: their distance is the floor; that of
    inverted images is not.
    """
    judged = figures.in_features(FEW)
    assert [one.entry.sampler for one in judged] == [EXACT.name, *FEW.samplers]
    assert {one.conditions.n for one in judged} == {24}
    floor = judged[0]
    monkeypatch.setattr(mnist, "denoised", lambda problem, x: 1 - x)
    with using(Memory()):
        far = figures.in_features(FEW)[0]
    assert floor.conditions == far.conditions
    assert floor.conditions.denoised and floor.conditions.reference == "first 40 MNIST test images"
    assert far.numbers["frechet"].value > 3 * floor.numbers["frechet"].value
    assert far.numbers["coverage"].value < 0.5 < floor.numbers["coverage"].value


def test_tables_have_a_row_for_each_run_and_read_the_study_alone(
    made_up: None, monkeypatch: MonkeyPatch
) -> None:
    for each in mnist.cells(FEW):
        each.function(**each.arguments)
    monkeypatch.setattr(Cell, "compute", lambda cell: pytest.fail(f"{cell} is not in the study"))
    every, _, in_features, classes = figures.tables(FEW)
    for table in (every, in_features, classes):
        assert [row[0] for row in table.rows] == ["fresh draws", *FEW.samplers]


def test_a_chart_of_speed_ups_has_no_point_where_a_factor_is_infinite() -> None:
    chart = move_speed_ups({("images", "default"): [(20, 1.5), (50, math.inf)]}).to_dict()
    assert [row["times"] for row in chart["datasets"][chart["layer"][1]["data"]["name"]]] == [
        1.5,
        None,
    ]
