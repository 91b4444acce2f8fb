r"""R5: the released image corrector sizes its step by the momentum's norm before the update, one level behind.

`a_t = 2 (snr <z>/<m_{t-1}>)^2` is Song's rule with `snr <s_t>/<m_{t-1}>` in the place of snr. The score's norm grows
along the run (as `1/sigma` while the noise dominates), so the lag is a larger signal-to-noise ratio, by about the
ratio of neighbouring levels: most where there are few. Plain Langevin with the lagged norm (momentum with b = 0) is the
control.
"""

from __future__ import annotations

from functools import cache
from itertools import islice

import numpy as np
import sympy as sp
from pydantic import JsonValue

from ams.laws.symbolic import Norm, Symbols, a, m, s, x, z
from ams.metrics import gaussian_kl
from ams.samplers import (
    State,
    Step,
    adaptive,
    constant,
    langevin,
    momentum,
    momentum_rule,
    snr_of_last_momentum,
    snr_of_momentum,
    snr_of_score,
)
from ams.schedules import Level
from analysis.proofs import left_over
from analysis.targets import stiff_gaussian
from analysis.update_rule.corrector import PROCESS, SNR, program_of
from analysis.update_rule.settings import Settings
from verdicts import Measurement, check

_NU = sp.Symbol("nu", positive=True)


def controls(snr: float = SNR) -> dict[str, Step]:
    """Return the correctors compared: Langevin and adaptive momentum, each with the present norm and the lagged one."""
    return {
        "Langevin": langevin(snr_of_score(snr)),
        "Langevin, lagged norm": momentum(momentum_rule(constant(0.0), snr_of_last_momentum(snr))),
        "adaptive, present norm": momentum(momentum_rule(adaptive(1e-4), snr_of_momentum(snr))),
        "adaptive, lagged norm": momentum(momentum_rule(adaptive(1e-4), snr_of_last_momentum(snr))),
    }


@cache
def final_kl(name: str, count: int) -> float:
    """Return KL(law || target) after the run's last predictor mean, on the stiff Gaussian, exact."""
    law = stiff_gaussian()
    _, info = law.end(program_of(controls()[name], count), law.start(0.0, PROCESS.sigma_max**2))
    mean, variance = law.moments(info.mean())
    return gaussian_kl(mean, variance, law.mean, law.variance, law.multiplicity)


LAGGED = ("Langevin, lagged norm", "adaptive, lagged norm")


@cache
def effective_ratio(name: str, count: int) -> np.ndarray:
    """Return `<s_t>/<m_{t-1}>` at each corrector call but the first; Langevin's momentum is its score."""
    law = stiff_gaussian()
    states = law.run(program_of(controls()[name], count), law.start(0.0, PROCESS.sigma_max**2))
    norms = np.array([(law.norm(state.s), law.norm(state.m)) for state, _ in islice(states, 0, None, 2)])
    return norms[1:, 0] / norms[:-1, 1]


def mean_ratio(name: str, settings: Settings) -> Measurement:
    """Return the geometric mean of the effective ratio over the stated one at 30 levels; the detail has others."""
    counts = sorted({30, *settings.levels})
    means = {count: float(np.exp(np.log(effective_ratio(name, count)).mean())) for count in counts}
    detail: dict[str, JsonValue] = {f"{count} levels": mean for count, mean in means.items()}
    return Measurement(value=means[30], n=29, detail=detail)


@check("R5.disguise")
def lag_is_another_ratio(settings: Settings) -> Measurement:
    """The lagged size is Song's with `snr <s>/<m_{t-1}>`, for any positively homogeneous norm."""
    algebra, level, state = Symbols(), Level(0, sigma=0.0, step=a), State(x, m, s)
    score = algebra.score(x, level)
    lagged = snr_of_last_momentum(_NU)(state, score, z, 0, level, algebra)
    disguised = snr_of_score(_NU * Norm(score) / Norm(m))(state, score, z, 0, level, algebra)
    return left_over(lagged - disguised)


@check("R5.grows")
def effective_ratio_is_never_smaller(settings: Settings) -> Measurement:
    """Count the calls at which `<s_t>/<m_{t-1}>` is below 1, over the control's runs."""
    ratios = np.concatenate([effective_ratio(LAGGED[0], count) for count in settings.levels])
    return Measurement(value=int((ratios < 1.0).sum()), n=len(ratios))


@check("R5.size")
def effective_ratio_at_few_levels(settings: Settings) -> Measurement:
    """The mean ratio of the control."""
    return mean_ratio(LAGGED[0], settings)


@check("R5.size_adaptive")
def effective_ratio_of_adaptive(settings: Settings) -> Measurement:
    """The mean ratio of the released corrector."""
    return mean_ratio(LAGGED[1], settings)


def control_s_share(count: int) -> float:
    """Return the share of adaptive momentum's gain in KL over Langevin that the lagged control has."""
    plain, control, _, released = (final_kl(name, count) for name in controls())
    return (plain - control) / (plain - released)


@check("R5.control")
def control_has_much_of_the_gain(settings: Settings) -> Measurement:
    """Return that share at 30 levels; the detail has it at 10 and 50, and the four samplers' KL at 30."""
    detail: dict[str, JsonValue] = {f"share, {count} levels": control_s_share(count) for count in (10, 50)}
    detail |= {f"KL, {name}": final_kl(name, 30) for name in controls()}
    return Measurement(value=control_s_share(30), detail=detail)
