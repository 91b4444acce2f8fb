"""Replays of traces: run the suite's sampler with the recorded noise and compare it with the authors' code.

A trace with `sigmas` is one of annealed runs. A trace with `t` is one of a predictor-corrector run, whose corrector
follows from the recorded `beta` and whose process from the noise coefficient of the predictor.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ams import samplers as sm
from ams.errors import UserError
from ams.samplers import Particles, State, Step
from ams.samplers.noise_sources import replayed
from ams.schedules import VE, VP, annealed_levels, process_levels
from ams.traces.trace_file import Trace, load

TOLERANCE = 1e-9
"""The largest deviation of a replay that counts as equal."""
_VE, _VP = VE(0.01, 5.0), VP(0.1, 20.0)


def deviation(path: Path) -> float:
    """Return the largest absolute deviation of the replay from a trace.

    Raises UserError, one line, for a file that is no trace and for settings that cannot be replayed.
    """
    trace = load(path)
    deviations = replay_annealed if "sigmas" in trace.arrays else replay_corrected
    try:
        return max(deviations(trace))
    # Finite settings may overflow, divide by zero, point outside a table or lead to a state that is not finite.
    except (ArithmeticError, LookupError, ValueError) as error:
        raise UserError(f"{path}: the trace does not replay: {error}") from None


def replay_annealed(trace: Trace) -> Iterator[float]:
    """Yield the deviations of annealed Langevin and adaptive momentum: positions, denoised result, beta."""
    epsilon, repeats = trace.number("eps"), trace.integer("T")
    levels = annealed_levels(trace.arrays["sigmas"].numpy(), epsilon)
    adaptive_step = sm.momentum(sm.momentum_rule(sm.adaptive(1e-3), extra=epsilon))
    for kind, step in {"ald": sm.langevin(), "ams": adaptive_step}.items():
        algebra, betas = Particles(), []
        noise = replayed(trace.arrays[f"{kind}_noise"])
        program = sm.annealed(step, levels, repeats)
        states = sm.run(program, State(trace.arrays["x0"]), trace.target.score, noise, algebra)
        for (_, info), position in zip(states, trace.arrays[f"{kind}_traj"], strict=True):
            yield _apart(info.mean(), position)
            betas.append(info.coefficients.beta if info.coefficients else math.nan)
        result = sm.denoise(info.at, levels[-1], trace.target.score, algebra)
        yield _apart(result, trace.arrays[f"{kind}_denoised"])
    ours = torch.tensor(betas[repeats - 1 :: repeats], dtype=torch.float64)
    yield _apart(ours, trace.arrays["ams_beta_last_of_level"])


def replay_corrected(trace: Trace) -> Iterator[float]:
    """Yield the deviations of a predictor-corrector run: times, positions, the predictor's means, beta."""
    n, inner = trace.integer("N"), trace.integer("n_steps")
    process, predictor = _process_and_predictor(trace, n)
    levels = process_levels(process, n, trace.number("eps"))
    yield _apart(torch.tensor([level.t for level in levels], dtype=torch.float64), trace.arrays["t"])
    program = sm.predictor_corrector(predictor, _corrector(trace), levels, inner)
    noise = replayed(trace.arrays["noise"])
    states = sm.run(program, State(trace.arrays["x0"]), trace.target.score, noise, Particles())
    for number, (state, info) in enumerate(states):
        time, place = divmod(number, inner + 1)
        if place == inner - 1:
            yield _apart(state.x, trace.arrays["after_corrector"][time])
            if _adaptive(trace) and info.coefficients:
                yield abs(info.coefficients.beta - float(trace.arrays["beta"][time]))
        if place == inner:
            yield _apart(state.x, trace.arrays["after_predictor"][time])
            yield _apart(info.mean(), trace.arrays["predictor_mean"][time])


def _adaptive(trace: Trace) -> bool:
    beta = trace.arrays["beta"]
    return bool((beta != beta[0]).any()) and not bool(beta.isnan().any())


def _corrector(trace: Trace) -> Step:
    snr, beta = trace.number("snr"), trace.arrays["beta"]
    if bool(beta.isnan().all()):
        return sm.langevin(sm.snr_of_score(snr))
    if _adaptive(trace):
        return sm.momentum(sm.momentum_rule(sm.adaptive(1e-4), sm.snr_of_last_momentum(snr)))
    return sm.momentum(sm.momentum_rule(sm.constant(float(beta[0])), sm.snr_of_momentum(snr)))


def _process_and_predictor(trace: Trace, n: int) -> tuple[VE | VP, Step]:
    """Return the process and its predictor. Raises ValueError if none fits the first predictor's noise coefficient."""
    draw = trace.arrays["noise"][trace.integer("n_steps")]
    spread = trace.arrays["after_predictor"][0] - trace.arrays["predictor_mean"][0]
    coefficient = float((spread * draw).sum() / draw.square().sum())
    ve, vp = sm.authors_ve_reverse_diffusion(_VE, n), sm.authors_euler_maruyama(_VP, n)
    for process, kernel in ((_VE, ve), (_VP, vp)):
        first = process_levels(process, n, trace.number("eps"))[0]
        if math.isclose(kernel(first).r, coefficient, rel_tol=1e-6):
            return process, sm.affine(kernel)
    raise ValueError(f"the predictor's noise coefficient {coefficient:.6g} fits neither VE 0.01-5 nor VP 0.1-20")


def _apart(ours: Tensor, theirs: Tensor) -> float:
    gap = (ours - theirs).abs().max().item()
    return gap if not math.isnan(gap) else math.inf


def replay(files: Sequence[Path]) -> int:
    """Replay each file and print its largest deviation in a line.

    Returns the exit status: 0; 1 if a deviation exceeds 1e-9; 2 if a file cannot be replayed. All files are tried.
    """
    if not files:
        print("replay: no file given; give traces (.npz)", file=sys.stderr)
        return 2
    status = 0
    for path in files:
        try:
            largest = deviation(Path(path))
        except UserError as error:
            print(error, file=sys.stderr)
            status = 2
            continue
        within = largest <= TOLERANCE
        print(f"{path}: largest deviation {largest:.3e} ({'within' if within else 'ABOVE'} {TOLERANCE:g})")
        status = status if within else max(status, 1)
    return status
