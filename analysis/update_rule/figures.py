"""The figures of the rule: its shape and its clip; what a corrector's score change consists of; the lagged norm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ams.samplers.presets import shades
from matplotlib.figure import Figure as Drawing

from ams.samplers import critical_momentum
from analysis.update_rule.checks import damping_after
from analysis.update_rule.clip import stationary_variance
from analysis.update_rule.corrector import LABELS, shares
from analysis.update_rule.lag import LAGGED, controls, effective_ratio, final_kl
from analysis.update_rule.settings import Settings
from verdicts import Figure, save_figure


def draw_rule(settings: Settings) -> Drawing:
    """Draw the rule itself, and what delta does to the law."""
    drawing = Drawing(figsize=(7.2, 2.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    ratios = np.logspace(-4, 4, 801)
    left.semilogx(ratios, critical_momentum(ratios), color="C0")
    left.axvline(1.0, color="0.6", lw=0.8)
    left.plot([100.0], [damping_after(100.0)], "o", color="C3")
    left.annotate("score blown up\nby 100: 0.961", (100.0, 0.961), (8.0, 0.45), arrowprops={"arrowstyle": "->"})
    left.set(xlabel=r"$\rho_t$", ylabel=r"$\beta_t$", title=r"the rule cannot tell $\rho$ from $1/\rho$")
    steps = (1e-4, 1e-2, 0.1)
    for u, color in zip(steps, shades(len(steps)), strict=True):
        values = [stationary_variance(u, delta) for delta in settings.deltas]
        right.semilogx(settings.deltas, values, marker="o", color=color, label=f"$u$ = {u:g}")
    right.set(xlabel=r"clip $\delta$", ylabel=r"stationary $\lambda\,$Var$\,x$", ylim=(0, 1.1))
    right.set_title(r"$\delta$ does not move the law")
    right.axhline(1.0, color="0.6", lw=0.8, ls=":")
    right.text(1e-6, 1.02, "target", color="0.4")
    right.legend(loc="center", bbox_to_anchor=(0.5, 0.64), ncols=3, columnspacing=0.9, handlelength=1.4)
    return drawing


def draw_parts() -> Drawing:
    """R4: shares of the score's squared change along the run, at few and at many levels."""
    drawing = Drawing(figsize=(7.2, 3.1), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    for axes, count in ((left, 30), (right, 100)):
        parts = shares(count)
        sigmas = [part.sigma for part in parts]
        for number, (label, line) in enumerate(zip(LABELS, ("-", "-", "--", "-.", ":"), strict=True)):
            share, width = [part.shares[number] for part in parts], 2.8 if number == 0 else 1.6
            axes.semilogx(sigmas, share, line, lw=width, label=label)
        axes.invert_xaxis()
        axes.set(xlabel=r"noise level $\sigma$ (the run goes right)", title=f"{count} levels", ylim=(0, 1))
    left.set_ylabel(r"share of $E|s_t - s_{t-1}|^2$")
    drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, columnspacing=1.2)
    return drawing


def draw_lag() -> Drawing:
    """R5: what the lag multiplies the ratio by along the run (left), and the runs' KL over Langevin's (right)."""
    drawing = Drawing(figsize=(7.2, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    along = (20, 30, 100)
    for count, color in zip(along, shades(len(along)), strict=True):
        ratio = effective_ratio(LAGGED[0], count)
        left.plot(np.linspace(0, 1, len(ratio)), ratio, color=color, label=f"{count} levels")
    left.axhline(1.0, color="0.3", lw=0.9, ls="--")
    left.set(xlabel="part of the run", ylabel="effective over stated snr", ylim=(0.95, 2.3))
    left.legend(loc="upper right")
    counts = (10, 30, 50, 100)
    plain, *others = controls()
    for name, color, line in zip(others, ("C0", "C1", "C1"), ("--o", "-s", "--s"), strict=True):
        over = [final_kl(name, count) / final_kl(plain, count) for count in counts]
        right.loglog(counts, over, line, ms=3.5, color=color, label=name)
    right.axhline(1.0, color="0.3", lw=0.9)
    right.text(10, 1.05, "Langevin, present norm", color="0.3", fontsize=8.5)
    right.set_xticks(counts, [str(count) for count in counts])
    right.set_yticks((0.3, 0.5, 1, 2, 3), ("0.3", "0.5", "1", "2", "3"))
    right.minorticks_off()
    right.set(xlabel="levels", ylabel="KL over that of Langevin")
    right.legend(loc="upper left")
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_rule(settings),
            folder,
            "rule",
            r"Left: the damping as a function of the ratio $\rho$; the rule is symmetric under $\rho \to 1/\rho$. "
            r"Right: the stationary variance of adaptive momentum on $N(0, 1/\lambda)$ against the clip $\delta$ "
            r"(exact mean-field law, $u = a\lambda$).",
            ("R1", "R2", "P3"),
        ),
        save_figure(
            draw_parts(),
            folder,
            "score_change",
            "What the rule's numerator consists of in the released adaptive corrector (predictor-corrector, VE, "
            "stiff Gaussian, exact law). The corrector's own drift, the only part that speaks of curvature along the "
            "move, is never above 14 %. Parts overlap, so shares need not add up to one.",
            ("R4",),
        ),
        save_figure(
            draw_lag(),
            folder,
            "lagged_norm",
            "The released corrector's step is sized by a norm one level behind: the ratio is larger than stated, "
            "most at few levels (left). Plain Langevin with the same lag has much of adaptive momentum's gain there "
            "(right); at many levels momentum only loses.",
            ("R5",),
        ),
    ]
