"""Claims with bounds, checks that measure, and verdicts that follow: the engine of a verification
suite.

A module of checks imports from here alone: what it measures, draws and tabulates, and how it says
that it cannot. The packages below: `claims` (what is claimed, and when it holds), `records` (what
was found, sealed and keyed), `studies` (what is computed once and read often), `report` (page and
paper), `run` (one run from its plan to its exit code). Nothing here knows which science is
verified: a `records.workspace.Project` says so.
"""

from verdicts.claims.measurement import (
    Enclosure,
    InsufficientData,
    Measurement,
    NotBuilt,
    Unavailable,
)
from verdicts.records.figures import Figure, Table, save_figure

__all__ = [
    "Enclosure",
    "Figure",
    "InsufficientData",
    "Measurement",
    "NotBuilt",
    "Table",
    "Unavailable",
    "save_figure",
]
