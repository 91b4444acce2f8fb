"""N1c and N1d: prediction-correction and the flow alone, each at its best setting, in equally many
evaluations.

On the mixture .3/.7 at -1/+1, s.d. 0.2, W2 is had without Monte Carlo. The corrector's density at
T1 is that of `ams.laws.phase_space`. The flow is a map, and increases: it carries the quantiles of
that density, so that `W2^2 = int p(x) (F(x) - Q(P(x)))^2 dx`, with the flow's map F, the density p
at T1, its distribution function P and the target's quantiles Q. F jumps from mode to mode within a
narrow interval, and so does Q(P(x)): nodes are clustered about both places.
"""

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from ams.grid_function import GridFunction, Primitive, tabulated
from ams.laws.phase_space import AuxiliaryVariable, evolved
from ams.laws.quadrature_algebra import NodeAlgebra
from ams.samplers import Particles, State, last, run
from ams.samplers.corrected_descent import descent_between
from ams.schedules import Level
from ams.statistics.tuning import optima_on_edge
from ams.targets import GaussianMixture
from ams_suite.measures import named_extreme
from analysis.targets import two_modes
from related.prediction_correction import fixed_time, inexact, truncated
from related.prediction_correction.equal_cost import (
    BUDGET,
    FIXED,
    FLOW,
    LARGE,
    LAST,
    Place,
    gaussian_runs,
    gaussian_w2s,
    held,
    in_y,
    noise_at,
    tried,
)
from related.prediction_correction.settings import Settings
from verdicts import Measurement
from verdicts.studies import Array, Cell, cell

TARGET = two_modes(0.2)
LARGEST = 0.88
"""The target's variance: 0.04 within modes, 0.84 between them."""
COARSE, FINE = 600, 64
"""Nodes of the flow's map over its range, and within each of two refinements that find its jump."""
HALF_RANGE = 9.0
"""Half the range of the map, in standard deviations of the start."""
ABOUT = np.concatenate([-np.geomspace(1.0, 1e-7, 150), np.geomspace(1e-7, 1.0, 150)])
"""Distances of nodes from a jump, of the flow's map and of the target's quantiles, in standard
deviations.
"""
TIMES = tuple(np.linspace(0.25, 8.0, 14).tolist())
"""The T1 at which the figure of final errors has points."""
RUNS = ((0.0, 0.0), (1e-2, 0.0), (1e-2, fixed_time.LANGEVIN_TIME))
"""Score error and Langevin time of its curves."""

Rows = Float[np.ndarray, "errors nodes"]


class Erring(GaussianMixture):
    """The mixture at one noise level as a target whose score is wrong by a constant."""

    def __init__(self, target: GaussianMixture, error: float) -> None:
        super().__init__(target.weights, target.means, target.covariances)
        self.error = error

    def score(self, x: torch.Tensor, level: Level) -> torch.Tensor:
        """Return the wrong score."""
        return super().score(x, level) + self.error


