r"""A sampler as people use it: with classifier-free guidance, or with clipped predictions, as
options of the network.

Guidance combines the exact scores of two Gaussians: still affine, but no longer the score of data
that were diffused, so that there is no target to compare with. Clipping is not affine. What remains
is the flow that the network defines: a deterministic sampler's points are compared with it, solved
by an adaptive method of high accuracy, and have an order. The *effect* of the option is how far it
moves the ends of runs with equal start and draws. How far guided samples are from the density that
the weight names is a fact beside it.

With p(x) = N(m_0, s_0^2) and p(x|c) = N(m_1, s_1^2) in each direction, guidance of weight W
combines their scores at each noise level t = sigma^2, `g_t = W grad log p_t(x|c) + (1 - W) grad log
p_t(x)`. The density that it is named after,

    p(x) p(c|x)^W  ~  p(x)^(1 - W) p(x|c)^W,

is a Gaussian of precision `P = W / s_1^2 + (1 - W) / s_0^2` and mean `(W m_1 / s_1^2 + (1 - W) m_0
/ s_0^2) / P`, where P > 0. Elsewhere it cannot be normalised. But g_t is not the score of that
density with noise added, so that no sampler of g_t has it as its limit. The flow `dx/dt = -g_t / 2`
from t = infinity ends in a Gaussian too, with

    std = s_1^W s_0^(1 - W),
    mean = 1/2 int_0^inf G_0 / G_t (W m_1 / (s_1^2 + t) + (1 - W) m_0 / (s_0^2 + t)) dt,

where `G_t = (s_1^2 + t)^(W/2) (s_0^2 + t)^((1-W)/2)`. For m_0 = m_1 = 0, s_0^2 = 2, s_1 = 1 the
variances are 2 / (W + 1) and 2^(1 - W), as in Bradley and Nakkiran, "Classifier-Free Guidance is a
Predictor-Corrector" (arXiv 2408.09000, section 3), who show that the reverse SDE ends in a third
Gaussian. The exact flow's distance is so a property of guidance, not of a sampler.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ams.metrics.gaussian import gaussian_w2
from ams.rk45 import NotIntegrated, flow_rk45
from ams.schedules import Level
from samplercheck.affine_map import AFFINE, read_map
from samplercheck.answered_draws import Draws, NotMade, seeded
from samplercheck.convergence import (
    FEW_STEPS,
    JUDGED,
    STEPS,
    Data,
    Order,
    best,
    calls_a_step,
    fitted,
    judged_points,
    ratio,
    states_tried,
    two_targets,
)
from samplercheck.model import Recorded, clipped, guided
from samplercheck.sampler import Sampler, driven, one_thread, trajectory

POINTS = 8
TOLERANCE = 1e-8
_LOG_TIMES = torch.arange(-40.0, 90.0, 0.25, dtype=torch.float64)
"""Nodes of the mean's integral in ln(t / s_0^2): the integrand falls exponentially at both ends
of them.
"""


class AsUsed(NamedTuple):
    """What an option of the network does: root mean squares over points, in units of the data's
    scale.

    `why` is the reason for which no order was measured; for which nothing was, where `effect` is
    empty.

    `effect` is the distance of the ends with the option from those without it, by number of steps.
    `errors` are the distances from the network's own flow at runs of `STEPS`, and `order` their
    order; empty for a sampler that draws. Of guidance, `density` names what its weight stands for,
    and `to_density` is W2 to it: of the network's exact flow, and of runs from the library's own
    start by number of steps; empty where there is no such density.
    """

    option: str
    effect: dict[int, float]
    errors: tuple[float, ...]
    order: Order | None
    why: str = ""
    density: str = ""
    to_density: dict[str, float] = {}  # noqa: RUF012 - a field of a tuple, never changed

    def text(self) -> str:
        """Return what the option does, for a terminal."""
        if not self.effect:
            return f"  With {self.option}: not measured: {self.why}"
        moved = ", ".join(f"{value:.3g} at {steps} steps" for steps, value in self.effect.items())
        measured = (
            self.order and f"{self.order.value:.2f} [{self.order.low:.2f}, {self.order.high:.2f}]"
        )
        lines = f"  With {self.option}: the end moves by {moved}" + (
            f"; order of the error to the flow of this network {measured}" if measured else ""
        )
        if not self.density:
            return lines
        runs = [
            f"{value:.3g} at {steps} steps"
            for steps, value in self.to_density.items()
            if steps != "flow"
        ]
        distances = (
            f"{self.to_density['flow']:.3g} of the exact flow"
            if self.to_density
            else "none, it has no density"
        )
        return (
            f"{lines};\n    W2 of guided samples to {self.density}: {', '.join([distances, *runs])}"
        )


def with_guidance(sampler: Sampler, weight: float) -> AsUsed:
    """Return what guidance of weight w does; the unconditional data are centred, and twice as wide.

    Their p(x) p(c|x)^w is a density for w above -1/3.
    """
    data = two_targets(sampler.data_std)
    plain, unconditional = data.network(), Data(torch.zeros_like(data.mean), 2 * data.std)
    network = guided(plain, unconditional.network(), weight)
    used = _measured(sampler, f"guidance {weight:g}", data, plain, network)
    target, flow = powered(data, unconditional, weight), guided_flow(data, unconditional, weight)
    distances = (
        guided_distances(sampler, network, flow, target, FEW_STEPS)
        if target and used.effect
        else {}
    )
    return used._replace(density=f"p(x) p(c|x)^{weight:g}", to_density=distances)


def with_clipping(sampler: Sampler, bound: float) -> AsUsed:
    """Return what clipping of the predicted x0 to `[-bound, bound]` does."""
    data = two_targets(sampler.data_std)
    plain = data.network()
    return _measured(sampler, f"x0 clipped at {bound:g}", data, plain, clipped(plain, bound))


def _measured(
    sampler: Sampler, option: str, data: Data, plain: Recorded, network: Recorded
) -> AsUsed:
    """Return what the option does, or the reason for which it cannot be measured."""
    try:
        return _effect_and_order(sampler, option, data, plain, network)
    except (NotMade, NotIntegrated) as reason:
        return AsUsed(option, {}, (), None, str(reason))


@one_thread()
def _effect_and_order(
    sampler: Sampler, option: str, data: Data, plain: Recorded, network: Recorded
) -> AsUsed:
    """Return the effect of the option, and the order to the network's own flow of a
    deterministic sampler.
    """
    effect = {steps: _effect(sampler, plain, network, steps, len(data.mean)) for steps in FEW_STEPS}
    if sampler.noise != 0:
        return AsUsed(option, effect, (), None)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(POINTS, len(data.mean), dtype=torch.float64, generator=generator)
    runs = [
        trajectory(sampler, network, sampler.prior(steps) * start, steps, Draws()).calls
        for steps in STEPS
    ]
    if not runs[0][0].level.scale:
        return AsUsed(option, effect, (), None, "the flow from pure noise, scale 0, is not solved")
    results, calls = [], [len(run) for run in runs]
    tried = states_tried(STEPS, calls)
    for states in tried:
        points = judged_points(
            [[call.level for call in run] for run in runs], states, JUDGED * sampler.data_std
        )
        errors = []
        for run, point in zip(runs, points, strict=True):
            first, last = run[0], run[point]
            expected, _ = flow_rk45(
                first.x / first.level.scale,
                _score(network),
                ratio(first.level),
                ratio(last.level),
                TOLERANCE,
                TOLERANCE,
            )
            distance = last.x / last.level.scale - expected
            errors.append(float(distance.square().mean().sqrt()) / sampler.data_std)
        results.append(AsUsed(option, effect, tuple(errors), *fitted(STEPS, errors)))
    return best(results, tried, calls_a_step(STEPS, calls))


def _score(network: Recorded) -> Callable[[Tensor, Level], Tensor]:
    """Return the network's score at levels of scale 1."""
    return lambda x, level: -network.pair(x, level)[1] / level.sigma


