"""A check whose entry names a function and its arguments: what is measured, and when its record is stale."""

import pytest

MEASURE = 'measure = "more.powers"\n  with = { of = [1.0, 2.0], at = 2 }'
MORE = """
from verdicts import Measurement


def powers(of: tuple[float, ...], at: int, settings: object = None) -> float:
    assert isinstance(of, tuple) and settings.steps
    return sum(each**at for each in of) - 4
"""


@pytest.fixture
def named(toy):
    """The toy repository, one of whose checks names a function of another module."""
    toy.write(f"{toy.package}/alpha/more.py", MORE)
    toy.replace_in_claims("alpha", 'measure = "checks.one"', MEASURE)
    return toy


def test_the_function_is_called_with_settings_and_the_arguments_of_the_entry(named):
    named.run_all()
    record = named.record("A1").read_text()
    assert '"holds"' in record and f"{named.package}/alpha/more.py:5" in record
    named.replace_in_claims("alpha", "at = 2", "at = 3")
    named.run_all()
    assert '"refuted"' in named.record("A1").read_text()


def test_a_record_rests_on_the_module_that_is_named(named):
    workspace = named.workspace()
    claim = next(each for each in workspace.claims.claim if each.id == "A1")
    before = workspace.record_parts(claim)
    named.replace_in_module("alpha/more", "- 4", "- 4 + 0")
    assert before != named.workspace().record_parts(claim)
