r"""N5 and N7a, on Gaussians: a linear network per noise level, its training by gradient descent as
an exact law.

As EDM (arXiv 2206.00364) preconditions it, `D(x) = c_skip x + c_out (w c_in x + b)`, with `c_in^2 =
1 / (s^2 + sigma^2)`, `c_skip = s^2 c_in^2`, `c_out = sigma s c_in` and s^2 the data's mean
variance. In an eigen-direction the denoising loss of (w, b) is quadratic with Hessian `2 H`, `H =
[[E y^2, E y], [E y, 1]]`, `y = c_in x`, so that k steps at rate `r` on `effective` times the loss
leave `theta_k - theta_* = (I - 2 r effective H)^k (theta_0 - theta_*)`. One rate serves all noise
levels: the largest at which none diverges or oscillates, `1 / max(2 effective h)`. All starts at
`theta_0 = 0`. The effective weight is `p(sigma) lambda(sigma) c_out^2` per unit of log sigma.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ams.laws import GaussianLaw
from ams.laws.gaussian import Row
from ams.samplers import Score
from ams.schedules import Level, geometric_sigmas, karras_sigmas, ve_levels
from ams_suite.measures import largest, named_extreme
from analysis.misspecified_score import ScoreError, marginal
from related.design_space.noise_schedules.study import (
    HIGHEST,
    LOWEST,
    NARROW,
    TARGETS,
    divergences as end_divergences,
    path_bound,
    score_part,
)
from related.design_space.score_training.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, cell

Weight = Callable[[float, float], float]
"""An effective weight of noise level sigma, for data of standard deviation s, per unit of log
sigma.
"""


def output_scale(sigma: float, s: float) -> float:
    """Return `c_out^2 = sigma^2 s^2 / (sigma^2 + s^2)`."""
    return sigma**2 * s**2 / (sigma**2 + s**2)


WEIGHTS: dict[str, Weight] = {
    # EDM's lambda = 1 / c_out^2, its noise levels lognormal: log sigma ~ N(-1.2, 1.2^2)
    "EDM": lambda sigma, s: math.exp(-((math.log(sigma) + 1.2) ** 2) / (2 * 1.2**2)),
    # Song's lambda = sigma^2 of the score's error, |D - x_0|^2 / sigma^2 of the denoiser's;
    # log-uniform noise levels
    "Song": lambda sigma, s: output_scale(sigma, s) / sigma**2,
    # lambda = 1 of the score's error, |D - x_0|^2 / sigma^4 of the denoiser's; log-uniform noise
    # levels
    "uniform": lambda sigma, s: output_scale(sigma, s) / sigma**4,
}
"""The effective weights that N7 and N7a compare."""
TRAINED: tuple[int, ...] = (1, 10, 100, 1000, 10_000, 100_000)
"""Steps of gradient descent."""
EARLY, LATE = slice(2), slice(2, None)
"""Of `TRAINED`: fewer than 100 steps, and 100 or more."""
NOISE_LEVELS: dict[str, Callable[[float, float, int], np.ndarray]] = {
    "exponential": geometric_sigmas,
    "EDM": karras_sigmas,
}
"""The sampler's noise levels."""


