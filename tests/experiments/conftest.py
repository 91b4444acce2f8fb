"""What the tests of experiments share."""

import pytest

from ams.data import GRAPHS, MOLECULES, WEIGHTS, fetch
from tests.ams.tools import found_or_skipped


@pytest.fixture
def authors_files() -> None:
    """Skip without the authors' files of graphs, of which nothing is downloaded here."""
    for name in (*GRAPHS, *MOLECULES, *(name for name in WEIGHTS if name.startswith("gdss-"))):
        found_or_skipped(fetch, name)
