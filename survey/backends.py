"""What SDE solvers and Langevin kernels in JAX and NumPy do, as shipped: strong and weak orders,
and the Gaussian that they leave invariant.

sdeint is left to the user: its licence is the GPL.

A strong order is that of the root mean square error at the end of Brownian paths that are given, by
their increments and space-time areas. A weak one, and what is left invariant, is exact.
`python -m survey.backends` writes docs/backends.md, of the packages that are installed.
"""

import importlib
import math
import operator
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch

from ams.statistics.intervals import mean_interval
from ams.statistics.orders import convergence_order
from samplercheck.answered_draws import Draws, answered
from samplercheck.arrays import KINDS
from samplercheck.convergence import Order
from samplercheck.verdict_words import HOLDS, REFUTED

PAGE = Path(__file__).parents[1] / "docs" / "backends.md"
HEAD = """# Surveyed SDE solvers and Langevin kernels

These solvers and kernels compute in JAX or in NumPy, and are run as their projects ship them.
`python -m survey.backends` makes this page, of the packages that are installed.

## Strong orders

The root mean square error at time 1, at {paths} given Brownian paths, falls with this power of the
step. The measured order is that from {first} to {last} steps, in {batches} batches of paths. Its
interval has confidence {sure:.1%}. A stated order that lies above the interval is refuted.

| solver | equation from y(0) = 1 | stated order | measured | error at {last} steps | verdict |
|---|---|---|---|---|---|"""
WEAK = """
## Weak orders

Of dy = -y dt + dw the end has a Gaussian distribution, by each solver too: both are exact.
The mean and the variance, together, come to theirs with this power of the step.

| solver | order | error at 8 steps | at 64 steps |
|---|---|---|---|"""
INVARIANT = """
## Langevin kernels

Each kernel samples N(0, {std}^2) by moves x -> a x + b z + ... with normal draws z. The variance
that they leave invariant is exact. With steps that become smaller it should come to the target's.
SGHMC draws its momentum anew before each run of n integration steps, by Euler's explicit scheme.
Its variance comes to n / (n - 1) of the target's, so that it is above that for any step.

| kernel | variance over the target's, at steps {steps} |
|---|---|"""
BALANCED = """
A kernel is in detailed balance if the flow from x to y equals that from y to x. The flow includes
acceptance; the pairs are those of five states, at the step 0.1.

| kernel | largest ln of one flow over the other |
|---|---|"""
PATHS, BATCHES, CELLS = 4096, 16, 4096
STEPS = (8, 16, 32, 64, 128, 256)
"""The numbers of steps of runs; the strong order is that from the fourth on."""
SURE = 0.999
START, STD = 1.0, 0.5
"""Where runs start, and the standard deviation of the Gaussian that kernels sample."""
SIZES = (0.1, 0.05, 0.025)
"""The steps of kernels."""


