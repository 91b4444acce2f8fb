"""Runs as affine maps, their orders, and the conditions of a step's order.

The maps: by algebra, against the suite's exact law, against samples of the same black box. The
conditions: methods of known degree and order; wrong first steps, which they leave out, and wrong
weights.
"""

import json
import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ams.schedules import Level
from ams.statistics import plan_known_mean_test, plan_squares_test
from samplercheck import Draws, Network, Sampler, conform, convergence, noise_level
from samplercheck.affine_map import read_map
from samplercheck.beside import changes
from samplercheck.convergence import Data, calls_a_step, converge, fitted, two_targets
from samplercheck.order_conditions import order_conditions
from tests.ams.tools import assert_equal
from tests.monte_carlo import MonteCarlo
from tests.samplercheck.references import (
    REFERENCES,
    Reference,
    karras,
    preserving,
    rectified,
    unipc,
)

DATA = Data(
    torch.tensor([0.5, -1.0, 0.0], dtype=torch.float64),
    torch.tensor([0.1, 1.0, 2.0], dtype=torch.float64),
)


def test_ddim_by_algebra() -> None:
    """A step is `(v' + r) / (v + r) (y - m) + m` with `r` the slope of the posterior mean in `y
    = x / scale`.
    """
    levels, map_ = preserving(6), read_map(REFERENCES["DDIM"].sampler("DDIM"), DATA.network(), 3, 6)
    gain, offset = (
        torch.ones(3, dtype=torch.float64) / levels[0].scale,
        torch.zeros(3, dtype=torch.float64),
    )
    for level, after in pairwise(levels):
        v, v_next, variance = (
            level.sigma / level.scale,
            after.sigma / after.scale,
            DATA.std.square(),
        )
        factor = (variance + v * v_next) / (variance + v * v)  # eps = v (y - m) / (variance + v^2)
        gain, offset = factor * gain, DATA.mean + factor * (offset - DATA.mean)
    assert_equal([map_.start[-1], map_.offset[-1]], [gain, offset], 1e-11, 1e-11)
    assert map_.draws.shape == (7, 0, 3) and map_.defect < 1e-13
    assert [call.sigma for call in map_.levels] == [level.sigma for level in levels[:-1]]


