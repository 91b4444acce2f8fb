"""Sizes of the group."""

from pydantic import PositiveInt

from analysis.settings import Seeded


class Settings(Seeded):
    """`problems` that the optimisers descend, `seeds` of each."""

    problems: tuple[str, ...] = ()
    seeds: PositiveInt = 8
