"""Figures of the comparison: errors against evaluations and against the step, and the sensitivities."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import budget_ticks, error_against_nfe, legend_below, reference_line
from ams.samplers.presets import DEFAULT, SPECS
from analysis.annealed import gaussian, mixture, mode_loss, stationary_floor, study
from analysis.annealed.nfe_to_threshold import KL, W2, curve, default_line_run
from analysis.annealed.settings import PAPER, Settings

_SIZE = (7.2, 5.6)
_KL_LABEL = r"KL(run $\|$ target) (nats)"


def draw_errors(settings: Settings, samplers: Sequence[str]) -> Drawing:
    """KL and W2 on the Gaussian against evaluations: at the defaults, and tuned for each budget and error."""
    drawing = Drawing(figsize=_SIZE, layout="constrained")
    panels = drawing.subplots(2, 2, sharex="col", sharey="row")
    for axes, (case, tuned) in zip(panels.flat, [(KL, False), (KL, True), (W2, False), (W2, True)], strict=True):
        error_against_nfe(axes, {name: curve(case, settings, name, tuned) for name in samplers})
        axes.set_xlabel("")
    panels[0, 0].set(title="at the defaults", ylabel=_KL_LABEL, ylim=(1e-4, 20))
    panels[0, 1].set_title("tuned for each budget and error")
    panels[1, 0].set(ylabel="$W_2$", ylim=(1e-3, 5))
    for axes, budgets in zip(panels[1], (settings.budgets + settings.long, settings.tuned), strict=True):
        axes.set_xlabel("score evaluations (NFE)")
        budget_ticks(axes, budgets)
    tempered = gaussian.tempered_errors()
    for axes, value in zip(panels[:, 0], (tempered.kl, tempered.w2), strict=True):
        reference_line(axes, value, r"$\pi^4$")
    legend_below(drawing, panels[0, 0])
    return drawing


def draw_line(settings: Settings, samplers: Sequence[str]) -> Drawing:
    """KL on the mixture and the weight of its minority mode, against evaluations, at the defaults."""
    drawing = Drawing(figsize=(7.2, 3.6), layout="constrained")
    left, right = drawing.subplots(1, 2)
    error_against_nfe(left, {name: _resolved(settings, name) for name in samplers})
    weights = {
        name: [(b, mode_loss.minority_weight(settings, name, b).value) for b in settings.line_budgets]
        for name in samplers
    }
    error_against_nfe(right, weights, logarithmic=False)
    reference_line(right, mixture.MINORITY, "target")
    for axes in (left, right):
        budget_ticks(axes, settings.line_budgets)
        axes.set_xlim(0.9 * min(settings.line_budgets), 1.1 * max(settings.line_budgets))
    left.set(ylabel=_KL_LABEL, ylim=(1e-4, 3))
    right.set(ylabel="weight of the minority mode", ylim=(0.18, 0.48))
    legend_below(drawing, left)
    return drawing


def _resolved(settings: Settings, sampler: str) -> list[tuple[float, float]]:
    """Return budgets and KL on the mixture, where an estimate differs from 0."""
    estimates = {b: default_line_run(settings, sampler, b).errors.kl for b in settings.line_budgets}
    return [(b, kl.value) for b, kl in estimates.items() if kl.low > 0.0 and kl.value < math.inf]


def draw_steps(settings: Settings) -> Drawing:
    """Errors against the step: stationary distributions at the last noise level (lines), annealed runs (markers)."""
    drawing = Drawing(figsize=(7.2, 3.8), layout="constrained")
    panels = drawing.subplots(1, 2)
    steps, tempered = stationary_floor.steps(settings), gaussian.tempered_errors()
    for axes, kind in zip(panels, ("kl", "w2"), strict=True):
        for sampler in stationary_floor.SAMPLERS:
            floor = [getattr(errors, kind) for errors in study.stationary_errors(sampler, steps)]
            axes.loglog(steps, floor, color=SPECS[sampler].colour, lw=1.2, label=f"{sampler}, stationary")
        for sampler in stationary_floor.SAMPLERS:
            runs = study.gaussian_runs(sampler, max(settings.long), study.steps_at(settings))
            values = [getattr(run.errors, kind) for run in runs]
            style = {**SPECS[sampler].look(), "linestyle": "", "label": f"{sampler}, run"}
            axes.loglog(settings.sweep_steps, values, markersize=4, **style)
        reference_line(axes, getattr(tempered, kind), r"$\pi^4$")
        axes.set_xlabel(r"step $u = a/\sigma^2$, one value for all noise levels")
    panels[0].set(ylabel=_KL_LABEL, ylim=(1e-5, 30))
    panels[1].set(ylabel="$W_2$", ylim=(1e-4, 5))
    legend_below(drawing, panels[0])
    return drawing


def _draw_sweep(settings: Settings, field: str, values: Sequence[float]) -> tuple[Drawing, Sequence[Axes]]:
    """KL on the Gaussian at two budgets against one hyperparameter, for the samplers that have it."""
    drawing = Drawing(figsize=(7.2, 3.4), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    for axes, budget in zip(panels, settings.probes, strict=True):
        for sampler, along in study.sweeps(settings):
            if getattr(along[0], field) == values[0]:
                errors = [run.errors.kl for run in study.gaussian_runs(sampler, budget, along)]
                axes.loglog(values, errors, markersize=4, **SPECS[sampler].look())
        axes.set_title(f"{budget} evaluations")
    panels[0].set_ylabel(_KL_LABEL)
    legend_below(drawing, panels[0])
    return drawing, panels


def draw_snr(settings: Settings) -> Drawing:
    """KL against the corrector's snr at two budgets, beside the predictor alone."""
    drawing, panels = _draw_sweep(settings, "snr", settings.sweep_snr)
    for axes, budget in zip(panels, settings.probes, strict=True):
        alone = study.gaussian_runs("reverse diffusion", budget, (DEFAULT,))[0].errors.kl
        reference_line(axes, alone, "reverse diffusion alone", right=False, above=False)
        axes.axvline(0.16, color="0.8", lw=0.8)
        axes.set_xlabel("snr (authors' code: 0.16, grey line)")
    return drawing


