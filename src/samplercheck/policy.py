r"""Whether a step that states a density draws from it: `samplercheck FILE.py:STEP --policy`.

Reinforcement learning of diffusion models weighs samples by the ratio of two densities of one
transition, `x' ~ N(mean, std^2)`, whose mean is affine in state and network output:

    log p(x') = -(x' - mean)^2 / (2 std^2) - log std - log sqrt(2 pi),    summed or averaged.

As a function of x' it is a parabola. Its centre, curvature and constant follow from a few stored
samples, mean and std from the answered draws. So each check is exact up to the rounding of float32,
in which many steps compute. On Gaussian data the exact network is affine too: the step in a loop is
a sampler with an affine map, and the distribution of its samples follows without sampling.
"""

import inspect
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import combinations, product
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ams.schedules import Level
from samplercheck import adapters
from samplercheck.affine_map import AFFINE, AffineMap, read_map
from samplercheck.answered_draws import Draws, NotMade, Repeated, Shared
from samplercheck.convergence import Data, converge, two_targets
from samplercheck.errors import unknown
from samplercheck.judgement import end_distance
from samplercheck.model import Network, predicted
from samplercheck.policy_step import ROWS, TIMES, Results, Rollout, Step, normal, of
from samplercheck.report import END, OF_A_POLICY, Judgement, Report, of_checks
from samplercheck.restored import restored
from samplercheck.sampler import Sampler
from samplercheck.verdict_words import HOLDS, INCONCLUSIVE, NOTED, REFUTED

STEPS = 10
"""The steps of the run in which each step is judged, unless the user states them."""
MORE = ((1, 2, 4, 8, 16), (4, 8, 16, 32, 64), (1, 2, 4, 8))
"""How many times as many steps have the runs from which the marginals' limit is extrapolated: the
second ones where it is not resolved, the last where a schedule has no runs so long.
"""
SURE = 16
"""How many times as many steps have the runs by whose ends a step is read anew that no number of
steps leads to the data.
"""
NO_OTHER = "no other reading ends nearer: --convention states one, --set shift=1 other times"
PLACES = (1, 5, 9)
"""Where, in tenths of the longest run, a step is compared with one that keeps the marginals."""
SHOWN = (0, 2)
"""The directions of the target whose ends are reported: standard deviations 0.05 and 1."""
SLOWEST = 0.5
"""An order above which an error falls, where its limit is not resolved."""
CLEAR = 0.5
"""How near to the data a run ends after whose times no others are tried, or whose times are."""
PREDICTIONS = ("flow", "back", "eps", "x0", "v")
"""What a network may return, back: the flow from noise to data."""
COARSE = 0.1
"""The largest rounding of a factor, where a step draws less than it rounds."""
ROUNDED = 64 * torch.finfo(torch.float32).eps


class Transition(NamedTuple):
    """One step of a run: what it draws from, in the terms of its draws.

    `x`, `output`, `mean` and `spread` have the shape (rows, ...). `stated` is without a draw,
    `drawn` with one, `z`. `rounding` is that of a distance from the mean, in units of the spread.
    """

    k: int
    x: Tensor
    output: Tensor
    mean: Tensor
    spread: Tensor
    stated: Results
    drawn: Results
    z: Tensor
    before: Rollout
    rounding: float

    def again(self, prev: Tensor | None, change: Tensor | float = 0.0, **options: Any) -> Results:
        """Return the results once more, of a stored sample or a draw, with a changed output."""
        run, output = self.before.copy(), self.output + change
        return run(self.k, self.x, output, prev, draw=self.z, **options)


def conform_policy(
    step: Callable[..., Any] | str,
    settings: dict[str, Any] | None = None,
    convention: str | None = None,
    shape: tuple[int, ...] | None = None,
    expected_failed_checks: dict[str, str] | None = None,
    steps: int = STEPS,
) -> Report:
    """Return the report on a step: a function, a class, or its name as the command takes it.

    Each step of a run of `steps` is judged. `convention` is what its network returns and is given,
    as flow@flow, by trying if it is None. What the step raises is not caught. Raises UserError for
    a check that does not exist, NotMade where the step states no density.
    """
    began, expected = time.perf_counter(), of_checks(expected_failed_checks or {})
    known = [f"{predict}@{each}" for each in (*TIMES, "its scheduler") for predict in PREDICTIONS]
    if convention is not None and convention not in known:
        raise unknown("convention", convention, known)
    target = adapters.function(step) if isinstance(step, str) else step
    name = step if isinstance(step, str) else step.__name__
    left, w2, read, given = dict[str, str](), dict[int, float](), "", dict(settings or {})
    with restored():
        try:
            taken = of(target, given, convention, shape, steps)
            given = taken.settings
            judged, w2, read = _judged(taken, convention, left)
        except Shared as reason:
            judged = [Judgement("draw", REFUTED, str(reason))]
    judged.sort(key=lambda each: OF_A_POLICY.index(each.check))
    nothing = (None,) * 5
    seconds = time.perf_counter() - began
    return Report(
        name,
        read,
        given,
        *nothing,
        0.0,
        w2,
        {},
        seconds,
        expected=expected,
        made=tuple(judged),
        left=left,
    )


