"""Verdicts from what was measured, confirmation by longer runs, common noise, and a report's
JSON.
"""

import json
import math
import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from samplercheck import Draws, Network, Report, Sampler, conform, differ, noise_level
from samplercheck.as_used import AsUsed
from samplercheck.beside import changes
from samplercheck.coefficients import REVERSED, Weight
from samplercheck.convergence import EVERY, EXACT, Convergence, Order, fitted
from samplercheck.invariants import Finding
from samplercheck.judgement import confirmed_limit, confirmed_order
from samplercheck.limits import Limit, aitken, limit_of
from samplercheck.nonlinear import Distribution, Transport
from samplercheck.order_conditions import OrderConditions
from samplercheck.page import html
from tests.ams.tools import assert_equal
from tests.samplercheck.faulty import faults, faulty
from tests.samplercheck.references import REFERENCES, ddim

STEP_REFUTED, NOT_FINITE = ("refuted", "order of each step"), ("finite", "deterministic")
COUPLED = {"rows independent": Finding(False, 1.0, 0.0, "a sample alone")}
SHORT = (16, 24, 32, 48, 64, 96)


def order(value: float, half: float = 0.1) -> Order:
    return Order(value, value - half, value + half)


WRONG_STEPS = OrderConditions(0, order(1.0))


def report(**fields: object) -> Report:
    """Return a report on a sampler of order 2 that measured all it should, but for the fields
    given.
    """
    curve = Convergence(
        SHORT, (0.1,), (0.1,), order(2.0), Limit(1e-4, 1e-4), EVERY, end=Limit(0.01, 1e-3)
    )
    right = {
        "name": "sampler",
        "version": "1",
        "settings": {},
        "order": 2,
        "noise": 0.0,
        "convergence": curve,
        "conditions": OrderConditions(1, order(2.0)),
        "mixture": Transport((0.1, 0.01), order(2.0)),
        "defect": 1e-14,
        "w2": {5: 0.2},
        "invariants": {"finite": Finding(True, 0, 0, "all are finite")},
        "seconds": 1.0,
    }
    for name in [name for name in fields if name in ("limit", "start", "end")]:
        right["convergence"] = right["convergence"]._replace(**{name: fields.pop(name)})  # type: ignore[attr-defined]
    return Report(**right | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "verdict", "check"),
    [
        ({}, "holds", ""),
        ({"limit": Limit(0.03, 0.01)}, "refuted", "limit"),
        ({"limit": Limit(0.03, 0.025)}, "inconclusive", "limit"),
        ({"end": Limit(0.07, 0.01)}, "refuted", "end"),
        ({"end": Limit(0.07, 0.03)}, "holds", ""),
        ({"end": Limit(math.nan, math.nan)}, "inconclusive", "end"),
        ({"start": math.nan}, "inconclusive", "start"),
        ({"start": 0.11}, "refuted", "start"),
        ({"conditions": OrderConditions(0, order(1.5))}, "refuted", "order of each step"),
        ({"conditions": OrderConditions(0, order(1.65))}, "inconclusive", "order of each step"),
        ({"conditions": OrderConditions(0, order(1.0)), "noise": 1.0}, "holds", ""),
        ({"conditions": OrderConditions(0, order(0.5)), "noise": 1.0}, *STEP_REFUTED),
        (
            {
                "conditions": OrderConditions(0, order(1.0)),
                "noise": 1.0,
                "limit": Limit(0.01, 0.01),
            },
            *STEP_REFUTED,
        ),
        ({"conditions": OrderConditions(3, None, EXACT)}, "holds", ""),
        ({"mixture": Transport((0.1, 0.01), order(3.0))}, "holds", ""),
        ({"mixture": Transport((0.1, 0.6), order(2.0))}, "refuted", "error on the mixture"),
        ({"mixture": Transport((0.1, math.nan), order(2.0))}, "refuted", "error on the mixture"),
        ({"mixture": Transport((0.1, 0.01), order(1.65), of_steps=order(2.0))}, "holds", ""),
        (
            {"mixture": Transport((0.1, 0.01), order(1.0), of_steps=order(2.0))},
            "refuted",
            "order on the mixture",
        ),
        (
            {"mixture": Transport((0.1, 0.01), order(1.0), of_steps=order(1.5))},
            "refuted",
            "order on the mixture",
        ),
        ({"mixture": Distribution(0.09, 0.06)}, "refuted", "distribution on the mixture"),
        ({"mixture": Distribution(0.07, 0.06)}, "holds", ""),
        ({"mixture": Distribution(math.nan, 0.06)}, "inconclusive", "distribution on the mixture"),
        (
            {"order": None, "mixture": None, "conditions": OrderConditions(0, order(0.0))},
            "holds",
            "",
        ),
        ({"invariants": {"rotation": Finding(False, 1.0, 0.0, "it turns")}}, "refuted", "rotation"),
        (
            {"invariants": {name: Finding(False, 1.0, 0.0, "NaN") for name in NOT_FINITE}},
            "refuted",
            "finite",
        ),
        ({"invariants": {"levels fall": Finding(None, 1.0, 0.0, "it rises")}}, "holds", ""),
        ({"defect": 1e-3}, "holds", ""),
        ({"defect": 1e-3, "convergence": None}, "holds", ""),
        ({"defect": 1e-3, "convergence": None, "mixture": None}, "inconclusive", "affine"),
        (
            {"defect": 1e-3, "convergence": None, "mixture": Distribution(0.01, 0.06)},
            "inconclusive",
            "affine",
        ),
        ({"defect": 1e-3, "convergence": None, "mixture": Distribution(0.01, 0.02)}, "holds", ""),
        (
            {"defect": 1e-3, "invariants": {"rotation": Finding(False, 1.0, 0.0, "it turns")}},
            "holds",
            "",
        ),
        ({"trouble": ("no state is there",)}, "inconclusive", "run"),
    ],
)
def test_the_verdict_follows_from_what_was_measured(
    fields: dict[str, object], verdict: str, check: str
) -> None:
    found = report(**fields)
    assert found.verdict == verdict
    assert (
        check in [judgement.check for judgement in found.judgements if judgement.verdict == verdict]
        or not check
    )
    assert verdict in found.text() and found.why in found.text()
    assert ";" not in found.why or check != "finite"


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"limit": Limit(0.03, 0.01), "conditions": WRONG_STEPS}, "the step's formula"),
        (
            {"start": 0.2, "conditions": WRONG_STEPS, "rounding": "rounded"},
            "the factor on the start",
        ),
        ({"limit": Limit(0.03, 0.01), "rounding": "rounded"}, "the rounding of timesteps"),
        (
            {"limit": Limit(0.03, 0.01), "invariants": {"float32": Finding(False, 1.0, 0.0, "")}},
            "a coefficient",
        ),
        ({"rounding": "rounded"}, ""),
    ],
)
def test_the_hint_is_of_what_others_follow_from(fields: dict[str, object], hint: str) -> None:
    """It stands before a weight that follows from a start or from rounding, else after it."""
    found = report(**fields, worst=Weight(1, 0, 0.5, 1.0, "int eps dv"))
    assert found.hint.startswith(hint) and bool(found.hint) is bool(hint)
    later = bool(hint and {*fields} & {"start", "rounding"})
    assert ("weight of the last output" in found.text().splitlines()[3]) is later


