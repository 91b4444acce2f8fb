"""The group's figures and tables."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from ams.samplers.presets import SPECS, LineMethod
from ams.statistics.nfe_to_threshold import nfe_to_threshold
from analysis.annealed import drawing
from analysis.annealed.nfe_to_threshold import KL, LINE_KL, LINE_W2, W2, Case, curve, speed_up
from analysis.annealed.settings import BASELINE, CAUSES, OTHERS, PAPER, RIVALS, TABULATED, Settings
from verdicts import Figure, Table, save_figure
from verdicts.records.figures import Cell

_ALL = ("P2", "B1", "B2", "B3", "B4")


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    gaussian = "Gaussian, d = 16, condition number 1000, exact distributions: errors against score evaluations"
    mixture = "Mixture .3/.7 at -1/+1, modes of s.d. 0.1: KL and the minority mode's weight"
    drawn: list[tuple[str, Callable[[], Drawing], str, tuple[str, ...]]] = [
        (
            "annealed_causes",
            lambda: drawing.draw_errors(settings, CAUSES),
            f"{gaussian}. The drift factor alone (black) does as adaptive momentum; a constant one of 1.5 does more; "
            "averaging alone or noise to match the drift gain nothing. At the defaults the error turns and grows "
            r"towards that of $\pi^4$.",
            ("P2", "B1", "B2", "B3"),
        ),
        (
            "annealed_rivals",
            lambda: drawing.draw_errors(settings, RIVALS),
            f"{gaussian}. Consistent annealed sampling, Heun's and EDM's method need fewer; Heun's floor is the "
            "start's.",
            ("B4",),
        ),
        (
            "annealed_others",
            lambda: drawing.draw_errors(settings, OTHERS),
            f"{gaussian}. Constant momentum, tuned, dips where its too small variance cancels the lag.",
            ("B4",),
        ),
        (
            "annealed_mixture_causes",
            lambda: drawing.draw_line(settings, CAUSES),
            f"{mixture}, at the defaults: Langevin by its density on a grid, the others by particles. A tempered "
            "target has a smaller minority mode.",
            ("B3", "B5"),
        ),
        (
            "annealed_mixture_rivals",
            lambda: drawing.draw_line(settings, RIVALS),
            f"{mixture}, at the defaults: density on a grid, moved quantiles (Heun) or particles, where these tell KL "
            "from 0.",
            ("B4", "B5"),
        ),
        (
            "annealed_steps",
            lambda: drawing.draw_steps(settings),
            "Errors against the step on the Gaussian. Lines: stationary distributions at the last noise level (G3 at "
            "b = 0 and 0.9; the adaptive mean field, solved for). Markers: annealed runs of "
            f"{max(settings.long)} evaluations, T = 5. "
            r"Langevin's floor falls with the step, momentum's rises to that of $\pi^4$ (A3; close to it G5 at 0.9).",
            ("B1", "P2"),
        ),
        (
            "sensitivity_snr",
            lambda: drawing.draw_snr(settings),
            "Sensitivity to the corrector's signal-to-noise ratio (Gaussian, exact).",
            ("B2",),
        ),
        (
            "sensitivity_T",
            lambda: drawing.draw_repeats(settings),
            "Sensitivity to the steps per noise level at NCSNv2's step (Gaussian, exact).",
            ("B2",),
        ),
        (
            "sensitivity_delta",
            lambda: drawing.draw_delta(settings),
            r"Sensitivity of adaptive momentum to the clip $\delta$ (Gaussian, exact): none below 0.3.",
            ("P3",),
        ),
        (
            "sensitivity_batch",
            lambda: drawing.draw_batch(settings),
            "Sensitivity of adaptive momentum to the batch that its norms average over (particles; bars: jackknife "
            "intervals at a false-alarm rate of 1e-6; dotted: the exact mean field). From 25 samples on none is seen.",
            ("B2",),
        ),
    ]
    wanted = [entry for entry in drawn if not settings.drawn or entry[0] in settings.drawn]
    return [save_figure(draw(), folder, name, caption, claims) for name, draw, caption, claims in wanted]


def tables(settings: Settings) -> list[Table]:
    """Return evaluations to thresholds, for each target and error, and the speed-ups behind P2 and B2."""
    everything = settings.tabulated or TABULATED
    known = [sampler for sampler in everything if _has_w2(sampler)]
    return [
        needed_table(settings, KL, everything, settings.kl, "needed_gaussian_kl"),
        needed_table(settings, W2, everything, settings.w2, "needed_gaussian_w2"),
        needed_table(settings, LINE_KL, everything, settings.line_kl, "needed_mixture_kl"),
        needed_table(settings, LINE_W2, known, settings.w2, "needed_mixture_w2"),
        speed_table(settings),
    ]


def needed_table(settings: Settings, case: Case, samplers: Sequence[str], errors: Sequence[float], name: str) -> Table:
    """Return evaluations to each threshold, at the defaults and tuned; empty where the budgets do not reach it."""
    rows = tuple(
        (s, *(_cell(curve(case, settings, s, tuned), error) for tuned in (False, True) for error in errors))
        for s in samplers
    )
    caption = (
        f"{case.name}: score evaluations to each threshold, log-log between budgets; the smallest budget, "
        f"{min(case.tuned(settings))}, is an upper bound. Tuned for each budget and error, up to "
        f"{max(case.tuned(settings))} evaluations, over: {_grid(case.searched(settings))}."
    )
    header = ("sampler", *(f"{error:g}" for error in errors), *(f"{error:g}, tuned" for error in errors))
    return Table(id=name, caption=caption, header=header, rows=rows, claims=_ALL)


def _grid(settings: Settings) -> str:
    """Return what tuning tries, in words."""
    return (
        f"T in {_list(settings.repeats)} and NCSNv2's step times {_list(settings.factors)}; snr in "
        f"{_list(settings.snrs)}; noise levels geometric or with EDM's exponent in {_list(settings.rhos[1:])}; churn "
        f"in {_list(settings.churns)}; constant momentum in {_list(settings.betas)}; drift of consistent annealed "
        f"sampling, in units of the flow's, in {_list(settings.drift_scales)}; RK45 by its tolerance"
    )


def _has_w2(sampler: str) -> bool:
    """Tell whether a sampler's W2 on the mixture is known: particles' own noise in the weights would drown it."""
    return SPECS[sampler].line_method is not LineMethod.PARTICLES


def _cell(points: Iterable[tuple[float, float]], error: float) -> Cell:
    evaluations = nfe_to_threshold(points, error)
    return round(evaluations) if math.isfinite(evaluations) else ""


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def speed_table(settings: Settings) -> Table:
    """Return adaptive momentum's error by budget and how many times as many evaluations annealed Langevin needs."""
    cases = ((KL, False), (KL, True), (W2, False), (W2, True), (LINE_KL, False), (LINE_KL, True))
    budgets = sorted({*settings.budgets, *settings.line_budgets} & set(range(201)))
    rows = tuple((b, *(_speed_cell(case, settings, b, tuned) for case, tuned in cases)) for b in budgets)
    header = ("NFE", *(f"{case.name}{', tuned' if tuned else ''}" for case, tuned in cases))
    caption = (
        f"How many times as many evaluations {BASELINE} needs for the error of {PAPER}, both at the defaults or both "
        "tuned. Empty: that budget was not run, or annealed Langevin does not get there within its budgets."
    )
    return Table(id="speed_up", caption=caption, header=header, rows=rows, claims=("P2", "B2"))


def _speed_cell(case: Case, settings: Settings, budget: int, tuned: bool) -> Cell:
    if budget not in (case.tuned(settings) if tuned else case.budgets(settings, PAPER)):
        return ""
    ratio = speed_up(case, settings, budget, tuned)
    return round(ratio, 2) if math.isfinite(ratio) else ""
