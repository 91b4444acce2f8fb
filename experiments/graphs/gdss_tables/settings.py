"""Sizes of the published table: how many graphs of each set, in how many steps."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from verdicts.validation import Frozen

Name = Literal["community_small", "ego_small", "ENZYMES", "grid"]


class Settings(Frozen):
    """For each set the number of graphs that are generated, and of steps; `sets` are those that are generated.

    `draws`: of sets of real graphs, for the floor. The graphs are shared among `seeds` runs, from `seed` on: a batch of
    the sampler holds the graphs of one run.
    """

    sets: tuple[Name, ...] = Field(("community_small", "ego_small", "ENZYMES", "grid"), min_length=1)
    community_small: tuple[PositiveInt, PositiveInt] = (128, 1000)
    ego_small: tuple[PositiveInt, PositiveInt] = (128, 1000)
    enzymes: tuple[PositiveInt, PositiveInt] = (64, 500)
    grid: tuple[PositiveInt, PositiveInt] = (4, 100)
    draws: PositiveInt = 2000
    seeds: PositiveInt = 2
    seed: NonNegativeInt = 2405

    def of(self, name: str) -> tuple[int, int]:
        """Return the numbers of graphs and of steps of a set."""
        graphs, steps = getattr(self, name.lower())
        return int(graphs), int(steps)
