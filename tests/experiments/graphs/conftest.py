"""What the tests of graphs share."""

import pytest

from ams.data import GRAPHS, MOLECULES, WEIGHTS, fetch
from ams.errors import DataUnavailable


@pytest.fixture
def authors_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip without the authors' files, of which nothing is downloaded here."""
    monkeypatch.setenv("AMS_OFFLINE", "1")
    try:
        for name in (*GRAPHS, *MOLECULES, *(name for name in WEIGHTS if name.startswith("gdss-"))):
            fetch(name)
    except DataUnavailable as absence:
        pytest.skip(str(absence))
