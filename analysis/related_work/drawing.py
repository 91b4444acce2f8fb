"""The figures of the neighbouring papers' claims."""

from __future__ import annotations

import numpy as np
from ams.samplers.presets import shades
from matplotlib.figure import Figure as Drawing

from ams.targets import CLEAN
from analysis.related_work import filter as wiener
from analysis.related_work import fixed_time, inexact, relaxation, schedules
from analysis.related_work.settings import Settings


def draw_bound(settings: Settings) -> Drawing:
    """N1: left, KL_t against its bound, random errors and the ascents' ends; right, the worst family in its shift."""
    drawing = Drawing(figsize=(6.4, 3.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    case = inexact.random_cases(min(settings.errors, 3000), settings.seed)
    limit, (climbed, ratio) = inexact.bound(case), inexact.climbed(settings)
    left.loglog(limit, limit * inexact.tightness(case), ".", ms=2, color="0.6", label="random errors", rasterized=True)
    ends = inexact.bound(climbed)
    left.loglog(ends, ends * ratio, "x", ms=4, color="C1", label="after the ascents")
    left.axline((1.0, 1.0), (10.0, 10.0), color="black", lw=1.0, label="the bound")
    left.set(xlim=(1e-3, 1e6), ylim=(1e-7, 1e6), xlabel="bound (nats)", ylabel=r"$\mathrm{KL}_t$ (nats)")
    left.legend(loc="upper left")
    shifts = np.logspace(-2, 2, 40)
    for power, name, color in ((1.0, "C", "C1"), (2.0, r"2\,C", "C0"), (100.0, r"100\,C", "C2")):
        found = [inexact.tightness(constant_error(shift), np.array([power])).item() for shift in shifts]
        right.semilogx(shifts, found, color=color, ls="--", label=f"$e = b$, $L = {name}$")
    worst = [inexact.tightness(inexact.worst_case(shift)).item() for shift in shifts]
    right.semilogx(shifts, worst, color="C1", label="$e = x/2 + b$, $L = C$")
    right.axhline(1.0, color="black", lw=1.0)
    right.set(xlabel="shift $b$ (per s.d.)", ylabel=r"$\mathrm{KL}_\infty$ over its bound", ylim=(0, 1.05))
    right.legend(loc="lower right", bbox_to_anchor=(1.0, 0.04))
    return drawing


def constant_error(shift: float) -> inexact.Case:
    """Return the case of a constant error on N(0, 1), t -> infinity."""
    worst = inexact.worst_case(shift)
    return worst._replace(problem=worst.problem._replace(tilt=0 * worst.problem.tilt))


def draw_fixed_time() -> Drawing:
    """N1b: left, the final error against T1; right, what a fixed T1 gains against the score error."""
    law, drawing = fixed_time.target(), Drawing(figsize=(6.4, 3.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    times = np.linspace(0.25, 8.0, 14)
    runs = (
        (0.0, 0.0, "C0", "--", "flow alone, exact score"),
        (1e-2, 0.0, "C1", "--", "flow alone, $|e| = 0.01$"),
        (1e-2, 40.0, "C1", "-", "corrected, $|e| = 0.01$"),
    )
    for size, time, color, line, label in runs:
        errors = [fixed_time.final_error(law, size, t, time) for t in times]
        left.semilogy(times, errors, color=color, ls=line, label=label)
    left.axvline(fixed_time.FIXED, color="0.5", lw=0.8)
    left.text(fixed_time.FIXED + 0.1, 1.1e-3, "$T_1 = 0.5$", color="0.3", fontsize=8)
    left.set(xlabel="$T_1$", ylabel="final $W_2$", ylim=(1e-3, 3))
    left.legend(loc="upper right", fontsize=7.5)
    ratio = {size: found.ratio for size, found in fixed_time.gains().items()}
    right.semilogx(list(ratio), list(ratio.values()), "o-", color="C1")
    right.axhline(1.0, color="black", lw=1.0)
    right.text(1.2e-4, 1.12, "no gain", fontsize=8)
    right.set(xlabel="score error $|e|$", ylabel="$W_2$: flow at its best $T_1$ / corrected", ylim=(0, None))
    return drawing


def draw_relaxation() -> Drawing:
    """N1b: Langevin's relaxation time on the two-mode mixture against T1."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    times = np.logspace(-3, 0.3, 40)
    found = [relaxation.relaxation_time(fixed_time.at_time(t)) for t in times]
    axes.loglog(times, found, color="C0", label="Langevin at $T_1$")
    on_data = relaxation.relaxation_time(CLEAN)
    axes.axhline(on_data, color="0.4", lw=0.8, ls=":", label="on the data ($T_1 = 0$)")
    axes.set(xlabel="$T_1$", ylabel="relaxation time", ylim=(0.5, 3 * on_data))
    axes.legend(loc="lower left")
    return drawing


def draw_schedules(settings: Settings) -> Drawing:
    """N2, N2b: left, divergence and bound against N, exact scores; right, EDM over exponential against the error."""
    drawing = Drawing(figsize=(6.4, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    found, model = schedules.outcomes(settings), "noise off by a vector"
    looks = zip(schedules.SCHEDULES, ("C0", "C1", "C2"), ("o", "s", "^"), strict=True)
    for name, color, marker in looks:
        ends = [found[schedules.Cell("stiff", model, 0.0, count), name] for count in settings.budgets]
        left.loglog(settings.budgets, [end.bound for end in ends], color=color, ls="--", marker=marker, ms=4)
        left.loglog(settings.budgets, [end.target_law for end in ends], color=color, marker=marker, ms=4, label=name)
    left.loglog([], [], color="0.4", ls="--", label="path bound of each")
    left.set(xlabel="steps $N$", ylabel=r"KL(target $\|$ law), nats")
    left.set_xticks(settings.budgets, labels=[str(count) for count in settings.budgets])
    left.minorticks_off()
    left.legend(loc="lower left", fontsize=7.5)
    ratios, sizes = schedules.compared(settings, "EDM", "exponential"), [size for size in settings.sizes if size]
    for number, target in enumerate(schedules.TARGETS):
        for count, line in ((min(settings.budgets), ":"), (max(settings.budgets), "-")):
            curve = [ratios[schedules.Cell(target, model, size, count)] for size in sizes]
            label = target if line == "-" else None
            right.loglog(sizes, curve, color=f"C{number + 3}", ls=line, marker=".", label=label)
    right.loglog([], [], color="0.4", ls=":", label=f"$N = {min(settings.budgets)}$ (else {max(settings.budgets)})")
    right.axhline(1.0, color="black", lw=1.0)
    right.set(xlabel="error of the predicted noise", ylabel="KL: EDM / exponential", ylim=(0.55, 2.3))
    right.set_yticks([0.8, 1.0, 1.5, 2.0], labels=["0.8", "1", "1.5", "2"])
    right.minorticks_off()
    right.legend(loc="lower left", fontsize=7.5, ncols=2)
    return drawing


def draw_filter(settings: Settings) -> Drawing:
    """N3: left, the stationary variance against the gain; right, the contraction at a bias of 10 %."""
    drawing = Drawing(figsize=(6.4, 2.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    gains, below = np.linspace(0.0, 1.0, 21), np.linspace(0.0, 0.999, 60)
    betas = (0.5, 0.8, 0.9)
    for beta, color in zip(betas, shades(len(betas)), strict=True):
        at = wiener.wiener_gain(beta)
        left.plot(gains, [wiener.law_moments(0.1, beta, gain)[0] for gain in gains], color=color, label=f"$b = {beta}$")
        left.plot(at, wiener.law_moments(0.1, beta, at)[0], "o", ms=5, color=color)
        right.plot(below, [wiener.rate(0.1, beta, gain) for gain in below], color=color)
    left.plot([], [], "o", color="0.4", ms=5, label="Wiener gain $(1-b)/2$")
    left.axhline(1 / 0.95, color="black", lw=1.0, label="Langevin ($K = 1$)")
    right.axhline(wiener.rate(0.1, 0.0, 1.0), color="black", lw=1.0)
    left.set(xlabel="gain $K$", ylabel=r"$\lambda\,\mathrm{Var}\,x$ at $u = 0.1$")
    right.set(xlabel="gain $K$", ylabel="rate per step at 10 % bias", ylim=(0, None))
    left.legend()
    return drawing
