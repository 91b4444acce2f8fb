r"""Reference samplers: clean methods of known order, as black boxes for the kit. Some are steps of
`ams.samplers`.

In `y = x / scale`, `v = sigma / scale`, `lambda = -ln v` the probability flow is `dy = eps dv`.
With `h = lambda' - lambda` its exact steps are

    y' = exp(-h) y + int exp(-(lambda' - l)) x0(l) dl,        y' = y + int eps dv.

A multistep method puts for x0 or eps the polynomial through its last values, as a function of
lambda (exponential integrators) or of v (Adams and Bashforth). Every mesh has positive noise
levels, then the data: `scale` 1, `sigma` 0.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams.samplers.affine_transitions import affine, ancestral, flow_euler, reverse_sde
from ams.samplers.annealed_baoab import annealed_baoab, fixed
from ams.samplers.base import State, Step
from ams.samplers.dpm_solver import dpm_solver
from ams.samplers.edm import edm_stochastic, flow_heun
from ams.samplers.loop import last, one_step_per_level, run
from ams.samplers.particles import Particles
from ams.schedules import (
    VP,
    Level,
    geometric_sigmas,
    karras_sigmas,
    linked,
    process_levels,
    ve_levels,
)
from samplercheck import Draws, Network, Sampler

Mesh = Callable[[int], list[Level]]
Past = list[tuple[Level, Tensor]]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


class Reference(NamedTuple):
    """`run(network, x, levels, draws)`, its mesh, order and noise, and its evaluations for so
    many steps.
    """

    run: Callable[[Network, Tensor, list[Level], Draws], Tensor]
    mesh: Mesh
    order: int | None
    noise: float | None = 0.0
    evaluations: Callable[[int], int] = lambda steps: steps

    def sampler(self, name: str, mesh: Mesh | None = None, **fields: object) -> Sampler:
        """Return the sampler for the kit, on its own mesh or another."""
        levels = mesh or self.mesh

        def black_box(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
            return self.run(network, x, levels(steps), draws)

        def prior(steps: int) -> float:
            first = levels(steps)[0]
            return math.hypot(first.sigma, first.scale) if first.scale < 0.1 else first.sigma

        stated = {
            "order": self.order,
            "noise": self.noise,
            "evaluations": self.evaluations,
            **fields,
        }
        return Sampler(name, "reference", black_box, prior, **stated)

    def through(self, change: Callable[[Network, str, Tensor, Level], Tensor]) -> "Reference":
        """Return the method whose network is `change(network, predict, x, level)`."""

        def run(network: Network, *given: Any) -> Tensor:
            return self.run(lambda *asked: change(network, *asked), *given)

        return self._replace(run=run)

    def ended(self, change: Callable[[Tensor], Tensor]) -> "Reference":
        """Return the method with a change of its end."""
        return self._replace(run=lambda *given: change(self.run(*given)))


def karras(steps: int, first: float = 80.0, final: float = 0.02, rho: float = 7.0) -> list[Level]:
    """Return EDM's noise levels."""
    return ve_levels([*karras_sigmas(first, final, steps, rho), 0.0])


def geometric(steps: int, first: float = 80.0, final: float = 0.02) -> list[Level]:
    """Return geometric noise levels."""
    return ve_levels([*geometric_sigmas(first, final, steps), 0.0])


def preserving(steps: int, final: float = 1e-3, process: VP = VP()) -> list[Level]:  # noqa: B008 - frozen
    """Return the noise levels of a VP process at equal time steps."""
    return linked([*process_levels(process, steps, final), Level(steps, sigma=0.0)])


def rectified(steps: int, shift: float = 1.0) -> list[Level]:
    """Return the noise levels `(1 - t, t)` of rectified flow, with times moved towards 1 by
    `shift`.
    """
    times = np.linspace(1.0, 0.0, steps + 1)
    times = shift * times / (1 + (shift - 1) * times)
    return linked([Level(i, sigma=float(t), scale=1 - float(t)) for i, t in enumerate(times)])


