"""Sizes of the group: none but the seed."""

from analysis.settings import Seeded


class Settings(Seeded):
    """The seed alone."""
