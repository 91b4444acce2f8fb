"""The figures of adaptive momentum: its fixed point, its bias, small steps, and finite batches."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from ams.samplers.palette import look
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from analysis.adaptive.batches import U, coupled, ratio
from analysis.adaptive.convergence import bias
from analysis.adaptive.expansion import step_of
from analysis.adaptive.fixed_point import law_of, stationary_damping
from analysis.adaptive.linearisation import fluctuation
from analysis.adaptive.settings import Settings
from analysis.momentum.stationary import variance_ratio
from verdicts import Figure, save_figure


def draw_fixed_point() -> Drawing:
    """A2's formula (lines) and the exact law (points)."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    us = np.logspace(-4, math.log10(0.499), 120)
    betas = np.array([stationary_damping(u) for u in us])
    points = np.logspace(-4, math.log10(0.499), 12)
    laws = [law_of(u) for u in points]
    axes.semilogx(us, betas, color="C0", label=r"damping $\beta$")
    axes.semilogx(us, variance_ratio(us, betas), color="C1", label=r"$\lambda\,\mathrm{Var}\,x$")
    axes.plot(points, [law.beta for law in laws], "o", ms=3, color="C0")
    axes.plot(points, [law.variance.item() for law in laws], "s", ms=3, color="C1")
    axes.axhline(1.0, color="0.4", lw=0.8)
    axes.axhline(0.25, color="0.4", lw=0.8, ls=":")
    axes.text(0.25, 0.17, r"$\pi^4$", color="0.3")
    axes.set(xlabel=r"$u = a\lambda$", ylim=(0, 1.4))
    axes.legend()
    return drawing


def draw_bias() -> Drawing:
    """W2 against the step for Langevin, constant and adaptive momentum."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    us = np.logspace(-6, math.log10(0.45), 41)
    for sampler, label, beta in (
        ("Langevin", "Langevin", 0.0),
        ("constant momentum", "constant momentum, $b = 0.9$", 0.9),
        ("adaptive momentum", "adaptive momentum", None),
    ):
        drawn = {**look(sampler), "label": label}
        axes.loglog(us, [bias(u, beta) for u in us], markevery=5, markersize=4, **drawn)
    axes.set(xlabel=r"$u = a\lambda$", ylabel=r"$W_2$ to the target (its s.d.)", ylim=(1e-9, 2))
    axes.legend(loc="lower right")
    return drawing


def draw_small_steps() -> Drawing:
    """A3: the variance of small steps from its limit, in the law (points), by the first term (line)."""
    drawing = Drawing(figsize=(7.2, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    root = np.linspace(0.0, 1.0, 4001)[1:-1]
    us, variance = step_of(root), variance_ratio(step_of(root), root**2)
    first = 33 * math.sqrt(2) / 4
    left.semilogx(us, variance, color="C1", label="adaptive momentum")
    left.semilogx(us, (1 + first * np.sqrt(us)) / 4, color="0.3", ls=":", label=r"$\frac{1}{4}(1 + 11.67\sqrt{u})$")
    left.semilogx(us, 1 / (1 - us / 2), color="C0", label="Langevin")
    left.axhline(1.0, color="0.5", lw=0.8)
    left.plot([0.1691], [1.0], "o", color="C1", ms=5)
    left.annotate("unbiased: $u = 0.1691$", (0.1691, 1.0), (3e-5, 1.13), arrowprops={"arrowstyle": "-", "lw": 0.7})
    left.set(xlabel=r"$u = a\lambda$", ylabel=r"$\lambda\,\mathrm{Var}\,x$", xlim=(1e-6, 0.5), ylim=(0.2, 1.4))
    left.legend(loc="center left")
    points = np.logspace(-9, -1, 17)
    right.loglog(points, [4 * law_of(u).variance.item() - 1 for u in points], "o", color="C1", ms=4, label="exact law")
    right.loglog(points, first * np.sqrt(points), color="0.3", ls=":", label=r"$\frac{33\sqrt{2}}{4}\sqrt{u}$")
    right.set(xlabel=r"$u = a\lambda$", ylabel=r"$4\,\lambda\,\mathrm{Var}\,x - 1$")
    right.legend(loc="upper left")
    return drawing


def draw_batches(settings: Settings) -> Drawing:
    """A5: what a finite batch does to the damping (left) and to the law (right)."""
    drawing = Drawing(figsize=(7.2, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _draw_deviations(left, settings)
    batches, means = np.array(settings.coupled_batches[:-1], dtype=float), coupled(settings)
    bias_of, error = np.diff(means.mean(0)), np.diff(means, axis=1).std(0, ddof=1) / len(means) ** 0.5
    right.loglog(batches, bias_of[0] * batches[0] / batches, color="0.3", ls=":", label="slope $-1$")
    right.errorbar(batches, bias_of, error, fmt="o", color="C1", label=r"$E_{2B} - E_B$, common draws")
    right.set_yticks(bias_of, [f"{value:.2g}" for value in bias_of])
    right.set(ylabel=r"change of $\lambda\,\mathrm{Var}\,x$", title="the law's bias is $O(1/B)$")
    for axes, sizes in ((left, settings.batches), (right, settings.coupled_batches[:-1])):
        axes.set_xlabel("batch size $B$")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.legend(loc="upper right")
    return drawing


def _draw_deviations(axes: Axes, settings: Settings) -> None:
    constant, sizes = fluctuation(U, 2), np.array(settings.batches, dtype=float)
    predicted = f"linearised: ${constant:.4f}/\\sqrt{{B}}$"
    axes.loglog(sizes, constant / np.sqrt(sizes), color="0.3", ls=":", label=predicted)
    spread = [ratio(batch, 2, settings).value * constant / batch**0.5 for batch in settings.batches]
    axes.loglog(sizes, spread, "o", color="C1", label="batches of particles")
    axes.set(ylabel=r"rms of $\beta - \beta_\infty$", title="the damping strays as $B^{-1/2}$")
    axes.set_yticks(spread, [f"{value:.3g}" for value in spread])


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_fixed_point(),
            folder,
            "fixed_point",
            r"Adaptive momentum on an isotropic Gaussian: A2's fixed point (lines), the exact mean-field law (points). "
            r"As $u \to 0$ the variance tends to $1/4$ of the target's: the limit is $\pi^4$.",
            ("A2", "P1a"),
        ),
        save_figure(
            draw_bias(),
            folder,
            "bias",
            r"Stationary bias on $N(0, 1/\lambda)$ against the step, exact law. Langevin's vanishes with the step; "
            r"momentum's tends to a constant: $b/(1+b)$, and $1/2$ for the adaptive rule. Each momentum curve dips at "
            r"its one unbiased step, $u = 0.1691$ for the adaptive rule.",
            ("P1b", "P1c"),
        ),
        save_figure(
            draw_small_steps(),
            folder,
            "small_steps",
            r"Adaptive momentum on an isotropic Gaussian, exact. Left: a smaller step leads away from the target, to "
            r"$\pi^4$; Langevin's leads to it. Right: the approach to the limit $1/4$ is of order $\sqrt{u}$.",
            ("A3", "P1b", "P1c"),
        ),
        save_figure(
            draw_batches(settings),
            folder,
            "batches",
            f"Finite batches, two dimensions, $u = {U:g}$. Left: the damping's rms distance from the mean field "
            r"falls as $B^{-1/2}$, with the constant that linearisation gives. Right: the law's bias, seen by letting "
            r"batches of $B$ and $2B$ share their draws, falls as $1/B$ (bars: one standard error).",
            ("A5",),
        ),
    ]