def draw_repeats(settings: Settings) -> Drawing:
    """KL against the steps per noise level, T, at two budgets."""
    drawing, panels = _draw_sweep(settings, "repeats", settings.sweep_repeats)
    for axes in panels:
        axes.set_xlabel("steps per noise level, T (NFE / T levels)")
        axes.set_xticks([1, 2, 5, 10, 30], ["1", "2", "5", "10", "30"])
        axes.minorticks_off()
        axes.set_ylim(1e-3, 1e2)
    return drawing


def draw_delta(settings: Settings) -> Drawing:
    """Adaptive momentum's KL against the clip delta of `beta <= 1 - delta`."""
    drawing = Drawing(figsize=(4.2, 3.2), layout="constrained")
    axes = drawing.subplots()
    *_, (sampler, along) = study.sweeps(settings)
    for number, budget in enumerate(settings.probes):
        errors = [run.errors.kl for run in study.gaussian_runs(sampler, budget, along)]
        axes.loglog(settings.sweep_delta, errors, color=f"C{number}", marker="so"[number], label=f"{budget} NFE")
    axes.axvline(1e-3, color="0.8", lw=0.8)
    axes.set_ylim(0.01, 10)
    axes.set(xlabel=r"clip $\delta$ (authors' code: $10^{-3}$, grey line)", ylabel=_KL_LABEL)
    axes.legend()
    return drawing


def draw_batch(settings: Settings) -> Drawing:
    """Adaptive momentum's KL against the size of the batch that its norms average over, on both targets."""
    drawing = Drawing(figsize=(7.2, 3.2), layout="constrained")
    panels = drawing.subplots(1, 2)
    for number, budget in enumerate(settings.probes):
        by_size = [study.batch_sensitivity(budget, size, study.sizes_of(settings)) for size in settings.sweep_batch]
        for axes, intervals in zip(panels, zip(*by_size, strict=True), strict=True):
            value, low, high, _ = np.array(intervals).T
            style = {"color": f"C{number}", "marker": "so"[number], "label": f"{budget} NFE"}
            axes.errorbar(settings.sweep_batch, value, [value - low, high - value], **style)
        alone = study.gaussian_runs(PAPER, budget, (DEFAULT,))[0].errors.kl
        reference_line(panels[0], alone, "mean field", right=False)
    for axes, title in zip(panels, ("Gaussian, d = 16 (from moments)", "mixture, d = 1"), strict=True):
        axes.set(title=title, xscale="log", yscale="log", xlabel="batch size (1: a momentum coefficient per sample)")
        axes.set_xticks(settings.sweep_batch, [str(size) for size in settings.sweep_batch])
        axes.minorticks_off()
    panels[0].set_ylabel(_KL_LABEL)
    panels[0].legend()
    return drawing