def test_a_report_is_json_whatever_was_measured() -> None:
    found = json.loads(report(convergence=None, w2={5: math.inf}).json())
    assert found["limit"] is None and found["w2"]["5"] is None and found["verdict"] == "holds"
    found = json.loads(report(limit=Limit(math.nan, math.inf)).json())
    assert found["limit"] == {"value": None, "error": None} and found["end"]["value"] == 0.01


@pytest.mark.parametrize(
    ("fields", "worse"),
    [
        ({"conditions": OrderConditions(1, order(1.4))}, {"order of each step"}),
        ({"mixture": Transport((0.1, 0.01), order(2.0))}, {"measured order on the mixture"}),
        ({"uneven": WRONG_STEPS}, {"order on uneven steps"}),
        ({"mixture": Transport((0.1, 0.01), order(2.6))}, set()),
        ({"mixture": Transport((0.1, 0.01), order(4.0))}, set()),
        ({"order": None}, set()),
        ({"worst": Weight(3, 1, 0.4, 0.6, "x0", REVERSED)}, {"weights"}),
        ({"trouble": ("no state is there",)}, {"verdict"}),
    ],
)
def test_what_is_worse_than_before(fields: dict[str, object], worse: set[str]) -> None:
    before = {
        "mixture": Transport((0.1, 0.01), order(3.0)),
        "uneven": OrderConditions(1, order(2.0)),
    }
    old, new = (json.loads(report(**each).json()) for each in (before, before | fields))
    assert {each.words.partition(":")[0] for each in changes(old, new) if each.worse} == worse
    assert not [each for each in changes(old, old) if each.worse]


