"""Traces: recorded runs of the authors' code, and how closely the suite's samplers replay them.

A trace has a run's settings, its noise, and the states that it passed through. Its target is an
isotropic Gaussian mixture with `weights` (K), `means` (K, d) and standard deviation `s0`. Traces of
annealed runs have `sigmas` (L) and `T` steps per noise level. Traces of predictor-corrector runs
have times `t` (N) and `n_steps` corrector steps at each of them: the corrector follows from the
recorded `beta`, the process from the noise coefficient of the predictor.

A shape is a string of axis names, such as "B N F"; "" stands for a number. Axes with the same name
have the same size, and "*" stands for one or more further axes. Every fault is a UserError, one
line with the file and the array.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ams import samplers as sm
from ams.data.arrays import load_arrays
from ams.data.safe_read import content_of
from ams.errors import UserError
from ams.samplers import Particles, State, Step
from ams.samplers.noise_sources import replayed
from ams.schedules import VE, VP, annealed_levels, process_levels
from ams.targets import GaussianMixture

TOLERANCE = 1e-9
"""The largest deviation of a replay that counts as equal."""
_VE, _VP = VE(0.01, 5.0), VP(0.1, 20.0)
_LARGEST = 64 * 2**20  # bytes of a trace
# of a run, of a step's score (K B d), of both together
_MOST_STEPS, _MOST_TERMS, _MOST = (
    2**16,
    2**22,
    2**32,
)
_TARGET = {"weights": "K", "means": "K d", "s0": ""}
_ANNEALED = {"x0": "B *", "sigmas": "L", "T": "", "eps": "", "ams_beta_last_of_level": "L"} | {
    f"{kind}_{what}": shape
    for kind in ("ald", "ams")
    for what, shape in {"traj": "LT B *", "noise": "LT B *", "denoised": "B *"}.items()
}
_CORRECTED = {
    **{
        "x0": "B *",
        "N": "",
        "snr": "",
        "n_steps": "",
        "eps": "",
        "t": "N",
        "beta": "N",
        "noise": "D B *",
    },
    **dict.fromkeys(("after_corrector", "after_predictor", "predictor_mean"), "N B *"),
}
_COUNTS = {"T", "N", "n_steps"}
_POSITIVE = {"s0", "eps", "snr", "sigmas"} | _COUNTS

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, str]


class Trace(NamedTuple):
    """A valid trace: its arrays as float64 tensors, and its target."""

    arrays: dict[str, Tensor]
    target: GaussianMixture

    def integer(self, name: str) -> int:
        """Return an entry as an integer."""
        return int(self.arrays[name])

    def number(self, name: str) -> float:
        """Return an entry as a float."""
        return float(self.arrays[name])


def load(path: Path) -> Trace:
    """Read and check a trace; beta is nan throughout for Langevin, which has none.

    Raises UserError for an array that is missing, of another type or shape, not finite or not
    positive, and for sizes that disagree.
    """
    arrays = load_arrays(content_of(path, _LARGEST), str(path), _LARGEST)
    annealed = "sigmas" in arrays
    shapes = _TARGET | (_ANNEALED if annealed else _CORRECTED)
    check_values(path, arrays, shapes)
    if annealed:
        sizes = {"LT": len(arrays["sigmas"]) * int(arrays["T"])}
    else:
        sizes = {"N": int(arrays["N"]), "D": int(arrays["N"]) * (int(arrays["n_steps"]) + 1)}
    check_sizes(path, arrays, shapes, sizes)
    if arrays["means"].shape[1] != arrays["x0"][0].size:
        raise UserError(
            f"{path}: means have dimension {arrays['means'].shape[1]}, samples "
            f"{arrays['x0'][0].size}"
        )
    _refuse_large(
        path, next(len(arrays[name]) for name in ("ald_noise", "noise") if name in arrays), arrays
    )
    tensors = {name: torch.from_numpy(arrays[name].astype(np.float64)) for name in shapes}
    try:
        return Trace(
            tensors,
            GaussianMixture(tensors["weights"], tensors["means"], float(tensors["s0"]) ** 2),
        )
    except (ValueError, OverflowError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: weights, means and s0 make no mixture: {reason}") from None


def _refuse_large(path: Path, steps: int, arrays: Arrays) -> None:
    """Raise UserError for a run that would take hours: compressed, it may be a small file."""
    terms = arrays["x0"].size * len(arrays["weights"])
    if steps > _MOST_STEPS or terms > _MOST_TERMS or steps * terms > _MOST:
        most = f"at most {_MOST_STEPS} steps, {_MOST_TERMS} terms and {_MOST} together are replayed"
        raise UserError(
            f"{path}: {steps} steps, each of a score with {terms} terms (means, samples, "
            f"entries): {most}"
        )


def check_values(path: Path, arrays: Arrays, shapes: Shapes) -> None:
    """Raise UserError unless all arrays of `shapes` are there, with finite numbers and the right
    number of axes.

    Step sizes and the like must be above 0, and counts whole as well. `beta` may have only nan.
    """
    if missing := sorted(shapes.keys() - arrays.keys()):
        raise UserError(f"{path}: no array {', '.join(missing)}")
    for name, shape in shapes.items():
        array, axes = arrays[name], shape.split()
        if array.dtype.kind not in "biuf":
            raise UserError(f"{path}: array {name} has elements of type {array.dtype}")
        if array.ndim < len(axes) or ("*" not in axes and array.ndim > len(axes)):
            raise UserError(f"{path}: array {name} has the shape {array.shape}, wanted ({shape})")
        if not np.isfinite(array).all() and not (name == "beta" and np.isnan(array).all()):
            raise UserError(f"{path}: array {name} has values that are not finite")
        if name in _POSITIVE and not (array > 0).all():
            raise UserError(f"{path}: array {name} has values that are not positive")
        if name in _COUNTS and (array != np.floor(array)).any():
            raise UserError(f"{path}: {name} is {array}, where a whole number is wanted")


def check_sizes(path: Path, arrays: Arrays, shapes: Shapes, sizes: Mapping[str, int]) -> None:
    """Raise UserError unless axes of the same name have the same size, not 0; `sizes` prescribes
    some of them.
    """
    expected: dict[str, Any] = dict(sizes)
    for name, shape in shapes.items():
        axes, actual = shape.split(), arrays[name].shape
        fixed = len(axes) - ("*" in axes)
        for axis, size in zip(axes, [*actual[:fixed], actual[fixed:]], strict=False):
            if size != expected.setdefault(axis, size) or size == 0:
                raise UserError(
                    f"{path}: array {name} has {size} along {axis}, where {expected[axis]} "
                    "is wanted"
                )


def deviation(path: Path) -> float:
    """Return the largest absolute deviation of the replay from a trace.

    Raises UserError, one line, for a file that is no trace and for settings that cannot be
    replayed.
    """
    trace = load(path)
    deviations = replay_annealed if "sigmas" in trace.arrays else replay_corrected
    try:
        return max(deviations(trace))
    # Finite settings may overflow, divide by zero, point outside a table or lead to a state that is
    # not finite.
    except (ArithmeticError, LookupError, ValueError) as error:
        raise UserError(f"{path}: the trace does not replay: {error}") from None


def replay_annealed(trace: Trace) -> Iterator[float]:
    """Yield the deviations of annealed Langevin and adaptive momentum: positions, denoised result,
    beta.
    """
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
    """Yield the deviations of a predictor-corrector run: times, positions, the predictor's means,
    beta.
    """
    n, inner = trace.integer("N"), trace.integer("n_steps")
    process, predictor = _process_and_predictor(trace, n)
    levels = process_levels(process, n, trace.number("eps"))
    yield _apart(
        torch.tensor([level.t for level in levels], dtype=torch.float64), trace.arrays["t"]
    )
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
    """Return the process and its predictor. Raises ValueError if none fits the first predictor's
    noise coefficient.
    """
    draw = trace.arrays["noise"][trace.integer("n_steps")]
    spread = trace.arrays["after_predictor"][0] - trace.arrays["predictor_mean"][0]
    coefficient = float((spread * draw).sum() / draw.square().sum())
    ve, vp = sm.authors_ve_reverse_diffusion(_VE, n), sm.authors_euler_maruyama(_VP, n)
    for process, kernel in ((_VE, ve), (_VP, vp)):
        first = process_levels(process, n, trace.number("eps"))[0]
        if math.isclose(kernel(first).r, coefficient, rel_tol=1e-6):
            return process, sm.affine(kernel)
    raise ValueError(
        f"the predictor's noise coefficient {coefficient:.6g} fits neither VE 0.01-5 nor VP 0.1-20"
    )


def _apart(ours: Tensor, theirs: Tensor) -> float:
    gap = (ours - theirs).abs().max().item()
    return gap if not math.isnan(gap) else math.inf


def replay(files: Sequence[Path]) -> int:
    """Replay each file and print its largest deviation in a line.

    Returns the exit status: 0; 1 if a deviation exceeds 1e-9; 2 if a file cannot be replayed. All
    files are tried.
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
        print(
            f"{path}: largest deviation {largest:.3e} ({'within' if within else 'ABOVE'} "
            f"{TOLERANCE:g})"
        )
        status = status if within else max(status, 1)
    return status