def test_each_draw_has_its_own_impulse() -> None:
    """`x' = x / 2 + (k + 1) z_k`, so that draw k ends as `(k + 1) / 2^(N - 1 - k)`."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for k in range(steps):
            x = x / 2 + (k + 1) * torch.randn_like(x)
        return x

    map_ = read_map(Sampler("halves", "1", run, lambda steps: 1.0, noise=1.0), DATA.network(), 3, 4)
    assert map_.draws[-1, :, 0].tolist() == [1 / 8, 2 / 4, 3 / 2, 4.0]
    assert map_.law(-1, 2.0, 1.0)[0][0] == 2 / 16
    assert map_.law(-1, 2.0, 1.0)[1][0].item() == pytest.approx(
        1 / 256 + 1 / 64 + 1 / 4 + 9 / 4 + 16, rel=1e-14
    )


def test_a_sampler_that_says_it_draws_nothing_may_draw() -> None:
    sampler = REFERENCES["ancestral"].sampler("ancestral", noise=0.0)
    assert read_map(sampler, DATA.network(), 3, 5).draws.shape[1] == 4


def test_the_exact_start_has_the_marginal_at_the_first_call() -> None:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        level = preserving(2)[0]
        return network("x0", 3.0 * x + 0.1 * torch.randn_like(x), level)

    map_ = read_map(
        Sampler("scaled", "1", run, lambda steps: 1.0, noise=None), DATA.network(), 3, 1
    )
    exact = DATA.marginal(map_.levels[0])
    assert_equal(map_.law(0, *map_.exact_start(*exact)), exact)


@pytest.mark.parametrize("clamp", [0.5, 1e9])
def test_a_clamp_is_not_affine(clamp: float) -> None:
    clamped = REFERENCES["DDIM"].through(
        lambda network, *asked: network(*asked).clamp(-clamp, clamp)
    )
    assert (read_map(clamped.sampler("clamped"), DATA.network(), 3, 8).defect > 1e-2) is (clamp < 1)


@pytest.mark.monte_carlo(share=0.01)
@pytest.mark.parametrize("name", ["DDIM, eta 0.6", "EDM"])
def test_the_law_is_that_of_a_million_samples(name: str, monte_carlo: MonteCarlo) -> None:
    """Detected are a mean off by 1 % of a standard deviation and a variance off by 1.4 %."""
    sampler, n, share = REFERENCES[name].sampler(name), 1_000_000, monte_carlo.share / 4
    data = Data(DATA.mean[1:2], DATA.std[1:2])
    mean, variance = read_map(sampler, data.network(), 1, 5).law(-1, 0.0, sampler.prior(5) ** 2)
    torch.manual_seed(monte_carlo.seed)
    x = sampler.prior(5) * torch.randn(n, 1, 1, 1, dtype=torch.float64)
    white = (sampler.run(data.network(), x, 5, Draws()).flatten() - mean) / variance.sqrt()
    assert not monte_carlo.note(plan_known_mean_test(n, 0.01, share)).rejects(
        white.sum().item() / math.sqrt(n)
    )
    assert not monte_carlo.note(plan_squares_test(n, 0.014, share)).rejects(
        white.square().sum().item()
    )


SHORT = (16, 24, 32, 48, 64, 96)


@pytest.mark.parametrize(
    ("name", "degree", "order"),
    [
        ("Euler", 0, 1),
        ("DDIM", 0, 1),
        ("ancestral", 0, 1),
        ("Heun", 1, 2),
        ("DPM-Solver-2", 0, 2),
        ("AB2 in v", 1, 2),
        ("AB3 in v", 2, 3),
        ("exponential AB2, x0", 1, 2),
        ("exponential AB3, eps", 2, 3),
        ("SDE-DPM-Solver++ 2M", 0, 2),
    ],
)
def test_methods_of_known_degree_and_order(name: str, degree: int, order: int) -> None:
    found = order_conditions(REFERENCES[name].sampler(name))
    assert found.degree == degree and found.order is not None
    assert found.order.value == pytest.approx(order, abs=0.36)


@pytest.mark.parametrize("predictor", [2, 3])
def test_a_corrector_raises_the_order_by_one(predictor: int) -> None:
    found = order_conditions(
        Reference(unipc(predictor), karras, None).sampler("UniPC"), (48, 72, 96, 144)
    )
    assert found.order is not None and found.order.value == pytest.approx(predictor + 1, abs=0.3)


def test_the_first_steps_are_left_out() -> None:
    """The first value is wrong by a tenth, and so are the first two steps of AB2; all others are
    right.
    """

    def first_wrong(network: Network, predict: str, x: Tensor, level: Level) -> Tensor:
        return network(predict, x, level) * (1.1 if math.isclose(level.sigma, 5.0) else 1.0)

    started = (
        REFERENCES["AB2 in v"]
        .through(first_wrong)
        .sampler("start", lambda steps: karras(steps, 5.0))
    )
    found, law = (
        order_conditions(started, SHORT).order,
        converge(started, two_targets(1.0), SHORT)[0].order,
    )
    assert found is not None and found.value == pytest.approx(2, abs=0.25)
    assert law is not None and law.value < 1.5


def test_a_linear_multistep_method_of_a_wrong_weight_does_not_converge() -> None:
    def wrong(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        last = network("eps", x, levels[0])
        for level, after in pairwise(levels[:-1]):
            eps = network("eps", x, level)
            x, last = x + (after.sigma - level.sigma) * (1.5 * eps - 0.4 * last), eps
        return x

    found = order_conditions(Reference(wrong, karras, 2).sampler("wrong"), SHORT)
    assert found.degree == -1 and found.order is not None and found.order.value < 0.2


def test_a_sampler_without_noise_levels_in_range_says_so() -> None:
    found = order_conditions(
        REFERENCES["Euler"].sampler("Euler", lambda steps: karras(steps, 0.15, 0.02)), SHORT
    )
    assert found.order is None and "no steps between" in found.why


@pytest.mark.parametrize(("name", "order"), [("Euler", 1), ("Heun", 2), ("ancestral", 1)])
def test_the_order_of_exact_laws(name: str, order: int) -> None:
    found, defect = converge(REFERENCES[name].sampler(name), two_targets(1.0), SHORT)
    assert defect < 1e-12 and found.order is not None
    assert found.order.value == pytest.approx(order, abs=0.25) and found.limit.value < 0.02
    assert found.start < 1e-3 and found.end.value < 0.03


def test_a_wrong_start_and_a_wrong_end_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end is that of the posterior mean at noise 0.4, whose deviation is `s^2 / sqrt(s^2 +
    0.16)` by algebra.
    """
    data = Data(torch.zeros(2, dtype=torch.float64), torch.tensor([0.3, 1.0], dtype=torch.float64))
    early = REFERENCES["Heun"].sampler("early", lambda steps: karras(steps, 80.0, 0.4))
    short = data.std - data.std.square() / (data.std.square() + 0.16).sqrt()
    assert converge(early, data, SHORT)[0].end.value == pytest.approx(float(short.norm()), rel=1e-3)
    wide = REFERENCES["Heun"].sampler("wide")
    wide = Sampler(wide.name, "1", wide.run, lambda steps: 120.0)
    assert converge(wide, data, SHORT)[0].start == pytest.approx(0.405, abs=1e-3)  # ln(120 / 80)
    few = Sampler(wide.name, "1", wide.run, lambda steps: 80.0 * (1 + 4 / steps))
    assert converge(few, data, SHORT)[0].start == pytest.approx(
        math.log(1 + 4 / SHORT[0]), abs=1e-3
    )
    starts = iter([0.1, *[math.nan] * (len(SHORT) - 1)])
    monkeypatch.setattr(convergence, "_start", lambda *_: next(starts))
    assert math.isnan(converge(few, data, SHORT)[0].start), (
        "what is not a number is not passed over"
    )


