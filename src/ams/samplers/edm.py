r"""Heun's method on the probability-flow ODE, and the stochastic sampler of EDM, which adds noise
before each step.

In `y = x / r`, `v = sigma / r` the ODE is `dy/dv = -sigma s(r y)`. With `h = v' - v` Heun's step,
of second order, is

    k = -sigma s(x),   k' = -sigma' s(r' (y + h k)),   y' = y + h (k + k') / 2.

For `sigma' = 0` the second slope does not exist and the step is Euler's. EDM's step is

    gamma = min(S_churn / N, sqrt 2 - 1) where S_tmin <= v <= S_tmax, else 0
    v^ = (1 + gamma) v,  y^ = y + sqrt(v^^2 - v^2) S_noise z,  then Heun's step from (y^, v^) to v'

Both take two score evaluations, one where `v' = 0`; without churn they are the same. Source: Karras
et al. (arXiv 2206.00364), algorithms 1 and 2. `ams.schedules.karras_sigmas` is their schedule.
"""

import math

from ams.samplers.affine_transitions import flow_euler, next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.schedules import Level

_MOST = math.sqrt(2.0) - 1.0  # the variance of the noise at most doubles (section 4 of the source)


def flow_heun(
    state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
) -> tuple[State, Info]:
    """Take Heun's step to the next noise level; it draws nothing. Raises ValueError at the last
    noise level.
    """
    after, (p, q, _) = next_level(level), flow_euler(level)
    s = score(state.x, level)
    guess = algebra.combine((p, state.x), (q, s))
    if after.sigma == 0.0:
        return state._replace(x=guess), Info(1, state.x, lambda: guess)
    s_next = score(guess, after)
    x = algebra.combine((p, state.x), (q / 2, s), (q / 2 * (after.sigma / level.sigma), s_next))
    return state._replace(x=x), Info(2, guess, lambda: x)


def edm_stochastic(
    steps: int,
    churn: float = 40.0,
    s_noise: float = 1.0,
    s_tmin: float = 0.0,
    s_tmax: float = math.inf,
) -> Step:
    """Return the step for a run of `steps` (N) steps with S_churn = `churn`; it draws only where
    gamma is not 0.

    Raises ValueError for no steps and for a negative churn or noise factor.
    """
    if not (steps >= 1 and churn >= 0.0 and s_noise >= 0.0):
        raise ValueError(
            f"EDM needs steps >= 1, churn and s_noise >= 0, got {steps}, {churn}, {s_noise}"
        )
    most = min(churn / steps, _MOST)

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        gamma = most if s_tmin <= level.sigma / level.scale <= s_tmax else 0.0
        if not gamma:
            return flow_heun(state, score, noise, level, algebra)
        added = level.sigma * math.sqrt(gamma * (2.0 + gamma))
        churned = algebra.combine((added * s_noise, noise(state.x)), (1.0, state.x))
        noisier = level._replace(sigma=(1.0 + gamma) * level.sigma, t=math.nan)
        return flow_heun(state._replace(x=churned), score, noise, noisier, algebra)

    return step
