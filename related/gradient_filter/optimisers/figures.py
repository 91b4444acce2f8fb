"""The group's figure."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams_suite.drawn import save_drawn
from related.gradient_filter.optimisers import gain
from related.gradient_filter.optimisers.settings import Settings
from verdicts import Figure


def gains() -> Drawing:
    """Errors of a filtered gradient, exact, b = .9. Above, the mean squared error in white noise
    over that of the average that SGDF uses, by the constant gain on it (line); SGDF's own entrywise
    gain (dotted). Below, the gain of the least error on a quadratic; below 0 the average alone is
    better. Where the signal moves slowly a gain on the newest gradient adds noise; where it moves
    fast it keeps up.
    """
    drawing, (above, below) = panels(2)
    error, p = (
        each.subs({gain.C: 0, gain.b: 0.9})
        for each in (gain.squared_error("published"), gain.stationary())
    )
    constant = np.linspace(-0.15, 0.4, 100)
    above.plot(constant, [float(error.subs(gain.K, at) / p) for at in constant], "k-")
    for exponent, style in zip(gain.EXPONENTS, (":", "--"), strict=True):
        above.axhline(
            gain.entrywise_error(0.9, exponent),
            color="C3",
            ls=style,
            lw=1,
            label=f"SGDF, gamma {exponent:g}",
        )
    above.axvline(0.0, color="0.6", lw=0.8)
    above.set(xlabel="constant gain", ylabel="error over the average's")
    legend_above(above)
    size = np.geomspace(0.001, 1, 40)
    below.semilogx(size, [gain.optimal_gain(step, 0.9, "published") for step in size], "k-")
    below.axhline(0.0, color="0.6", lw=0.8)
    below.set(xlabel="rate times curvature", ylabel="gain of least error")
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Save the group's figure."""
    return save_drawn({gains: ("N10",)}, folder)
