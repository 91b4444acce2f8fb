"""Figures of the comparison: errors against evaluations and against the step, and the sensitivities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from ams.samplers.palette import look
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import withStroke

from ams.laws import GaussianLaw
from ams.laws.stationary import solved
from ams.metrics import gaussian_kl, gaussian_w2
from ams.samplers import adaptive, momentum_rule
from analysis.annealed import gaussian, sensitivity
from analysis.annealed import mixture as line
from analysis.annealed import mode_loss as modes
from analysis.annealed.nfe_to_threshold import BASELINE, KL, PAPER, W2, Case, track
from analysis.annealed.samplers import SAMPLERS, Hyperparameters, ladder
from analysis.annealed.settings import Settings
from analysis.momentum import variance_ratio

_SIZE = (7.2, 5.6)


def draw_errors(settings: Settings, samplers: Sequence[str]) -> Drawing:
    """KL and W2 on the Gaussian against evaluations: at the defaults, and tuned for each budget and error."""
    drawing = Drawing(figsize=_SIZE, layout="constrained")
    panels = drawing.subplots(2, 2, sharex="col", sharey="row")
    for axes, (case, tuned) in zip(panels.flat, [(KL, False), (KL, True), (W2, False), (W2, True)], strict=True):
        _tracks(axes, case, settings, samplers, tuned)
    panels[0, 0].set(title="at the defaults", ylabel=r"KL(law $\|$ target) (nats)", ylim=(1e-4, 20))
    panels[0, 1].set_title("tuned for each budget and error")
    panels[1, 0].set(ylabel="$W_2$", ylim=(1e-3, 5))
    for axes, budgets in zip(panels[1], (settings.budgets + settings.long, settings.tuned), strict=True):
        axes.set_xlabel("score evaluations (NFE)")
        ticks(axes, budgets)
    for axes, value in zip(panels[:, 0], cooled(), strict=True):
        _reference(axes, value, r"$\pi^4$")
    return _named(drawing, panels[0])


def ticks(axes: Axes, budgets: Sequence[int]) -> None:
    """Label a logarithmic axis by round budgets within the range of `budgets`."""
    shown = [at for at in (20, 50, 100, 200, 500, 1000, 2000) if min(budgets) <= at <= max(budgets)]
    axes.set_xticks(shown, [str(at) for at in shown])
    axes.minorticks_off()


def _reference(axes: Axes, value: float, name: str, right: bool = True, above: bool = True) -> None:
    """Draw a dotted line across, its name above or below its right or left end."""
    axes.axhline(value, color="0.4", lw=0.8, ls=(0, (1, 2)))
    text = axes.annotate(
        name,
        (float(right), value),
        (0 if right else 3, 1 if above else -1),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="bottom" if above else "top",
        ha="right" if right else "left",
        fontsize=8,
    )
    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])  # legible where curves pass


def cooled(power: float = 4.0) -> tuple[float, float]:
    """Return KL and W2 of `p^power` from the target p at the last level (claims G5 and A3)."""
    law = last_level()
    laws = (law.mean, law.variance / power, law.mean, law.variance, law.multiplicity)
    return gaussian_kl(*laws), gaussian_w2(*laws)


def last_level() -> GaussianLaw:
    """Return the target at the last level, as a target of its own."""
    law = gaussian.target()
    return GaussianLaw(law.variance + gaussian.ENDS.last**2, law.mean)


def _tracks(axes: Axes, case: Case, settings: Settings, samplers: Sequence[str], tuned: bool) -> None:
    for sampler in samplers:
        points = list(track(case, settings, sampler, tuned))
        axes.loglog([p.evaluations for p in points], [p.error for p in points], markersize=3.5, **look(sampler))


def draw_line(settings: Settings, samplers: Sequence[str]) -> Drawing:
    """KL on the mixture and the weight of its minority mode, against evaluations, at the defaults."""
    drawing = Drawing(figsize=(7.2, 3.6), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for sampler in samplers:
        left.loglog(*_resolved(settings, sampler), markersize=3.5, **look(sampler))
    left.set(ylabel=r"KL(law $\|$ target) (nats)", xlabel="score evaluations (NFE)", ylim=(1e-4, 3))
    for sampler in samplers:
        weights = [modes.weight(settings, sampler, budget) for budget in settings.line_budgets]
        right.semilogx(settings.line_budgets, [w.value for w in weights], markersize=3.5, **look(sampler))
    _reference(right, line.MINORITY, "target")
    for axes in (left, right):
        ticks(axes, settings.line_budgets)
        axes.set_xlim(0.9 * min(settings.line_budgets), 1.1 * max(settings.line_budgets))
    right.set(ylabel="weight of the minority mode", xlabel="score evaluations (NFE)", ylim=(0.18, 0.48))
    return _named(drawing, (left, right))


def _resolved(settings: Settings, sampler: str) -> tuple[list[int], list[float]]:
    """Return budgets and KL on the mixture, those that an estimate tells from 0."""
    found = {b: line.default_line_run(settings, sampler, b).errors.kl for b in settings.line_budgets}
    kept = [budget for budget, kl in found.items() if kl.low > 0.0 and kl.value < math.inf]
    return kept, [found[budget].value for budget in kept]


def draw_steps(settings: Settings) -> Drawing:
    """Errors against the step: stationary laws at the last level (lines) and annealed runs (markers)."""
    drawing = Drawing(figsize=(7.2, 3.8), layout="constrained")
    panels = drawing.subplots(1, 2)
    steps = np.logspace(math.log10(min(settings.sweep_steps)), math.log10(max(settings.sweep_steps)), 40)
    floors = {
        BASELINE: [stationary_errors(u, variance_ratio(_relative(u), 0.0)) for u in steps],
        "constant momentum": [stationary_errors(u, variance_ratio(_relative(u), 0.9)) for u in steps],
        PAPER: [stationary_errors(u, _adaptive_ratio(u)) for u in steps],
    }
    for axes, error, limit in zip(panels, (0, 1), cooled(), strict=True):
        for sampler, found in floors.items():
            label = f"{sampler}, stationary"
            axes.loglog(steps, [pair[error] for pair in found], color=look(sampler)["color"], lw=1.2, label=label)
        for sampler in floors:
            _runs_by_step(axes, settings, sampler, error)
        _reference(axes, limit, r"$\pi^4$")
        axes.set_xlabel(r"step $u = a/\sigma^2$ (the same at each level)")
    panels[0].set(ylabel=r"KL(law $\|$ target) (nats)", ylim=(1e-5, 30))
    panels[1].set(ylabel="$W_2$", ylim=(1e-4, 5))
    return _named(drawing, panels)


def stationary_errors(u: float, ratio: np.ndarray) -> tuple[float, float]:
    """Return KL and W2 of the law with variances `ratio` times the target's at the last level."""
    law = last_level()
    laws = (law.mean, law.variance * torch.from_numpy(ratio), law.mean, law.variance, law.multiplicity)
    return gaussian_kl(*laws), gaussian_w2(*laws)