class Paths(NamedTuple):
    """Brownian motions w(t) and their integrals up to t, at equal times of [0, 1]: one row each."""

    w: np.ndarray
    integral: np.ndarray

    def increments(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return w's increment over each step, and the integral of w less its value before."""
        every = (self.w.shape[1] - 1) // steps
        w, integral = self.w[:, ::every], np.diff(self.integral[:, ::every])
        return np.diff(w), integral - w[:, :-1] / steps


def brownian(paths: int, cells: int, seed: int = 0) -> Paths:
    """Return paths: their values and integrals at the cells' ends have the exact distribution.

    Over a cell of length d, w moves by N(0, d); its integral less d times the mean of both ends is
    independent of that, N(0, d^3 / 12).
    """
    draws, d = np.random.default_rng(seed).standard_normal((2, paths, cells)), 1 / cells
    w = np.pad(np.cumsum(draws[0] * math.sqrt(d), 1), ((0, 0), (1, 0)))
    area = d * (w[:, 1:] + w[:, :-1]) / 2 + math.sqrt(d**3 / 12) * draws[1]
    return Paths(w, np.pad(np.cumsum(area, 1), ((0, 0), (1, 0))))


class Equation(NamedTuple):
    """dy = drift(y) dt + diffusion(y) dw from `START`, by functions of NumPy's or JAX's module; the
    ends of its exact solution at given paths.
    """

    text: str
    drift: Callable[[Any, Any], Any]
    diffusion: Callable[[Any, Any], Any]
    ends: Callable[[Paths], np.ndarray]


def _taylor(paths: Paths) -> np.ndarray:
    """Return the ends of dy = -(y + sin 3y) dt + dw by the Taylor scheme of strong order 1.5, in
    one step a cell (Kloeden and Platen, section 10.4).
    """
    y, h = np.full(len(paths.w), START), 1 / (paths.w.shape[1] - 1)
    for dw, area in zip(*(each.T for each in paths.increments(round(1 / h))), strict=True):
        f, df, ddf = -(y + np.sin(3 * y)), -(1 + 3 * np.cos(3 * y)), 9 * np.sin(3 * y)
        y = y + h * f + dw + df * area + h**2 / 2 * (f * df + ddf / 2)
    return y


def _geometric(correction: float, paths: Paths) -> np.ndarray:
    """Return the ends of dy = -y dt + y dw / 2, exactly: Ito's if the correction is 1/8, else
    Stratonovich's.
    """
    return START * np.exp(-1 - correction + paths.w[:, -1] / 2)


def _half(_: Any, y: Any) -> Any:
    return y / 2


EQUATIONS = {
    "additive": Equation(
        "dy = -(y + sin 3y) dt + dw",
        lambda xp, y: -(y + xp.sin(3 * y)),
        lambda xp, y: xp.ones_like(y),
        _taylor,
    ),
    "Ito": Equation("dy = -y dt + y/2 dw, Ito", lambda _, y: -y, _half, partial(_geometric, 1 / 8)),
    "Stratonovich": Equation(
        "dy = -y dt + y/2 dw, Stratonovich", lambda _, y: -y, _half, partial(_geometric, 0.0)
    ),
    "linear": Equation(  # of which the exact distribution is known
        "dy = -y dt + dw", lambda _, y: -y, lambda xp, y: xp.ones_like(y), lambda _: np.empty(0)
    ),
}


class Solver(NamedTuple):
    """A solver as a library names it, its equation and the strong order that the library states."""

    library: str
    name: str
    equation: str
    stated: float


SOLVERS = (
    *(
        Solver("diffrax", name, "additive", stated)
        for name, stated in {"Euler": 1.0, "SEA": 1.0, "SRA1": 1.5, "ShARK": 1.5}.items()
    ),
    Solver("diffrax", "Euler", "Ito", 0.5),
    Solver("diffrax", "ItoMilstein", "Ito", 1.0),
    *(
        Solver("diffrax", name, "Stratonovich", stated)
        for name, stated in {
            "EulerHeun": 0.5,
            "StratonovichMilstein": 1.0,
            "GeneralShARK": 1.0,
            "SPaRK": 1.0,
            "SlowRK": 1.5,
        }.items()
    ),
    Solver("sdeint", "itoEuler", "Ito", 0.5),
    Solver("sdeint", "itoSRI2", "Ito", 1.0),
    Solver("sdeint", "stratHeun", "Stratonovich", 0.5),
    Solver("sdeint", "stratSRS2", "Stratonovich", 1.0),
)
"""The stated order is that of the library's documentation for this kind of noise, one dimension."""


@cache
def _diffrax() -> tuple[Any, Any, type]:
    """Return JAX, diffrax and its class of paths for given values and integrals."""
    jax: Any = importlib.import_module("jax")
    diffrax: Any = importlib.import_module("diffrax")

    class Given(diffrax.AbstractBrownianPath):
        w: Any
        integral: Any
        levy_area: Any = diffrax.SpaceTimeLevyArea
        t0: Any = 0.0
        t1: Any = 1.0

        def evaluate(
            self, t0: Any, t1: Any = None, left: bool = True, use_levy: bool = False
        ) -> Any:
            cells = len(self.w) - 1
            i, j = (jax.numpy.rint(t * cells).astype(int) for t in (t0, t1))
            dt, moved = (j - i) / cells, self.w[j] - self.w[i]
            area = (self.integral[j] - self.integral[i]) / dt - self.w[i] - moved / 2
            levy = diffrax.SpaceTimeLevyArea(dt=dt, W=moved, H=area)
            return levy if use_levy else moved

    return jax, diffrax, Given


def _of_diffrax(solver: Solver, steps: int) -> Callable[[Any, Any], Any]:
    """Return the end of a run as a function of one path's values and integrals."""
    jax, diffrax, given = _diffrax()
    drift, diffusion = EQUATIONS[solver.equation][1:3]

    def end(w: Any, integral: Any) -> Any:
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(lambda t, y, args: drift(jax.numpy, y)),
            diffrax.ControlTerm(lambda t, y, args: diffusion(jax.numpy, y), given(w, integral)),
        )
        method = getattr(diffrax, solver.name)()
        run = diffrax.diffeqsolve(
            terms, method, 0.0, 1.0, 1 / steps, START, adjoint=diffrax.ForwardMode()
        )
        return run.ys[0]

    return end


