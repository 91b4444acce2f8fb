"""Failures that an author expects, from a TOML file: a table for each sampler, in it `check =
"reason"`.

["my_sampler.py:mine"]
limit = "the last step ends at t = 0.04 by design"
"""

import tomllib
from pathlib import Path

from ams.errors import UserError
from samplercheck.report import of_checks


def read(path: Path, *names: str) -> dict[str, str]:
    """Return the checks of the first of the names that has a table. Raises UserError for a file
    that is none such.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise UserError(f"{path}: {reason}: name a TOML file of expected failures") from reason
    for name, checks in tables.items():
        if not isinstance(checks, dict) or not all(
            isinstance(why, str) and why for why in checks.values()
        ):
            raise UserError(
                f'{path}: {name}: write a table ["{name}"], in it lines check = "reason"'
            )
        try:
            of_checks(checks)
        except UserError as error:
            raise UserError(f"{path}: [{name}]: {error}") from None
    return next((tables[name] for name in names if name in tables), {})
