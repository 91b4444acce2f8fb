"""The figures of momentum that does not cool: rates, the factor's lag, orders, and the comparisons of K8 and K9."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ams.samplers.palette import look
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.samplers import TAPERED, annealed_baoab, fixed
from analysis.kinetic_langevin.baselines import MEMORY, budgets
from analysis.kinetic_langevin.drift_calibration import factors
from analysis.kinetic_langevin.family import Kind
from analysis.kinetic_langevin.invariance_and_order import divergence
from analysis.kinetic_langevin.nfe_comparison import evaluations, reached
from analysis.kinetic_langevin.rates import best_rate, rate_without_memory, worst_radius
from analysis.kinetic_langevin.settings import Settings
from analysis.momentum.closed_forms import best_loss
from verdicts import Figure, save_figure

SHOWN = {
    Kind.EXACT: (
        "annealed BAOAB, e = 0",
        "annealed BAOAB, e = 1/2",
        MEMORY,
        "DPM-Solver++",
        "SDE-DPM-Solver++",
        "Heun ODE",
        "EDM stochastic",
        "ancestral",
        "annealed Langevin",
        "adaptive momentum",
    ),
    Kind.START: (
        "annealed BAOAB, e = 0",
        "annealed BAOAB, e = 1/2",
        MEMORY,
        "annealed BAOAB, u = 1.9",
        "annealed BAOAB, tapered, e = 0",
        "DPM-Solver++",
        "SDE-DPM-Solver++",
        "EDM stochastic",
        "annealed Langevin",
    ),
}


def draw_rates(settings: Settings) -> Drawing:
    """Steps to a tenth of the distance against the condition number: formulas (lines), the exact law (points)."""
    drawing = Drawing(figsize=(3.6, 2.9), layout="constrained")
    axes = drawing.subplots()
    conditions = np.logspace(0.3, 5.3, 100)

    def steps(rates: list[float] | np.ndarray) -> np.ndarray:
        return np.log(0.1) / np.log(rates)

    laws = [worst_radius(2 / (1 + k), best_rate(k) ** 2, (1.0, k**0.5, k)) for k in settings.conditions]
    plain = [worst_radius(2 / (1 + k), 0.0, (1.0, k)) for k in settings.conditions]
    axes.loglog(conditions, steps(rate_without_memory(conditions)), color="#0072B2", label="BAOAB, $e = 0$")
    axes.loglog(settings.conditions, steps(plain), "o", color="#0072B2", ms=3.5)
    cooled = [1.0 - best_loss(k) for k in settings.conditions]
    released = {**look("constant momentum"), "label": "released, variance within twice"}
    axes.loglog(settings.conditions, steps(cooled), **released)
    axes.loglog(conditions, steps(best_rate(conditions)), color="#009E73", label="BAOAB, best $e$: Chebyshev's bound")
    axes.loglog(settings.conditions, steps(laws), "D", color="#009E73", ms=3.5)
    axes.set(xlabel="condition number $k$", ylabel="steps to a tenth of the distance", ylim=(0.01, None))
    axes.legend(loc="lower right")
    return drawing


def draw_factors(settings: Settings) -> Drawing:
    """The drift's factor that undoes the lag, and the released one, against the budget."""
    drawing = Drawing(figsize=(3.6, 2.9), layout="constrained")
    axes = drawing.subplots()
    found = [factors(nfe) for nfe in settings.cooled]
    nfes = [each.nfe for each in found]
    axes.semilogx(nfes, [each.needed for each in found], "o-", color="#0072B2", label="needed: undoes the lag")
    released = {**look("adaptive momentum"), "label": r"released: mean $(1+\beta)^2$"}
    axes.semilogx(nfes, [each.released for each in found], **released)
    axes.set_xticks(nfes, [str(nfe) for nfe in nfes])
    axes.minorticks_off()
    axes.set(xlabel="score evaluations", ylabel="factor of the drift", ylim=(1, None))
    axes.legend(loc="lower left")
    return drawing