def _of_sdeint(solver: Solver, steps: int, paths: Paths) -> np.ndarray:
    """Return the ends of runs. Of repeated integrals only dw^2 / 2 matters: less h / 2 in Ito's."""
    call = getattr(importlib.import_module("sdeint"), solver.name)
    drift, diffusion = EQUATIONS[solver.equation][1:3]
    repeated = {"itoSRI2": {"I": 1 / steps}, "stratSRS2": {"J": 0.0}}.get(solver.name, {})
    ends = []
    for dw in np.split(paths.increments(steps)[0], len(paths.w) // 16):  # 16 paths are one system
        square = np.eye(16) * (dw.T**2)[:, :, None] / 2
        given = {name: square - np.eye(16) * h / 2 for name, h in repeated.items()}
        run = call(
            lambda y, t: drift(np, y),
            lambda y, t: np.diag(diffusion(np, y)),
            np.full(16, START),
            np.linspace(0, 1, steps + 1),
            dW=dw.T,
            **given,
        )
        ends.append(run[-1])
    return np.concatenate(ends)


def ends(solver: Solver, steps: int, paths: Paths) -> np.ndarray:
    """Return where the solver's runs end at given paths."""
    if solver.library == "sdeint":
        return _of_sdeint(solver, steps, paths)
    jax = _diffrax()[0]
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(_of_diffrax(solver, steps)))(*paths))


def strong_errors(solver: Solver, paths: Paths) -> np.ndarray:
    """Return root mean square errors of the end: one row for each of the batches of paths, one
    column for each number of steps.
    """
    exact = EQUATIONS[solver.equation].ends(paths)
    squares = [(ends(solver, steps, paths) - exact) ** 2 for steps in STEPS]
    return np.sqrt(np.mean(np.reshape(squares, (len(STEPS), BATCHES, -1)), -1)).T


def strong_order(errors: np.ndarray) -> Order:
    """Return the mean order of the batches over the last three numbers of steps, and its interval
    at `SURE`.
    """
    h = 1 / np.array(STEPS[3:])
    value, low, high, _ = mean_interval([convergence_order(h, e[3:]).value for e in errors], SURE)
    return Order(value, low, high)


def weak_errors(name: str) -> list[float]:
    """Return how far the end's distribution is, of a solver of diffrax on dy = -y dt + dw: the root
    of the squared errors of its mean and its variance, for `STEPS[:4]`.

    The end is affine in the increments and areas, so that its derivatives give both exactly.
    """
    jax, errors = _diffrax()[0], list[float]()
    for steps in STEPS[:4]:
        solve = _of_diffrax(Solver("diffrax", name, "linear", 0.0), steps)
        h = 1 / steps

        def end(draws: Any, solve: Any = solve, h: float = h) -> Any:
            zero = jax.numpy.zeros(1)
            w = jax.numpy.concatenate([zero, jax.numpy.cumsum(draws[0]) * h**0.5])
            area = h * (w[1:] + w[:-1]) / 2 + (h**3 / 12) ** 0.5 * draws[1]
            return solve(w, jax.numpy.concatenate([zero, jax.numpy.cumsum(area)]))

        with jax.enable_x64(True):
            none = jax.numpy.zeros((2, steps))
            mean, slopes = end(none), jax.jacfwd(end)(none)
            off = float(mean) - math.exp(-1), float((slopes**2).sum()) - (1 - math.exp(-2)) / 2
        errors.append(math.hypot(*off))
    return errors


class Kernel(NamedTuple):
    """A kernel of blackjax on the Gaussian N(0, STD^2), in one dimension.

    `moved(key, x, h)` is the next state, accepted if it is a proposal, and the probability of that.
    """

    name: str
    moved: Callable[[Any, Any, float], tuple[Any, Any]]


def _gradient(x: Any, _: Any = None) -> Any:
    return -x / STD**2


def kernels() -> Iterator[Kernel]:
    """Yield the kernels. Raises ImportError without blackjax."""
    module = partial(importlib.import_module, package="blackjax")
    sgld = module(".sgmcmc.sgld").build_kernel()
    yield Kernel("SGLD", lambda key, x, h: (sgld(key, x, _gradient, None, h), 1.0))
    sghmc = module(".sgmcmc.sghmc").build_kernel(alpha=0.0)

    def hamiltonian(count: int, key: Any, x: Any, h: float) -> tuple[Any, Any]:
        return sghmc(key, x, _gradient, None, h, count), 1.0

    for count in (5, 10):
        yield Kernel(f"SGHMC, {count} integration steps", partial(hamiltonian, count))
    mala: Any = module(".mcmc.mala")
    kernel = mala.build_kernel()

    def metropolis(key: Any, x: Any, h: float) -> tuple[Any, Any]:
        def density(x: Any) -> Any:
            return -(x**2).sum() / (2 * STD**2)

        state, info = kernel(key, mala.init(x, density), density, h)
        return state.position, info.acceptance_rate

    yield Kernel("MALA", metropolis)


