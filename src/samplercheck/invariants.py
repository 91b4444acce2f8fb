"""What must hold exactly for a sampler, whatever its target: each check returns a finding with its
size.

*finite*, *evaluations*, *levels*: the end is finite, and the network is called as often, and at the
noise levels, as the library states; in an even number of steps, in an odd one and in the fewest
that it states. *noise*: no draw moves the end of a sampler that states noise 0; some draw moves the
end of one that states more. *deterministic*: equal start and draws give equal ends, however the
global generators stand. *rows independent*: a sample alone ends as it does in a batch; where
samples share norms or a step size, and nothing else, it is noted. *rotation*: a rotated start,
target and draws give the rotated end. *scaling*: all halved gives half of the end. *levels fall*:
the noise levels passed to the network never rise. *float32*, *bfloat16*: the end is finite. In
float32 it is within `SINGLE` of float64's, in units of the data's scale, when started from the
library's own start. *stated types* takes the place of both where these are stated. *second run*: an
object that has made a run makes an equal one; it is noted if it does not. Code that computes in a
narrower type is noted: what a sampler computes is judged in float64, how exactly is its author's
choice. So are steps that amplify rounding, whatever code makes them: where a network in float32
moves an end in float64 by a quarter as much, or more.
"""

import math
import random
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from samplercheck.answered_draws import Unanswered, Variable, seeded
from samplercheck.convergence import Data, ratio
from samplercheck.model import Recorded
from samplercheck.nonlinear import TwoModes
from samplercheck.sampler import Expected, Path, Sampler, Types, driven
from samplercheck.stated_levels import ALLOWED, farthest, levels_of, time_of

STEPS, ODD = 20, 21
"""Steps of the runs, and of one more: odd, and no divisor of a usual number of timesteps."""
ROWS = 4
TIGHT = 1e-9
SINGLE = 1e-4
OPERATIONS = 4
"""What a step in float32 may move an end by, in units of what its network calls in float32, each
rounded twice, do.
"""
ONCE = 2.0**-8
"""The relative error of a number that is rounded to bfloat16."""


_NOTHING = Recorded(
    lambda x, level: (torch.zeros_like(x), torch.zeros_like(x)),
    consistency=lambda x, level: torch.zeros_like(x),
)
"""Predicts 0."""


class Finding(NamedTuple):
    """One check: whether it holds, its size, the size that is allowed, and a sentence. `holds` None
    is: not judged.
    """

    holds: bool | None
    value: float
    allowed: float
    why: str


