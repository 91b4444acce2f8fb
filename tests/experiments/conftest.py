"""What the tests of experiments share."""

import pytest

from ams.data import GRAPHS, MOLECULES, WEIGHTS, fetch
from tests.ams.tools import found_or_skipped


@pytest.fixture
def authors_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the authors' files of graphs, of which nothing is downloaded here."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    for name in (*GRAPHS, *MOLECULES, *(name for name in WEIGHTS if name.startswith("gdss-"))):
        found_or_skipped(fetch, name)
