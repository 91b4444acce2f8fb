"""The figures of the rule. The docstring of a function that draws is its figure's caption."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, reference_line, shades, ticks
from ams.samplers import critical_momentum
from ams_suite.drawn import save_drawn
from analysis.update_rule.checks import momentum_after, score_changes, stationary_variance
from analysis.update_rule.settings import Settings
from analysis.update_rule.study import ALONG, CORRECTORS, COUNTS, LAGGED, PARTS, corrector_run
from verdicts import Figure


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {rule: ("R1", "R2", "P3"), score_change: ("R4",), lagged_norm: ("R5",)}
    return save_drawn(drawn, folder, settings)


def rule(settings: Settings) -> Drawing:
    r"""The rule cannot tell a ratio from its inverse, and its clip does not change where it ends.
    Above: the rule gives one momentum coefficient for a ratio $\rho$ and for $1/\rho$; a score that
    grows by 100 gets 0.961. Below: the clip $\delta$ does not change the stationary variance of
    adaptive momentum on $N(0, 1/\lambda)$ (exact mean field, $u = a\lambda$; 1 for the target).
    """
    drawing, (above, below) = panels(2)
    ratios = np.logspace(-4, 4, 801)
    above.semilogx(ratios, critical_momentum(ratios), color="C0")
    above.plot([100.0], [momentum_after(100.0)], "o", color="C1")
    above.annotate(
        "score grown\nby 100: 0.961", (100.0, 0.961), (25.0, 0.4), arrowprops={"arrowstyle": "->"}
    )
    above.set(xlabel=r"$\rho_t$", ylabel=r"$\beta_t$")
    steps = (1e-4, 1e-2, 0.1)
    for u, color in zip(steps, shades(len(steps)), strict=True):
        values = [stationary_variance(u, delta) for delta in settings.deltas]
        below.semilogx(settings.deltas, values, marker="o", color=color, label=f"$u$ = {u:g}")
    below.set(xlabel=r"clip $\delta$", ylabel=r"stationary $\lambda\,$Var$\,x$", ylim=(0, 1.2))
    reference_line(below, 1.0, "target", right=False)
    legend_above(below, 3)
    return drawing


def score_change(settings: Settings) -> Drawing:
    r"""The rule sees little of the curvature. What its numerator consists of in the adaptive
    corrector of the authors' code (predictor-corrector, VE, stiff Gaussian, exact law): the
    corrector's own drift, the only part that speaks of curvature along the move, is never above 14
    %. Parts overlap, so shares need not add up to one.
    """
    drawing, axes_of = panels(2, sharex=True)
    for axes, count in zip(axes_of, (30, 100), strict=True):
        changes = score_changes(count)
        sigmas = [change.sigma for change in changes]
        for number, (label, line) in enumerate(
            zip(PARTS, ("-", "-", "--", "-.", ":"), strict=True)
        ):
            axes.semilogx(sigmas, [change.shares[number] for change in changes], line, label=label)
        axes.set(ylabel=r"share of $E|s_t - s_{t-1}|^2$", ylim=(0, 1))
        axes.text(0.02, 0.9, f"{count} noise levels", transform=axes.transAxes)
    axes.set_xlabel(r"noise level $\sigma$ (the run goes right)")
    axes.invert_xaxis()
    legend_above(axes_of[0])
    return drawing


def lagged_norm(settings: Settings) -> Drawing:
    """The corrector of the authors' code sizes its step by a norm one level behind, and much of
    adaptive momentum's gain is due to that. Above: the signal-to-noise ratio is larger than stated,
    most at few levels. Below: KL over that of Langevin with the present norm, exact law. At few
    levels plain Langevin with this lag gains too; at many levels momentum only loses.
    """
    drawing, (above, below) = panels(2)
    for count, color in zip(ALONG, shades(len(ALONG)), strict=True):
        ratio = corrector_run(LAGGED[0], count).ratios
        above.plot(np.linspace(0, 1, len(ratio)), ratio, color=color, label=f"{count} noise levels")
    above.set(xlabel="part of the run", ylabel="effective / stated snr", ylim=(0.95, 2.3))
    legend_above(above)
    plain, *others = CORRECTORS
    for name, color, line in zip(others, ("C0", "C1", "C1"), ("--o", "-s", "--s"), strict=True):
        over = [corrector_run(name, count).kl / corrector_run(plain, count).kl for count in COUNTS]
        below.loglog(COUNTS, over, line, color=color, label=name)
    reference_line(below, 1.0, "Langevin, present norm", right=False)
    ticks(below, COUNTS)
    below.set_yticks((0.3, 0.5, 1, 2, 3), ("0.3", "0.5", "1", "2", "3"))
    below.yaxis.minorticks_off()
    below.set(xlabel="noise levels", ylabel="KL / that of Langevin")
    legend_above(below, 1)
    return drawing
