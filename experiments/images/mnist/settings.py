"""Sizes of the runs on MNIST with its exact score."""

from experiments.images.exact_settings import ExactSettings


class Settings(ExactSettings):
    """The sizes of runs on an exact score."""