def stepped(step: Callable[[int], Step]) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return the run of a step of `ams.samplers`, made for a number of steps."""

    def black_box(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        def score(x: Tensor, level: Level) -> Tensor:
            return network("score", x, level)

        program = one_step_per_level(step(len(levels) - 1), levels)
        return last(run(program, State(x), score, torch.randn_like, Particles()))[0].x

    return black_box


def log_noise(level: Level) -> float:
    """Return `ln v`."""
    return math.log(level.sigma / level.scale)


def lagrange(nodes: list[float], i: int, at: np.ndarray) -> np.ndarray:
    """Return the polynomial that is 1 at node i and 0 at the others."""
    return math.prod(
        ((at - u) / (nodes[i] - u) for j, u in enumerate(nodes) if j != i), start=np.ones_like(at)
    )


def advance(
    x: Tensor, level: Level, after: Level, past: Past, predict: str, exponential: bool
) -> Tensor:
    """Return the step from `level` to `after` with the polynomial through `past`."""
    high, low = log_noise(level), log_noise(after)
    h = high - low
    at = high - h * (NODES + 1) / 2
    axis = (lambda u: u) if exponential else np.exp
    nodes = [float(axis(log_noise(known))) for known, _ in past]
    if predict == "x0":
        kernel, decay = np.exp(low - at), math.exp(-h)
    else:
        kernel, decay = -np.exp(at), 1.0
    y = decay * x / level.scale
    for i, (_, value) in enumerate(past):
        y = y + float((WEIGHTS * kernel * lagrange(nodes, i, axis(at))).sum() * h / 2) * value
    return after.scale * y


def multistep(
    order: int, predict: str, exponential: bool
) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return the method through the last `order` values. For order 3 the first step is corrected
    once.
    """

    def black_box(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        past: Past = []
        for level, after in pairwise(levels[:-1]):
            past = [*past, (level, network(predict, x, level))][-order:]
            end = advance(x, level, after, past, predict, exponential)
            if order == 3 and len(past) == 1:
                ahead = (after, network(predict, end, after))
                end = advance(x, level, after, [*past, ahead], predict, exponential)
            x = end
        return network("x0", x, levels[-2])

    return black_box


def unipc(order: int) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return UniPC (arXiv 2302.04867): predictor of `order`, corrector with one value more, no
    evaluation more.
    """

    def black_box(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        past: Past = [(levels[0], network("x0", x, levels[0]))]
        for level, after in pairwise(levels[:-1]):
            guess = advance(x, level, after, past[-order:], "x0", True)
            past.append((after, network("x0", guess, after)))
            x = advance(x, level, after, past[-order - 1 :], "x0", True)
        return past[-1][1]

    return black_box


def dpm_solver_2(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """DPM-Solver-2 (arXiv 2206.00927): the midpoint rule in lambda for eps, on a VE mesh."""
    for level, after in pairwise(levels[:-1]):
        middle = Level(0, sigma=math.sqrt(level.sigma * after.sigma))
        half = x + (middle.sigma - level.sigma) * network("eps", x, level)
        x = x + (after.sigma - level.sigma) * network("eps", half, middle)
    return network("x0", x, levels[-2])


def rectified_euler(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Euler's method on a rectified flow."""
    for level, after in pairwise(levels):
        x = x + (after.sigma - level.sigma) * network("flow", x, level)
    return x


def rectified_heun(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Heun's method on a rectified flow, Euler's in the last step."""
    for level, after in pairwise(levels):
        dt = after.sigma - level.sigma
        slope = network("flow", x, level)
        guess = x + dt * slope
        x = x + dt * (slope + network("flow", guess, after)) / 2 if after.sigma else guess
    return x


def ddim(
    eta: float, predict: str = "eps"
) -> Callable[[Network, Tensor, list[Level], Draws], Tensor]:
    """Return DDIM (arXiv 2010.02502) with noise eta, from predictions of eps or of v."""

    def black_box(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
        for level, after in pairwise(levels):
            value = network(predict, x, level)
            eps = level.sigma * x + level.scale * value if predict == "v" else value
            x0 = (x - level.sigma * eps) / level.scale
            added = 1 - (level.scale * after.sigma / (after.scale * level.sigma)) ** 2
            spread = eta * after.sigma * math.sqrt(added)
            x = after.scale * x0 + math.sqrt(after.sigma**2 - spread**2) * eps
            if spread:
                x = x + spread * torch.randn_like(x)
        return x

    return black_box


def euler_maruyama(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """Euler and Maruyama's method on the reverse SDE of a VE process, on one Brownian path in
    the variance's time.
    """
    for level, after in pairwise(levels[:-1]):
        start, end = -(level.sigma**2), -(after.sigma**2)
        x = x + (end - start) * network("score", x, level)
        x = x + math.sqrt(end - start) * draws.increment(start, end, x.shape).to(x)
    return network("x0", x, levels[-2])


def sde_midpoint(network: Network, x: Tensor, levels: list[Level], draws: Draws) -> Tensor:
    """A singlestep SDE-DPM-Solver++ on a VE mesh, whose half steps share the Brownian path of
    whole ones.
    """

    def moved(x: Tensor, x0: Tensor, start: float, end: float) -> Tensor:
        keep = (end / start) ** 2
        noise = draws.increment(-math.log(start), -math.log(end), x.shape).to(x)
        return keep * x + (1 - keep) * x0 + end * math.sqrt(1 - keep) * noise

    for level, after in pairwise(levels[:-1]):
        middle = Level(0, sigma=math.sqrt(level.sigma * after.sigma))
        half = moved(x, network("x0", x, level), level.sigma, middle.sigma)
        x = moved(x, network("x0", half, middle), level.sigma, after.sigma)
    return network("x0", x, levels[-2])


def twice(steps: int) -> int:
    """Return the evaluations of a method with two a step and one in its last."""
    return 2 * steps - 1


REFERENCES = {
    "Euler": Reference(stepped(lambda n: affine(flow_euler)), karras, 1),
    "Heun": Reference(stepped(lambda n: flow_heun), karras, 2, 0.0, twice),
    "DPM-Solver++ 2M": Reference(stepped(lambda n: dpm_solver(0.0)), preserving, 2),
    "SDE-DPM-Solver++ 2M": Reference(stepped(lambda n: dpm_solver(1.0)), preserving, 2, 1.0),
    "ancestral": Reference(stepped(lambda n: affine(ancestral)), preserving, 1, 1.0),
    "reverse SDE": Reference(stepped(lambda n: affine(reverse_sde)), karras, 1, 1.0),
    "EDM": Reference(stepped(lambda n: edm_stochastic(n, 10.0)), karras, 2, None, twice),
    "annealed BAOAB": Reference(
        stepped(lambda n: annealed_baoab(fixed(rate=math.inf))), geometric, 1, None
    ),
    "AB2 in v": Reference(multistep(2, "eps", False), karras, 2),
    "AB3 in v": Reference(multistep(3, "eps", False), karras, 3, 0.0, lambda n: n + 1),
    "exponential AB2, eps": Reference(multistep(2, "eps", True), preserving, 2),
    "exponential AB3, eps": Reference(
        multistep(3, "eps", True), preserving, 3, 0.0, lambda n: n + 1
    ),
    "exponential AB2, x0": Reference(multistep(2, "x0", True), preserving, 2),
    "exponential AB3, x0": Reference(multistep(3, "x0", True), geometric, 3, 0.0, lambda n: n + 1),
    "UniPC-2": Reference(unipc(2), preserving, 3),
    "DPM-Solver-2": Reference(dpm_solver_2, karras, 2, 0.0, twice),
    "rectified Euler": Reference(rectified_euler, rectified, 1),
    "rectified Heun": Reference(rectified_heun, rectified, 2, 0.0, twice),
    "DDIM": Reference(ddim(0.0), preserving, 1),
    "DDIM, eta 0.6": Reference(ddim(0.6), preserving, 1, 0.6),
    "DDIM, v": Reference(ddim(0.0, "v"), preserving, 1),
    "Euler-Maruyama": Reference(euler_maruyama, karras, 1, 1.0),
    "SDE midpoint": Reference(sde_midpoint, karras, 2, 1.0, twice),
}
