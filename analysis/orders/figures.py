"""The group's figures: distances against the step, what the small steps lead to, and the densities themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ams.samplers.palette import look
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from analysis.orders.laws import (
    Ladder,
    adaptive_ladder,
    adaptive_law,
    averaged_ladder,
    constant_ladder,
    langevin_ladder,
    of_power,
)
from analysis.orders.mode_loss import STEP
from analysis.orders.settings import Settings
from verdicts import Figure, save_figure

_UPWARD = 3  # rungs drawn above those that an order is read from
_MOMENTUM = 0.8  # of the curve that stands for constant momentum
_NODES = 8  # of the momentum, as in claim B5a
_ORDERS = {"Langevin": 1.0, "Leimkuhler-Matthews": 2.0, "constant momentum": 1.0, "adaptive momentum": 0.5}


def ladders(settings: Settings) -> dict[str, Ladder]:
    """Return each sampler's ladder, with larger steps put before those that its order rests on."""
    above = settings.model_copy(update={"rungs": _UPWARD})
    scale = 2**_UPWARD

    def longer(ladder: Callable[[Settings], Ladder], top: str) -> Ladder:
        larger = ladder(above.model_copy(update={top: scale * getattr(settings, top)}))
        return Ladder(*(one + other for one, other in zip(larger, ladder(settings), strict=True)))

    return {
        "Langevin": longer(langevin_ladder, "langevin"),
        "Leimkuhler-Matthews": longer(averaged_ladder, "averaged"),
        "constant momentum": longer(lambda s: constant_ladder(s, _MOMENTUM), "excess"),
        "adaptive momentum": longer(adaptive_ladder, "adaptive"),
    }


def drawn(sampler: str) -> dict[str, Any]:
    """Return how a sampler's curve is drawn, its limit in the label."""
    limit = {"constant momentum": f" ($b = {_MOMENTUM:g}$), to $\\pi^c$", "adaptive momentum": r", to $\pi^{c(a)}$"}
    return {**look(sampler), "label": sampler + limit.get(sampler, r", to $\pi$"), "markersize": 3.5}


def draw_orders(settings: Settings) -> Drawing:
    """W2 and KL to each sampler's own limit against the step, with triangles of the orders."""
    drawing = Drawing(figsize=(6.8, 3.6), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for sampler, ladder in ladders(settings).items():
        left.loglog(ladder.steps, ladder.w2, **drawn(sampler))
        right.loglog(ladder.steps, ladder.kl, **drawn(sampler))
        below = _ORDERS[sampler] >= 1.0
        draw_order(left, ladder.steps, ladder.w2, _ORDERS[sampler], below)
        draw_order(right, ladder.steps, ladder.kl, 2 * _ORDERS[sampler], below)
    left.set(xlabel="step $a$", ylabel="$W_2$ to its own limit", ylim=(1e-8, None))
    right.set(xlabel="step $a$", ylabel="KL to its own limit (nats)")
    drawing.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawing


def draw_order(axes: Axes, steps: list[float], errors: list[float], order: float, below: bool) -> None:
    """Draw a triangle of slope `order` at the last two points of a curve, below or above it."""
    left, right = steps[-1], steps[-2]
    top = errors[-2] * (1 / 2.2 if below else 2.2)
    bottom = top * (left / right) ** order
    corner = (right, bottom) if below else (left, top)
    axes.fill([left, right, corner[0]], [bottom, top, corner[1]], color="0.6", lw=0)
    axes.annotate(
        f"{order:g}",
        corner,
        xytext=(3, 0) if below else (-3, 0),
        textcoords="offset points",
        color="0.3",
        fontsize=8,
        ha="left" if below else "right",
        va="bottom" if below else "top",
    )


def draw_departure(settings: Settings) -> Drawing:
    """W2 to the target itself against the step: momentum leaves it as the step shrinks."""
    drawing = Drawing(figsize=(3.8, 3.5), layout="constrained")
    axes = drawing.subplots()
    for sampler, ladder in ladders(settings).items():
        label = f"constant momentum, $b = {_MOMENTUM:g}$" if sampler == "constant momentum" else sampler
        axes.loglog(ladder.steps, ladder.target_w2, **{**drawn(sampler), "label": label})
    axes.set(xlabel="step $a$", ylabel=r"$W_2$ to the target $\pi$", ylim=(1e-8, 3))
    drawing.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, columnspacing=1.0)
    return drawing


def draw_densities() -> Drawing:
    """Adaptive momentum's mean-field law on the mixture, between the target and its powers."""
    drawing = Drawing(figsize=(3.6, 2.8), layout="constrained")
    axes = drawing.subplots()
    found = adaptive_law(STEP, _NODES)
    c = (1 + found.beta) ** 2
    for power, label, colour in ((1.0, r"target $\pi$", "0.45"), (4.0, r"$\pi^4/Z$, the limit", "0.75")):
        curve = of_power(power)
        axes.plot(curve.nodes, curve.values, color=colour, label=label)
    axes.plot(found.stationary.density.nodes, found.stationary.density.values, color=look("adaptive momentum")["color"], label="law")
    cooled = of_power(c)
    axes.plot(cooled.nodes, cooled.values, "--", color="black", lw=1, label=f"$\\pi^c/Z$, $c = {c:.2f}$")
    axes.set(xlabel="$x$", ylabel="density", xlim=(-2.8, 2.8))
    axes.legend(loc="upper left")
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    return [
        save_figure(
            draw_orders(settings),
            folder,
            "orders",
            r"Distance of the stationary law to its own limit on the mixture, exact laws on grids. Triangles: the "
            r"orders of B6 and K5. Langevin and Leimkuhler-Matthews tend to the target $\pi$, momentum to its powers.",
            ("B6", "K5"),
        ),
        save_figure(
            draw_departure(settings),
            folder,
            "departure",
            r"The same laws' distance to the target: momentum with the noise outside it leaves $\pi$ as the step "
            r"shrinks.",
            ("B6", "P1b"),
        ),
        save_figure(
            draw_densities(),
            folder,
            "densities",
            f"Adaptive momentum at one level ($a = {STEP:g}$, mean field) on the mixture: it samples a power of the "
            r"target, and the minority mode keeps 0.192 of 0.309.",
            ("B5a", "B6"),
        ),
    ]
