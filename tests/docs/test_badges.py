"""The README's badges are what the conformance kit draws today."""

from pathlib import Path

import pytest

from samplercheck import conform
from samplercheck.adapters import installed, load
from samplercheck.page import badge

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("file", "sampler"), [("azula-heun", "HeunSampler"), ("azula-reab", "REABSampler")])
def test_a_badge_is_drawn_from_its_report(file: str, sampler: str) -> None:
    if installed("azula") is None:
        pytest.skip("azula is not installed")
    report = conform(load(f"azula:{sampler}"), steps=(12, 18, 24, 36, 48, 72))
    assert badge(report) == (ROOT / f"docs/badges/{file}.svg").read_text(encoding="utf-8")
