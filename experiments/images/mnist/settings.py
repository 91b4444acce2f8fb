"""Sizes of the runs on MNIST with its exact score."""

from pydantic import PositiveInt

from experiments.images.exact import ExactSettings


class Settings(ExactSettings):
    """The sizes of runs on an exact score; M1 is judged on `fresh` batches besides, on which
    nobody looked.
    """

    fresh: PositiveInt = 12
