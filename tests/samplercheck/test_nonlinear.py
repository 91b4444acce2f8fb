"""Targets other than Gaussians, and other paths to them: two modes, flows, guidance, discrete data.

The mixture's flow against a fine solver; right and wrong paths of flow matching and stochastic
interpolants; closed forms of guided Gaussians; discrete diffusion as an exact chain.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ams.rk45 import flow_rk45
from ams.schedules import Level, karras_sigmas, ve_levels
from samplercheck import Draws, Network, Sampler, conform, noise_level
from samplercheck.as_used import _score, guided_distances, guided_flow, powered, with_guidance
from samplercheck.convergence import Data, ratio
from samplercheck.discrete import Step, chain
from samplercheck.model import guided
from samplercheck.nonlinear import TwoModes, distribution, transport
from samplercheck.report import REFUTED
from samplercheck.sampler import places
from tests.ams.tools import assert_equal
from tests.docs.test_recipes import blocks
from tests.samplercheck.faulty import fault_of, faulty
from tests.samplercheck.references import REFERENCES, Reference, unipc

TARGET = TwoModes(1.0)
P = torch.tensor([0.02, 0.3, 0.41, 0.77, 0.99], dtype=torch.float64)
ACROSS = torch.tensor([-1.0, 0.5, 0.0, 2.0, -0.3], dtype=torch.float64)


def test_the_flow_is_that_of_a_fine_solver() -> None:
    """UniPC of order 4 with 1000 steps from noise 20 to noise 0.3."""
    levels = ve_levels([*karras_sigmas(20.0, 0.3, 1000), 0.0])
    net = TARGET.network()
    unipc(3)(net, TARGET.flow(levels[0], P, ACROSS).reshape(-1, 1, 1, 2), levels, Draws())
    assert_equal(net.calls[-1].x, TARGET.flow(levels[-2], P, ACROSS), 1e-8, 1e-8)


def test_quantiles_invert_the_distribution_function() -> None:
    level = Level(0, sigma=0.4, scale=0.7)
    assert_equal(TARGET.cdf(level, TARGET.quantile(level, P)), P, 1e-12)
    means, std = TARGET.along(level)
    normal = torch.distributions.Normal(means, std)
    assert TARGET.cdf(level, torch.tensor(0.3)).item() == pytest.approx(
        float((TARGET.weights * normal.cdf(torch.tensor(0.3, dtype=torch.float64))).sum()), rel=1e-6
    )


@pytest.mark.parametrize(
    ("name", "order"), [("rectified Euler", 1), ("rectified Heun", 2), ("exponential AB3, x0", 3)]
)
def test_orders_on_the_mixture(name: str, order: int) -> None:
    found = transport(REFERENCES[name].sampler(name))
    assert found.order is not None and found.order.value == pytest.approx(order, abs=0.3)


def even_adams(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Return the end of Adams and Bashforth's method in eps, begun with Euler's, with the
    weights of even steps.
    """
    weights, old = (
        ((1,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24)),
        [],
    )
    for a, b in pairwise(levels):
        old = [network("eps", x, a), *old[:3]]
        mixed = sum(weight * eps for weight, eps in zip(weights[len(old) - 1], old, strict=True))
        x = b.scale * (x / a.scale + (ratio(b) - ratio(a)) * mixed)
    return x


def test_an_order_that_shows_late_is_not_refuted() -> None:
    """It is 2 for the start's Euler step, and 1.58 with 48 to 288 steps: as PLMS on the cosine
    schedule.
    """

    def mesh(steps: int) -> list[Level]:
        angles = 0.99 * math.pi / 2 * (1 - places(steps))
        return [Level(0, sigma=math.sin(angle), scale=math.cos(angle)) for angle in angles.tolist()]

    report = conform(Reference(even_adams, mesh, 2).sampler("PLMS"))
    assert all(each.verdict != REFUTED for each in report.judgements), report.why
    wrong = conform(Reference(even_adams, mesh, 3).sampler("PLMS, of order 3"))
    assert "order of each step" in {
        each.check for each in wrong.judgements if each.verdict == REFUTED
    }


def test_a_sampler_that_is_right_on_every_gaussian_may_be_wrong_here() -> None:
    """The velocity of two rows' mean: no Gaussian shows an error of third order in the state,
    the mixture does.
    """

    def bent(network: Network, *asked: Any) -> Tensor:
        value = network(*asked)
        return value + 0.3 * (value - value.clamp(-0.2, 0.2))

    assert transport(REFERENCES["rectified Heun"].through(bent).sampler("bent")).errors[-1] > 0.05


