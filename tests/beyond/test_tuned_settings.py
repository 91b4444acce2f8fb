"""The settings of samplers that have no published ones are the best of their grids on a fixed
development family.

The family has 24 Gaussians in 16 directions, with exact scores, with scores that are scaled at high
noise, and with a bad start. Counted are evaluations to KL / d = 1e-4, by exact laws: nothing is
random, and nothing is estimated.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from ams.laws.gaussian import Row
from ams.samplers import annealed_baoab
from ams.samplers.annealed_baoab import tapered
from ams.samplers.presets import (
    CRITICAL,
    DEFAULT,
    MEMORYLESS,
    RESTARTS,
    SA_LOW,
    BuildProgram,
    Held,
    Restarts,
    SigmaRange,
    held_program,
    restart_program,
    sa_solver_program,
    step_per_level,
)
from ams.schedules import Level
from beyond.kinetic_langevin.nfe_comparison import (
    DIRECTIONS,
    Family,
    family,
    first_budgets,
    nfe_of_targets,
)

TARGETS = 24
THRESHOLD = 1e-4
BUDGETS = first_budgets(15)
"""From 5 to 640."""
ENDS = SigmaRange(50.0, 0.01)


class Scaled(Family):
    """Targets whose scores are multiplied by 0.8 to 1.2, a factor a direction, above a noise level
    of each target.
    """

    def __init__(self, targets: Family) -> None:
        variance = targets.variance.reshape(TARGETS, -1)
        super().__init__(variance, targets.mean.reshape(TARGETS, -1))
        generator = np.random.default_rng([1, 1])
        self.gain = torch.as_tensor(generator.uniform(-0.2, 0.2, variance.numel()))
        ratios = torch.as_tensor(
            np.exp(generator.uniform(math.log(10.0), math.log(100.0), TARGETS))
        )
        self.turn = (variance.amax(1) / ratios).sqrt().repeat_interleave(DIRECTIONS)

    def score(self, x: Row, level: Level) -> Row:
        s = super().score(x, level)
        s *= (1.0 + (level.sigma > self.turn) * self.gain)[:, None]
        return s


class Tuning(NamedTuple):
    """The chosen settings, the next values of the grid below and above each, and the programs with
    some.
    """

    chosen: dict[str, float]
    beside: dict[str, tuple[float, float]]
    program: Callable[..., BuildProgram]

    def neighbours(self) -> Iterator[dict[str, float]]:
        for name, pair in self.beside.items():
            yield from (self.chosen | {name: value} for value in pair)


def tapered_program(**settings: float) -> BuildProgram:
    return step_per_level(lambda hyperparameters, count: annealed_baoab(tapered(**settings)))


TUNINGS = {
    "tapered": Tuning(
        {"rate": 4.0, "most": 1.8, "e": 0.8},
        {"rate": (3.0, 5.0), "most": (1.6, 1.99), "e": (0.75, 0.85)},
        tapered_program,
    ),
    "prediction-correction": Tuning(
        MEMORYLESS._asdict(),
        {"sigma": (8.0, 12.0), "share": (0.7, 0.9), "coarse": (3.0, 6.0)},
        lambda **settings: held_program(Held(**settings), momentum=False),
    ),
    "critically damped corrector": Tuning(
        CRITICAL._asdict(),
        {"sigma": (6.0, 8.0), "share": (0.6, 0.8), "coarse": (2.0, 4.0)},
        lambda **settings: held_program(Held(**settings), momentum=True),
    ),
    "Restart": Tuning(
        RESTARTS._asdict(),
        {"low": (6.0, 10.0), "high": (200.0, 500.0), "share": (0.5, 0.7), "times": (1, 3)},
        lambda **settings: restart_program(Restarts(**settings)),
    ),
    "SA-Solver, tau 1": Tuning(
        {"low": SA_LOW[1.0]}, {"low": (100.0, 500.0)}, partial(sa_solver_program, 1.0)
    ),
    "SA-Solver, tau 0.2": Tuning(
        {"low": SA_LOW[0.2]}, {"low": (2.0, 10.0)}, partial(sa_solver_program, 0.2)
    ),
}
SAVED_BESIDE = {"tapered": 0.02}
"""The share of evaluations that a neighbour may save: the schedule was fixed before, and `most`
ends at 2.
"""


@cache
def problems() -> list[tuple[Family, SigmaRange]]:
    """Return the targets with exact scores, with scaled ones, and with the start N(0, 0.15^2 I) at
    noise 0.15.
    """
    exact = family(TARGETS, seed=1)
    return [(exact, ENDS), (Scaled(exact), ENDS), (exact, ENDS._replace(first=0.15))]


def evaluations(program: BuildProgram) -> float:
    """Return the geometric mean over problems and targets; 640 stands for a run that does not
    arrive.
    """
    counts = []
    for targets, sigmas in problems():
        rows = list[Any]()
        while len(rows) < len(BUDGETS) and not (rows and (np.min(rows, axis=0) <= THRESHOLD).all()):
            rows.append(targets.divergence(program(sigmas, BUDGETS[len(rows)], DEFAULT), sigmas))
        counts.append(np.minimum(nfe_of_targets(np.array(rows), THRESHOLD), BUDGETS[-1]))
    return float(np.exp(np.log(counts).mean()))


def largest_saving(tuning: Tuning) -> float:
    """Return the largest share of evaluations that one other value saves; negative if each needs
    more.
    """
    chosen = evaluations(tuning.program(**tuning.chosen))
    return max(1.0 - evaluations(tuning.program(**other)) / chosen for other in tuning.neighbours())


QUICK = ("tapered", "prediction-correction", "critically damped corrector")
"""Those that take seconds; the others are looked at by hand, as frozen choices of tuning are."""


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in TUNINGS],
)
def test_no_other_value_of_one_setting_needs_fewer_evaluations(name: str) -> None:
    assert largest_saving(TUNINGS[name]) <= SAVED_BESIDE.get(name, 0.0)


def test_a_setting_on_an_edge_is_seen() -> None:
    tuning = TUNINGS["tapered"]
    assert largest_saving(tuning._replace(chosen=tuning.chosen | {"rate": 16.0})) > 0.02