@dataclass(frozen=True)
class AffineError(ScoreError):
    """A score whose error at each noise level is `slope x + shift` per direction."""

    table: Mapping[float, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def score(self, law: GaussianLaw) -> Score:
        """Return the wrong score of a target, for coefficient rows."""

        def wrong(x: Row, level: Level) -> Row:
            slope, shift = self.table[level.sigma]
            s = law.score(x, level) + slope[:, None] * x
            s[:, 0] += shift
            return s

        return wrong

    def power(self, law: GaussianLaw, level: Level) -> Tensor:
        """Return `E |e|^2` per direction under the target's marginal: `slope^2 variance + (slope
        mean + shift)^2`.
        """
        slope, shift = self.table[level.sigma]
        own = marginal(law, level)
        return slope**2 * own.variance + (slope * own.mean + shift) ** 2


def scale_of(law: GaussianLaw) -> float:
    """Return s, the root of the target's mean variance."""
    return float(((law.variance * law.multiplicity).sum() / law.multiplicity.sum()).sqrt())


def trained(
    law: GaussianLaw, sigmas: Sequence[float] | np.ndarray, weight: Weight, steps: int
) -> AffineError:
    """Return the score's error after so many steps of gradient descent on a weighted denoising
    loss.
    """
    s, sigma = scale_of(law), torch.as_tensor(np.asarray(sigmas))[:, None]
    c_in = (s**2 + sigma**2).rsqrt()
    c_skip, c_out = s**2 * c_in**2, sigma * s * c_in
    gain = law.variance / (law.variance + sigma**2)  # D* = gain x + (1 - gain) mean
    best = torch.stack([(gain - c_skip) / (c_out * c_in), (1 - gain) * law.mean / c_out], -1)
    square, mean = (law.variance + sigma**2 + law.mean**2) * c_in**2, law.mean * c_in
    one = torch.ones_like(square)
    hessian = torch.stack(
        [torch.stack([square, mean * one], -1), torch.stack([mean * one, one], -1)], -2
    )
    effective = torch.tensor([weight(float(value), s) for value in sigma], dtype=torch.float64)[
        :, None, None
    ]
    left = residual(effective[..., None] * hessian, best, steps)
    slope, shift = c_out * c_in * left[..., 0] / sigma**2, c_out * left[..., 1] / sigma**2
    return AffineError(table={float(value): (slope[j], shift[j]) for j, value in enumerate(sigma)})


def residual(hessian: Tensor, best: Tensor, steps: int) -> Tensor:
    """Return `theta_k - theta_*` from `theta_0 = 0` on the quadratic loss of H, at the rate 1 /
    max 2h.
    """
    values, vectors = torch.linalg.eigh(hessian)
    kept = (1 - values / values.max()) ** steps
    return -(vectors @ (kept[..., None] * (vectors.mT @ best[..., None])))[..., 0]


def sampled_case(draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return inputs with a column of ones, and targets, of a random data set: 64 noised points
    in 4 dimensions.
    """
    d, n = 4, 64
    mean, spread = torch.randn(d, generator=draw), torch.rand(d, generator=draw) + 0.2
    points = mean + spread * torch.randn(n, d, generator=draw)
    sigma = 10 ** float(torch.rand(1, generator=draw) * 2 - 1)
    noise = torch.randn(n, d, generator=draw)
    inputs = torch.cat([points + sigma * noise, torch.ones(n, 1)], 1).double()
    return inputs / inputs.square().mean().sqrt(), -noise.double()


def losses_by_descent(inputs: Tensor, targets: Tensor, rate: float, steps: int) -> Tensor:
    """Return the loss `|inputs theta - targets|^2 / n` at 0, 1, ..., by automatic
    differentiation, from theta = 0.
    """
    theta = torch.zeros(inputs.shape[1], targets.shape[1], dtype=torch.float64, requires_grad=True)
    losses = []
    for _ in range(steps + 1):
        loss = (inputs @ theta - targets).square().sum() / len(inputs)
        losses.append(loss.detach())
        (slope,) = torch.autograd.grad(loss, theta)
        theta = (theta - rate * slope).detach().requires_grad_()
    return torch.stack(losses)


def losses_by_law(inputs: Tensor, targets: Tensor, rate: float, steps: Sequence[int]) -> Tensor:
    """Return the losses of gradient descent in closed form: `L_* + sum_i h_i (1 - 2 rate h_i)^(2
    k) |c_i|^2`.
    """
    values, vectors = torch.linalg.eigh(inputs.T @ inputs / len(inputs))
    best = torch.linalg.lstsq(inputs, targets).solution
    least = (inputs @ best - targets).square().sum() / len(inputs)
    share = values * (vectors.T @ best).square().sum(1)
    kept = (1 - 2 * rate * values) ** (2 * torch.tensor(steps, dtype=torch.float64)[:, None])
    return least + kept @ share


def largest_rate(inputs: Tensor) -> float:
    """Return `1 / (2 h)` of the largest eigenvalue h: no direction oscillates."""
    return 0.5 / float(torch.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1])


def error_of_the_closed_form(settings: Settings) -> Measurement:
    """Measure the largest relative error of the closed form against gradient descent, 200 steps,
    random data sets.
    """
    draw, errors = torch.Generator().manual_seed(settings.seed), []
    for _ in range(settings.cases):
        inputs, targets = sampled_case(draw)
        rate = largest_rate(inputs)
        descended = losses_by_descent(inputs, targets, rate, 200)
        errors.append(
            float((losses_by_law(inputs, targets, rate, range(201)) / descended - 1).abs().max())
        )
    return largest(errors, settings.seed)


def error_of_the_slowest_rate(settings: Settings) -> Measurement:
    """Measure the largest relative error of the late fall a step of the excess loss against `(1 - 2
    rate h)^2`.

    h is the least eigenvalue; late is where the others have decayed: the excess of gradient descent
    in its distance to the least squares' solution, which has no cancellation.
    """
    draw, errors = torch.Generator().manual_seed(settings.seed + 1), []
    for _ in range(settings.cases):
        inputs, targets = sampled_case(draw)
        rate, gram = largest_rate(inputs), inputs.T @ inputs / len(inputs)
        values, off = torch.linalg.eigvalsh(gram), torch.linalg.lstsq(inputs, targets).solution
        gap = float((1 - 2 * rate * values[1]) / (1 - 2 * rate * values[0]))
        for _ in range(min(math.ceil(math.log(1e-14) / math.log(gap)), 200_000)):
            off = off - 2 * rate * gram @ off
            off = off / off.norm()
        after = off - 2 * rate * gram @ off
        fall = float((after * (gram @ after)).sum() / (off * (gram @ off)).sum())
        errors.append(abs(fall / float(1 - 2 * rate * values[0]) ** 2 - 1))
    return largest(errors, settings.seed + 1)


def steps_over_condition_number(settings: Settings) -> Measurement:
    """Measure the steps to a hundredth of the excess loss at the least noise over those at the
    largest, without c_in.

    The Hessian's eigenvalues are then `v + sigma^2`; a stiff Gaussian without mean, each noise
    level at its best rate.
    """
    law = TARGETS["stiff"]
    steps = [
        steps_to(0.01, law.variance + sigma**2, sigma * (law.variance + sigma**2).reciprocal())
        for sigma in (LOWEST, HIGHEST)
    ]
    return Measurement(
        value=steps[0] / steps[1], detail={"least noise": steps[0], "largest noise": steps[1]}
    )


def steps_to(share: float, values: Tensor, best: Tensor) -> int:
    """Return the steps from 0 to a share of the excess loss of Hessian `2 diag(values)`, rate `1
    / (h_min + h_max)`.
    """
    excess = values * best**2
    kept = (1 - 2 * values / (values.min() + values.max())) ** 2
    return next(
        k for k in range(10**7) if float((kept**k * excess).sum()) <= share * float(excess.sum())
    )


@cell
def divergences(target: str, weight: str, budget: int) -> dict[str, Array]:
    """KL(target || run), path bound and the bound's score part in nats after `TRAINED` steps, per
    noise levels.

    The runs start from the target's own distribution at the first noise level.
    """
    law, results = TARGETS[target], {}
    for name, schedule in NOISE_LEVELS.items():
        levels = ve_levels(schedule(HIGHEST, LOWEST, budget + 1))
        start, rows = marginal(law, levels[0]), []
        for steps in TRAINED:
            error = trained(law, [level.sigma for level in levels], WEIGHTS[weight], steps)
            forward, _ = end_divergences(levels, law, error, start)
            rows.append(
                (forward, path_bound(levels, law, error, start), score_part(levels, law, error))
            )
        results[name] = np.array(rows)
    return results


def kl(target: str, weight: str, budget: int, schedule: str = "exponential") -> np.ndarray:
    """Return KL(target || run) in nats after each number of steps of `TRAINED`."""
    return divergences(target, weight, budget)[schedule][:, 0]


def weight_ratios(settings: Settings, targets: Iterable[str], when: slice) -> dict[str, float]:
    """Return KL(target || run) with EDM's weight over the better of the others, by target and
    steps of training.
    """
    budget, ratios = max(settings.budgets), {}
    for target in targets:
        others = np.minimum(kl(target, "Song", budget), kl(target, "uniform", budget))
        for steps, ratio in zip(
            TRAINED[when], (kl(target, "EDM", budget) / others)[when].tolist(), strict=True
        ):
            ratios[f"{target}, {steps} steps"] = float(ratio)
    return ratios


def largest_ratio_of_edms_weight(settings: Settings, early: bool) -> Measurement:
    """Return the largest KL(target || run) with EDM's weight over the better of the others.

    After 1 and 10 steps on narrow targets (`early`), or after 100 or more on all.
    """
    return named_extreme(
        weight_ratios(settings, NARROW, EARLY) if early else weight_ratios(settings, TARGETS, LATE)
    )


def largest_share_of_the_bound(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) over the sum of three parts with trained scores; the
    detail has the median.

    All targets, weights, numbers of steps, noise levels and budgets.
    """
    shares = [
        table[:, 0] / table[:, 1]
        for target in TARGETS
        for weight in WEIGHTS
        for budget in settings.budgets
        for table in divergences(target, weight, budget).values()
    ]
    every = np.concatenate(shares)
    return largest(every, None, median=float(np.median(every)), least=float(every.min()))


def largest_share_of_the_bound_on_random_targets(settings: Settings) -> Measurement:
    """Measure the largest KL(target || run) over the bound: random targets, noise levels, weights
    and training times.

    The runs start from the noise alone.
    """
    draw, shares = np.random.default_rng(settings.seed + 2), []
    for _ in range(settings.cases):
        law = GaussianLaw(10 ** draw.uniform(-3, 1, 3), mean=draw.standard_normal(3))
        levels = ve_levels(np.sort(10 ** draw.uniform(-2, 2, draw.integers(3, 20)))[::-1])
        weight = WEIGHTS[str(draw.choice(list(WEIGHTS)))]
        error = trained(
            law, [level.sigma for level in levels], weight, int(10 ** draw.uniform(0, 4))
        )
        start = marginal(GaussianLaw([1e-12] * 3, mean=0.0), levels[0])
        shares.append(
            end_divergences(levels, law, error, start)[0] / path_bound(levels, law, error, start)
        )
    return largest(shares, settings.seed + 2, median=float(np.median(shares)))


def advantage(target: str, weight: str, budget: int) -> np.ndarray:
    """Return KL with EDM's noise levels over KL with exponential ones, after each number of
    steps of `TRAINED`.
    """
    return kl(target, weight, budget, "EDM") / kl(target, weight, budget)


def least_advantage(settings: Settings, longest: bool = False) -> Measurement:
    """Return the least `advantage` over weights and steps of training, or after the `longest`
    training.

    Targets are far narrower than the first noise; the wide one's is of another kind (N2b).
    """
    budget, when = max(settings.budgets), slice(-1, None) if longest else slice(None)
    ratios = {
        f"{target}, {weight}, {steps} steps": float(ratio)
        for target in NARROW
        for weight in WEIGHTS
        for steps, ratio in zip(TRAINED[when], advantage(target, weight, budget)[when], strict=True)
    }
    return named_extreme(ratios, min)