def _judged(
    step: Step, convention: str | None, left: dict[str, str]
) -> tuple[list[Judgement], dict[int, float], str]:
    """Return verdicts, ends, and how the step is read; add the checks that are not made."""
    for rooted in (False, True):
        predict, step = _read(replace(step, rooted=rooted), convention)
        steps, run = _run(step)
        judged = [_boundaries(steps)]
        random = [one for one in steps if one.rounding < COARSE and bool((one.spread > 0).all())]
        if not random:
            raise NotMade(
                "none of its steps draws: state the noise, as --set eta=0.5, or the times"
            )
        density = _density(random)
        if step.draws or density.verdict != REFUTED:
            break
    judged += [density, _replay(run, steps), _gradient(random)]
    if step.draws:
        judged.append(_draw(random, step))
    else:
        left["draw"] = "it draws nothing: its density is compared with what it states"
    left["KL"] = "no function kl(mean, mean_ref, std) is beside it"
    with suppress(TypeError):  # of one that takes others
        if kl := _kl(random, step):
            judged.append(kl)
            del left["KL"]
    marginals, w2 = _marginal(step, predict)
    if marginals.verdict == REFUTED and not convention:
        other = _read(step, None, SURE)
        if _marginal(other[1], other[0])[0].verdict != REFUTED:
            return _judged(other[1], f"{other[0]}@{other[1].times}", left)
        marginals = marginals._replace(why=f"{marginals.why}; {NO_OTHER}")
    judged.append(marginals)
    return judged, w2, f"read as {predict}@{'its scheduler' if step.owner else step.times}"


def _marginal(step: Step, predict: str) -> tuple[Judgement, dict[int, float]]:
    """Return the verdict on the marginals of the first runs that resolve it, and W2 of some."""
    marginals, w2 = Judgement("marginals", INCONCLUSIVE, ""), dict[int, float]()
    for sure, times in product((True, False), MORE):
        many = [step.steps * each for each in times]
        try:
            marginals, w2 = _marginals(step, predict, many, sure)
        except Repeated as reason:
            marginals = Judgement("marginals", REFUTED, str(reason))
        except NotMade as reason:
            marginals = marginals._replace(why=str(reason))
            break
        except Exception as reason:  # as of a schedule without so many steps
            why = f"runs of up to {many[-1]} steps raise {reason!r:.150}: state --steps"
            marginals = marginals._replace(why=marginals.why or why)
            continue
        if marginals.verdict != INCONCLUSIVE:
            break
    return marginals, w2


def _run(step: Step) -> tuple[list[Transition], Rollout]:
    """Return the transitions of a run on fixed outputs, and the run as they leave it."""
    run, steps, shape = step.begin(step.steps), list[Transition](), (ROWS, *step.shape)
    for k in range(step.steps):
        x, output, z = (normal(seed + k, shape) for seed in (10, 20, 40))
        before = run.copy()
        stated = before.copy()(k, x, output)
        mean = stated.sample
        spread = before.copy()(k, x, output, draw=1.0).sample - mean
        drawn = run(k, x, output, draw=z)
        least = min(spread[spread > 0].tolist(), default=1.0)
        rounding = ROUNDED * (1 + _most(x, mean) / least)
        steps.append(Transition(k, x, output, mean, spread, stated, drawn, z, before, rounding))
    return steps, run


def _most(*values: Tensor) -> float:
    """Return the largest size in tensors; what is not a number is larger than all."""
    return float(torch.stack([value.abs().max() for value in values]).max())


