"""One function changed at a time, beside the falsifiers: every check that rests on it sees the
change.
"""

from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from ams import samplers
from ams.laws.stationary import Stationary
from ams.samplers import rules
from ams.targets import Gaussian
from analysis.adaptive import convergence, general_covariance as covariance, isotropic, study
from analysis.momentum import closed_forms, stationary, study as momentum_study, transition
from analysis.orders import checks as orders
from analysis.orders.study import MeanFieldDensity
from analysis.update_rule import checks, study as rule_study
from beyond.kinetic_langevin import rates
from related.design_space.noise_schedules import study as schedules
from related.gradient_filter.score_filter import study as wiener
from related.prediction_correction import fixed_time, inexact, study as comparison, truncated
from tests.claims import refuted

_GROWTH, _NOTHING = 1.01 * np.eye(9), (np.zeros(1), np.zeros(1))
CHANGES: list[tuple[Any, str, Any, str]] = [
    # Adaptive momentum: a rotation the wrong way; every other of the listed directions lost
    (
        covariance,
        "rotated_back",
        lambda true: lambda law, end: true(transposed(law), end),
        "A1.rotated A1.particles",
    ),
    (
        covariance,
        "GaussianLaw",
        lambda true: lambda v, **more: true(v if more else v[::2], **more),
        "A1.large",
    ),
    # a coefficient that feels the dimension; small steps that tend to the target, the smaller the
    # better
    (
        isotropic,
        "stationary_at",
        lambda true: lambda *at: felt(true(*at), *at),
        "A2.dimension A2.printed A2.particles",
    ),
    (isotropic, "stationary_at", lambda true: lambda u: felt(true(u), u, factor=4), "A3.order"),
    (isotropic, "variance_ratio", lambda _: lambda u, beta: 2 - u, "A3.worse"),
    (
        isotropic,
        "root_equation",
        lambda _: lambda u: isotropic.q**2 - sp.Rational(1, 4),
        "A3.unbiased",
    ),
    # samples of their own, for which nothing falls with the batch; Langevin's ratio
    (
        study,
        "fluctuating",
        lambda true: lambda settings, batch, d: true(settings, min(batch, 16), d),
        "A5.constant",
    ),
    (
        study,
        "variances_by_batch_size",
        lambda _: lambda sizes, *_: np.ones((64, 1)) * range(len(sizes)),
        "A5.bias",
    ),
    (
        study,
        "step_of_snr",
        lambda true: lambda snr, b: true(snr, 0.0 * b),
        "A6.solved A6.reached A6.bias",
    ),
    # several fixed points; a limit that depends on the start; other noise; a slope that repels; a
    # second root
    (
        convergence,
        "critical_momentum",
        lambda _: lambda rho: 0.5 + 0.4 * np.sin(40 * rho),
        "P1a.unique",
    ),
    (
        study,
        "reached",
        lambda _: lambda law, *start, **more: dependent(law, start[3]),
        "P1a.attracting P1a.larger",
    ),
    (convergence, "generated", lambda _: lambda generator: torch.randn_like, "P1a.batch"),
    (
        convergence,
        "linearised",
        lambda true: lambda u: true(u)._replace(jacobian=_GROWTH),
        "P1a.local P1a.rate",
    ),
    (
        convergence,
        "root_equation",
        lambda _: lambda u: isotropic.q + sp.Rational(1, 3),
        "P1a.sturm",
    ),
    # Constant momentum: an exact law of another step; a closed form off in the eighth digit
    (
        transition,
        "exact_transition",
        lambda true: lambda u, beta: true(u, beta * (1 + 1e-9)),
        "G1.law",
    ),
    (
        closed_forms,
        "variance_ratio",
        lambda true: lambda u, beta: true(u, beta) * (1 + 1e-8),
        "G3.solved",
    ),
    # the best momentum of a smaller step; a limit that is not tempered; Langevin, which samples pi
    # instead of pi^c
    (
        closed_forms,
        "step_at_best",
        lambda true: lambda q: true(q) * (1 - q / 10),
        "G2.best G2.beaten G2.gain",
    ),
    (
        stationary,
        "solved_variance",
        lambda true: lambda u, beta: true(u, 0.0),
        "G5.w2 G5.kl G5.dimension",
    ),
    (
        momentum_study,
        "constant",
        lambda _: lambda beta: lambda state, s, algebra: (0.0, None),
        "G5.mixture",
    ),
    # Kinetic Langevin: were the bound 1 % slower, the search would find a better rate
    (
        rates,
        "best_rate",
        lambda true: lambda k: 1.0 - 0.99 * (1.0 - true(k)),
        "K2.searched K2.gain",
    ),
    # Orders: momentum that nears the target; too few nodes
    (orders, "halvings", lambda true: lambda settings, *_: true(settings, "Langevin"), "B6.leave"),
    (
        orders,
        "mean_field_density",
        lambda _: lambda h: MeanFieldDensity(0.9, 1e-3 * h, *_NOTHING),
        "B5a.refined",
    ),
    # Related work: a bound that is not sharp; another flux; scores that collect nothing; no
    # martingale; other orders
    (inexact, "bound", lambda true: lambda *case: 1.01 * true(*case), "N1.sharp N1.constant_error"),
    (inexact, "flux", lambda true: lambda q, p, e, at: true(q, p, -e, at), "N1.dissipation"),
    (fixed_time, "distance", lambda _: lambda law, end: 0.0, "N1b.grows"),
    (comparison, "optima_on_edge", lambda _: lambda *given: ["T1"], "N1c.edge N1d.edge"),
    (
        truncated,
        "truncated",
        lambda true: lambda case, x, score: true(case, x, score) + 0.5,
        "N1h.error",
    ),
    (truncated, "raw_error", lambda _: lambda case, x: 0.1 * np.sin(x), "N1h.raw"),
    (
        schedules,
        "squared_change",
        lambda true: lambda now, before, shared: true(now, before, shared / 2),
        "N2.martingale",
    ),
    (
        schedules,
        "discretisation",
        lambda true: lambda tau, law: true(tau, law) ** 2,
        "N2.order_bound",
    ),
    (
        schedules,
        "both_divergences",
        lambda true: lambda *laws: tuple(np.sqrt(true(*laws))),
        "N2.order_true",
    ),
    (wiener, "wiener_gain", lambda _: lambda beta: (1 - beta) / (1 + beta), "N3.gain"),
    # The rule: a momentum beyond the clip; a rule that sees the blow-up; a corrector whose own
    # drift decides; a ratio that shrinks
    (
        samplers,
        "adaptive",
        lambda _: lambda delta: samplers.constant(0.9995),
        "P3.annealed_momentum",
    ),
    (rules, "critical_momentum", lambda _: lambda rho: 1 / (1 + rho), "R2.blow_up"),
    (checks, "score_changes", lambda true: lambda count: decided(true(30)), "R4.drift R4.foreign"),
    (
        rule_study,
        "corrector_run",
        lambda true: lambda *run: shrinking(true(*run)),
        "R5.grows R5.size R5.size_adaptive",
    ),
]


