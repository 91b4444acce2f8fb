"""A small repository for every test of the engine, and a driver on it."""

from pathlib import Path

import pytest

from tests.verdicts.toy import Session, Toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy.make(tmp_path)


@pytest.fixture
def session(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> Session:
    return Session(toy, monkeypatch)