def _boundaries(steps: list[Transition]) -> Judgement:
    """Return the verdict on what is finite.

    Sample and spread of each step are finite, and so is its density where it draws. A step with std
    0 has none: which one, and what it returns there. What moves there with the sample is noted.
    """
    still, moved = list[str](), False
    for one in steps:
        at = f"step {one.k + 1}, from sigma {one.before.levels[one.k].sigma:.3g}"
        log_prob = float(one.drawn.log_prob[0])
        if not bool((one.mean + one.spread).isfinite().all()):
            return Judgement("boundaries", REFUTED, f"{at}: its sample is not finite")
        if not bool(one.spread.any()):
            still.append(f"{at}, is deterministic (std 0), its log_prob there is {log_prob:.3g}")
            away = float(one.again(one.mean + 1).log_prob[0])
            moved |= away != log_prob
        elif not math.isfinite(log_prob):
            return Judgement("boundaries", REFUTED, f"{at}: its log_prob is {log_prob:.3g}")
    if still:
        words = "; ".join(still)
        return Judgement("boundaries", NOTED if moved else HOLDS, words)
    return Judgement("boundaries", HOLDS, f"all of {len(steps)} steps draw, and are finite")


def _by_step(factors: Sequence[float], steps: Sequence[Transition]) -> str:
    """Return factors in words: one for all steps, or each."""
    shown = [f"{round(factor, 12) + 0.0:.3g}" for factor in factors]
    if len({*shown}) == 1:
        return f"{shown[0]} at every step"
    return f"{', '.join(shown)} at steps {steps[0].k + 1} to {steps[-1].k + 1}"


def _of_factors(
    check: str, factors: Sequence[float], steps: Sequence[Transition], what: str
) -> Judgement:
    """Return the verdict on a quantity in units of that of the density drawn, summed.

    It holds with a factor of 1, or of 1 / the number of coordinates that are averaged, at all
    steps.
    """
    shape = steps[0].x[0].shape
    size = math.prod(shape)
    some = (combinations(shape, count) for count in range(len(shape) + 1))
    for joined in {math.prod(each) for every in some for each in every}:
        if _alike([factor * joined for factor in factors], steps):
            of = f"averaged over {'some ' * (joined < size)}coordinates"
            return Judgement(check, HOLDS, f"that of the draw, {of if joined > 1 else 'summed'}")
    joined = size if median(map(abs, factors)) < size**-0.5 else 1
    how = _by_step([factor * joined for factor in factors], steps)
    kind = "averaged" if joined > 1 else "summed"
    for power in (1, 2):
        sizes = [float(one.spread.mean()) ** power for one in steps]
        parts = [factor * joined / size for factor, size in zip(factors, sizes, strict=True)]
        ratios = [part / (parts[0] or math.inf) for part in parts]
        if max(sizes) > 1.01 * min(sizes) and _alike(ratios, steps):
            how += f", which is {parts[0]:.3g} std^{power}"
    return Judgement(check, REFUTED, f"{what}, {kind} over coordinates, is the draw's times {how}")


def _alike(ratios: Sequence[float], steps: Sequence[Transition]) -> bool:
    """Return whether ratios are 1, within the rounding of each step."""
    pairs = zip(ratios, steps, strict=True)
    return all(abs(ratio - 1) <= min(4 * one.rounding, COARSE) for ratio, one in pairs)


def _draw(steps: list[Transition], step: Step) -> Judgement:
    """Return the verdict on the draw: `sample = mean + std z` with the mean and std returned.

    With zero draws the sample is the mean, with draws of 1 it is std above it.
    """
    mean, std = step.layout[2:]
    for one in steps:
        centred = one.drawn.sample - one.spread * one.z
        for value, name in ((centred, "the sample less std z"), (one.stated.mean, mean)):
            far = 0.0 if value is None else _most((value - one.mean) / one.spread)
            if not far <= one.rounding:
                words = f"step {one.k + 1}: {name} is {far:.3g} std off the mean of the draw"
                return Judgement("draw", REFUTED, words)
    if not std:
        return Judgement("draw", HOLDS, f"affine in its draw; {mean or 'no mean'}, no std")
    ratios = [float((one.stated.std / one.spread).mean()) for one in steps]
    if _alike(ratios, steps):
        return Judgement("draw", HOLDS, f"{mean or 'no mean'} and {std} are of the draw")
    roots = [one.before.root(one.k) for one in steps]
    if _alike([a * b for a, b in zip(ratios, roots, strict=True)], steps):
        lost = _by_step([root**2 for root in roots], steps)
        words = (
            f"{std} lacks sqrt(dt): a KL divided by its square is dt times too small, dt = {lost}"
        )
        return Judgement("draw", NOTED, words)
    return Judgement("draw", REFUTED, f"{std} is that of the draw times {_by_step(ratios, steps)}")


