"""The group's figures and tables: rates, drift factors, orders, and the comparisons of K8 and K9."""

from collections.abc import Iterator, Sequence
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from ams.plots import budget_ticks, legend_above, panels, reference_line, ticks
from ams.samplers import looks
from ams.statistics import mean_interval
from ams_suite.drawn import save_drawn, tabled
from analysis.momentum.closed_forms import best_loss
from beyond.kinetic_langevin import invariance_and_order, samplers, score_error_robustness, study
from beyond.kinetic_langevin.drift_calibration import drift_factors
from beyond.kinetic_langevin.family import Kind
from beyond.kinetic_langevin.invariance_and_order import gaussian_divergence
from beyond.kinetic_langevin.nfe_comparison import CONFIDENCE, FEW, MANY, ON_THE_MIXTURE, evaluations, mixture_kl, third
from beyond.kinetic_langevin.rates import best_rate, rate_without_momentum, worst_radius
from beyond.kinetic_langevin.samplers import DECAYING, DECAYING_HALF, MOMENTUM, SAME_WITHOUT
from beyond.kinetic_langevin.settings import Settings
from verdicts import Figure, Table
from verdicts.records.figures import TableCell

TITLES = {
    Kind.EXACT: "exact scores",
    Kind.HIGH: "scores scaled at high noise",
    Kind.SHIFT: "scores shifted at high noise",
    Kind.START: "bad start",
    Kind.LOW: "scores scaled at low noise",
}
"""What each kind of problem is."""
LOOKS = looks.LOOKS | looks.looks({"Annealed BAOAB": {SAME_WITHOUT: (looks.SKY, "v", "-.")}})
"""The looks of the suite's samplers, and of the group's own that is drawn."""
ORDERS = ("order", "order of each step", "order on the mixture")
"""Orders that the kit measures, as it calls them."""
_BLUE, _GREEN = (LOOKS[name].colour for name in ("annealed Langevin", MOMENTUM))


def kinetic_rates(settings: Settings) -> Drawing:
    r"""Unbiased momentum accelerates Langevin by $\sqrt{k}$, the authors' constant momentum does not. Steps to a tenth
    of the distance at the best rate over a spectrum of condition number $k$: formulas (lines), radii of the exact law
    (markers). BAOAB has the target's variance throughout; constant momentum is held to variances of at most twice the
    target's.
    """
    drawing, (axes,) = panels()
    conditions, shown = np.logspace(0.3, 5.3, 100), settings.conditions

    def steps(rates: list[float] | np.ndarray) -> np.ndarray:
        return np.log(0.1) / np.log(rates)

    with_momentum = [worst_radius(2 / (1 + k), best_rate(k) ** 2, (1.0, k**0.5, k)) for k in shown]
    without = [worst_radius(2 / (1 + k), 0.0, (1.0, k)) for k in shown]
    constant = LOOKS["constant momentum"].style("constant momentum, variance at most doubled")
    axes.loglog(conditions, steps(rate_without_momentum(conditions)), color=_BLUE, label="BAOAB, $e = 0$")
    axes.loglog(shown, steps(without), "o", color=_BLUE)
    axes.loglog(shown, steps([1.0 - best_loss(k) for k in shown]), **constant)
    axes.loglog(conditions, steps(best_rate(conditions)), color=_GREEN, label="BAOAB, best $e$: Chebyshev's bound")
    axes.loglog(shown, steps(with_momentum), "D", color=_GREEN)
    axes.set(xlabel="condition number $k$", ylabel="steps to a tenth")
    legend_above(axes, 1)
    return drawing


def factors(settings: Settings) -> Drawing:
    """Adaptive momentum's drift factor is right at one budget alone. The constant drift factor with which annealed
    Langevin follows its noise levels without lag falls with the budget; adaptive momentum's mean factor does not, so
    that at larger budgets the variance is too small. T = 5, NCSNv2's step, exact law.
    """
    drawing, (axes,) = panels()
    nfes = settings.factor_budgets
    needed, authors = zip(*(drift_factors(nfe) for nfe in nfes), strict=True)
    axes.semilogx(nfes, needed, "o-", color=_BLUE, label="Langevin: needed to undo the lag")
    axes.semilogx(nfes, authors, **LOOKS["adaptive momentum"].style(r"adaptive momentum: mean $(1+\beta)^2$"))
    axes.set(xlabel="score evaluations (NFE)", ylabel="drift factor", ylim=(1, None))
    ticks(axes, nfes)
    legend_above(axes, 1)
    return drawing


