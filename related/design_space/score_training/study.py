"""Networks that are trained: how fast the loss of one falls (N6), and which weight of the loss is
best (N7).

N6: a two-layer ReLU network on a fixed noised data set, trained by full-batch gradient descent.
`f(x) = A relu(W x) / sqrt(m)`, W and A of standard normal entries, on n points of the unit sphere
in d = 8: noised normal points, `x_0 + z`, divided by their norms; targets are -z. With the second
layer alone trained, from A = 0, the loss is quadratic and follows exactly from the features' Gram
matrix; with both layers it is descended. The rate is half the largest at which the linearised
network does not oscillate at the start.

N7: three weights of the denoising loss on the mixture of the line, many networks at once. A network
of two hidden layers sees `(c_in x, log(sigma) / 4)` and gives F of `D = c_skip x + c_out F` (EDM,
arXiv 2206.00364). What its error costs a sampler is the score part of the path bound on exponential
noise levels, `sum_k (tau_k - tau_{k+1}) E |D - D_*|^2 / (2 tau_k^2)`, with the expectation under
the mixture's marginals.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.schedules import geometric_sigmas
from ams.statistics import CONFIDENCE
from ams_suite.measures import geometric_mean_ratio
from analysis.targets import two_modes
from related.design_space.noise_schedules.study import HIGHEST, LOWEST, TARGETS
from related.design_space.score_training import linear
from related.design_space.score_training.settings import Settings
from verdicts import Measurement, Unavailable
from verdicts.studies import Array, Cell, cell

DIMENSION = 8
TRAINED = ("second layer", "both layers")
LATER = 8111
"""From the group's seed, on which bounds were chosen, to the one that judges: first run after they
were fixed.
"""
WIDTH, BATCH, STEPS = 64, 128, 50
"""Of the network, of a step of training, of the sampler."""
RATES = {
    1000: {"EDM": 0.03, "Song": 0.03, "uniform": 0.01},
    2000: {"EDM": 0.03, "Song": 0.01, "uniform": 0.01},
}
"""Adam's rate for each weight by the steps of training: the best of `TRIED`, mean of four networks
of `DEVELOPMENT`'s seed. For other numbers of steps the nearest one's.
"""
TRIED = (0.001, 0.003, 0.01, 0.03, 0.1)
DEVELOPMENT = 11


class Regression(NamedTuple):
    """Points (seeds, n, d), targets, and initial layers W (seeds, d, m) and A (seeds, m, d)."""

    points: Tensor
    targets: Tensor
    first: Tensor
    second: Tensor


def case(points: int, width: int, seeds: int, seed: int) -> Regression:
    """Return data sets and networks; a seed's data are the same at each width."""
    draw = torch.Generator().manual_seed(seed)
    clean, noise = (
        torch.randn(seeds, points, DIMENSION, generator=draw).double() for _ in range(2)
    )
    first = torch.randn(seeds, DIMENSION, width, generator=draw).double()
    second = torch.randn(seeds, width, DIMENSION, generator=draw).double()
    noised = clean + noise
    return Regression(noised / noised.norm(dim=2, keepdim=True), -noise, first, second)


def second_layer_losses(given: Regression, steps: int) -> Tensor:
    """Return the excess loss `|f - target|^2 / n` at steps 0, 1, ..., (seeds, steps); the second
    layer is trained.
    """
    features = (given.points @ given.first).relu() / math.sqrt(given.first.shape[2])
    values, vectors = torch.linalg.eigh(features @ features.mT / features.shape[1])
    values = values.clamp_min(0.0)
    # directions that the features have: the others' loss stays
    reached = values > 1e-12 * values[:, -1:]
    share = (
        torch.where(reached, (vectors.mT @ given.targets).square().sum(2), 0.0) / features.shape[1]
    )
    kept = 1 - values / (2 * values[:, -1:])
    return torch.einsum("si,ski->sk", share, kept[:, None] ** (2 * torch.arange(steps)[:, None]))


def both_layers_losses(given: Regression, steps: int) -> Tensor:
    """Return the loss at steps 0, 1, ... (seeds, steps): both layers are trained."""
    points, targets, first, second = given
    count, root = points.shape[1], math.sqrt(first.shape[2])
    rate = (0.25 * count / largest_eigenvalue(given))[:, None, None]
    losses = []
    for _ in range(steps):
        before = points @ first
        features = before.relu() / root
        off = features @ second - targets
        losses.append(off.square().sum((1, 2)) / count)
        backward = off @ second.mT * (before > 0) / root
        second = second - rate * 2 / count * features.mT @ off
        first = first - rate * 2 / count * points.mT @ backward
    return torch.stack(losses, 1)


def largest_eigenvalue(given: Regression, turns: int = 50) -> Tensor:
    """Return the largest eigenvalue of the tangent kernel at the start, by power iteration, per
    seed.
    """
    points, targets, first, second = given
    root, active = math.sqrt(first.shape[2]), (points @ first > 0).double()
    features, vector = (points @ first).relu() / root, torch.ones_like(targets)
    for _ in range(turns):
        vector = vector / vector.norm(dim=(1, 2), keepdim=True)
        back = points.mT @ (vector @ second.mT * active) / root
        moved = features @ (features.mT @ vector) + (points @ back * active) @ second / root
        size, vector = (vector * moved).sum((1, 2)), moved
    return size