@pytest.mark.parametrize(
    ("fields", "check", "reason"),
    [
        ({}, "distribution on the mixture", "not stated to draw"),
        (
            {"noise": 1.0, "mixture": Distribution(0.01, 0.06)},
            "order on the mixture",
            "stated to draw",
        ),
        ({"order": None}, "order", "no order is stated"),
        ({"noise": None, "conditions": None}, "order of each step", "varies along a run"),
        ({"defect": 1e-3, "convergence": None}, "limit", "not affine"),
        ({"trouble": ("no state is there",), "convergence": None}, "limit", "the lines above"),
        (
            {"invariants": {"bfloat16": Finding(None, 1.0, 0.0, "it raises")}},
            "bfloat16",
            "it raises",
        ),
        (
            {"invariants": COUPLED, "defect": 1.0, "convergence": None},
            "limit",
            "depend on the rest of their batch",
        ),
        ({"defect": math.nan, "convergence": None}, "limit", "not every end is finite"),
        (
            {"invariants": {"finite": Finding(False, 1.0, 0.0, "8")}, "convergence": None},
            "limit",
            "not every end is",
        ),
        ({"noise": None}, "noise", "varies along a run"),
        ({"constant": None}, "error constant", "fewer than 5 of 20 steps fall above 0.2"),
    ],
)
def test_a_check_that_is_not_made_has_its_reason(
    fields: dict[str, object], check: str, reason: str
) -> None:
    assert reason in report(**fields).not_made[check]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"defect": 1e-3}, "not affine"),
        ({"invariants": COUPLED, "defect": 1.0}, "depend on the rest of their batch"),
        ({"defect": math.nan}, "not every end is finite"),
        ({"trouble": ("no state is there",)}, "no state is there"),
    ],
)
def test_the_page_says_why_it_has_no_curve(fields: dict[str, object], reason: str) -> None:
    """And what was not made, and what options do."""
    used = (
        AsUsed("guidance 2", {5: 0.1}, (), None),
        AsUsed("x0 clipped at 1", {}, (), None, "it draws once"),
    )
    page = html(report(convergence=None, used=used, w2={}, version=1.0, **fields))
    words = " ".join(page.split())
    assert ("not affine" in page) is (reason == "not affine")
    assert re.search(f"<p>None: .*{reason}", page) and re.search(f"<td>none<td>.*{reason}", page)
    assert "is the Wasserstein distance" in words and "The targets are Gaussians" in words
    assert "<td>distribution on the mixture<td>not made<td>it is not stated to draw</tr>" in page
    assert (
        "With guidance 2: the end moves by 0.1 at 5 steps" in page
        and "not measured: it draws once" in page
    )


def test_longer_runs_confirm_or_widen() -> None:
    assert confirmed_limit(Limit(0.04, 0.01), Limit(0.01, 0.001), 0.02) == (0.01, 0.001)
    assert confirmed_limit(Limit(0.04, 0.01), Limit(0.03, 0.001), 0.02) == pytest.approx(
        (0.03, 0.01)
    )
    rising = confirmed_order(order(1.4), order(1.6))
    assert (
        rising is not None
        and rising.high == pytest.approx(1.8)
        and rising.low == pytest.approx(1.5)
    )
    assert confirmed_order(order(1.4), order(1.2)) == order(1.2) and confirmed_order(
        None, order(1.0)
    ) == order(1.0)


def test_limits_and_orders_of_known_sequences() -> None:
    """`1 + h` and `1 - h^2` tend to 1, whatever their order; a sequence that grows keeps its last
    value.
    """
    h = [torch.tensor([1 / n, -1 / n**2, n], dtype=torch.float64) for n in (8, 16, 32)]
    value, left = aitken(*(1 + value for value in h))
    assert_equal(value, torch.tensor([1.0, 1.0, 33.0], dtype=torch.float64))
    assert not left.any()
    found = limit_of(
        (8, 12, 16, 24, 32, 48), [torch.tensor([3.0 + 1 / n, 4.0]) for n in (8, 12, 16, 24, 32, 48)]
    )
    assert found == pytest.approx((5.0, 0.0), abs=1e-5)
    slow = limit_of(SHORT, [torch.tensor([n**-0.3]) for n in SHORT])
    assert slow.least < 0.01 < slow.value, "what falls as slowly may fall to 0"
    with pytest.raises(ValueError, match="2 N and 4 N"):
        limit_of((8, 16, 24), h)
    exact, _ = fitted(SHORT, [0.3 / n**2 for n in SHORT])
    assert exact is not None and exact.value == pytest.approx(2.0) and exact.high - exact.low < 1e-6
    drifts, why = fitted(SHORT, [1 / n + 30 / n**2 for n in SHORT])
    assert drifts is not None and 1.0 < drifts.low < 1.1 < drifts.value and "asymptotic" in why
    assert fitted(SHORT, [1e-12] * 6) == (None, EXACT)
    assert fitted(SHORT, [math.nan] * 6) == (None, "errors that are not finite")