def _density(steps: list[Transition]) -> Judgement:
    """Return the verdict on the density as a function of the stored sample.

    At `mean + u std e` it is a parabola in u, with its top at 0 and the curvature -|e|^2, summed or
    averaged. Its constant is noted where no parameter of the network moves it: it is one for all
    rows.
    """
    factors, constants, moved, whole = list[float](), list[float](), False, True
    for one in steps:
        e, at = normal(60, one.x.shape), f"step {one.k + 1}: log_prob"
        low, below, top, above, high = (
            one.again(one.mean + u * one.spread * e).log_prob.double() for u in (-2, -1, 0, 1, 2)
        )
        bend = below + above - 2 * top
        factors.append(-float(bend.sum() / e.square().sum()))
        if not _most(low + high - 2 * top - 4 * bend) <= COARSE * _most(bend):
            return Judgement("density", REFUTED, f"{at} is not quadratic in the stored sample")
        if (centre := _most((above - below) / 2 / bend)) > one.rounding:
            words = f"{at} is centred {centre:.3g} std off the mean of the draw"
            return Judgement("density", REFUTED, words)
        parts = factors[-1] * (one.spread.log() + math.log(2 * math.pi) / 2).flatten(1)
        rest, size = top + parts.sum(1), one.rounding * (1 + float(parts.abs().sum()))
        constants.append(float(rest[0]))
        moved |= _most(rest - rest[0]) > size
        whole &= _most(rest) <= size
    judged = _of_factors("density", factors, steps, "the square in log_prob")
    if judged.verdict == REFUTED or whole:
        return judged
    if moved:
        return Judgement("density", REFUTED, "the constant in log_prob is not one for all rows")
    words = f"a constant, of no effect on updates, is off by {_by_step(constants, steps)}"
    return Judgement("density", NOTED, f"{judged.why}; {words}, as without log std or log 2 pi")


def _replay(run: Rollout, steps: list[Transition]) -> Judgement:
    """Return the verdict on stored samples: their densities once more, with a ratio of 1.

    The steps come in reverse order, three of four rows in another order; then with the step's own
    casts, in float32. With states stored in bfloat16 the size of the log ratio is a fact.
    """
    rows, off, narrow, half = [2, 0, 3], 0.0, (0.0, 0), False
    for one in reversed(steps):
        at, before, stored = f"step {one.k + 1}", one.drawn.log_prob, one.drawn.sample
        try:
            again = run(one.k, one.x[rows], one.output[rows], stored[rows])
        except Exception as error:
            return Judgement("replay", REFUTED, f"{at} of a stored sample raises {error!r:.80}")
        moved = _most(again.log_prob - before[rows])
        if bool(before.isfinite().all()) and not moved <= one.rounding * (1 + _most(before)):
            words = f"{at}: log_prob of a stored sample moves by {moved:.3g} in another batch"
            return Judgement("replay", REFUTED, f"{words} and order")
        x, output, z = (each.float() for each in (one.x, one.output, one.z))
        with suppress(Exception):
            drawn = one.before.copy()(one.k, x, output, draw=z, widen=False)
            kept = drawn.sample.float()
            low = x.bfloat16(), output, kept.bfloat16()
            a = run(one.k, x, output, kept, widen=False).log_prob
            half |= run.half
            b = run(one.k, *low, widen=False).log_prob
            off, narrow = max(off, moved), max(narrow, (_most(a - b), one.k + 1))
            if (cast := _most(a - drawn.log_prob)) > 4 * one.rounding * (1 + _most(before)):
                words = f"{at}: log_prob of a sample stored in float32 moves by {cast:.3g}"
                return Judgement("replay", REFUTED, f"{words}: it is rounded in one of both calls")
    words = f"ratio 1, its logarithm off by {off:.0e}; "
    size = "of states stored in bfloat16 by {:.2g}, at step {}".format(*narrow)
    words += size if narrow[1] else "it takes no bfloat16"
    if half:
        return Judgement("replay", NOTED, f"it computes in half precision; {words}")
    return Judgement("replay", HOLDS, words)


