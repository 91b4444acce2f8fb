"""The figure of contraction."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.laws.contraction import Chain
from ams.plots import legend_above, panels, shades
from ams_suite.drawn import save_drawn
from analysis.momentum.closed_forms import stability_bound
from beyond.contraction.settings import Settings
from verdicts import Figure


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figure."""
    return save_drawn({region: ("H1",)}, folder)


def region() -> Drawing:
    r"""Momentum needs a smaller step to contract on all log-concave targets than on Gaussians.
    Below a solid line copies of constant momentum contract whatever the Hessians in $[m, L]$; above
    it they need not. The dashed line is a Gaussian's bound $2/(1-b^2)$.
    """
    drawing, (axes,) = panels(height=2.4)
    beta = np.linspace(0.0, 0.98, 120)
    steps = np.geomspace(1e-3, 40.0, 800)
    for condition, label, color in zip(
        (2.0, 10.0, 1e4), ("2", "10", "10^4"), shades(3), strict=True
    ):
        edge = [max(s for s in steps if Chain(b, s, 1 / condition, 1.0).rate < 1) for b in beta]
        axes.semilogy(beta, edge, color=color, label=rf"$\kappa = {label}$")
    axes.semilogy(beta, stability_bound(beta), color="black", ls="--", label="Gaussians")
    axes.set(
        xlabel="momentum coefficient $b$",
        ylabel="largest step $aL$",
        xlim=(0, 0.98),
        ylim=(1e-2, 40),
    )
    legend_above(axes, 4)
    return drawing
