"""How each sampler is drawn: one colour and one marker, the same in every figure.

Colours are those of Okabe and Ito (*Color universal design*, 2008), told apart by colour-blind readers and, with the
markers, in grey.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Look(NamedTuple):
    """Keyword arguments of matplotlib's `plot`: `**look._asdict()`."""

    color: str
    marker: str
    linestyle: str


LOOKS = {
    "exact law": Look("#000000", "", ":"),
    "annealed Langevin": Look("#0072B2", "o", "-"),
    "Langevin": Look("#0072B2", "o", "-"),
    "Langevin, drift x1.5": Look("#56B4E9", "d", ":"),
    "Langevin, drift x2": Look("#56B4E9", "D", "--"),
    "Leimkuhler-Matthews": Look("#0072B2", "p", "--"),
    "adaptive momentum": Look("#D55E00", "s", "-"),
    "adaptive, drift only": Look("#000000", "<", "--"),
    "adaptive, average only": Look("#CC79A7", ">", ":"),
    "adaptive, noise corrected": Look("#009E73", "h", "--"),
    "adaptive momentum, per sample": Look("#D55E00", "x", ":"),
    "constant momentum": Look("#E69F00", "^", "-"),
    "PC, Langevin": Look("#009E73", "v", "-"),
    "PC, adaptive": Look("#CC79A7", "P", "-"),
    "PC, adaptive, per sample": Look("#CC79A7", "x", ":"),
    "PC, lagged norm alone": Look("#56B4E9", "o", "--"),
    "PC, drift alone": Look("#000000", "<", "--"),
    "PC, constant factor": Look("#56B4E9", "D", ":"),
    "PC, noise corrected": Look("#009E73", "h", "--"),
    "PC, factor dropped": Look("#CC79A7", ">", ":"),
    "PC, constant": Look("#E69F00", "<", "-."),
    "PC, Langevin, full noise": Look("#56B4E9", "v", "--"),
    "PC, adaptive in both": Look("#D55E00", "s", "--"),
    "PC, constant in both": Look("#E69F00", "^", ":"),
    "PC, Leimkuhler-Matthews": Look("#0072B2", "p", "--"),
    "PC, adaptive, each alone": Look("#000000", "d", ":"),
    "predictor alone": Look("#0072B2", "o", "-"),
    "reverse diffusion": Look("#999999", "X", "-"),
    "ancestral": Look("#999999", "x", "--"),
    "consistent": Look("#0072B2", "H", "-."),
    "flow, Euler": Look("#5D3A9B", "4", ":"),
    "flow, Heun": Look("#5D3A9B", "*", "-"),
    "flow, RK45": Look("#5D3A9B", "+", "-."),
    "EDM stochastic": Look("#E69F00", "8", "--"),
    "DPM-Solver++": Look("#000000", "1", "-"),
    "SDE-DPM-Solver++": Look("#000000", "2", "--"),
    "isothermal, e = 0": Look("#009E73", "o", "--"),
    "isothermal, e = 1/2": Look("#009E73", "s", "--"),
    "isothermal, tapered": Look("#009E73", "D", "-"),
    "isothermal, steady": Look("#56B4E9", "v", "-."),
    "isothermal, stirred": Look("#56B4E9", "^", ":"),
}


LIGHTEST = 0.82  # of cividis, seen on white


def look(sampler: str) -> dict[str, Any]:
    """Return matplotlib's keyword arguments for a sampler and its label. Raises KeyError for one without a look."""
    return {**LOOKS[sampler]._asdict(), "label": sampler}


def shades(count: int) -> list[str]:
    """Return colours for as many values of one parameter, dark to light, so that none is taken for a sampler's.

    They are of matplotlib's cividis, made for colour-blind readers, up to where it is still seen on white. Raises
    ValueError for a count below 1.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if count < 1:
        raise ValueError(f"count = {count}: expected at least 1")
    last = max(count - 1, 1)
    return [to_hex(colormaps["cividis"](LIGHTEST * n / last)) for n in range(count)]