def _gradient(steps: list[Transition]) -> Judgement:
    """Return the verdict on the gradient: what an update does.

    Of a network `output + theta g` it is `(x' - mean) / std^2 . d mean / d theta`, joined over
    coordinates as the density is. In a call that draws, a gradient that differs is noted.
    """
    stored, drawn = list[float](), list[float]()
    for one in steps:
        g, sample = normal(70, one.x.shape), one.drawn.sample
        ahead = one.before.copy()(one.k, one.x, one.output + g).sample - one.mean
        closed = ((sample - one.mean) / one.spread**2 * ahead).flatten(1).sum(1)
        for prev, ratios in ((sample, stored), (None, drawn)):
            theta = torch.zeros(ROWS, *[1] * (one.x.dim() - 1), dtype=torch.float64)
            theta.requires_grad_()
            log_prob = one.again(prev, theta * g, grad=True).log_prob
            slope = torch.zeros(ROWS)
            if log_prob.requires_grad:
                (slope,) = torch.autograd.grad(log_prob.sum(), theta, materialize_grads=True)
            ratios.append(float((slope.flatten() / closed).median()))
    judged = _of_factors("gradient", stored, steps, "the gradient of log_prob")
    pairs = [a / b if b else 1.0 for a, b in zip(drawn, stored, strict=True)]
    if judged.verdict == REFUTED or _alike(pairs, steps):
        return judged
    words = f"in the call that draws times {_by_step(pairs, steps)}: take it of stored samples"
    return Judgement("gradient", NOTED, f"{judged.why}; {words}")


def _kl(steps: list[Transition], step: Step) -> Judgement | None:
    """Return the verdict on the function kl(mean, mean_ref, std) beside a step, if there is one.

    It is `|mean - mean_ref|^2 / (2 std^2)`, summed or averaged, with the std that the step returns.
    """
    for name, function in vars(inspect.getmodule(step.call()) or math).items():
        if "kl" not in name.lower().split("_") or not inspect.isfunction(function):
            continue
        factors = []
        for one in steps:
            e = normal(80, one.x.shape)
            std = one.spread if one.stated.std is None else one.stated.std
            value = function(one.mean, one.mean + one.spread * e, std)
            rows = ROWS if value.numel() % ROWS else 1  # of one number, the mean over the batch
            factors.append(float(value.sum() * rows / (e.square().sum() / 2)))
        return _of_factors("KL", factors, steps, f"{name}(mean, mean_ref, std)")
    return None


