"""The figures of constant momentum: stability, rates, stationary variance, the cooled mixture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ams.samplers.presets import shades
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from analysis.momentum.condition import best_loss, polyak
from analysis.momentum.rates import best_momentum, contraction
from analysis.momentum.settings import Settings, stability_bound
from analysis.momentum.stationary import solved_variance, variance_ratio
from analysis.momentum.temperature import MIXTURE_BETA, mixture_law, mixture_power
from verdicts import Figure, save_figure

MIXTURE_STEP = 0.005  # drawn: the law is not yet the limit's


def draw_stability() -> Drawing:
    """Spectral radius over (u, b): contours of G2's formula, the stability bound drawn in."""
    us, betas = np.linspace(0.01, 4.0, 200), np.linspace(0.0, 0.95, 160)
    u, beta = us[None, :], betas[:, None]
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    levels, radius = np.linspace(0.0, 1.3, 14), np.minimum(contraction(u, beta), 1.3)
    filled = axes.contourf(us, betas, radius, levels=levels, cmap="cividis")
    bound = stability_bound(betas)
    axes.plot(bound[bound < 4], betas[bound < 4], color="white", lw=2, label="$u = 2/(1-b^2)$")
    axes.set(xlabel=r"$u = a\lambda$", ylabel="momentum $b$", xlim=(0, 4))
    axes.legend(loc="lower right")
    drawing.colorbar(filled, label="spectral radius")
    return drawing


def draw_rates() -> Drawing:
    """Left: what is lost per step against b, in units of Langevin's u. Right: the best b's gain against u."""
    drawing = Drawing(figsize=(7.2, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _draw_losses(left)
    us = np.logspace(-6, -0.001, 200)
    best = np.array([best_momentum(u) for u in us])
    drift = (1 + best) ** 2
    right.semilogx(us, drift * (1 + best**0.5), color="C0", label=r"gain of the best $b$: $c\,(1+\sqrt{b})$")
    right.semilogx(us, drift, color="C1", ls="--", label="of which the larger drift: $c$")
    right.semilogx(us, 1 + best**0.5, color="C2", ls="-.", label=r"of which the damping: $1+\sqrt{b}$")
    for limit in (8, 4, 2):
        right.axhline(limit, color="0.6", lw=0.7, ls=":")
    right.set(xlabel=r"$u = a\lambda$", ylabel="times Langevin's rate", ylim=(0, 12.5), yticks=(0, 1, 2, 4, 8))
    right.legend(loc="upper right")
    return drawing


def _draw_losses(axes: Axes) -> None:
    beta = np.linspace(0.0, 0.9999, 2000)
    steps = (1e-3, 1e-2, 0.1)
    for u, color in zip(steps, shades(len(steps)), strict=True):
        axes.plot(beta, (1 - contraction(np.array([u]), beta)) / u, color=color, label=f"$u = {u:g}$")
        best = best_momentum(u)
        axes.plot([best], [(1 - best**0.5) / u], "o", color=color, ms=5)
    axes.axhline(1.0, color="0.3", lw=0.9, ls="--")
    axes.text(0.0, 0.45, "plain Langevin", color="0.3", fontsize=8.5)
    axes.axhline(8.0, color="0.6", lw=0.7, ls=":")
    axes.text(0.02, 7.4, "8: the limit at the best $b$", color="0.4", fontsize=8.5)
    axes.set(xlabel="momentum $b$", ylabel=r"$(1 - r)\,/\,u$", ylim=(0, 8.6))
    axes.legend(loc="center left", title="step")


def draw_condition() -> Drawing:
    """What the slowest direction loses per step against the condition number: the best rate alone, and usable rates."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    conditions = np.logspace(1, 6, 40)
    alone = [1 - polyak(condition)[2] ** 0.5 for condition in conditions]
    usable = [best_loss(condition) for condition in conditions]
    axes.loglog(conditions, alone, color="C2", ls="--", label="best rate, law ignored")
    axes.loglog(conditions, usable, color="C0", label=r"best, variances $\leq 2$ targets'")
    axes.loglog(conditions, 1 / conditions, color="0.3", ls=":", label="Langevin, the same bound")
    axes.set(xlabel=r"condition number $\kappa = L/m$", ylabel="$1 - r$")
    axes.legend(loc="lower left")
    return drawing


def draw_variance() -> Drawing:
    """Stationary variance against the step: closed form (lines) and the exact law (points)."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    betas = (0.0, 0.5, 0.8, 0.9)
    for beta, color in zip(betas, shades(len(betas)), strict=True):
        us = np.logspace(-4, np.log10(0.9 * stability_bound(beta)), 200)
        axes.loglog(us, variance_ratio(us, beta), color=color, label=f"$b = {beta:g}$")
        axes.plot(us[::20], [solved_variance(u, beta) for u in us[::20]], "o", ms=3, color=color)
        axes.axhline((1 + beta) ** -2, color=color, lw=0.7, ls=":")
    axes.axhline(1.0, color="0.4", lw=0.8)
    axes.set(xlabel=r"$u = a\lambda$", ylabel=r"stationary $\lambda\,\mathrm{Var}\,x$")
    axes.legend()
    return drawing


def draw_mixture() -> Drawing:
    """Constant momentum's law on the mixture against `pi` and `pi^c`."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    law = mixture_law(MIXTURE_STEP)
    axes.fill_between(law.nodes, law.values, color="0.82", lw=0, label="law of the sampler")
    for power, label, line in ((1.0, r"target $\pi$", "-"), ((1 + MIXTURE_BETA) ** 2, r"$\pi^{(1+b)^2}/Z$", "--")):
        curve = mixture_power(power)
        axes.plot(curve.nodes, curve.values, line, label=label)
    axes.set(xlabel="$x$", ylabel="density", xlim=(-3, 3))
    axes.legend()
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_stability(),
            folder,
            "stability",
            r"Spectral radius of constant momentum's transition; the white line is G1's bound $u = 2/(1-b^2)$.",
            ("G1", "P1a"),
        ),
        save_figure(
            draw_rates(),
            folder,
            "rates",
            r"What a step forgets, $1 - r$ ($r$ the spectral radius), over plain Langevin's $u$. Left: against the "
            r"momentum; dots are the best $b$, where the roots turn complex. Right: the best $b$'s gain is the drift's "
            r"factor $c$ times the damping's $1 + \sqrt{b}$, in the limit $4 \times 2$.",
            ("G2",),
        ),
        save_figure(
            draw_condition(),
            folder,
            "condition",
            r"Constant momentum on precisions in $[m, L]$, best step and momentum. The rate alone gains a square root "
            r"of the condition number (heavy ball), at a variance of $\kappa^2/16$ times the target's in the stiffest "
            r"direction. Where no variance exceeds twice the target's, what is left over Langevin is a factor 1.68.",
            ("G2c",),
        ),
        save_figure(
            draw_variance(),
            folder,
            "variance",
            r"Constant momentum on $N(0, 1/\lambda)$: G3's closed form (lines), the exact law (points), the limits "
            r"$1/(1+b)^2$ (dotted). The target is the grey line at 1: with momentum a smaller step leads away from it.",
            ("G3", "G5", "P1b", "P1c"),
        ),
        save_figure(
            draw_mixture(),
            folder,
            "cooled_mixture",
            f"Constant momentum ($b = {MIXTURE_BETA:g}$, $a = {MIXTURE_STEP:g}$, stationary law in phase space) "
            r"on the mixture: it samples $\pi^{(1+b)^2}$, sharper than the target and poorer in the minority mode.",
            ("G5",),
        ),
    ]
