"""The figures of the rule. The docstring of a function that draws is its figure's caption."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import panels
from ams.samplers import critical_momentum
from ams.samplers.presets import shades
from ams_suite.drawn import save_drawn
from analysis.update_rule.checks import momentum_after, stationary_variance
from analysis.update_rule.corrector import score_changes
from analysis.update_rule.settings import Settings
from analysis.update_rule.study import ALONG, CORRECTORS, COUNTS, LAGGED, PARTS, corrector_run
from verdicts import Figure


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {rule: ("R1", "R2", "P3"), score_change: ("R4",), lagged_norm: ("R5",)}
    return save_drawn(drawn, folder, settings)


def rule(settings: Settings) -> Drawing:
    r"""Left: the momentum coefficient as a function of the ratio $\rho$; the rule is symmetric under
    $\rho \to 1/\rho$. Right: the stationary variance of adaptive momentum on $N(0, 1/\lambda)$ against the clip
    $\delta$ (exact mean field, $u = a\lambda$).
    """
    drawing, (left, right) = panels(2)
    ratios = np.logspace(-4, 4, 801)
    left.semilogx(ratios, critical_momentum(ratios), color="C0")
    left.axvline(1.0, color="0.6", lw=0.8)
    left.plot([100.0], [momentum_after(100.0)], "o", color="C3")
    left.annotate("score grown\nby 100: 0.961", (100.0, 0.961), (25.0, 0.4), arrowprops={"arrowstyle": "->"})
    left.set(xlabel=r"$\rho_t$", ylabel=r"$\beta_t$", title=r"one value for $\rho$ and $1/\rho$")
    steps = (1e-4, 1e-2, 0.1)
    for u, color in zip(steps, shades(len(steps)), strict=True):
        values = [stationary_variance(u, delta) for delta in settings.deltas]
        right.semilogx(settings.deltas, values, marker="o", color=color, label=f"$u$ = {u:g}")
    right.set(xlabel=r"clip $\delta$", ylabel=r"stationary $\lambda\,$Var$\,x$", ylim=(0, 1.1))
    right.set_title(r"$\delta$ does not change the variance")
    right.axhline(1.0, color="0.6", lw=0.8, ls=":")
    right.text(1e-6, 1.02, "target", color="0.4")
    right.legend(loc="center", bbox_to_anchor=(0.5, 0.64), ncols=3, columnspacing=0.9, handlelength=1.4)
    return drawing


def score_change(settings: Settings) -> Drawing:
    r"""What the rule's numerator consists of in the adaptive corrector of the authors' code (predictor-corrector, VE,
    stiff Gaussian, exact law). The corrector's own drift, the only part that speaks of curvature along the move, is
    never above 14 %. Parts overlap, so shares need not add up to one.
    """
    drawing, axes_of = panels(2, height=3.1, sharey=True)
    for axes, count in zip(axes_of, (30, 100), strict=True):
        changes = score_changes(count)
        sigmas = [change.sigma for change in changes]
        for number, (label, line) in enumerate(zip(PARTS, ("-", "-", "--", "-.", ":"), strict=True)):
            share, width = [change.shares[number] for change in changes], 2.8 if number == 0 else 1.6
            axes.semilogx(sigmas, share, line, lw=width, label=label)
        axes.invert_xaxis()
        axes.set(xlabel=r"noise level $\sigma$ (the run goes right)", title=f"{count} noise levels", ylim=(0, 1))
    axes_of[0].set_ylabel(r"share of $E|s_t - s_{t-1}|^2$")
    drawing.legend(
        *axes_of[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=5,
        columnspacing=1.0,
        handlelength=1.6,
    )
    return drawing


def lagged_norm(settings: Settings) -> Drawing:
    """The corrector of the authors' code sizes its step by a norm one level behind. Left: the signal-to-noise ratio is
    larger than stated, most at few levels. Right: plain Langevin with this lag has much of adaptive momentum's gain
    there; at many levels momentum only loses.
    """
    drawing, (left, right) = panels(2)
    for count, color in zip(ALONG, shades(len(ALONG)), strict=True):
        ratio = corrector_run(LAGGED[0], count).ratios
        left.plot(np.linspace(0, 1, len(ratio)), ratio, color=color, label=f"{count} noise levels")
    left.axhline(1.0, color="0.3", lw=0.9, ls="--")
    left.set(xlabel="part of the run", ylabel="effective over stated snr", ylim=(0.95, 2.3))
    left.legend(loc="upper right")
    plain, *others = CORRECTORS
    for name, color, line in zip(others, ("C0", "C1", "C1"), ("--o", "-s", "--s"), strict=True):
        over = [corrector_run(name, count).kl / corrector_run(plain, count).kl for count in COUNTS]
        right.loglog(COUNTS, over, line, ms=3.5, color=color, label=name)
    right.axhline(1.0, color="0.3", lw=0.9)
    right.text(10, 1.05, "Langevin, present norm", color="0.3", fontsize=8.5)
    right.set_xticks(COUNTS, [str(count) for count in COUNTS])
    right.set_yticks((0.3, 0.5, 1, 2, 3), ("0.3", "0.5", "1", "2", "3"))
    right.minorticks_off()
    right.set(xlabel="noise levels", ylabel="KL over that of Langevin")
    right.legend(loc="upper left")
    return drawing
