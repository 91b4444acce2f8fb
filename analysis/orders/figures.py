"""The group's figures: distances against the step, what small steps lead to, and the densities
themselves.
"""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from ams.plots import legend_above, panels
from ams.samplers import looks
from ams_suite.drawn import save_drawn
from analysis.orders.settings import Settings
from analysis.orders.study import LARGER, SHOWN, SHOWN_BETA, distances, halvings, mean_field_density
from analysis.targets import of_power
from verdicts import Figure

LOOKS = looks.LOOKS | {"Langevin": looks.LOOKS["annealed Langevin"]}
"""The looks of the samplers by the group's names: at one noise level Langevin is not annealed."""
_ORDERS = {
    "Langevin": 1.0,
    "Leimkuhler-Matthews": 2.0,
    "constant momentum": 1.0,
    "adaptive momentum": 0.5,
}
_LIMITS = {
    "constant momentum": f" ($b = {SHOWN_BETA:g}$), to $\\pi^c$",
    "adaptive momentum": r", to $\pi^{c(a)}$",
}


def orders(settings: Settings) -> Drawing:
    r"""Distance of the stationary distribution to its own limit on the mixture, exact laws on
    grids: as the step is halved, Langevin and Leimkuhler-Matthews tend to the target $\pi$,
    momentum to a power of it. Triangles: the orders of B6 and K5.
    """
    drawing, (above, below) = panels(2, sharex=True)
    for sampler in SHOWN:
        points = halvings(settings, sampler, larger=LARGER)
        steps = [at[1] for at in points]
        w2, kl, _ = map(list, zip(*(distances(*at) for at in points), strict=True))
        for axes, errors, order in (
            (above, w2, _ORDERS[sampler]),
            (below, kl, 2 * _ORDERS[sampler]),
        ):
            axes.loglog(
                steps, errors, **LOOKS[sampler].style(sampler + _LIMITS.get(sampler, r", to $\pi$"))
            )
            draw_order(axes, steps, errors, order, below=_ORDERS[sampler] >= 1.0)
    above.set(ylabel="$W_2$ to its own limit", ylim=(1e-8, None))
    below.set(xlabel="step $a$", ylabel="KL to its own limit (nats)")
    legend_above(above, 1)
    return drawing


def draw_order(
    axes: Axes, steps: list[float], errors: list[float], order: float, below: bool
) -> None:
    """Draw a triangle of slope `order` at the last two points of a curve, below or above it."""
    left, right = steps[-1], steps[-2]
    top = errors[-2] * (1 / 2.2 if below else 2.2)
    bottom = top * (left / right) ** order
    corner = (right, bottom) if below else (left, top)
    axes.fill([left, right, corner[0]], [bottom, top, corner[1]], color="0.6", lw=0)
    place: dict[str, Any] = (
        {"ha": "left", "va": "bottom"} if below else {"ha": "right", "va": "top"}
    )
    offset = (3, 0) if below else (-3, 0)
    axes.annotate(f"{order:g}", corner, offset, textcoords="offset points", color="0.3", **place)


def departure(settings: Settings) -> Drawing:
    r"""Smaller steps do not bring momentum to the mixture. Distance to this target $\pi$ of
    stationary distributions: Langevin's and Leimkuhler-Matthews' vanish with the step; momentum
    whose noise is added after its update comes no nearer (adaptive momentum: large batch, no clip).
    """
    drawing, (axes,) = panels(height=2.4)
    for sampler in SHOWN:
        points = halvings(settings, sampler, larger=LARGER)
        label = f"{sampler}, $b = {SHOWN_BETA:g}$" if sampler == "constant momentum" else sampler
        w2 = [distances(*at).target_w2 for at in points]
        axes.loglog([at[1] for at in points], w2, **LOOKS[sampler].style(label))
    axes.set(xlabel="step $a$", ylabel=r"$W_2$ to the target $\pi$", ylim=(1e-8, 3))
    legend_above(axes, 1)
    return drawing


def densities(settings: Settings) -> Drawing:
    """Adaptive momentum at one noise level ($a = 0.005$, mean field) samples a tempered target on
    the mixture, $\\pi^c$ (dashed, on its density), with narrower modes: the minority mode has a
    weight of 0.192, not 0.309.
    """
    drawing, (axes,) = panels()
    momentum = mean_field_density()
    c = (1 + momentum.beta) ** 2
    target, limit, tempered = (of_power(power) for power in (1.0, 4.0, c))
    axes.plot(target.nodes, target.values, color="0.45", label=r"target $\pi$")
    axes.plot(limit.nodes, limit.values, color="0.75", label=r"$\pi^4/Z$")
    axes.plot(
        momentum.nodes,
        momentum.values,
        color=LOOKS["adaptive momentum"].colour,
        label="adaptive momentum",
    )
    axes.plot(
        tempered.nodes,
        tempered.values,
        "--",
        color="black",
        lw=1,
        label=f"$\\pi^c/Z$, $c = {c:.2f}$",
    )
    axes.set(xlabel="$x$", ylabel="density", xlim=(-2.8, 2.8))
    legend_above(axes)
    return drawing


def figures(settings: Settings, folder: Path) -> list[Figure]:
    """Draw the group's figures."""
    drawn = {orders: ("B6", "K5"), departure: ("B6", "P1b"), densities: ("B5a", "B6")}
    return save_drawn(drawn, folder, settings)