@pytest.mark.parametrize(("third", "verdict"), [(2.0, "holds"), (1.98, "refuted")])
def test_calls_before_the_first_step_hide_no_order(third: float, verdict: str) -> None:
    """Kutta's method of order 3 on a rectified flow, after a call whose result is not used."""

    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        def slope(x: Tensor, t: float) -> Tensor:
            return network("flow", x, noise_level(1 - t, t))

        slope(x, 1.0)
        for k in range(steps):
            t, h = 1 - k / steps, 1 / steps
            first = slope(x, t)
            middle = slope(x - h / 2 * first, t - h / 2)
            last = slope(x + (third - 1) * h * first - third * h * middle, t - h)
            x = x - h * (first + 4 * middle + last) / 6
        return x

    assert (
        conform(Sampler("Kutta", "1", run, lambda steps: 1.0, order=3), steps=SHORT).verdict
        == verdict
    )


def test_common_noise_sees_what_no_order_does() -> None:
    """Valid schemes of the stated order, which only differ from the reference, and the reference
    itself.
    """
    for fault in [fault for fault in faults() if fault.valid and "first step" not in fault.why]:
        clean = REFERENCES[fault.reference].sampler("clean")
        assert differ(clean, clean) == 0.0 and differ(faulty(fault), clean) > 0.05, fault.why


def test_common_noise_sees_one_scheme_in_two_forms() -> None:
    """DDIM from eps and from v; DDIM with eta 1 and the ancestral transition; an SDE on a path and
    on single draws.
    """
    eps, v, noisy = (
        REFERENCES["DDIM"]._replace(run=ddim(*given)).sampler("DDIM", noise=given[0])
        for given in ((0.0, "eps"), (0.0, "v"), (1.0, "eps"))
    )
    assert (
        differ(eps, v) < 1e-12
        and differ(noisy, REFERENCES["ancestral"].sampler("ancestral")) < 1e-10
    )
    path = differ(
        REFERENCES["reverse SDE"].sampler("single"), REFERENCES["Euler-Maruyama"].sampler("path")
    )
    assert 0.01 < path < 0.1  # of the last step, which draws in one of them


def test_what_cannot_be_judged_is_raised_or_inconclusive() -> None:
    def run(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        assert torch.get_num_threads() == 1
        raise KeyError("its own")

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with pytest.raises(KeyError, match="its own"):
        conform(Sampler("raises", "1", run, lambda steps: 1.0))
    assert torch.get_num_threads() == 2, "the user's threads"
    torch.set_num_threads(before)
    euler = REFERENCES["Euler"].sampler("Euler")
    own = replace(
        euler,
        run=lambda network, x, *rest: euler.run(
            network, euler.prior(9) * torch.randn_like(x), *rest
        ),
    )
    found = conform(own, steps=SHORT)
    assert found.verdict != "holds" and any(
        "does not depend on the start" in line for line in found.trouble
    )
    assert not {each.check: each for each in found.judgements}.keys() & {"order", "end", "start"}
    short = REFERENCES["Euler"].sampler("short", lambda steps: REFERENCES["Euler"].mesh(steps)[-4:])
    found = conform(short, steps=SHORT)
    assert found.convergence is None and any(
        "no state of the shortest run" in line for line in found.trouble
    )


def test_an_error_of_the_code_under_test_is_no_check_that_cannot_be_made() -> None:
    euler = REFERENCES["Euler"].sampler("Euler")

    def at_most_fifty(network: Network, x: Tensor, steps: int, draws: Draws) -> Tensor:
        if steps > 50:
            raise ValueError("at most 50 steps")
        return euler.run(network, x, steps, draws)

    with pytest.raises(ValueError, match="at most 50 steps"):
        conform(replace(euler, run=at_most_fifty), steps=SHORT)
