"""The group's figures: rates over a spectrum, and the comparison of K8."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, reference_line, ticks
from ams.samplers.looks import LOOKS
from ams_suite.drawn import save_drawn
from beyond.kinetic_langevin.nfe_comparison import (
    COMPARED,
    THRESHOLD,
    budgets,
    curve,
    first_budgets,
)
from beyond.kinetic_langevin.rates import best_rate, rate_without_momentum, worst_radius
from beyond.kinetic_langevin.settings import Settings
from verdicts import Figure

_BLUE, _GREEN = (LOOKS[name].colour for name in ("annealed Langevin", "annealed BAOAB, tapered"))


def kinetic_rates(settings: Settings) -> Drawing:
    r"""Unbiased momentum accelerates Langevin by $\sqrt{k}$. Steps to a tenth of the distance at
    the best rate over a spectrum of condition number $k$: formulas (lines), radii of the exact law
    (markers). BAOAB has the target's variance throughout.
    """
    drawing, (axes,) = panels()
    conditions, shown = np.logspace(0.3, 5.3, 100), settings.conditions

    def steps(rates: list[float] | np.ndarray) -> np.ndarray:
        return np.log(0.1) / np.log(rates)

    with_momentum = [worst_radius(2 / (1 + k), best_rate(k) ** 2, (1.0, k**0.5, k)) for k in shown]
    without = [worst_radius(2 / (1 + k), 0.0, (1.0, k)) for k in shown]
    axes.loglog(
        conditions, steps(rate_without_momentum(conditions)), color=_BLUE, label="BAOAB, $e = 0$"
    )
    axes.loglog(shown, steps(without), "o", color=_BLUE)
    axes.loglog(
        conditions,
        steps(best_rate(conditions)),
        color=_GREEN,
        label="BAOAB, best $e$: Chebyshev's bound",
    )
    axes.loglog(shown, steps(with_momentum), "D", color=_GREEN)
    axes.set(xlabel="condition number $k$", ylabel="steps to a tenth")
    legend_above(axes, 1)
    return drawing


def nfe_comparison(settings: Settings) -> Drawing:
    """Annealed BAOAB needs fewer evaluations than four samplers, and more than DPM-Solver++(2M).
    Exact laws on random Gaussians, d = 16, exact scores: geometric mean of the error over the
    targets.
    """
    drawing, (axes,) = panels(height=3.1)
    for name in COMPARED:
        errors = curve(name, settings.targets, settings.budget)
        shown = np.exp(np.log(errors).mean(axis=1))
        axes.loglog(first_budgets(len(errors)), shown, **LOOKS[name].style())
    axes.set(xlabel="score evaluations (NFE)", ylabel="KL$/d$ (nats)", ylim=(1e-7, 3.0))
    ticks(axes, budgets(settings.budget)[1::2])
    reference_line(axes, THRESHOLD, "threshold", right=False, above=False)
    legend_above(axes)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return save_drawn({kinetic_rates: ("K2",), nfe_comparison: ("K8",)}, folder, settings)