@cell
def log_losses(trained: str, points: int, width: int, seeds: int, steps: int, seed: int) -> Array:
    """The logarithm of the (excess) loss over the one at the start, (seeds, steps)."""
    descend = second_layer_losses if trained == TRAINED[0] else both_layers_losses
    losses = descend(case(points, width, seeds, seed), steps)
    return (losses / losses[:, :1]).log().numpy()


def curves(settings: Settings, trained: str, points: int, width: int) -> Array:
    """Return the judged networks' log-losses, (seeds, steps)."""
    return log_losses(trained, points, width, settings.seeds, settings.steps, settings.seed + LATER)


def fits(
    settings: Settings, trained: str, points: int, width: int, power_law: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rate of fall a step, and the share of variance, 1 - R^2, that a line leaves of the
    later half.

    Both are of each seed's log-losses. With `power_law` the line is one in the logarithm of the
    steps, and the rate the power.
    """
    losses = curves(settings, trained, points, width)
    first = losses.shape[1] // 2
    late, at = losses[:, first:], np.arange(first, losses.shape[1], dtype=float)
    steps = np.log(at) if power_law else at
    steps = steps - steps.mean()
    slopes = late @ steps / (steps @ steps)
    off = late - late.mean(1, keepdims=True) - slopes[:, None] * steps
    return -slopes, off.var(1) / late.var(1)


def pairs(settings: Settings, wide: bool) -> list[tuple[int, int]]:
    """Return (points, width) with a width of at least twice the points, or those of the narrower
    networks.
    """
    return [(n, m) for n in settings.points for m in settings.widths if (m >= 2 * n) == wide]


def _ratios(
    settings: Settings, compared: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, Measurement]:
    """Return the geometric mean over seeds of each ratio with Student's interval; the intervals
    share one miss.
    """
    if not compared:
        raise Unavailable("no network is narrower than twice its points in this profile")
    confidence = 1 - (1 - CONFIDENCE) / len(compared)
    return {
        name: geometric_mean_ratio(*pair, confidence, settings.seed + LATER)
        for name, pair in compared.items()
    }


def _extreme(ratios: Mapping[str, Measurement], largest: bool) -> Measurement:
    """Return the ratio whose interval ends last, or begins first; the detail has all values."""
    ends = {
        name: each.interval[1] if largest else -each.interval[0] for name, each in ratios.items()
    }
    detail = {name: each.value for name, each in ratios.items()}
    return ratios[max(ends, key=lambda name: ends[name])].model_copy(update={"detail": detail})


def most_left(
    settings: Settings, trained: str, wide: bool, over_power_law: bool = False
) -> Measurement:
    """Return the largest share of variance that a line leaves; with `over_power_law` over what a
    power law leaves.
    """
    compared = {}
    for n, m in pairs(settings, wide):
        _, by_line = fits(settings, trained, n, m)
        by_power_law = (
            fits(settings, trained, n, m, power_law=True)[1] if over_power_law else np.ones(1)
        )
        compared[f"{n} points, width {m}"] = (by_line, by_power_law)
    return _extreme(_ratios(settings, compared), largest=True)


def least_growth(settings: Settings, trained: str, wide: bool) -> Measurement:
    """Return the ratio of rates, widest network over narrowest, at the number of points where it is
    least.
    """
    rates = {}
    for n in settings.points:
        widths = [m for m in settings.widths if m >= 2 * n or not wide]
        if len(widths) > 1 and (wide or min(widths) < 2 * n):
            fast, slow = (fits(settings, trained, n, m)[0] for m in (max(widths), min(widths)))
            rates[f"{n} points, width {max(widths)} over {min(widths)}"] = (fast, slow)
    return _extreme(_ratios(settings, rates), largest=False)


def largest_share_left_by_a_line_over_a_power_laws(settings: Settings) -> Measurement:
    """Measure the largest share that a line in the steps leaves over what one in their logarithm
    leaves.

    Wide networks, both layers trained; the detail has the ratios with the second layer trained too.
    """
    both, second = (
        most_left(settings, trained, wide=True, over_power_law=True)
        for trained in reversed(TRAINED)
    )
    others = {f"second layer alone, {name}": value for name, value in second.detail.items()}
    return both.model_copy(update={"detail": {**both.detail, **others}})


class Noised(NamedTuple):
    """Points of the mixture, their noise levels, and the weight of each in the loss of F."""

    clean: Tensor
    sigma: Tensor
    weight: Tensor


def noised(weight: str, shape: tuple[int, int], s: float, draw: torch.Generator) -> Noised:
    """Return a batch per network: EDM's noise levels are lognormal, the others' log-uniform."""
    target = two_modes()
    mode = (torch.rand(shape, generator=draw) < float(target.weights[0])).double()
    clean = 1 - 2 * mode + 0.5 * torch.randn(shape, generator=draw)
    if weight == "EDM":
        sigma = torch.exp(1.2 * torch.randn(shape, generator=draw) - 1.2)
        return Noised(clean, sigma, torch.ones(shape))
    span = math.log(HIGHEST / LOWEST)
    sigma = LOWEST * torch.exp(span * torch.rand(shape, generator=draw))
    power = {"Song": 2, "uniform": 4}[weight]
    return Noised(clean, sigma, sigma ** (2 - power) * s**2 / (sigma**2 + s**2))


class Networks:
    """Independent networks with stacked weights, trained at once."""

    def __init__(self, count: int, s: float, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.s, self.layers = s, []
        for wide, high in ((2, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)):
            matrix = torch.randn(count, wide, high, generator=draw) / math.sqrt(wide) * (high > 1)
            self.layers += [
                matrix.requires_grad_(),
                torch.zeros(count, 1, high, requires_grad=True),
            ]

    def output(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return F at x and sigma, both (networks, points)."""
        hidden = torch.stack([x * (self.s**2 + sigma**2).rsqrt(), sigma.log() / 4], -1).float()
        for matrix, shift in zip(self.layers[0:4:2], self.layers[1:4:2], strict=True):
            hidden = torch.nn.functional.silu(torch.baddbmm(shift, hidden, matrix))
        return torch.baddbmm(self.layers[5], hidden, self.layers[4])[..., 0]


def train(weight: str, count: int, updates: int, rate: float, seed: int) -> Networks:
    """Return networks after so many steps of Adam, its rate falling linearly to 0."""
    target = two_modes()
    s = math.sqrt(0.25 + 4 * float(target.weights[0] * target.weights[1]))
    networks, draw = Networks(count, s, seed), torch.Generator().manual_seed(seed + 1)
    adam = torch.optim.Adam(networks.layers, lr=rate)
    fall = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, updates)
    for _ in range(updates):
        clean, sigma, weights = noised(weight, (count, BATCH), s, draw)
        x = clean + sigma * torch.randn(clean.shape, generator=draw)
        c_in = (s**2 + sigma**2).rsqrt()
        wanted = (clean - s**2 * c_in**2 * x) / (sigma * s * c_in)
        loss = (weights * (networks.output(x, sigma) - wanted).square()).mean(1).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        fall.step()
    return networks