def runge_kutta(weight: float) -> Reference:
    """Return the classical method of order 4 on rectified flow; `weight` is 1/6 in it, of the
    first and last stage.
    """

    def run(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        def velocity(x: Tensor, t: float) -> Tensor:
            return network("flow", x, noise_level(1 - t, t))

        for t, after in pairwise([level.sigma for level in levels]):
            h = after - t
            first = velocity(x, t)
            second = velocity(x + h / 2 * first, t + h / 2)
            third = velocity(x + h / 2 * second, t + h / 2)
            last = velocity(x + h * third, after)
            x = x + h * (weight * (first + last) + (0.5 - weight) * (second + third))
        return x

    return Reference(run, rectified, 4, evaluations=lambda steps: 4 * steps)


def test_a_method_of_four_calls_a_step_has_its_order_unless_it_is_wrong() -> None:
    """Its last call is at noise 0, where the flow is known and lambda is infinite."""
    found = conform(runge_kutta(1 / 6).sampler("RK4"), steps=SHORT)
    assert found.verdict == "holds", found.why
    assert found.conditions is not None and found.conditions.order is not None
    assert found.conditions.order.value == pytest.approx(4, abs=0.1)
    wrong = conform(runge_kutta(0.17).sampler("wrong"), steps=SHORT)
    assert "order of each step" in {
        each.check for each in wrong.judgements if each.verdict == "refuted"
    }


def test_scale_and_sigma_that_are_swapped_are_told() -> None:
    def told(network: Network, predict: str, x: Tensor, level: Level) -> Tensor:
        return network(predict, x, noise_level(level.sigma, level.scale))

    found = conform(runge_kutta(1 / 6).through(told).sampler("swapped"), steps=SHORT)
    assert found.verdict == "inconclusive" and "pure noise (scale 0)" in found.why


def test_steps_of_different_numbers_of_calls_refute_no_order() -> None:
    """Heun's method with a second call of the network, as for guidance, at low noise alone."""

    def twice(network: Network, predict: str, x: Tensor, level: Level) -> Tensor:
        if 0 < level.sigma < 5.0:
            network(predict, x, level)
        return network(predict, x, level)

    sometimes = REFERENCES["Heun"].through(twice)._replace(order=3)
    found = conform(sometimes.sampler("sometimes twice", evaluations=None), steps=SHORT)
    orders = {each.check: each for each in found.judgements if each.check.startswith("order")}
    assert orders["order of each step"].verdict == "inconclusive"
    assert "one number of calls with each step" in orders["order of each step"].why
    assert "refuted" not in {each.verdict for each in orders.values()}
    assert json.loads(found.json())["order_conditions"]["high"] is None and not changes(
        *[json.loads(found.json())] * 2
    )


def test_calls_a_step_are_the_growth_of_a_run() -> None:
    assert calls_a_step((5, 10, 20), (17, 37, 77)) == 4
    assert calls_a_step((5, 10, 20), (9, 18, 37)) is None and calls_a_step((5, 10), (3, 3)) is None


@pytest.mark.parametrize("first", [0.0, 0.05], ids=["from pure noise", "from nearly pure noise"])
def test_the_midpoint_rule_has_its_order_where_a_velocity_begins_at_pure_noise(
    first: float,
) -> None:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def velocity(x: Tensor, t: float) -> Tensor:
            angle = t * math.pi / 2
            return -math.pi / 2 * network("v", x, noise_level(math.sin(angle), math.cos(angle)))

        times = torch.linspace(first, 1.0, steps + 1, dtype=torch.float64).tolist()
        for a, b in pairwise(times):
            x = x + (b - a) * velocity(x + (b - a) / 2 * velocity(x, a), (a + b) / 2)
        return x

    order = order_conditions(Sampler("midpoint", "0", run, lambda steps: 1.0)).order
    assert order is not None and abs(order.value - 2) < 0.1


def test_a_start_of_many_calls_and_weights_of_even_steps_hide_no_order() -> None:
    """Three steps of four calls each, of which one is used, then weights of Adams and Bashforth's
    method on t for v.

    By Taylor's formula a step is off by h^3 eps' v'' / 12, so that the method has order 2, not 4.
    """

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        times, past = (
            [0.99 * math.pi / 2 * (1 - k / steps) for k in range(steps + 1)],
            list[Tensor](),
        )
        for t, after in pairwise(times):
            high, middle, low = (
                noise_level(math.cos(s), math.sin(s)) for s in (t, (t + after) / 2, after)
            )
            past = [network("eps", x, high), *past][:4]
            weights = (55, -59, 37, -9) if len(past) == 4 else (24,)
            for stage in (middle, middle, low)[: 0 if len(past) == 4 else 3]:
                network("eps", x, stage)
            eps = sum(weight * value for weight, value in zip(weights, past, strict=False)) / 24
            x = low.scale * (
                x / high.scale + (low.sigma / low.scale - high.sigma / high.scale) * eps
            )
        return x

    measured = order_conditions(Sampler("PLMS", "0", run, lambda steps: 1.0)).order
    assert measured is not None and measured.low < 2.1 and measured.high < 3.5


def test_an_order_that_passes_from_one_to_another_has_no_narrow_interval() -> None:
    """The local orders rise by three and fall by two, so that their drift is small."""
    order, why = fitted(
        (24, 36, 48, 72, 96, 144), [0.283, 0.108, 0.0495, 0.00525, 0.00119, 0.000252]
    )
    assert order is not None and order.low < 2 and order.high > 5 and "differ by more than 1" in why
