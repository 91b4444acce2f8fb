"""What changed between two versions of a sampler: two reports, the older one as the JSON that was written of it."""

import json
import math
from pathlib import Path
from typing import Any

from ams.errors import UserError

KEYS = ("name", "verdict", "judgements", "w2", "curve")
NOTABLE = 1e-6


def read(path: Path) -> dict[str, Any]:
    """Return a report's values. Raises UserError for a file that is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise UserError(f"--against {path}: {reason}") from reason
    if not isinstance(values, dict) or any(key not in values for key in KEYS):
        raise UserError(f"--against {path}: not a report of `ams conform --json`")
    return values


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a sentence for each difference: versions, kit, settings, verdicts of checks, laws. None: the same laws."""
    differences = [
        f"{key}: {old.get(key)} -> {new.get(key)}"
        for key in ("name", "version", "kit", "settings", "stated_order", "verdict")
        if old.get(key) != new.get(key)
    ]
    before, after = ({each["check"]: each for each in report["judgements"]} for report in (old, new))
    for check in dict.fromkeys([*before, *after]):
        was, now = before.get(check), after.get(check)
        if was is None or now is None:
            differences.append(f"{check}: {'new' if was is None else 'no longer made'}")
        elif was["verdict"] != now["verdict"]:
            differences.append(f"{check}: {was['verdict']} -> {now['verdict']} ({now['why']})")
    for steps in old["w2"]:
        a, b = old["w2"][steps], new["w2"].get(steps)
        if a is not None and b is not None and not math.isclose(a, b, rel_tol=NOTABLE):
            differences.append(f"W2 at {steps} steps: {a:.4g} -> {b:.4g}")
    return differences