def moved(kernel: Kernel, x: float, h: float, draws: list[float]) -> tuple[float, float, int]:
    """Return the next state at given draws, all others 0, its probability to be accepted, and how
    many draws were asked for.
    """
    util: Any = importlib.import_module("blackjax.util")
    jax: Any = importlib.import_module("jax")
    asked = Draws(
        lambda j, shape: torch.full(shape, draws[j] if j < len(draws) else 0.0, dtype=torch.float64)
    )
    with (
        # it asks a number for its dtype, where nothing is compiled
        patch.object(util, "linear_map", operator.mul),
        answered(asked, 1, True, 1),
        KINDS["jax"](util),
        patch.object(jax.random, "bernoulli", lambda key, p: True),
    ):
        state, accepted = kernel.moved(jax.random.PRNGKey(0), jax.numpy.array([x]), h)
        return float(state[0]), float(accepted), asked.normals


def invariant(kernel: Kernel, h: float) -> float:
    """Return the variance of the Gaussian that proposals x -> a x + b z leave invariant, over that
    of the target.
    """
    offset, _, count = moved(kernel, 0.0, h, [])
    a = moved(kernel, 1.0, h, [])[0] - offset
    each = [[*[0.0] * j, 1.0] for j in range(count)]
    b = sum((moved(kernel, 0.0, h, draws)[0] - offset) ** 2 for draws in each)
    return b / (1 - a**2) / STD**2


def unbalanced(kernel: Kernel, h: float) -> float:
    """Return how far the kernel is from detailed balance: the largest |ln| of the flow from x to y
    over that from y to x, with acceptance, over pairs of states.
    """
    offset = moved(kernel, 0.0, h, [])[0]
    a = moved(kernel, 1.0, h, [])[0] - offset
    b = moved(kernel, 0.0, h, [1.0])[0] - offset

    def flow(x: float, y: float) -> float:
        z = (y - a * x - offset) / b
        end, accepted, _ = moved(kernel, x, h, [z])
        if not math.isclose(end, y, abs_tol=1e-9):
            return math.nan
        return math.log(accepted) - z**2 / 2 - x**2 / (2 * STD**2)

    states = (-0.9, -0.2, 0.1, 0.6, 1.3)
    return max(abs(flow(x, y) - flow(y, x)) for x in states for y in states)


def strong_row(solver: Solver, paths: Paths) -> str:
    """Return the row of a solver, from its runs at given paths."""
    errors = strong_errors(solver, paths)
    order, last = strong_order(errors), float(np.sqrt(np.mean(errors[:, -1] ** 2)))
    verdict = REFUTED if order.high < solver.stated else HOLDS
    measured = f"{order.value:.2f} [{order.low:.2f}, {order.high:.2f}]"
    equation = EQUATIONS[solver.equation].text
    cells = _named(solver.library, solver.name), equation, solver.stated, measured, f"{last:.1e}"
    return f"| {' | '.join(map(str, (*cells, verdict)))} |"


def _named(library: str, name: str) -> str:
    return f"{library} {version(library)}: {name}"


def page() -> Iterator[str]:
    """Yield the lines of the page; a library that is not installed is left out."""
    here = {name for name in ("diffrax", "sdeint", "blackjax") if find_spec(name)}
    yield HEAD.format(paths=PATHS, batches=BATCHES, sure=SURE, first=STEPS[3], last=STEPS[-1])
    paths = brownian(PATHS, CELLS)
    yield from (strong_row(solver, paths) for solver in SOLVERS if solver.library in here)
    if "diffrax" in here:
        yield WEAK
        for name in dict.fromkeys(one.name for one in SOLVERS if one.equation == "additive"):
            errors = weak_errors(name)
            order = convergence_order([1 / steps for steps in STEPS[:4]], errors).value
            shown = f"{order:.2f} | {errors[0]:.1e} | {errors[-1]:.1e}"
            yield f"| {_named('diffrax', name)} | {shown} |"
    if "blackjax" in here:
        all_of_them = [*kernels()]
        yield INVARIANT.format(std=STD, steps=", ".join(map(str, SIZES)))
        for kernel in all_of_them:
            if kernel.name != "MALA":  # whose moves are accepted or not
                values = ", ".join(f"{invariant(kernel, h):.4f}" for h in SIZES)
                yield f"| {_named('blackjax', kernel.name)} | {values} |"
        yield BALANCED
        for kernel in all_of_them:
            if not kernel.name.startswith("SGHMC"):  # its momentum would have to be turned
                yield f"| {_named('blackjax', kernel.name)} | {unbalanced(kernel, 0.1):.1g} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text("\n".join(page()), encoding="utf-8")
