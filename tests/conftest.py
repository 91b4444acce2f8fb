"""What all tests share: seeds and the false-alarm budget of the stochastic ones (`tests/monte_carlo.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import Phase, settings

from ams.ledger.claims import Claims
from ams.ledger.loading import CLAIMS, load_toml
from ams.ledger.problems import InputProblem
from tests.monte_carlo import MARK, MonteCarlo, overspent, share_of, spent_by_claims

# For `ams mutate`: that an example fails is enough, the smallest one is not looked for
settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=2405, help="seed of the tests marked monte_carlo")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(share): stochastic; spends that share of the false-alarm budget")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a collection that spends more than the budget, before any test runs."""
    try:
        of_tests = [share_of(item) for item in items]
        claims = load_toml(Path(__file__).resolve().parents[1], CLAIMS, Claims)
    except (ValueError, InputProblem) as error:
        raise pytest.UsageError(str(error)) from error
    if complaint := overspent([*of_tests, *spent_by_claims(claims).values()]):
        raise pytest.UsageError(complaint)


@pytest.fixture
def monte_carlo(request: pytest.FixtureRequest) -> MonteCarlo:
    """Return the test's share and seed. A test without the mark has none to spend."""
    share = share_of(request.node)
    assert share, f"mark the test monte_carlo(share=...): {request.node.nodeid}"
    return MonteCarlo(share, request.config.getoption("--seed"))
