"""The figures of contraction. The docstring of a function that draws is its figure's caption."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.laws.contraction import Chain
from ams.plots import legend_above, panels, shades
from ams_suite.drawn import save_drawn
from analysis.momentum.closed_forms import stability_bound, variance_ratio
from beyond.contraction.adaptive import distances, log_spaced
from beyond.contraction.settings import Settings
from verdicts import Figure


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return save_drawn({region: ("H1", "H1a"), loop: ("H2",), tightness: ("H3", "H3a", "H4")}, folder)


def region() -> Drawing:
    r"""Momentum needs a smaller step to contract on all log-concave targets than on Gaussians. Below a solid line
    copies of constant momentum contract whatever the Hessians in $[m, L]$; above it they need not. The dashed line is
    a Gaussian's bound $2/(1-b^2)$.
    """
    drawing, (axes,) = panels(height=2.4)
    beta = np.linspace(0.0, 0.98, 120)
    steps = np.geomspace(1e-3, 40.0, 800)
    for condition, label, color in zip((2.0, 10.0, 1e4), ("2", "10", "10^4"), shades(3), strict=True):
        edge = [max(s for s in steps if Chain(b, s, 1 / condition, 1.0).rate < 1) for b in beta]
        axes.semilogy(beta, edge, color=color, label=rf"$\kappa = {label}$")
    axes.semilogy(beta, stability_bound(beta), color="black", ls="--", label="Gaussians")
    axes.set(xlabel="momentum coefficient $b$", ylabel="largest step $aL$", xlim=(0, 0.98), ylim=(1e-2, 40))
    legend_above(axes, 4)
    return drawing


def loop() -> Drawing:
    r"""Adaptive momentum on Gaussians, in the mean field. Above: the gain of the loop from coefficient to samples and
    back, 16 precisions; below 1 (grey line) all near starts tend to the limit. Below: how far the scores of a run are
    from the limit's (W2 over the mean norm of the momentum), and its bound, condition number 10, $aL = 0.001$.
    """
    drawing, (above, below) = panels(2)
    steps = np.geomspace(1e-6, 0.1, 16)
    for condition, label, color in zip((1.0, 10.0, 1e6), ("1", "10", "10^6"), shades(3), strict=True):
        gains = [log_spaced(step, condition, 0.0).gain for step in steps]
        above.loglog(steps, gains, color=color, label=rf"$\kappa = {label}$")
    above.axhline(1.0, color="0.6", lw=0.8, zorder=0)
    above.set(xlabel="step $aL$", ylabel="gain")
    shown = log_spaced(1e-3, 10.0)
    run = [far for far, *_ in distances(shown, np.random.default_rng(0), 2000)]
    number = np.arange(1, len(run) + 1)
    below.semilogy(number, shown.bounds.score * shown.rate**number / shown.mean_norm, color="C0", label="bound")
    below.semilogy(number, np.array(run) / shown.mean_norm, color="C1", ls="--", label="a run")
    below.set(xlabel="step", ylabel="W2 of scores")
    for axes in (above, below):
        legend_above(axes, 3)
    return drawing


def tightness() -> Drawing:
    r"""The bounds against what Gaussians show, condition number 10, $b = 0.4$, one dimension. Above: W2 of the
    stationary distribution to $\pi^c/Z$ falls as the step, as does the bound for Lipschitz Hessians. Below: what a
    score error of size 1 does, in units of $1/m$, at its worst on a Gaussian and by the bound.
    """
    drawing, (above, below) = panels(2)
    steps = np.geomspace(1e-4, 0.5, 60)
    chains = [Chain(0.4, step, 0.1, 1.0) for step in steps]
    shown = [abs(np.sqrt(variance_ratio(step, 0.4)) - 1 / 1.4) for step in steps]
    above.loglog(steps, [chain.distance_to_tempered(1) for chain in chains], color="C2", ls=":", label="any Hessian")
    above.loglog(steps, [chain.distance_if_smooth(1, 0.0) for chain in chains], color="C0", label="bound")
    above.loglog(steps, shown, color="C1", ls="--", label="Gaussian")
    above.set(xlabel="step $aL$", ylabel=r"W2 to $\pi^c/Z$")
    below.semilogx(steps, [chain.error_constant * chain.smallest for chain in chains], color="C0", label="bound")
    below.semilogx(steps, np.ones(len(steps)), color="C1", ls="--", label="Gaussian")
    below.set(xlabel="step $aL$", ylabel="shift, in $1/m$", ylim=(0, None))
    for axes in (above, below):
        legend_above(axes, 2)
    return drawing