def kinetic_orders(settings: Settings) -> Drawing:
    r"""Annealed BAOAB on the stiff Gaussian, exact law: error against score evaluations $N$, with reference slopes.
    KL falls as $N^{-4}$; without the extrapolation, or with refreshment that does not decay (tapered), an order of the
    sampler is lost, and KL falls as $N^{-2}$.
    """
    drawing, (axes,) = panels(height=2.4)
    budgets = study.order_budgets(settings)
    styles: dict[str, tuple[dict[str, Any], int]] = {
        "e = 0": (LOOKS[DECAYING].style(), 0),
        "e = 1/2": (LOOKS[DECAYING_HALF].style(), -4),
        "tapered": (LOOKS[MOMENTUM].style(), 0),
        "e = 1/2, not extrapolated": (LOOKS[DECAYING_HALF].style() | {"color": "0.5"}, -2),
    }
    for variant, (style, slope) in styles.items():
        errors = [gaussian_divergence(variant, n) for n in budgets]
        axes.loglog(budgets, errors, **(style | {"label": variant}))
        if slope:
            middle = budgets[-1] / 2
            at = np.array([middle / 2, middle, 2 * middle])
            guide = 6.0 * errors[-1] * (at / budgets[-1]) ** slope
            axes.loglog(at, guide, color="0.3", lw=0.8)
            axes.annotate(f"$N^{{{slope}}}$", (middle, guide[1]), (2, 2), textcoords="offset points", color="0.3")
    axes.set(xlabel="score evaluations $N$", ylabel="KL$/d$ (nats)")
    budget_ticks(axes, budgets)
    legend_above(axes)
    return drawing


def nfe_comparison(settings: Settings) -> Drawing:
    """Exact laws on the third family of Gaussians, d = 16: geometric mean of the error over the targets. Above, exact
    scores: a sampler without noise needs the fewest evaluations, until the start's error is left. Below, a start that
    is wrong in slow directions: corrections with momentum, or restarts, correct it; a curve without noise stays.
    """
    drawing, both = panels(2, 3.1)
    titles = {Kind.EXACT: "Exact scores", Kind.START: "A bad start"}
    for axes, (kind, names) in zip(both, study.SHOWN.items(), strict=True):
        for name in names:
            errors = samplers.curve(name, third(settings, kind), settings.budget)
            budgets = samplers.first_budgets(len(errors))
            axes.loglog(budgets, np.exp(np.log(errors).mean(axis=1)), **LOOKS[name].style())
        axes.set(xlabel="score evaluations (NFE)", ylabel="KL$/d$ (nats)", ylim=(1e-7, 3.0))
        ticks(axes, samplers.budgets(settings.budget)[1::2])
        reference_line(axes, samplers.THRESHOLD, "threshold", right=False, above=False)
        legend_above(axes, title=titles[kind])
    return drawing


def momentum_ratios(settings: Settings) -> Drawing:
    """Momentum saves evaluations where the start is wrong, or scores at high noise, and costs some elsewhere.
    Evaluations without momentum over those with it, on targets drawn after the settings were fixed: a bar per target, a
    diamond for their geometric mean. Above in each row a correction at one noise level (prediction-correction over the
    critically damped corrector), below tapered annealed BAOAB and its own refreshment. Right of 1 momentum saves
    evaluations, left of 1 it costs some.
    """
    drawing, (axes,) = panels()
    names = {kind: title.replace(" at", "\nat") for kind, title in TITLES.items()}
    for (row, kind), (shift, pair) in product(enumerate(names), zip((-0.17, 0.17), study.PAIRS, strict=True)):
        without, momentum = (np.minimum(evaluations(settings, kind, name), settings.budget) for name in pair)
        ratio, colour = without / momentum, LOOKS[pair[1]].colour
        axes.semilogx(ratio, np.full(len(ratio), row + shift), "|", ms=8, color=colour)
        axes.semilogx([np.exp(np.log(ratio).mean())], [row + shift], "D", color="black", ms=4)
    axes.axvline(1.0, color="0.3", lw=0.8)
    axes.set_yticks(range(len(names)), list(names.values()))
    axes.set(xlabel="NFE without / with momentum", ylim=(-0.6, len(names) - 0.4), xlim=(0.5, 16))
    ticks(axes, [1, 2, 4, 8, 16])
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {
        kinetic_rates: ("K2",),
        factors: ("K6", "K6a"),
        kinetic_orders: ("K7a",),
        nfe_comparison: ("K8", "K8a", "K8b", "K9"),
        momentum_ratios: ("K8b", "K9"),
    }
    return save_drawn(drawn, folder, settings)


