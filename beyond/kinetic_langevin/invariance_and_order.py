"""What kinetic samplers leave unchanged, and their orders: by their own steps, and by the conformance kit.

K7: annealed BAOAB is exact on a point, step by step. K7a: the order of its error on a Gaussian.
On a point target a step leaves BAOAB's stationary distribution (K1) in the noise level's own unit: `Var x = sigma^2`,
`Var p = 1`, `Cov(x, p) = sqrt(u/2) sigma`.

K14: the conformance kit on the samplers that K8 and K9 compare, each with the order that its source states.
The kit (`samplercheck`) sees a sampler as a black box and knows none of its formulas. Samplers that hold a noise
level leave few steps for the rest of their way, so that theirs are runs of twice as many steps.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from pydantic import JsonValue

from ams.integrations.samplercheck import load
from ams.laws.gaussian import GaussianLaw
from ams.laws.symbolic import Symbols, lam, mu, p, x, z
from ams.metrics import gaussian_kl
from ams.samplers import State, Step, annealed_baoab, fixed, one_step_per_level
from ams.samplers.annealed_baoab import TAPERED, KineticParameters, KineticSchedule, StepCoefficients, level_transition
from ams.samplers.presets import RIVALS, SPECS, Family, levels
from ams.schedules import Level, ve_levels
from ams.statistics import asymptotic_order
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian
from beyond.kinetic_langevin.drift_calibration import POINT, SIGMAS
from beyond.kinetic_langevin.samplers import CLD, PUBLISHED
from beyond.kinetic_langevin.settings import Settings
from samplercheck import conform
from samplercheck.convergence import STEPS
from samplercheck.nonlinear import Transport
from samplercheck.report import HOLDS, REFUTED
from verdicts import Measurement
from verdicts.studies import Cell, cell

sigma, u, u_before, gamma, weight, e = sp.symbols("sigma u u_- gamma w e", positive=True)
VARIANTS = {
    "e = 0": annealed_baoab(fixed(0.0)),
    "e = 1/2": annealed_baoab(fixed(0.5)),
    "e = 1/2, not extrapolated": annealed_baoab(fixed(0.5), extrapolate=False),
    "tapered": annealed_baoab(TAPERED),
}
"""Annealed BAOAB as claim K7a compares it; tapered refreshment does not decay as the noise levels get closer."""


def stationary_covariance(strength: sp.Expr, noise: sp.Expr) -> sp.Matrix:
    """Return the covariance of (x, p) that a step with `u = strength` leaves on a point at noise level `noise`."""
    shared = sp.sqrt(strength / 2) * noise
    return sp.Matrix([[noise**2, shared], [shared, 1]])


def covariance_after(first: bool = False) -> sp.Matrix:
    """Return the covariance of (x, p) at `gamma sigma` after one step, from the stationary one at `sigma` with `u_-`.

    Or after a first step from `x ~ N(mu, sigma^2)`, which draws twice, `p` and `z`. The target is the point `mu`, at
    which every denoised point is.
    """
    draws = iter((p, z) if first else (z,))
    begin = State(x) if first else State(x, p=p, d=mu)
    step, algebra = level_transition(StepCoefficients(u, u if first else u_before, e, weight)), Symbols()
    level = Level(0, sigma=sigma, next=Level(1, sigma=gamma * sigma))
    after, _ = step(begin, algebra.score, lambda at: next(draws), level, algebra)
    rows = sp.Matrix([after.x, after.p]).jacobian([x, p, z]).subs(lam, 1 / sigma**2)
    before = sp.diag(sigma**2, 1, 1) if first else sp.diag(stationary_covariance(u_before, sigma), 1)
    return (rows * before * rows.T).applyfunc(sp.simplify)


def covariance_left(first: bool = False) -> Measurement:
    """Return the operations left in Cov(x, p) after a step on a point, or after the `first`, less the next noise
    level's; any u and e."""
    return left_over(*(covariance_after(first) - stationary_covariance(u, gamma * sigma)))


def _random_schedule(generator: np.random.Generator) -> KineticSchedule:
    """Return a schedule that draws kinetic parameters for each new length of a step, and keeps to them."""
    drawn: dict[float, KineticParameters] = {}
    return lambda h: drawn.setdefault(h, KineticParameters(*generator.uniform(0.01, (1.95, 0.99))))


def run_to_a_point(law: Any, step: Step, generator: np.random.Generator) -> tuple[Any, float]:
    """Return the moments after 20 random noise levels, one step to each, to the point 1.5; and the last one."""
    sigmas = np.sort(np.exp(generator.uniform(-4.0, 4.0, 20)))[::-1]
    end, _ = law.end(one_step_per_level(step, ve_levels(sigmas)), law.start(1.5, sigmas[0] ** 2))
    return law.moments(end.x), sigmas[-1]