def test_a_law_is_seen_to_be_wrong_by_its_noise() -> None:
    right = distribution(REFERENCES["DDIM, eta 0.6"].sampler("DDIM"))
    assert right.distance < right.bound < 0.06
    wrong = distribution(faulty(fault_of("reverse SDE", "Langevin's factor of 2 in the noise")))
    assert wrong.distance > wrong.bound


# Scale and sigma of x_t = scale x_0 + sigma z; `gamma` is that of (1 - t) x_0 + t z + t (1 - t) z'.
PATHS: dict[str, Callable[[float], tuple[float, float]]] = {
    "linear": lambda t: (1 - t, t),
    "trigonometric": lambda t: (math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)),
    "VP-like": lambda t: (math.sqrt(1 - t * t), t),
    "gamma": lambda t: (1 - t, math.hypot(t, t * (1 - t))),
    "scale rises": lambda t: (2 - math.sqrt(1 - t * t), t),
}


def euler(
    path: str,
    shift: float = 1.0,
    seen: float = 0.0,
    level: str = "",
    rates: str = "",
    last: int = 0,
) -> Sampler:
    """Return Euler's method from t = 0.99, with times moved towards 1 by `shift`, without its
    `last` steps.

    The network is passed times moved by `seen`, as on the path `level`; the velocity has the rates
    of `rates`.
    """

    def time(k: int, steps: int, factor: float) -> float:
        even = 0.99 * (steps - k) / steps
        return factor * even / (1 + (factor - 1) * even)

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        for k, after in pairwise(range(steps + 1 - last)):
            t, h = time(k, steps, shift), time(after, steps, shift) - time(k, steps, shift)
            x0 = network("x0", x, noise_level(*PATHS[level or path](time(k, steps, seen or shift))))
            scale, sigma = PATHS[path](t)
            above, below = PATHS[rates or path](t + 1e-6), PATHS[rates or path](t - 1e-6)
            z = (x - scale * x0) / sigma
            x = x + h * ((above[0] - below[0]) * x0 + (above[1] - below[1]) * z) / 2e-6
        return x

    return Sampler(
        "Euler", "1", run, lambda steps: math.hypot(*PATHS[path](time(0, steps, shift))), order=1
    )


RIGHT = [
    ("linear", 1.0),
    ("linear", 3.0),
    ("linear", 12.0),
    ("trigonometric", 1.0),
    ("VP-like", 1.0),
    ("gamma", 1.0),
]
WRONG: dict[str, dict[str, Any]] = {
    "shift of the steps alone": {"path": "linear", "shift": 3.0, "seen": 1.0},
    "shift of the network's times alone": {"path": "linear", "seen": 3.0},
    "network's times shifted twice": {"path": "linear", "shift": 3.0, "seen": 9.0},
    "rates of another path": {"path": "trigonometric", "rates": "linear"},
    "level of another path": {"path": "trigonometric", "level": "linear"},
    "no rate of gamma": {"path": "gamma", "rates": "linear"},
    "no gamma in the level": {"path": "gamma", "level": "linear"},
    "scale's rate of the wrong sign": {"path": "VP-like", "rates": "scale rises"},
}


@pytest.mark.parametrize(("path", "shift"), RIGHT)
def test_a_right_path_holds(path: str, shift: float) -> None:
    assert conform(euler(path, shift)).verdict == "holds"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_path_is_refuted(name: str) -> None:
    assert "limit" in {
        each.check for each in conform(euler(**WRONG[name])).judgements if each.verdict == REFUTED
    }


def test_a_run_that_stops_short_leaves_the_level_at_which_it_stops() -> None:
    short = conform(euler("linear", last=1))
    assert {each.check for each in short.judgements if each.verdict != "holds"} == {
        "outliers",
        "dead direction",
    }
    assert (
        short.verdict == "holds"
        and short.as_dict()["noted"] == ["outliers", "dead direction"]
        and short.dead
    )
    assert short.dead.left == pytest.approx({n: 0.99 / n for n in (5, 10, 20, 40)}, rel=1e-3)
    assert short.dead.order is not None and short.dead.order.value == pytest.approx(1.0)


CLASS = Data(*torch.tensor([[0.0, 1.0], [1.0, 0.3]], dtype=torch.float64))
EVERY = Data(*torch.tensor([[0.0, -0.4], [2**0.5, 0.7]], dtype=torch.float64))
NETWORK, FLOW = guided(CLASS.network(), EVERY.network(), 3.0), guided_flow(CLASS, EVERY, 3.0)