def _sampler(step: Step, predict: str) -> Sampler:
    """Return the step in a loop as a sampler, with a network that returns `predict`."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        rollout = step.begin(steps)
        for k, level in enumerate(rollout.levels[:-1]):
            back = predict == "back"
            output = network("flow" if back else predict, x, level) * (-1 if back else 1)
            x = rollout(k, x, output, draw=None).sample
        return x

    shape = None if len(step.shape) == 3 else step.shape
    start = step.begin(step.steps).levels[0].sigma
    return Sampler("", "", run, lambda steps: start, noise=None, shape=shape)


def _output(predict: str, x0: Tensor, eps: Tensor, level: Level) -> Tensor:
    """Return what the network of a step returns; back is the flow from noise to data."""
    back = predict == "back"
    return predicted("flow" if back else predict, x0, eps, level) * (-1 if back else 1)


def _carried(step: Step, predict: str, count: int) -> str:
    """Return in words by which factors steps of a run of `count` miss the data's marginals.

    From `x = s x0 + sigma e`, with the spread std that is drawn, these ask for the mean
    `s' x0 + k e`, `k^2 = sigma'^2 - std^2`. Compared are the change of s, and `sigma' - k`,
    the drift that goes with the noise, as multiples of what is asked. Both tend to 1.
    """
    run, shape = step.begin(count), (ROWS, *step.shape)
    places = [count * k // 10 for k in PLACES]
    signal, noise = list[str](), list[str]()
    zero, one = torch.zeros(shape, dtype=torch.float64), torch.ones(shape, dtype=torch.float64)
    for k in places:
        here, ahead = run.levels[k : k + 2]
        adds, keeps, drawn = (
            float(
                run.copy()(
                    k, here.scale * x0 + here.sigma * e, _output(predict, x0, e, here), draw=draw
                ).sample.mean()
            )
            for x0, e, draw in ((one, zero, 0.0), (zero, one, 0.0), (zero, one, 1.0))
        )
        signal.append(f"{(adds - here.scale) / (ahead.scale - here.scale):.2g}")
        asked = ahead.sigma - math.sqrt(max(ahead.sigma**2 - (drawn - keeps) ** 2, 0.0))
        noise.append(f"{round((ahead.sigma - keeps) / asked, 2) + 0.0:.2g}" if asked else "none")
    where = ", ".join(str(k + 1) for k in places)
    return (
        f"of what the data ask for, steps {where} of {count} add signal times {', '.join(signal)}, "
        f"their drift against the noise is times {', '.join(noise)}"
    )


def _read(step: Step, convention: str | None, more: int = 1) -> tuple[str, Step]:
    """Return what the network of a step returns, and the step at its times.

    Those are taken whose run of `more` times the steps ends nearest to Gaussian data, if none is
    stated; at other times than the first that run alone if these do not end near.
    """
    if convention:
        return convention.partition("@")[0], step
    read = [(math.inf, "flow", step)]
    tried = TIMES if step.times in TIMES and not step.owner else (step.times,)
    for times, predict in product(tried, PREDICTIONS):
        one = replace(step, times=times)
        with suppress(Exception):  # as of the root of a length that is below 0
            off = end_distance(_sampler(one, predict), two_targets(1.0), step.steps * more)
            read.append((off if times == step.times or off < CLEAR else math.inf, predict, one))
        best = min(read, key=itemgetter(0))
        if more == 1 and best[0] < CLEAR and predict == PREDICTIONS[-1]:
            break
    return best[1:]


@lru_cache(len(MORE[0]))
def _law(sampler: Sampler, data: Data, steps: int) -> AffineMap:
    """Return the map of a run, which draws at most once a step."""
    return read_map(sampler, data.network(), len(data.mean), steps, draws=steps)


def _marginals(
    step: Step, predict: str, many: Sequence[int], sure: bool
) -> tuple[Judgement, dict[int, float]]:
    """Return the verdict on the ends of runs of `many` steps on Gaussian data, and W2 of some.

    Refuted where no number of steps leads to the data. An error that vanishes with many steps is a
    fact: how far the fewest steps end from the data, which errs most. One that grows is noted. If
    not `sure`, an error that has an order vanishes, though its limit is not resolved.
    """
    data, sampler = two_targets(1.0), _sampler(step, predict)
    curve, defect = converge(sampler, data, many, _law)
    if not defect <= AFFINE:
        raise NotMade(f"not affine, by {defect:.1e}: there is no exact law")
    short, half, long = (_law(sampler, data, count) for count in (step.steps, *many[-2:]))
    start = data.marginal(short.levels[0])
    off = []
    for i, level in enumerate([*short.levels, step.begin(step.steps).levels[-1]]):
        (mean, variance), exact = short.law(i, *start), data.marginal(level)
        off.append(torch.stack([mean - exact[0], variance.sqrt() - exact[1].sqrt()]))
    jumps = torch.stack(off).diff(dim=0).abs().amax(2)
    k = int(jumps.norm(dim=1).argmax())
    first, fewer, last = (each.law(-1, *start)[1].sqrt() for each in (short, half, long))
    ends = [f"{first[i]:.4g} ({last[i]:.4g}) for {data.std[i]:g}" for i in SHOWN]
    words = (
        f"W2 of the limit of ends {curve.end.text(END)}; after {step.steps} ({many[-1]}) steps std "
        f"{', '.join(ends)}; step {k + 1} errs most, by {float(jumps[k, 1]):.2g} of std, "
        f"{round(float(jumps[k, 0]), 9):.2g} of mean"
    )
    w2 = {step.steps: end_distance(sampler, data, step.steps)}
    refuted = curve.end.least > END
    if refuted:  # twice, since a run that errs much may have its order with more steps alone
        longer = converge(sampler, data, [2 * count for count in many], _law)[0]
        refuted = longer.end.least > END
    if refuted:
        point = converge(sampler, Data(data.mean, 0 * data.std), many, _law)[0].end
        only = ", but of data without a spread" * (point.least <= END)
        how = _carried(step, predict, many[-1])
        why = f"no number of steps leads to the data{only}; {how}; {words}"
        return Judgement("marginals", REFUTED, why), w2
    worse = ((last - data.std).abs() - (fewer - data.std).abs()) / data.std
    if float(worse.max()) > END:
        i = int(worse.argmax())
        grows = (
            f"more steps err more: std {fewer[i]:.4g} after {many[-2]}, {last[i]:.4g} after "
            f"{many[-1]} for {data.std[i]:g}"
        )
        return Judgement("marginals", NOTED, f"{grows}; {words}"), w2
    falling = curve.order is not None and curve.order.low > SLOWEST
    falls = curve.end.most <= END or (falling and (curve.end.value <= END or not sure))
    return Judgement("marginals", HOLDS if falls else INCONCLUSIVE, words), w2
