"""The group's figures and table."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import panels
from ams.samplers.presets import shades
from ams.targets import CLEAN
from ams_suite.drawn import save_drawn
from analysis.related_work import filter as wiener, fixed_time, inexact, schedules, study
from analysis.related_work.settings import Settings
from verdicts import Figure, Table


def inexact_bound(settings: Settings) -> Drawing:
    r"""Inexact Langevin on Gaussians, exact laws.
    Left: divergence at time $t$ against the bound of N1, random affine score errors and starts, and after ascents
    towards it. Right: the stationary divergence over its bound. With $L = C$ the worst error is $x/2 + b$,
    $b \to \infty$; with a larger power in the moment a constant error, however small, attains it.
    """
    drawing, (left, right) = panels(2, 3.2)
    cases, few = inexact.random_tightness(settings.errors, settings.seed), slice(3000)
    ends = inexact.ascended(settings.climbers, settings.ascents, settings.seed + 2)
    random = (cases.bound[few], (cases.bound * cases.ratio)[few])
    left.loglog(*random, ".", ms=2, color="0.6", label="random errors", rasterized=True)
    left.loglog(ends.bound, ends.bound * ends.ratio, "x", ms=4, color="C1", label="after the ascents")
    left.axline((1.0, 1.0), (10.0, 10.0), color="black", lw=1.0, label="the bound")
    left.set(xlim=(1e-3, 1e6), ylim=(1e-7, 1e6), xlabel="bound (nats)", ylabel=r"$\mathrm{KL}_t$ (nats)")
    left.legend(loc="upper left")
    shifts = np.logspace(-2, 2, 40)
    for tilt, power, label, color in (
        (0.0, 1.0, "$e = b$, $L = C$", "C1"),
        (0.0, 2.0, r"$e = b$, $L = 2\,C$", "C0"),
        (0.0, 100.0, r"$e = b$, $L = 100\,C$", "C2"),
        (0.5, 1.0, "$e = x/2 + b$, $L = C$", "C1"),
    ):
        ratios = [inexact.tightness(inexact.worst_case(b, tilt), np.array([power])).ratio.item() for b in shifts]
        right.semilogx(shifts, ratios, color=color, ls="-" if tilt else "--", label=label)
    right.axhline(1.0, color="black", lw=1.0)
    right.set(xlabel="shift $b$ (per s.d.)", ylabel=r"$\mathrm{KL}_\infty$ over its bound", ylim=(0, 1.05))
    right.legend(loc="lower right", bbox_to_anchor=(1.0, 0.04))
    return drawing


def fixed_stopping_time(settings: Settings) -> Drawing:
    r"""The prediction-correction method on a Gaussian, its score wrong by a constant $e$.
    Left: final $W_2$ against the time $T_1$ at which the forward process stops (root mean square over the error's
    sign). The flow alone must take $T_1 \sim \log(1/|e|)$ and collects the score error on its way; with Langevin at
    $T_1$ a short one is best. Right: what $T_1 = 0.5$ with Langevin gains over the best $T_1$ without.
    """
    drawing, (left, right) = panels(2, 3.0)
    labels = ("flow alone, exact score", "flow alone, $|e| = 0.01$", "corrected, $|e| = 0.01$")
    for (size, time), label in zip(study.RUNS, labels, strict=True):
        style = {"color": "C1" if size else "C0", "ls": "-" if time else "--"}
        left.semilogy(study.TIMES, fixed_time.final_w2s(size, study.TIMES, time), label=label, **style)
    left.axvline(fixed_time.FIXED, color="0.5", lw=0.8)
    left.text(fixed_time.FIXED + 0.1, 1.1e-3, "$T_1 = 0.5$", color="0.3", fontsize=8)
    left.set(xlabel="$T_1$", ylabel="final $W_2$", ylim=(1e-3, 3))
    left.legend(loc="upper right", fontsize=7.5)
    ratios = [fixed_time.gain(size).ratio for size in fixed_time.ERRORS]
    right.semilogx(fixed_time.ERRORS, ratios, "o-", color="C1")
    right.axhline(1.0, color="black", lw=1.0)
    right.text(1.2e-4, 1.12, "no gain", fontsize=8)
    right.set(xlabel="score error $|e|$", ylabel="$W_2$: flow at its best $T_1$ / corrected", ylim=(0, None))
    return drawing


def relaxation_time(settings: Settings) -> Drawing:
    """Why $T_1 > 0$: Langevin's relaxation time (one over its generator's gap) at time $T_1$ of the forward process.
    On the mixture .3/.7 at $-1/+1$, standard deviation 0.2. A little noise takes the barrier away.
    """
    drawing, (axes,) = panels()
    times = np.logspace(-3, 0.3, 40)
    relaxed = [fixed_time.relaxation_time(fixed_time.at_time(t)) for t in times]
    axes.loglog(times, relaxed, color="C0", label="Langevin at $T_1$")
    on_data = fixed_time.relaxation_time(CLEAN)
    axes.axhline(on_data, color="0.4", lw=0.8, ls=":", label="on the data ($T_1 = 0$)")
    axes.set(xlabel="$T_1$", ylabel="relaxation time", ylim=(0.5, 3 * on_data))
    axes.legend(loc="lower left")
    return drawing


def noise_schedules(settings: Settings) -> Drawing:
    r"""Noise schedules of the variance-exploding sampler, exact laws.
    Left: KL(target $\|$ run) (lines; slope $-2$) and its path bound (dashed; slope $-1$), exact scores, stiff target.
    The schedule that is best for the bound has the largest divergence. Right: KL of EDM's noise levels over the
    exponential ones' with a wrong score; below 1, EDM's are better.
    """
    drawing, (left, right) = panels(2, 3.2)
    budgets = settings.budgets
    for name, color, marker in zip(schedules.SCHEDULES, ("C0", "C1", "C2"), "os^", strict=True):
        runs = [schedules.outcomes("stiff", name, count, settings.sizes)[schedules.SHOWN] for count in budgets]
        exact, style = [run[settings.sizes.index(0.0)] for run in runs], {"color": color, "marker": marker, "ms": 4}
        left.loglog(budgets, [end.bound for end in exact], ls="--", **style)
        left.loglog(budgets, [end.forward for end in exact], label=name, **style)
    left.loglog([], [], color="0.4", ls="--", label="path bound of each")
    left.set(xlabel="steps $N$", ylabel=r"KL(target $\|$ run), nats")
    left.set_xticks(budgets, labels=[str(count) for count in budgets])
    left.legend(loc="lower left", fontsize=7.5)
    sizes = [size for size in settings.sizes if size]
    for number, target in enumerate(schedules.TARGETS, start=3):
        for count, line in ((min(budgets), ":"), (max(budgets), "-")):
            place = ("EDM", "exponential", target, schedules.SHOWN)
            ratios = [schedules.kl_ratio(settings, *place, size, count) for size in sizes]
            right.loglog(sizes, ratios, color=f"C{number}", ls=line, marker=".", label=target if line == "-" else None)
    right.loglog([], [], color="0.4", ls=":", label=f"$N = {min(budgets)}$ (else {max(budgets)})")
    right.axhline(1.0, color="black", lw=1.0)
    right.set(xlabel="error of the predicted noise", ylabel="KL: EDM / exponential", ylim=(0.55, 2.3))
    right.set_yticks([0.8, 1.0, 1.5, 2.0], labels=["0.8", "1", "1.5", "2"])
    right.legend(loc="lower left", fontsize=7.5, ncols=2)
    for axes in (left, right):
        axes.minorticks_off()
    return drawing


def filter_gain(settings: Settings) -> Drawing:
    """Langevin along a filtered score with gain $K$ and momentum coefficient $b$, exact law.
    Left: the stationary variance (the target's is 1). Right: rate (1 less the spectral radius) at the step whose bias
    is 10 %. $K = 1$ is Langevin; just below it the filter's own mode, of rate $1 - b$, may be the slower.
    """
    drawing, (left, right) = panels(2, 2.8)
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


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {
        inexact_bound: ("N1",),
        fixed_stopping_time: ("N1b",),
        relaxation_time: ("N1b",),
        noise_schedules: ("N2", "N2b"),
        filter_gain: ("N3",),
    }
    return save_drawn(drawn, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return every outcome behind N2b."""
    return [schedules.table(settings)]