def draw_orders(settings: Settings) -> Drawing:
    """KL against evaluations on the stiff Gaussian, with lines of slope -2 and -4."""
    drawing = Drawing(figsize=(3.6, 2.9), layout="constrained")
    axes = drawing.subplots()
    ns = [n for n in budgets(max(settings.orders)) if n >= 14][::2]
    plain = {**look("annealed BAOAB, e = 1/2"), "color": "0.5", "label": "e = 1/2, not extrapolated"}
    for style, step, slope in (
        (look("annealed BAOAB, e = 0"), annealed_baoab(fixed(0.0)), None),
        (look("annealed BAOAB, e = 1/2"), annealed_baoab(fixed(0.5)), -4),
        (look("annealed BAOAB, tapered"), annealed_baoab(TAPERED), None),
        (plain, annealed_baoab(fixed(0.5), extrapolate=False), -2),
    ):
        found = [divergence(step, n) for n in ns]
        axes.loglog(ns, found, **{**style, "label": style["label"].split("l, ")[-1]})
        if slope:
            middle = ns[-1] / 2
            guide = 6.0 * found[-1] * (np.array([ns[-1] / 4, middle, ns[-1]]) / ns[-1]) ** slope
            axes.loglog([ns[-1] / 4, middle, ns[-1]], guide, color="0.3", lw=0.8)
            axes.annotate(f"$N^{{{slope}}}$", (middle, guide[1]), (2, 2), textcoords="offset points", color="0.3")
    shown = ns[:: max(1, len(ns) // 4)]
    axes.set_xticks(shown, [str(n) for n in shown])
    axes.minorticks_off()
    axes.set(xlabel="score evaluations $N$", ylabel="KL$/d$ (nats)")
    axes.legend(loc="lower left")
    return drawing


def draw_contest(settings: Settings) -> Drawing:
    """KL against evaluations of all samplers on the held-out family: exact scores, and a bad start."""
    drawing = Drawing(figsize=(7.4, 3.9), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    titles = {Kind.EXACT: "exact scores", Kind.START: "a bad start"}
    drawn: dict[str, Artist] = {}
    for axes, kind in zip(panels, titles, strict=True):
        _draw_kind(axes, settings, kind, drawn)
        axes.set(title=titles[kind], xlabel="score evaluations")
    panels[1].annotate("threshold", (10, settings.threshold), va="top", color="0.3", fontsize=8)
    panels[0].set(ylabel="KL$/d$ (nats), geometric mean", ylim=(1e-7, 3.0))
    drawing.legend(list(drawn.values()), list(drawn), loc="outside right center")
    return drawing


def _draw_kind(axes: Axes, settings: Settings, kind: Kind, drawn: dict[str, Artist]) -> None:
    grid = budgets(min(settings.budget, 320))[::2]
    for name in SHOWN[kind]:
        means = [float(reached(settings, kind, name, n).log().mean().exp()) for n in grid]
        (line,) = axes.loglog(grid, means, **look(name), lw=2.4 if name == MEMORY else 1.4)
        drawn.setdefault(name, line)
    axes.axhline(settings.threshold, color="0.3", lw=0.8)


def draw_memory(settings: Settings) -> Drawing:
    """Evaluations without memory over those with it, a point a held-out target, by kind of damage."""
    drawing = Drawing(figsize=(3.6, 2.9), layout="constrained")
    axes = drawing.subplots()
    rivals = {
        (Kind.EXACT, "annealed BAOAB, tapered, e = 0"): "exact scores",
        (Kind.HIGH, "annealed BAOAB, u = 1.9"): "scores scaled\nat high noise",
        (Kind.SHIFT, "annealed BAOAB, u = 1.9"): "scores shifted\nat high noise",
        (Kind.START, "annealed BAOAB, u = 1.9"): "bad start",
    }
    for row, (kind, rival) in enumerate(rivals):
        counts = [np.minimum(evaluations(settings, kind, name), settings.budget) for name in (rival, MEMORY)]
        ratio = counts[0] / counts[1]
        axes.semilogx(ratio, np.full(len(ratio), row), "|", ms=10, color="#009E73")
        axes.semilogx([np.exp(np.log(ratio).mean())], [row], "D", color="#D55E00", ms=5)
    axes.axvline(1.0, color="0.3", lw=0.8)
    axes.set_yticks(range(len(rivals)), list(rivals.values()))
    axes.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes.minorticks_off()
    axes.set(xlabel="evaluations without memory / with it", ylim=(-0.6, len(rivals) - 0.4), xlim=(0.7, 8))
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_rates(settings),
            folder,
            "rates",
            "The best rate over a spectrum of condition number $k$: formulas (lines), spectral radii of the exact law "
            r"(points). BAOAB has the target's variance throughout, and gains $\sqrt{k}$ by its memory. The released "
            "constant momentum gains nothing with $k$ where no variance may exceed twice the target's (G2c).",
            ("K2",),
        ),
        save_figure(
            draw_factors(settings),
            folder,
            "factors",
            "The drift's factor that annealed Langevin (T = 5, NCSNv2's step) needs to keep up with its noise levels, "
            "and the one that adaptive momentum gives it. They agree at one budget only; beyond it the law is cooled.",
            ("K6", "K6a"),
        ),
        save_figure(
            draw_orders(settings),
            folder,
            "orders",
            "The isothermal sampler on the stiff Gaussian, exact law. Without the extrapolation an order is lost.",
            ("K7a",),
        ),
        save_figure(
            draw_contest(settings),
            folder,
            "contest",
            f"Exact laws on the held-out family ({settings.targets} targets, d = {settings.directions}). Left, exact "
            "scores: what stirs least needs least (what does not stir at all keeps the start's error, 2e-6). Right, a "
            "start that is wrong in slow directions: only stirring that lasts repairs it, and memory shortens that.",
            ("K8", "K8a", "K8b", "K9"),
        ),
        save_figure(
            draw_memory(settings),
            folder,
            "memory",
            "What memory gains: evaluations of the best isothermal sampler without it over those at the TAPERED pace; "
            "a bar a held-out target, their geometric mean in red. Below 1, memory costs.",
            ("K8b", "K9"),
        ),
    ]
