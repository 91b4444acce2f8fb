"""One pytest case for each check of the kit, for the tests of a library.

    @pytest.mark.parametrize("check", conformance_cases(sampler, order=2))
    def test_conformance(check):
        check()

All cases of a sampler share one report, made when the first of them runs. That one fails where it
cannot be made.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from samplercheck import adapters, entry_points, expected
from samplercheck.errors import UserError
from samplercheck.judgement import conform
from samplercheck.policy import STEPS, conform_policy
from samplercheck.report import CHECKS, OF_A_POLICY, Report, of_checks
from samplercheck.sampler import Sampler, stated
from samplercheck.verdict_words import HOLDS, INCONCLUSIVE, REFUTED


def conformance_cases(
    sampler: Sampler | Callable[..., Any],
    order: int | None = None,
    expected_failed_checks: dict[str, str] | Path | None = None,
    *,
    network: str = "",
    settings: dict[str, Any] | None = None,
    convention: str | None = None,
    shape: tuple[int, ...] | None = None,
    kind: str | None = None,
    strict: bool = False,
    policy: bool = False,
    steps: int = STEPS,
) -> list[Any]:
    """Return the parameters for `pytest.mark.parametrize`: each is a function that makes one check.

    It fails with the reason where the sampler is refuted, and is skipped with the reason where the
    check is inconclusive or not made of such a sampler. Checks without a case of their own share
    `others`. `order` takes the place of the sampler's own. `expected_failed_checks` has checks that
    are expected to be refuted with reasons, or is the TOML file of `samplercheck --expected`, with
    a table of the sampler's name: their cases are strict xfails. With `strict` what is inconclusive
    or noted fails too.

    A function, class or object as it is needs `network`, its parameter that takes the network;
    `settings` are of its other parameters, `convention` is what the network returns and is told,
    found by trying if it is None. `shape` is that of one state, `kind` ("ode", "sde", "churn") what
    it solves. A scheduler's class needs no `network`, nor does a step that states a density, with
    `policy`, of which each of a run of `steps` is judged. Raises UserError for another function
    without `network`, what is no sampler, and a check that does not exist.
    """
    scheduler = not network and adapters.is_scheduler(sampler)
    if not (network or scheduler or policy or isinstance(sampler, Sampler)):
        wanted = (
            "a Sampler, a scheduler's class, or a function and its parameter for the network, "
            "as network='model'"
        )
        raise UserError(f"conformance_cases: {sampler!r:.60}: expected {wanted}")
    own = isinstance(sampler, Sampler) and not network
    called = getattr(sampler, "name" if own else "__name__", type(sampler).__name__)
    given = expected_failed_checks or {}
    failures = of_checks(expected.read(given, called) if isinstance(given, Path) else given)
    names = (*dict.fromkeys((*(OF_A_POLICY if policy else CHECKS), *failures)),)

    def made() -> Report:
        tested: Any = sampler
        if policy:
            return conform_policy(tested, settings, convention, shape, steps=steps)
        if network or scheduler:
            tested = entry_points.load(tested, called, network, settings, convention, shape)
        tested = stated(tested, order, kind)
        return conform(tested if shape is None else replace(tested, shape=shape))

    report = cache(partial(_tried, made, []))
    return [
        pytest.param(
            partial(_check, report, name, names, name in failures, strict),
            id=f"{called}, {name}",
            marks=pytest.mark.xfail(reason=failures[name], strict=True) if name in failures else (),
        )
        for name in (*names, "others")
    ]


def _tried(made: Callable[[], Report], failed: list[str]) -> Callable[[], Report]:
    """Return what returns the report; where none can be made, it fails the case that asks first,
    and skips others.
    """
    try:
        report = made()
    except (Exception, SystemExit) as error:
        words = f"{type(error).__name__}: {error}".split()
        failed.append(" ".join(words))
    else:
        return lambda: report

    def raised() -> NoReturn:
        if failed:
            pytest.fail(f"it raised {failed.pop()}", pytrace=False)
        pytest.skip("not made: it raised, as the first case that ran says")

    return raised


def _check(
    report: Callable[[], Callable[[], Report]],
    name: str,
    names: tuple[str, ...],
    fails: bool,
    strict: bool,
) -> None:
    """Make the check `name`."""
    __tracebackhide__ = True
    result = report()()
    made = [
        each
        for each in result.judgements
        if (each.check if each.check in names else "others") == name
    ]
    if not made and not fails:
        pytest.skip(
            "not made: "
            f"{result.not_made.get(name, 'nothing was found that has no case of its own')}"
        )
    for judgement in made:
        words = f"{result.name}: {judgement.check}: {judgement.why}"
        if judgement.verdict == REFUTED or (strict and judgement.verdict != HOLDS):
            pytest.fail(words, pytrace=False)
        if judgement.verdict == INCONCLUSIVE:
            pytest.skip(f"inconclusive: {words}")
