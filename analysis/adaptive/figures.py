"""The figures of adaptive momentum. The docstring of a function that draws is its figure's caption."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import panels
from ams.samplers.presets import SPECS
from ams_suite.drawn import save_drawn
from analysis.adaptive import closed_forms
from analysis.adaptive.linearisation import fluctuation, ratio
from analysis.adaptive.settings import Settings
from analysis.adaptive.study import U, stationary_at, variances_by_batch_size
from analysis.momentum.closed_forms import variance_ratio
from verdicts import Figure

_STEP, _VARIANCE = r"step $u = a\lambda$", r"$\lambda\,\mathrm{Var}\,x$"


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {fixed_point: ("A2", "P1a"), bias: ("P1b", "P1c"), small_steps: ("A3", "P1b", "P1c"), batches: ("A5",)}
    return save_drawn(drawn, folder, settings)


def fixed_point(settings: Settings) -> Drawing:
    r"""Adaptive momentum on an isotropic Gaussian: A2's fixed point (lines) and the exact mean field (points). As
    $u \to 0$ the variance tends to $1/4$ of the target's: the limit is $\pi^4$.
    """
    drawing, (axes,) = panels()
    us, points = (np.logspace(-4, math.log10(0.499), count) for count in (120, 12))
    betas = np.array([closed_forms.stationary_momentum(u) for u in us])
    exact = [stationary_at(u) for u in points]
    axes.semilogx(us, betas, color="C0", label=r"$\beta$")
    axes.semilogx(us, variance_ratio(us, betas), color="C1", label=_VARIANCE)
    axes.plot(points, [each.beta for each in exact], "o", ms=3, color="C0")
    axes.plot(points, [each.variance.item() for each in exact], "s", ms=3, color="C1")
    axes.axhline(1.0, color="0.4", lw=0.8)
    axes.axhline(0.25, color="0.4", lw=0.8, ls=":")
    axes.text(0.25, 0.17, r"$\pi^4$", color="0.3")
    axes.set(xlabel=_STEP, ylim=(0, 1.4))
    axes.legend()
    return drawing


def bias(settings: Settings) -> Drawing:
    r"""Stationary bias on $N(0, 1/\lambda)$ against the step, by the closed forms (G3, A2). Langevin's vanishes with
    the step. Momentum's tends to a constant: $b/(1+b)$, and $1/2$ for the adaptive rule. Each momentum curve dips at
    its one unbiased step, $u = 0.1691$ for the adaptive rule.
    """
    drawing, (axes,) = panels()
    us = np.logspace(-6, math.log10(0.45), 401)
    adaptive = np.array([closed_forms.stationary_momentum(u) for u in us])
    for sampler, label, beta in (
        ("annealed Langevin", "Langevin", np.zeros(1)),
        ("constant momentum", "constant momentum, $b = 0.9$", np.full(1, 0.9)),
        ("adaptive momentum", "adaptive momentum", adaptive),
    ):
        look = {**SPECS[sampler].look(), "label": label}
        axes.loglog(us, abs(variance_ratio(us, beta) ** 0.5 - 1), markevery=50, markersize=4, **look)
    axes.set(xlabel=_STEP, ylabel=r"$W_2$ to the target (its s.d.)", ylim=(1e-7, 3))
    axes.legend(loc="lower right")
    return drawing


def small_steps(settings: Settings) -> Drawing:
    r"""Adaptive momentum on an isotropic Gaussian, exact. Left: a smaller step leads away from the target, to $\pi^4$;
    Langevin's leads to it. Right: the approach to the limit $1/4$ is of order $\sqrt{u}$.
    """
    drawing, (left, right) = panels(2)
    root, first = np.linspace(0.0, 1.0, 4001)[1:-1], 33 * math.sqrt(2) / 4
    unbiased = closed_forms.unbiased_step()
    us = closed_forms.step_of(root)
    left.semilogx(us, variance_ratio(us, root**2), color="C1", label="adaptive momentum")
    left.semilogx(us, (1 + first * np.sqrt(us)) / 4, color="0.3", ls=":", label=r"$\frac{1}{4}(1 + 11.67\sqrt{u})$")
    left.semilogx(us, variance_ratio(us, 0.0), color="C0", label="Langevin")
    left.axhline(1.0, color="0.5", lw=0.8)
    left.plot([unbiased], [1.0], "o", color="C1", ms=5)
    text = f"unbiased: $u = {unbiased:.4f}$"
    left.annotate(text, (unbiased, 1.0), (3e-5, 1.13), arrowprops={"arrowstyle": "-", "lw": 0.7})
    left.set(xlabel=_STEP, ylabel=_VARIANCE, xlim=(1e-6, 0.5), ylim=(0.2, 1.4))
    left.legend(loc="center left")
    points = np.logspace(-9, -1, 17)
    away = [4 * stationary_at(u).variance.item() - 1 for u in points]
    right.loglog(points, away, "o", color="C1", ms=4, label="exact law")
    right.loglog(points, first * np.sqrt(points), color="0.3", ls=":", label=r"$\frac{33\sqrt{2}}{4}\sqrt{u}$")
    right.set(xlabel=_STEP, ylabel=r"$4\,\lambda\,\mathrm{Var}\,x - 1$")
    right.legend(loc="upper left")
    return drawing


def batches(settings: Settings) -> Drawing:
    r"""Finite batches, two dimensions, $u = 0.05$. Left: the rms distance of the momentum coefficient from the mean
    field's falls as $B^{-1/2}$, with the constant that linearisation gives. Right: the bias of the variance falls as
    $1/B$. It is seen by letting batches of $B$ and $2B$ share their draws (bars: one standard error).
    """
    drawing, (left, right) = panels(2)
    _draw_deviations(left, settings)
    sizes = np.array(settings.coupled_batches[:-1], dtype=float)
    means = variances_by_batch_size(settings.coupled_batches, settings.coupled_steps, settings.seed)
    change, error = np.diff(means.mean(0)), np.diff(means, axis=1).std(0, ddof=1) / len(means) ** 0.5
    right.loglog(sizes, change[0] * sizes[0] / sizes, color="0.3", ls=":", label="slope $-1$")
    right.errorbar(sizes, change, error, fmt="o", color="C1", label=r"$E_{2B} - E_B$, common draws")
    right.set_yticks(change, [f"{value:.2g}" for value in change])
    right.set(ylabel=f"change of {_VARIANCE}", title="variance")
    for axes, ticks in ((left, settings.batches), (right, settings.coupled_batches[:-1])):
        axes.set_xlabel("batch size $B$")
        axes.set_xticks(ticks, [str(size) for size in ticks])
        axes.minorticks_off()
        axes.legend(loc="upper right")
    return drawing


def _draw_deviations(axes: Axes, settings: Settings) -> None:
    constant, sizes = fluctuation(U, 2), np.array(settings.batches, dtype=float)
    predicted = f"linearised: ${constant:.4f}/\\sqrt{{B}}$"
    axes.loglog(sizes, constant / np.sqrt(sizes), color="0.3", ls=":", label=predicted)
    spread = [ratio(batch, 2, settings).value * constant / batch**0.5 for batch in settings.batches]
    axes.loglog(sizes, spread, "o", color="C1", label="batches of particles")
    axes.set(ylabel=r"rms of $\beta - \beta_\infty$", title="momentum coefficient")
    axes.set_yticks(spread, [f"{value:.3g}" for value in spread])
