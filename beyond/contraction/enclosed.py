"""Proofs of H1's numbers: P and rho are found as doubles, what a step does to P is enclosed in
ball arithmetic.
"""

from dataclasses import astuple

import numpy as np
from flint import arb

from ams.enclosures import BITS, Ball, Undecided, precision
from ams.laws.contraction import Chain
from ams_suite.enclosed import largest
from beyond.contraction.checks import chains
from beyond.contraction.settings import Settings
from verdicts import Measurement


@precision(BITS)
def largest_violation_of_the_inequality(settings: Settings) -> Measurement:
    """Prove the largest eigenvalue of `T(l)' P T(l) - rho^2 P` over P's largest, at the ends of
    `[m, L]`.
    """
    return largest([Ball(violation(chain)) for chain in chains(settings)])


def violation(chain: Chain) -> arb:
    """Return what `largest_violation_of_the_inequality` states of one chain, its parameters exact
    doubles.

    Raises Undecided where P is not shown to be positive.
    """
    form, rho = np.vectorize(arb, otypes=[object])(chain.metric), arb(chain.slack_rate)
    if not (form[0, 0] > 0 and form[0, 0] * form[1, 1] - form[0, 1] ** 2 > 0):
        raise Undecided(f"no positive quadratic form is shown at {chain}")
    exact = Chain(*map(arb, astuple(chain)))
    first, last = (
        top(matrix.T @ form @ matrix - rho**2 * form)
        for matrix in map(exact.transition, (exact.smallest, exact.largest))
    )
    return first.max(last) / top(form)


def top(symmetric: np.ndarray) -> arb:
    """Return the largest eigenvalue of a symmetric matrix, shape (2, 2)."""
    (a, b), (_, d) = symmetric
    return (a + d + ((a - d) ** 2 + 4 * b**2).sqrt()) / 2
