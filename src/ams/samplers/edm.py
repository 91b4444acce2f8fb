r"""The stochastic sampler of EDM: add noise, then take Heun's step on the probability flow.

    gamma = min(S_churn / N, sqrt 2 - 1) where S_tmin <= v <= S_tmax, else 0
    v^ = (1 + gamma) v,    y^ = y + sqrt(v^^2 - v^2) S_noise z,    then Heun's step from (y^, v^) to v'

in `y = x / r`, `v = sigma / r`. A step takes two score evaluations, one where `v' = 0`. Without churn it is
`flow_heun`. Source: Karras et al. (arXiv 2206.00364), algorithm 2. `ams.schedules.karras_sigmas` is their schedule.
"""

import math

from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.samplers.heun import flow_heun
from ams.schedules import Level

_MOST = math.sqrt(2.0) - 1.0  # the variance of the noise at most doubles (section 4 of the source)


def edm_stochastic(
    steps: int, churn: float = 40.0, s_noise: float = 1.0, s_tmin: float = 0.0, s_tmax: float = math.inf
) -> Step:
    """Return the step for a run of `steps` (N) steps with S_churn = `churn`; it draws only where gamma is not 0.

    Raises ValueError for no steps and for a negative churn or noise factor.
    """
    if not (steps >= 1 and churn >= 0.0 and s_noise >= 0.0):
        raise ValueError(f"EDM needs steps >= 1, churn and s_noise >= 0, got {steps}, {churn}, {s_noise}")
    most = min(churn / steps, _MOST)

    def step(state: State, score: Score, noise: Noise, level: Level, algebra: Algebra) -> tuple[State, Info]:
        gamma = most if s_tmin <= level.sigma / level.scale <= s_tmax else 0.0
        if not gamma:
            return flow_heun(state, score, noise, level, algebra)
        added = level.sigma * math.sqrt(gamma * (2.0 + gamma))
        churned = algebra.combine((added * s_noise, noise(state.x)), (1.0, state.x))
        noisier = level._replace(sigma=(1.0 + gamma) * level.sigma, t=math.nan)
        return flow_heun(state._replace(x=churned), score, noise, noisier, algebra)

    return step
