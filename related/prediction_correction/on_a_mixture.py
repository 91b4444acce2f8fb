r"""Prediction-correction at equal cost on the mixture .3/.7 at -1/+1, s.d. 0.2, without Monte Carlo.

The corrector's density at T1 is that of `ams.laws.phase_space`. The flow is a map, and increases: it carries the
quantiles of that density, so that `W2^2 = int p(x) (F(x) - Q(P(x)))^2 dx`, with the flow's map F, the density p at T1,
its distribution function P and the target's quantiles Q. F jumps from mode to mode within a narrow interval, and so
does Q(P(x)): nodes are clustered about both places.
"""

import math

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
from ams.targets import GaussianMixture
from analysis.targets import two_modes
from related.prediction_correction.equal_cost import BUDGET, FLOW, LAST, Place, held, in_y, noise_at, tried
from related.prediction_correction.settings import Settings
from verdicts.studies import Array, cell

TARGET = two_modes(0.2)
LARGEST = 0.88
"""The target's variance: 0.04 within modes, 0.84 between them."""
COARSE, FINE = 600, 64
"""Nodes of the flow's map over its range, and within each of two refinements that find its jump."""
HALF_RANGE = 9.0
"""Half the range of the map, in standard deviations of the start."""
ABOUT = np.concatenate([-np.geomspace(1.0, 1e-7, 150), np.geomspace(1e-7, 1.0, 150)])
"""Distances of nodes from a jump, of the flow's map and of the target's quantiles, in standard deviations."""

Rows = Float[np.ndarray, "errors nodes"]


class Erring(GaussianMixture):
    """The mixture at one noise level as a target whose score is wrong by a constant."""

    def __init__(self, target: GaussianMixture, error: float) -> None:
        super().__init__(target.weights, target.means, target.covariances)
        self.error = error

    def score(self, x: torch.Tensor, level: Level) -> torch.Tensor:
        """Return the wrong score."""
        return super().score(x, level) + self.error


def corrected(v: float, error: float, counts: tuple[int, ...]) -> list[GridFunction]:
    """Return the densities at noise `v` after each number of corrections, the score wrong by `error` in x."""
    level, spread = Level(0, sigma=v), math.hypot(1.0, v)
    if counts == (0,):
        return [tabulated(lambda y: -((y / spread) ** 2) / 2)]
    step, here = held(v, LARGEST)
    near = tabulated(lambda y: -((y / (1.2 * spread)) ** 2) / 2)
    start = lambda y: np.exp(-((y / spread) ** 2) / 2) / (spread * math.sqrt(2 * math.pi))  # noqa: E731
    wrong = Erring(TARGET.marginal(level), float(in_y(error, level)))
    return evolved(wrong, step, here.step, AuxiliaryVariable("p"), start, near, counts)


def flowed(nodes: Rows, v: float, steps: int, errors: tuple[float, ...]) -> Rows:
    """Return where the flow of `steps` evaluations takes nodes at noise `v`, a row for each error of the score."""
    column = torch.tensor(errors).double().repeat_interleave(nodes.shape[1])[:, None]
    wrong = lambda y, level: TARGET.score(y, level) + in_y(column, level)  # noqa: E731
    begin = State(torch.from_numpy(nodes.reshape(-1, 1)).clone())
    states = run(descent_between(FLOW, v, LAST, steps), begin, wrong, torch.zeros_like, Particles())
    return last(states)[0].x.numpy().reshape(nodes.shape).copy()


def maps(v: float, steps: int, errors: tuple[float, ...]) -> list[PchipInterpolator]:
    """Return the flow's map from noise `v` to the last one for each error, with nodes about its jump between modes."""
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
    """Return the neighbouring nodes of each row between which an increasing image changes its sign."""
    at, rows = np.clip((image < 0.0).sum(1), 1, nodes.shape[1] - 1), np.arange(len(nodes))
    return nodes[rows, at - 1], nodes[rows, at]


def transported_w2(density: GridFunction, carry: PchipInterpolator, target: Primitive) -> float:
    """Return W2 between the image of a density under an increasing map and the distribution function `target`."""
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
    densities = [corrected(v, error, counts) for error in errors]
    table = []
    for row, corrections in enumerate(counts):
        carried = maps(v, BUDGET - corrections, errors)
        table.append([transported_w2(each[row], carry, end) for each, carry in zip(densities, carried, strict=True)])
    return np.array(table)


def signed(settings: Settings) -> tuple[float, ...]:
    """Return the errors of the score, each with both signs."""
    return tuple(sign * size for size in settings.score_errors for sign in ((1, -1) if size else (1,)))


def mixture_w2s(settings: Settings, size: float) -> dict[Place, float]:
    """Return the final W2 on the mixture by T1 and K, root mean square over the error's sign."""
    errors = signed(settings)
    columns = [place for place, error in enumerate(errors) if abs(error) == size]
    return {
        Place(t1, corrections): float(np.sqrt((row[columns] ** 2).mean()))
        for t1, counts in tried(settings)
        for corrections, row in zip(counts, mixture_runs(t1, counts, errors), strict=True)
    }
