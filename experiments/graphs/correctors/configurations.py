"""What is run on each set: the predictor, the corrector's step and noise, the samplers, and the
published rows.

A corrector takes as many score evaluations as the predictor, so all samplers of a row have equal
evaluations: the predictor alone makes twice as many steps as a predictor with a corrector. (An
evaluation is one of both networks.)

The step (snr) and the scale of the noise are those of GDSS's configurations, with two exceptions.
Its configuration of ego_small has no corrector, so the numbers of community_small, whose processes
are the same, stand in. Its sampler of ENZYMES is S4, which has no separate corrector: here
correctors go with reverse diffusion, as on grid, and with the snr and scale of S4. S4 itself runs
too.
"""

from collections.abc import Mapping
from typing import NamedTuple

from experiments.graphs import samplers
from experiments.graphs.gdss_tables.study import ROWS
from experiments.graphs.generation import PUBLISHED
from experiments.graphs.graph_comparison.presets import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    ADAPTIVE_LESS,
    LANGEVIN,
    PREDICTOR,
    SAMPLERS as PRESETS,
    Preset,
)
from experiments.graphs.samplers import CoupledProgram, Predictor
from experiments.graphs.statistics import PUBLISHED as _STATISTICS

MOLECULES = ("QM9", "ZINC250k")
STEPS = (50, 100, 200, 500, 1000)
"""Steps of a predictor with a corrector, of the whole table."""
JUDGED = 100
"""The steps at which claims compare samplers: a small budget that every set has, 200
evaluations.
"""


class Configuration(NamedTuple):
    """A set's predictor, the corrector's snr and noise scale, and how GDSS's configuration differs
    ("" if not).

    `momentum` is the noise scale in the configuration of the authors of adaptive momentum, where it
    is known. `rate` is the processor time of one graph's evaluation, in seconds, measured on one
    thread.
    """

    predictor: Predictor
    snr: float
    scale_eps: float
    rate: float
    difference: str = ""
    momentum: float | None = None


_EULER, _REVERSE = samplers.euler_maruyama, samplers.reverse_diffusion
CONFIGURATIONS: Mapping[str, Configuration] = {
    "community_small": Configuration(_EULER, 0.05, 0.7, 0.0005, momentum=ADAPTIVE_LESS.noise),
    "ego_small": Configuration(
        _EULER, 0.05, 0.7, 0.0003, "no corrector; snr and scale are community_small's"
    ),
    "ENZYMES": Configuration(
        _REVERSE, 0.15, 0.7, 0.003, "S4, without a corrector; snr and scale are S4's"
    ),
    "grid": Configuration(_REVERSE, 0.1, 0.7, 0.13),
    "QM9": Configuration(_REVERSE, 0.2, 0.7, 0.00013),
    "ZINC250k": Configuration(_REVERSE, 0.2, 0.9, 0.001),
}
NAMES = tuple(CONFIGURATIONS)

CONSTANT = PRESETS["PC, constant"]
S4 = Preset("S4")
_ALL = (PREDICTOR, LANGEVIN, ADAPTIVE, ADAPTIVE_IN_BOTH, CONSTANT)
_MORE: Mapping[str, tuple[Preset, ...]] = {"community_small": (ADAPTIVE_LESS,), "ENZYMES": (S4,)}
SAMPLERS: Mapping[str, Preset] = {one.name: one for one in (*_ALL, ADAPTIVE_LESS, S4)}
"""Every sampler by its name."""


def samplers_of(name: str) -> list[Preset]:
    """Return the samplers of a set, in the table's order."""
    return [*_ALL, *_MORE.get(name, ())]


def plan(name: str, sampler: str, evaluations: int) -> CoupledProgram:
    """Return a sampler's run on a set, with so many evaluations (rounded down to whole steps)."""
    pair, own, preset = PUBLISHED[name].pair, CONFIGURATIONS[name], SAMPLERS[sampler]
    predictor = samplers.s4(own.snr, own.scale_eps) if preset is S4 else own.predictor
    return preset.plan(pair, evaluations // preset.evaluations, own.snr, own.scale_eps, predictor)


class Published(NamedTuple):
    """A published row: its sampler and evaluations (1000 steps), and its values by quantity."""

    sampler: str
    evaluations: int
    values: Mapping[str, float]


STATISTICS = tuple(statistic.name for statistic in _STATISTICS)
PUBLISHED_MOLECULES = 10_000
"""Molecules of a published row."""
_GRAPHS = {name: dict(zip(STATISTICS, row, strict=True)) for name, row in ROWS.items()}
PUBLISHED_ROWS = {
    "community_small": Published(LANGEVIN.name, 2000, _GRAPHS["community_small"]),
    "ego_small": Published(PREDICTOR.name, 1000, _GRAPHS["ego_small"]),
    "ENZYMES": Published(S4.name, 1000, _GRAPHS["ENZYMES"]),
    "grid": Published(LANGEVIN.name, 2000, _GRAPHS["grid"]),
    "QM9": Published(LANGEVIN.name, 2000, {"valid": 0.9572, "NSPDK": 0.003, "FCD": 2.900}),
    "ZINC250k": Published(LANGEVIN.name, 2000, {"valid": 0.9701, "NSPDK": 0.019, "FCD": 14.656}),
}
"""GDSS's rows (arXiv 2202.02514, tables of graphs and of molecules).

The table of molecules was not available: its two shares valid were not checked against it. V20
compares with them.
"""
