"""One pytest case for each check of the kit, for the tests of a library.

    @pytest.mark.parametrize("check", conformance_cases(sampler, order=2))
    def test_conformance(check):
        check()

All cases of a sampler share one report, made when the first of them runs.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from samplercheck import expected
from samplercheck.judgement import conform
from samplercheck.report import CHECKS, Report, of_checks
from samplercheck.sampler import Sampler
from samplercheck.verdict_words import INCONCLUSIVE, REFUTED


def conformance_cases(
    sampler: Sampler, order: int | None = None, expected_failed_checks: dict[str, str] | Path | None = None
) -> list[Any]:
    """Return the parameters for `pytest.mark.parametrize`: each is a function that makes one check.

    It fails with the reason where the sampler is refuted, and is skipped with the reason where the check is
    inconclusive or not made of such a sampler. Checks without a case of their own share `others`. `order` takes the
    place of the sampler's own. `expected_failed_checks` has checks that are expected to be refuted with reasons, or is
    the TOML file of `samplercheck --expected`, with a table of the sampler's name: their cases are strict xfails.
    Raises UserError for a check that does not exist.
    """
    tested = sampler if order is None else replace(sampler, order=order)
    given = expected_failed_checks or {}
    failures = of_checks(expected.read(given, sampler.name) if isinstance(given, Path) else given)
    names = (*dict.fromkeys((*CHECKS, *failures)),)
    report = cache(lambda: conform(tested))
    return [
        pytest.param(
            partial(_check, report, name, names, name in failures),
            id=name,
            marks=pytest.mark.xfail(reason=failures[name], strict=True) if name in failures else (),
        )
        for name in (*names, "others")
    ]


def _check(report: Callable[[], Report], name: str, names: tuple[str, ...], fails: bool) -> None:
    """Make the check `name`."""
    __tracebackhide__ = True
    made = [each for each in report().judgements if (each.check if each.check in names else "others") == name]
    if not made and not fails:
        pytest.skip(f"not made: {report().not_made.get(name, 'there are no others')}")
    for judgement in made:
        words = f"{report().name}: {judgement.check}: {judgement.why}"
        if judgement.verdict == REFUTED:
            pytest.fail(words, pytrace=False)
        if judgement.verdict == INCONCLUSIVE:
            pytest.skip(f"inconclusive: {words}")
