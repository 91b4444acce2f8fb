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
    "Langevin, drift x2": Look("#56B4E9", "D", "--"),
    "adaptive momentum": Look("#D55E00", "s", "-"),
    "constant momentum": Look("#E69F00", "^", "-"),
    "PC, Langevin": Look("#009E73", "v", "-"),
    "PC, adaptive": Look("#CC79A7", "P", "-"),
    "reverse diffusion": Look("#999999", "X", "-"),
    "flow, Heun": Look("#5D3A9B", "*", "-"),
}


def look(sampler: str) -> dict[str, Any]:
    """Return matplotlib's keyword arguments for a sampler and its label. Raises KeyError for one without a look."""
    return {**LOOKS[sampler]._asdict(), "label": sampler}
