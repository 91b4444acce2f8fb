"""The group's figures and table."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, reference_line, ticks
from ams.samplers.presets import shades
from ams.targets import CLEAN
from ams_suite.drawn import save_drawn
from analysis.related_work import filter as wiener, fixed_time, inexact, schedules, study
from analysis.related_work.settings import Settings
from verdicts import Figure, Table


def inexact_bound(settings: Settings) -> Drawing:
    r"""The bound for inexact Langevin holds on Gaussians and cannot be improved, exact laws. Above: divergence at time
    $t$ against the bound of N1, for at most 3000 random affine score errors and starts, and after ascents towards it.
    Below: the stationary divergence over its bound. With $L = C$ the worst error is $x/2 + b$, $b \to \infty$; with a
    larger power in the moment a constant error, however small, attains it.
    """
    drawing, (above, below) = panels(2, 2.3)
    cases, few = inexact.random_tightness(settings.errors, settings.seed), slice(3000)
    ends = inexact.ascended(settings.climbers, settings.ascents, settings.seed + 2)
    random = (cases.bound[few], (cases.bound * cases.ratio)[few])
    above.loglog(*random, ".", ms=2, color="0.6", label="random errors", rasterized=True)
    above.loglog(ends.bound, ends.bound * ends.ratio, "x", color="C1", label="after the ascents")
    above.axline((1.0, 1.0), (10.0, 10.0), color="black", lw=1.0, label="the bound")
    above.set(xlim=(1e-3, 1e6), ylim=(1e-7, 1e6), xlabel="bound (nats)", ylabel=r"$\mathrm{KL}_t$ (nats)")
    legend_above(above)
    shifts = np.logspace(-2, 2, 40)
    for tilt, power, label, color in (
        (0.0, 1.0, "$e = b$, $L = C$", "C1"),
        (0.0, 2.0, r"$e = b$, $L = 2\,C$", "C0"),
        (0.0, 100.0, r"$e = b$, $L = 100\,C$", "C2"),
        (0.5, 1.0, "$e = x/2 + b$, $L = C$", "C1"),
    ):
        ratios = [inexact.tightness(inexact.worst_case(b, tilt), np.array([power])).ratio.item() for b in shifts]
        below.semilogx(shifts, ratios, color=color, ls="-" if tilt else "--", label=label)
    below.axhline(1.0, color="black", lw=1.0)
    below.set(xlabel="shift $b$ (s.d.)", ylabel=r"$\mathrm{KL}_\infty$ over its bound", ylim=(0, 1.05))
    legend_above(below)
    return drawing


def fixed_stopping_time(settings: Settings) -> Drawing:
    r"""The prediction-correction method on a Gaussian, its score wrong by a constant $e$.
    Above: final $W_2$ against the time $T_1$ at which the forward process stops (root mean square over the error's
    sign). The flow alone must take $T_1 \sim \log(1/|e|)$ and collects the score error on its way; with Langevin at
    $T_1$ a short one is best. Below: what $T_1 = 0.5$ with Langevin gains over the best $T_1$ without.
    """
    drawing, (above, below) = panels(2)
    labels = ("flow alone, exact score", "flow alone, $|e| = 0.01$", "corrected, $|e| = 0.01$")
    for (size, time), label in zip(study.RUNS, labels, strict=True):
        style = {"color": "C1" if size else "C0", "ls": "-" if time else "--"}
        above.semilogy(study.TIMES, fixed_time.final_w2s(size, study.TIMES, time), label=label, **style)
    above.axvline(fixed_time.FIXED, color="0.5", lw=0.8)
    above.text(fixed_time.FIXED + 0.1, 1.2e-3, "$T_1 = 0.5$", color="0.3")
    above.set(xlabel="$T_1$", ylabel="final $W_2$", ylim=(1e-3, 3))
    legend_above(above, 1)
    ratios = [fixed_time.gain(size).ratio for size in fixed_time.ERRORS]
    below.semilogx(fixed_time.ERRORS, ratios, "o-", color="C1")
    reference_line(below, 1.0, "no gain", right=False)
    below.set(xlabel="score error $|e|$", ylabel="$W_2$: best flow / corrected", ylim=(0, None))
    return drawing


def relaxation_time(settings: Settings) -> Drawing:
    """A little noise takes the barrier between modes away, so $T_1 > 0$. Langevin's relaxation time (one over its
    generator's gap) at time $T_1$ of the forward process, on the mixture .3/.7 at $-1/+1$, standard deviation 0.2.
    """
    drawing, (axes,) = panels()
    times = np.logspace(-3, 0.3, 40)
    relaxed = [fixed_time.relaxation_time(fixed_time.at_time(t)) for t in times]
    axes.loglog(times, relaxed, color="C0")
    on_data = fixed_time.relaxation_time(CLEAN)
    reference_line(axes, on_data, "on the data ($T_1 = 0$)")
    axes.set(xlabel="$T_1$", ylabel="relaxation time", ylim=(0.5, 5 * on_data))
    return drawing


def noise_schedules(settings: Settings) -> Drawing:
    r"""Noise schedules of the variance-exploding sampler, exact laws. Above: KL(target $\|$ run) (filled) and its path
    bound (open), exact scores, stiff target; joined where four budgets or more show a slope. The schedule that is best
    for the bound has the largest divergence. Below: KL of EDM's noise levels over the exponential ones' with a wrong
    score; below 1, EDM's are better.
    """
    drawing, (above, below) = panels(2, 2.3)
    budgets, joined = settings.budgets, "-" if len(settings.budgets) > 3 else ""
    for name, color, marker in zip(schedules.SCHEDULES, ("C0", "C1", "C2"), "os^", strict=True):
        runs = [schedules.outcomes("stiff", name, count, settings.sizes)[schedules.SHOWN] for count in budgets]
        exact = [run[settings.sizes.index(0.0)] for run in runs]
        style = {"color": color, "marker": marker, "ls": joined}
        above.loglog(budgets, [end.bound for end in exact], mfc="white", **style)
        above.loglog(budgets, [end.forward for end in exact], label=name, **style)
    above.loglog([], [], "o", color="0.4", mfc="white", label="path bound of each")
    above.set(xlabel="steps $N$", ylabel=r"KL(target $\|$ run), nats")
    ticks(above, budgets)
    legend_above(above)
    sizes = [size for size in settings.sizes if size]
    for number, target in enumerate(schedules.TARGETS, start=3):
        for count, line in ((min(budgets), ":"), (max(budgets), "-")):
            place = ("EDM", "exponential", target, schedules.SHOWN)
            ratios = [schedules.kl_ratio(settings, *place, size, count) for size in sizes]
            below.loglog(sizes, ratios, color=f"C{number}", ls=line, marker=".", label=target if line == "-" else None)
    below.loglog([], [], color="0.4", ls=":", label=f"$N = {min(budgets)}$ (else {max(budgets)})")
    below.axhline(1.0, color="black", lw=1.0)
    below.set(xlabel="error of the predicted noise", ylabel="KL: EDM / exponential", ylim=(0.55, 2.3))
    below.set_yticks([0.8, 1.0, 1.5, 2.0], labels=["0.8", "1", "1.5", "2"])
    below.yaxis.minorticks_off()
    legend_above(below)
    return drawing


def filter_gain(settings: Settings) -> Drawing:
    """Filtering the score inflates the variance, and slows the chain but for gains near 1. Langevin along a filtered
    score with gain $K$ and momentum coefficient $b$, exact law. Above: the stationary variance (the target's is 1).
    Below: rate (1 less the spectral radius) at the step whose bias is 10 %. $K = 1$ is Langevin; just below it the
    filter's own mode, of rate $1 - b$, may be the slower.
    """
    drawing, (above, below) = panels(2)
    gains, near = np.linspace(0.0, 1.0, 21), np.linspace(0.0, 0.999, 60)
    betas = (0.5, 0.8, 0.9)
    for beta, color in zip(betas, shades(len(betas)), strict=True):
        at = wiener.wiener_gain(beta)
        above.plot(
            gains, [wiener.law_moments(0.1, beta, gain)[0] for gain in gains], color=color, label=f"$b = {beta}$"
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
