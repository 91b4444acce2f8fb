"""Noise schedules and the training of scores: each claim's verdict, and the change that flips
it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from ams.schedules import karras_sigmas
from related.design_space.noise_schedules import study as schedules
from related.design_space.score_training import linear, study as networks
from related.design_space.score_training.settings import Settings
from tests.claims import expected, quick_settings, refuted, upheld, verdict_of

SCHEDULES = quick_settings("noise_schedules")
SMALL = Settings(
    cases=6, widths=(64, 256), seeds=16, steps=1000, budgets=(200,), networks=3, updates=150
)
NARROW = SMALL.model_copy(update={"points": (32, 128), "seeds": 3})
SHORT = SMALL.model_copy(update={"budgets": (50,)})


@pytest.mark.parametrize(
    ("identifier", "settings"),
    [(name, SCHEDULES) for name in ("N2", "N2b")] + [(name, SMALL) for name in ("N5", "N6", "N7a")],
    ids=["N2", "N2b", "N5", "N6", "N7a"],
)
def test_claims_come_out_as_expected(identifier: str, settings: Any) -> None:
    assert verdict_of(identifier, settings=settings) is expected(identifier)


def test_a_dropped_part_breaks_n2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2: without the score's part the bound is none, and not the kernel's
    divergence.
    """
    monkeypatch.setattr(schedules, "score_part", lambda levels, law, error: 0.0)
    assert refuted("N2", "chain", "bound", settings=SCHEDULES)


