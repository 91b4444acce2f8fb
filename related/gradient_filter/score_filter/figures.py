"""The group's figure."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, shades
from ams_suite.drawn import save_drawn
from related.gradient_filter.score_filter import study as wiener
from related.gradient_filter.score_filter.settings import Settings
from verdicts import Figure


def filter_gain(settings: Settings) -> Drawing:
    """Filtering the score inflates the variance, and slows the chain but for gains near 1. Langevin
    along a filtered score with gain $K$ and momentum coefficient $b$, exact law. Above: the
    stationary variance (the target's is 1). Below: rate (1 less the spectral radius) at the step
    whose bias is 10 %. $K = 1$ is Langevin; just below it the filter's own mode, of rate $1 - b$,
    may be the slower.
    """
    drawing, (above, below) = panels(2)
    gains, near = np.linspace(0.0, 1.0, 21), np.linspace(0.0, 0.999, 60)
    betas = (0.5, 0.8, 0.9)
    for beta, color in zip(betas, shades(len(betas)), strict=True):
        at = wiener.wiener_gain(beta)
        above.plot(
            gains,
            [wiener.law_moments(0.1, beta, gain)[0] for gain in gains],
            color=color,
            label=f"$b = {beta}$",
        )
        above.plot(at, wiener.law_moments(0.1, beta, at)[0], "o", color=color)
        below.plot(near, [wiener.rate(0.1, beta, gain) for gain in near], color=color)
    above.plot([], [], "o", color="0.4", label="Wiener gain $(1-b)/2$")
    above.axhline(1 / 0.95, color="black", lw=1.0, label="Langevin ($K = 1$)")
    below.axhline(wiener.rate(0.1, 0.0, 1.0), color="black", lw=1.0)
    above.set(xlabel="gain $K$", ylabel=r"$\lambda\,\mathrm{Var}\,x$ at $u = 0.1$")
    below.set(xlabel="gain $K$", ylabel="rate per step at 10 % bias", ylim=(0, None))
    legend_above(above)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return save_drawn({filter_gain: ("N3",)}, folder, settings)
