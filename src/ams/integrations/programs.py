r"""A run of a method of the suite over noise levels that a library gives, with that library's
network.

All runs are in the variable `y = x / scale`, `v = sigma / scale` of a variance-exploding process,
so that one code serves every parametrisation. From the denoised point D that a network predicts,
the score is `(D - y) / v^2`.

Annealed methods take T steps at each noise level, with NCSNv2's step for as many geometric noise
levels between the same ends. Instead of the very last step, `y' = D + (v' / v) (y - D)` leads to
the last noise level, where it is not 0: the denoising of the code published with arXiv 2405.13726,
without an evaluation of its own.
"""

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from ams.errors import unknown
from ams.samplers.affine_transitions import affine, flow_euler
from ams.samplers.annealed_baoab import TAPERED, annealed_baoab
from ams.samplers.base import Info, Noise, Rule, State, Step
from ams.samplers.loop import annealed, one_step_per_level, run
from ams.samplers.particles import Particles, PerSample
from ams.samplers.presets import DEFAULT, Hyperparameters, SigmaRange, noise_schedule
from ams.samplers.rules import adaptive, langevin, momentum, momentum_rule, with_corrected_noise
from ams.schedules import Level, annealed_levels, ve_levels

Pairs = list[tuple[Step, Level]]
"""A program: the pairs (step, noise level) in order, one network call each."""
Denoiser = Callable[[Tensor, Level], Tensor]
"""`denoiser(y, level)`: the denoised point."""


def _adaptive(hyperparameters: Hyperparameters, size: float) -> Rule:
    return momentum_rule(adaptive(hyperparameters.delta), extra=hyperparameters.extra * size)


_ANNEALED: dict[str, Callable[[Hyperparameters, float], Step]] = {
    "annealed Langevin": lambda h, a: langevin(),
    "adaptive momentum": lambda h, a: momentum(_adaptive(h, a)),
    "adaptive, noise corrected": lambda h, a: momentum(with_corrected_noise(_adaptive(h, a))),
}
TAPERED_BAOAB = "annealed BAOAB, tapered"
METHODS = (*_ANNEALED, TAPERED_BAOAB)
"""The methods, by their names in `ams.samplers.presets.SPECS`."""


def calls_per_level(method: str, hyperparameters: Hyperparameters = DEFAULT) -> int:
    """Return how often a method calls the network at each noise level. Raises UserError for an
    unknown method.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    return hyperparameters.repeats if method in _ANNEALED else 1


def program(
    method: str, sigmas: Sequence[float], hyperparameters: Hyperparameters = DEFAULT
) -> Pairs:
    """Return the run of a method over noise levels `v`, of which the last, where no network is
    called, may be 0.

    Raises UserError for an unknown method, ValueError for noise levels that do not fall, or if
    annealed fewer than 3.
    """
    repeats, levels = calls_per_level(method, hyperparameters), ve_levels(sigmas)
    if method == TAPERED_BAOAB:
        return list(one_step_per_level(annealed_baoab(TAPERED), levels))
    size = (
        hyperparameters.factor
        * noise_schedule(SigmaRange(sigmas[0], sigmas[-2]), len(sigmas) - 1, repeats)[1]
    )
    steps = list(
        annealed(
            _ANNEALED[method](hyperparameters, size), annealed_levels(sigmas[:-1], size), repeats
        )
    )
    return [*steps[:-1], (affine(flow_euler), levels[-2])]


def algebra(per_sample: bool) -> Particles:
    """Return the algebra whose norms are means over the batch, as in the authors' code, or each
    sample's own.
    """
    return PerSample() if per_sample else Particles()


def walk(
    pairs: Pairs, state: State, denoiser: Denoiser, noise: Noise, over: Particles
) -> Iterator[tuple[State, Info]]:
    """Yield state and info after each step, valid until the next. Raises NonFiniteState as
    `ams.samplers.loop.run`.
    """

    def score(y: Tensor, level: Level) -> Tensor:
        return (denoiser(y, level) - y) / level.sigma**2

    return run(pairs, state, score, noise, over)