def _relative(u: float) -> np.ndarray:
    """Return `a lambda` of each direction at the last level, for `a = u sigma^2`."""
    return u * gaussian.ENDS.last**2 / last_level().variance.numpy()


def _adaptive_ratio(u: float) -> np.ndarray:
    """Return adaptive momentum's stationary variances over the target's at the last level (solved)."""
    law = last_level()
    found = solved(law, momentum_rule(adaptive(1e-6)), u * gaussian.ENDS.last**2, 1 - 1e-6)
    return (found.variance / law.variance).numpy()


def _runs_by_step(axes: Axes, settings: Settings, sampler: str, error: int) -> None:
    """Draw annealed runs at the longest budget, by their step."""
    budget = max(settings.long)
    _, epsilon = ladder(gaussian.ENDS, budget // 5, 5)
    choices = [Hyperparameters(factor=u * gaussian.ENDS.last**2 / epsilon) for u in settings.sweep_steps]
    programs = [SAMPLERS[sampler].program(gaussian.ENDS, budget, choice) for choice in choices]
    errors = [found.errors for found in gaussian.stacked(choices, programs)]
    values = [(found.kl, found.w2)[error] for found in errors]
    label = f"{sampler}, run"
    axes.loglog(settings.sweep_steps, values, markersize=4, **{**look(sampler), "linestyle": "", "label": label})


def draw_snr(settings: Settings) -> Drawing:
    """KL against the corrector's snr at two budgets, beside the predictor alone."""
    drawing, panels = _two_panels(settings)
    for axes, budget in zip(panels, settings.probes, strict=True):
        for sampler in ("PC, Langevin", "PC, adaptive", "PC, constant"):
            _sweep(axes, settings.sweep_snr, sensitivity.over_snr(settings, sampler, budget), sampler)
        alone = gaussian.default_run("reverse diffusion", budget).errors.kl
        _reference(axes, alone, "reverse diffusion alone", right=False, above=False)
        axes.axvline(0.16, color="0.8", lw=0.8)
        axes.set_xlabel("snr (released: 0.16, grey line)")
    return _named(drawing, panels)


def draw_repeats(settings: Settings) -> Drawing:
    """KL against the steps a level, T, at two budgets."""
    drawing, panels = _two_panels(settings)
    for axes, budget in zip(panels, settings.probes, strict=True):
        for sampler in (BASELINE, PAPER, "adaptive, drift only", "Langevin, drift x1.5"):
            _sweep(axes, settings.sweep_repeats, sensitivity.over_repeats(settings, sampler, budget), sampler)
        axes.set_xlabel("steps a level, T (NFE / T levels)")
        axes.set_xticks([1, 2, 5, 10, 30], ["1", "2", "5", "10", "30"])
        axes.minorticks_off()
        axes.set_ylim(1e-3, 1e2)
    return _named(drawing, panels)


def draw_delta(settings: Settings) -> Drawing:
    """Adaptive momentum's KL against the clip delta of `beta <= 1 - delta`."""
    drawing = Drawing(figsize=(4.2, 3.2), layout="constrained")
    axes = drawing.subplots()
    for number, budget in enumerate(settings.probes):
        found = sensitivity.over_delta(settings, budget)
        axes.loglog(settings.sweep_delta, found, color=f"C{number}", marker="so"[number], label=f"{budget} NFE")
    axes.axvline(1e-3, color="0.8", lw=0.8)
    axes.set_ylim(0.01, 10)
    axes.set(xlabel=r"clip $\delta$ (released: $10^{-3}$, grey line)", ylabel=r"KL(law $\|$ target) (nats)")
    axes.legend()
    return drawing


def draw_batch(settings: Settings) -> Drawing:
    """Adaptive momentum's KL against the size of the batch that its norms average over, on both targets."""
    drawing = Drawing(figsize=(7.2, 3.2), layout="constrained")
    panels = drawing.subplots(1, 2)
    for number, budget in enumerate(settings.probes):
        for axes, over in zip(panels, (sensitivity.over_batch, sensitivity.line_over_batch), strict=True):
            value, low, high, _ = np.array(over(settings, budget)).T
            style = {"color": f"C{number}", "marker": "so"[number], "label": f"{budget} NFE"}
            axes.errorbar(settings.sweep_batch, value, [value - low, high - value], **style)
        _reference(panels[0], gaussian.default_run(PAPER, budget).errors.kl, "mean field", right=False)
    for axes, title in zip(panels, ("Gaussian, d = 16 (from moments)", "mixture, d = 1"), strict=True):
        axes.set(title=title, xscale="log", yscale="log", xlabel="batch size (1: each sample its own damping)")
        axes.set_xticks(settings.sweep_batch, [str(size) for size in settings.sweep_batch])
        axes.minorticks_off()
    panels[0].set_ylabel(r"KL(law $\|$ target) (nats)")
    panels[0].legend()
    return drawing


def _two_panels(settings: Settings) -> tuple[Drawing, Sequence[Axes]]:
    drawing = Drawing(figsize=(7.2, 3.4), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    for axes, budget in zip(panels, settings.probes, strict=True):
        axes.set_title(f"{budget} evaluations")
    panels[0].set_ylabel(r"KL(law $\|$ target) (nats)")
    return drawing, panels


def _sweep(axes: Axes, at: Sequence[float], errors: Sequence[float], sampler: str) -> None:
    axes.loglog(at, errors, markersize=4, **look(sampler))


def _named(drawing: Drawing, panels: Sequence[Axes]) -> Drawing:
    drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return drawing
