"""The one false-alarm budget of all Monte Carlo assertions: who spends how much of it.

A stochastic test is marked `@pytest.mark.monte_carlo(share=...)` and takes the fixture
`monte_carlo`, which gives it that share to plan with and its seed. A check of the ledger has its
`share` in the claims file. Together they spend at most 1, `ams.statistics.SUITE_FALSE_ALARM`; a
collection that spends more is refused before a test runs.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np
import pytest
import torch

from verdicts.claims.schema import Claims

MARK = "monte_carlo"
Plan = TypeVar("Plan")


class MonteCarlo(NamedTuple):
    """What a stochastic test may spend, and the seed of this session (`pytest --seed`)."""

    share: float
    seed: int

    def note(self, plan: Plan) -> Plan:
        """Print what a planned test sees (`pytest -rP -m monte_carlo` shows it), and return the
        test.
        """
        print(plan)
        return plan

    def torch(self, stream: int = 0) -> torch.Generator:
        """Return a generator; streams are independent."""
        return torch.Generator().manual_seed(
            int(self._mixed(stream).generate_state(1, np.uint64)[0] >> np.uint64(1))
        )

    def numpy(self, stream: int = 0) -> np.random.Generator:
        """Return a generator; streams are independent."""
        return np.random.default_rng(self._mixed(stream))

    def _mixed(self, stream: int) -> np.random.SeedSequence:
        return np.random.SeedSequence([self.seed, stream])


def share_of(item: pytest.Item) -> float:
    """Return what a test spends: 0 unless it is marked. Raises ValueError for a mark without a
    share.
    """
    mark = item.get_closest_marker(MARK)
    if mark is None:
        return 0.0
    share = mark.kwargs.get("share", 0.0)
    if not 0.0 < share <= 1.0:
        raise ValueError(f"{item.nodeid}: mark it monte_carlo(share=...), a part of 1, not {share}")
    return share


def spent_by_claims(claims: Claims) -> dict[str, float]:
    """Return the shares of the ledger's checks, by id."""
    return {
        check.id: check.share
        for claim in claims.claim
        for check in claim.check
        if check.share is not None
    }


def overspent(shares: Iterable[float]) -> str:
    """Return the complaint about shares that exceed the budget, empty where they do not."""
    total = sum(shares)
    return (
        f"Monte Carlo assertions spend {total:.3g} of the suite's false-alarm budget"
        if total > 1 + 1e-9
        else ""
    )