def test_swapped_schedules_break_n2b(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N2b: each schedule under the other's name, and a path-optimal one that is
    exponential.
    """
    other, outcomes = (
        {"exponential": "EDM", "EDM": "exponential", "path-optimal": "exponential"},
        schedules.outcomes,
    )
    monkeypatch.setattr(
        schedules, "outcomes", lambda target, name, *sizes: outcomes(target, other[name], *sizes)
    )
    assert refuted("N2b", "good", "wide", "bad", "optimal", settings=SCHEDULES)
    monkeypatch.setattr(
        schedules,
        "geometric_sigmas",
        lambda first, last, count: karras_sigmas(first, last, count, 1.0),
    )
    assert refuted("N2b", "cause", settings=SCHEDULES)


def test_narrow_networks_come_out_as_expected() -> None:
    assert verdict_of("N6a", settings=NARROW) is expected("N6a")


def test_another_rate_breaks_n5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N5: descent at a rate one percent larger than the law's."""
    descend = linear.losses_by_descent
    monkeypatch.setattr(
        linear, "losses_by_descent", lambda i, t, rate, steps: descend(i, t, 1.01 * rate, steps)
    )
    assert refuted("N5", "law", settings=SMALL)


def test_an_oscillating_rate_breaks_n6(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """Falsifier of N6: at four times the rate both layers' loss oscillates."""
    eigenvalue = networks.largest_eigenvalue
    monkeypatch.setattr(networks, "largest_eigenvalue", lambda given: eigenvalue(given) / 5)
    assert refuted("N6", "linear_both", settings=SMALL)


def losses_made_up(
    rate: Callable[[int], float], law: Callable[[np.ndarray], np.ndarray]
) -> Callable[..., np.ndarray]:
    """Return log-losses that fall with `law` of the steps, three seeds a little apart."""
    apart = np.array([[1.0], [1.01], [1.02]])
    return lambda trained, points, width, seeds, steps, seed: (
        -rate(width) * apart * law(np.arange(1.0, steps + 1))
    )


def test_a_power_law_breaks_n6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses that fall as a power of the steps are no exponentials, though their logarithm is
    nearly a line.
    """
    power = losses_made_up(lambda width: 1.0, lambda steps: np.log(steps) + 1e-3 * np.sin(steps))
    monkeypatch.setattr(networks, "log_losses", power)
    assert refuted("N6", "linear_second", "linear_both", "exponential_both", settings=SMALL)


def test_a_rate_that_falls_with_width_breaks_n6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        networks, "log_losses", losses_made_up(lambda width: 1 / width, lambda steps: steps)
    )
    assert refuted("N6", "width_second", "width_both", settings=SMALL)


def test_rates_that_grow_with_width_uphold_n6a(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N6a: exponentials whose rate is the width, up to a ripple; a curve breaks its
    other part.
    """
    rippled = losses_made_up(lambda width: float(width), lambda steps: steps + np.sin(steps))
    with upheld("N6a", settings=NARROW):
        monkeypatch.setattr(networks, "log_losses", rippled)
    monkeypatch.setattr(
        networks, "log_losses", losses_made_up(float, lambda steps: steps**0.1 + np.sin(steps))
    )
    assert refuted("N6a", "linear", settings=NARROW)


def test_the_worst_ratio_is_the_one_whose_interval_ends_last() -> None:
    """Its miss is shared: the interval of one of two ratios is longer than it would be alone."""
    sure, unsure = np.array([2.0, 2.1, 2.0, 2.1]), np.array([1.0, 3.0, 1.0, 3.0])
    both = networks._ratios(SMALL, {"sure": (sure, 1.0), "unsure": (unsure, 1.0)})
    alone = networks._ratios(SMALL, {"unsure": (unsure, 1.0)})["unsure"]
    found = networks._extreme(both, largest=True)
    assert found.interval == both["unsure"].interval and found.detail["sure"] == pytest.approx(
        2.05, abs=0.01
    )
    assert both["unsure"].interval[1] > alone.interval[1]


def made_up(values: dict[str, float]) -> Callable[..., np.ndarray]:
    return lambda weight, count, updates, rate, seed: values[weight] * (1 + 0.01 * np.arange(count))


def test_equal_weights_break_n7(monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of N7: networks that every weight leaves with one error."""
    monkeypatch.setattr(networks, "parts", made_up({"EDM": 1.0, "Song": 1.0, "uniform": 1.0}))
    assert verdict_of("N7", settings=SMALL) == "refuted"
    monkeypatch.setattr(networks, "parts", made_up({"EDM": 0.5, "Song": 1.0, "uniform": 1.0}))
    assert verdict_of("N7", settings=SMALL) == "holds"


def test_a_worse_rival_and_more_large_levels_would_make_n7a_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Falsifier of the refutation N7a: the uniform weight in the place of Song's, and a lower
    exponent of EDM's levels.

    Their exponent is 2 and not 7: more of them are large, which pays early and costs late.
    """
    with upheld("N7a", settings=SHORT, anew=True):
        monkeypatch.setitem(linear.WEIGHTS, "Song", linear.WEIGHTS["uniform"])
        monkeypatch.setitem(linear.NOISE_LEVELS, "EDM", partial(karras_sigmas, rho=2.0))


def test_equal_weights_break_n7a(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """N7a's early part: the three weights are one."""
    same = dict.fromkeys(linear.WEIGHTS, linear.WEIGHTS["EDM"])
    monkeypatch.setattr(linear, "WEIGHTS", same)
    assert refuted("N7a", "early", settings=SHORT)


def test_a_bound_without_the_score_part_breaks_n5(
    monkeypatch: pytest.MonkeyPatch, fresh_cells: None
) -> None:
    """Without the trained error the bound is none."""
    monkeypatch.setattr(linear.AffineError, "power", lambda self, law, level: 0 * law.variance)
    assert refuted("N8", "bound", settings=SHORT)


def test_levels_exchanged_break_n7a(monkeypatch: pytest.MonkeyPatch, fresh_cells: None) -> None:
    """The late part of the noise levels: the two kinds of noise levels are exchanged."""
    swapped = {"exponential": linear.karras_sigmas, "EDM": linear.geometric_sigmas}
    monkeypatch.setattr(linear, "NOISE_LEVELS", swapped)
    assert refuted("N9", "late", settings=SHORT)


def test_more_training_leaves_a_network_less_error() -> None:
    few, many = (
        networks.score_part(networks.train("EDM", 2, updates, 0.03, 1)).mean()
        for updates in (20, 400)
    )
    assert float(many) < 0.5 * float(few)


def test_the_frozen_rates_are_inside_their_grid() -> None:
    rates = [rate for by_weight in networks.RATES.values() for rate in by_weight.values()]
    assert all(min(networks.TRIED) < rate < max(networks.TRIED) for rate in rates)


def test_a_trained_score_is_its_optimum_in_the_limit() -> None:
    law = linear.TARGETS["one variance"]
    slope, shift = linear.trained(law, [1.0, 0.5], lambda sigma, s: 1.0, 10**6).table[0.5]
    assert torch.allclose(slope, torch.zeros_like(slope)) and torch.allclose(
        shift, torch.zeros_like(shift)
    )


def test_the_tangent_kernels_eigenvalue_is_automatic_differentiations() -> None:
    given = networks.case(5, 7, 1, 3)
    points, _, first, second = (part[0] for part in given)

    def output(w: torch.Tensor, a: torch.Tensor) -> Any:
        return ((points @ w).relu() / 7**0.5 @ a).flatten()

    by_first, by_second = torch.autograd.functional.jacobian(output, (first, second))
    jacobian = torch.cat([by_first.flatten(1), by_second.flatten(1)], 1)
    wanted = torch.linalg.eigvalsh(jacobian @ jacobian.T)[-1]
    assert float(networks.largest_eigenvalue(given, 500)[0]) == pytest.approx(
        float(wanted), rel=1e-6
    )