def _effect(sampler: Sampler, plain: Recorded, network: Recorded, steps: int, width: int) -> float:
    """Return the root mean square distance of the ends with two networks, from the library's own
    start.
    """
    x = torch.randn(POINTS, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start, draws = sampler.prior(steps) * x, seeded(POINTS, width)
    ends = [driven(sampler, each, start, steps, draws).end for each in (plain, network)]
    return float((ends[1] - ends[0]).square().mean().sqrt()) / sampler.data_std


def powered(conditional: Data, unconditional: Data, weight: float) -> Data | None:
    """Return the Gaussian `p(x) p(c|x)^W`, None where a direction's precision is not positive:
    it has no density.
    """
    parts = ((weight, conditional), (1 - weight, unconditional))
    precision = sum((w / data.std.square() for w, data in parts), torch.zeros(()))
    if not bool((precision > 0).all()):
        return None
    weighted = sum((w * data.mean / data.std.square() for w, data in parts), torch.zeros(()))
    return Data(weighted / precision, precision.rsqrt())


def guided_flow(conditional: Data, unconditional: Data, weight: float) -> Data:
    """Return the Gaussian at the end of the exact flow of guidance, from noise of infinite
    variance.

    The mean is by the rule of trapezoids in ln t, whose error for such an integrand falls
    exponentially with the nodes.
    """
    parts = ((weight, conditional), (1 - weight, unconditional))
    t = unconditional.std.square() * _LOG_TIMES.exp()[:, None]
    log_gain = sum((-w / 2 * (t / data.std.square()).log1p() for w, data in parts), torch.zeros(()))
    source = sum((w * data.mean / (data.std.square() + t) for w, data in parts), torch.zeros(()))
    mean = torch.trapezoid(t * log_gain.exp() * source, dx=0.25, dim=0) / 2
    return Data(mean, conditional.std**weight * unconditional.std ** (1 - weight))


@one_thread()
def guided_distances(
    sampler: Sampler, network: Recorded, flow: Data, target: Data, steps: tuple[int, ...]
) -> dict[str, float]:
    """Return W2 to `target` of the exact `flow`, and of runs of `steps` steps from the library's
    own start.

    The unit is the data's scale. A sampler has no runs here whose distribution is not exact: one
    that is not affine, or whose coefficients depend on the samples of its batch, so that two
    batches differ in them.
    """

    def distance(mean: Tensor, variance: Tensor) -> float:
        return gaussian_w2(mean, variance, target.mean, target.std.square()) / sampler.data_std

    distances = {"flow": distance(flow.mean, flow.std.square())}
    for count in steps:
        maps = [read_map(sampler, network, len(target.mean), count, seed) for seed in (0, 1)]
        first, second = (torch.stack(each.law(-1, 0.0, sampler.prior(count) ** 2)) for each in maps)
        if max(each.defect for each in maps) <= AFFINE and torch.allclose(first, second, AFFINE):
            distances[str(count)] = distance(*first)
    return distances