def score_part(networks: Networks) -> Tensor:
    """Return each network's score part of the path bound in nats, by Gauss and Hermite's rule on
    both modes.
    """
    target, s = two_modes(), networks.s
    sigma = torch.as_tensor(geometric_sigmas(HIGHEST, LOWEST, STEPS + 1).copy())
    nodes, weights = map(torch.as_tensor, np.polynomial.hermite_e.hermegauss(40))
    weights = weights / weights.sum()
    part = torch.zeros(len(networks.layers[0]), dtype=torch.float64)
    with torch.no_grad():
        for now, after in pairwise(sigma):
            width = (0.25 + now**2).sqrt()
            x = torch.cat([-1 + width * nodes, 1 + width * nodes])
            mass = torch.cat([share * weights for share in target.weights])
            from_modes = torch.stack([x + 1, x - 1])
            modes = target.weights.log()[:, None] - from_modes**2 / (2 * width**2)
            gain = 0.25 / width**2
            exact = (modes.softmax(0) * (torch.tensor([[-1.0], [1.0]]) + gain * from_modes)).sum(0)
            c_in = (s**2 + now**2).rsqrt()
            rows = x.expand(len(part), -1)
            learned = s**2 * c_in**2 * x + now * s * c_in * networks.output(
                rows, torch.full_like(rows, float(now))
            )
            part += (now**2 - after**2) / (2 * now**4) * ((learned - exact).square() @ mass)
    return part


@cell
def parts(weight: str, count: int, updates: int, rate: float, seed: int) -> Array:
    """The score part in nats of so many networks trained with a weight."""
    return score_part(train(weight, count, updates, rate, seed)).numpy()


def rates_of(settings: Settings) -> dict[str, float]:
    """Return Adam's rate for each weight at the settings' number of steps."""
    return RATES[min(RATES, key=lambda steps: abs(steps - settings.updates))]


def ratio(settings: Settings, other: str) -> Measurement:
    """Return the score part with EDM's weight over that with another, networks of one seed
    paired.
    """
    rates = rates_of(settings)
    ours, theirs = (
        parts(name, settings.networks, settings.updates, rates[name], settings.seed)
        for name in ("EDM", other)
    )
    return geometric_mean_ratio(
        ours, theirs, CONFIDENCE, settings.seed, means=[float(ours.mean()), float(theirs.mean())]
    )


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that the checks and the figure read."""
    for target in TARGETS:
        for weight in linear.WEIGHTS:
            yield from (
                linear.divergences.cell(target, weight, budget) for budget in settings.budgets
            )
    for trained in TRAINED:
        for points in settings.points:
            for width in settings.widths:
                sizes = points, width, settings.seeds, settings.steps, settings.seed + LATER
                yield log_losses.cell(trained, *sizes)
    for weight, rate in rates_of(settings).items() if settings.networks else ():
        yield parts.cell(weight, settings.networks, settings.updates, rate, settings.seed)
