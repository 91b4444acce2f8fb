"""Failures that an author expects, from a TOML file: a table for each sampler, in it `check =
"reason"`.

["my_sampler.py:mine"]
end = "the last step ends at t = 0.04 by design"
"""

import tomllib
from pathlib import Path

from ams.errors import UserError
from samplercheck.report import of_checks


def read(path: Path, *names: str) -> dict[str, str]:
    """Return the checks of the first of the names that has a table, with its file or without.

    Where no name has a file, as under pytest, the one table `FILE.py:NAME` is taken. Raises
    UserError for a file that is none such.
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
    bare = [name.rpartition(":")[2] for name in names]
    of_files = [table for table in tables if table.rpartition(":")[2] in bare]
    alone = of_files if bare == [*names] and len(of_files) == 1 else []
    return next((tables[name] for name in (*names, *bare, *alone) if name in tables), {})
