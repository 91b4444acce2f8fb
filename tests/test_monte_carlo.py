"""The suite's one false-alarm budget: it is spent in the open, and not overspent."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.claims import ROOT
from tests.conftest import pytest_collection_modifyitems
from tests.monte_carlo import MonteCarlo, overspent
from verdicts.claims.loading import load_claims

PLANNED = ("mean_test", "known_mean_test", "squares_test", "count_test", "fit_test", "margin")
PLANS = {f"plan_{what}" for what in PLANNED}


def test_every_check_by_monte_carlo_says_what_it_spends() -> None:
    """Those of the theory: experiments on images have intervals over batches at a confidence of
    their own.
    """
    claims = load_claims(ROOT)
    checks = [
        check
        for c in claims.claim
        if claims.group_of(c).module.startswith("analysis.")
        for check in c.check
    ]
    assert [check.id for check in checks if check.by_monte_carlo != (check.share is not None)] == []


def test_more_than_the_budget_is_told() -> None:
    assert overspent([0.5, 0.5]) == ""
    assert "spend 1.1 of" in overspent([0.5, 0.6])


def planning(path: Path) -> list[str]:
    """Return the tests of a file that plan a stochastic test, or draw from the session's seed,
    without the mark.
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            marked = any("monte_carlo" in ast.dump(decorator) for decorator in node.decorator_list)
            if names & PLANS and not marked:
                found.append(f"{path.name}::{node.name}")
    return found


def test_every_planned_test_is_marked() -> None:
    """But for those of the planning itself, which decide nothing by random numbers."""
    files = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.name != "test_power_analysis.py"
    ]
    assert [name for path in files for name in planning(path)] == []


class Item(NamedTuple):
    """A test as the collection sees it, marked with a share or without."""

    nodeid: str
    mark: pytest.Mark | None

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.mark


def items(count: int, *given: object, **shares: float) -> list[Item]:
    mark = pytest.Mark("monte_carlo", given, shares) if given or shares else None
    return [Item(f"test_{number}", mark) for number in range(count)]


def test_a_collection_that_overspends_is_refused() -> None:
    pytest_collection_modifyitems([*items(3, share=0.01), *items(1000)])
    with pytest.raises(pytest.UsageError, match=r"spend [12]\.\d+ of the suite's"):
        pytest_collection_modifyitems(items(4, share=0.3))


@pytest.mark.parametrize("marked", [items(1, 0.01), items(1, share=0.0), items(1, share=1.5)])
def test_a_mark_without_a_share_is_refused(marked: list[Item]) -> None:
    with pytest.raises(pytest.UsageError, match="mark it"):
        pytest_collection_modifyitems(marked)


@pytest.mark.monte_carlo(share=1e-9)
def test_a_marked_test_has_its_share_and_reproducible_streams(monte_carlo: MonteCarlo) -> None:
    assert monte_carlo.share == 1e-9 and monte_carlo.note("what it sees") == "what it sees"
    again = MonteCarlo(1e-9, monte_carlo.seed)
    one, same, other = (
        each.torch(stream).initial_seed()
        for each, stream in ((again, 1), (monte_carlo, 1), (again, 2))
    )
    assert one == same != other
    assert again.numpy(1).random() == monte_carlo.numpy(1).random() != again.numpy(2).random()
