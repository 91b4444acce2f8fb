"""The group's figures and tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, ticks
from ams_suite.drawn import save_drawn, tabled
from related.gradient_filter.optimisers import comparison, gain
from related.gradient_filter.optimisers.descents import OPTIMISERS, curve
from related.gradient_filter.optimisers.rates import BUDGETS, Budget, mean_steps, rate, tried
from related.gradient_filter.optimisers.settings import Settings
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

LOOKS = dict(zip(OPTIMISERS, ("C3-", "C3--", "k-", "C0-", "C0--", "C2-", "C2--"), strict=True))
"""Of the curves: a colour a family, of two members the second dashed."""
CLAIMS = ("N10d", "N10e", "N10f", "N10g", "N10h", "N10j", "N10k", "N10l")


def gains(settings: Settings) -> Drawing:
    """Errors of a filtered gradient, exact, b = .9. Above, the mean squared error in white noise over that of the
    average that SGDF uses, by the constant gain on it (line); SGDF's own entrywise gain (dotted). Below, the gain of
    the least error on a quadratic; below 0 the average alone is better. Where the signal moves slowly a gain on the
    newest gradient adds noise; where it moves fast it keeps up.
    """
    drawing, (above, below) = panels(2)
    error, p = (each.subs({gain.C: 0, gain.b: 0.9}) for each in (gain.squared_error("published"), gain.stationary()))
    constant = np.linspace(-0.15, 0.4, 100)
    above.plot(constant, [float(error.subs(gain.K, at) / p) for at in constant], "k-")
    for exponent, style in zip(gain.EXPONENTS, (":", "--"), strict=True):
        above.axhline(
            gain.entrywise_error(0.9, exponent), color="C3", ls=style, lw=1, label=f"SGDF, gamma {exponent:g}"
        )
    above.axvline(0.0, color="0.6", lw=0.8)
    above.set(xlabel="constant gain", ylabel="error over the average's")
    legend_above(above)
    size = np.geomspace(0.001, 1, 40)
    below.semilogx(size, [gain.optimal_gain(step, 0.9, "published") for step in size], "k-")
    below.axhline(0.0, color="0.6", lw=0.8)
    below.set(xlabel="rate times curvature", ylabel="gain of least error")
    return drawing


def optimiser_losses(settings: Settings) -> Drawing:
    """The loss that is read while each optimiser, at its tuned rate, descends a problem: the median over seeds. The
    grey line is the loss whose steps are compared.
    """
    drawing, axes = panels(len(settings.problems))
    for axis, problem in zip(axes, settings.problems, strict=True):
        budget = BUDGETS[problem]
        for name, look in LOOKS.items():
            median = np.median([_whole(curve(run), budget) for run in comparison.runs(settings, problem, name)], 0)
            axis.semilogy(budget.every * np.arange(len(median)), median, look, lw=0.9, label=name)
        axis.axhline(budget.threshold, color="0.6", lw=0.8)
        axis.set(xlabel="steps", ylabel=f"loss: {problem}")
    legend_above(axes[0], columns=3)
    return drawing


def _whole(read: np.ndarray, budget: Budget) -> np.ndarray:
    """Return what was read along a run, its last value up to the budget's end: a run that is not finite ends early."""
    return np.pad(read, (0, budget.steps // budget.every + 1 - len(read)), mode="edge")


def rates(settings: Settings) -> Drawing:
    """How the steps to a problem's loss depend on the rate: the seven rates of each optimiser, as factors of the chosen
    one, on the seeds of development. Rates that do not reach the loss are left out.
    """
    drawing, axes = panels(len(settings.problems))
    for axis, problem in zip(axes, settings.problems, strict=True):
        for name, look in LOOKS.items():
            grid = tried(problem, name)
            factors = np.array(grid) / rate(problem, name)
            axis.loglog(factors, [mean_steps(problem, name, each) for each in grid], look, marker="o", ms=3, label=name)
        axis.set(xlabel="rate over the chosen one", ylabel=f"steps: {problem}")
        ticks(axis, [0.125, 0.25, 0.5, 1, 2, 4])
    legend_above(axes[0], columns=3)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Save the group's figures."""
    drawn: dict[Callable[..., Drawing], tuple[str, ...]] = {gains: ("N10", "N10a", "N10b")}
    drawn |= {optimiser_losses: CLAIMS} if settings.problems else {}
    drawn |= {rates: ("N10i",)} if settings.tuned else {}
    return save_drawn(drawn, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return a row per problem and optimiser: its rate, steps to the loss, seeds that do not reach it, last loss."""
    header = ("problem", "optimiser", "rate", "steps", "seeds that do not reach it", "last loss")
    return [tabled(steps, header, CLAIMS, settings, seeds=settings.seeds)] if settings.problems else []


def steps(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """Steps to a problem's loss at each optimiser's tuned rate, geometric mean of {seeds} seeds; a seed that does not
    reach it counts with all of its steps. Last loss: median over seeds, at the end.
    """
    for problem in settings.problems:
        for name in OPTIMISERS:
            needed = comparison.steps(settings, problem, name)
            mean = float(np.exp(np.log(np.minimum(needed, BUDGETS[problem].steps)).mean()))
            last = comparison.final_loss(settings, problem, name)
            yield problem, name, rate(problem, name), round(mean, 1), int(np.isinf(needed).sum()), last
