"""H1 to H4: what `ams.laws.contraction` states, by algebra, on Gaussians, on other targets.

H3a says that with a Lipschitz Hessian the limit's distance from the tempered target is of order a.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import sympy as sp
import torch

from ams.grid_function import tabulated
from ams.laws.contraction import Chain
from ams.laws.phase_space import momentum_variable, stationary
from ams.laws.symbolic import a, b, lam, m as memory, mu, symbolic_step, transition, x, z
from ams.metrics import line_w2
from ams.samplers import Particles, State, constant, momentum, momentum_rule, run
from ams.schedules import Level
from ams.targets import GaussianMixture
from ams_suite.measures import largest
from analysis.momentum.closed_forms import variance_ratio
from analysis.proofs import left_over
from beyond.contraction.settings import Settings
from verdicts import Measurement

PAIRS = ((0.9, 0.01), (0.4, 0.1))
"""Momentum coefficients, and steps times the largest curvature, at which large condition numbers
are tried.
"""
CONDITIONS = (10.0, 100.0, 1e4)
HALVES = (0.5, 0.9)
"""Half the distance of the mixture's modes; its deviations are 1, so that it is log-concave
below 1.
"""
STEPS = ((0.4, 0.1), (0.4, 0.01), (0.7, 0.02), (0.9, 0.005))
"""Momentum coefficients, and steps times the largest curvature, on mixtures."""


def chains(settings: Settings) -> Iterator[Chain]:
    """Yield random chains within the region of contraction: b up to 0.95, condition numbers up
    to 1e4.
    """
    generator, left = np.random.default_rng(settings.seed), settings.points
    while left:
        beta, condition = generator.uniform(0.0, 0.95), 10 ** generator.uniform(0.0, 4.0)
        chain = Chain(beta, generator.uniform(0.0, 2 / (1 - beta**2)), 1 / condition, 1.0)
        if chain.rate < 1 - 1e-9:
            left -= 1
            yield chain


def terms_left_of_the_identities() -> Measurement:
    """Count the terms left of the theorem's lines: transfer function, ellipse, polynomial in the
    cosine, rates.
    """
    rho, cosine, m, largest_, h, z = sp.symbols("rho cosine m L h z", positive=True)
    matrix = transition(
        symbolic_step(momentum(momentum_rule(constant(b))), State(x, memory)),
        [x, memory],
        ["x", "m"],
    )
    k = a * (1 + b) ** 2 * (1 - b)
    free, kick = matrix.subs(lam, 0), sp.Matrix([a * (1 + b) ** 2, 1]) * (1 - b)
    transfer = ((z * sp.eye(2) - free).inv() * kick)[0]
    real, imaginary = (rho + b / rho) * cosine - (1 + b), (rho - b / rho) * sp.sqrt(1 - cosine**2)
    point = rho * (cosine + sp.I * sp.sqrt(1 - cosine**2))
    form = (real + k * largest_) * (real + k * m) + imaginary**2
    total = k * (m + largest_)
    stated = 4 * b * cosine**2 + (rho + b / rho) * (total - 2 * (1 + b)) * cosine
    stated += (1 + b) ** 2 + (rho - b / rho) ** 2 - total * (1 + b) + k**2 * m * largest_
    # The nearest point of the ellipse (half-axes A, B; A^2 - B^2 = 4b) to the disc's centre at h
    # has cosine h A / (4b)
    half, other = rho + b / rho, rho - b / rho
    nearest = (half * h * half / (4 * b) - h) ** 2 + other**2 * (1 - (h * half / (4 * b)) ** 2)
    # On the boundary, b = 0: the form with P_11 = 1, P_12 = across and P_22 = q after a step at m,
    # rho = 1 - a m
    across, q = sp.symbols("P_12 q", positive=True)
    at_end = rho**2 - 2 * across * rho * m + q * m**2
    return left_over(
        *(matrix - free + lam * kick * sp.Matrix([[1, 0]])),
        transfer - k * z / ((z - 1) * (z - b)),
        sp.expand((point - 1) * (point - b) - point * (real + sp.I * imaginary)),
        form - stated,
        half**2 - other**2 - 4 * b,
        nearest - other**2 * (1 - h**2 / (4 * b)),
        sp.Matrix.hstack(kick, free * kick).det() + kick[0] * kick[1],
        at_end - rho**2 * (1 - across**2 / q) - (q * m - rho * across) ** 2 / q,
    )


def terms_left_of_the_region() -> Measurement:
    """Count the terms left of the region's lines: where the vertex stops to be nearest, and what
    room there is then.
    """
    radius, end = sp.symbols("r K", positive=True)
    turn, edge = 4 * b / (1 + b), (1 - b) ** 2 / (1 + b)
    room = (1 - b) ** 2 * (1 - (1 + b - end + radius) ** 2 / (4 * b)) - radius**2
    return left_over(
        1 + b - turn - edge,
        room.subs(radius, end - edge) - edge**2 + (end - edge) ** 2,
        (1 - b) ** 2 * (1 - turn**2 / (4 * b)) - edge**2,
        sp.diff(room, radius, 2) + (1 - b) ** 2 / (2 * b) + 2,
        a * (1 + b) ** 2 * (1 - b) - 2 * edge * a * (1 + b) ** 3 / (2 * (1 - b)),
    )


def terms_left_of_the_comparison_with_langevin() -> Measurement:
    """Count the terms left of H1b's lines: the angle at which 0 sees the ellipse, and what it
    leaves to `rho`.
    """
    rho = sp.symbols("rho", positive=True)
    real, imaginary, away = rho + b / rho, rho - b / rho, 1 + b
    slope = imaginary**2 / (away**2 - real**2)  # squared, of the tangent from 0
    return left_over(
        slope * away**2 - slope * real**2 - imaginary**2,
        slope / (1 + slope) - (imaginary / (1 - b)) ** 2,
        rho - imaginary / (1 - b) - b * (1 - rho**2) / (rho * (1 - b)),
    )


def largest_violation_of_the_inequality(settings: Settings) -> Measurement:
    """Measure the largest eigenvalue of `T(l)' P T(l) - rho^2 P` over P's largest, at the ends
    of `[m, L]`.
    """

    def violation(chain: Chain) -> float:
        form, rho = chain.metric, chain.slack_rate
        ends = map(chain.transition, (chain.smallest, chain.largest))
        worst = max(np.linalg.eigvalsh(end.T @ form @ end - rho**2 * form)[-1] for end in ends)
        return float(worst / np.linalg.eigvalsh(form)[-1])

    return largest([violation(chain) for chain in chains(settings)], settings.seed)


def largest_share_of_the_bound_on_gaussians(settings: Settings) -> Measurement:
    """Measure the largest `|dx_n| / (C rho^(n-1) |dx_0|)`, n up to 256, at random curvatures and
    both ends.
    """
    generator = np.random.default_rng(settings.seed + 1)

    def share(chain: Chain) -> float:
        curvatures = np.append(
            generator.uniform(chain.smallest, chain.largest, 3), [chain.smallest, chain.largest]
        )
        after = np.stack([1 - chain.step * curvatures, -curvatures], axis=1)[:, :, None]
        steps = np.stack([chain.transition(each) for each in curvatures]) / chain.slack_rate
        worst = 0.0
        for _ in range(256):
            worst, after = max(worst, np.abs(after[:, 0]).max()), steps @ after
        return float(worst / chain.constant)

    return largest([share(chain) for chain in chains(settings)], settings.seed)


def _log_cosh(x: torch.Tensor, m: float) -> torch.Tensor:
    return -(m * x + (1 - m) * torch.tanh(x))


def _quartic_within_1(x: torch.Tensor, m: float) -> torch.Tensor:
    inner = x.clamp(-1, 1)
    return -(m * x + (1 - m) * (inner**3 / 3 + (x - inner)))


def _logistic_regression(x: torch.Tensor, m: float) -> torch.Tensor:
    """The posterior of 200 labels in 100 dimensions, with curvature from the prior's m to at
    most 1.
    """
    generator = torch.Generator().manual_seed(2405)
    rows = torch.randn(200, x.shape[-1], generator=generator, dtype=x.dtype)
    rows *= 2 * math.sqrt(1 - m) / torch.linalg.matrix_norm(rows, 2)
    signs = torch.randn(200, generator=generator, dtype=x.dtype).sign()
    return (torch.sigmoid(-signs * (x @ rows.T)) * signs) @ rows - m * x


TARGETS: dict[str, tuple[Callable[[torch.Tensor, float], torch.Tensor], int]] = {
    "log cosh": (_log_cosh, 1),
    "quartic within 1, quadratic beyond": (_quartic_within_1, 2),
    "logistic regression": (_logistic_regression, 100),
}


def largest_share_of_the_bound(settings: Settings, target: str) -> Measurement:
    """Measure the largest `|v_n|_P / (rho^(n-1) |v_1|_P)` over pairs of copies that share their
    noise, and their steps.

    The inequality holds for each pair and draw, so nothing is estimated.
    """
    score, dimension = TARGETS[target]
    worst = 0.0
    for (beta, step), condition in (
        (pair, condition) for pair in PAIRS for condition in (10.0, 100.0)
    ):
        chain = Chain(beta, step, 1 / condition, 1.0)
        for shrunk in _differences(chain, settings, score, dimension):
            worst = max(worst, shrunk)
    return Measurement(value=worst, n=settings.pairs * 2 * len(PAIRS), seeds=(settings.seed,))


def _differences(
    chain: Chain,
    settings: Settings,
    score: Callable[[torch.Tensor, float], torch.Tensor],
    dimension: int,
) -> Iterator[float]:
    """Yield for each step but the first the largest share of the bound over the pairs."""
    generator = torch.Generator().manual_seed(settings.seed)
    draw = lambda: torch.randn(settings.pairs, dimension, generator=generator, dtype=torch.float64)  # noqa: E731
    form, first = torch.from_numpy(chain.metric), None
    program = [
        (momentum(momentum_rule(constant(chain.beta))), Level(0, sigma=0.0, step=chain.step))
    ] * settings.steps
    start = State(torch.cat([3 * draw(), 3 * draw()]))
    scored = lambda x, level: score(x, chain.smallest)  # noqa: E731
    twice = lambda x: torch.cat([draw()] * 2)  # noqa: E731
    for number, (state, _) in enumerate(run(program, start, scored, twice, Particles())):
        pair = torch.stack(
            [
                state.x[: settings.pairs] - state.x[settings.pairs :],
                state.m[: settings.pairs] - state.m[settings.pairs :],
            ]
        )
        size = torch.einsum("ipd,ij,jpd->p", pair, form, pair).sqrt()
        if first is None:
            first = size
        else:
            yield float((size / first).max()) / chain.slack_rate**number


def largest_gain_over_langevin(condition: float) -> Measurement:
    """Measure the largest loss `1 - rate` on a grid of (b, a), over Langevin's at its best step,
    `2 / (L/m + 1)`.
    """
    losses = [
        (1 - Chain(beta, step, 1 / condition, 1.0).rate) * (condition + 1) / 2
        for beta in np.linspace(0.0, 0.98, 99)
        for step in np.append(np.geomspace(1e-3, 2 / (1 - beta**2), 400), 2 / (1 + 1 / condition))
    ]
    return Measurement(value=max(losses), n=len(losses))


def distance_on_a_gaussian(chain: Chain, precisions: np.ndarray) -> float:
    """Return the exact W2 of the stationary distribution to `pi^c / Z` on a Gaussian with these
    precisions.
    """
    ratio = np.sqrt(variance_ratio(precisions * chain.step, chain.beta)) - 1 / (1 + chain.beta)
    return float(np.linalg.norm(ratio / np.sqrt(precisions)))


def largest_share_of_the_score_bound(settings: Settings) -> Measurement:
    """Measure the largest shift of the limit by a constant score error, `1 / m`, over its bound."""
    values = [1 / (chain.smallest * chain.error_constant) for chain in chains(settings)]
    return largest(values, settings.seed, least=min(values))


def terms_left_of_the_moved_chain() -> Measurement:
    """Count the terms left of H3a's lines: the moved position, the sums of defects, integrals, the
    mixture's Hessian.

    The position moved by `a b c / (1 - b)` times the momentum takes a plain gradient step, with the
    score before it.
    """
    after = symbolic_step(momentum(momentum_rule(constant(b))), State(x, memory))
    r, t, rho, u, v, half = sp.symbols("r t rho u v delta", positive=True)
    c, lag = (1 + b) ** 2, a * b * (1 + b) ** 2 / (1 - b)
    moved = after.x + lag * after.m - (x + lag * memory)
    expected, random = (1 - rho) * u, (1 - rho**2) * v**2
    potential = x**2 / 2 - sp.log((sp.exp(half * x) + sp.exp(-half * x)) / 2)
    tangent = (sp.exp(half * x) - sp.exp(-half * x)) / (sp.exp(half * x) + sp.exp(-half * x))
    hessian, cubed = 1 - half**2 * (1 - t**2), 2 * half**3 * t * (1 - t**2)
    return left_over(
        moved - sp.sqrt(2 * a) * z + a * c * lam * (x - mu),
        (u + v) ** 2 - (rho * (u + v) + expected) ** 2 - random - 2 * (1 - rho) * u * v,
        sp.integrate((a - r) ** 2, (r, 0, a)) - a**3 / 3,
        sp.integrate(a - r, (r, 0, a)) - a**2 / 2,
        sp.diff(potential, x, 2) - hessian.subs(t, tangent),
        sp.diff(potential, x, 3) - cubed.subs(t, tangent),
        sp.diff(cubed, t) - 2 * half**3 * (1 - 3 * t**2),
        cubed.subs(t, 1 / sp.sqrt(3)) - 4 * half**3 / (3 * sp.sqrt(3)),
    )


def largest_share_on_gaussians(settings: Settings) -> Measurement:
    """Measure the largest W2 to `pi^c / Z` over its bound, on Gaussians with three precisions,
    both ends among them.
    """
    generator, shares = np.random.default_rng(settings.seed + 3), []
    for chain in _smooth(settings):
        precisions = np.array(
            [chain.smallest, generator.uniform(chain.smallest, chain.largest), chain.largest]
        )
        shares.append(distance_on_a_gaussian(chain, precisions) / chain.distance_if_smooth(3, 0.0))
    return largest(shares, settings.seed)


def _smooth(settings: Settings) -> Iterator[Chain]:
    """Yield random chains within the region of contraction at which the bound is known."""
    for chain in chains(settings):
        if chain.step * chain.beta * (1 + chain.beta) ** 2 * chain.largest < 1 - chain.beta:
            yield chain


def largest_share_on_mixtures() -> Measurement:
    """Measure the largest W2 to `pi^c / Z` over its bound on log-concave mixtures of two Gaussians,
    by exact laws.

    With modes at -h and h the curvature is at least `1 - h^2` and at most 1, its derivative `4 h^3
    / 3^(3/2)`.
    """
    return largest([_share(half, *pair) for half in HALVES for pair in STEPS])


def _share(half: float, beta: float, step: float) -> float:
    target, c = GaussianMixture([0.5, 0.5], [[-half], [half]], 1.0), (1 + beta) ** 2
    variable = momentum_variable(target, step, beta)
    limit = stationary(target, momentum(momentum_rule(constant(beta))), step, variable).density
    tempered = tabulated(lambda x: c * (np.logaddexp(half * x, -half * x) - x**2 / 2))
    chain = Chain(beta, step, 1 - half**2, 1.0)
    return line_w2(limit, tempered) / chain.distance_if_smooth(1, 4 * half**3 / 3**1.5)


def _bounds_over_spread(fraction: float) -> list[float]:
    """Return the bound over `sqrt(d / (c m))`, the spread that `pi^c` has at most, for Hessians
    that are constant.

    The step is a `fraction` of H1's for every condition number, over the root of the condition
    number.
    """
    shares = []
    for beta in (0.0, 0.4, 0.7, 0.9):
        for condition in (10.0, 100.0, 1e3, 1e4):
            step = fraction * 2 * (1 - beta) / ((1 + beta) ** 3 * math.sqrt(condition))
            spread = math.sqrt(condition) / (1 + beta)
            shares.append(Chain(beta, step, 1 / condition, 1.0).distance_if_smooth(1, 0.0) / spread)
    return shares


def largest_bound_over_spread() -> Measurement:
    """Measure the largest bound over the spread at 0.6 of H1's step over the root of the
    condition number.
    """
    return largest(_bounds_over_spread(0.6))


def least_bound_over_spread() -> Measurement:
    """Measure the least bound over the spread at H1's step over the root of the condition
    number.
    """
    shares = _bounds_over_spread(1.0)
    return Measurement(value=min(shares), n=len(shares))


def least_order() -> Measurement:
    """Measure the least logarithmic slope of the bound between steps of 1e-6 and 1e-4,
    conditions 10 to 1e4.
    """

    def slope(beta: float, condition: float) -> float:
        low, high = (
            Chain(beta, step, 1 / condition, 1.0).distance_if_smooth(1, 1.0)
            for step in (1e-6, 1e-4)
        )
        return math.log(high / low) / math.log(100)

    values = [
        slope(beta, condition) for beta in (0.0, 0.4, 0.9) for condition in (10.0, 100.0, 1e4)
    ]
    return Measurement(value=min(values), n=len(values))
