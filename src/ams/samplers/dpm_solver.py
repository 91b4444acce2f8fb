r"""DPM-Solver++(2M) and SDE-DPM-Solver++(2M): steps to an extrapolated denoised point, one score
evaluation each.

In `y = x / r`, `v = sigma / r`, with the denoised point `D = (x + sigma^2 s) / r` and `h = ln(v /
v')`, the step is

    D~ = D + (h / (2 h_-)) (D - D_-)            D_-, h_- of the previous step; D~ = D at the first step and for v' = 0
    y' = exp(-(1 + eta) h) y + (1 - exp(-(1 + eta) h)) D~ + v' sqrt(1 - exp(-2 eta h)) z

with eta 0 for the ODE and 1 for the SDE. The step is exact where D is constant, and of second
order. Source: Lu et al., *DPM-Solver++* (arXiv 2211.01095). Other values of eta are those of
`sample_dpmpp_2m_sde` (midpoint) in k-diffusion.
"""

import math
from functools import partial

from ams.samplers.affine_transitions import next_level
from ams.samplers.base import Algebra, Info, Noise, Score, State, Step
from ams.samplers.loop import denoise
from ams.schedules import Level


def dpm_solver(eta: float = 0.0) -> Step:
    """Return the step of DPM-Solver++(2M) for `eta = 0`, without draws, or of SDE-DPM-Solver++(2M)
    for `eta = 1`.

    The state carries the denoised point `d` and the last step `h` in log noise. Raises ValueError
    for a negative eta; the step raises it at the last noise level.
    """
    if not eta >= 0.0:
        raise ValueError(f"a DPM-Solver++ needs eta >= 0, got {eta}")

    def step(
        state: State, score: Score, noise: Noise, level: Level, algebra: Algebra
    ) -> tuple[State, Info]:
        after, d = next_level(level), denoise(state.x, level, score, algebra)
        v, v_next = level.sigma / level.scale, after.sigma / after.scale
        h = math.log(v / v_next) if v_next else math.inf
        gain = -after.scale * math.expm1(-(1 + eta) * h)
        ahead = h / (2 * state.h) if state.d is not None and v_next else 0.0
        drift = [
            (after.scale / level.scale * math.exp(-(1 + eta) * h), state.x),
            (gain * (1 + ahead), d),
        ]
        if ahead:
            drift.append((-gain * ahead, state.d))
        mean = partial(algebra.combine, *drift)
        info, spread = (
            Info(1, state.x, mean),
            after.sigma * math.sqrt(-math.expm1(-2 * eta * h) if eta else 0.0),
        )
        if not spread:
            return state._replace(x=mean(), d=d, h=h), info
        z = noise(state.x)
        return state._replace(x=algebra.combine((spread, z), *drift, over=z), d=d, h=h), info

    return step
