"""How each sampler is drawn: colour, marker, line, and the family of figures that it stands in.

Apart from `presets`, which says what a sampler computes: figures alone import this module, so that
a changed colour makes figures stale and no result. A new sampler has its record here, in the family
that it is drawn with. A group's own samplers have theirs beside the group's figures: `LOOKS |
looks({...})`.

The colours are those of Okabe and Ito (*Color universal design*, 2008), which colour-blind readers
can distinguish.
"""

from collections import UserDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ams.errors import UserError

BLUE, SKY, GREEN, ORANGE, RED = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"
PINK, VIOLET, GREY, BLACK = "#CC79A7", "#5D3A9B", "#999999", "#000000"


class Look(NamedTuple):
    """How a sampler is drawn: its label, matplotlib's colour, marker and line style, the family
    of figures.
    """

    label: str
    colour: str
    marker: str
    line: str
    family: str

    def style(self, label: str | None = None) -> dict[str, Any]:
        """Return matplotlib's keyword arguments for colour, marker, line and label, another than
        its own if given.
        """
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "label": label or self.label,
        }


class Looks(UserDict[str, Look]):
    """Looks by the samplers' names. Raises UserError for a sampler that has none."""

    def __missing__(self, name: str) -> Look:
        """Refuse a sampler without a look: a figure that left it out would hide it."""
        where = "src/ams/samplers/looks.py, or beside the figures of the group whose own it is"
        raise UserError(
            f"sampler {name!r} has no look: add its colour, marker and line to a family in {where}"
        )

    def families(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the families of figures that these samplers are drawn in, with those in each, in
        the records' order.

        Raises UserError for a sampler without a look.
        """
        known = {self[name] for name in names}
        shown = [look for look in self.values() if look in known]
        return {
            look.family: [each.label for each in shown if each.family == look.family]
            for look in shown
        }


def looks(families: Mapping[str, Mapping[str, tuple[str, str, str]]]) -> Looks:
    """Return the looks of samplers that are given by family and name, as colour, marker and
    line.
    """
    return Looks(
        {
            name: Look(name, *at, title)
            for title, rows in families.items()
            for name, at in rows.items()
        }
    )


_FAMILIES = {
    "Annealed, no momentum": {
        "annealed Langevin": (BLUE, "o", "-"),
        "Langevin, drift x1.5": (SKY, "d", ":"),
        "Langevin, drift x2": (SKY, "D", "--"),
        "Leimkuhler-Matthews": (BLUE, "p", "--"),
        "consistent annealed sampling": (BLUE, "H", "-."),
    },
    "Momentum, and its parts": {
        "adaptive momentum": (RED, "s", "-"),
        "adaptive momentum, per sample": (RED, "x", ":"),
        "adaptive, drift only": (BLACK, "<", "--"),
        "adaptive, average only": (PINK, ">", ":"),
        "adaptive, noise corrected": (GREEN, "h", "--"),
        "constant momentum": (ORANGE, "^", "-"),
    },
    "Predictor, corrector": {
        "PC, Langevin": (GREEN, "v", "-"),
        "PC, adaptive": (PINK, "P", "-"),
        "PC, adaptive, per sample": (PINK, "x", ":"),
        "PC, constant": (ORANGE, "<", "-."),
        "reverse diffusion": (GREY, "X", "-"),
        "ancestral": (GREY, "x", "--"),
    },
    "ODE and SDE solvers": {
        "Euler ODE": (VIOLET, "4", ":"),
        "Heun ODE": (VIOLET, "*", "-"),
        "RK45 ODE": (VIOLET, "+", "-."),
        "EDM stochastic": (ORANGE, "8", "--"),
        "DPM-Solver++": (BLACK, "1", "-"),
        "SDE-DPM-Solver++": (BLACK, "2", "--"),
        "annealed BAOAB, e = 0": (GREEN, "o", "--"),
        "annealed BAOAB, e = 1/2": (GREEN, "s", "--"),
        "annealed BAOAB, tapered": (GREEN, "D", "-"),
    },
    "Later solvers, corrections": {
        "DEIS-2": (VIOLET, "v", "--"),
        "DEIS-3": (VIOLET, "^", "-"),
        "DEIS-4": (VIOLET, "s", "-."),
        "UniPC-2": (ORANGE, "d", "--"),
        "UniPC-3": (ORANGE, "D", "-"),
        "SDE-DPM-Solver++(3M)": (BLACK, "3", "--"),
        "ER-SDE-Solver-3": (GREY, "h", "-"),
        "SA-Solver, tau 1": (SKY, "o", "--"),
        "SA-Solver, tau 0.2": (SKY, "s", "-"),
        "Restart": (GREY, "P", ":"),
        "prediction-correction": (BLUE, "X", "-."),
        "critically damped corrector": (RED, "*", "-"),
    },
}
LOOKS = looks(_FAMILIES)
"""The looks of the samplers of `ams.samplers.presets.SPECS`; draws of the target are no
sampler's.
"""