def invariants(sampler: Sampler) -> dict[str, Finding]:
    """Return the findings of all checks, by name, on the two-mode mixture.

    Raises TypeError for a run that calls the network not once, Unanswered for noise from elsewhere
    than PyTorch.
    """
    target = TwoModes(sampler.data_std)
    network, generator = target.network(), torch.Generator().manual_seed(0)
    x = sampler.prior(STEPS) * torch.randn(ROWS, 2, dtype=torch.float64, generator=generator)
    values, answered = seeded(ROWS, 2), set[int]()

    def run(
        x: Tensor,
        network: Recorded = network,
        rows: slice = slice(None),
        turn: Tensor | None = None,
        types: Types | None = None,
        steps: int = STEPS,
    ) -> Path:
        def variable(k: int, shape: torch.Size) -> Tensor:
            answered.add(k)
            value = values(k, torch.Size((ROWS, 2)))[rows]
            return (value if turn is None else value @ turn).reshape(shape)

        return driven(sampler, network, x, steps, variable, types)

    def started(steps: int) -> Path:
        return run(x * (sampler.prior(steps) / sampler.prior(STEPS)), steps=steps)

    _reseed(0)
    reference = run(x)
    if not reference.calls:
        raise TypeError(
            "run called the network not once: call network(predict, x, level) for each prediction"
        )
    # a rule that divides by a norm of its draws may refuse draws of 0
    with suppress(ArithmeticError, AssertionError):
        for _ in range(2):  # the first one may begin with what the code keeps of the run before
            still = run(
                torch.zeros_like(x), network=_NOTHING, turn=torch.zeros(2, 2, dtype=torch.float64)
            ).end
        if bool(still.isfinite().all()) and float(still.std()) > TIGHT * sampler.data_std:
            raise Unanswered(
                "with start, predictions and answered draws 0 the end differs from entry "
                "to entry: the code draws "
                "noise that the kit does not answer, as NumPy's or jax.random's; draw with "
                "PyTorch or draws.increment"
            )
    unit = float(reference.end.abs().max().clamp_min(sampler.data_std))
    paths = {STEPS: reference}
    # it may refuse this number
    with suppress(ArithmeticError, AssertionError, LookupError, RuntimeError, ValueError):
        paths[ODD] = started(ODD)
    if sampler.fewest is not None:
        paths[sampler.fewest] = started(sampler.fewest)
    wrong, count = max((int((~path.end.isfinite()).sum()), -count) for count, path in paths.items())
    why = f"entries of the end that are not finite, in {-count} steps: {wrong}"
    findings = {"finite": Finding(not wrong, wrong, 0, why)}
    if sampler.noise is not None and findings["finite"].holds:
        without = run(x, turn=torch.zeros(2, 2, dtype=torch.float64)).end
        findings["noise"] = _noise(
            _equal(reference.end - without, unit, "draws replaced by 0"),
            sampler.noise,
            bool(answered),
        )
    _reseed(1)
    findings["deterministic"] = _equal(
        run(x).end - reference.end, unit, "a second run with the same start and draws"
    )
    if sampler.again and sampler.noise == 0:  # draws of the first run would be counted
        second = (
            driven(replace(sampler, run=sampler.again), network, x, STEPS, values).end
            - reference.end
        )
        kept = _equal(
            second, unit, "a run of an object that has made one, against one of a new object"
        )
        findings["second run"] = kept._replace(holds=kept.holds or None)
    if reference.overwritten:
        findings["start kept"] = Finding(
            None, 1.0, 0.0, "the code writes its samples over the start that it is given"
        )
    alone = torch.cat([run(x[i : i + 1], rows=slice(i, i + 1)).end for i in range(ROWS)])
    why = (
        "a sample alone, against the same in a "
        f"batch{sampler.coupling and f' ({sampler.coupling})'}"
    )
    rows = _equal(alone - reference.end, unit, why)
    if not rows.holds and _share_sizes(sampler, x[:1], values):
        rows = rows._replace(
            holds=None, why=f"{rows.why}; samples share norms or a step size, and nothing else"
        )
    if (joined := max(call.joined for call in reference.calls)) > 1:
        rows = rows._replace(
            why=(
                f"{rows.why}; calls join {joined} copies of all, answered alike: guidance does "
                "nothing"
            )
        )
    findings["rows independent"] = rows
    turn = torch.tensor([[0.8, 0.6], [-0.6, 0.8]], dtype=torch.float64)
    turned = run(
        x @ turn, network=network.moved(lambda x: x @ turn.T, lambda x: x @ turn), turn=turn
    )
    findings["rotation"] = _equal(
        turned.end - reference.end @ turn, unit, "everything rotated, against the rotated end"
    )
    # Not doubled, lest a sampler clip what is beyond the scale that its library states.
    half = network.moved(lambda x: 2 * x, lambda x: x / 2)
    halved = run(x / 2, network=half, turn=torch.eye(2, dtype=torch.float64) / 2)
    findings["scaling"] = _equal(
        halved.end - reference.end / 2, unit, "everything halved, against half of the end"
    )
    findings["levels fall"] = _falling(reference)
    if sampler.levels is not None:
        apart, where = max(
            farthest(levels_of(sampler, count), sampler.levels(count), count) for count in paths
        )
        findings["levels"] = Finding(apart <= ALLOWED, apart, ALLOWED, where)
    if sampler.evaluations is not None:
        calls = [
            (len(path.calls), sampler.evaluations(count), count) for count, path in paths.items()
        ]
        made, stated, count = max(calls, key=lambda one: one[0] != one[1])
        findings["evaluations"] = Finding(
            made == stated, made, stated, f"{made} calls in {count} steps, {stated} stated"
        )
    named = {"float32": Types(torch.float32), "bfloat16": Types(torch.bfloat16)}
    for name, types in {"stated types": sampler.types}.items() if sampler.types else named.items():
        where = f"in {name if not sampler.types else types}"
        if not {torch.float32, torch.float64, None} >= {*types}:
            try:
                narrow = run(x, types=types)
            except (
                RuntimeError,
                TypeError,
            ) as reason:  # PyTorch lacks operations in bfloat16, NumPy the type
                findings[name] = Finding(None, math.nan, math.inf, f"{where} it raises: {reason}")
                continue
            findings[name] = _rounded(narrow, reference.end, sampler.data_std, where, judged=False)
            if sampler.levels is not None and findings[name].holds:
                called = [call.level for call in narrow.calls]
                passed, stated_levels, what = time_of(called, sampler.levels(STEPS))
                apart, place = farthest([*passed, math.nan], stated_levels, STEPS, what)
                allowed = ALLOWED if types.levels in (torch.float32, torch.float64) else ONCE
                if apart > allowed:
                    findings[name] = Finding(False, apart, allowed, f"{where}, {place}")
            continue
        single = _rounded(run(x, types=types), reference.end, sampler.data_std, where, judged=True)
        if single.holds is False and math.isfinite(single.value):
            rough = run(x, network=network.moved(_to_single, _to_single))
            size = _rounded(rough, reference.end, sampler.data_std, where, judged=True).value
            if single.value <= OPERATIONS * size < math.inf:
                why = (
                    f"{single.why}, and by {size:.1e} with a network in float32 alone: the "
                    "steps amplify rounding"
                )
                single = single._replace(holds=None, why=why)
        findings[name] = single
    return findings


