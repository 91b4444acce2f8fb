"""The figures of constant momentum. The docstring of a function that draws is its figure's
caption.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.grid_function import GridFunction
from ams.plots import legend_above, panels, reference_line, shades
from ams_suite.drawn import save_drawn
from analysis.momentum import closed_forms
from analysis.momentum.settings import Settings
from analysis.momentum.stationary import solved_variance
from analysis.momentum.study import DRAWN_STEP, MIXTURE_BETA, mixture_density
from analysis.targets import of_power
from verdicts import Figure

_STEP, _BETA = r"step $u = a\lambda$", "momentum coefficient $b$"


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {
        stability: ("G1", "P1a"),
        rates: ("G2",),
        variance: ("G3", "G5", "P1b", "P1c"),
        tempered_mixture: ("G5",),
    }
    return save_drawn(drawn, folder)


def stability() -> Drawing:
    r"""Momentum widens the range of stable steps. Spectral radius of constant momentum's transition
    on a Gaussian; the white line, where it is 1, is G1's bound $u = 2/(1-b^2)$.
    """
    us, betas = np.linspace(0.01, 4.0, 200), np.linspace(0.0, 0.95, 160)
    drawing, (axes,) = panels(height=2.4)
    radius = np.minimum(closed_forms.contraction(us[None, :], betas[:, None]), 1.3)
    filled = axes.contourf(us, betas, radius, levels=np.linspace(0.0, 1.3, 14), cmap="cividis")
    axes.plot(closed_forms.stability_bound(betas), betas, color="white", lw=2)
    axes.text(2.3, 0.08, "unstable:\n$u > 2/(1-b^2)$", color="black")
    axes.set(xlabel=_STEP, ylabel=_BETA, xlim=(0.01, 4), ylim=(0, 0.95))
    drawing.colorbar(filled, label="spectral radius")
    return drawing


def rates() -> Drawing:
    r"""Constant momentum contracts up to 8 times as fast as Langevin; a factor of 4 is its larger
    drift. Shown is what a step contracts, $1 - r$ ($r$ the spectral radius), over plain Langevin's
    $u$. Above: against the momentum coefficient; dots are the best $b$, where the roots turn
    complex. Below: the best $b$ gains the drift's factor $c = (1+b)^2$ times averaging's $1 +
    \sqrt{b}$, in the limit $4 \times 2$.
    """
    drawing, (above, below) = panels(2)
    _draw_losses(above)
    us = np.logspace(-6, -0.001, 200)
    best = np.array([closed_forms.best_momentum(u) for u in us])
    drift, averaging = (1 + best) ** 2, 1 + best**0.5
    below.semilogx(
        us, drift * averaging, color="C0", label=r"gain of the best $b$: $c\,(1+\sqrt{b})$"
    )
    below.semilogx(us, drift, color="C1", ls="--", label="from the larger drift: $c$")
    below.semilogx(us, averaging, color="C2", ls="-.", label=r"from averaging: $1+\sqrt{b}$")
    below.set(xlabel=_STEP, ylabel="times Langevin's rate", ylim=(0, 8.6), yticks=(0, 1, 2, 4, 8))
    legend_above(below, 1)
    return drawing


def _draw_losses(axes: Axes) -> None:
    beta, steps = np.linspace(0.0, 0.9999, 2000), (1e-3, 1e-2, 0.1)
    for u, color in zip(steps, shades(len(steps)), strict=True):
        lost = (1 - closed_forms.contraction(np.array([u]), beta)) / u
        axes.plot(beta, lost, color=color, label=f"$u = {u:g}$")
        best = closed_forms.best_momentum(u)
        axes.plot([best], [(1 - best**0.5) / u], "o", color=color)
    reference_line(axes, 1.0, "plain Langevin", right=False, above=False)
    reference_line(axes, 8.0, "the limit at the best $b$", right=False, above=False)
    axes.set(xlabel=_BETA, ylabel=r"$(1 - r)\,/\,u$", ylim=(0, 8.6))
    legend_above(axes, 3)


def variance() -> Drawing:
    r"""With constant momentum small steps lead away from a Gaussian target. Variance on $N(0,
    1/\lambda)$, 1 for the target: G3's closed form (lines), the exact law (markers), the limits
    $1/(1+b)^2$ (dotted).
    """
    drawing, (axes,) = panels(height=2.4)
    betas = (0.0, 0.5, 0.8, 0.9)
    for beta, color, marker in zip(betas, shades(len(betas)), "os^D", strict=True):
        us = np.logspace(-4, np.log10(0.9 * closed_forms.stability_bound(beta)), 200)
        axes.loglog(us, closed_forms.variance_ratio(us, beta), color=color, label=f"$b = {beta:g}$")
        axes.plot(us[::20], [solved_variance(u, beta) for u in us[::20]], marker, color=color)
        axes.axhline((1 + beta) ** -2, color=color, lw=0.7, ls=":")
    axes.set(xlabel=_STEP, ylabel=r"stationary $\lambda\,\mathrm{Var}\,x$")
    legend_above(axes, 4)
    return drawing


def tempered_mixture() -> Drawing:
    r"""Constant momentum samples a tempered target on the mixture. Its stationary density (grey; $b
    = 0.5$, $a = 0.005$, from phase space) is $\pi^{(1+b)^2}$: narrower modes, and less weight for
    the minority mode.
    """
    drawing, (axes,) = panels()
    density = GridFunction(*mixture_density(DRAWN_STEP))
    axes.fill_between(density.nodes, density.values, color="0.82", lw=0, label="constant momentum")
    for power, label, line in (
        (1.0, r"target $\pi$", "-"),
        ((1 + MIXTURE_BETA) ** 2, r"$\pi^{(1+b)^2}/Z$", "--"),
    ):
        curve = of_power(power)
        axes.plot(curve.nodes, curve.values, line, label=label)
    axes.set(xlabel="$x$", ylabel="density", xlim=(-3, 3))
    legend_above(axes, 3)
    return drawing
