"""What the tests of graphs share."""

from collections.abc import Iterator

import pytest

from verdicts.studies import Memory, using


@pytest.fixture
def fresh_store() -> Iterator[None]:
    """Compute cells anew, for a test that changes how they are computed."""
    with using(Memory()):
        yield