def corrected_densities(v: float, error: float, counts: tuple[int, ...]) -> list[GridFunction]:
    """Return the densities at noise `v` after each number of corrections, the score wrong by
    `error` in x.
    """
    level, spread = Level(0, sigma=v), math.hypot(1.0, v)
    if counts == (0,):
        return [tabulated(lambda y: -((y / spread) ** 2) / 2)]
    step, here = held(v, LARGEST)
    near = tabulated(lambda y: -((y / (1.2 * spread)) ** 2) / 2)
    start = lambda y: np.exp(-((y / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi))  # noqa: E731
    wrong = Erring(TARGET.marginal(level), float(in_y(error, level)))
    return evolved(wrong, step, here.step, AuxiliaryVariable("p"), start, near, counts)


def flowed(nodes: Rows, v: float, steps: int, errors: tuple[float, ...]) -> Rows:
    """Return where the flow of `steps` evaluations takes nodes at noise `v`, a row for each
    error of the score.
    """
    column = torch.tensor(errors).double().repeat_interleave(nodes.shape[1])[:, None]
    wrong = lambda y, level: TARGET.score(y, level) + in_y(column, level)  # noqa: E731
    begin = State(torch.from_numpy(nodes.reshape(-1, 1)).clone())
    states = run(descent_between(FLOW, v, LAST, steps), begin, wrong, torch.zeros_like, Particles())
    return last(states)[0].x.numpy().reshape(nodes.shape).copy()


def maps(v: float, steps: int, errors: tuple[float, ...]) -> list[PchipInterpolator]:
    """Return the flow's map from noise `v` to the last one for each error, with nodes about its
    jump between modes.
    """
    end = HALF_RANGE * math.hypot(1.0, v)
    nodes = np.tile(np.linspace(-end, end, COARSE), (len(errors), 1))
    image = flowed(nodes, v, steps, errors)
    low, high = _bracket(nodes, image)
    for _ in range(2):
        between = np.linspace(low, high, FINE, axis=1)
        low, high = _bracket(between, flowed(between, v, steps, errors))
    about = (low + high)[:, None] / 2 + math.hypot(1.0, v) * ABOUT
    nodes, image = np.hstack([nodes, about]), np.hstack([image, flowed(about, v, steps, errors)])
    order = nodes.argsort(axis=1)
    nodes, image = (np.take_along_axis(part, order, axis=1) for part in (nodes, image))
    return [PchipInterpolator(*pair) for pair in zip(nodes, image, strict=True)]


def _bracket(nodes: Rows, image: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbouring nodes of each row between which an increasing image changes its
    sign.
    """
    at, rows = np.clip((image < 0.0).sum(1), 1, nodes.shape[1] - 1), np.arange(len(nodes))
    return nodes[rows, at - 1], nodes[rows, at]


def transported_w2(density: GridFunction, carry: PchipInterpolator, target: Primitive) -> float:
    """Return W2 between the image of a density under an increasing map and the distribution
    function `target`.
    """
    share = density.trimmed().normalised().refined(4).primitive()
    jump = share.inverse(target.at(np.zeros(1)))
    x = np.unique(np.concatenate([carry.x, jump + carry.x[-1] / HALF_RANGE * ABOUT]))
    x = x[(x > share.nodes[0]) & (x < share.nodes[-1])]
    u = np.clip(share.at(x), 0.0, 1.0)
    gap = (carry(x) - target.inverse(u)) ** 2
    return math.sqrt(float(((gap[1:] + gap[:-1]) / 2 * np.diff(u)).sum()))


def target_at_the_end() -> Primitive:
    """Return the distribution function of the target at the last noise level."""
    return NodeAlgebra(TARGET).exact(Level(0, sigma=LAST)).refined(4).primitive()


@cell
def mixture_runs(t1: float, counts: tuple[int, ...], errors: tuple[float, ...]) -> Array:
    """The final W2 by K of `counts` (rows) and error of the score (columns)."""
    v, end = noise_at(t1), target_at_the_end()
    densities = [corrected_densities(v, error, counts) for error in errors]
    table = []
    for row, corrections in enumerate(counts):
        carried = maps(v, BUDGET - corrections, errors)
        table.append(
            [
                transported_w2(each[row], carry, end)
                for each, carry in zip(densities, carried, strict=True)
            ]
        )
    return np.array(table)


def signed(settings: Settings) -> tuple[float, ...]:
    """Return the errors of the score, each with both signs."""
    return tuple(
        sign * size for size in settings.score_errors for sign in ((1, -1) if size else (1,))
    )


def mixture_w2s(settings: Settings, size: float) -> dict[Place, float]:
    """Return the final W2 on the mixture by T1 and K, root mean square over the error's sign."""
    errors = signed(settings)
    columns = [place for place, error in enumerate(errors) if abs(error) == size]
    return {
        Place(t1, corrections): float(np.sqrt((row[columns] ** 2).mean()))
        for t1, counts in tried(settings)
        for corrections, row in zip(counts, mixture_runs(t1, counts, errors), strict=True)
    }


W2s = Mapping[Place, float]
TARGETS: dict[str, Callable[[Settings, float], dict[Place, float]]] = {
    "Gaussian": gaussian_w2s,
    "mixture": mixture_w2s,
}
"""By target, the final W2 of each setting for an error of the score."""
ANY_TIME = 1e-3
"""The least score error for which a T1 fixed in advance is claimed to suffice."""


def alone(w2s: W2s) -> Place:
    """Return the best T1 of the flow alone, as a setting without corrections."""
    return min((place for place in w2s if not place.corrections), key=w2s.__getitem__)


def corrected(w2s: W2s, t1: float | None = None) -> Place:
    """Return the best setting with corrections, at any T1 or at the given one."""
    tuned = (place for place in w2s if place.corrections and t1 in (None, place.t1))
    return min(tuned, key=w2s.__getitem__)


def gains(
    settings: Settings, target: str, least: float, t1: float | None = None
) -> dict[str, float]:
    """Return W2 of the flow at its best T1 over the corrected run's, by score error of at least
    `least`.
    """
    ratios = {}
    for size in (size for size in settings.score_errors if size >= least):
        w2s = TARGETS[target](settings, size)
        ratios[f"{target}, |e| = {size:g}"] = w2s[alone(w2s)] / w2s[corrected(w2s, t1)]
    return ratios


def best_times(settings: Settings, target: str, choose: Callable[[W2s], Place]) -> list[float]:
    """Return the best T1 for each score error above 0."""
    return [choose(TARGETS[target](settings, size)).t1 for size in settings.score_errors if size]


def least_gain(settings: Settings, target: str) -> Measurement:
    """Return the least W2 of the flow over the corrected run's on a target, large score errors."""
    return named_extreme(gains(settings, target, LARGE), min)


def on_an_edge(settings: Settings, target: str) -> Measurement:
    """Count chosen T1 and K at an end of their grid; `BUDGET - 2` corrections are the most that
    leave the flow two.
    """
    chosen: dict[str, dict[str, dict[str, float]]] = {"corrected": {}, "alone": {}}
    for size in (size for size in settings.score_errors if size >= LARGE):
        w2s = TARGETS[target](settings, size)
        for name, place in (("corrected", corrected(w2s)), ("alone", alone(w2s))):
            chosen[name][f"{name}, |e| = {size:g}"] = {"T1": place.t1, "K": place.corrections}
    times = {"corrected": [t for t, counts in tried(settings) if counts != (0,) and t != FIXED]}
    times["alone"] = [t for t, counts in tried(settings) if counts == (0,)]
    edges = [
        edge
        for name, best in chosen.items()
        for edge in optima_on_edge(
            {"T1": times[name], "K": settings.corrections}, best, [("K", BUDGET - 2), ("K", 0)]
        )
    ]
    return Measurement(
        value=len(edges), n=2 * sum(map(len, chosen.values())), detail={"on an edge": [*edges]}
    )


def spread_of_best_times_corrected(settings: Settings) -> Measurement:
    """Measure the largest best T1 over the least, corrected, score errors 1e-4 to 1e-1; the
    larger of two targets.
    """
    times = {name: best_times(settings, name, corrected) for name in TARGETS}
    return named_extreme({name: max(each) / min(each) for name, each in times.items()})


def growth_of_best_times_alone(settings: Settings) -> Measurement:
    """Measure the flow's best T1 at the least score error over that at the largest; the smaller
    of two targets.
    """
    times = {name: best_times(settings, name, alone) for name in TARGETS}
    return named_extreme({name: each[0] / each[-1] for name, each in times.items()}, min)


def least_gain_of_a_time_fixed_in_advance(settings: Settings) -> Measurement:
    """Measure the least W2 of the flow at its best T1 over that of T1 = 0.5 with its best K, score
    errors of 1e-3 on.

    The detail has the smaller errors too.
    """
    ratios = {
        name: ratio
        for target in TARGETS
        for name, ratio in gains(settings, target, ANY_TIME, FIXED).items()
    }
    below = {
        name: ratio
        for target in TARGETS
        for name, ratio in gains(settings, target, 0.0, FIXED).items()
    }
    return Measurement(value=min(ratios.values()), n=len(ratios), detail={**below})


def largest_cost_with_exact_scores(settings: Settings) -> Measurement:
    """Measure W2 of the corrected run over that of the flow, exact scores, each at its best; the
    larger of two.
    """
    return named_extreme(
        {target: 1 / gains(settings, target, 0.0)[f"{target}, |e| = 0"] for target in TARGETS}
    )


def envelope(w2s: W2s, kept: bool) -> list[tuple[float, float]]:
    """Return T1 with the least W2 there, over K above 0 or (not `kept`) for the flow alone,
    ascending.
    """
    least: dict[float, float] = {}
    for place, w2 in w2s.items():
        if bool(place.corrections) is kept:
            least[place.t1] = min(w2, least.get(place.t1, w2))
    return sorted(least.items())


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that the checks and the figures read."""
    yield inexact.random_tightness.cell(settings.errors, settings.seed)
    yield inexact.ascended.cell(settings.climbers, settings.ascents, settings.seed + 2)
    yield fixed_time.contractions.cell(settings.targets, settings.seed)
    yield from (fixed_time.gain.cell(size) for size in fixed_time.ERRORS)
    yield from (fixed_time.final_w2s.cell(size, TIMES, time) for size, time in RUNS)
    yield truncated.random_cases.cell(settings.truncated, settings.seed)
    for place in tried(settings):
        yield gaussian_runs.cell(*place)
        yield mixture_runs.cell(*place, signed(settings))