def measured(sampler: Sampler) -> Sampler:
    """Return a sampler whose noise is only `Expected` with what is measured: its draws move its
    end, or do not.
    """
    if not isinstance(sampler.noise, Expected):
        return sampler
    network, values = TwoModes(sampler.data_std).network(), seeded(ROWS, 2)
    x = sampler.prior(STEPS) * values(0, torch.Size((ROWS, 2)))
    drawn = driven(sampler, network, x, STEPS, values).end
    still = driven(
        sampler, network, x, STEPS, lambda k, shape: torch.zeros(shape, dtype=torch.float64)
    ).end
    draws = float((drawn - still).abs().max()) > TIGHT * max(
        sampler.data_std, float(still.abs().max())
    )
    noise = float(sampler.noise) if draws == bool(sampler.noise) else None if draws else 0.0
    return replace(sampler, noise=noise)


def fewest_steps(sampler: Sampler, at_least: int) -> tuple[int, str]:
    """Return the fewest steps from `at_least` on in which the sampler does not raise, and what it
    raises in fewer.

    Not fewer than are stated as `fewest`; the first of them where it raises in any number up to
    `STEPS`.
    """
    network, values, why = TwoModes(sampler.data_std).network(), seeded(ROWS, 2), ""
    first = max(at_least, sampler.fewest or 1)
    for steps in range(first, STEPS + 1):
        try:
            driven(
                sampler,
                network,
                sampler.prior(steps) * values(0, torch.Size((ROWS, 2))),
                steps,
                values,
            )
        except Unanswered:
            break
        except Exception as error:
            why = why or f"{type(error).__name__}: {error}"
        else:
            return (
                steps,
                why and f"it raises below {steps} steps ({why:.120}): asked from {steps} on",
            )
    return first, ""


def _share_sizes(sampler: Sampler, x: Tensor, values: Variable) -> bool:
    """Return whether a sample `x` (1, 2) ends as alone in a batch of it turned by 0, 90, 180 and
    270 degrees.

    Draws are turned with it, on a centred Gaussian. Norms there are those of the sample, over the
    batch too, and so is a step size that follows an error; their sum as vectors is 0.
    """
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    turns = torch.stack([torch.linalg.matrix_power(quarter, k) for k in range(ROWS)])
    network = Data(
        *torch.tensor([[0.0, 0.0], [sampler.data_std] * 2], dtype=torch.float64)
    ).network()

    def end(count: int) -> Tensor:
        def variable(k: int, shape: torch.Size) -> Tensor:
            return (values(k, torch.Size((ROWS, 2)))[0] @ turns[:count]).reshape(shape)

        return driven(sampler, network, x[0] @ turns[:count], STEPS, variable).end[0]

    alone, together = end(1), end(ROWS)
    return float((together - alone).abs().max()) <= TIGHT * max(
        sampler.data_std, float(alone.abs().max())
    )


def _noise(moved: Finding, stated: float, answered: bool) -> Finding:
    """Return the finding on a sampler that states this noise, from that on its end with all draws
    replaced by 0.

    `answered` says whether the kit answered any draw.
    """
    if stated:
        silent = (
            "no draw moves the end" if answered else "the code makes no draw that the kit answers"
        )
        silent = (
            f"noise={stated:g} is stated, and {silent}: draw with PyTorch or draws.increment, "
            "or state noise=0"
        )
        return moved._replace(
            holds=not moved.holds, allowed=math.inf, why=silent if moved.holds else moved.why
        )
    drawn = (
        "the code draws noise, and noise=0 is stated: begin at the start that is given, and "
        "state noise=1 for the "
    )
    drawn += "reverse SDE, its eta for the family between, None where it varies along a run"
    kept = (
        "the ends of two equal runs differ, and the code makes no draw that the kit answers: "
        "clear what it keeps "
    )
    kept += "from run to run, and draw with PyTorch"
    return moved if moved.holds else moved._replace(why=drawn if answered else kept)


def _to_single(x: Tensor) -> Tensor:
    """Return float64 rounded to float32."""
    return x.float().double()


def _reseed(seed: int) -> None:
    """Seed every global generator from which a library may draw."""
    random.seed(seed)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002


def _equal(difference: Tensor, unit: float, what: str) -> Finding:
    size = float(difference.abs().max()) / unit
    return Finding(size <= TIGHT, size, TIGHT, f"{what}: a difference of {size:.1e}")


def _falling(path: Path) -> Finding:
    levels = [ratio(call.level) for call in path.calls]
    rises = sum(after > before * (1 + 1e-9) for before, after in pairwise(levels))
    return Finding(
        not rises or None, rises, 0, f"times that the noise level rises in a run: {rises}"
    )


def _rounded(path: Path, reference: Tensor, scale: float, where: str, judged: bool) -> Finding:
    if not bool(path.end.isfinite().all()):
        return Finding(False, float("inf"), SINGLE, f"{where} an entry of the end is not finite")
    size = float((path.end - reference).abs().max()) / scale
    if judged and path.narrow:
        what = (
            f"{where} the code computes in half precision, and the end moves by {size:.1e} of "
            "the data's scale"
        )
        return Finding(None, size, SINGLE, what)
    return Finding(
        size <= SINGLE if judged else True,
        size,
        SINGLE if judged else float("inf"),
        f"{where} the end moves by {size:.1e} of the data's scale",
    )