def transposed(target: Gaussian) -> Gaussian:
    return Gaussian(target.mean, target.covariance._replace(basis=target.covariance.basis.mT))


def felt(law: Stationary, u: float, dimension: float = 1.0, factor: float = 0.9) -> Stationary:
    return law._replace(beta=law.beta * (1 - 1e-6 * dimension), variance=law.variance * factor)


def dependent(law: Any, mean: list[float]) -> Stationary:
    return Stationary(law.variance * (1 + 1e-6 * mean[0]), law.mean, law.variance, 0.0, 0, 0.0)


def decided(changes: list[rule_study.ScoreChange]) -> list[rule_study.ScoreChange]:
    return [change._replace(shares=(0.9, *change.shares[1:]), foreign=0.1) for change in changes]


def shrinking(run: rule_study.CorrectorRun) -> rule_study.CorrectorRun:
    return run._replace(ratios=1 / run.ratios)


@pytest.mark.parametrize(
    ("module", "name", "changed", "checks"), CHANGES, ids=[change[-1] for change in CHANGES]
)
def test_a_change_is_seen(
    monkeypatch, fresh_cells: None, module: Any, name: str, changed: Any, checks: str
) -> None:
    monkeypatch.setattr(module, name, changed(getattr(module, name)))
    assert all(refuted(*check.split(".")) for check in checks.split())
