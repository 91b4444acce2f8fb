"""The group's figures."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels, reference_line
from ams.targets import CLEAN
from ams_suite.drawn import save_drawn
from related.prediction_correction import (
    equal_cost as equal_cost_of,
    fixed_time,
    inexact,
    study,
    truncated,
)
from related.prediction_correction.settings import Settings
from verdicts import Figure


def inexact_bound(settings: Settings) -> Drawing:
    r"""The bound for inexact Langevin holds on Gaussians and cannot be improved, exact laws. Above:
    divergence at time $t$ against the bound of N1, for at most 3000 random affine score errors and
    starts, and after ascents towards it. Below: the stationary divergence over its bound. With $L =
    C$ the worst error is $x/2 + b$, $b \to \infty$; with a larger power in the moment a constant
    error, however small, attains it.
    """
    drawing, (above, below) = panels(2, 2.3)
    cases, few = inexact.random_tightness(settings.errors, settings.seed), slice(3000)
    ends = inexact.ascended(settings.climbers, settings.ascents, settings.seed + 2)
    random = (cases.bound[few], (cases.bound * cases.ratio)[few])
    above.loglog(*random, ".", ms=2, color="0.6", label="random errors", rasterized=True)
    above.loglog(ends.bound, ends.bound * ends.ratio, "x", color="C1", label="after the ascents")
    above.axline((1.0, 1.0), (10.0, 10.0), color="black", lw=1.0, label="the bound")
    above.set(
        xlim=(1e-3, 1e6), ylim=(1e-7, 1e6), xlabel="bound (nats)", ylabel=r"$\mathrm{KL}_t$ (nats)"
    )
    legend_above(above)
    shifts = np.logspace(-2, 2, 40)
    for tilt, power, label, color in (
        (0.0, 1.0, "$e = b$, $L = C$", "C1"),
        (0.0, 2.0, r"$e = b$, $L = 2\,C$", "C0"),
        (0.0, 100.0, r"$e = b$, $L = 100\,C$", "C2"),
        (0.5, 1.0, "$e = x/2 + b$, $L = C$", "C1"),
    ):
        ratios = [
            inexact.tightness(inexact.worst_case(b, tilt), np.array([power])).ratio.item()
            for b in shifts
        ]
        below.semilogx(shifts, ratios, color=color, ls="-" if tilt else "--", label=label)
    below.axhline(1.0, color="black", lw=1.0)
    below.set(
        xlabel="shift $b$ (s.d.)", ylabel=r"$\mathrm{KL}_\infty$ over its bound", ylim=(0, 1.05)
    )
    legend_above(below)
    return drawing


def fixed_stopping_time(settings: Settings) -> Drawing:
    r"""The prediction-correction method on a Gaussian, its score wrong by a constant $e$. Above:
    final $W_2$ against the time $T_1$ at which the forward process stops (root mean square over the
    error's sign). The flow alone must take $T_1 \sim \log(1/|e|)$ and collects the score error on
    its way; with Langevin at $T_1$ a short one is best. Below: what $T_1 = 0.5$ with Langevin gains
    over the best $T_1$ without.
    """
    drawing, (above, below) = panels(2)
    labels = ("flow alone, exact score", "flow alone, $|e| = 0.01$", "corrected, $|e| = 0.01$")
    for (size, time), label in zip(study.RUNS, labels, strict=True):
        style = {"color": "C1" if size else "C0", "ls": "-" if time else "--"}
        above.semilogy(
            study.TIMES, fixed_time.final_w2s(size, study.TIMES, time), label=label, **style
        )
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
    """A little noise takes the barrier between modes away, so $T_1 > 0$. Langevin's relaxation time
    (one over its generator's gap) at time $T_1$ of the forward process, on the mixture .3/.7 at
    $-1/+1$, standard deviation 0.2.
    """
    drawing, (axes,) = panels()
    times = np.logspace(-3, 0.3, 40)
    relaxed = [fixed_time.relaxation_time(fixed_time.at_time(t)) for t in times]
    axes.loglog(times, relaxed, color="C0")
    on_data = fixed_time.relaxation_time(CLEAN)
    reference_line(axes, on_data, "on the data ($T_1 = 0$)")
    axes.set(xlabel="$T_1$", ylabel="relaxation time", ylim=(0.5, 5 * on_data))
    return drawing


def equal_cost(settings: Settings) -> Drawing:
    r"""Forty evaluations in all, K of them as corrections at $T_1$ (the best K for each $T_1$,
    filled) or none (open), against the score's error $|e|$. Above: $W_2$ on the mixture by $T_1$,
    for two errors. Below: the best $T_1$ on the Gaussian and on the mixture. With corrections a
    wide range of $T_1$ serves; without, the best one is sharp and grows as the error falls.
    """
    drawing, (above, below) = panels(2, 2.3)
    sizes = [size for size in settings.score_errors if size]
    for size, color in ((max(sizes), "C1"), (sizes[(len(sizes) - 1) // 2], "C0")):
        w2s = study.TARGETS["mixture"](settings, size)
        for kept, fill in ((True, color), (False, "white")):
            line = study.envelope(w2s, kept)
            above.loglog(
                *zip(*line, strict=True),
                "o-",
                color=color,
                mfc=fill,
                label=f"$|e| = {size:g}$" if kept else None,
            )
    above.plot([], [], "o", color="0.4", label="with corrections")
    above.plot([], [], "o", color="0.4", mfc="white", label="flow alone")
    above.axvline(equal_cost_of.FIXED, color="0.5", lw=0.8)
    above.text(1.1 * equal_cost_of.FIXED, 1.2, f"$T_1 = {equal_cost_of.FIXED}$", color="0.3")
    above.set(xlabel="$T_1$", ylabel="final $W_2$, mixture")
    legend_above(above)
    for target, marker in (("Gaussian", "o"), ("mixture", "s")):
        for choose, color, name in (
            (study.corrected, "C1", "corrected"),
            (study.alone, "C0", "flow alone"),
        ):
            times = study.best_times(settings, target, choose)
            below.loglog(sizes, times, marker + "-", color=color, label=f"{target}, {name}")
    below.set(xlabel="score error $|e|$", ylabel="best $T_1$")
    legend_above(below)
    return drawing


def truncated_bound(settings: Settings) -> Drawing:
    r"""Langevin along a truncated score on two-mode mixtures, random errors that grow linearly far
    away: the divergence over the bound of N1 by the mean square error. No point is above 1. The
    ratio hardly depends on the error: at early times the start's part of the bound decides.
    """
    drawing, (axes,) = panels()
    cases = truncated.random_cases(settings.truncated, settings.seed)
    axes.loglog(cases.error, cases.square, "o", color="C0", ms=3)
    reference_line(axes, 1.0, "the bound", right=False)
    axes.set(
        xlabel="mean square error of the truncated score",
        ylabel=r"$\mathrm{KL}_t$ over the bound",
        ylim=(None, 3),
    )
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {
        inexact_bound: ("N1",),
        fixed_stopping_time: ("N1b",),
        relaxation_time: ("N1b",),
        equal_cost: ("N1c", "N1d"),
        truncated_bound: ("N1",),
    }
    return save_drawn(drawn, folder, settings)
