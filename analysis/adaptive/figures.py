"""The figures of adaptive momentum. The docstring of a function that draws is its figure's
caption.
"""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, reference_line, ticks
from ams.samplers.looks import LOOKS
from ams_suite.drawn import save_drawn
from analysis.adaptive import study
from analysis.adaptive.linearisation import fluctuation, ratio
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import U, stationary_at, variances_by_batch_size
from analysis.momentum.closed_forms import variance_ratio
from verdicts import Figure

_STEP, _VARIANCE = r"step $u = a\lambda$", r"$\lambda\,\mathrm{Var}\,x$"
_ADAPTIVE, _LANGEVIN = LOOKS["adaptive momentum"], LOOKS["annealed Langevin"]


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {
        fixed_point: ("A2", "P1a"),
        bias: ("P1b", "P1c"),
        small_steps: ("A3", "P1b", "P1c"),
        batches: ("A5",),
    }
    return save_drawn(drawn, folder, settings)


def fixed_point(settings: Settings) -> Drawing:
    r"""Adaptive momentum on an isotropic Gaussian comes to rest at a momentum coefficient $\beta$
    and a variance that depend on the step alone: A2's formulas (lines) and the exact law in the
    limit of large batches (12 points). As $u \to 0$ without the clip, the variance tends to $1/4$
    of the target's, that of $\pi^4$; at $u = 1/2$ it is $4/3$.
    """
    drawing, (axes,) = panels()
    us, points = (np.logspace(-4, math.log10(0.499), count) for count in (120, 12))
    betas = np.array([study.stationary_momentum(u) for u in us])
    exact = [stationary_at(u) for u in points]
    axes.semilogx(us, betas, color="C0", label=r"$\beta$")
    axes.semilogx(us, variance_ratio(us, betas), color="C1", label=_VARIANCE)
    axes.plot(points, [each.beta for each in exact], "o", color="C0")
    axes.plot(points, [each.variance.item() for each in exact], "s", color="C1")
    reference_line(axes, 1.0, "target's variance", right=False)
    reference_line(axes, 0.25, r"variance of $\pi^4$", right=False, above=False)
    axes.set(xlabel=_STEP, ylabel=rf"$\beta$ and {_VARIANCE}", ylim=(0, 1.4))
    legend_above(axes)
    return drawing


def bias(settings: Settings) -> Drawing:
    r"""A smaller step does not remove the bias of momentum. Distance of the stationary distribution
    to an isotropic Gaussian, by the closed forms (G3, A2; markers tell the lines apart). Langevin's
    vanishes with the step. Momentum's tends to $b/(1+b)$; that of the adaptive rule, in large
    batches without the clip, to $1/2$. Each momentum curve touches 0 at its one unbiased step, $u =
    0.1691$ for the adaptive rule.
    """
    drawing, (axes,) = panels()
    us = np.logspace(-6, math.log10(0.45), 401)
    adaptive = np.array([study.stationary_momentum(u) for u in us])
    for sampler, label, beta in (
        ("annealed Langevin", "Langevin", np.zeros(1)),
        ("constant momentum", "constant momentum, $b = 0.9$", np.full(1, 0.9)),
        ("adaptive momentum", "adaptive momentum", adaptive),
    ):
        axes.loglog(
            us,
            abs(variance_ratio(us, beta) ** 0.5 - 1),
            markevery=50,
            **LOOKS[sampler].style(label),
        )
    axes.set(xlabel=_STEP, ylabel="$W_2$ (s.d.)", ylim=(1e-7, 3))
    legend_above(axes, 1)
    return drawing


def small_steps(settings: Settings) -> Drawing:
    r"""Small steps lead adaptive momentum away from an isotropic Gaussian target, in large batches
    without the clip. Above: its variance falls to $1/4$ of the target's, that of $\pi^4$, and
    Langevin's comes to the target's. Below: 17 exact laws approach the limit $1/4$ at the order
    $\sqrt{u}$ of A3.
    """
    drawing, (above, below) = panels(2)
    root, first = np.linspace(0.0, 1.0, 4001)[1:-1], 33 * math.sqrt(2) / 4
    unbiased = study.unbiased_step()
    us = study.step_of(root)
    for look, values in (
        (_ADAPTIVE, variance_ratio(us, root**2)),
        (_LANGEVIN, variance_ratio(us, 0.0)),
    ):
        above.semilogx(us, values, color=look.colour, label=look.label)
    above.semilogx(
        us,
        (1 + first * np.sqrt(us)) / 4,
        color="0.3",
        ls=":",
        label=r"$\frac{1}{4}(1 + 11.67\sqrt{u})$",
    )
    reference_line(above, 1.0, "target", right=False)
    above.plot([unbiased], [1.0], "o", color=_ADAPTIVE.colour)
    text = f"unbiased:\n$u = {unbiased:.3g}$"
    above.annotate(text, (unbiased, 1.0), (2e-4, 1.15), arrowprops={"arrowstyle": "-", "lw": 0.7})
    above.set(xlabel=_STEP, ylabel=_VARIANCE, xlim=(1e-6, 0.5), ylim=(0.2, 1.5))
    points = np.logspace(-9, -1, 17)
    away = [4 * stationary_at(u).variance.item() - 1 for u in points]
    below.loglog(points, away, "o", color=_ADAPTIVE.colour, label="exact law")
    below.loglog(points, first * np.sqrt(points), color="0.3", ls=":", label=r"$11.67\sqrt{u}$")
    below.set(xlabel=_STEP, ylabel=r"$4\,\lambda\,\mathrm{Var}\,x - 1$")
    for axes in (above, below):
        legend_above(axes)
    return drawing


def batches(settings: Settings) -> Drawing:
    r"""Finite batches in two dimensions at $u = 0.05$. Above: the momentum coefficient's rms
    distance to that of an infinite batch falls as $B^{-1/2}$, with the constant that linearisation
    gives. Below: the bias of the variance, seen by letting batches of $B$ and $2B$ share their
    draws (bars: one standard error); it falls as $1/B$ where four sizes or more show a slope.
    """
    drawing, (above, below) = panels(2)
    _draw_deviations(above, settings)
    sizes = np.array(settings.coupled_batches[:-1], dtype=float)
    means = variances_by_batch_size(settings.coupled_batches, settings.coupled_steps, settings.seed)
    change, error = (
        np.diff(means.mean(0)),
        np.diff(means, axis=1).std(0, ddof=1) / len(means) ** 0.5,
    )
    below.errorbar(sizes, change, error, fmt="o", color="C1", label=r"$E_{2B} - E_B$, common draws")
    if len(sizes) > 3:
        below.plot(sizes, change[0] * sizes[0] / sizes, color="0.3", ls=":", label="slope $-1$")
    below.set(xscale="log", yscale="log", ylabel=f"change of {_VARIANCE}")
    for axes, shown in ((above, settings.batches), (below, settings.coupled_batches[:-1])):
        axes.set_xlabel("batch size $B$")
        ticks(axes, shown)
        legend_above(axes)
    return drawing


def _draw_deviations(axes: Axes, settings: Settings) -> None:
    constant, sizes = fluctuation(U, 2), np.array(settings.batches, dtype=float)
    predicted = f"linearised: ${constant:.3g}/\\sqrt{{B}}$"
    axes.loglog(sizes, constant / np.sqrt(sizes), color="0.3", ls=":", label=predicted)
    spread = [ratio(batch, 2, settings).value * constant / batch**0.5 for batch in settings.batches]
    axes.loglog(sizes, spread, "o", color="C1", label="batches of particles")
    axes.set(ylabel=r"rms of $\beta - \beta_\infty$")
