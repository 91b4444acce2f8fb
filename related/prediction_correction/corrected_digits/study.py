"""N1i and N1j: K of 40 evaluations of the digits' network correct at T1, the others run the flow
back.

The forward process is the Ornstein-Uhlenbeck process of the pixels, whose mean and variance are
those of the training digits: in `y = x / scale` it adds noise `v = s sqrt(exp(2 T1) - 1)`, and a
run starts from `N(mean, s^2 + v^2)`. The corrector and the flow are those of
`related.prediction_correction.equal_cost`. A batch's error is the unbiased energy distance (pixel
units) of its denoised samples to the digits held out. The last denoising takes an evaluation that
no budget counts, for both.

T1 and K were chosen on twelve batches that measure nothing else, over `TRIED`: the flow alone
improves up to the largest noise that the network knows.
"""

import math
from collections.abc import Iterator

import torch

from ams.metrics import energy_distance
from ams.samplers import sample
from ams.samplers.corrected_descent import descent_between, joined
from experiments.images.learned import quality
from experiments.images.networks.small import MEAN, SPREAD
from experiments.images.runs import denoised, generator
from experiments.images.tasks import split_digits
from related.prediction_correction.corrected_digits.settings import Settings
from related.prediction_correction.equal_cost import FLOW, held, noise_at
from verdicts.studies import Cell, cell

BUDGET, LAST = 40, 0.05
"""Evaluations of a run, and its last noise level."""
TRIED = {"T1": (0.8, 1.1, 1.4, 1.7, 2.0, 2.4, 2.8), "K": (1, 2, 4, 8, 12, 16, 20, 24, 28)}
ALONE = (2.4, 2.8, 3.0, 3.27)
"""What was tried: T1 and K with corrections, and T1 of the flow alone."""
CHOSEN = {"corrected": (2.4, 4), "alone": (3.27, 0)}
"""T1 and K of the least mean energy distance."""


def largest_variance() -> float:
    """Return the largest eigenvalue of the training digits' covariance."""
    return float(torch.linalg.eigvalsh(split_digits().train.x.flatten(1).double().T.cov())[-1])


@cell
def energy(t1: float, corrections: int, number: int, batch: int, seed: int) -> float:
    """The energy distance of one batch to the digits held out."""
    problem, draws = quality.problem(quality.LEARNED, LAST), generator(seed, number)
    v = SPREAD * noise_at(t1)
    start = MEAN + math.hypot(SPREAD, v) * torch.randn((batch, *problem.shape), generator=draws)
    flow = descent_between(FLOW, v, LAST, BUDGET - corrections)
    program = joined([[held(v, largest_variance())] * corrections, flow])
    state, _, _ = sample(program, start, problem.score, draws)
    return energy_distance(denoised(problem, state.x), split_digits().test.x)


def energies(settings: Settings, run: str) -> list[float]:
    """Return the energy distance of each batch of one of `CHOSEN`."""
    return [
        energy(*CHOSEN[run], number, settings.batch, settings.seed)
        for number in range(1, settings.batches + 1)
    ]


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield every cell that the checks read."""
    for number in range(1, settings.batches + 1):
        yield from (
            energy.cell(*place, number, settings.batch, settings.seed) for place in CHOSEN.values()
        )
