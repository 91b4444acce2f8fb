"""Symbols: SymPy's transition of a step is that of the exact law; norms are unknown functions."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

from ams import samplers as sm
from ams.laws import GaussianLaw
from ams.laws.symbolic import (
    Norm,
    a,
    b,
    lam,
    m,
    mu,
    s,
    symbolic_step,
    transition,
    x,
    z,
    z_before,
)
from ams.samplers import (
    AffineTransition,
    Coefficients,
    State,
    Step,
    langevin,
    momentum,
    momentum_rule,
)
from ams.schedules import Level

POINTS = 50
C = (1 + b) ** 2


def scheduled(
    beta: float | sp.Symbol, size: float | sp.Symbol, sqrt: Callable
) -> list[Coefficients]:
    return [Coefficients(beta, size, size * (1 + beta) ** 2, sqrt(2 * size))]


# Of each sampler: the vectors of its state; its step with a momentum coefficient and a step size.
SAMPLERS: dict[str, tuple[tuple[str, ...], Callable[[object, object], Step]]] = {
    "langevin": (("x",), lambda beta, size: langevin()),
    "stretched langevin": (("x",), lambda beta, size: langevin(factor=2)),
    "constant": (("x", "m", "s"), lambda beta, size: momentum(momentum_rule(sm.constant(beta)))),
    "recorded": (
        ("x", "m", "s"),
        lambda beta, size: momentum(sm.recorded(scheduled(beta, size, lambda v: v**0.5))),
    ),
    "leimkuhler_matthews": (("x", "z"), lambda beta, size: sm.leimkuhler_matthews),
    "affine": (
        ("x",),
        lambda beta, size: sm.affine(lambda level: AffineTransition(1 - beta, level.step, beta)),
    ),
}
SYMBOLS = {"x": x, "m": m, "s": s, "z": z_before}


def exact_transition(names: tuple[str, ...], step: Step, at: dict[str, float]) -> list[np.ndarray]:
    """Return `(c, M, q)` of the step, as the exact law applies it."""
    law = GaussianLaw([1 / at["lam"]], [at["mu"]])
    row = law.start(0.0, 1.0).x
    before = law.begin_step(
        State(**dict.fromkeys(names, row), drift=at["a"], effective_drift=at["a"])
    )
    after, _ = step(before, law.score, law.noise, Level(0, sigma=0.0, step=at["a"]), law)
    return [part[0].numpy() for part in law.transition(after)]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_exact_law_has_the_symbolic_transition(sampler: str) -> None:
    """50 random points (a, b, lam, mu): each entry of transition, shift and noise within 1e-12,
    relative above 1.
    """
    names, make = SAMPLERS[sampler]
    inputs = [SYMBOLS[name] for name in names]
    after = symbolic_step(
        make(b, a), State(**{name: SYMBOLS[name] for name in names}, drift=a, effective_drift=a)
    )
    shift = sp.Matrix([getattr(after, name) for name in names]).subs(dict.fromkeys([*inputs, z], 0))
    parts = [shift, transition(after, inputs, names), transition(after, [z], names)]
    symbolic = sp.lambdify((a, b, lam, mu), parts)
    generator = np.random.default_rng(7)
    for _ in range(POINTS):
        size, beta = generator.uniform(1e-3, 2.0), generator.uniform(0.0, 0.999)
        at = {"a": size, "lam": 10 ** generator.uniform(-3, 3), "mu": generator.normal()}
        ours = exact_transition(names, make(beta, size), at)
        for mine, theirs in zip(ours, symbolic(size, beta, at["lam"], at["mu"]), strict=True):
            wanted = np.asarray(theirs, dtype=float).reshape(mine.shape)
            np.testing.assert_allclose(mine, wanted, rtol=1e-12, atol=1e-12)


def test_the_norm_is_homogeneous_and_nothing_else() -> None:
    assert Norm(sp.Integer(0)) == 0
    assert Norm(-3 * a * x) == 3 * a * Norm(x)
    assert sp.simplify(Norm(a * (x - m)) / Norm(x - m)) == a
    assert Norm(x + m) != Norm(x) + Norm(m) and Norm(x).is_nonnegative
    assert sp.latex(Norm(m)) == r"\left\langle m \right\rangle"


def test_a_step_size_from_norms() -> None:
    snr = sp.Rational(1, 10)
    after = symbolic_step(langevin(sm.snr_of_score(snr)), State(x))
    size = 2 * (snr * Norm(z) / Norm(lam * (x - mu))) ** 2
    assert sp.simplify(after.x - (x - size * lam * (x - mu) + sp.sqrt(2 * size) * z)) == 0