@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0, 7.5])
def test_variances_of_the_density_and_of_the_flow(weight: float) -> None:
    """As in arXiv 2408.09000, section 3, in the first direction."""
    target, flow = powered(CLASS, EVERY, weight), guided_flow(CLASS, EVERY, weight)
    assert target is not None and target.std[0].square().item() == pytest.approx(2 / (weight + 1))
    assert flow.std[0].square().item() == pytest.approx(2 ** (1 - weight))


def test_the_flow_is_that_of_a_fine_solver_and_of_a_sampler_with_many_steps() -> None:
    start = torch.tensor([[0.0, 0.0], [1e4, 1e4]], dtype=torch.float64)
    ends, _ = flow_rk45(start, _score(NETWORK), 1e4, 1e-5, 1e-8, 1e-8)
    assert_equal([ends[0], ends[1] - ends[0]], [FLOW.mean, FLOW.std], 1e-3, 1e-4)
    target = powered(CLASS, EVERY, 3.0)
    assert target is not None
    found = guided_distances(REFERENCES["Heun"].sampler("Heun"), NETWORK, FLOW, target, (20, 200))
    assert (
        found["200"]
        == pytest.approx(found["flow"], rel=1e-2)
        != pytest.approx(found["20"], rel=1e-2)
    )


def test_no_density_and_no_exact_distribution_are_said() -> None:
    assert powered(CLASS, CLASS._replace(std=2 * CLASS.std), -0.34) is None
    text = with_guidance(REFERENCES["ancestral"].sampler("ancestral"), -0.5).text()
    assert "p(c|x)^-0.5: none, it has no density" in text
    by_batch = REFERENCES["DDIM, eta 0.6"].ended(lambda x: x * (1 + x.std()))
    assert list(with_guidance(by_batch.sampler("a factor of the batch"), 2.0).to_density) == [
        "flow"
    ]


DATA = torch.rand(729, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) ** 4
DATA /= DATA.sum()


def uniform(predicted: Tensor, x: Tensor, t: float, s: float) -> Tensor:
    """Return D3PM's step from uniform noise: p(x_s | x_t) is the sum over x_0 of p(x_s | x_t,
    x_0) predicted(x_0).
    """
    between = one_hot(x, 3) * (1 - t) / (1 - s) + (t - s) / (1 - s) / 3
    joint = between[:, :, None] * ((1 - s) * torch.eye(3, dtype=torch.float64) + s / 3)
    return (predicted[..., None] * joint / joint.sum(-1, keepdim=True)).sum(2)


def unmasking(rate) -> Step:  # type: ignore[no-untyped-def]
    """Return the step that unmasks a masked site with the probability `rate(x, t, s)`."""

    def step(predicted: Tensor, x: Tensor, t: float, s: float) -> Tensor:
        share = (rate(x, t, s) * (x == 3).double())[..., None]
        return share * torch.cat([predicted, torch.zeros(*x.shape, 1)], -1) + (1 - share) * one_hot(
            x, 4
        )

    return step


def test_right_steps_have_order_1_and_one_site_at_a_time_is_exact() -> None:
    space: dict[str, Step] = {}
    exec(blocks("../sampler_reference.md")[0]["my_unmasking.py"], space)  # type: ignore[arg-type]
    for step, absorbing in ((space["step"], True), (uniform, False)):
        order = chain(step, absorbing, DATA).order
        assert order is not None and order.low <= 1.15 and order.high >= 0.9
    leftmost = unmasking(lambda x, t, s: (x == 3).cumsum(1) == 1)
    assert chain(leftmost, True, DATA, (6, 8)).distance == pytest.approx(
        {6: 0.0, 8: 0.0}, abs=1e-12
    )


@pytest.mark.parametrize(
    "rate", [lambda x, t, s: t - s, lambda x, t, s: 1.0], ids=["t - s", "all at once"]
)
def test_a_wrong_unmasking_probability_stays_wrong(rate) -> None:  # type: ignore[no-untyped-def]
    """Unmasking with t - s leaves masks; all sites from one output, stated as exact, lack their
    correlations.
    """
    assert min(chain(unmasking(rate), True, DATA, (4, 16)).distance.values()) > 0.1


def test_numbers_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="are 0 or more and add up to 1"):
        chain(lambda predicted, x, t, s: 2 * predicted, False, DATA)
