"""Sizes of the comparison of graph samplers."""

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from verdicts.claims.sizes import Names, Sizes
from verdicts.validation import Frozen


class Settings(Frozen):
    """Sizes of the group.

    `networks`: the authors', or the bundled ones. Each of `samplers` runs at each of `steps` with
    `seeds` seeds of `graphs` graphs; its norms are averaged over batches of `batch`, as in the
    authors' code. In the fewest steps there are `more` seeds, and the samplers of `once` run too.
    `reference` counts the fresh graphs that they are compared with; `snr` and `scale_eps` are the
    published ones; `drawn` graphs of each sampler are drawn.
    """

    networks: Literal["authors", "bundled"] = "authors"
    samplers: Names = (
        "predictor alone",
        "PC, Langevin",
        "PC, adaptive",
        "PC, adaptive in both",
        "PC, constant",
    )
    once: tuple[str, ...] = (
        "PC, Langevin, full noise",
        "PC, Langevin, noise 0.6",
        "PC, adaptive, noise 0.6",
        "PC, Leimkuhler-Matthews",
        "PC, constant in both",
        "PC, adaptive, each alone",
    )
    steps: Sizes = (100, 200, 500)
    seeds: PositiveInt = 3
    more: PositiveInt = 6
    graphs: PositiveInt = 40
    batch: PositiveInt = 5
    reference: PositiveInt = 200
    snr: float = 0.05
    scale_eps: float = 0.7
    drawn: PositiveInt = 8
    seed: NonNegativeInt = 2405