def kl_on_a_point(step: Step, generator: np.random.Generator) -> float:
    """Return KL to the distribution of the point 1.5 after 20 random noise levels, one step to each (nats)."""
    end, sigma = run_to_a_point(GaussianLaw([POINT], [1.5]), step, generator)
    return gaussian_kl(end.mean, end.variance, 1.5, sigma**2)


def largest_kl_on_a_point(settings: Settings) -> Measurement:
    """Measure annealed BAOAB's largest KL to a point's distribution, random noise levels and parameters (nats)."""
    generator = np.random.default_rng(settings.seed)
    divergences = [kl_on_a_point(annealed_baoab(_random_schedule(generator)), generator) for _ in range(20)]
    return Measurement(value=max(divergences), n=len(divergences), seeds=(settings.seed,), unit="nats")


@cell
def gaussian_divergence(variant: str, steps: int) -> float:
    """KL(run || target) / d in nats after so many geometric steps on the stiff Gaussian, of mean norm 2."""
    law = stiff_gaussian()
    program = one_step_per_level(VARIANTS[variant], levels(SIGMAS, steps + 1, 0.0))
    end = law.moments(law.end(program, law.start(0.0, SIGMAS.first**2))[0].x)
    return gaussian_kl(end.mean, end.variance, law.mean, law.variance + SIGMAS.last**2) / len(law.variance)


def exponent(settings: Settings, variant: str) -> Measurement:
    """Return the exponent of KL in the number of evaluations on the stiff Gaussian, with its interval."""
    errors = [gaussian_divergence(variant, budget) for budget in settings.orders]
    order = asymptotic_order(1.0 / np.array(settings.orders), errors, drift=0.2)
    detail: dict[str, JsonValue] = {"local orders": [*order.local], "evaluations": [round(1 / h) for h in order.steps]}
    return Measurement(value=-order.value, low=-order.high, high=-order.low, n=len(order.steps), detail=detail)


CONFORMING = (*PUBLISHED, *RIVALS)
"""The samplers that the kit judges."""


class Conformance(NamedTuple):
    """The kit's verdict and its reason, the stated order, and `value, low, high` of each order that was measured.

    A sampler that holds a noise level has none. `reached` says whether one of them surely is the stated one or more.
    """

    verdict: str
    why: str
    stated: int | None
    orders: dict[str, tuple[float, float, float]]
    reached: bool


@cell
def conformance(sampler: str) -> Conformance:
    """What the kit says of a sampler: at each of its numbers of steps, on two Gaussians and on a mixture."""
    twice = SPECS[sampler].family is Family.HELD
    report = conform(load(sampler, {}), steps=tuple((1 + twice) * count for count in STEPS))
    judged = {judgement.check: judgement.verdict for judgement in report.judgements}
    orders = {
        "order": report.convergence and report.convergence.order,
        "order of each step": report.conditions and report.conditions.order,
        "order on the mixture": report.mixture.order if isinstance(report.mixture, Transport) else None,
    }
    measured = {name: order[:3] for name, order in orders.items() if order and not twice}
    return Conformance(
        report.verdict, report.why, report.order, measured, HOLDS in (judged.get(name) for name in orders)
    )


def conformance_cells() -> Iterator[Cell]:
    """Yield the kit's reports."""
    yield from (conformance.cell(name) for name in CONFORMING)


def samplers_that_the_kit_refutes(settings: Settings) -> Measurement:
    """Measure how many samplers the kit refutes; the detail has its reasons for any verdict but `holds`."""
    reports = {name: conformance(name) for name in CONFORMING}
    others = {name: f"{each.verdict}: {each.why}" for name, each in reports.items() if each.verdict != HOLDS}
    count = sum(each.verdict == REFUTED for each in reports.values())
    return Measurement(value=count, n=len(reports), detail={**others})


def stated_orders_that_are_not_reached(settings: Settings) -> Measurement:
    """Measure how many of the stated orders no order reaches: of the marginals, of each step, or on the mixture."""
    stated = {name: each for name in CONFORMING if (each := conformance(name)).stated is not None}
    missed = [name for name, each in stated.items() if not each.reached]
    return Measurement(value=len(missed), n=len(stated), detail={"missed": [*missed]})


def lesser_order_of_damped_diffusion(settings: Settings) -> Measurement:
    """Measure the lesser order of CLD's integrators with the kit's interval: of the marginals, as steps shrink."""
    orders = {name: conformance(name).orders["order"] for name in CLD}
    value, low, high = min(orders.values(), key=lambda order: order[1])
    return Measurement(value=value, low=low, high=high, n=len(STEPS), detail={n: o[0] for n, o in orders.items()})
