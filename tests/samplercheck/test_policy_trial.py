"""Steps with log-probabilities by an author who was told only what such a step is.

Half `a` of the zip has the author's notes: 10 right steps, 13 wrong ones, what each breaks. It is
judged through adapters, which put each step's own levels beside it. Half `b` has no notes yet and
is not judged.
"""

import importlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from samplercheck.policy import conform_policy
from samplercheck.verdict_words import HOLDS, NOTED, REFUTED

TRIAL = Path(__file__).parents[1] / "corpus" / "policy_trial.zip"
RIGHT = [f"r{number:02}" for number in range(1, 11)]
WRONG = {
    "w01": ("density", REFUTED),
    "w02": ("marginals", NOTED),  # a floor of the spread, which grows with the number of steps
    "w03": ("marginals", REFUTED),
    "w04": ("gradient", REFUTED),
    "w05": ("gradient", NOTED),
    "w06": ("marginals", REFUTED),
    "w07": ("marginals", REFUTED),
    "w08": ("density", REFUTED),
    "w09": ("replay", REFUTED),
    "w10": ("replay", REFUTED),  # rounded through bfloat16 in replay; missed at first
    "w11": ("density", NOTED),
    "w12": ("replay", REFUTED),
    "w13": ("marginals", REFUTED),
}
"""By file: the check that is to see it, and what that says."""
TOKENS = ("r02", "r10", "w01", "w11")
"""Steps on states of two dimensions, tokens by channels."""


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    place = tmp_path_factory.mktemp("trial")
    zipfile.ZipFile(TRIAL).extractall(place)
    sys.path.insert(0, str(place / "a"))
    yield importlib.import_module("adapters")
    sys.path.remove(str(place / "a"))
    for name in {path.stem for path in (place / "a").glob("*.py")} & sys.modules.keys():
        del sys.modules[name]


def judged(adapters: ModuleType, name: str):
    if name == "r02":
        pytest.importorskip("diffusers")
    shape = (5, 7) if name in TOKENS else None
    return conform_policy(getattr(adapters, name), shape=shape)


@pytest.mark.parametrize("name", RIGHT)
def test_no_right_step_is_refuted(adapters: ModuleType, name: str) -> None:
    report = judged(adapters, name)
    assert report.verdict == HOLDS, report.text()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_step_is_judged_as_at_first(adapters: ModuleType, name: str) -> None:
    check, verdict = WRONG[name]
    report = judged(adapters, name)
    assert {each.check: each.verdict for each in report.judgements}[check] == verdict, report.text()
