"""The group's figures."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams_suite.drawn import save_drawn, tabled
from related.design_space.noise_schedules.schedules import TARGETS
from related.design_space.score_training import linear, two_layer
from related.design_space.score_training.settings import Settings
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

SHOWN = "stiff"


def training_time(settings: Settings) -> Drawing:
    r"""What training leaves to a sampler, exact laws: a linear score per noise level, trained by gradient descent on a
    weighted denoising loss; stiff Gaussian. Above: KL(target $\|$ run) on exponential noise levels (lines) and the
    bound of three parts (dashed). Below: EDM's noise levels over exponential ones; below 1 EDM's are better.
    """
    drawing, (above, below) = panels(2)
    budget = max(settings.budgets)
    for color, weight in zip(("C0", "C1", "C2"), linear.WEIGHTS, strict=True):
        table = linear.divergences(SHOWN, weight, budget)["exponential"]
        above.loglog(linear.TRAINED, table[:, 0], "o-", color=color, ms=3, label=f"{weight} weight")
        above.loglog(linear.TRAINED, table[:, 1], "--", color=color, lw=0.8)
        below.semilogx(linear.TRAINED, linear.advantage(SHOWN, weight, budget), "o-", color=color, ms=3)
    above.set(ylabel=r"KL(target $\|$ run) (nats)", xlabel="steps of gradient descent")
    legend_above(above)
    below.axhline(1.0, color="black", lw=0.8)
    below.set(xlabel="steps of gradient descent", ylabel="KL: EDM's levels / exponential")
    return drawing


def loss_curves(settings: Settings) -> Drawing:
    """The loss of two-layer ReLU networks under full-batch gradient descent, one line a seed, by width. Above, the
    second layer alone is trained (excess loss), below both layers. Only the later half is fitted by a line.
    """
    drawing, axes = panels(2)
    points = min(settings.points)
    for axis, trained in zip(axes, two_layer.TRAINED, strict=True):
        for color, width in zip(("C0", "C1", "C2"), settings.widths, strict=False):
            curves = two_layer.curves(settings, trained, points, width) / np.log(10)
            axis.plot(curves.T, color=color, lw=0.5, alpha=0.6)
            axis.plot([], [], color=color, label=f"width {width}")
        axis.set(xlabel="steps", ylabel=f"log10 loss, {trained}")
        legend_above(axis)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Save the group's figures."""
    return save_drawn({training_time: ("N7a", "N8", "N9"), loss_curves: ("N6", "N6a")}, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return what a linear score leaves after each training, a row per target, weight, noise levels and steps."""
    budget = max(settings.budgets)
    header = ("target", "weight", "noise levels", "training steps", r"KL(target $\|$ run)", "bound", "its score part")
    return [tabled(training, header, ("N7a", "N8", "N9"), budget, budget=budget)]


def training(budget: int) -> Iterator[tuple[TableCell, ...]]:
    """A linear score per noise level, trained by gradient descent and run for {budget} steps of the variance-exploding
    sampler on Gaussians; exact laws, nats.
    """
    for target, weight in product(TARGETS, linear.WEIGHTS):
        for name, table in linear.divergences(target, weight, budget).items():
            for steps, row in zip(linear.TRAINED, table, strict=True):
                yield target, weight, name, steps, *map(float, row)
