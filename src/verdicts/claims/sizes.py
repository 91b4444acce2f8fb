"""Sizes as the settings of groups have them: a wrong one is told as `file: field = value` before
anything runs.
"""

from typing import Annotated

from pydantic import Field, PositiveInt

Sizes = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
"""Whole numbers, at least one."""
Numbers = Annotated[tuple[float, ...], Field(min_length=1)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
