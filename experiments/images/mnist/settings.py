"""Sizes of the runs on MNIST with its exact score."""

from experiments.images.exact import ExactSettings


class Settings(ExactSettings, frozen=True):
    """The sizes of runs on an exact score."""