def tables(settings: Settings) -> list[Table]:
    """Return the group's tables: evaluations on the third family, a table for each kind of problem."""
    values: dict[str, Any] = {"targets": settings.targets, "largest": settings.budget}
    kinds = [Kind(name) for name in settings.compared]
    header = ("sampler", *(f"{kind}: {what}" for kind in kinds for what in ("evaluations", "Langevin time")))
    tables = [tabled(kinetic_time, header, ("K12",), settings, kinds, **values)]
    header = ("sampler", *(f"{threshold:g}" for threshold in samplers.THRESHOLDS))
    claims = ("K8", "K8a", "K8b", "K8e", "K9", "K9d", "K9e", "K9f")
    for kind in kinds:
        named = {"name": f"kinetic_{kind}", "kind": TITLES[kind].capitalize()}
        tables.append(tabled(evaluations_until, header, claims, settings, kind, **named, **values))
    if settings.tuned:
        header = ("sampler", *(f"{budget} evaluations" for budget in (FEW, MANY)))
        tables.append(tabled(kinetic_mixture, header, ("K11",), settings))
        header = ("sampler", "verdict", "stated order", *ORDERS)
        tables.append(tabled(kinetic_conformance, header, ("K14",)))
    return tables


def kinetic_time(settings: Settings, kinds: Sequence[Kind]) -> Iterator[tuple[TableCell, ...]]:
    """Refreshment beside cost: evaluations and Langevin time to KL$/d = 10^{-4}$, geometric mean over {targets}
    Gaussians drawn after all settings were fixed (the third family). Exact: exact scores; high and shift: scores scaled
    or shifted at high noise; start: a bad start; low: scores scaled at low noise (the fourth family). Where some
    targets never reach it, the time of {largest} evaluations stands for theirs. A run that follows a reverse SDE has
    one Langevin time.
    """

    def columns(name: str, kind: Kind) -> tuple[str, str]:
        if name in score_error_robustness.REVERSE:
            time = score_error_robustness.time_of_reverse_sde(
                score_error_robustness.REVERSE[name], third(settings, kind).sigmas
            )
            shown = f"{time:.2g}, at any number"
        else:
            shown = f"{np.exp(np.log(score_error_robustness.times(settings, kind, name)).mean()):.3g}"
        return _mean(evaluations(settings, kind, name), settings.budget), shown

    for name in (*score_error_robustness.HELD, *samplers.SCHEDULES, *score_error_robustness.REVERSE):
        if name in samplers.COMPARED:
            yield name, *chain.from_iterable(columns(name, kind) for kind in kinds)


def kinetic_mixture(settings: Settings) -> Iterator[tuple[TableCell, ...]]:
    """A mixture of two modes, exact scores: KL (nats), exact, or by particles with an interval of confidence
    $1 - 10^{-6}$.
    """
    for name in ON_THE_MIXTURE:
        kls = [mixture_kl(settings, name, budget) for budget in (FEW, MANY)]
        yield name, *(f"{kl.value:.5f}" + (f" [{kl.low:.5f}, {kl.high:.5f}]" if kl.n > 1 else "") for kl in kls)


def kinetic_conformance() -> Iterator[tuple[TableCell, ...]]:
    """The conformance kit on the samplers of K8 and K9: the order that the source states, and the measured ones with
    their intervals: of the marginals of a Gaussian, of each step past the start, and of points on a mixture.
    """
    for name in invariance_and_order.CONFORMING:
        report = invariance_and_order.conformance(name)
        orders = [report.orders.get(order) for order in ORDERS]
        shown = ("{:.2f} [{:.2f}, {:.2f}]".format(*order) if order else "" for order in orders)
        yield name, report.verdict, report.stated or "", *shown


def evaluations_until(settings: Settings, kind: Kind) -> Iterator[tuple[TableCell, ...]]:
    """{kind}: evaluations until KL$/d$ (nats) falls to each threshold, geometric mean over {targets} Gaussians drawn
    after all settings were fixed, with Student's interval; where some never reach it, {largest} stands for theirs.
    """
    for name in samplers.COMPARED:
        counts = [evaluations(settings, kind, name, threshold) for threshold in samplers.THRESHOLDS]
        yield name, *(_mean(each, settings.budget) for each in counts)


def _mean(counts: np.ndarray, largest: int) -> str:
    """Return the geometric mean of evaluations with its interval; where some are infinite, a lower bound and how many.

    The largest budget stands for the evaluations of a run that fails.
    """
    never, finite = int(np.isinf(counts).sum()), np.minimum(counts, largest)
    if never == len(counts):
        return "never"
    value, low, high = np.exp(mean_interval(np.log(finite), CONFIDENCE)[:3])
    return f"> {value:.1f} ({never} never)" if never else f"{value:.1f} [{low:.1f}, {high:.1f}]"
